package desk

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/tierdesk/tierdesk/desk/calendar"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

const (
	second = 1_000_000 // in microseconds
	day    = 86400 * second
)

// foresee adds to a custodial draft what the policy makes of it after the fact: when the ticket closes by itself, and when
// its requester is called back. Mirrors read both from the event.
func (w *writer) foresee(draft *deskpb.Event) error {
	switch draft.GetType() {
	case deskpb.Event_RESOLVED:
		return w.planClosing(draft, draft.GetTime())
	case deskpb.Event_ACCEPTED, deskpb.Event_RECLAIMED, deskpb.Event_REVIEWED:
		if w.ticket().GetState() == deskpb.Ticket_RESOLVED {
			return w.planClosing(draft, micros(w.ticket().GetResolveTime()))
		}
	case deskpb.Event_CONFIRMED, deskpb.Event_CLOSED:
		return w.planCallBack(draft)
	}
	return nil
}

// planClosing sets the time at which a ticket that was resolved closes by itself at its home, so many working days after
// the resolution. One that waits for a review or an approval does not.
func (w *writer) planClosing(draft *deskpb.Event, resolved int64) error {
	if !w.atHome() {
		return nil
	}
	p, err := w.policy()
	if err != nil {
		return err
	}
	closing, t := p.GetClosing(), w.ticket()
	reviewed := !closing.GetReviewMajor() || !t.GetMajor() || t.GetReview() != "" || draft.GetType() == deskpb.Event_REVIEWED
	if closing.GetAutoCloseDays() <= 0 || !reviewed || len(policy.Approvals(p, "close", t)) > 0 {
		return nil
	}
	draft.Body.AutoClose = workingDaysAfter(policy.Calendar(p, closing.GetCalendar()), resolved, closing.GetAutoCloseDays())
	return nil
}

// workingDaysAfter returns the same time of day so many working days later, all in microseconds since 1970; 0 when the
// calendar has too few within ten years.
func workingDaysAfter(c *deskpb.Calendar, from int64, days int32) int64 {
	const most = 3653
	begin := from / second
	first := calendar.DayOf(c, begin)
	intoDay := begin - calendar.At(c, first, 0)
	for d := first + 1; d <= first+most; d++ {
		midnight := calendar.At(c, d, 0)
		if calendar.Count(c, midnight, calendar.At(c, d, 1440)) == 0 {
			continue
		}
		if days--; days == 0 {
			return (midnight+intoDay)*second + from%second
		}
	}
	return 0
}

// nextClosing returns when the ticket closes by itself, 0 for never.
func nextClosing(r *deskpb.Record, site SiteID) int64 {
	t := r.GetTicket()
	waits := t.GetState() == deskpb.Ticket_RESOLVED && t.GetHandover().GetState() == deskpb.Handover_NONE
	if !waits || t.GetHomeSite() != string(site) || t.GetAutoCloseTime() == nil {
		return 0
	}
	return micros(t.GetAutoCloseTime())
}

// closeByItself ends a ticket that nobody took up again after it was resolved.
func (w *writer) closeByItself() error {
	resolved := spoken(w.ticket().GetResolveTime())
	return w.custodial(&deskpb.Event{
		Type: deskpb.Event_CLOSED,
		Body: &deskpb.Body{Text: fmt.Sprintf("自动办结: nobody objected since it was resolved at %s", resolved)},
	})
}

// planCallBack sets when the requester of a ticket that ends is called back: of major incidents, VIP customers and
// complaints always, of others as many of a hundred as the policy says, by the ticket's number. A round has no requester.
func (w *writer) planCallBack(draft *deskpb.Event) error {
	p, err := w.policy()
	if err != nil {
		return err
	}
	calls, t := p.GetCallBacks(), w.ticket()
	said := draft.GetBody().GetSatisfaction()
	if said == nil {
		said = t.GetSatisfaction()
	}
	always := t.GetMajor() || t.GetRequester().GetClass() == ClassVIP || complains(calls, said)
	if calls == nil || t.GetRound() != "" || !always && !sampled(t.GetNumber(), calls.GetPercent()) {
		return nil
	}
	draft.Body.CallBackDue = callDue(p, draft.GetTime())
	return nil
}

// complains tells whether a rating is a complaint.
func complains(calls *deskpb.CallBacks, said *deskpb.Satisfaction) bool {
	return said.GetScore() > 0 && said.GetScore() <= calls.GetDissatisfiedScore()
}

// sampled draws so many of a hundred numbers, the same ones everywhere.
func sampled(number string, percent int32) bool {
	sum := sha256.Sum256([]byte(number))
	return int32(binary.BigEndian.Uint32(sum[:])%100) < percent
}

// callDue returns when a call-back is due for which there is reason at a time; never a time before that.
func callDue(p *deskpb.Policy, from int64) int64 {
	calls := p.GetCallBacks()
	due, ok := calendar.Due(policy.Calendar(p, calls.GetCalendar()), from/second, max(1, calls.GetAfter()))
	if !ok {
		return from + calls.GetAfter()*second
	}
	return due*second + from%second
}

// inWorkingTime moves a time, in microseconds since 1970, to the beginning of the next working time unless it lies in one.
func inWorkingTime(c *deskpb.Calendar, at int64) int64 {
	if calendar.Working(c, at/second) {
		return at
	}
	next, ok := calendar.Due(c, at/second, 1)
	if !ok {
		return at
	}
	return (next - 1) * second
}

// foldForeseen copies what a custodial event says of the time after the fact. A ticket that is taken up again is neither
// closed by itself nor called back.
func foldForeseen(r *deskpb.Record, e *deskpb.Event) {
	t, b := r.Ticket, e.GetBody()
	if at := b.GetAutoClose(); at != 0 {
		t.AutoCloseTime = timestamp(at)
	}
	switch e.GetType() {
	case deskpb.Event_CONFIRMED, deskpb.Event_CLOSED:
		t.AutoCloseTime = nil
		foldRated(r, e)
		planned(r, e.GetTime(), b.GetCallBackDue())
	case deskpb.Event_REOPENED:
		t.AutoCloseTime = nil
		planned(r, e.GetTime(), 0)
	case deskpb.Event_CANCELED, deskpb.Event_MERGED:
		t.AutoCloseTime = nil
	}
}

// policy returns the site's policy.
func (w *writer) policy() (*deskpb.Policy, error) {
	p, err := w.view.Policy()
	if err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	return p, nil
}
