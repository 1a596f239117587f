package api

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// cast are the people of a test as their tokens, which are the keys, show them.
type cast map[string]*deskpb.Actor

// castPeople signs a cast in. What people do with accounts is memoryPeople's.
type castPeople struct {
	*memoryPeople
	cast cast
}

func (p castPeople) Authenticate(_ context.Context, token, address string) (*deskpb.Actor, error) {
	actor := proto.CloneOf(p.cast[token])
	if actor == nil {
		return nil, desk.Refuse(desk.Unauthenticated, "UNKNOWN_TOKEN", "the token is unknown or has expired; sign in again")
	}
	actor.Address = address
	return actor, nil
}

// newCastAPI is a site whose people are the cast and the administrator admin, with a key for surveys.
func newCastAPI(t testing.TB, people cast) *testAPI {
	t.Helper()
	people["admin"] = &deskpb.Actor{User: "admin", Role: deskpb.User_ADMINISTRATOR}
	a := &testAPI{t: t, site: newMemorySite(t), people: newMemoryPeople(), log: &bytes.Buffer{}}
	var err error
	a.server, err = New(Options{
		Backend: a.site, People: castPeople{a.people, people}, Logger: slog.New(slog.NewTextHandler(a.log, nil)),
		Metrics: prometheus.NewRegistry(), Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	a.handler = a.server.Handler()
	a.site.mu.Lock()
	defer a.site.mu.Unlock()
	b := a.site.store.NewBatch()
	defer b.Discard()
	site, err := b.Site()
	if err != nil {
		t.Fatal(err)
	}
	site.SurveyKey = bytes.Repeat([]byte{7}, desk.SurveyKeySize)
	if err := b.PutSite(site); err != nil {
		t.Fatal(err)
	}
	for _, actor := range people {
		user := &deskpb.User{Name: actor.User, Role: actor.Role, Scope: actor.Scope, Groups: actor.Groups, Offices: actor.Offices}
		if err := b.PutUser(user); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Commit(a.site.store.Applied()+1, 1); err != nil {
		t.Fatal(err)
	}
	return a
}

// everyRole has one of each role, in the role's own scope, named in small letters.
func everyRole() cast {
	people := cast{}
	for _, role := range desk.Roles() {
		name := strings.ToLower(role.String())
		people[name] = &deskpb.Actor{User: name, Role: role}
	}
	return people
}

// as is the header by which somebody of the cast calls.
func as(user string) header { return header{"Authorization", "Bearer " + user} }

// decide has the site's rules decide a command of the administrator and returns the ticket.
func (a *testAPI) decide(number string, c *deskpb.TicketCommand) *deskpb.Ticket {
	a.t.Helper()
	c.Number = number
	ctx := withCaller(a.t.Context(), caller{actor: &deskpb.Actor{User: "admin", Role: deskpb.User_ADMINISTRATOR}})
	result, err := a.site.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: c}})
	if err != nil {
		a.t.Fatalf("%T on %q: %v", c.Verb, number, err)
	}
	return result.Ticket
}

// open opens a ticket and returns its number.
func (a *testAPI) open(t *deskpb.Ticket) string {
	a.t.Helper()
	return a.decide("", &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: t}}}).Number
}

// alter changes a ticket as another site would have changed it before it came here: as it is stored, beside the rules.
func (a *testAPI) alter(number string, change func(*deskpb.Record)) {
	a.t.Helper()
	a.site.mu.Lock()
	defer a.site.mu.Unlock()
	b := a.site.store.NewBatch()
	defer b.Discard()
	known, err := b.Ticket(desk.TicketNumber(number))
	if err != nil {
		a.t.Fatal(err)
	}
	record := proto.CloneOf(known)
	change(record)
	if err := b.PutTicket(record); err != nil {
		a.t.Fatal(err)
	}
	if err := b.Commit(a.site.store.Applied()+1, 1); err != nil {
		a.t.Fatal(err)
	}
}

// stored is a ticket's record as the site has it.
func (a *testAPI) stored(number string) (record *deskpb.Record) {
	a.t.Helper()
	err := a.site.store.View(func(r *store.Reader) (err error) {
		record, err = r.Ticket(desk.TicketNumber(number))
		return err
	})
	if err != nil || record == nil {
		a.t.Fatalf("ticket %s: %v %v", number, record, err)
	}
	return record
}
