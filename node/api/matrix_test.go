package api

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// entries are sample calls of all methods, those about oneself left out.
func (a *testAPI) entries(t testing.TB) map[string]entry {
	all := readsOfTicket()
	for method, request := range onTicket() {
		all[method] = entry{a.addressVerb(t, method), request}
	}
	maps.Copy(all, besideTickets())
	maps.Copy(all, aboutTheSite())
	return all
}

// addressVerb is the verb of a method on a ticket by the word in its address.
func (a *testAPI) addressVerb(t testing.TB, method string) desk.Verb {
	switch method {
	case "Attachments/AddAttachment":
		return desk.TicketAttach
	case "Surveys/CreateSurvey":
		return desk.SurveyCreate
	}
	return desk.Verb("ticket." + a.server.routes.byRPC[fullName(descriptorOf(t, method))].verb)
}

// setting prepares what sample calls by a user are about. The ticket is one that the requester of the cast reported.
func (a *testAPI) setting(state deskpb.Ticket_State, user string) setting {
	return setting{number: a.inState(state, user), other: a.open(&deskpb.Ticket{Title: "另一张"}), user: user}
}

// inState opens a ticket that the requester reported and brings it into a state; whom it is given to is the user.
func (a *testAPI) inState(state deskpb.Ticket_State, user string) string {
	a.t.Helper()
	number := a.open(&deskpb.Ticket{
		Title: "打印机卡纸", Major: true, Severity: 3, Coordinator: "admin",
		Requester: &deskpb.Requester{Name: "张三", User: "requester", Phone: "13812345678", Email: "zhang@example.cn"},
	})
	var signers []*deskpb.Signer
	for _, role := range desk.Roles() {
		signers = append(signers, &deskpb.Signer{User: strings.ToLower(role.String())})
	}
	task := &deskpb.Task{Title: "会签", Kind: deskpb.Task_COSIGN, Signers: signers, Quorum: 1}
	a.decide(number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_AddTask{AddTask: &deskpb.AddTask{Task: task}}})
	assign := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Assign{Assign: &deskpb.Assign{Assignee: user}}}
	start := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Start{Start: &deskpb.Start{}}}
	resolve := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resolve{Resolve: &deskpb.Resolve{Resolution: &deskpb.Resolution{Code: "solved", Text: "好了"}}}}
	review := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Review{Review: &deskpb.Review{Text: "教训"}}}
	steps := map[deskpb.Ticket_State][]*deskpb.TicketCommand{
		deskpb.Ticket_NEW:         nil,
		deskpb.Ticket_ASSIGNED:    {assign},
		deskpb.Ticket_IN_PROGRESS: {assign, start},
		deskpb.Ticket_ON_HOLD:     {assign, start, {Verb: &deskpb.TicketCommand_Hold{Hold: &deskpb.Hold{Reason: "waiting-above"}}}},
		deskpb.Ticket_RESOLVED:    {assign, start, resolve, review},
		deskpb.Ticket_CLOSED:      {assign, start, resolve, review, {Verb: &deskpb.TicketCommand_Close{Close: &deskpb.Close{}}}},
		deskpb.Ticket_CANCELED:    {{Verb: &deskpb.TicketCommand_Cancel{Cancel: &deskpb.Cancel{Reason: "误报"}}}},
	}
	for _, step := range steps[state] {
		a.decide(number, proto.CloneOf(step))
	}
	return number
}

// states are all states of a ticket.
func states() []deskpb.Ticket_State {
	var all []deskpb.Ticket_State
	for state := deskpb.Ticket_NEW; state <= deskpb.Ticket_CANCELED; state++ {
		all = append(all, state)
	}
	return all
}

// TestEveryMethodAsksForOneVerb holds the table of methods against the services that are registered, and against what the sample
// calls say of each by themselves.
func TestEveryMethodAsksForOneVerb(t *testing.T) {
	t.Parallel()
	a := newCastAPI(t, everyRole())
	entries := a.entries(t)
	for method := range a.server.routes.byRPC {
		short := strings.TrimPrefix(method, "/tierdesk.v1.")
		if _, known := a.server.methods[method]; !known {
			t.Errorf("%s is in no table of methods: nobody may call it", short)
		}
		if _, known := entries[short]; !known {
			t.Errorf("%s has no sample call", short)
		}
	}
	actor := &deskpb.Actor{User: "agent"}
	for _, sampled := range []map[string]entry{entries, aboutOneself()} {
		for method, sample := range sampled {
			got := a.server.methods.verb(actor, "/tierdesk.v1."+method, sample.request(setting{number: "n", user: "agent"}))
			if got != sample.verb {
				t.Errorf("%s asks for %s, want %s", method, got, sample.verb)
			}
			if !slices.Contains(desk.Verbs(), sample.verb) {
				t.Errorf("%s asks for %s, which is no verb", method, sample.verb)
			}
		}
	}
	if len(entries) != len(a.server.methods) {
		t.Errorf("%d methods have samples, the table has %d", len(entries), len(a.server.methods))
	}
}

// TestTheMatrixOfRoles calls every method that is not about one ticket's state as everybody, over both transports: who is not
// among the roles that the table names for its verb is denied, and nobody else.
func TestTheMatrixOfRoles(t *testing.T) {
	t.Parallel()
	rows := besideTickets()
	maps.Copy(rows, readsOfTicket())
	maps.Copy(rows, aboutTheSite())
	for _, role := range desk.Roles() {
		t.Run(role.String(), func(t *testing.T) {
			t.Parallel()
			a := newCastAPI(t, everyRole())
			transports := a.transports(t)
			shared := a.roleSetting(strings.ToLower(role.String()))
			for _, sampled := range []map[string]entry{rows, aboutOneself()} {
				for method, sample := range sampled {
					a.callByRole(t, transports, role, method, sample, shared)
				}
			}
		})
	}
}

// callByRole plays one cell of the matrix of roles. What an allowed call uses up is made for it alone.
func (a *testAPI) callByRole(t *testing.T, transports []transport, role deskpb.User_Role, method string, sample entry, shared setting) {
	t.Helper()
	allowed := slices.Contains(sample.verb.Roles(), role) || sample.verb.NeedsNoSignIn()
	var endings []ending
	for _, transport := range transports {
		if method == "Recoveries/BackupSite" && transport.name == "HTTP" {
			continue // a backup is a stream over gRPC alone
		}
		s := shared
		if allowed && sample.verb.Changes() {
			s = a.roleSetting(shared.user)
		}
		got := transport.call(t, shared.user, method, sample.request(s))
		if denied := got.code == codes.PermissionDenied; denied == allowed || got.code == codes.Unauthenticated {
			t.Errorf("%s by a %s over %s: %s; allowed is %v", method, role, transport.name, got, allowed)
		}
		endings = append(endings, got)
	}
	if len(endings) == 2 && (endings[0].code != endings[1].code || endings[0].reason != endings[1].reason) {
		t.Errorf("%s by a %s: gRPC says %s, HTTP %s", method, role, endings[0], endings[1])
	}
}

// roleSetting is a setting with everything that calls beside a ticket's state are about.
func (a *testAPI) roleSetting(user string) setting {
	a.t.Helper()
	s := setting{number: a.inState(deskpb.Ticket_RESOLVED, user), user: user}
	s.attachment = a.attach(s.number, "name=a.txt", "text")
	s.customer = a.must("POST", "/api/v1/requesters", `{"requester":{"name":"陈静"}}`).text("id")
	a.must("POST", "/api/v1/publications", `{"kind":"notice","name":"n","title":"通知","mediaType":"text/plain","body":"eA=="}`)
	s.guest = a.must("POST", "/api/v1/portal/problems:open", fmt.Sprintf(`{"number":%q,"phone":"13812345678"}`, s.number)).text("token")
	s.survey = strings.TrimPrefix(a.must("POST", "/api/v1/tickets/"+s.number+":survey", "").text("url"), surveyPath)
	return s
}

// TestTheMatrixOfVerbs does every verb on a ticket in every state as everybody, over both transports. Who has not got the verb
// is denied; who has it succeeds exactly when the list of verbs offers it.
func TestTheMatrixOfVerbs(t *testing.T) {
	t.Parallel()
	for _, role := range desk.Roles() {
		t.Run(role.String(), func(t *testing.T) {
			t.Parallel()
			a := newCastAPI(t, everyRole())
			transports := a.transports(t)
			for _, state := range states() {
				shared := a.setting(state, strings.ToLower(role.String()))
				for method, request := range onTicket() {
					for _, transport := range transports {
						played := cell{transport, role, state, method, request}
						t.Run(fmt.Sprintf("%s/%s/%s", state, method, transport.name), func(t *testing.T) { a.play(t, played, shared) })
					}
				}
			}
		})
	}
}

// cell is one verb by one role in one state.
type cell struct {
	transport transport
	role      deskpb.User_Role
	state     deskpb.Ticket_State
	method    string
	request   func(setting) proto.Message
}

// play makes the calls of a cell. Who has the verb gets a ticket that nobody has touched before.
func (a *testAPI) play(t *testing.T, c cell, s setting) {
	verb, user := a.addressVerb(t, c.method), s.user
	has := slices.Contains(verb.Roles(), c.role)
	if has {
		s = a.setting(c.state, user)
	}
	listed := c.transport.call(t, user, "Tickets/ListVerbs", &apipb.ListVerbsRequest{Number: s.number})
	if listed.code != codes.OK {
		t.Fatalf("the list of verbs: %s", listed)
	}
	word := strings.TrimPrefix(strings.TrimSuffix(string(verb), ".create"), "ticket.")
	offered := slices.Contains(listed.answer.(*apipb.ListVerbsResponse).GetVerbs(), word)
	got := c.transport.call(t, user, c.method, c.request(s))
	switch {
	case !has && got.code != codes.PermissionDenied:
		t.Errorf("%s, although %s is not for a %s", got, verb, c.role)
	case !has && offered:
		t.Errorf("%s is offered to a %s, who is denied it", verb, c.role)
	case has && got.code == codes.PermissionDenied && offered:
		t.Errorf("%s, although %s is offered", got, verb)
	case has && offered != (got.code == codes.OK) && !dependsOnMore(verb, c.state):
		t.Errorf("%s; offered is %v", got, offered)
	}
}

// dependsOnMore tells whether a verb that is offered may still be refused: a macro has steps of its own, and whether a ticket on
// hold is urged is for the policy to say.
func dependsOnMore(verb desk.Verb, state deskpb.Ticket_State) bool {
	return verb == desk.TicketMacro || verb == desk.TicketUrge && state == deskpb.Ticket_ON_HOLD
}
