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
	// ErrUnfit means that an event does not follow the record: a custodial event on another head or by a site that had no
	// right to decide it, or any event of a ticket that was not opened yet.
	ErrUnfit = errors.New("the event does not follow the record")
	// ErrUnknown means that the event is of a type or schema that this version does not know. It can be kept and relayed.
	ErrUnknown = errors.New("the event needs a later version")
)

const etagBytes = 8

// Fold applies one event to a record and returns the record after it; the argument stays as it was. record is nil for
// OPENED only. It reads nothing but the record and the event, so every site of the path comes to the same record.
//
// Custodial events are folded in their one order, each by an author that had the right to decide it; remarks commute with
// each other and with custodial events. The caller folds each event once, and an event of another site only where Follows
// allows it. It returns ErrUnfit or ErrUnknown, wrapped.
func Fold(record *deskpb.Record, event Sealed) (*deskpb.Record, error) {
	return fold(record, event, Hash(event.Raw))
}

// fold is Fold for a caller that knows the hash of the event's bytes.
func fold(record *deskpb.Record, event Sealed, hash []byte) (*deskpb.Record, error) {
	if err := foldable(event); err != nil {
		return nil, err
	}
	next, err := follow(record, event)
	if err != nil {
		return nil, err
	}
	if event.GetClass() == deskpb.Event_CUSTODIAL {
		change(next, event.Event)
	}
	complete(next, event, hash)
	return next, nil
}

// complete does what an event does beside what change does for a custodial one: its clocks, its place, and whatever a remark does.
func complete(r *deskpb.Record, event Sealed, hash []byte) {
	if event.GetClass() == deskpb.Event_CUSTODIAL {
		foldCustodial(r, event, hash)
	} else {
		foldRemark(r, event)
	}
	include(r, event, hash)
}

// foldable returns ErrUnknown for an event of a type or schema that this version does not know.
func foldable(event Sealed) error {
	if event.GetSchema() > Schema || classOf(event.GetType()) == deskpb.Event_CLASS_UNSPECIFIED {
		return fmt.Errorf("fold %s %s of ticket %s, schema %d: %w",
			event.GetType(), EventName(event.GetId()), event.GetTicket(), event.GetSchema(), ErrUnknown)
	}
	return nil
}

// follow returns a copy of the record that the event may be folded onto.
func follow(record *deskpb.Record, event Sealed) (*deskpb.Record, error) {
	if record != nil && record.GetTicket().GetNumber() != event.GetTicket() {
		return nil, unfit(event, "it is not of ticket %s", record.GetTicket().GetNumber())
	}
	if event.GetClass() == deskpb.Event_CUSTODIAL {
		if !onHead(record, event) {
			return nil, unfit(event, "it is custodial event %d after %x, the record stands at %d with %x",
				event.GetIndex(), event.GetPrevious(), record.GetLength(), record.GetHead())
		}
		if objection := Authority(record, event); objection != "" {
			return nil, unfit(event, "%s", objection)
		}
	}
	switch {
	case event.GetType() == deskpb.Event_OPENED:
		return &deskpb.Record{Ticket: proto.CloneOf(event.GetBody().GetOpened().GetTicket())}, nil
	case record == nil:
		return nil, unfit(event, "the ticket was not opened yet")
	}
	return proto.CloneOf(record), nil
}

// onHead tells whether a custodial event is the next one after the record's head; a missing record has none.
func onHead(record *deskpb.Record, event Sealed) bool {
	return Broken(HeadCheck) || event.GetIndex() == record.GetLength()+1 && bytes.Equal(event.GetPrevious(), record.GetHead())
}

// unfit says why an event does not follow.
func unfit(event Sealed, format string, args ...any) error {
	return fmt.Errorf("fold %s of ticket %s: %s: %w", EventName(event.GetId()), event.GetTicket(), fmt.Sprintf(format, args...), ErrUnfit)
}

// include counts an event among those that make the record and keeps whom it names, whatever else it does to the ticket.
func include(r *deskpb.Record, event Sealed, hash []byte) {
	r.Events++
	if len(r.Sum) != hashSize {
		r.Sum = make([]byte, hashSize)
	}
	addHash(r.Sum, hash)
	r.LastTime = max(r.GetLastTime(), event.GetTime())
	r.Ticket.UpdateTime = timestamp(r.LastTime)
	foldNames(r, event.Event)
}

// addHash adds a hash to a sum of hashes in place, little-endian and modulo 2^128.
func addHash(sum, hash []byte) {
	carry := 0
	for i := range sum {
		carry += int(sum[i]) + int(hash[i])
		sum[i] = byte(carry)
		carry >>= 8
	}
}

func foldCustodial(r *deskpb.Record, event Sealed, hash []byte) {
	foldClocks(r, event.GetBody().GetClocks())
	informUpdate(r)
	foldForeseen(r, event.Event)
	foldWaiting(r, event.Event)
	r.Path = slices.Clone(event.GetPath())
	if r.Reclaim = event.GetReclaim(); r.Reclaim == 0 {
		r.ReclaimedFrom = ""
	}
	r.Head = hash
	r.Length = event.GetIndex()
	r.HeadTime = event.GetTime()
	r.Ticket.CustodyTerm = event.GetCustodyTerm()
	r.Ticket.Etag = hex.EncodeToString(r.Head[:etagBytes])
}

// change does to the ticket what the event's type says, and notes its phase and the highest line that had it.
func change(r *deskpb.Record, e *deskpb.Event) {
	changeState(r, e)
	r.HighestLine = max(r.GetHighestLine(), r.GetTicket().GetLine())
	foldPhase(r, e)
}

// changeState does to the ticket what the event's type says.
func changeState(r *deskpb.Record, e *deskpb.Event) {
	switch e.GetType() {
	case deskpb.Event_OPENED:
		foldOpened(r, e)
	case deskpb.Event_ASSIGNED:
		foldAssigned(r, e)
	case deskpb.Event_STARTED, deskpb.Event_RESUMED:
		foldStarted(r, e)
	case deskpb.Event_HELD:
		foldHeld(r, e)
	case deskpb.Event_ESCALATION_QUEUED, deskpb.Event_RETURN_QUEUED, deskpb.Event_RELOCATION_QUEUED:
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
	case deskpb.Event_RECLAIMED:
		foldReclaimed(r, e)
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
	default:
		changeBeside(r, e)
	}
}

// changeBeside does what an event says that concerns how the work is organised.
func changeBeside(r *deskpb.Record, e *deskpb.Event) {
	switch e.GetType() {
	case deskpb.Event_CLASSIFIED:
		foldClassified(r, e)
	case deskpb.Event_CLAIMED:
		foldClaimed(r, e)
	case deskpb.Event_DECLINED:
		foldDeclined(r, e)
	case deskpb.Event_TASK_ADDED, deskpb.Event_TASK_CHANGED:
		foldTask(r, e)
	case deskpb.Event_ARRIVED:
		foldArrived(r, e)
	case deskpb.Event_RESPONDED:
		respond(r.Ticket, e.GetTime())
	case deskpb.Event_CHECKED:
		foldChecked(r, e)
	case deskpb.Event_REVIEWED:
		r.Ticket.Review = e.GetBody().GetText()
	case deskpb.Event_MERGED:
		foldMerged(r, e)
	}
}

func foldOpened(r *deskpb.Record, e *deskpb.Event) {
	r.Ticket.HomeSite = e.GetId().GetSite()
	r.Ticket.CustodianSite = e.GetId().GetSite()
	r.Ticket.People = nil
	dropHandover(r)
}

func foldStarted(r *deskpb.Record, e *deskpb.Event) {
	endHold(r, e.GetTime())
	if e.GetBody().GetAutomatic() {
		foldAnswered(r)
		return
	}
	r.Ticket.State = deskpb.Ticket_IN_PROGRESS
	if taker := e.GetBody().GetAssignee(); taker != "" {
		r.Ticket.Assignee = taker
	}
	takeUp(r)
	respond(r.Ticket, e.GetTime())
}

// respond notes the first answer.
func respond(t *deskpb.Ticket, at int64) {
	if t.RespondTime == nil {
		t.RespondTime = timestamp(at)
	}
}

func foldResolved(r *deskpb.Record, e *deskpb.Event) {
	t := r.Ticket
	endHold(r, e.GetTime())
	dropHandover(r)
	t.State = deskpb.Ticket_RESOLVED
	t.ResolveTime = timestamp(e.GetTime())
	t.Resolution = proto.CloneOf(e.GetBody().GetResolution())
	respond(t, e.GetTime())
	rest(r, e.GetId().GetSite())
}

// foldClosed is for CONFIRMED and CLOSED.
func foldClosed(r *deskpb.Record, e *deskpb.Event) {
	dropHandover(r)
	r.Ticket.State = deskpb.Ticket_CLOSED
	r.Ticket.CloseTime = timestamp(e.GetTime())
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
}

func foldCanceled(r *deskpb.Record, e *deskpb.Event) {
	endHold(r, e.GetTime())
	dropHandover(r)
	r.Ticket.State = deskpb.Ticket_CANCELED
	r.Ticket.CloseTime = timestamp(e.GetTime())
}
