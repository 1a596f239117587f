package desk

import "github.com/tierdesk/tierdesk/desk/deskpb"

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
	if err := w.needOpen("escalate"); err != nil {
		return err
	}
	if err := w.needUnqueued(); err != nil {
		return err
	}
	if w.ticket().GetLine() >= deskpb.Ticket_THIRD {
		return Refuse(FailedPrecondition, "NO_LINE_ABOVE", "ticket %s is at the third line, the end of the road; resolve it or return it", w.number())
	}
	next := w.ticket().GetLine() + 1
	body := &deskpb.Body{Text: v.GetReason(), Line: next}
	if next <= highestLine(w.here.Tier) {
		return w.custodial(&deskpb.Event{Type: deskpb.Event_ESCALATED, Body: body})
	}
	if len(w.here.Path) < 2 {
		return Refuse(FailedPrecondition, "NO_PARENT", "ticket %s needs the %s line, but %s knows no parent site that has it; set the site's parent",
			w.number(), next, w.here.Site)
	}
	return w.custodial(&deskpb.Event{
		Type: deskpb.Event_ESCALATION_QUEUED,
		From: string(w.here.Site),
		To:   string(w.here.Path[1]),
		Body: body,
	})
}

// withdraw takes a queued hand-over back. A resolved ticket goes home regardless.
func (w *writer) withdraw(v *deskpb.Withdraw) error {
	if w.handover() != deskpb.Handover_QUEUED {
		return Refuse(FailedPrecondition, "NOT_QUEUED", "ticket %s does not wait to be sent; there is nothing to withdraw", w.number())
	}
	if err := w.needOpen("withdraw"); err != nil {
		return err
	}
	return w.custodial(&deskpb.Event{Type: deskpb.Event_WITHDRAWN, Body: &deskpb.Body{Text: v.GetReason()}})
}

// sendBack returns the ticket to the line that escalated it: on the spot when that line is here, else to its site.
func (w *writer) sendBack(v *deskpb.Return) error {
	if err := w.needOpen("return"); err != nil {
		return err
	}
	if err := w.needUnqueued(); err != nil {
		return err
	}
	station := lastStation(w.record)
	switch {
	case station == nil:
		return Refuse(FailedPrecondition, "NO_ROUTE", "ticket %s was not escalated here by anybody; resolve it or escalate it", w.number())
	case station.GetSite() == string(w.here.Site):
		return w.custodial(&deskpb.Event{
			Type: deskpb.Event_RETURNED,
			Body: &deskpb.Body{Text: v.GetReason(), Line: station.GetLine()},
		})
	}
	return w.custodial(w.returnTo(station.GetSite(), station.GetLine(), v.GetReason()))
}

// returnTo drafts the wish to hand the ticket to a line of a site towards its home.
func (w *writer) returnTo(site string, line deskpb.Ticket_Line, reason string) *deskpb.Event {
	return &deskpb.Event{
		Type: deskpb.Event_RETURN_QUEUED,
		From: string(w.here.Site),
		To:   site,
		Body: &deskpb.Body{Text: reason, Line: line, Homeward: true},
	}
}

// dispatch puts a queued hand-over on the line. The custody that it creates is the receiver's to accept or refuse;
// until then nobody decides.
func (w *writer) dispatch(v *deskpb.Dispatch) error {
	queued := w.ticket().GetHandover()
	if queued.GetState() != deskpb.Handover_QUEUED || queued.GetToSite() != v.GetTo() {
		return Refuse(FailedPrecondition, "NOT_QUEUED", "ticket %s does not wait to be sent to %q", w.number(), v.GetTo())
	}
	return w.custodial(&deskpb.Event{
		Type:        deskpb.Event_DISPATCHED,
		From:        string(w.here.Site),
		To:          queued.GetToSite(),
		CustodyTerm: w.ticket().GetCustodyTerm() + 1,
		Body:        &deskpb.Body{Line: queued.GetToLine(), Homeward: w.record.GetHomeward()},
	})
}

// needUnqueued refuses a second hand-over beside one that waits.
func (w *writer) needUnqueued() error {
	if w.handover() == deskpb.Handover_NONE {
		return nil
	}
	return Refuse(FailedPrecondition, "ALREADY_QUEUED", "ticket %s waits to be sent to %s already; withdraw that first",
		w.number(), w.ticket().GetHandover().GetToSite())
}

// passHome sends a resolved ticket on towards its home, station by station. At home, or when it is queued already, there
// is nothing to do.
func (w *writer) passHome() error {
	if w.ticket().GetState() != deskpb.Ticket_RESOLVED || w.atHome() || w.handover() != deskpb.Handover_NONE {
		return nil
	}
	for i := len(w.record.GetRoute()) - 1; i >= 0; i-- {
		if site := w.record.Route[i].GetSite(); site != string(w.here.Site) {
			return w.custodial(w.returnTo(site, deskpb.Ticket_FIRST, ""))
		}
	}
	return nil
}
