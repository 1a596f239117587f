package desk

import (
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// React is what the rules demand of this site after an event of another site was folded, or when the ticket is looked at
// again: answer a hand-over that has arrived, settle wishes, resume what the requester answered, pass a homeward ticket on, send a queued
// one another way, release what was taken from here. Nil
// when there is nothing to do, and while the site is frozen or the ticket not settled. An error is a fault.
func React(here Here, view View, record *deskpb.Record, at Stamp) (*Decision, error) {
	w := &writer{here: here, view: view, at: at, record: record}
	if here.Frozen != "" || !w.arrived() && !w.holds() && !w.taken() {
		return nil, nil
	}
	settled, err := w.settled()
	if err != nil || !settled && !w.overridden() {
		return nil, err
	}
	if err := w.locate(); err != nil {
		return nil, err
	}
	steps := []func() error{w.answer, w.settleWishes, w.resumeAnswered, w.passHome, w.redirect}
	switch {
	case w.taken():
		steps = []func() error{w.release}
	case w.astray:
		steps = []func() error{w.answer, w.followOffice}
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
		if !w.holds() {
			break
		}
	}
	if len(w.events) == 0 {
		return nil, nil
	}
	if err := w.allot(); err != nil {
		return nil, err
	}
	return w.decision(), nil
}

// arrived tells whether a hand-over waits for this site's answer.
func (w *writer) arrived() bool {
	return w.handover() == deskpb.Handover_IN_TRANSIT && w.ticket().GetCustodianSite() == string(w.here.Site)
}

// answer accepts or refuses a hand-over that has arrived here. Refusing gives custody back under a new term.
func (w *writer) answer() error {
	if !w.arrived() {
		return nil
	}
	t, sent := w.ticket(), w.ticket().GetHandover()
	if why := w.objection(); why != "" {
		return w.custodial(&deskpb.Event{
			Type:        deskpb.Event_REFUSED,
			From:        w.record.GetFromSite(),
			To:          string(w.here.Site),
			CustodyTerm: t.GetCustodyTerm() + 1,
			Body:        &deskpb.Body{Text: why, Line: t.GetLine()},
		})
	}
	passing := w.passing()
	err := w.custodial(&deskpb.Event{
		Type: deskpb.Event_ACCEPTED,
		From: w.record.GetFromSite(),
		To:   string(w.here.Site),
		Body: &deskpb.Body{Line: sent.GetToLine()},
	})
	if err != nil || !passing {
		return err
	}
	return w.custodial(w.returnTo(sent.GetToLine(), sent.GetReason()))
}

// passing tells whether an open ticket that was returned only comes through here: this site did not escalate it and is
// not its home.
func (w *writer) passing() bool {
	station := func(s *deskpb.Station) bool { return s.GetSite() == string(w.here.Site) }
	return w.record.GetHomeward() && isOpen(w.ticket().GetState()) && w.wayHome() != "" &&
		!slices.ContainsFunc(w.record.GetRoute(), station)
}

// objection says why an escalation cannot be accepted here, empty when it can. What goes home or follows its office is
// always welcome.
func (w *writer) objection() string {
	t := w.ticket()
	line := t.GetHandover().GetToLine()
	switch {
	case w.record.GetHomeward() || w.record.GetRelocation():
		return ""
	case !isOpen(t.GetState()):
		return fmt.Sprintf("the ticket is %s, only open tickets are escalated", t.GetState())
	case line > highestLine(w.here.Tier):
		return fmt.Sprintf("%s has no %s line", w.here.Site, line)
	}
	return ""
}

// settleWishes answers every wish that waits, in their order, each followed by its effect.
func (w *writer) settleWishes() error {
	for _, wish := range w.ticket().GetWishes() {
		if wish.GetState() != deskpb.Wish_PENDING {
			continue
		}
		effect, why, err := w.weigh(wish)
		if err != nil {
			return err
		}
		err = w.custodial(&deskpb.Event{
			Type: deskpb.Event_WISH_SETTLED,
			Body: &deskpb.Body{WishId: wish.GetId(), Granted: why == "", Text: why},
		})
		if err != nil {
			return err
		}
		if effect == nil {
			continue
		}
		effect.Actor = wish.GetActor()
		if err := w.custodial(effect); err != nil {
			return err
		}
	}
	return nil
}

// weigh returns the draft of what granting the wish does, nil for nothing, or why it is declined. An error is a fault.
func (w *writer) weigh(wish *deskpb.Wish) (effect *deskpb.Event, why string, err error) {
	switch wish.GetKind() {
	case deskpb.Wish_CONFIRM:
		return w.weighConfirmation(wish)
	case deskpb.Wish_REOPEN:
		return w.weighReopening(wish)
	case deskpb.Wish_CANCEL:
		if state := w.ticket().GetState(); !isOpen(state) {
			return nil, fmt.Sprintf("the ticket is %s, only an open one can be canceled", state), nil
		}
		return canceled(wish.GetText()), "", nil
	case deskpb.Wish_WITHDRAW:
		effect, why = w.weighWithdrawal(wish)
	case deskpb.Wish_RESOLVE:
		effect, why = w.weighResolution(wish)
	default:
		why = fmt.Sprintf("%s does not know this kind of wish", w.here.Site)
	}
	return effect, why, nil
}

func (w *writer) weighConfirmation(wish *deskpb.Wish) (effect *deskpb.Event, why string, err error) {
	if state := w.ticket().GetState(); state != deskpb.Ticket_RESOLVED {
		return nil, fmt.Sprintf("the ticket is %s, only a resolved one can be confirmed", state), nil
	}
	if missing, err := w.unreviewed(); missing || err != nil {
		return nil, "it was a major incident, whose review is not written yet", err
	}
	return confirmed(wish.GetSatisfaction()), "", nil
}

func (w *writer) weighReopening(wish *deskpb.Wish) (effect *deskpb.Event, why string, err error) {
	state := w.ticket().GetState()
	if state != deskpb.Ticket_RESOLVED && state != deskpb.Ticket_CLOSED {
		return nil, fmt.Sprintf("the ticket is %s, only a resolved or closed one can be reopened", state), nil
	}
	if why, err := w.unreopenable(); why != "" || err != nil {
		return nil, why, err
	}
	return reopened(wish.GetText()), "", nil
}

// weighWithdrawal grants the site that escalated the ticket last to have it back while nobody works on it. A ticket
// that is back already, or on its way, needs nothing more; one that still waits to be sent from here stays.
func (w *writer) weighWithdrawal(wish *deskpb.Wish) (effect *deskpb.Event, why string) {
	t, station := w.ticket(), lastStation(w.record)
	own := wish.GetSite() == string(w.here.Site)
	comesBack := w.record.GetHomeward() || t.GetState() == deskpb.Ticket_RESOLVED && !w.atHome()
	waits := w.handover() == deskpb.Handover_QUEUED
	switch {
	case own && waits && !comesBack && !w.record.GetRelocation() && isOpen(t.GetState()):
		return &deskpb.Event{Type: deskpb.Event_WITHDRAWN, Body: &deskpb.Body{Text: wish.GetText()}}, ""
	case comesBack || own:
		return nil, ""
	case station.GetSite() != wish.GetSite():
		return nil, fmt.Sprintf("%s did not escalate the ticket to where it is now", wish.GetSite())
	case t.GetState() != deskpb.Ticket_NEW:
		return nil, fmt.Sprintf("the ticket is %s at %s, only one that nobody has taken up can be withdrawn", t.GetState(), w.here.Site)
	case waits:
		return nil, fmt.Sprintf("the ticket waits to be sent to %s", t.GetHandover().GetToSite())
	case !w.isBelow(station.GetSite()):
		return nil, fmt.Sprintf("%s is not on the ticket's way home any more", wish.GetSite())
	}
	return w.returnTo(station.GetLine(), wish.GetText()), ""
}
