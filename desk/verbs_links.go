package desk

import (
	"cmp"
	"errors"
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// duplicate is the resolution code of a ticket that was merged into another one.
const duplicate = "duplicate"

// spokenKinds are the links that people make and take back; the others come with what they do to a ticket.
var spokenKinds = []deskpb.TicketLink_Kind{
	deskpb.TicketLink_RELATED, deskpb.TicketLink_CHILD_OF, deskpb.TicketLink_PARENT_OF, deskpb.TicketLink_CAUSED_BY, deskpb.TicketLink_CAUSE_OF,
}

func checkLink(v *deskpb.LinkTickets) error {
	if kind := v.GetLink().GetKind(); !slices.Contains(spokenKinds, kind) {
		return RefuseField("kind", "%s is not made by hand; use RELATED, CHILD_OF, PARENT_OF, CAUSED_BY or CAUSE_OF", kind)
	}
	return checkOther("other", v.GetLink().GetNumber())
}

// checkOther refuses what cannot be the number of another ticket.
func checkOther(field, number string) error {
	return cmp.Or(given(field, number), oneLine(field, number, MaxShort))
}

// knownAs is known for a ticket that a field of the command names: a refusal names the field.
func (w *writer) knownAs(field, number string) (*deskpb.Record, error) {
	record, err := w.known(TicketNumber(number))
	if refusal, refused := errors.AsType[*Refusal](err); refused {
		refusal.Field = field
	}
	return record, err
}

// link says what the ticket has to do with another one, or takes that back. Saying it again changes nothing.
func (w *writer) link(v *deskpb.LinkTickets) error {
	link := v.GetLink()
	other, err := w.knownAs("other", link.GetNumber())
	if err != nil {
		return err
	}
	if linked(w.ticket(), link) != v.GetRemoved() {
		return nil
	}
	if !v.GetRemoved() {
		if err := linkable(w.record, other, link.GetKind()); err != nil {
			return err
		}
	}
	return w.join(other, link, v.GetRemoved())
}

// linkable refuses a link between two tickets that could not be kept: a ticket's with itself, a second parent, a child
// with children, or more links than a ticket takes.
func linkable(record, other *deskpb.Record, kind deskpb.TicketLink_Kind) error {
	number, with := record.GetTicket().GetNumber(), other.GetTicket().GetNumber()
	if number == with {
		return RefuseField("other", "ticket %s cannot be linked with itself; give another number", number)
	}
	for _, r := range []*deskpb.Record{record, other} {
		if n := len(r.GetLinkWords()); n >= maxLinks {
			return Refuse(FailedPrecondition, "TOO_MANY_LINKS", "ticket %s was linked with %d others, which is the limit", r.GetTicket().GetNumber(), n)
		}
	}
	switch kind {
	case deskpb.TicketLink_CHILD_OF:
		return adoptable(record.GetTicket(), other.GetTicket())
	case deskpb.TicketLink_PARENT_OF:
		return adoptable(other.GetTicket(), record.GetTicket())
	}
	return nil
}

// adoptable refuses to make a ticket the child of another one unless both stand alone or as parent and childless.
func adoptable(child, parent *deskpb.Ticket) error {
	const advice = "a parent has no parent, and a child one parent and no children"
	switch has := linksOf(child, deskpb.TicketLink_CHILD_OF); {
	case len(has) > 0:
		return Refuse(FailedPrecondition, "ALREADY_A_CHILD", "ticket %s is part of %s already; %s", child.GetNumber(), has[0], advice)
	case len(linksOf(child, deskpb.TicketLink_PARENT_OF)) > 0:
		return Refuse(FailedPrecondition, "HAS_CHILDREN", "ticket %s has children of its own; %s", child.GetNumber(), advice)
	}
	switch has := linksOf(parent, deskpb.TicketLink_CHILD_OF); {
	case len(has) > 0:
		return Refuse(FailedPrecondition, "ALREADY_A_CHILD", "ticket %s is itself part of %s; %s", parent.GetNumber(), has[0], advice)
	case len(linksOf(parent, deskpb.TicketLink_PARENT_OF)) >= maxChildren:
		return Refuse(FailedPrecondition, "TOO_MANY_CHILDREN", "ticket %s has %d children, which is the limit", parent.GetNumber(), maxChildren)
	}
	return nil
}

func checkMerge(v *deskpb.Merge) error {
	return cmp.Or(checkOther("into", v.GetInto()), text("reason", v.GetReason()))
}

// merge ends the ticket because another one says the same. What is said on it from then on is said on the other one.
func (w *writer) merge(v *deskpb.Merge) error {
	if err := w.need(TicketMerge); err != nil {
		return err
	}
	into, err := w.knownAs("into", v.GetInto())
	if err != nil {
		return err
	}
	if err := w.mergeable(into.GetTicket()); err != nil {
		return err
	}
	err = w.custodial(&deskpb.Event{Type: deskpb.Event_MERGED, Body: &deskpb.Body{Text: v.GetReason(), MergedInto: v.GetInto()}})
	if err != nil {
		return err
	}
	back := &deskpb.TicketLink{Kind: deskpb.TicketLink_DUPLICATED_BY, Number: w.number()}
	return w.onOther(into, func(o *writer) error { return o.sayLinked(back, false, 0) })
}

// mergeable refuses to merge this ticket into one that does not go on, or away from its children.
func (w *writer) mergeable(into *deskpb.Ticket) error {
	switch {
	case into.GetNumber() == w.number():
		return RefuseField("into", "ticket %s cannot be merged into itself; give another number", w.number())
	case into.GetMergedInto() != "":
		return RefuseField("into", "ticket %s was merged into %s itself; merge into that one", into.GetNumber(), into.GetMergedInto())
	case !isOpen(into.GetState()) && into.GetState() != deskpb.Ticket_RESOLVED:
		return RefuseField("into", "ticket %s is %s; reopen it first, or resolve ticket %s", into.GetNumber(), into.GetState(), w.number())
	case len(linksOf(w.ticket(), deskpb.TicketLink_PARENT_OF)) > 0:
		return Refuse(FailedPrecondition, "HAS_CHILDREN", "ticket %s has children; link them with %s first", w.number(), into.GetNumber())
	}
	return nil
}

// foldMerged ends the ticket. Whatever hand-over waited is dropped: there is nothing left to do elsewhere.
func foldMerged(r *deskpb.Record, e *deskpb.Event) {
	foldCanceled(r, e)
	r.Ticket.State = deskpb.Ticket_CLOSED
	r.Ticket.Resolution = &deskpb.Resolution{Code: duplicate, Text: e.GetBody().GetText()}
	r.Ticket.MergedInto = e.GetBody().GetMergedInto()
	sayLink(r, e, &deskpb.TicketLink{Kind: deskpb.TicketLink_DUPLICATE_OF, Number: r.Ticket.MergedInto}, false)
}
