package tiers

import (
	"context"
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// names are the names of events among those of one ticket.
type names map[string]bool

// nameOf is the beginning of an event's hash.
func nameOf(e desk.Sealed) string { return string(desk.Hash(e.Raw)[:nameWidth]) }

// readNames takes the names of a Holding apart.
func readNames(h *linkpb.Holding) (names, error) {
	if len(h.Events)%nameWidth != 0 {
		return nil, fmt.Errorf("the names of the events of ticket %q have %d bytes, which is no multiple of %d", h.Ticket, len(h.Events), nameWidth)
	}
	found := make(names, len(h.Events)/nameWidth)
	for rest := h.Events; len(rest) > 0; rest = rest[nameWidth:] {
		found[string(rest[:nameWidth])] = true
	}
	return found, nil
}

// hold names the events that this site has of a ticket.
func hold(r *store.Reader, number desk.TicketNumber) (*linkpb.Holding, error) {
	events, err := r.Events(number)
	if err != nil {
		return nil, err
	}
	h := &linkpb.Holding{Ticket: string(number), Events: make([]byte, 0, len(events)*nameWidth)}
	for _, e := range events {
		h.Events = append(h.Events, nameOf(e)...)
	}
	return h, nil
}

// parcel collects events up to the size of a gift.
type parcel struct {
	events [][]byte
	bytes  int
}

// add tells whether there was room for the event. The first one always has.
func (p *parcel) add(e desk.Sealed) bool {
	if len(p.events) > 0 && p.bytes+len(e.Raw) > giftBytes {
		return false
	}
	p.events = append(p.events, e.Raw)
	p.bytes += len(e.Raw)
	return true
}

// compose answers the child's Holdings with what is missing to it, ticket by ticket as far as one gift goes, and with the
// names of what is missing here.
func (s *session) compose(holdings *linkpb.Holdings) (*linkpb.Gift, error) {
	gift := &linkpb.Gift{}
	var p parcel
	err := s.t.o.Site.View(func(r *store.Reader) error {
		about, err := newScope(r, s.peer)
		if err != nil {
			return err
		}
		for _, theirs := range holdings.Tickets {
			included, _, err := about.includes(desk.TicketNumber(theirs.Ticket))
			if err != nil {
				return err
			}
			if included != apart {
				wanted, whole, err := offer(r, theirs, included == common, s.peer, &p)
				if err != nil || !whole {
					return err
				}
				if len(wanted.Events) > 0 {
					gift.Wanted = append(gift.Wanted, wanted)
				}
			}
			gift.Tickets++
		}
		return nil
	})
	gift.Events = p.events
	return gift, err
}

// offer puts what the child lacks of a ticket into the parcel, and names what it has and this end lacks. Of a ticket that is not
// common to both it is given nothing, unless it took part in a hand-over. whole is false when there was no room for all.
func offer(r *store.Reader, theirs *linkpb.Holding, both bool, child desk.SiteID, p *parcel) (wanted *linkpb.Holding, whole bool, err error) {
	lacking, err := readNames(theirs)
	if err != nil {
		return nil, false, err
	}
	ours, err := r.Events(desk.TicketNumber(theirs.Ticket))
	if err != nil {
		return nil, false, err
	}
	gives := both || tookPart(ours, child)
	for _, e := range ours {
		name := nameOf(e)
		if gives && !lacking[name] && !p.add(e) {
			return nil, false, nil
		}
		delete(lacking, name)
	}
	wanted = &linkpb.Holding{Ticket: theirs.Ticket}
	for rest := theirs.Events; len(rest) > 0; rest = rest[nameWidth:] {
		if name := rest[:nameWidth]; lacking[string(name)] {
			wanted.Events = append(wanted.Events, name...)
		}
	}
	return wanted, true, nil
}

// tookPart tells whether a ticket was ever handed over to a site or by it. Such a site has to know how that ended, even when the
// ticket's office has left it: it may still have to answer, or believe that it is the custodian. What is sent aside does not tell
// it in a life that began since.
func tookPart(events []desk.Sealed, site desk.SiteID) bool {
	return slices.ContainsFunc(events, func(e desk.Sealed) bool {
		return e.Type == deskpb.Event_DISPATCHED && (e.From == string(site) || e.To == string(site))
	})
}

// give collects the events that the other end asked for, as far as one gift goes, and returns what is left of the wish.
func (s *session) give(wanted []*linkpb.Holding) (gift *linkpb.Gift, left []*linkpb.Holding, err error) {
	var p parcel
	err = s.t.o.Site.View(func(r *store.Reader) error {
		for i, wish := range wanted {
			rest, err := pick(r, wish, &p)
			if err != nil {
				return err
			}
			if rest != nil {
				left = append([]*linkpb.Holding{rest}, wanted[i+1:]...)
				return nil
			}
		}
		return nil
	})
	return &linkpb.Gift{Events: p.events}, left, err
}

// pick puts the events of one wish into the parcel; rest is what there was no room for, nil for nothing.
func pick(r *store.Reader, wish *linkpb.Holding, p *parcel) (rest *linkpb.Holding, err error) {
	want, err := readNames(wish)
	if err != nil {
		return nil, err
	}
	events, err := r.Events(desk.TicketNumber(wish.Ticket))
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		name := nameOf(e)
		switch {
		case !want[name]:
		case rest != nil || !p.add(e):
			if rest == nil {
				rest = &linkpb.Holding{Ticket: wish.Ticket}
			}
			rest.Events = append(rest.Events, name...)
		}
	}
	return rest, nil
}

// unite has the log store events that came as a gift. The gift is counted before the log counts it, so that this stream never
// seems to be another one.
func (s *session) unite(ctx context.Context, events [][]byte) error {
	if len(events) == 0 {
		return nil
	}
	if err := s.remembers(ctx, events); err != nil {
		return err
	}
	s.taken.Add(1)
	result, err := s.insist(ctx, &deskpb.Command{Kind: &deskpb.Command_Unite{Unite: &deskpb.Unite{
		Peer: string(s.peer), PeerIncarnation: s.incarnation, Incarnation: s.own, Events: events,
	}}})
	if err != nil {
		return err
	}
	if result == nil {
		return ctx.Err()
	}
	return outcome(result)
}
