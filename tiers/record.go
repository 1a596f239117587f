package tiers

import (
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// Record stores a decision of this site, which was made as here says: events, record, request marks, counters, and the
// events into the outboxes of the links on the ticket's path. A decision without events, the answer to a repeated request,
// changes nothing. Every error is a fault.
func Record(b *store.Batch, here desk.Here, d *desk.Decision) error {
	if len(d.Events) == 0 {
		return nil
	}
	return record(b, tree{r: b.Reader, path: here.Path}, d)
}

// record is Record for a decision with events. What it changes on other tickets is stored behind it.
func record(b *store.Batch, t tree, d *desk.Decision) error {
	peers, err := t.onward(d.Record.Path)
	if err != nil {
		return err
	}
	for _, e := range d.Events {
		err := recordEvent(b, peers, e)
		if err == nil {
			err = sendAside(b, t, e, "")
		}
		if err != nil {
			return fmt.Errorf("record event %s of ticket %s: %w", desk.EventName(e.Id), e.Ticket, err)
		}
	}
	if err := putDecision(b, d); err != nil {
		return fmt.Errorf("record ticket %s: %w", d.Record.GetTicket().GetNumber(), err)
	}
	if err := countEvents(b, d.Events[len(d.Events)-1]); err != nil {
		return err
	}
	if err := notifyAll(b, t, d); err != nil {
		return err
	}
	for _, other := range d.Beside {
		if err := record(b, t, other); err != nil {
			return err
		}
	}
	return nil
}

// putDecision stores the ticket after a decision. Where events stand beside those that the decision was made on, because they
// came before the ticket was opened or miss what is before them, it is the union of all.
func putDecision(b *store.Batch, d *desk.Decision) (err error) {
	number := desk.TicketNumber(d.Record.GetTicket().GetNumber())
	opened, early := d.Events[0].Type == deskpb.Event_OPENED, false
	if opened {
		if early, err = b.Unopened(number); err != nil {
			return err
		}
	}
	switch {
	case early || d.Record.Detached > 0:
		events, err := b.Events(number)
		if err != nil {
			return err
		}
		if d.Record, err = desk.Union(events); err != nil {
			return err
		}
		return putTicket(b, number, d.Record)
	case opened:
		return b.AddTicket(d.Record)
	default:
		return b.PutTicket(d.Record)
	}
}

func recordEvent(b *store.Batch, peers []desk.SiteID, e desk.Sealed) error {
	if err := b.AddEvent(e); err != nil {
		return err
	}
	if e.Type == deskpb.Event_OPENED {
		number, err := desk.ParseNumber(desk.TicketNumber(e.Ticket))
		if err != nil {
			return err
		}
		if err := b.PutSequence(number.Day, number.Sequence); err != nil {
			return err
		}
	}
	if request := e.Request; request != nil {
		mark := &deskpb.RequestMark{Ticket: e.Ticket, BodyHash: request.BodyHash}
		if err := b.PutRequest(desk.UserID(e.Actor), request.Method, request.Id, mark); err != nil {
			return err
		}
	}
	return sendEvent(b, peers, e)
}

// countEvents notes the last event sequence that was given out in this incarnation.
func countEvents(b *store.Batch, last desk.Sealed) error {
	site, err := b.Site()
	if err != nil {
		return fmt.Errorf("read the site: %w", err)
	}
	site.EventSequence = max(site.EventSequence, last.Id.Sequence)
	if err := b.PutSite(site); err != nil {
		return fmt.Errorf("write the site: %w", err)
	}
	return nil
}
