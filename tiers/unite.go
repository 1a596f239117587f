package tiers

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// Unite stores events that a comparison with a neighbour has found missing here, and makes each of their tickets what all
// its events come to. Each is stored once, however often it comes. What must not come over this link is parked. A
// *desk.Refusal means that nothing was stored: one of both ends has begun a new life.
func Unite(b *store.Batch, c *deskpb.Unite, at desk.Stamp) error {
	peer := desk.SiteID(c.Peer)
	if _, err := living(b.Reader, c); err != nil {
		return err
	}
	in, err := newInbound(b, peer, at)
	if err != nil {
		return err
	}
	site, err := b.Site()
	if err != nil {
		return fmt.Errorf("read the site: %w", err)
	}
	u := union{
		inbound: in, site: site, news: map[desk.TicketNumber][]desk.Sealed{},
	}
	for _, raw := range c.Events {
		if err := u.add(raw); err != nil {
			return fmt.Errorf("unite with %s: %w", peer, err)
		}
	}
	for _, number := range u.tickets {
		if err := u.conclude(number); err != nil {
			return fmt.Errorf("unite ticket %s with %s: %w", number, peer, err)
		}
	}
	return countGift(b, peer, u.parked)
}

// countGift counts a gift that the peer gave, and the items of it that were set aside.
func countGift(b *store.Batch, peer desk.SiteID, parked uint64) error {
	link, err := b.Link(peer)
	if err != nil {
		return fmt.Errorf("read the link with %s: %w", peer, err)
	}
	link.Taken++
	link.Parked += parked
	if err := b.PutLink(link); err != nil {
		return fmt.Errorf("write the link with %s: %w", peer, err)
	}
	return nil
}

// union stores the events of one Unite command.
type union struct {
	inbound
	site    *deskpb.Site
	tickets []desk.TicketNumber                 // those with news, in the order of their first
	news    map[desk.TicketNumber][]desk.Sealed // events that were not stored before
}

// add stores one event without looking yet at what it makes of its ticket.
func (u *union) add(raw []byte) error {
	e, err := desk.Open(raw)
	if err != nil {
		// It has no time that could be told, and must stand under the same one however often it comes.
		return u.setAside(desk.Sealed{Event: &deskpb.Event{}, Raw: raw}, err.Error())
	}
	number := desk.TicketNumber(e.Ticket)
	known, err := u.b.EventByID(e.Id)
	if err != nil || string(known) == string(raw) {
		return err
	}
	record, err := u.b.Ticket(number)
	if err != nil {
		return err
	}
	objection, err := u.tree.admitsTicket(u.peer, record, e)
	if err != nil {
		return err
	}
	if objection == "" && e.Id.Site == u.site.Id && e.Id.Incarnation == u.site.Incarnation {
		objection = fmt.Sprintf("event %s is of this site's present life, but it was never written here", desk.EventName(e.Id))
	}
	switch {
	case objection != "":
		return u.setAside(e, objection)
	case unknownKind(e):
		return u.passOn(e)
	case known != nil:
		return u.setAside(e, fmt.Sprintf("another event has the id %s", desk.EventName(e.Id)))
	}
	if err := u.b.AddEvent(e); err != nil {
		return err
	}
	u.touch(number, e)
	return nil
}

// unknownKind tells whether an event cannot be folded by this version, whatever its ticket is.
func unknownKind(e desk.Sealed) bool {
	_, err := desk.Union([]desk.Sealed{e})
	return errors.Is(err, desk.ErrUnknown)
}

// touch remembers what is new on a ticket.
func (u *union) touch(number desk.TicketNumber, events ...desk.Sealed) {
	if _, seen := u.news[number]; !seen {
		u.tickets = append(u.tickets, number)
	}
	u.news[number] = append(u.news[number], events...)
}

// setAside parks an event once, however often comparisons bring it: it stands under its own time and hash.
func (u *union) setAside(e desk.Sealed, reason string) error {
	_, err := u.parkOnce(e, reason)
	return err
}

func (u *union) parkOnce(e desk.Sealed, reason string) (first bool, err error) {
	sequence := binary.BigEndian.Uint64(desk.Hash(e.Raw))
	known, err := u.b.ParkedItem(&deskpb.ParkedKey{Peer: string(u.peer), Time: e.Time, Sequence: sequence})
	if err != nil || known != nil {
		return false, err
	}
	item, err := encodeItem(&deskpb.Item{Content: &deskpb.Item_Event{Event: e.Raw}})
	if err != nil {
		return false, err
	}
	u.parked++
	err = u.b.Park(&deskpb.Parked{Peer: string(u.peer), Sequence: sequence, Item: item, Reason: reason, Time: e.Time})
	if err != nil {
		return false, fmt.Errorf("park it: %w", err)
	}
	return true, nil
}

// passOn parks an event that only a later version understands and relays it the first time.
func (u *union) passOn(e desk.Sealed) error {
	first, err := u.parkOnce(e, waitsForUpgrade(e))
	if err != nil || !first {
		return err
	}
	item, err := encodeItem(&deskpb.Item{Content: &deskpb.Item_Event{Event: e.Raw}})
	if err != nil {
		return err
	}
	return u.relay(e.Path, func(peers []desk.SiteID) error { return sendWhole(u.b, peers, item) })
}

// conclude makes a ticket what its events come to, relays what is new on it, and answers it where the rules demand that.
func (u *union) conclude(number desk.TicketNumber) error {
	before, err := u.b.Ticket(number)
	if err != nil {
		return err
	}
	record, err := u.together(number)
	if err != nil {
		return err
	}
	if err := putTicket(u.b, number, record); err != nil {
		return err
	}
	for _, e := range u.news[number] {
		if err := u.remember(e); err != nil {
			return err
		}
		if err := u.relay(pathOf(record, e), func(peers []desk.SiteID) error { return sendEvent(u.b, peers, e) }); err != nil {
			return err
		}
		if err := sendAside(u.b, u.tree, e, u.peer); err != nil {
			return err
		}
		if err := u.tell(e, before, record); err != nil {
			return err
		}
	}
	answers, err := u.answer(before, record)
	if events := u.news[number]; err != nil && len(events) > 0 {
		last := events[len(events)-1]
		return u.setAside(last, fmt.Sprintf("%s cannot answer event %s: %s", u.here.Site, desk.EventName(last.Id), err))
	}
	if err != nil {
		return err
	}
	return u.give(answers)
}

// together is the record after the news.
func (u *union) together(number desk.TicketNumber) (*deskpb.Record, error) {
	record, err := u.b.Ticket(number)
	if err != nil {
		return nil, err
	}
	simple := true
	for _, e := range u.news[number] {
		if simple = simple && desk.Follows(record, e); !simple {
			break
		}
		if record, err = desk.Fold(record, e); err != nil {
			simple = false
			break
		}
	}
	if simple {
		return record, nil
	}
	events, err := u.b.Events(number)
	if err != nil {
		return nil, err
	}
	return desk.Union(events)
}

// remember rebuilds the mark of a request that this site answered in a life before.
func (u *union) remember(e desk.Sealed) error {
	if e.Request == nil || e.Id.Site != u.site.Id {
		return nil
	}
	mark := &deskpb.RequestMark{Ticket: e.Ticket, BodyHash: e.Request.BodyHash}
	return u.b.PutRequest(desk.UserID(e.Actor), e.Request.Method, e.Request.Id, mark)
}
