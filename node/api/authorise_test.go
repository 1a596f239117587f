package api

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// TestTokens makes every call without a token, with one that nobody has, with limited ones, and before the first password was
// changed. What is open to all is answered in any case.
func TestTokens(t *testing.T) {
	t.Parallel()
	people := everyRole()
	for token, limits := range map[string][]string{
		"reads": {"read"}, "reads tickets": {"tickets:read"}, "tickets": {"tickets"}, "audit and site": {"audit", "site:read"},
	} {
		people[token] = &deskpb.Actor{User: "root", Role: deskpb.User_ADMINISTRATOR, Limits: limits}
	}
	people["fresh"] = &deskpb.Actor{User: "root", Role: deskpb.User_ADMINISTRATOR, MustChangePassword: true}
	a := newCastAPI(t, people)
	entries := a.entries(t)
	s := a.roleSetting("administrator")
	s.user = "root"
	for _, transport := range a.transports(t) {
		for method, sample := range entries {
			if method == "Recoveries/BackupSite" && transport.name == "HTTP" {
				continue
			}
			open := sample.verb.NeedsNoSignIn()
			for token, reason := range map[string]string{"": "NO_TOKEN", "nobody's": "UNKNOWN_TOKEN"} {
				got := transport.call(t, token, method, sample.request(s))
				if refused := got.code == codes.Unauthenticated && got.reason == reason; refused == open {
					t.Errorf("%s over %s with the token %q: %s", method, transport.name, token, got)
				}
			}
			for _, token := range []string{"reads", "reads tickets", "tickets", "audit and site"} {
				want := open || limitHas(token, sample.verb)
				got := transport.call(t, token, method, sample.request(s))
				if limited := got.reason == "TOKEN_LIMITED"; limited == want {
					t.Errorf("%s (%s) over %s with a token for %v: %s", method, sample.verb, transport.name, people[token].Limits, got)
				}
			}
			want := open || slices.Contains([]desk.Verb{desk.OwnSignOut, desk.OwnRead, desk.OwnPassword}, sample.verb)
			got := transport.call(t, "fresh", method, sample.request(s))
			if denied := got.reason == "PASSWORD_CHANGE_REQUIRED"; denied == want {
				t.Errorf("%s over %s before the password was changed: %s", method, transport.name, got)
			}
		}
	}
}

// limitHas says what each of the limited tokens is for.
func limitHas(token string, verb desk.Verb) bool {
	if verb == desk.OwnRead {
		return true
	}
	area, reading := verb.Area(), !verb.Changes()
	switch token {
	case "reads":
		return reading && area != ""
	case "reads tickets":
		return reading && area == desk.AreaTickets
	case "tickets":
		return area == desk.AreaTickets
	}
	return area == desk.AreaAudit || reading && area == desk.AreaSite
}

// TestDeniedCallsAreTold reads what the audit log is told of: calls that are denied by the role, and by the rules on a ticket, once
// each; not what is not found, and not what fails otherwise.
func TestDeniedCallsAreTold(t *testing.T) {
	t.Parallel()
	a := newCastAPI(t, everyRole())
	number := a.open(&deskpb.Ticket{Title: "x"})
	task := &deskpb.Task{Title: "审批", Kind: deskpb.Task_APPROVAL, Assignee: "leader"}
	a.decide(number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_AddTask{AddTask: &deskpb.AddTask{Task: task}}})
	path := "/api/v1/tickets/" + number
	for _, call := range []struct {
		user, method, target, body string
		status                     int
		action, object             string
	}{
		{"agent", "POST", "/api/v1/policy", `{}`, 403, "policy.apply", ""},
		{"auditor", "POST", path + ":note", `{"text":"x"}`, 403, "ticket.note", number},
		{"agent", "DELETE", "/api/v1/users/li", ``, 403, "user.delete", "li"},
		{"leader", "POST", path + ":changeTask", `{"task":1,"action":"CANCEL"}`, 403, "ticket.changeTask", number},
		{"agent", "POST", path + "/attachments?name=a.txt", "", 400, "", ""},
		{"leader", "POST", path + "/attachments?name=a.txt", "text", 403, "ticket.attach", number},
		{"requester", "GET", path, ``, 404, "", ""},
		{"agent", "POST", path + ":resume", ``, 409, "", ""},
		{"nobody", "GET", path, ``, 401, "", ""},
	} {
		before := len(a.site.audited)
		got := a.call(call.method, call.target, call.body, as(call.user))
		if got.status != call.status {
			t.Fatalf("%s %s as %s: %d %s, want %d", call.method, call.target, call.user, got.status, got.body, call.status)
		}
		told := a.site.audited[before:]
		if call.action == "" {
			if len(told) > 0 {
				t.Errorf("%s %s as %s is told: %v", call.method, call.target, call.user, told)
			}
			continue
		}
		want := &deskpb.AuditEntry{
			Actor: call.user, Role: deskpb.User_Role(deskpb.User_Role_value[strings.ToUpper(call.user)]), Address: "192.0.2.1",
			Action: call.action, Object: call.object, Outcome: deskpb.AuditEntry_REFUSED, Reason: got.text("message"),
		}
		if len(told) != 1 || !proto.Equal(told[0], want) {
			t.Errorf("%s %s as %s is told as %v, want %v", call.method, call.target, call.user, told, want)
		}
	}
	if message := a.call("POST", "/api/v1/policy", `{}`, as("agent")).text("message"); !strings.Contains(message, "AGENT") || !strings.Contains(message, "ADMINISTRATOR") {
		t.Errorf("a denied agent is told %q, without who may", message)
	}
}

// TestCommandsSayWhoAsks looks at commands as the log gets them.
func TestCommandsSayWhoAsks(t *testing.T) {
	t.Parallel()
	actor := &deskpb.Actor{User: "li", Role: deskpb.User_AGENT, Address: "10.0.0.7", Session: "s1", Lines: []deskpb.Ticket_Line{deskpb.Ticket_FIRST}}
	ctx := withCaller(t.Context(), caller{actor: actor})
	ticket := &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{}}}
	Attribute(ctx, "n2", ticket)
	if !proto.Equal(ticket.GetTicket().GetActor(), actor) || ticket.Actor != nil || ticket.Node != "n2" {
		t.Errorf("a command on a ticket says %v", ticket)
	}
	duty := &deskpb.Command{Kind: &deskpb.Command_SetDuty{SetDuty: &deskpb.SetDuty{}}}
	Attribute(ctx, "n2", duty)
	if !proto.Equal(duty.Actor, actor) || duty.Node != "n2" {
		t.Errorf("another command says %v", duty)
	}
	own := &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{Actor: &deskpb.Actor{}}}}
	Attribute(t.Context(), "n2", own)
	if own.Actor != nil || own.GetTicket().GetActor().GetUser() != "" || own.Node != "n2" {
		t.Errorf("a command of the site itself says %v", own)
	}
	given := &deskpb.Command{Actor: &deskpb.Actor{User: "wang"}, Kind: &deskpb.Command_PutUser{PutUser: &deskpb.PutUser{}}}
	Attribute(t.Context(), "n2", given)
	if given.Actor.GetUser() != "wang" {
		t.Errorf("a command that says who asks is changed to %v", given)
	}
}

// TestWhereACallComesFrom does not believe headers.
func TestWhereACallComesFrom(t *testing.T) {
	t.Parallel()
	a := newCastAPI(t, everyRole())
	made := a.must("POST", "/api/v1/tickets", `{"ticket":{"title":"x"}}`, as("agent"), header{"X-Forwarded-For", "203.0.113.9"}, header{"X-Real-Ip", "203.0.113.9"})
	journal := a.must("GET", "/api/v1/tickets/"+made.text("number")+"/journal", "", as("auditor"))
	entry := journal.json["entries"].([]any)[0].(map[string]any)
	if entry["address"] != "192.0.2.1" {
		t.Errorf("the address is %v, want that of the connection", entry["address"])
	}
}
