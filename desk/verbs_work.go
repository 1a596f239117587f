package desk

import "github.com/tierdesk/tierdesk/desk/deskpb"

// assign gives the ticket to a person, a group, or both. Without a group the present one stays; a new group alone
// leaves the ticket without an assignee.
func (w *writer) assign(v *deskpb.Assign) error {
	if err := w.needOpen("assign"); err != nil {
		return err
	}
	assignee, group := v.GetAssignee(), v.GetGroup()
	if group == "" {
		group = w.ticket().GetGroup()
	}
	if assignee == "" && group == w.ticket().GetGroup() {
		assignee = w.ticket().GetAssignee()
	}
	return w.custodial(&deskpb.Event{
		Type: deskpb.Event_ASSIGNED,
		Body: &deskpb.Body{Text: v.GetReason(), Assignee: assignee, Group: group},
	})
}

// start begins the work; a ticket without an assignee becomes the actor's.
func (w *writer) start() error {
	if err := w.need("start", deskpb.Ticket_NEW, deskpb.Ticket_ASSIGNED); err != nil {
		return err
	}
	return w.custodial(&deskpb.Event{Type: deskpb.Event_STARTED, Body: &deskpb.Body{Assignee: w.taker()}})
}

// hold stops the work for a reason; the resolution clock pauses.
func (w *writer) hold(v *deskpb.Hold) error {
	if err := w.need("hold", deskpb.Ticket_NEW, deskpb.Ticket_ASSIGNED, deskpb.Ticket_IN_PROGRESS); err != nil {
		return err
	}
	return w.custodial(&deskpb.Event{
		Type: deskpb.Event_HELD,
		Body: &deskpb.Body{Text: v.GetComment(), HoldReason: v.GetReason()},
	})
}

// resume takes the work up again; a ticket without an assignee becomes the actor's.
func (w *writer) resume(v *deskpb.Resume) error {
	if err := w.need("resume", deskpb.Ticket_ON_HOLD); err != nil {
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
