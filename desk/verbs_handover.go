package desk

import (
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// highestLine returns the highest support line that works at a tier: counties have the first line only, cities the
// second as well, the province all three.
func highestLine(tier deskpb.Site_Tier) deskpb.Ticket_Line {
	switch tier {
	case deskpb.Site_COUNTY:
		return deskpb.Ticket_FIRST
	case deskpb.Site_CITY:
		return deskpb.Ticket_SECOND
	case deskpb.Site_PROVINCE:
		return deskpb.Ticket_THIRD
	}
	return deskpb.Ticket_LINE_UNSPECIFIED
}

// escalate hands the ticket to the next line: on the spot when this tier has it, else to the parent as soon as the line
// to it is up.
func (w *writer) escalate(v *deskpb.Escalate) error {
	if err := w.need(TicketEscalate); err != nil {
		return err
	}
	if err := w.needUnqueued(); err != nil {
		return err
	}
	if w.ticket().GetLine() >= deskpb.Ticket_THIRD {
		return Refuse(FailedPrecondition, "NO_LINE_ABOVE", "ticket %s is at the third line, the end of the road; resolve it or return it", w.number())
	}
	next := w.ticket().GetLine() + 1
	draft := &deskpb.Event{Type: deskpb.Event_ESCALATED, Body: &deskpb.Body{Text: v.GetReason(), Line: next}}
	if next > highestLine(w.here.Tier) {
		parent := w.wayUp()
		if parent == "" {
			return Refuse(FailedPrecondition, "NO_PARENT", "ticket %s needs the %s line, but %s knows no parent site that has it; set the site's parent",
				w.number(), next, w.here.Site)
		}
		draft = w.escalateTo(parent, next, v.GetReason())
	}
	if approved, err := w.approved(stepEscalate); !approved || err != nil {
		return err
	}
	if err := w.custodial(draft); err != nil {
		return err
	}
	return w.alert(fmt.Sprintf("escalated by %s to the %s line", w.here.Site, next))
}

// escalateTo drafts the wish to hand the ticket to a line of the parent.
func (w *writer) escalateTo(parent string, line deskpb.Ticket_Line, reason string) *deskpb.Event {
	return &deskpb.Event{
		Type: deskpb.Event_ESCALATION_QUEUED,
		From: string(w.here.Site),
		To:   parent,
		Body: &deskpb.Body{Text: reason, Line: line},
	}
}

// withdraw takes a queued hand-over back. A resolved ticket goes home regardless, and one follows its office regardless.
func (w *writer) withdraw(v *deskpb.Withdraw) error {
	if w.handover() != deskpb.Handover_QUEUED {
		return Refuse(FailedPrecondition, "NOT_QUEUED", "ticket %s does not wait to be sent; there is nothing to withdraw", w.number())
	}
	if w.record.GetRelocation() {
		return w.relocating()
	}
	if err := w.need(TicketWithdraw); err != nil {
		return err
	}
	return w.custodial(&deskpb.Event{Type: deskpb.Event_WITHDRAWN, Body: &deskpb.Body{Text: v.GetReason()}})
}

// sendBack returns the ticket to the line that escalated it: on the spot when that line is here, else towards its site. A
// station that does not stand on the ticket's path any more is stood in for by this site. Without a station the ticket
// goes home.
func (w *writer) sendBack(v *deskpb.Return) error {
	if err := w.need(TicketReturn); err != nil {
		return err
	}
	if err := w.needUnqueued(); err != nil {
		return err
	}
	draft := w.wayBack(v.GetReason())
	if draft == nil {
		return Refuse(FailedPrecondition, "NO_ROUTE", "ticket %s was not escalated here by anybody; resolve it or escalate it", w.number())
	}
	return w.custodial(draft)
}

// wayBack drafts the return of the ticket, nil where nobody escalated it and it is at home.
func (w *writer) wayBack(reason string) *deskpb.Event {
	for _, station := range slices.Backward(w.record.GetRoute()) {
		switch site, line := station.GetSite(), station.GetLine(); {
		case w.isBelow(site):
			return w.returnTo(line, reason)
		case site == string(w.here.Site), !slices.Contains(w.path, site) && line <= highestLine(w.here.Tier):
			return &deskpb.Event{Type: deskpb.Event_RETURNED, Body: &deskpb.Body{Text: reason, Line: line}}
		}
	}
	if w.wayHome() == "" {
		return nil
	}
	return w.returnTo(deskpb.Ticket_FIRST, reason)
}

// returnTo drafts the wish to hand the ticket to a line towards its home: to the next site on the way, which passes it on
// when the line is not its own.
func (w *writer) returnTo(line deskpb.Ticket_Line, reason string) *deskpb.Event {
	return &deskpb.Event{
		Type: deskpb.Event_RETURN_QUEUED,
		From: string(w.here.Site),
		To:   w.wayHome(),
		Body: &deskpb.Body{Text: reason, Line: line, Homeward: true},
	}
}

// relocate queues the ticket for the site that takes over from this one because the ticket's office moves. Whatever
// hand-over waited is dropped: the ticket goes on from there.
func (w *writer) relocate(v *deskpb.Relocate) error {
	switch {
	case v.GetTo() == string(w.here.Site) || !slices.Contains(w.path, v.GetTo()):
		return Refuse(FailedPrecondition, "NOT_ON_PATH", "ticket %s cannot be relocated to %q, which is no other site of its path %v",
			w.number(), v.GetTo(), w.path)
	case w.record.GetRelocation() && w.ticket().GetHandover().GetToSite() == v.GetTo():
		return w.relocating()
	}
	return w.custodial(&deskpb.Event{
		Type: deskpb.Event_RELOCATION_QUEUED,
		From: string(w.here.Site),
		To:   v.GetTo(),
		Body: &deskpb.Body{Line: w.ticket().GetLine(), Relocation: true},
	})
}

// followOffice relocates a ticket that has reached this site after its office moved away: the hand-over was under way.
func (w *writer) followOffice() error {
	parent := w.wayUp()
	if parent == "" || w.record.GetRelocation() || !slices.Contains(w.path, parent) {
		return nil
	}
	return w.relocate(&deskpb.Relocate{To: parent})
}

// dispatch puts a queued hand-over on the line. The custody that it creates is the receiver's to accept or refuse;
// until then nobody decides.
func (w *writer) dispatch(v *deskpb.Dispatch) error {
	queued := w.ticket().GetHandover()
	switch {
	case queued.GetState() != deskpb.Handover_QUEUED || queued.GetToSite() != v.GetTo():
		return Refuse(FailedPrecondition, "NOT_QUEUED", "ticket %s does not wait to be sent to %q", w.number(), v.GetTo())
	case !slices.Contains(w.path, v.GetTo()):
		return Refuse(FailedPrecondition, "NOT_ON_PATH", "ticket %s cannot be sent to %s, which is not on its path %v any more",
			w.number(), v.GetTo(), w.path)
	case Sender(w.record) != w.here.Site:
		return Refuse(FailedPrecondition, "NOT_RELEASED", "ticket %s was taken from %s by an override and is not handed on before %s "+
			"has answered; close or resolve it here, or wait for the line", w.number(), Sender(w.record), Sender(w.record))
	}
	return w.custodial(&deskpb.Event{
		Type:        deskpb.Event_DISPATCHED,
		From:        string(w.here.Site),
		To:          queued.GetToSite(),
		CustodyTerm: w.ticket().GetCustodyTerm() + 1,
		Body:        &deskpb.Body{Line: queued.GetToLine(), Homeward: w.record.GetHomeward(), Relocation: w.record.GetRelocation()},
	})
}

// needUnqueued refuses a second hand-over beside one that waits.
func (w *writer) needUnqueued() error {
	switch {
	case w.handover() == deskpb.Handover_NONE:
		return nil
	case w.record.GetRelocation():
		return w.relocating()
	}
	return Refuse(FailedPrecondition, "ALREADY_QUEUED", "ticket %s waits to be sent to %s already; withdraw that first",
		w.number(), w.ticket().GetHandover().GetToSite())
}

// relocating refuses to touch the hand-over of a ticket that follows its office.
func (w *writer) relocating() error {
	return Refuse(FailedPrecondition, "RELOCATING", "ticket %s goes to %s because its office %s moves; hand it on from there",
		w.number(), w.ticket().GetHandover().GetToSite(), w.ticket().GetHomeSite())
}

// passHome sends a resolved ticket on towards its home. At home, or when it is queued already, there is nothing to do.
func (w *writer) passHome() error {
	if w.ticket().GetState() != deskpb.Ticket_RESOLVED || w.handover() != deskpb.Handover_NONE || w.wayHome() == "" {
		return nil
	}
	return w.custodial(w.returnTo(deskpb.Ticket_FIRST, ""))
}

// redirect queues a hand-over anew that waits for a site which is not the next one on its way any more, because an
// office moved.
func (w *writer) redirect() error {
	queued := w.ticket().GetHandover()
	if queued.GetState() != deskpb.Handover_QUEUED || w.record.GetRelocation() {
		return nil
	}
	draft := w.returnTo(queued.GetToLine(), queued.GetReason())
	if !w.record.GetHomeward() {
		draft = w.escalateTo(w.wayUp(), queued.GetToLine(), queued.GetReason())
	}
	if draft.GetTo() == "" || draft.GetTo() == queued.GetToSite() {
		return nil
	}
	return w.custodial(draft)
}
