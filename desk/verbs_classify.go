package desk

import (
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// classifiable are the fields of a ticket that people change, in the API's spelling. Those of the second list set the
// clocks and alarm others; they stay as they are once the ticket is solved.
func classifiable() (words, levels []string) {
	return []string{
			"title", "description", "category", "application", "applicationVersion", "configurationItem", "service", "tags", "fields",
			"requester", "coordinator",
		}, []string{
			"impact", "urgency", "severity", "major", "visit",
		}
}

// derived are the fields that follow from others when those are changed.
func derived() []string { return []string{"priority", "checklist"} }

func checkClassify(v *deskpb.Classify) error {
	words, levels := classifiable()
	known := slices.Concat(words, levels)
	if len(v.GetFields()) == 0 {
		return RefuseField("fields", "none are named; name those that change")
	}
	for i, name := range v.GetFields() {
		field := fmt.Sprintf("fields[%d]", i)
		switch {
		case slices.Contains(v.GetFields()[:i], name):
			return RefuseField(field, "%q is there twice", name)
		case !slices.Contains(known, name):
			return RefuseField(field, "%.40q cannot be changed so; use some of %q", name, known)
		}
	}
	t := v.GetTicket()
	for _, level := range []struct {
		name  string
		value int32
	}{{"impact", t.GetImpact()}, {"urgency", t.GetUrgency()}, {"severity", t.GetSeverity()}} {
		if slices.Contains(v.GetFields(), level.name) && level.value == 0 {
			return RefuseField("ticket."+level.name, "it is missing; give 1, 2 or 3")
		}
	}
	if slices.Contains(v.GetFields(), "title") {
		if err := given("ticket.title", t.GetTitle()); err != nil {
			return err
		}
	}
	return cmp.Or(checkCreate(t), text("reason", v.GetReason()))
}

// classify changes what the ticket says or how it is sorted. What follows from that by the policy goes along: the priority,
// and the checklist of the category when the ticket has none. What stays as it was is not written down.
func (w *writer) classify(v *deskpb.Classify) error {
	if err := w.mayClassify(v.GetFields()); err != nil {
		return err
	}
	before := w.ticket()
	after := proto.CloneOf(before)
	copyFields(after, v.GetTicket(), v.GetFields())
	p, err := w.policy()
	if err != nil {
		return err
	}
	if after, err = w.reintroduced(before, after); err != nil {
		return err
	}
	if err := checkAgainstPolicy(p, after, v.GetFields()); err != nil {
		return err
	}
	after.Priority = policy.Priority(p, after.GetImpact(), after.GetUrgency())
	if len(after.GetChecklist()) == 0 && slices.Contains(v.GetFields(), "category") {
		after.Checklist = checklistFor(p, after)
	}
	fields := slices.DeleteFunc(slices.Concat(v.GetFields(), derived()), func(name string) bool { return equalField(before, after, name) })
	if len(fields) == 0 {
		return nil
	}
	changed := &deskpb.Ticket{}
	copyFields(changed, after, fields)
	err = w.custodial(&deskpb.Event{
		Type: deskpb.Event_CLASSIFIED,
		Body: &deskpb.Body{Text: v.GetReason(), Classification: &deskpb.Classification{Fields: fields, Ticket: changed}},
	})
	if err != nil || !slices.Contains(fields, "major") {
		return err
	}
	return w.alert("declared at " + string(w.here.Site))
}

// reintroduced returns the ticket as it is to be with what the site's record adds to another requester than before. The record that
// the home has named stays named at sites that do not have it.
func (w *writer) reintroduced(before, after *deskpb.Ticket) (*deskpb.Ticket, error) {
	is, was := after.GetRequester(), before.GetRequester()
	if proto.Equal(is, was) || is.GetId() != "" && is.GetId() == was.GetId() && !w.atHome() {
		return after, nil
	}
	return w.introduced(after)
}

// mayClassify refuses to change a ticket that is over, and the levels of one that is solved.
func (w *writer) mayClassify(fields []string) error {
	_, levels := classifiable()
	if slices.ContainsFunc(fields, func(name string) bool { return slices.Contains(levels, name) }) {
		return w.needState(fmt.Sprintf("a change of %q", levels), unsolved)
	}
	return w.need(TicketClassify)
}

// checkAgainstPolicy refuses values of the changed fields that the policy does not take.
func checkAgainstPolicy(p *deskpb.Policy, t *deskpb.Ticket, changed []string) error {
	has := func(name string) bool { return slices.Contains(changed, name) }
	closed := p.GetClosing().GetClosedLists()
	if category := t.GetCategory(); closed && has("category") && category != "" && policy.Category(p, category).GetName() != category {
		return RefuseField("ticket.category", "%q is no category of this site's policy; choose one of it", category)
	}
	if service := t.GetService(); closed && has("service") && service != "" && policy.Service(p, service) == nil {
		return RefuseField("ticket.service", "%q is not in the service catalogue; choose an entry of it", service)
	}
	if !has("category") && !has("fields") {
		return nil
	}
	return checkSpecialFields(p, t)
}

// copyFields sets the named fields of a ticket, in the API's spelling, to what they are in another one.
func copyFields(to, from *deskpb.Ticket, names []string) {
	source, target := proto.CloneOf(from).ProtoReflect(), to.ProtoReflect()
	for _, name := range names {
		field := target.Descriptor().Fields().ByJSONName(name)
		switch {
		case field == nil:
		case source.Has(field):
			target.Set(field, source.Get(field))
		default:
			target.Clear(field)
		}
	}
}

// equalField tells whether a field is the same in both tickets.
func equalField(a, b *deskpb.Ticket, name string) bool {
	field := a.ProtoReflect().Descriptor().Fields().ByJSONName(name)
	left, right := &deskpb.Ticket{}, &deskpb.Ticket{}
	for _, side := range []struct{ from, to *deskpb.Ticket }{{a, left}, {b, right}} {
		if from := side.from.ProtoReflect(); from.Has(field) {
			side.to.ProtoReflect().Set(field, from.Get(field))
		}
	}
	return proto.Equal(left, right)
}

// foldClassified takes the new values over. It takes no field that people or the rules of classify cannot change.
func foldClassified(r *deskpb.Record, e *deskpb.Event) {
	words, levels := classifiable()
	known := slices.Concat(words, levels, derived())
	change := e.GetBody().GetClassification()
	fields := slices.DeleteFunc(slices.Clone(change.GetFields()), func(name string) bool { return !slices.Contains(known, name) })
	copyFields(r.Ticket, change.GetTicket(), fields)
}
