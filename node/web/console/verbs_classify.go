package console

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// classifyFields are what people change of a ticket by sorting it anew.
var classifyFields = []verbField{
	{name: "ticket.title", kind: kindLine, required: true, wide: true, most: desk.MaxTitle, present: (*deskpb.Ticket).GetTitle},
	{name: "ticket.description", kind: kindArea, present: (*deskpb.Ticket).GetDescription},
	{name: "ticket.category", kind: kindChoice, choices: offerCategories, present: (*deskpb.Ticket).GetCategory},
	{name: "ticket.application", kind: kindSuggest, most: lineLimit, choices: offerApplications, present: (*deskpb.Ticket).GetApplication},
	{name: "ticket.applicationVersion", kind: kindLine, most: lineLimit, present: (*deskpb.Ticket).GetApplicationVersion},
	{name: "ticket.configurationItem", kind: kindLine, most: lineLimit, present: (*deskpb.Ticket).GetConfigurationItem},
	{name: "ticket.service", kind: kindChoice, choices: offerServices, present: (*deskpb.Ticket).GetService},
	{name: "ticket.impact", kind: kindChoice, required: true, choices: offerLevels, present: level((*deskpb.Ticket).GetImpact)},
	{name: "ticket.urgency", kind: kindChoice, required: true, choices: offerLevels, present: level((*deskpb.Ticket).GetUrgency)},
	{name: "ticket.severity", kind: kindChoice, choices: offerFaultLevels, present: level((*deskpb.Ticket).GetSeverity)},
	{name: "ticket.tags", kind: kindLine, most: desk.MaxTags * desk.MaxTag, present: func(t *deskpb.Ticket) string { return strings.Join(t.GetTags(), ", ") }},
	{name: "ticket.major", kind: kindTick, present: tick((*deskpb.Ticket).GetMajor)},
	{name: "ticket.visit", kind: kindTick, present: tick((*deskpb.Ticket).GetVisit)},
	{name: "ticket.coordinator", kind: kindPerson, most: lineLimit, present: (*deskpb.Ticket).GetCoordinator},
	{name: "ticket.requester.name", kind: kindLine, most: lineLimit, present: ofRequester((*deskpb.Requester).GetName)},
	{name: "ticket.requester.unit", kind: kindLine, most: lineLimit, present: ofRequester((*deskpb.Requester).GetUnit)},
	{name: "ticket.requester.phone", kind: kindLine, most: lineLimit, present: ofRequester((*deskpb.Requester).GetPhone)},
	{name: "ticket.requester.email", kind: kindLine, most: lineLimit, present: ofRequester((*deskpb.Requester).GetEmail)},
	fieldReason,
}

// level prints a level; nothing for one that is not set.
func level(of func(*deskpb.Ticket) int32) func(*deskpb.Ticket) string {
	return func(t *deskpb.Ticket) string {
		if of(t) == 0 {
			return ""
		}
		return strconv.Itoa(int(of(t)))
	}
}

func tick(of func(*deskpb.Ticket) bool) func(*deskpb.Ticket) string {
	return func(t *deskpb.Ticket) string {
		if of(t) {
			return "1"
		}
		return ""
	}
}

func ofRequester(of func(*deskpb.Requester) string) func(*deskpb.Ticket) string {
	return func(t *deskpb.Ticket) string { return of(t.GetRequester()) }
}

// specialInput is the name of an input for a special field of a category.
const specialInput = "ticket.fields."

// classify changes what differs from the ticket as it is. The ticket may have changed since the form was made: the etag, which came with
// the form, tells.
func classify(ctx context.Context, api apipb.TicketsClient, o deed) (*deskpb.Ticket, error) {
	present, err := api.GetTicket(ctx, &apipb.GetTicketRequest{Number: o.number})
	if err != nil {
		return nil, err
	}
	after, fields := classified(present, o)
	if len(fields) == 0 {
		return nil, desk.Refuse(desk.InvalidArgument, "NOTHING_CHANGED", "nothing differs from ticket %s as it is; change something", o.number)
	}
	return api.ClassifyTicket(ctx, &apipb.ClassifyTicketRequest{
		Number: o.number, Etag: o.etag, RequestId: o.request, Ticket: after, Fields: fields, Reason: o.text("reason"),
	})
}

// classified is a ticket as a form has it, and the API's names of the fields that differ. What the form does not have stays.
func classified(present *deskpb.Ticket, o deed) (after *deskpb.Ticket, fields []string) {
	after = proto.CloneOf(present)
	if after.Requester == nil {
		after.Requester = &deskpb.Requester{}
	}
	if after.Fields == nil {
		after.Fields = make(map[string]string)
	}
	for name, into := range wordsOf(after) {
		if _, there := o.form["ticket."+name]; there {
			*into = o.text("ticket." + name)
		}
	}
	if _, there := o.form["ticket.impact"]; there {
		after.Impact, after.Urgency, after.Severity = o.count("ticket.impact"), o.count("ticket.urgency"), o.count("ticket.severity")
		after.Major, after.Visit = o.ticked("ticket.major"), o.ticked("ticket.visit")
	}
	if _, there := o.form["ticket.tags"]; there {
		after.Tags = listed(o.text("ticket.tags"))
	}
	if after.Category != present.GetCategory() {
		clear(after.Fields)
	}
	for input := range o.form {
		if name, special := strings.CutPrefix(input, specialInput); special {
			if after.Fields[name] = o.text(input); after.Fields[name] == "" {
				delete(after.Fields, name)
			}
		}
	}
	return after, differing(present, after)
}

// wordsOf finds the texts of a ticket that people change, by the API's names.
func wordsOf(t *deskpb.Ticket) map[string]*string {
	return map[string]*string{
		"title": &t.Title, "description": &t.Description, "category": &t.Category, "application": &t.Application,
		"applicationVersion": &t.ApplicationVersion, "configurationItem": &t.ConfigurationItem, "service": &t.Service, "coordinator": &t.Coordinator,
		"requester.name": &t.Requester.Name, "requester.unit": &t.Requester.Unit, "requester.phone": &t.Requester.Phone, "requester.email": &t.Requester.Email,
	}
}

// differing names the fields in which two tickets differ, of those that people change.
func differing(before, after *deskpb.Ticket) (fields []string) {
	for _, field := range []struct {
		name    string
		differs bool
	}{
		{"title", before.GetTitle() != after.Title},
		{"description", before.GetDescription() != after.Description},
		{"category", before.GetCategory() != after.Category},
		{"application", before.GetApplication() != after.Application},
		{"applicationVersion", before.GetApplicationVersion() != after.ApplicationVersion},
		{"configurationItem", before.GetConfigurationItem() != after.ConfigurationItem},
		{"service", before.GetService() != after.Service},
		{"tags", !slices.Equal(before.GetTags(), after.Tags)},
		{"impact", before.GetImpact() != after.Impact},
		{"urgency", before.GetUrgency() != after.Urgency},
		{"severity", before.GetSeverity() != after.Severity},
		{"major", before.GetMajor() != after.Major},
		{"visit", before.GetVisit() != after.Visit},
		{"coordinator", before.GetCoordinator() != after.Coordinator},
		{"fields", !maps.Equal(before.GetFields(), after.Fields)},
		{"requester", !sameRequester(before.GetRequester(), after.Requester)},
	} {
		if field.differs {
			fields = append(fields, field.name)
		}
	}
	return fields
}

func sameRequester(a, b *deskpb.Requester) bool {
	return a.GetName() == b.GetName() && a.GetUnit() == b.GetUnit() && a.GetPhone() == b.GetPhone() && a.GetEmail() == b.GetEmail()
}
