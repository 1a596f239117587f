package tiers

import (
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// maxRevisited bounds the tickets of one Revisit command.
const maxRevisited = 256

// compareAgain is the reason of the refusal to settle a link by a comparison that did not look at all tickets.
const compareAgain = "COMPARE_AGAIN"

// Settle ends the comparison with a neighbour: what it knew when the streams began anew is known here. When no neighbour
// is left to compare with, the site recovers no more. What was left alone meanwhile is looked at again by Revisit. A
// *desk.Refusal means that one of both ends has begun a new life, that items are still missing, or that the comparison
// began before an office was placed below the neighbour.
func Settle(b *store.Batch, c *deskpb.Settle) error {
	peer := desk.SiteID(c.Peer)
	link, err := living(b.Reader, c)
	if err != nil {
		return err
	}
	switch {
	case !link.Unsettled && link.Given == c.Given:
		return nil
	case link.Joined != c.Joined:
		return desk.Refuse(desk.FailedPrecondition, compareAgain,
			"an office was placed below %s since the comparison with it began; open the link again", peer)
	case link.ReceivedSequence < c.ReceivedSequence:
		return desk.Refuse(desk.FailedPrecondition, "STREAM_GAP",
			"%s has sent up to item %d before it was compared, but only %d were received; wait for them",
			peer, c.ReceivedSequence, link.ReceivedSequence)
	}
	link.Unsettled, link.Revisit, link.Given = false, true, c.Given
	if err := b.PutLink(link); err != nil {
		return fmt.Errorf("write the link with %s: %w", peer, err)
	}
	return endRecovery(b)
}

// endRecovery notes that the site recovers no more when no neighbour is left to compare with.
func endRecovery(b *store.Batch) error {
	site, err := b.Site()
	if err != nil {
		return fmt.Errorf("read the site: %w", err)
	}
	if site.GetRecovering() == 0 {
		return nil
	}
	t, err := newTree(b.Reader)
	if err != nil {
		return err
	}
	if done, err := t.settledAll(); err != nil || !done {
		return err
	}
	site.Recovering = 0
	if err := b.PutSite(site); err != nil {
		return fmt.Errorf("write the site: %w", err)
	}
	return nil
}

// Revisit has the rules look at tickets again that this site left alone while they were not settled, and stores what they
// demand. The last command for a neighbour says so.
func Revisit(b *store.Batch, c *deskpb.Revisit, at desk.Stamp) error {
	if len(c.Tickets) > maxRevisited {
		return desk.Refuse(desk.InvalidArgument, "TOO_MANY_TICKETS", "%d tickets are too many to look at in one command; the limit is %d",
			len(c.Tickets), maxRevisited)
	}
	in, err := newInbound(b, desk.SiteID(c.Peer), at)
	if err != nil {
		return err
	}
	for _, number := range c.Tickets {
		record, err := b.Ticket(desk.TicketNumber(number))
		if err != nil {
			return err
		}
		answers, err := in.answer(record, record)
		if err != nil {
			continue // a ticket that cannot be answered waits for people, as it did before
		}
		if err := in.give(answers); err != nil {
			return err
		}
	}
	if !c.Done {
		return nil
	}
	link, err := b.Link(in.peer)
	if err != nil {
		return fmt.Errorf("read the link with %s: %w", in.peer, err)
	}
	if !link.Revisit {
		return nil
	}
	link.Revisit = false
	if err := b.PutLink(link); err != nil {
		return fmt.Errorf("write the link with %s: %w", in.peer, err)
	}
	return nil
}

// settledWith tells whether the comparison with a neighbour has come to its end. One that was never met is not settled.
func (t tree) settledWith(peer desk.SiteID) (bool, error) {
	link, err := t.r.Link(peer)
	if err != nil {
		return false, fmt.Errorf("read the link with %s: %w", peer, err)
	}
	return link.PeerIncarnation != 0 && !link.Unsettled, nil
}

// settledAbove tells whether the parent was compared, if there is one.
func (t tree) settledAbove() (bool, error) {
	if t.parent() == "" {
		return true, nil
	}
	return t.settledWith(t.parent())
}

// settledBelow tells whether every child was compared.
func (t tree) settledBelow() (bool, error) {
	children, err := t.awaited()
	if err != nil {
		return false, err
	}
	for _, child := range children {
		if settled, err := t.settledWith(child); err != nil || !settled {
			return false, err
		}
	}
	return true, nil
}

// settledAll tells whether no neighbour is left to compare with.
func (t tree) settledAll() (bool, error) {
	above, err := t.settledAbove()
	if err != nil || !above {
		return false, err
	}
	return t.settledBelow()
}

// awaited lists the children with which a site in a new life has to be compared: those that the directory names and that
// are not closed, and those that were admitted.
func (t tree) awaited() ([]desk.SiteID, error) {
	awaited, err := t.children()
	if err != nil {
		return nil, err
	}
	infos, err := t.r.Directory()
	if err != nil {
		return nil, fmt.Errorf("read the directory: %w", err)
	}
	for _, info := range infos {
		site := desk.SiteID(info.Id)
		if where, child, err := t.locate(site); err != nil {
			return nil, err
		} else if where != below || child != site || slices.Contains(awaited, site) {
			continue
		}
		placement, err := t.r.Placement(site)
		if err != nil {
			return nil, fmt.Errorf("read the placement of %s: %w", site, err)
		}
		if placement.GetPhase() != deskpb.Placement_CLOSED {
			awaited = append(awaited, site)
		}
	}
	return awaited, nil
}
