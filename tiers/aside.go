package tiers

import (
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// sendAside sends an event of a hand-over to a former parent of the ticket's office, which stands on the ticket's path no
// more and still waits for it, or has to answer it: a hand-over that was under way when the office moved. The former parent
// may never have heard of the ticket, so it gets all events of one that it has to answer. from is the neighbour that sent
// the event, empty for one of this site.
func sendAside(b *store.Batch, t tree, e desk.Sealed, from desk.SiteID) error {
	party, all := desk.SiteID(e.From), false
	switch e.Type {
	case deskpb.Event_DISPATCHED:
		party, all = desk.SiteID(e.To), true
	case deskpb.Event_ACCEPTED, deskpb.Event_REFUSED:
	default:
		return nil
	}
	if left, err := t.formerly(desk.SiteID(e.Path[0]), party); err != nil || !left {
		return err
	}
	where, child, err := t.locate(party)
	if err != nil || where != below || child == from {
		return err
	}
	if home, err := t.homeward(e.Path); err != nil || home == child {
		return err
	}
	if !all {
		return sendEvent(b, []desk.SiteID{child}, e)
	}
	events, err := b.Events(desk.TicketNumber(e.Ticket))
	if err != nil {
		return err
	}
	for _, event := range events {
		if err := sendEvent(b, []desk.SiteID{child}, event); err != nil {
			return err
		}
	}
	return nil
}

// leaves tells whether nothing is handed over to a neighbour any more because this site leaves it.
func leaves(r *store.Reader, site, parent desk.SiteID) (bool, error) {
	placement, err := r.Placement(site)
	if err != nil {
		return false, err
	}
	return placement.GetPhase() == deskpb.Placement_LEAVING && desk.SiteID(placement.From) == parent, nil
}
