package desk

import (
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// foldAssigned counts a reassignment when somebody had the ticket before and somebody else has it now. That the rules find
// a member for a ticket of their group is none.
func foldAssigned(r *deskpb.Record, e *deskpb.Event) {
	t, b := r.Ticket, e.GetBody()
	had := t.Assignee != "" || t.Group != ""
	within := t.Group == b.GetGroup()
	found := b.GetAutomatic() && within && t.Assignee == ""
	if had && !found && (!within || t.Assignee != b.GetAssignee()) {
		t.ReassignmentCount++
	}
	switch {
	case !b.GetAutomatic() || !within:
		r.PassedOver = nil
	case t.Assignee != "":
		passOver(r, t.Assignee)
	}
	r.Allotted = b.GetAutomatic() && (!within || r.Allotted)
	t.Assignee, t.Group = b.GetAssignee(), b.GetGroup()
	t.Accepted = t.Assignee != "" && t.Assignee == e.GetActor()
	t.AcceptTimeLimit = nil
	if limit := b.GetAcceptLimit(); limit > 0 {
		t.AcceptTimeLimit = timestamp(limit)
	}
	switch {
	case t.State == deskpb.Ticket_ON_HOLD:
	case t.Assignee == "" && t.Group == "":
		t.State = deskpb.Ticket_NEW
	default:
		t.State = deskpb.Ticket_ASSIGNED
	}
}

// foldClaimed gives the ticket to who took it up.
func foldClaimed(r *deskpb.Record, e *deskpb.Event) {
	t := r.Ticket
	t.Assignee = e.GetBody().GetAssignee()
	takeUp(r)
	if t.State == deskpb.Ticket_NEW {
		t.State = deskpb.Ticket_ASSIGNED
	}
	respond(t, e.GetTime())
}

// foldDeclined leaves the ticket to its group.
func foldDeclined(r *deskpb.Record, e *deskpb.Event) {
	t := r.Ticket
	passOver(r, t.Assignee)
	t.Assignee, t.Accepted = "", false
	t.ReassignmentCount++
	t.State = deskpb.Ticket_NEW
}

// passOver remembers that the rules do not give the ticket to a member of the group again.
func passOver(r *deskpb.Record, member string) {
	if !slices.Contains(r.GetPassedOver(), member) {
		r.PassedOver = append(r.PassedOver, member)
	}
}

// takeUp notes that the assignee works on the ticket.
func takeUp(r *deskpb.Record) {
	r.Ticket.Accepted = true
	r.PassedOver = nil
}

// unassign takes the ticket from whoever has it.
func unassign(r *deskpb.Record) {
	r.Ticket.Assignee, r.Ticket.Group, r.Ticket.Accepted = "", "", false
	r.PassedOver, r.Allotted = nil, false
}
