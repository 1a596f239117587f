package desk

import (
	"cmp"
	"fmt"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func checkDecline(v *deskpb.Decline) error {
	return cmp.Or(given("reason", v.GetReason()), text("reason", v.GetReason()))
}

func checkTransfer(v *deskpb.Transfer) error {
	return cmp.Or(given("reason", v.GetReason()), checkAssign(&deskpb.Assign{Assignee: v.GetAssignee(), Group: v.GetGroup(), Reason: v.GetReason()}))
}

// assign gives the ticket to a person, a group, or both. Without a group the present one stays; a new group alone
// leaves the ticket without an assignee.
func (w *writer) assign(v *deskpb.Assign) error {
	if err := w.need(TicketAssign); err != nil {
		return err
	}
	assignee, group := w.heirs(v.GetAssignee(), v.GetGroup())
	return w.handTo(assignee, group, v.GetReason())
}

// heirs completes who a ticket is given to by who has it.
func (w *writer) heirs(assignee, group string) (string, string) {
	group = cmp.Or(group, w.ticket().GetGroup())
	if assignee == "" && group == w.ticket().GetGroup() {
		assignee = w.ticket().GetAssignee()
	}
	return assignee, group
}

func (w *writer) handTo(assignee, group, reason string) error {
	p, err := w.policy()
	if err != nil {
		return err
	}
	return w.custodial(&deskpb.Event{
		Type: deskpb.Event_ASSIGNED,
		Body: &deskpb.Body{Text: reason, Assignee: assignee, Group: group, AcceptLimit: w.acceptLimit(p, group, assignee, w.actor)},
	})
}

// transfer gives a ticket that somebody has to another person or group.
func (w *writer) transfer(v *deskpb.Transfer) error {
	if err := w.need(TicketTransfer); err != nil {
		return err
	}
	assignee, group := w.heirs(v.GetAssignee(), v.GetGroup())
	if t := w.ticket(); assignee == t.GetAssignee() && group == t.GetGroup() {
		return Refuse(FailedPrecondition, "SAME_ASSIGNEE", "ticket %s is with %s already; name somebody else or another group",
			w.number(), cmp.Or(assignee, group))
	}
	return w.handTo(assignee, group, v.GetReason())
}

// claim has the actor take the ticket up: from its group, from nobody, or as the assignee that it was given to.
func (w *writer) claim() error {
	if err := w.need(TicketClaim); err != nil {
		return err
	}
	switch t := w.ticket(); {
	case t.GetAssignee() != "" && t.GetAssignee() != w.actor:
		return Refuse(FailedPrecondition, "NOT_ASSIGNEE", "ticket %s is with %s; have it transferred to you", w.number(), t.GetAssignee())
	case t.GetAccepted():
		return Refuse(FailedPrecondition, "ALREADY_CLAIMED", "ticket %s is yours already; start the work", w.number())
	}
	return w.custodial(&deskpb.Event{Type: deskpb.Event_CLAIMED, Body: &deskpb.Body{Assignee: w.actor}})
}

// decline gives a ticket that is not begun back to its group, and the rules give it to the next one.
func (w *writer) decline(v *deskpb.Decline) error {
	if err := w.need(TicketDecline); err != nil {
		return err
	}
	t := w.ticket()
	if t.GetAssignee() != w.actor {
		return Refuse(FailedPrecondition, "NOT_ASSIGNEE", "ticket %s is with %s, and only that person declines it; transfer it instead",
			w.number(), cmp.Or(t.GetAssignee(), t.GetGroup()))
	}
	group := t.GetGroup()
	err := w.custodial(&deskpb.Event{
		Type: deskpb.Event_DECLINED,
		Body: &deskpb.Body{Text: v.GetReason(), Group: group},
	})
	if err != nil || group == "" {
		return err // the rules look at what has no group at the end of the decision
	}
	return w.passOn(fmt.Sprintf("%s declined: %s", w.actor, v.GetReason()))
}
