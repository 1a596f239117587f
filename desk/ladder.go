package desk

import (
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// The ladder of hierarchic escalation tells people of a ticket; it never moves custody. Its state is in the record:
// LadderLevel is the rung that people are on, from 1, and 0 before the first; Reminders is how often that rung was told;
// RemindTime is when somebody is told next. A later rung begins when the one below has ended, or at once when the resolution
// clock passes its mark.

// never ends the reminders, as Body.remind_time says it.
const never = -1

// shortestPause is the least time between two reminders, in seconds, whatever the policy says.
const shortestPause = 60

// remindLater completes a custodial draft with when people are told next. The ladder begins at its foot whenever the ticket comes to
// people who have to take it up, and rests while somebody works on it. It goes up when the resolution clock passes the
// mark of a higher rung.
func (w *writer) remindLater(draft *deskpb.Event) error {
	begins, rests := w.begins(draft), false
	switch draft.GetType() {
	case deskpb.Event_CLOCK_PASSED:
		return w.climbTo(draft)
	case deskpb.Event_REMINDED:
		return nil
	case deskpb.Event_STARTED, deskpb.Event_CLAIMED, deskpb.Event_RESUMED, deskpb.Event_HELD, deskpb.Event_RESOLVED,
		deskpb.Event_CONFIRMED, deskpb.Event_CLOSED, deskpb.Event_CANCELED, deskpb.Event_MERGED, deskpb.Event_DISPATCHED:
		rests = true
	case deskpb.Event_RETURN_QUEUED:
		rests = isOpen(w.ticket().GetState())
	}
	if !begins && !rests {
		return nil
	}
	next := int64(never)
	if begins {
		ticket := w.ticket()
		if draft.GetType() == deskpb.Event_OPENED {
			ticket = draft.GetBody().GetOpened().GetTicket()
		}
		ladder, err := w.ladder(ticket)
		if err != nil {
			return err
		}
		if rungs := ladder.GetRungs(); len(rungs) > 0 && rungs[0].GetMark() == 0 {
			next = draft.GetTime() + pause(rungs[0])
		}
	}
	if next == never && w.record.GetRemindTime() == 0 && w.ticket().GetLadderLevel() == 0 {
		return nil
	}
	if draft.Body == nil {
		draft.Body = &deskpb.Body{}
	}
	draft.Body.RemindTime = next
	return nil
}

// begins tells whether the ticket has to be taken up by somebody after the draft who need not, or could not, before.
func (w *writer) begins(draft *deskpb.Event) bool {
	t, body := w.ticket(), draft.GetBody()
	rested := w.record.GetRemindTime() == 0
	waits := t.GetState() == deskpb.Ticket_NEW || t.GetState() == deskpb.Ticket_ASSIGNED && !t.GetAccepted()
	switch draft.GetType() {
	case deskpb.Event_OPENED:
		return !body.GetOpened().GetTicket().GetAccepted()
	case deskpb.Event_ESCALATED, deskpb.Event_RETURNED, deskpb.Event_ACCEPTED:
		return isOpen(t.GetState())
	case deskpb.Event_RECLAIMED:
		own := t.GetCustodianSite() == string(w.here.Site)
		return isOpen(t.GetState()) && (!own || waits && rested)
	case deskpb.Event_REOPENED:
		return t.GetAssignee() == ""
	case deskpb.Event_WITHDRAWN, deskpb.Event_REFUSED:
		return waits && rested
	case deskpb.Event_ASSIGNED:
		return t.GetState() != deskpb.Ticket_ON_HOLD && (rested || body.GetGroup() != t.GetGroup())
	case deskpb.Event_DECLINED:
		return rested
	}
	return false
}

// climbTo completes the draft of a clock that passed a mark with the highest rung that waited for it.
func (w *writer) climbTo(draft *deskpb.Event) error {
	ladder, err := w.ladder(w.ticket())
	if err != nil {
		return err
	}
	for _, clock := range draft.GetBody().GetClocks() {
		if clock.GetMetric() != deskpb.Sla_RESOLUTION {
			continue
		}
		passed := w.mark(clock)
		for i, rung := range ladder.GetRungs() {
			level := uint32(i + 1)
			if rung.GetMark() > passed && rung.GetMark() <= clock.GetMark() && level > w.ticket().GetLadderLevel() {
				draft.Body.Level, draft.Body.RemindTime = level, w.at.Time
			}
		}
	}
	return nil
}

// mark returns the highest mark that the same clock of the ticket has passed.
func (w *writer) mark(clock *deskpb.Sla) int32 {
	for _, known := range w.ticket().GetSla() {
		if known.GetMetric() == clock.GetMetric() && known.GetTier() == clock.GetTier() && known.GetSite() == clock.GetSite() {
			return known.GetMark()
		}
	}
	return 0
}

// foldWaiting keeps what an event says of when people are told next. A ticket that need not be taken up has no limit for that.
func foldWaiting(r *deskpb.Record, e *deskpb.Event) {
	t, b := r.Ticket, e.GetBody()
	if t.State != deskpb.Ticket_ASSIGNED || t.Accepted {
		t.AcceptTimeLimit = nil
	}
	if b.GetRemindTime() == 0 {
		return
	}
	r.RemindTime = max(b.GetRemindTime(), 0)
	switch kind := e.GetType(); {
	case kind != deskpb.Event_REMINDED && kind != deskpb.Event_CLOCK_PASSED:
		t.LadderLevel, r.Reminders = 0, 0
	case b.GetLevel() != t.LadderLevel:
		t.LadderLevel, r.Reminders = b.GetLevel(), 0
	}
	if e.GetType() == deskpb.Event_REMINDED {
		r.Reminders++
	}
}

// ladder returns the ladder of the policy that fits the ticket, nil for none.
func (w *writer) ladder(t *deskpb.Ticket) (*deskpb.Ladder, error) {
	p, err := w.policy()
	if err != nil {
		return nil, err
	}
	return policy.Ladder(p, t), nil
}

// pause returns the time before a rung is told, first or again, in microseconds.
func pause(rung *deskpb.Rung) int64 { return max(rung.GetEvery(), shortestPause) * second }

func nextReminder(r *deskpb.Record, _ SiteID) int64 { return r.GetRemindTime() }

// remind tells whom the ladder names now, or the next ones above when there is nobody, and says when it goes on.
func (w *writer) remind() error {
	ladder, err := w.ladder(w.ticket())
	if err != nil {
		return err
	}
	rungs := ladder.GetRungs()
	for level := w.rung(rungs); level > 0; level = followed(rungs, level) {
		told, err := w.hearers().rung(rungs[level-1])
		if err != nil {
			return err
		}
		if told.none() {
			continue
		}
		times := uint32(1)
		if level == w.ticket().GetLadderLevel() {
			times += w.record.GetReminders()
		}
		next := int64(never)
		if times < rungs[level-1].GetTimes() {
			next = w.at.Time + pause(rungs[level-1])
		} else if above := followed(rungs, level); above > 0 {
			next = w.at.Time + pause(rungs[above-1])
		}
		return w.tell(told, level, next, w.waitingFor())
	}
	return w.tell(audience{}, w.ticket().GetLadderLevel(), never, "nobody is left to be told")
}

// rung returns the level to tell now, 0 for none: the present one until it was told often enough, then the one behind it.
func (w *writer) rung(rungs []*deskpb.Rung) uint32 {
	level := w.ticket().GetLadderLevel()
	if level > 0 && int(level) <= len(rungs) && w.record.GetReminders() < max(rungs[level-1].GetTimes(), 1) {
		return level
	}
	return followed(rungs, level)
}

// followed returns the level that begins when one has ended, 0 for none.
func followed(rungs []*deskpb.Rung, level uint32) uint32 {
	if int(level) >= len(rungs) || rungs[level].GetMark() != 0 {
		return 0
	}
	return level + 1
}

// waitingFor says what people are reminded of.
func (w *writer) waitingFor() string {
	if t := w.ticket(); t.GetState() == deskpb.Ticket_NEW || t.GetState() == deskpb.Ticket_ASSIGNED && !t.GetAccepted() {
		return "nobody has taken the ticket up"
	}
	return "the ticket is not solved"
}

// tell writes that people were told. remind is when somebody is told next: 0 leaves that as it is.
func (w *writer) tell(told audience, level uint32, remind int64, why string) error {
	return w.byItself(&deskpb.Event{
		Type: deskpb.Event_REMINDED,
		To:   told.site,
		Body: &deskpb.Body{Text: why, Told: told.people, Level: level, RemindTime: remind},
	})
}

// tellManager tells the manager of a group, or the incident managers where it has none.
func (w *writer) tellManager(p *deskpb.Policy, group, why string) error {
	told, err := w.hearers().rung(&deskpb.Rung{Who: deskpb.Rung_GROUP_MANAGER})
	if err == nil && told.none() {
		told, err = w.hearers().rung(&deskpb.Rung{Who: deskpb.Rung_INCIDENT_MANAGER})
	}
	if err != nil || told.none() {
		return err
	}
	return w.tell(told, w.ticket().GetLadderLevel(), 0, why)
}
