package desk

import (
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// hold stops the work for a reason. The policy says whether the reason needs a comment and whether the clocks stand still;
// for a reason that it does not know they do.
func (w *writer) hold(v *deskpb.Hold) error {
	if err := w.need(TicketHold); err != nil {
		return err
	}
	p, err := w.policy()
	if err != nil {
		return err
	}
	known := policy.HoldReason(p, v.GetReason())
	switch {
	case known == nil && p.GetClosing().GetClosedLists():
		return RefuseField("reason", "%q is no hold reason of the policy; use one of %s", v.GetReason(), names(p.GetHoldReasons()))
	case known.GetCommentRequired():
		if err := given("comment", v.GetComment()); err != nil {
			return err
		}
	}
	return w.custodial(&deskpb.Event{
		Type: deskpb.Event_HELD,
		Body: &deskpb.Body{Text: v.GetComment(), HoldReason: v.GetReason(), Pauses: known == nil || known.GetPauses()},
	})
}

// resumeAnswered ends a hold that waited for the requester, once there is a reply of the requester that is not older.
func (w *writer) resumeAnswered() error {
	t := w.ticket()
	if t.GetState() != deskpb.Ticket_ON_HOLD || w.record.GetAnswered() < w.record.GetHeldSince() {
		return nil
	}
	p, err := w.policy()
	if err != nil || !policy.HoldReason(p, t.GetHoldReason()).GetUntilReply() {
		return err
	}
	return w.custodial(&deskpb.Event{
		Type: deskpb.Event_RESUMED,
		Body: &deskpb.Body{Text: "报告人已答复: the requester answered", Automatic: true},
	})
}

// foldAnswered gives a ticket back the state that it had before a hold which nobody of the desk has ended.
func foldAnswered(r *deskpb.Record) {
	switch t := r.Ticket; {
	case t.GetAccepted():
		t.State = deskpb.Ticket_IN_PROGRESS
	case t.GetAssignee() != "" || t.GetGroup() != "":
		t.State = deskpb.Ticket_ASSIGNED
	default:
		t.State = deskpb.Ticket_NEW
	}
}

// sumPauses adds up how long the clocks stood still for a reason, once a hold is over.
func sumPauses(r *deskpb.Record, reason string) {
	var sum int64
	for _, pause := range r.GetPauses() {
		if pause.GetCounts() && pause.GetTo() != 0 && pause.GetReason() == reason {
			sum += pause.GetTo() - pause.GetFrom()
		}
	}
	if sum == 0 {
		return
	}
	if r.Ticket.Paused == nil {
		r.Ticket.Paused = map[string]int64{}
	}
	r.Ticket.Paused[reason] = sum / second
}
