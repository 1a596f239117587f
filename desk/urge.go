package desk

import "github.com/tierdesk/tierdesk/desk/deskpb"

// urge asks whoever works on the ticket to hurry. Any site of the path may, but not again before the policy's cool-down
// has passed since the last urge that is known here.
func (w *writer) urge(v *deskpb.Urge) error {
	p, err := w.policy()
	if err != nil {
		return err
	}
	rules, t := p.GetUrging(), w.ticket()
	if t.GetState() == deskpb.Ticket_CLOSED || t.GetState() == deskpb.Ticket_CANCELED {
		return Refuse(FailedPrecondition, "WRONG_STATE", "ticket %s is %s; nobody works on it any more, reopen it or open another one",
			w.number(), t.GetState())
	}
	if rules.GetRefuseOnHold() && t.GetState() == deskpb.Ticket_ON_HOLD {
		return Refuse(FailedPrecondition, "ON_HOLD", "ticket %s is on hold: %s; urge it when the work goes on", w.number(), t.GetHoldReason())
	}
	if again, soon := urgedLately(p, w.record, w.at.Time); soon {
		return Refuse(FailedPrecondition, "URGED_LATELY", "ticket %s was urged at %s; it may be urged again from %s on",
			w.number(), spoken(timestamp(w.record.GetUrged())), spoken(timestamp(again)))
	}
	body := &deskpb.Body{Text: v.GetReason()}
	if every := rules.GetClimbEvery(); every > 0 && (t.GetUrgeCount()+1)%every == 0 {
		body.Level = t.GetLadderLevel() + (t.GetUrgeCount()+1)/every
	}
	if w.holds() {
		told, err := w.hearers().hurried(body.Level)
		if err != nil {
			return err
		}
		body.Told = told.people
	}
	return w.remark(&deskpb.Event{Type: deskpb.Event_URGED, Visibility: deskpb.Event_EVERYONE, Body: body})
}

// urgedLately returns from when on a ticket may be urged again, and whether a time, in microseconds since 1970 too, is before that.
func urgedLately(p *deskpb.Policy, r *deskpb.Record, at int64) (again int64, soon bool) {
	pause := p.GetUrging().GetCoolDown() * second
	again = r.GetUrged() + pause
	return again, pause > 0 && r.GetUrged() != 0 && at < again
}

func foldUrged(r *deskpb.Record, e *deskpb.Event) {
	r.Ticket.UrgeCount++
	r.Urged = max(r.GetUrged(), e.GetTime())
}
