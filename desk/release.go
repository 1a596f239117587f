package desk

import (
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Sender returns the one site that may begin the ticket's next term by handing it on: the custodian; after an override,
// which its former custodian may not have heard of yet, that one, until it has released the ticket. A release goes to whoever
// has taken the ticket then, and who has it releases it in turn: so the right to hand the ticket on is in one place within
// a term, however many take the ticket at once. A former custodian that stands on the ticket's path no more is not waited
// for: the province has given the office another place without it.
func Sender(r *deskpb.Record) SiteID {
	ticket := r.GetTicket()
	custodian := ticket.GetCustodianSite()
	if r.GetReclaim() == 0 {
		return SiteID(custodian)
	}
	sender := r.GetReclaimedFrom()
	if r.GetReleased().GetTerm() == ticket.GetCustodyTerm() {
		sender = r.GetReleased().GetSite()
	}
	if !slices.Contains(r.GetPath(), sender) {
		return SiteID(custodian)
	}
	return SiteID(sender)
}

// taken tells whether another site has taken the ticket without a hand-over and waits for this one to release it.
func (w *writer) taken() bool {
	return !w.holds() && w.record.GetReclaim() > 0 && Sender(w.record) == w.here.Site
}

// release lets the new custodian hand the ticket on. This site knows of the override and decides nothing any more.
func (w *writer) release() error {
	count := uint32(1)
	if last := w.record.GetReleased(); last.GetTerm() == w.ticket().GetCustodyTerm() {
		count += last.GetCount()
	}
	return w.remark(&deskpb.Event{
		Type:       deskpb.Event_RELEASED,
		Visibility: deskpb.Event_AGENTS,
		From:       string(w.here.Site),
		To:         w.ticket().GetCustodianSite(),
		Body:       &deskpb.Body{Release: count},
	})
}
