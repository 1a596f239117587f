package api

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// withNames is a site with 李强, 王磊 of the city as far as its events tell, the requester 陈静, and a ticket of hers on which 李强 works.
func withNames(t *testing.T) (a *testAPI, number string) {
	t.Helper()
	a = newCastAPI(t, everyRole())
	a.callPeople(t, map[string]string{"agent": "李强", "requester": "陈静"})
	number = a.must("POST", "/api/v1/tickets",
		`{"ticket":{"title":"报表打不开","assignee":"agent","requester":{"name":"陈静","user":"requester"}}}`, as("agent")).text("number")
	a.must("POST", "/api/v1/tickets/"+number+":reply", `{"text":"还没有好"}`, as("requester"))
	return a, number
}

// callPeople gives accounts their names.
func (a *testAPI) callPeople(t *testing.T, names map[string]string) {
	a.site.write(t, func(b *store.Batch) error {
		for user, name := range names {
			known, err := b.User(desk.UserID(user))
			if err != nil {
				return err
			}
			account := proto.CloneOf(known)
			account.DisplayName = name
			if err := b.PutUser(account); err != nil {
				return err
			}
		}
		return nil
	})
}

// replyFrom has a reply of another site's agent arrive, as that site wrote it.
func (a *testAPI) replyFrom(t *testing.T, site, user, number string, names ...*deskpb.PersonName) {
	t.Helper()
	record := a.stored(number)
	event, err := desk.Seal(&deskpb.Event{
		Ticket: number, Id: &deskpb.EventID{Site: site, Incarnation: 1, Sequence: uint64(record.GetEvents()) + 1}, Class: deskpb.Event_REMARK,
		Type: deskpb.Event_REPLIED, Visibility: deskpb.Event_EVERYONE, CustodyTerm: 1, Path: record.GetPath(), Schema: desk.Schema,
		Time: record.GetLastTime() + 1, Actor: user, Role: deskpb.User_AGENT, Body: &deskpb.Body{Text: "市中心在查"}, Names: names,
	})
	if err != nil {
		t.Fatal(err)
	}
	if record, err = desk.Fold(record, event); err != nil {
		t.Fatal(err)
	}
	a.site.write(t, func(b *store.Batch) error {
		if err := b.AddEvent(event); err != nil {
			return err
		}
		return b.PutTicket(record)
	})
}

// authors are the actors of a journal with their names, as somebody sees them.
func (a *testAPI) authors(number, user string) (told []string) {
	for _, entry := range a.must("GET", "/api/v1/tickets/"+number+"/journal", "", as(user)).json["entries"].([]any) {
		one := entry.(map[string]any)
		name, _ := one["actorName"].(string)
		told = append(told, one["site"].(string)+" "+one["actor"].(string)+" "+name)
	}
	return told
}

func TestTheJournalTellsHowItsAuthorsWereCalled(t *testing.T) {
	t.Parallel()
	a, number := withNames(t)
	a.replyFrom(t, "330100", "wang", number, &deskpb.PersonName{User: "wang", Name: "王磊"})
	a.replyFrom(t, "330100", "agent", number)
	a.callPeople(t, map[string]string{"agent": "李强（调走）", "requester": "陈婧"})
	want := []string{
		"330106 agent 李强", "330106 requester 陈静", "330100 wang 王磊",
		"330100 agent ", // a namesake of another site is nobody here
	}
	for _, user := range []string{"agent", "auditor", "requester"} {
		got := a.authors(number, user)
		if len(got) != len(want) {
			t.Fatalf("the journal has the entries %q, want %q", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("a %s reads entry %d as by %q, want %q", user, i, got[i], want[i])
			}
		}
	}
}

func TestOfEventsWithoutNamesTheAccountTells(t *testing.T) {
	t.Parallel()
	a := newCastAPI(t, everyRole())
	number := a.must("POST", "/api/v1/tickets", `{"ticket":{"title":"报表打不开"}}`, as("agent")).text("number")
	if got := a.authors(number, "agent")[0]; got != "330106 agent " {
		t.Errorf("without a name the ticket was opened by %q", got)
	}
	a.callPeople(t, map[string]string{"agent": "李强"})
	if got := a.authors(number, "agent")[0]; got != "330106 agent 李强" {
		t.Errorf("after the account got its name the ticket was opened by %q", got)
	}
}

func TestWhoIsShownThePeopleOfATicket(t *testing.T) {
	t.Parallel()
	a, number := withNames(t)
	a.replyFrom(t, "330100", "wang", number, &deskpb.PersonName{User: "wang", Name: "王磊"})
	for user, want := range map[string]string{"agent": "330100 王磊; 330106 李强; ", "requester": "330106 李强; "} {
		for _, path := range []string{"/api/v1/tickets/" + number, "/api/v1/tickets"} {
			shown := a.must("GET", path, "", as(user)).json
			if list, ok := shown["tickets"].([]any); ok {
				shown = list[0].(map[string]any)
			}
			got := ""
			for _, person := range shown["people"].([]any) {
				one := person.(map[string]any)
				got += one["site"].(string) + " " + one["displayName"].(string) + "; "
			}
			if got != want {
				t.Errorf("%s shows a %s the people %q, want %q", path, user, got, want)
			}
		}
	}
}

func TestNobodyWritesThePeopleOfATicket(t *testing.T) {
	t.Parallel()
	a, number := withNames(t)
	made := a.must("POST", "/api/v1/tickets", `{"ticket":{"title":"x","people":[{"site":"330106","user":"admin","displayName":"市长"}]}}`, as("agent"))
	for _, person := range made.json["people"].([]any) {
		if person.(map[string]any)["user"] != "agent" {
			t.Errorf("a new ticket has the person %v of its author's", person)
		}
	}
	got := a.call("POST", "/api/v1/tickets/"+number+":classify", `{"fields":["people"],"ticket":{"people":[]}}`, as("agent"))
	if got.status != 400 {
		t.Errorf("to change the people of a ticket comes to %d %s, want 400", got.status, got.body)
	}
}

// TestAGuestIsToldWhoWorksElsewhere follows a problem to the city.
func TestAGuestIsToldWhoWorksElsewhere(t *testing.T) {
	t.Parallel()
	a, _ := newPortalAPI(t)
	made := a.report("r1")
	number := made.text("number")
	a.replyFrom(t, "330100", "wang", number, &deskpb.PersonName{User: "wang", Name: "王磊"})
	a.alter(number, func(r *deskpb.Record) { r.Ticket.CustodianSite, r.Ticket.Assignee = "330100", "wang" })
	shown := a.must("GET", problems+"/"+made.text("token"), "", nobody())
	if got := shown.text("now.person"); got != "王磊" {
		t.Errorf("the guest is told that %q works on it at the city, want 王磊", got)
	}
	message := shown.json["messages"].([]any)[0].(map[string]any)
	if message["person"] != "王磊" {
		t.Errorf("the guest is told that %v wrote from the city, want 王磊", message["person"])
	}
	if strings.Contains(shown.body, `"wang"`) {
		t.Errorf("the guest is told the account's name: %s", shown.body)
	}
}
