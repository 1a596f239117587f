package tiers

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// event stores an event that another site decided, relays it, and answers it where the rules demand that.
func (in *inbound) event(item, raw []byte) error {
	e, err := desk.Open(raw)
	if err != nil {
		return in.park(item, err.Error())
	}
	known, err := in.b.Knows(e)
	taken := errors.Is(err, store.ErrConflict)
	if known || err != nil && !taken {
		return err
	}
	record, err := in.b.Ticket(desk.TicketNumber(e.Ticket))
	if err != nil {
		return err
	}
	objection, err := in.tree.admits(in.peer, record, e)
	if err != nil {
		return err
	}
	if objection != "" {
		return in.park(item, objection)
	}
	if e.Schema > desk.Schema {
		if err := in.park(item, waitsForUpgrade(e)); err != nil || in.again != nil {
			return err // what was parked before was relayed when it came
		}
		return in.relay(e.Path, func(peers []desk.SiteID) error { return sendWhole(in.b, peers, item) })
	}
	next, err := in.after(record, e)
	switch {
	case errors.Is(err, desk.ErrUnfit) || errors.Is(err, desk.ErrUnknown):
		return in.park(item, err.Error())
	case err != nil:
		return err
	case taken:
		return in.park(item, in.takenWords(e))
	}
	return in.keep(item, e, next)
}

// takenWords says that another event has the id. An item that was parked before keeps its reason, which says how that
// came about.
func (in *inbound) takenWords(e desk.Sealed) string {
	if in.again != nil {
		return in.again.Reason
	}
	return fmt.Sprintf("another event has the id %s", desk.EventName(e.Id))
}

func waitsForUpgrade(e desk.Sealed) string {
	return fmt.Sprintf("event %s of ticket %s waits for an upgrade of this site", desk.EventName(e.Id), e.Ticket)
}

// after returns what the ticket is with one more event: the fold where the event simply follows, otherwise the union of
// all its events. Nil when none of them opens it. The errors of desk mean that the event does not fit.
func (in *inbound) after(record *deskpb.Record, e desk.Sealed) (*deskpb.Record, error) {
	simple := desk.Follows(record, e)
	if record == nil && e.Type == deskpb.Event_OPENED {
		early, err := in.b.Unopened(desk.TicketNumber(e.Ticket))
		if err != nil {
			return nil, err
		}
		simple = !early
	}
	if simple {
		return desk.Fold(record, e)
	}
	events, err := in.b.Events(desk.TicketNumber(e.Ticket))
	if err != nil {
		return nil, err
	}
	return desk.Union(append(events, e))
}

// keep stores an admitted event, which is new here, with the record that it makes and with what the rules demand of this site in answer, or
// parks it when it does not fit. An event that leaves no room for the answer does not fit either: a neighbour's bytes
// never stop this site.
func (in *inbound) keep(item []byte, e desk.Sealed, next *deskpb.Record) error {
	before, err := in.b.Ticket(desk.TicketNumber(e.Ticket))
	if err != nil {
		return err
	}
	answers, err := in.answer(before, next)
	if err != nil {
		return in.park(item, fmt.Sprintf("%s cannot answer event %s: %s", in.here.Site, desk.EventName(e.Id), err))
	}
	if err := in.b.AddEvent(e); err != nil {
		return err
	}
	if err := putTicket(in.b, desk.TicketNumber(e.Ticket), next); err != nil {
		return err
	}
	if err := in.relay(pathOf(next, e), func(peers []desk.SiteID) error { return sendEvent(in.b, peers, e) }); err != nil {
		return err
	}
	if err := sendAside(in.b, in.tree, e, in.peer); err != nil {
		return err
	}
	if err := notify(in.b, in.tree, desk.News{Event: e, Before: before, After: next, Time: in.at.Time}); err != nil {
		return err
	}
	return in.give(answers)
}

// answer is what the rules demand of this site once the ticket is as the record says, on this ticket and on those that
// follow it. before is the ticket as it was here, nil for unknown.
func (in *inbound) answer(before, record *deskpb.Record) (answers []*desk.Decision, err error) {
	if record == nil {
		return nil, nil
	}
	here, v := in.here, newView(in.b, in.tree)
	reaction, err := desk.React(here, v, record, in.at)
	if err != nil {
		return nil, err
	}
	if reaction != nil {
		answers, record, here.Sequence = append(answers, reaction), reaction.Record, reaction.LastSequence()
	}
	followed, err := desk.Follow(here, v, before, record, in.at)
	return append(answers, followed...), err
}

// give stores answers. They go to every neighbour on the path, the sender included.
func (in *inbound) give(answers []*desk.Decision) error {
	for _, answer := range answers {
		if err := record(in.b, in.tree, answer); err != nil {
			return err
		}
		in.here.Sequence = answer.LastSequence()
	}
	return nil
}

// pathOf is the ticket's path as its record has it, or as the event does where there is no record yet.
func pathOf(record *deskpb.Record, e desk.Sealed) []string {
	if record == nil {
		return e.Path
	}
	return record.Path
}

// putTicket stores what the events of a ticket come to; a nil record means that none of them opens it.
// Invariant: a ticket with a record is not noted as one without.
func putTicket(b *store.Batch, number desk.TicketNumber, record *deskpb.Record) error {
	before, err := b.Ticket(number)
	early := false
	if err == nil && before == nil {
		early, err = b.Unopened(number)
	}
	if err != nil {
		return err
	}
	if early != (record == nil) {
		if err := b.SetUnopened(number, record == nil); err != nil {
			return err
		}
	}
	if record == nil {
		return nil
	}
	return b.PutTicket(record)
}

// relay sends what came from the peer on to the other neighbours on the ticket's path.
func (in *inbound) relay(path []string, send func(peers []desk.SiteID) error) error {
	if desk.Broken(desk.Relay) {
		return nil
	}
	peers, err := in.tree.onward(path)
	if err != nil {
		return err
	}
	return send(slices.DeleteFunc(peers, func(peer desk.SiteID) bool { return peer == in.peer }))
}
