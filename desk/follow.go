package desk

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Follow is what the rules demand of this site on other tickets once a ticket has become what after says; before is what it
// was here, nil for unknown. When a parent is resolved, so are its open children: each site resolves those that it holds.
// Of those that are held elsewhere the site that resolved the parent wishes it of the custodian; of those that this site
// does not know the top of the tree does, which knows them all. A child that cannot be resolved stays as it is. The
// decisions are on different tickets, in the order of their numbers, and continue the site's event sequence. An error is
// a fault.
func Follow(here Here, view View, before, after *deskpb.Record, at Stamp) ([]*Decision, error) {
	if here.Frozen != "" || !endedWell(before, after) {
		return nil, nil
	}
	children := linksOf(after.GetTicket(), deskpb.TicketLink_PARENT_OF)
	var followed []*Decision
	for _, number := range children[:min(len(children), maxChildren)] {
		child, err := view.Ticket(TicketNumber(number))
		if err != nil {
			return nil, fmt.Errorf("resolve the children of ticket %s: %w", after.GetTicket().GetNumber(), err)
		}
		if child == nil || !concerned(here, child, solver(after)) {
			continue
		}
		d, err := Decide(here, view, &deskpb.TicketCommand{
			Actor:  &deskpb.Actor{},
			Number: number,
			Verb: &deskpb.TicketCommand_ResolveWith{ResolveWith: &deskpb.ResolveWith{
				Parent: after.GetTicket().GetNumber(), Resolution: after.GetTicket().GetResolution(),
			}},
		}, at)
		if refusal := new(Refusal); errors.As(err, &refusal) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(d.Events) > 0 {
			followed, here.Sequence = append(followed, d), d.LastSequence()
		}
	}
	return followed, nil
}

// endedWell tells whether a ticket was open and is solved now, not merely merged into another one.
func endedWell(before, after *deskpb.Record) bool {
	t := after.GetTicket()
	solved := t.GetState() == deskpb.Ticket_RESOLVED || t.GetState() == deskpb.Ticket_CLOSED
	return solved && t.GetMergedInto() == "" && (before == nil || isOpen(before.GetTicket().GetState()))
}

// solver returns the site that resolved a ticket, as far as its record tells: who had it last.
func solver(r *deskpb.Record) string {
	if r.GetFromSite() != "" {
		return r.GetFromSite()
	}
	return r.GetTicket().GetCustodianSite()
}

// concerned tells whether it is this site's to see to an open child of a ticket that another site, or this one, solved.
func concerned(here Here, child *deskpb.Record, solver string) bool {
	top := len(here.Path) == 1
	return isOpen(child.GetTicket().GetState()) &&
		(holds(here, child) || solver == string(here.Site) || top && !slices.Contains(child.GetPath(), solver))
}

// resolveWith resolves the ticket because the one that it is part of was. A mandatory task that is open keeps it open, and
// a note says so.
func (w *writer) resolveWith(v *deskpb.ResolveWith) error {
	if err := w.needState("resolveWith", unsolved); err != nil {
		return err
	}
	if !w.isChildOf(v.GetParent()) {
		return Refuse(FailedPrecondition, "NOT_A_CHILD", "ticket %s is not part of %s; nothing is resolved with it", w.number(), v.GetParent())
	}
	if open := openTasks(w.ticket()); open != "" {
		return w.remark(&deskpb.Event{
			Type:       deskpb.Event_NOTED,
			Visibility: deskpb.Event_AGENTS,
			Body:       &deskpb.Body{Text: fmt.Sprintf("ticket %s was resolved, of which this one is part; it stays open because of %s", v.GetParent(), open)},
		})
	}
	if err := w.custodial(resolvedWith(v.GetParent(), v.GetResolution())); err != nil {
		return err
	}
	return w.passHome()
}

func (w *writer) isChildOf(parent string) bool {
	return linked(w.ticket(), &deskpb.TicketLink{Kind: deskpb.TicketLink_CHILD_OF, Number: parent})
}

// resolvedWith drafts the resolution of a child. It always says in words what solved it, as the third line must.
func resolvedWith(parent string, solution *deskpb.Resolution) *deskpb.Event {
	words := "resolved together with " + parent
	resolution := &deskpb.Resolution{}
	if solution != nil {
		resolution = proto.CloneOf(solution)
	}
	if resolution.Text == "" {
		resolution.Text = words
	}
	return &deskpb.Event{Type: deskpb.Event_RESOLVED, Body: &deskpb.Body{Text: words, Resolution: resolution}}
}

// weighResolution grants that a child is resolved with its parent. One that ended meanwhile needs nothing more.
func (w *writer) weighResolution(wish *deskpb.Wish) (effect *deskpb.Event, why string) {
	switch open := openTasks(w.ticket()); {
	case !isOpen(w.ticket().GetState()):
		return nil, ""
	case !w.isChildOf(wish.GetText()):
		return nil, fmt.Sprintf("the ticket is not part of %s", wish.GetText())
	case open != "":
		return nil, "mandatory tasks are open: " + open
	}
	return resolvedWith(wish.GetText(), wish.GetResolution()), ""
}
