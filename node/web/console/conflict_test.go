package console

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func changed(id string, changes ...*apipb.Change) *apipb.JournalEntry {
	return &apipb.JournalEntry{Id: id, Actor: "li", Changes: changes}
}

func from(field, before, after string) *apipb.Change {
	return &apipb.Change{Field: field, Before: before, After: after}
}

func TestDifferenceTellsWhatBecameOfEachFieldSinceAForm(t *testing.T) {
	entries := []*apipb.JournalEntry{
		changed("1", from("title", "", "a")),
		changed("2", from("assignee", "", "zhang"), from("custodyTerm", "1", "2")),
		changed("3", from("title", "a", "b"), from("state", "NEW", "ASSIGNED")),
		changed("4", from("title", "b", "c"), from("state", "ASSIGNED", "NEW")),
	}
	for seen, want := range map[string]string{
		"1": "assignee: >zhang by 2; title: a>c by 4; ",
		"2": "title: a>c by 4; ",
		"3": "title: b>c by 4; state: ASSIGNED>NEW by 4; ",
		"4": "",
		"":  "title: >c by 4; assignee: >zhang by 2; ",
	} {
		got := ""
		for _, d := range differenceSince(entries, seen) {
			got += fmt.Sprintf("%s: %s>%s by %s; ", d.Field, d.Before, d.After, d.By.GetId())
		}
		if got != want {
			t.Errorf("behind entry %q:\n got %s\nwant %s", seen, got, want)
		}
	}
}

func TestClassifiedNamesWhatAFormChanges(t *testing.T) {
	present := &deskpb.Ticket{
		Title: "打印机", Category: "操作事件", Impact: 2, Urgency: 2, Tags: []string{"票据"}, Fields: map[string]string{"单据号": "7"},
		Requester: &deskpb.Requester{Name: "刘洋", Phone: "138****0001"},
	}
	for name, c := range map[string]struct {
		form url.Values
		want []string
	}{
		"nothing":                     {url.Values{"ticket.title": {" 打印机 "}, "ticket.tags": {"票据"}}, nil},
		"a title":                     {url.Values{"ticket.title": {"打印机卡纸"}}, []string{"title"}},
		"levels":                      {url.Values{"ticket.impact": {"1"}, "ticket.urgency": {"2"}, "ticket.major": {"1"}}, []string{"impact", "major"}},
		"tags":                        {url.Values{"ticket.tags": {"票据，打印, "}}, []string{"tags"}},
		"a special field":             {url.Values{"ticket.fields.单据号": {"8"}}, []string{"fields"}},
		"a category takes its fields": {url.Values{"ticket.category": {"数据问题"}}, []string{"category", "fields"}},
		"the requester":               {url.Values{"ticket.requester.unit": {"预算科"}}, []string{"requester"}},
	} {
		if _, fields := classified(present, deed{form: c.form}); !slices.Equal(fields, c.want) {
			t.Errorf("%s: %v change, not %v", name, fields, c.want)
		}
	}
}

func TestLikeliestVerbFitsThePersonAndTheState(t *testing.T) {
	all := map[string]bool{}
	for _, verb := range verbs {
		all[verb.name] = true
	}
	for _, c := range []struct {
		ticket *deskpb.Ticket
		want   string
	}{
		{&deskpb.Ticket{State: deskpb.Ticket_NEW}, "claim"},
		{&deskpb.Ticket{State: deskpb.Ticket_ASSIGNED, Assignee: "li"}, "claim"},
		{&deskpb.Ticket{State: deskpb.Ticket_ASSIGNED, Assignee: "li", Accepted: true}, "start"},
		{&deskpb.Ticket{State: deskpb.Ticket_ASSIGNED, Assignee: "zhang"}, "urge"},
		{&deskpb.Ticket{State: deskpb.Ticket_IN_PROGRESS}, "resolve"},
		{&deskpb.Ticket{State: deskpb.Ticket_ON_HOLD}, "resume"},
		{&deskpb.Ticket{State: deskpb.Ticket_RESOLVED}, "confirm"},
		{&deskpb.Ticket{State: deskpb.Ticket_CLOSED}, ""},
		{&deskpb.Ticket{State: deskpb.Ticket_IN_PROGRESS, Handover: &deskpb.Handover{State: deskpb.Handover_QUEUED}}, "withdraw"},
		{&deskpb.Ticket{State: deskpb.Ticket_IN_PROGRESS, Handover: &deskpb.Handover{State: deskpb.Handover_IN_TRANSIT}}, "urge"},
	} {
		if got := likeliest(c.ticket, "li", true, all); got != c.want {
			t.Errorf("%v of %q in %v: %q, not %q", c.ticket.GetState(), c.ticket.GetAssignee(), c.ticket.GetHandover().GetState(), got, c.want)
		}
		if got := likeliest(c.ticket, "li", true, nil); got != "" {
			t.Errorf("%v: %q is offered to who may do nothing", c.ticket.GetState(), got)
		}
		if got := likeliest(c.ticket, "li", false, all); got == "urge" {
			t.Errorf("%v of %q: somebody is urged before anything is late", c.ticket.GetState(), c.ticket.GetAssignee())
		}
	}
}
