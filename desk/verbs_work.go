package desk

import "github.com/tierdesk/tierdesk/desk/deskpb"

// start begins the work; a ticket without an assignee becomes the actor's.
func (w *writer) start() error {
	if err := w.need(TicketStart); err != nil {
		return err
	}
	return w.custodial(&deskpb.Event{Type: deskpb.Event_STARTED, Body: &deskpb.Body{Assignee: w.taker()}})
}

// resume takes the work up again; a ticket without an assignee becomes the actor's.
func (w *writer) resume(v *deskpb.Resume) error {
	if err := w.need(TicketResume); err != nil {
		return err
	}
	return w.custodial(&deskpb.Event{
		Type: deskpb.Event_RESUMED,
		Body: &deskpb.Body{Text: v.GetComment(), Assignee: w.taker()},
	})
}

// taker returns the actor when nobody has the ticket, else nobody.
func (w *writer) taker() string {
	if w.ticket().GetAssignee() != "" {
		return ""
	}
	return w.actor
}
