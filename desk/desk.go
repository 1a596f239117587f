package desk

import (
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Named identifiers. They are plain strings in the schema.
type (
	SiteID       string
	TicketNumber string
	UserID       string
)

// Stamp is the time at which a command is decided. The leader draws it; Apply never lets it run backwards.
type Stamp struct {
	Time      int64 // microseconds since 1970
	UTCOffset int32 // seconds east of UTC at the site; gives its local day
}

// Here is the site that decides, as its own log knows it at this entry.
type Here struct {
	Site        SiteID
	Tier        deskpb.Site_Tier
	Path        []SiteID // this site first, then its ancestors as far as the directory knows them
	Incarnation uint64   // never 0
	Letters     string   // in the numbers of a later incarnation
	Sequence    uint64   // last event sequence given out in this incarnation
	Frozen      string   // why the site decides nothing, empty when it does: another copy of it lives
	Recovering  bool     // tickets are decided only where View.Settled says so
}

// View is what the rules read besides the command. An error from it is a fault, never a refusal.
type View interface {
	// Ticket returns nil when the site does not know the number. The caller must not change the record.
	Ticket(number TicketNumber) (*deskpb.Record, error)
	// LastSequence returns the last ticket sequence given out on the local day yyyymmdd, 0 for none.
	LastSequence(day string) (uint32, error)
	// Request returns nil when this site has not seen the request id from that principal and method.
	Request(principal UserID, method, id string) (*deskpb.RequestMark, error)
	// Settled tells whether this site knows all that the neighbours on the ticket's path knew of it when their comparison
	// began. It is asked at a recovering site, and of tickets with detached events.
	Settled(record *deskpb.Record) (bool, error)
	// Path returns the home and its ancestors up to the province, as the directory has them now; nil when it does not
	// know the home.
	Path(home SiteID) ([]SiteID, error)
	// Policy returns all layers of the site's policy put together; the caller must not change it. It is never nil.
	Policy() (*deskpb.Policy, error)
	Roll
	// Load counts the open tickets of this site that a person has, up to a bound that the view sets.
	Load(user UserID) (int, error)
	// Rotation returns the member of a group that got a ticket last by the rules, empty for none.
	Rotation(group string) (UserID, error)
	// Managers lists the incident managers of this site, sorted.
	Managers() ([]UserID, error)
	// Customer returns this site's record of a requester, nil when there is none.
	Customer(id string) (*deskpb.Customer, error)
	// CustomerByPhone returns the only person with a telephone number, else the only unit, by its digits (see PhoneDigits);
	// nil for none.
	CustomerByPhone(digits string) (*deskpb.Customer, error)
	// Unit returns this site's record of a unit by its name in any case of letters, nil when there is none.
	Unit(name string) (*deskpb.Customer, error)
	// File returns how much this site has of the content that a SHA-256 names, nil for nothing.
	File(sha256 []byte) (*deskpb.Blob, error)
}

// Decision is what an accepted command comes to.
type Decision struct {
	// Record is the ticket after all Events.
	Record *deskpb.Record
	// Events are new, in order, already folded into Record. Empty when the request was a repetition.
	Events []Sealed
	// Beside are what the command changes on other tickets. All is stored, or nothing.
	Beside []*Decision
}

// LastSequence returns the greatest event sequence of the decision, 0 without events.
func (d *Decision) LastSequence() uint64 {
	var last uint64
	if n := len(d.Events); n > 0 {
		last = d.Events[n-1].GetId().GetSequence()
	}
	for _, other := range d.Beside {
		last = max(last, other.LastSequence())
	}
	return last
}

// Sealed is an event together with the bytes its author wrote. The bytes are what is stored, hashed and shipped; equal
// ids mean equal bytes everywhere.
type Sealed struct {
	*deskpb.Event
	Raw []byte
}
