package desk

import (
	"cmp"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

func checkCallBack(v *deskpb.RecordCallBack) error {
	if err := checkOutcome("outcome", v.GetOutcome(), v.GetSatisfaction()); err != nil {
		return err
	}
	return text("comment", v.GetComment())
}

// checkOutcome refuses an outcome of a call-back that is none, and a rating by somebody who was not reached.
func checkOutcome(field string, outcome deskpb.CallBack_Outcome, said *deskpb.Satisfaction) error {
	if _, known := deskpb.CallBack_Outcome_name[int32(outcome)]; !known || outcome == deskpb.CallBack_OUTCOME_UNSPECIFIED {
		return RefuseField(field, "%d is unknown; use CONTENT, DISSATISFIED or NOT_REACHED", outcome)
	}
	if said == nil {
		return nil
	}
	if outcome == deskpb.CallBack_NOT_REACHED {
		return RefuseField("satisfaction", "nobody was reached who could have said so; leave it out")
	}
	return checkSatisfaction(said)
}

func checkRating(v *deskpb.Rate) error { return checkSatisfaction(v.GetSatisfaction()) }

func checkSatisfaction(s *deskpb.Satisfaction) error {
	if s.GetScore() == 0 {
		return RefuseField("satisfaction.score", "it is missing; give 1 (bad) to 5 (good)")
	}
	return cmp.Or(between("satisfaction.score", s.GetScore(), 1, 5), text("satisfaction.comment", s.GetComment()))
}

// callBack records how a call-back went. Who was not reached is called again a day later, as often as the policy says. Who
// is not content has the ticket taken up again.
func (w *writer) callBack(v *deskpb.RecordCallBack) error {
	if err := w.needSolved(TicketCallBack); err != nil {
		return err
	}
	p, err := w.policy()
	if err != nil {
		return err
	}
	call := &deskpb.CallBack{
		Outcome: v.GetOutcome(), Comment: v.GetComment(), Attempts: w.ticket().GetCallBack().GetAttempts() + 1, Done: true,
	}
	if v.GetOutcome() == deskpb.CallBack_NOT_REACHED && call.Attempts < p.GetCallBacks().GetAttempts() {
		again := inWorkingTime(policy.Calendar(p, p.GetCallBacks().GetCalendar()), w.at.Time+day)
		call.Done, call.DueTime = false, timestamp(again)
	}
	err = w.remark(&deskpb.Event{
		Type:       deskpb.Event_CALLED_BACK,
		Visibility: deskpb.Event_AGENTS,
		Body:       &deskpb.Body{CallBack: call, Satisfaction: proto.CloneOf(v.GetSatisfaction())},
	})
	if err != nil {
		return err
	}
	if v.GetOutcome() == deskpb.CallBack_DISSATISFIED || complains(p.GetCallBacks(), v.GetSatisfaction()) {
		return w.takeUpAgain(cmp.Or(v.GetComment(), v.GetSatisfaction().GetComment(), "回访不满意: the requester is not content"))
	}
	return nil
}

// needSolved refuses a verb about how a ticket ended unless it was solved itself. One that was merged ends with another one, whose
// own requester speaks of that.
func (w *writer) needSolved(verb Verb) error {
	if into := w.ticket().GetMergedInto(); into != "" {
		return Refuse(FailedPrecondition, "MERGED", "ticket %s was merged into %s; %s is for that one, once it is solved", w.number(), into, verb.name())
	}
	return w.need(verb)
}

// takeUpAgain reopens the ticket where it is decided here, and asks its custodian to elsewhere. One that is not reopened any
// more stays as it is: what was said stands in it.
func (w *writer) takeUpAgain(why string) error {
	if ended, err := w.unreopenable(); ended != "" || err != nil {
		return err
	}
	decides, err := w.decidesHere()
	if err != nil {
		return err
	}
	verb := &deskpb.Reopen{Reason: why}
	if !decides {
		return w.wish(wishOf(&deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reopen{Reopen: verb}}))
	}
	return w.reopen(verb)
}

// decidesHere tells whether this site may write custodial events of the ticket now.
func (w *writer) decidesHere() (bool, error) {
	if !w.holds() {
		return false, nil
	}
	settled, err := w.settled()
	return settled || w.overridden(), err
}

// rate records what the requester thinks of the service: in the requester's own words when signed in or by the survey's link,
// else as the desk was told. It may be changed for as long as the policy says, counted from the first rating or, when the ticket was
// resolved anew since, from then; each resolution may be rated once in any case. A complaint is called back.
func (w *writer) rate(said *deskpb.Satisfaction) error {
	if err := w.needSolved(TicketRate); err != nil {
		return err
	}
	p, err := w.policy()
	if err != nil {
		return err
	}
	rated, resolved := w.record.GetRated(), micros(w.ticket().GetResolveTime())
	until := max(rated.GetFirst(), resolved) + p.GetClosing().GetRatingEditable()*second
	if rated != nil && rated.GetLast() >= resolved && w.at.Time > until {
		return Refuse(FailedPrecondition, "RATING_FINAL", "ticket %s was rated, and the rating could be changed until %s; leave a reply instead",
			w.number(), spoken(timestamp(until)))
	}
	draft := &deskpb.Event{
		Type:       deskpb.Event_RATED,
		Visibility: deskpb.Event_EVERYONE,
		Body:       &deskpb.Body{Satisfaction: proto.CloneOf(said), FromRequester: w.actor == "" || w.byRequester()},
	}
	if complains(p.GetCallBacks(), said) {
		draft.Body.CallBackDue = callDue(p, w.at.Time)
	}
	return w.remark(draft)
}

// foldCalledBack keeps the latest call-back.
func foldCalledBack(r *deskpb.Record, e *deskpb.Event) {
	foldRated(r, e)
	known, event := r.GetCalled(), EventName(e.GetId())
	if known != nil && cmp.Or(cmp.Compare(e.GetTime(), known.GetTime()), cmp.Compare(event, known.GetEvent())) <= 0 {
		return
	}
	call := proto.CloneOf(e.GetBody().GetCallBack())
	if call == nil {
		call = &deskpb.CallBack{}
	}
	call.Actor, call.Time = e.GetActor(), timestamp(e.GetTime())
	r.Called = &deskpb.CallWord{Call: call, Time: e.GetTime(), Event: event}
	showCallBack(r)
}

// planned notes that a call-back was planned, or with due 0 that the plan was dropped. The latest word counts, of two at
// one time the later due time, so that plans commute.
func planned(r *deskpb.Record, at, due int64) {
	if cmp.Or(cmp.Compare(at, r.GetCallPlanned()), cmp.Compare(due, r.GetCallDue())) < 0 {
		return
	}
	r.CallPlanned, r.CallDue = at, due
	showCallBack(r)
}

// showCallBack makes the ticket's call-back of the latest call and the latest plan: a plan is over once a call was made
// after it.
func showCallBack(r *deskpb.Record) {
	call := r.GetCalled()
	switch {
	case call != nil && call.GetTime() >= r.GetCallPlanned():
		r.Ticket.CallBack = proto.CloneOf(call.GetCall())
	case r.GetCallDue() != 0:
		r.Ticket.CallBack = &deskpb.CallBack{DueTime: timestamp(r.GetCallDue())}
	case call != nil:
		r.Ticket.CallBack = proto.CloneOf(call.GetCall())
		r.Ticket.CallBack.Done, r.Ticket.CallBack.DueTime = true, nil
	default:
		r.Ticket.CallBack = nil
	}
}

// foldRated keeps the latest rating, and when the first one was given. A complaint plans a call-back.
func foldRated(r *deskpb.Record, e *deskpb.Event) {
	said, known := e.GetBody().GetSatisfaction(), r.GetRated()
	if said == nil {
		return
	}
	next := &deskpb.Rated{First: e.GetTime(), Last: e.GetTime(), Event: EventName(e.GetId())}
	if known != nil {
		next.First = min(known.GetFirst(), next.First)
	}
	if known != nil && cmp.Or(cmp.Compare(known.GetLast(), next.Last), cmp.Compare(known.GetEvent(), next.Event)) > 0 {
		next.Last, next.Event = known.GetLast(), known.GetEvent()
	} else {
		r.Ticket.Satisfaction = proto.CloneOf(said)
	}
	r.Rated = next
	if due := e.GetBody().GetCallBackDue(); due != 0 && e.GetClass() == deskpb.Event_REMARK {
		planned(r, e.GetTime(), due)
	}
}
