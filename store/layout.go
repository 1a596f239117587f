package store

import (
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// Each key begins with the family of its row. DESIGN.md has the whole table. The numbers are on disk: they are never
// changed or used again.
const (
	familyMeta        = 0x01
	familySequence    = 0x02
	familyRequest     = 0x03
	familyTicket      = 0x10
	familyIndex       = 0x11
	familyHandover    = 0x12
	familyJournal     = 0x13
	familyEventID     = 0x14
	familyUnopened    = 0x15
	familyMajor       = 0x16
	familyTimer       = 0x17
	familyCallBack    = 0x18
	familyLoad        = 0x19
	familyTurn        = 0x1a
	familyWork        = 0x1b
	familyWorkCount   = 0x1c
	familyFigures     = 0x1d
	familySite        = 0x20
	familySiteInfo    = 0x21
	familyLink        = 0x22
	familyOutbox      = 0x23
	familyParked      = 0x24
	familyPublication = 0x25
	familyDelivery    = 0x26
	familyPlacement   = 0x27
	familyUser        = 0x30
	familySession     = 0x31
	familySessionOf   = 0x32
	familySessionEnd  = 0x33
	familyMember      = 0x34
	familyCustomer    = 0x40
	familyCustomerBy  = 0x41
	familyBlob        = 0x50
	familyChunk       = 0x51
	familyFile        = 0x52
	familyNotice      = 0x60
	familyNoticeKey   = 0x61
	familyRound       = 0x62
	familyDuty        = 0x63
	familyFault       = 0x64
	familyPolicy      = 0x65
	familyPastPolicy  = 0x66

	familyAuditEntry      = 0x70
	familyAuditCheckpoint = 0x71
	familyAuditState      = 0x72
)

// The rows of familyMeta.
const (
	metaFormat        = 0x01 // version of this layout
	metaSite          = 0x02 // whose state it is
	metaApplied       = 0x03 // standing of the last batch
	metaConfiguration = 0x04 // standing of the last membership entry
	metaMark          = 0x05 // standing that the log may be cut up to
	metaWork          = 0x06 // up to where the lists of open tickets and the figures are kept
)

func family(f byte) keys.Key { return keys.Key{f} }

func metaKey(name byte) keys.Key { return keys.Build(familyMeta).Byte(name).Key() }

func sequenceKey(day string) keys.Key { return keys.Build(familySequence).Text(day).Key() }

func requestKey(principal desk.UserID, method, id string) keys.Key {
	return keys.Build(familyRequest).Text(string(principal)).Text(method).Text(id).Key()
}

func ticketKey(number desk.TicketNumber) keys.Key {
	return keys.Build(familyTicket).Text(string(number)).Key()
}

// indexPrefix begins the rows of one value in an index.
func indexPrefix(index Index, value string) keys.Builder {
	return keys.Build(familyIndex).Byte(byte(index)).Text(value)
}

func handoverKey(state deskpb.Handover_State, to desk.SiteID) keys.Key {
	return keys.Build(familyHandover).Byte(byte(state)).Text(string(to)).Key()
}

// majorKey is the row of a major incident that is still open.
func majorKey(opened int64, number desk.TicketNumber) keys.Key {
	return keys.Build(familyMajor).Int64(opened).Text(string(number)).Key()
}

func journalKey(number desk.TicketNumber) keys.Key {
	return keys.Build(familyJournal).Text(string(number)).Key()
}

func eventKey(ref *deskpb.EventRef) keys.Key {
	return keys.Build(familyJournal).Text(ref.GetTicket()).Int64(ref.GetTime()).Text(ref.GetSite()).
		Uint64(ref.GetIncarnation()).Uint64(ref.GetSequence()).Key()
}

func eventIDKey(id *deskpb.EventID) keys.Key {
	return keys.Build(familyEventID).Text(id.GetSite()).Uint64(id.GetIncarnation()).Uint64(id.GetSequence()).Key()
}

func siteInfoKey(id desk.SiteID) keys.Key { return keys.Build(familySiteInfo).Text(string(id)).Key() }

func linkKey(peer desk.SiteID) keys.Key { return keys.Build(familyLink).Text(string(peer)).Key() }

func outboxKey(peer desk.SiteID) keys.Key { return keys.Build(familyOutbox).Text(string(peer)).Key() }

func parkedKey(p *deskpb.Parked) keys.Key {
	return keys.Build(familyParked).Text(p.GetPeer()).Int64(p.GetTime()).Uint64(p.GetSequence()).Key()
}

func userKey(name desk.UserID) keys.Key { return keys.Build(familyUser).Text(string(name)).Key() }

func sessionKey(tokenHash []byte) keys.Key {
	return keys.Build(familySession).Text(string(tokenHash)).Key()
}

func sessionOfKey(user desk.UserID) keys.Key {
	return keys.Build(familySessionOf).Text(string(user)).Key()
}

func sessionEndKey(expires int64) keys.Key { return keys.Build(familySessionEnd).Int64(expires).Key() }
