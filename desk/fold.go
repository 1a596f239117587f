package desk

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

var (
	// ErrUnfit means that an event does not follow the record: a custodial event on another head or below the known
	// custody, or any event of a ticket that was not opened yet.
	ErrUnfit = errors.New("the event does not follow the record")
	// ErrUnknown means that the event is of a type or schema that this version does not know. It can be kept and relayed.
	ErrUnknown = errors.New("the event needs a later version")
)

const etagBytes = 8

// Fold applies one event to a record and returns the record after it; the argument stays as it was. record is nil for
// OPENED only. It reads nothing but the record and the event, so every site of the path comes to the same record.
//
// Custodial events are folded in their one order; remarks commute with each other and with custodial events. The caller
// folds each event once. It returns ErrUnfit or ErrUnknown, wrapped.
func Fold(record *deskpb.Record, event Sealed) (*deskpb.Record, error) {
	if event.GetSchema() > Schema || classOf(event.GetType()) == deskpb.Event_CLASS_UNSPECIFIED {
		return nil, fmt.Errorf("fold %s %s of ticket %s, schema %d: %w",
			event.GetType(), EventName(event.GetId()), event.GetTicket(), event.GetSchema(), ErrUnknown)
	}
	next, err := follow(record, event)
	if err != nil {
		return nil, err
	}
	if event.GetClass() == deskpb.Event_CUSTODIAL {
		foldCustodial(next, event)
	} else {
		foldRemark(next, event)
	}
	next.LastTime = max(next.LastTime, event.GetTime())
	next.Ticket.UpdateTime = timestamp(next.LastTime)
	return next, nil
}

// follow returns a copy of the record that the event may be folded onto.
func follow(record *deskpb.Record, event Sealed) (*deskpb.Record, error) {
	if record != nil && record.GetTicket().GetNumber() != event.GetTicket() {
		return nil, fmt.Errorf("fold %s of ticket %s onto ticket %s: %w",
			EventName(event.GetId()), event.GetTicket(), record.GetTicket().GetNumber(), ErrUnfit)
	}
	if event.GetClass() == deskpb.Event_CUSTODIAL {
		if event.GetIndex() != record.GetLength()+1 || !bytes.Equal(event.GetPrevious(), record.GetHead()) {
			return nil, fmt.Errorf("fold %s of ticket %s: it is custodial event %d after %x, the record stands at %d with %x: %w",
				EventName(event.GetId()), event.GetTicket(), event.GetIndex(), event.GetPrevious(),
				record.GetLength(), record.GetHead(), ErrUnfit)
		}
		if lower(event, record) {
			return nil, fmt.Errorf("fold %s of ticket %s: its custody (%d, %d) is below the known (%d, %d): %w",
				EventName(event.GetId()), event.GetTicket(), event.GetCustodyTerm(), event.GetReclaim(),
				record.GetTicket().GetCustodyTerm(), record.GetReclaim(), ErrUnfit)
		}
	}
	if event.GetType() == deskpb.Event_OPENED {
		return &deskpb.Record{Ticket: proto.CloneOf(event.GetBody().GetOpened().GetTicket())}, nil
	}
	if record == nil {
		return nil, fmt.Errorf("fold %s: ticket %s was not opened yet: %w", EventName(event.GetId()), event.GetTicket(), ErrUnfit)
	}
	return proto.CloneOf(record), nil
}

// lower tells whether the event's custody (term, reclaim) is below the record's.
func lower(event Sealed, record *deskpb.Record) bool {
	known := record.GetTicket().GetCustodyTerm()
	return event.GetCustodyTerm() < known || event.GetCustodyTerm() == known && event.GetReclaim() < record.GetReclaim()
}

func foldCustodial(r *deskpb.Record, event Sealed) {
	change(r, event.Event)
	r.Path = slices.Clone(event.GetPath())
	r.Reclaim = event.GetReclaim()
	r.Head = Hash(event.Raw)
	r.Length = event.GetIndex()
	r.HeadTime = event.GetTime()
	r.Ticket.CustodyTerm = event.GetCustodyTerm()
	r.Ticket.Etag = hex.EncodeToString(r.Head[:etagBytes])
}

// change does to the ticket what the event's type says.
func change(r *deskpb.Record, e *deskpb.Event) {
	switch e.GetType() {
	case deskpb.Event_OPENED:
		foldOpened(r, e)
	case deskpb.Event_ASSIGNED:
		foldAssigned(r, e)
	case deskpb.Event_STARTED, deskpb.Event_RESUMED:
		foldStarted(r, e)
	case deskpb.Event_HELD:
		r.Ticket.State = deskpb.Ticket_ON_HOLD
		r.Ticket.HoldReason = e.GetBody().GetHoldReason()
		beginHold(r, e.GetTime())
	case deskpb.Event_ESCALATION_QUEUED, deskpb.Event_RETURN_QUEUED:
		foldQueued(r, e)
	case deskpb.Event_WITHDRAWN:
		dropHandover(r)
	case deskpb.Event_ESCALATED:
		foldEscalated(r, e, e.GetId().GetSite())
	case deskpb.Event_RETURNED:
		foldReturned(r, e)
	case deskpb.Event_DISPATCHED:
		foldDispatched(r, e)
	case deskpb.Event_ACCEPTED:
		foldAccepted(r, e)
	case deskpb.Event_REFUSED:
		r.Ticket.CustodianSite = r.FromSite
		dropHandover(r)
	case deskpb.Event_RESOLVED:
		foldResolved(r, e)
	case deskpb.Event_CONFIRMED, deskpb.Event_CLOSED:
		foldClosed(r, e)
	case deskpb.Event_REOPENED:
		foldReopened(r, e)
	case deskpb.Event_CANCELED:
		foldCanceled(r, e)
	case deskpb.Event_WISH_SETTLED:
		foldSettled(r, e)
	}
}

func foldOpened(r *deskpb.Record, e *deskpb.Event) {
	r.Ticket.HomeSite = e.GetId().GetSite()
	r.Ticket.CustodianSite = e.GetId().GetSite()
	dropHandover(r)
}

// foldAssigned counts a reassignment when somebody had the ticket before and somebody else has it now.
func foldAssigned(r *deskpb.Record, e *deskpb.Event) {
	t, b := r.Ticket, e.GetBody()
	had := t.Assignee != "" || t.Group != ""
	if had && (t.Assignee != b.GetAssignee() || t.Group != b.GetGroup()) {
		t.ReassignmentCount++
	}
	t.Assignee, t.Group = b.GetAssignee(), b.GetGroup()
	if t.State != deskpb.Ticket_ON_HOLD {
		t.State = deskpb.Ticket_ASSIGNED
	}
}

func foldStarted(r *deskpb.Record, e *deskpb.Event) {
	endHold(r, e.GetTime())
	r.Ticket.State = deskpb.Ticket_IN_PROGRESS
	if taker := e.GetBody().GetAssignee(); taker != "" {
		r.Ticket.Assignee = taker
	}
	respond(r.Ticket, e.GetTime())
}

// respond notes the first answer and ends the response clock.
func respond(t *deskpb.Ticket, at int64) {
	if t.RespondTime == nil {
		t.RespondTime = timestamp(at)
	}
	stopClock(t, deskpb.Sla_RESPONSE, at)
}

func foldResolved(r *deskpb.Record, e *deskpb.Event) {
	t := r.Ticket
	endHold(r, e.GetTime())
	dropHandover(r)
	t.State = deskpb.Ticket_RESOLVED
	t.ResolveTime = timestamp(e.GetTime())
	t.Resolution = proto.CloneOf(e.GetBody().GetResolution())
	respond(t, e.GetTime())
	stopClock(t, deskpb.Sla_RESOLUTION, e.GetTime())
	rest(r, e.GetId().GetSite())
}

// foldClosed is for CONFIRMED and CLOSED; only the former carries the requester's satisfaction.
func foldClosed(r *deskpb.Record, e *deskpb.Event) {
	dropHandover(r)
	r.Ticket.State = deskpb.Ticket_CLOSED
	r.Ticket.CloseTime = timestamp(e.GetTime())
	if satisfaction := e.GetBody().GetSatisfaction(); satisfaction != nil {
		r.Ticket.Satisfaction = proto.CloneOf(satisfaction)
	}
}

func foldReopened(r *deskpb.Record, e *deskpb.Event) {
	t := r.Ticket
	dropHandover(r)
	t.State = deskpb.Ticket_NEW
	if t.Assignee != "" {
		t.State = deskpb.Ticket_IN_PROGRESS
	}
	t.ReopenCount++
	t.ResolveTime, t.CloseTime, t.Resolution = nil, nil, nil
	rerunClock(t, deskpb.Sla_RESOLUTION)
}

func foldCanceled(r *deskpb.Record, e *deskpb.Event) {
	endHold(r, e.GetTime())
	dropHandover(r)
	r.Ticket.State = deskpb.Ticket_CANCELED
	r.Ticket.CloseTime = timestamp(e.GetTime())
	stopClock(r.Ticket, deskpb.Sla_RESPONSE, e.GetTime())
	stopClock(r.Ticket, deskpb.Sla_RESOLUTION, e.GetTime())
}
