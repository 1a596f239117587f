package desk

import "github.com/tierdesk/tierdesk/desk/deskpb"

// arrive notes that somebody is on the spot. The first arrival counts.
func (w *writer) arrive(v *deskpb.Arrive) error {
	if err := w.need(TicketArrive); err != nil {
		return err
	}
	return w.custodial(&deskpb.Event{Type: deskpb.Event_ARRIVED, Body: &deskpb.Body{Text: v.GetComment()}})
}

// firstAnswer notes that the reply which was just written is the desk's first answer to the requester.
func (w *writer) firstAnswer() error {
	if w.ticket().GetRespondTime() != nil || !isOpen(w.ticket().GetState()) {
		return nil
	}
	return w.custodial(&deskpb.Event{Type: deskpb.Event_RESPONDED})
}
