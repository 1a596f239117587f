package tiers

import (
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// admits returns why an event must not come over the link from the peer, empty when it may. A child speaks for its own
// subtree only; the parent speaks for everybody else, about tickets of this side. Where the directory knows nothing to
// the contrary, the link that names a site is believed.
func (t tree) admits(peer desk.SiteID, record *deskpb.Record, e desk.Sealed) (objection string, err error) {
	author, home := desk.SiteID(e.Id.Site), desk.SiteID(e.Path[0])
	authorSide, authorChild, err := t.locate(author)
	if err != nil {
		return "", err
	}
	homeSide, homeChild, err := t.locate(home)
	if err != nil {
		return "", err
	}
	if peer == t.parent() {
		switch {
		case authorSide == self || authorSide == below:
			return fmt.Sprintf("the parent %s sent an event of %s, which is on this side", peer, author), nil
		case homeSide == elsewhere || homeSide == unknown && record == nil:
			return fmt.Sprintf("ticket %s does not come from this side of the tree", e.Ticket), nil
		}
		return "", nil
	}
	switch {
	case authorSide != unknown && authorChild != peer:
		return fmt.Sprintf("%s sent an event of %s, which is not in its part of the tree", peer, author), nil
	case homeSide != unknown && homeChild != peer:
		return fmt.Sprintf("%s sent an event of ticket %s, whose home is not in its part of the tree", peer, e.Ticket), nil
	}
	return "", nil
}

// ahead tells that the event cannot be folded yet, whoever wrote it: it needs a later version of the program, or
// custodial events before it are missing here because they did.
func ahead(record *deskpb.Record, e desk.Sealed) bool {
	if e.Schema > desk.Schema {
		return true
	}
	return e.Class == deskpb.Event_CUSTODIAL && record != nil && e.Index > record.Length+1
}

// authority returns why the author may not have decided a custodial event on this record, empty when it may. In
// transit nobody decides but the site that the ticket goes to, and that only accepts or refuses.
func authority(record *deskpb.Record, e desk.Sealed) (objection string) {
	if e.Class != deskpb.Event_CUSTODIAL {
		return ""
	}
	if record == nil {
		if e.Type != deskpb.Event_OPENED {
			return fmt.Sprintf("ticket %s is not known here and %s does not open it", e.Ticket, e.Type)
		}
		return ""
	}
	ticket := record.Ticket
	inTransit := ticket.Handover.GetState() == deskpb.Handover_IN_TRANSIT
	answer := false
	term := ticket.CustodyTerm
	switch e.Type {
	case deskpb.Event_DISPATCHED:
		term++
		if e.From != e.Id.Site || !slices.Contains(e.Path, e.To) {
			return fmt.Sprintf("%s sent ticket %s from %q to %q, which is not a hand-over of its own along the path",
				e.Id.Site, e.Ticket, e.From, e.To)
		}
	case deskpb.Event_ACCEPTED:
		answer = true
	case deskpb.Event_REFUSED:
		answer = true
		term++
	}
	if e.Id.Site != ticket.CustodianSite || e.CustodyTerm != term || inTransit != answer {
		return fmt.Sprintf("%s decided %s under custody term %d, but ticket %s is with %s under term %d%s",
			e.Id.Site, e.Type, e.CustodyTerm, e.Ticket, ticket.CustodianSite, ticket.CustodyTerm, transitWords(inTransit))
	}
	return ""
}

func transitWords(inTransit bool) string {
	if inTransit {
		return ", in transit"
	}
	return ""
}

// admitsSite returns why a directory entry must not come over the link from the peer, empty when it may.
func (t tree) admitsSite(peer desk.SiteID, info *deskpb.SiteInfo) (objection string, err error) {
	site, parent := desk.SiteID(info.Id), desk.SiteID(info.Parent)
	if !site.Valid() || parent == site {
		return fmt.Sprintf("the directory entry %q below %q cannot name a site", info.Id, info.Parent), nil
	}
	where, child, err := t.locate(site)
	if err != nil {
		return "", err
	}
	above, through, err := t.locate(parent)
	if err != nil {
		return "", err
	}
	wrong := fmt.Sprintf("%s sent the directory entry of %s below %q, which is not its to tell", peer, info.Id, info.Parent)
	if peer == t.parent() {
		if where == self || where == below || above == self || above == below {
			return wrong, nil
		}
		return "", nil
	}
	switch {
	case where != unknown && child != peer:
		return wrong, nil
	case site == peer && above != self:
		return wrong, nil
	case site != peer && (above != below || through != peer):
		return wrong, nil
	}
	return "", nil
}
