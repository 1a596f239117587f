package tiers

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/policyfile"
	"github.com/tierdesk/tierdesk/store"
)

// lay has an office publish a policy file as its own layer, as far as it fits below those above.
func (o *office) lay(t *testing.T, file string) []policyfile.Problem {
	t.Helper()
	above := read(o, PolicyAbove)
	layer, problems := policyfile.Check([]byte(file), above)
	if len(problems) > 0 {
		return problems
	}
	body, err := proto.Marshal(&deskpb.PolicyDocument{Policy: layer, Source: file})
	if err != nil {
		t.Fatal(err)
	}
	refusal := o.publish(t, &deskpb.Publication{Kind: PolicyKind, Name: PolicyName, MediaType: PolicyMediaType, Body: body})
	if refusal != nil {
		t.Fatal(refusal)
	}
	return nil
}

// previews returns what a ticket would be at an office.
func (o *office) previews(t *testing.T, ticket *deskpb.Ticket) *deskpb.Ticket {
	t.Helper()
	return read(o, func(r *store.Reader) (*deskpb.Ticket, error) {
		return Preview(r, &deskpb.TicketCommand{
			Actor: &deskpb.Actor{User: "lin", Role: deskpb.User_AGENT},
			Verb:  &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: ticket}},
		}, desk.Stamp{Time: 1795248000_000_000})
	})
}

// A province's policy holds at a county as soon as it is there, what the county lays over it holds at the county alone, and
// what the province has locked cannot be laid over.
func TestAPolicyHoldsBelow(t *testing.T) {
	top, middle, bottom := newOffice(t, province, wall), newOffice(t, city, wall), newOffice(t, county, wall)
	admit(t, top, middle)
	admit(t, middle, bottom)
	all := [][2]*office{{top, middle}, {middle, bottom}}
	carry(t, all...)
	report := &deskpb.Ticket{Title: "月结报表", Category: "业务事件"}
	if got := bottom.previews(t, report).GetPriority(); got != 3 {
		t.Fatalf("by the built-in policy the priority is %d, want 3", got)
	}
	for _, step := range []struct {
		at   *office
		file string
	}{
		{top, "priorities: [[1, 1, 2], [2, 4, 4], [3, 4, 5]]\nlocked: [priorities]\ncalendars: [{name: office, always: true}]"},
		{middle, "categories: [{name: 业务事件, urgency: 1}]"},
		{bottom, "categories: [{name: 业务事件/月结, urgency: 3}]"},
	} {
		if problems := step.at.lay(t, step.file); problems != nil {
			t.Fatalf("%s: %v", step.at.id, problems)
		}
	}
	if got := bottom.previews(t, report).GetPriority(); got != 3 {
		t.Errorf("before the province's policy is there the priority is %d, want 3", got)
	}
	carry(t, all...)
	for _, want := range []struct {
		at       *office
		category string
		urgency  int32
		priority int32
	}{
		{top, "业务事件", 2, 4}, {middle, "业务事件", 1, 2}, {bottom, "业务事件", 1, 2}, {bottom, "业务事件/月结", 3, 4}, {middle, "业务事件/月结", 1, 2},
	} {
		got := want.at.previews(t, &deskpb.Ticket{Title: "月结报表", Category: want.category})
		if got.GetUrgency() != want.urgency || got.GetPriority() != want.priority || got.GetNumber() != "" {
			t.Errorf("at %s a ticket of %s has urgency %d and priority %d, want %d and %d",
				want.at.id, want.category, got.GetUrgency(), got.GetPriority(), want.urgency, want.priority)
		}
	}
	for _, o := range []*office{top, middle, bottom} {
		if !policy.Calendar(read(o, Policy), policy.OfficeTime).GetAlways() {
			t.Errorf("%s does not count office time as the province says", o.id)
		}
	}
	problems := bottom.lay(t, "urging: {cool_down: 5m}\npriorities: [[1, 1, 1], [1, 1, 1], [1, 1, 1]]")
	if len(problems) != 1 || problems[0].Line != 2 || !strings.Contains(problems[0].String(), "locked") {
		t.Errorf("laying over what the province has locked is answered with %v, want a problem in line 2", problems)
	}
	layers := read(bottom, PolicyLayers)
	if len(layers) != 3 || layers[0].Publication.GetPublisher() != string(bottom.id) || layers[2].Document.GetPolicy().GetLocked()[0] != "priorities" {
		t.Errorf("the county has the layers %v, want its own, the city's and the province's", layers)
	}
}

// A document that cannot be read, and one that was taken back, say nothing.
func TestAPolicyThatCannotBeReadSaysNothing(t *testing.T) {
	top := newOffice(t, province, wall)
	for _, p := range []*deskpb.Publication{
		{Kind: PolicyKind, Name: PolicyName, MediaType: PolicyMediaType, Body: []byte{0xff}},
		{Kind: PolicyKind, Name: PolicyName, Removed: true},
	} {
		if refusal := top.publish(t, p); refusal != nil {
			t.Fatal(refusal)
		}
		if got := read(top, Policy); !proto.Equal(got, policy.Merge(policy.Default())) {
			t.Errorf("with the document %v the policy is not the built-in one", p)
		}
	}
}
