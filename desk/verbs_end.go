package desk

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// resolve records the solution. The ticket is closed at its home: away from it, it goes there by itself.
func (w *writer) resolve(solution *deskpb.Resolution) error {
	if err := w.need(TicketResolve); err != nil {
		return err
	}
	if err := w.checkSolution(solution); err != nil {
		return err
	}
	if err := w.needTasksEnded(); err != nil {
		return err
	}
	if err := w.needChecklistDone(); err != nil {
		return err
	}
	if approved, err := w.approved(stepResolve); !approved || err != nil {
		return err
	}
	err := w.custodial(&deskpb.Event{
		Type: deskpb.Event_RESOLVED,
		Body: &deskpb.Body{Resolution: proto.CloneOf(solution)},
	})
	if err != nil {
		return err
	}
	return w.passHome()
}

// confirm closes the ticket because the requester is content.
func (w *writer) confirm(v *deskpb.Confirm) error {
	if err := w.need(TicketConfirm); err != nil {
		return err
	}
	if err := w.needReview(); err != nil {
		return err
	}
	return w.custodial(confirmed(v.GetSatisfaction()))
}

// close ends a resolved ticket without the requester's word. Away from its home it says why.
func (w *writer) close(v *deskpb.Close) error {
	if err := w.need(TicketClose); err != nil {
		return err
	}
	if !w.atHome() && strings.TrimSpace(v.GetComment()) == "" {
		return RefuseField("comment", "it is empty; say why ticket %s is closed away from its home %s", w.number(), w.ticket().GetHomeSite())
	}
	if err := w.needReview(); err != nil {
		return err
	}
	if approved, err := w.approved(stepClose); !approved || err != nil {
		return err
	}
	return w.custodial(&deskpb.Event{Type: deskpb.Event_CLOSED, Body: &deskpb.Body{Text: v.GetComment()}})
}

// reopen takes a resolved or closed ticket up again, where it is, before its reopen window is over.
func (w *writer) reopen(v *deskpb.Reopen) error {
	if err := w.need(TicketReopen); err != nil {
		return err
	}
	why, err := w.unreopenable()
	if err != nil {
		return err
	}
	if why != "" {
		return Refuse(FailedPrecondition, "NOT_REOPENED", "ticket %s is not reopened: %s", w.number(), why)
	}
	return w.custodial(reopened(v.GetReason()))
}

// cancel ends a ticket that needs no solution.
func (w *writer) cancel(v *deskpb.Cancel) error {
	if err := w.need(TicketCancel); err != nil {
		return err
	}
	return w.custodial(canceled(v.GetReason()))
}

func confirmed(satisfaction *deskpb.Satisfaction) *deskpb.Event {
	return &deskpb.Event{Type: deskpb.Event_CONFIRMED, Body: &deskpb.Body{Satisfaction: proto.CloneOf(satisfaction)}}
}

func reopened(reason string) *deskpb.Event {
	return &deskpb.Event{Type: deskpb.Event_REOPENED, Body: &deskpb.Body{Text: reason}}
}

func canceled(reason string) *deskpb.Event {
	return &deskpb.Event{Type: deskpb.Event_CANCELED, Body: &deskpb.Body{Text: reason}}
}
