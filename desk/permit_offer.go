package desk

import (
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// VerbsFor lists what an actor may do with a ticket now, beyond reading it, for screens; wishes are those of them that the custodian
// settles later. It goes by role, scope, place and state. What is missing on the ticket, what other tickets say, how long ago something
// was, what the policy asks for besides, and a comparison with the neighbours that is not over may still refuse a verb, with words
// that say so. The path is the one that the ticket knows.
func VerbsFor(here Here, p *deskpb.Policy, actor *deskpb.Actor, record *deskpb.Record) (verbs, wishes []Verb) {
	if here.Frozen != "" || isSite(actor) || !Sees(actor, here.Site, p, record) {
		return nil, nil
	}
	o := offer{
		writer: writer{here: here, asker: actor, actor: actor.GetUser(), record: record, path: record.GetPath()},
		p:      p,
	}
	for i := range rules {
		r := &rules[i]
		if r.does == reads || !r.states.has(o.ticket().GetState()) || May(actor, r.verb) != nil {
			continue
		}
		fits, asWish := o.fits(r)
		if !fits {
			continue
		}
		verbs = append(verbs, r.verb)
		if asWish {
			wishes = append(wishes, r.verb)
		}
	}
	return verbs, wishes
}

// offer is what may be done with a ticket. Its writer looks at the ticket and writes nothing; it has no view.
type offer struct {
	writer
	p *deskpb.Policy
}

// fits tells whether a verb whose states fit can be carried out on the ticket here, and whether only as a wish.
func (o *offer) fits(r *rule) (fits, asWish bool) {
	switch {
	case r.at == mirror:
		return o.takeable(), false
	case r.at == anywhere:
		return o.suitsAnywhere(r.verb), false
	case o.holds():
		return permitHere(o.here, o.asker, r.verb, o.record) == nil && o.suits(r.verb), false
	}
	wish := r.at == wished && (!r.verb.ofTheEnd() || o.ticket().GetMergedInto() == "")
	return wish, wish
}

// suitsAnywhere tells whether the ticket, wherever it is, has what a verb is about that any office may carry out.
func (o *offer) suitsAnywhere(verb Verb) bool {
	t := o.ticket()
	switch {
	case verb == TicketUrge:
		return t.GetState() != deskpb.Ticket_ON_HOLD || !o.p.GetUrging().GetRefuseOnHold()
	case verb.ofTheEnd():
		return t.GetMergedInto() == ""
	}
	return true
}

// ofTheEnd tells whether a verb is about how a ticket was solved itself, which one that was merged into another one was not.
func (v Verb) ofTheEnd() bool {
	switch v {
	case TicketReopen, TicketCallBack, TicketRate, TicketSplit, SurveyCreate:
		return true
	}
	return false
}

// takeable tells whether the ticket may be taken without a hand-over: this site does not hold it, or does not know whether it does.
func (o *offer) takeable() bool {
	unsure := o.here.Recovering || o.record.GetDetached() > 0
	return !o.holds() || unsure && !o.overridden()
}

// suits tells whether the ticket, which this site holds, has what a verb is about.
func (o *offer) suits(verb Verb) bool {
	t := o.ticket()
	switch verb {
	case TicketReopen:
		return t.GetMergedInto() == ""
	case TicketClaim:
		return !t.GetAccepted() && (t.GetAssignee() == "" || t.GetAssignee() == o.actor)
	case TicketDecline:
		return t.GetAssignee() == o.actor
	case TicketCheck:
		return len(t.GetChecklist()) > 0
	case TicketChangeTask:
		return o.changesTask()
	case TicketMacro:
		return slices.ContainsFunc(o.p.GetMacros(), o.begins)
	case TicketMerge:
		return len(linksOf(t, deskpb.TicketLink_PARENT_OF)) == 0
	case TicketEscalate:
		return o.handover() == deskpb.Handover_NONE && t.GetLine() < deskpb.Ticket_THIRD &&
			(t.GetLine() < highestLine(o.here.Tier) || o.wayUp() != "")
	case TicketWithdraw:
		return o.handover() == deskpb.Handover_QUEUED && !o.record.GetRelocation()
	case TicketReturn:
		return o.handover() == deskpb.Handover_NONE && o.wayBack("") != nil
	case TicketReview:
		return t.GetMajor()
	}
	return true
}

// begins tells whether the steps of a macro may be done in the ticket's state up to the first that changes it: where that leads, the macro
// was made to go on.
func (o *offer) begins(macro *deskpb.Macro) bool {
	for _, step := range macro.GetSteps() {
		does := ruleOf(Verb("ticket." + step.GetVerb()))
		if !does.states.has(o.ticket().GetState()) {
			return false
		}
		if does.at == custodian {
			return true
		}
	}
	return len(macro.GetSteps()) > 0
}

// changesTask tells whether the actor may finish, sign or give up a task that is open.
func (o *offer) changesTask() bool {
	for _, task := range o.ticket().GetTasks() {
		if task.GetState() != deskpb.Task_OPEN {
			continue
		}
		_, unsigned := o.signer(task)
		cancel := &deskpb.ChangeTask{Task: task.GetId(), Action: deskpb.ChangeTask_CANCEL}
		works := task.GetKind() == deskpb.Task_WORK && staff.has(o.asker.GetRole())
		if works || unsigned == nil || permitTask(o.asker, o.ticket(), cancel) == nil {
			return true
		}
	}
	return false
}
