package tiers

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/store"
)

// staff gives an office people, and a policy whose group takes tickets in turn.
func (o *office) staff(t *testing.T, people ...*deskpb.User) {
	t.Helper()
	p := policy.Default()
	p.Groups = []*deskpb.Team{{
		Name: "网络组", Members: []string{"gone", "wang", "sun"}, Method: deskpb.Team_ROUND_ROBIN,
	}}
	p.Dispatch = []*deskpb.DispatchRule{{Name: "all", Group: "网络组"}}
	err := o.log(func(b *store.Batch, _ desk.Stamp) error {
		for _, user := range people {
			if err := b.PutUser(user); err != nil {
				return err
			}
		}
		return b.PutBasePolicy(p)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func agent(name string) *deskpb.User { return &deskpb.User{Name: name, Role: deskpb.User_AGENT} }

// told returns what a person of an office was told, the oldest first: the kind of event and the ticket's title.
func (o *office) told(user desk.UserID) (news []string) {
	for _, n := range slices.Backward(read(o, func(r *store.Reader) ([]*deskpb.Notice, error) { return r.Notices(user) })) {
		news = append(news, n.Kind+" "+n.Title)
	}
	return news
}

func (o *office) checkTold(t *testing.T, user desk.UserID, want ...string) {
	t.Helper()
	if got := o.told(user); !slices.Equal(got, want) {
		t.Errorf("at %s %s was told %q, want %q", o.id, user, got, want)
	}
}

func TestPeopleOfTheSiteGetTicketsInTurnAndHearOfIt(t *testing.T) {
	o := newOffice(t, county, wall)
	o.staff(t, agent("wang"), agent("sun"))
	for i := range 3 {
		o.open(t, fmt.Sprint(i))
	}
	o.checkTold(t, "wang", "ASSIGNED 0", "ASSIGNED 2")
	o.checkTold(t, "sun", "ASSIGNED 1")
	o.checkTold(t, "gone")
	if load := read(o, func(r *store.Reader) (int, error) { return r.Load("wang", 10) }); load != 2 {
		t.Errorf("wang has %d tickets, want 2", load)
	}
}

// Whose account names the group gets tickets as those do whom its policy names; who may not sign in, or does not work on tickets, gets none.
func TestAccountsOfAGroupGetItsTickets(t *testing.T) {
	o := newOffice(t, county, wall)
	named := func(name string, role deskpb.User_Role, disabled bool) *deskpb.User {
		return &deskpb.User{Name: name, Role: role, Groups: []string{"网络组"}, Disabled: disabled}
	}
	wang := agent("wang")
	wang.Disabled = true
	o.staff(t, wang, named("chen", deskpb.User_DISPATCHER, false), named("sun", deskpb.User_AGENT, false),
		named("bai", deskpb.User_LEADER, false), named("an", deskpb.User_AGENT, true), &deskpb.User{Name: "other", Role: deskpb.User_AGENT, Groups: []string{"应用组"}})
	for i := range 3 {
		o.open(t, fmt.Sprint(i))
	}
	o.checkTold(t, "sun", "ASSIGNED 0", "ASSIGNED 2")
	o.checkTold(t, "chen", "ASSIGNED 1")
	for _, nobody := range []desk.UserID{"wang", "bai", "an", "other"} {
		o.checkTold(t, nobody)
	}
}

// Several tickets of one log entry go on in turn too: each sees what those before it did.
func TestTurnsGoOnWithinAnEntry(t *testing.T) {
	o := newOffice(t, county, wall)
	o.staff(t, agent("wang"), agent("sun"))
	var got []string
	err := o.log(func(b *store.Batch, at desk.Stamp) error {
		for range 4 {
			command := create("断网")
			command.Actor = &deskpb.Actor{User: "li", Role: deskpb.User_AGENT}
			d, err := Decide(b, command, at)
			if err != nil {
				return err
			}
			got = append(got, d.Record.Ticket.Assignee)
		}
		return nil
	})
	if want := []string{"wang", "sun", "wang", "sun"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("tickets go to %q, %v; want %q", got, err, want)
	}
}

func TestNewsFromOtherSitesReachThePeopleHere(t *testing.T) {
	child, parent := newOffice(t, county, wall), newOffice(t, city, wall)
	admit(t, child, parent)
	child.staff(t, agent("wang"), agent("sun"))
	parent.staff(t, agent("wang"), &deskpb.User{Name: "zheng", Role: deskpb.User_INCIDENT_MANAGER})
	command := create("全县断网")
	command.GetCreate().Ticket.Major = true
	number := child.must(t, "", command).Number
	carry(t, [2]*office{child, parent})
	parent.must(t, number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Urge{Urge: &deskpb.Urge{Reason: "市局在等"}}})
	parent.must(t, number, note("请先查光缆"))
	carry(t, [2]*office{child, parent})

	child.checkTold(t, "wang", "ASSIGNED 全县断网", "URGED 全县断网", "NOTED 全县断网")
	parent.checkTold(t, "zheng", "ALERTED 全县断网")
	parent.checkTold(t, "wang") // another person of the same name, who has nothing to do with it
}

func TestWhoGetsAReopenedTicketHearsOfItOnce(t *testing.T) {
	o := newOffice(t, county, wall)
	number := o.open(t, "断网") // nobody is there yet to get it
	o.must(t, number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resolve{Resolve: &deskpb.Resolve{Resolution: &deskpb.Resolution{Text: "重启"}}}})
	o.staff(t, agent("wang"), agent("sun"))
	o.must(t, number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reopen{Reopen: &deskpb.Reopen{Reason: "又断了"}}})
	o.checkTold(t, "wang", "ASSIGNED 断网")
}

func TestWithoutIncidentManagersTheAdministratorsHear(t *testing.T) {
	o := newOffice(t, city, wall)
	o.staff(t, agent("wang"), &deskpb.User{Name: "root", Role: deskpb.User_ADMINISTRATOR})
	check := func(want ...desk.UserID) {
		t.Helper()
		if got := read(o, managers); !slices.Equal(got, want) {
			t.Errorf("the incident managers are %q, want %q", got, want)
		}
	}
	check("root")
	o.staff(t, &deskpb.User{Name: "zheng", Role: deskpb.User_INCIDENT_MANAGER})
	check("zheng")
}

func TestARebuiltSiteIsNotToldOfOldEvents(t *testing.T) {
	o := newOffice(t, county, wall)
	o.staff(t, agent("wang"), agent("sun"))
	number := o.open(t, "断网")
	record := o.record(number)
	at := wall() + staleNews
	for i, age := range []int64{1, staleNews, staleNews + 1, 30 * staleNews} {
		note := desk.Sealed{Event: &deskpb.Event{
			Ticket: number, Type: deskpb.Event_NOTED, Time: at - age, Id: &deskpb.EventID{Site: city.Id, Incarnation: 2, Sequence: uint64(i)},
		}}
		err := o.log(func(b *store.Batch, _ desk.Stamp) error {
			here, err := Here(b.Reader)
			if err != nil {
				return err
			}
			u := union{inbound: inbound{b: b, tree: tree{r: b.Reader, path: here.Path}, at: desk.Stamp{Time: at}}}
			return u.tell(note, record, record)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	o.checkTold(t, "wang", "ASSIGNED 断网", "NOTED 断网", "NOTED 断网")
}
