package desk

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// namesIn prints whom an event tells the names of.
func namesIn(e *deskpb.Event) string {
	var said []string
	for _, n := range e.GetNames() {
		said = append(said, n.GetUser()+"="+n.GetName())
	}
	return strings.Join(said, " ")
}

// peopleOf prints whom a ticket knows by name.
func peopleOf(t *deskpb.Ticket) string {
	var known []string
	for _, p := range t.GetPeople() {
		known = append(known, p.GetSite()+"/"+p.GetUser()+"="+p.GetDisplayName())
	}
	return strings.Join(known, " ")
}

func TestAnEventTellsHowThoseAreCalledWhomItNames(t *testing.T) {
	t.Parallel()
	sign := func(users ...string) *deskpb.TicketCommand {
		task := &deskpb.Task{Kind: deskpb.Task_COSIGN, Title: "会签"}
		for _, user := range users {
			task.Signers = append(task.Signers, &deskpb.Signer{User: user})
		}
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_AddTask{AddTask: &deskpb.AddTask{Task: task}}}
	}
	work := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_AddTask{AddTask: &deskpb.AddTask{Task: &deskpb.Task{Title: "布线", Assignee: "zhou"}}}}
	lead := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Classify{Classify: &deskpb.Classify{
		Fields: []string{"coordinator"}, Ticket: &deskpb.Ticket{Coordinator: "zhou"},
	}}}
	opened := createCommand("报表打不开")
	opened.GetCreate().Ticket = &deskpb.Ticket{Title: "报表打不开", Assignee: "wang", Coordinator: "zhou", Collaborators: []string{"sun", "wang"}}
	for name, c := range map[string]struct {
		command *deskpb.TicketCommand
		want    string
	}{
		"who writes":              {sampleCommand("note"), "lin=林晓"},
		"who is given it":         {sampleCommand("assign"), "lin=林晓 wang=王磊"},
		"who takes it, once":      {sampleCommand("claim"), "lin=林晓"},
		"who signs":               {sign("wang", "zhou"), "lin=林晓 wang=王磊 zhou=周敏"},
		"who does a part of it":   {work, "lin=林晓 zhou=周敏"},
		"who leads":               {lead, "lin=林晓 zhou=周敏"},
		"who is there at first":   {opened, "lin=林晓 wang=王磊 zhou=周敏 sun=孙丽"},
		"nobody without a name":   {by(agent("he"), "", sampleCommand("note")), ""},
		"nobody called as he is":  {by(agent("ma"), "", sampleCommand("note")), ""},
		"nobody beyond the bound": {by(agent("li"), "", sampleCommand("note")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, deskpb.Ticket_NEW)
			s.tree.office(county).called = map[UserID]string{
				"lin": "林晓", "wang": "王磊", "zhou": "周敏", "sun": "孙丽", "ma": "ma", "li": strings.Repeat("长", MaxDisplayName+1),
			}
			if c.command.GetCreate() == nil {
				c.command.Number = string(s.number)
			}
			if c.command.Actor == nil {
				c.command.Actor = agent("lin")
			}
			if got := namesIn(s.do(county, c.command).Events[0].Event); got != c.want {
				t.Errorf("it tells %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnEventNamesSoManyPeopleAndNoMore(t *testing.T) {
	t.Parallel()
	s := newStage(t, deskpb.Ticket_NEW)
	task := &deskpb.Task{Kind: deskpb.Task_COSIGN, Title: "会签"}
	for i := range MaxSigners {
		user := fmt.Sprintf("signer%02d", i)
		task.Signers = append(task.Signers, &deskpb.Signer{User: user})
		s.tree.office(county).called[UserID(user)] = "会签人"
	}
	d := s.do(county, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_AddTask{AddTask: &deskpb.AddTask{Task: task}}})
	if got := len(d.Events[0].GetNames()); got != maxNames {
		t.Errorf("an event that names %d people tells the names of %d, want %d", MaxSigners+1, got, maxNames)
	}
}

func TestASiteTellsNobodysNameOfAnotherSite(t *testing.T) {
	t.Parallel()
	s := newStage(t, deskpb.Ticket_NEW)
	s.do(county, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_AddTask{AddTask: &deskpb.AddTask{Task: &deskpb.Task{Title: "布线", Assignee: "sun"}}}})
	s.escalateToCity()
	d := s.do(city, by(manager("lin"), s.number, changeTask(1, deskpb.ChangeTask_CANCEL, "不需要")))
	if got, want := namesIn(d.Events[0].Event), "lin=林晓 of 330100"; got != want {
		t.Errorf("a change of the county's task at the city tells %q, want %q", got, want)
	}
	s.do(county, by(agent("sun"), s.number, sampleCommand("withdraw")))
	s.drain()
	events := s.tree.office(city).journal(s.number)
	i := slices.IndexFunc(events, func(e Sealed) bool { return e.GetType() == deskpb.Event_RETURN_QUEUED && e.GetActor() == "sun" })
	if i < 0 {
		t.Fatal("the city did not give the ticket back in the name of who wished that")
	}
	if got := namesIn(events[i].Event); got != "" {
		t.Errorf("what the county wished tells %q at the city, want nobody's name", got)
	}
	if err := s.tree.agree(s.number); err != nil {
		t.Fatal(err)
	}
}

func TestPeopleAreKnownByNameAtEverySiteOfThePath(t *testing.T) {
	t.Parallel()
	s := newStage(t, deskpb.Ticket_NEW)
	s.tree.office(city).called["wang"] = "王磊"
	s.escalateToCity()
	s.do(city, by(agent("wang"), s.number, sampleCommand("start")))
	s.do(county, sampleCommand("note"))
	s.drain()
	if err := s.tree.agree(s.number); err != nil {
		t.Fatal(err)
	}
	known := s.tree.office(county).records[s.number].GetTicket()
	if got, want := peopleOf(known), "330100/wang=王磊 330106/lin=林晓 of 330106"; got != want {
		t.Errorf("the county knows %q, want %q", got, want)
	}
	for _, c := range []struct {
		site SiteID
		user string
		want string
	}{{city, "wang", "王磊"}, {county, "lin", "林晓 of 330106"}, {county, "wang", ""}, {city, "", ""}} {
		if got := NameOf(known, string(c.site), c.user); got != c.want {
			t.Errorf("%s of %s is called %q, want %q", c.user, c.site, got, c.want)
		}
	}
}

func TestTheLatestNameOfAPersonIsRight(t *testing.T) {
	t.Parallel()
	s := newStage(t, deskpb.Ticket_NEW)
	for _, name := range []string{"林小", "林晓燕", "林晓"} {
		s.tree.office(county).called["lin"] = name
		s.do(county, sampleCommand("note"))
	}
	events := s.tree.office(county).journal(s.number)
	for _, order := range [][]Sealed{events, append(slices.Clone(events[:1]), reversed(events[1:])...)} {
		if got := peopleOf(mustUnite(t, order).GetTicket()); got != "330106/lin=林晓" {
			t.Errorf("the ticket knows %q, want the name that was said last", got)
		}
	}
}

func reversed(events []Sealed) []Sealed {
	turned := slices.Clone(events)
	slices.Reverse(turned)
	return turned
}

func TestWhoOpensATicketTellsNobodysName(t *testing.T) {
	t.Parallel()
	s := newStage(t, deskpb.Ticket_NEW)
	create := createCommand("打印机")
	create.GetCreate().Ticket.People = []*deskpb.Person{{Site: string(city), User: "wang", DisplayName: "市长"}}
	opened := s.do(county, create)
	if got := peopleOf(opened.Record.GetTicket()); got != "330106/lin=林晓 of 330106" {
		t.Errorf("the ticket knows %q", got)
	}
	forged := proto.CloneOf(opened.Events[0].Event)
	forged.Body.Opened.Ticket.People = create.GetCreate().GetTicket().GetPeople()
	sealed, err := Seal(forged)
	if err != nil {
		t.Fatal(err)
	}
	record, err := Fold(nil, sealed)
	if err != nil {
		t.Fatal(err)
	}
	if got := peopleOf(record.GetTicket()); got != "330106/lin=林晓 of 330106" {
		t.Errorf("of an event that brings people along the ticket knows %q", got)
	}
}

// TestNamesComeToTheSameInAnyOrder also holds when there are more people than a ticket keeps, and when names are said at one time.
func TestNamesComeToTheSameInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var events []*deskpb.Event
		for range rapid.IntRange(1, 120).Draw(t, "events") {
			e := &deskpb.Event{
				Id:   &deskpb.EventID{Site: string(rapid.SampledFrom([]SiteID{county, city}).Draw(t, "site"))},
				Time: rapid.Int64Range(1, 3).Draw(t, "time"),
			}
			for range rapid.IntRange(0, 3).Draw(t, "names") {
				user := fmt.Sprint("u", rapid.IntRange(0, 60).Draw(t, "user"))
				e.Names = append(e.Names, &deskpb.PersonName{User: user, Name: rapid.SampledFrom([]string{"王磊", "王雷", "", "王\n磊"}).Draw(t, "name")})
			}
			events = append(events, e)
		}
		fold := func(events []*deskpb.Event) *deskpb.Record {
			r := &deskpb.Record{Ticket: &deskpb.Ticket{}}
			for _, e := range events {
				foldNames(r, e)
			}
			return r
		}
		one, other := fold(events), fold(rapid.Permutation(events).Draw(t, "order"))
		if !proto.Equal(one, other) {
			t.Fatalf("another order of events gives other people:\n%s\n%s", peopleOf(one.Ticket), peopleOf(other.Ticket))
		}
		if n := len(one.GetTicket().GetPeople()); n > maxPeople {
			t.Fatalf("the ticket keeps %d people, want at most %d", n, maxPeople)
		}
	})
}

func TestATicketKeepsSoManyPeopleAndNoMore(t *testing.T) {
	t.Parallel()
	var events []*deskpb.Event
	for i := range maxPeople + 10 {
		user := fmt.Sprintf("u%02d", i)
		events = append(events, &deskpb.Event{
			Id: &deskpb.EventID{Site: string(county)}, Time: int64(i + 1), Names: []*deskpb.PersonName{{User: user, Name: "王磊"}},
		})
	}
	for range 2 {
		r := &deskpb.Record{Ticket: &deskpb.Ticket{}}
		for _, e := range events {
			foldNames(r, e)
		}
		known := r.GetTicket().GetPeople()
		if len(known) != maxPeople || known[0].GetUser() != "u00" || known[maxPeople-1].GetUser() != "u63" {
			t.Errorf("of %d people the ticket keeps %s", len(events), peopleOf(r.GetTicket()))
		}
		slices.Reverse(events)
	}
}

func TestWhoseNameTheAuthorOfAnEventHas(t *testing.T) {
	t.Parallel()
	ticket := &deskpb.Ticket{
		HomeSite:  string(county),
		Requester: &deskpb.Requester{Name: "陈静", User: "chen"},
		People: []*deskpb.Person{
			{Site: string(city), User: "lin", DisplayName: "林市"},
			{Site: string(county), User: "lin", DisplayName: "林县"},
		},
		Wishes: []*deskpb.Wish{
			{Site: string(county), Actor: "lin", State: deskpb.Wish_GRANTED}, {Site: string(county), Actor: "he", State: deskpb.Wish_DECLINED},
		},
	}
	event := func(site SiteID, actor string, role deskpb.User_Role, said ...*deskpb.PersonName) *deskpb.Event {
		return &deskpb.Event{Id: &deskpb.EventID{Site: string(site)}, Actor: actor, Role: role, Names: said}
	}
	for name, c := range map[string]struct {
		event *deskpb.Event
		want  string
	}{
		"what the event says":             {event(city, "lin", deskpb.User_AGENT, &deskpb.PersonName{User: "lin", Name: "林当时"}), "林当时"},
		"what the ticket says":            {event(city, "lin", deskpb.User_AGENT), "林市"},
		"of a granted wish the wisher's":  {event(city, "lin", deskpb.User_ROLE_UNSPECIFIED), "林县"},
		"of the requester the ticket's":   {event(county, "chen", deskpb.User_REQUESTER), "陈静"},
		"of the requester's namesake, no": {event(city, "chen", deskpb.User_AGENT), ""},
		"of others what they are said":    {event(city, "wang", deskpb.User_AGENT, &deskpb.PersonName{User: "lin", Name: "林当时"}), ""},
		"of the site itself none":         {event(city, "", deskpb.User_ROLE_UNSPECIFIED), ""},
	} {
		if got := AuthorName(ticket, c.event); got != c.want {
			t.Errorf("%s: the author is called %q, want %q", name, got, c.want)
		}
	}
}

func TestWhoseTheAssigneeIs(t *testing.T) {
	t.Parallel()
	person := func(site SiteID) *deskpb.Person {
		return &deskpb.Person{Site: string(site), User: "lin", DisplayName: "林"}
	}
	for name, c := range map[string]struct {
		state  deskpb.Handover_State
		people []*deskpb.Person
		want   SiteID
	}{
		"the custodian's":                     {deskpb.Handover_NONE, nil, city},
		"the custodian's while it waits":      {deskpb.Handover_QUEUED, nil, city},
		"the sender's on the way":             {deskpb.Handover_IN_TRANSIT, []*deskpb.Person{person(city), person(county)}, county},
		"nobody's who is not known":           {deskpb.Handover_IN_TRANSIT, []*deskpb.Person{person(city)}, ""},
		"nobody's who could be of two places": {deskpb.Handover_IN_TRANSIT, []*deskpb.Person{person(province), person(county)}, ""},
	} {
		ticket := &deskpb.Ticket{CustodianSite: string(city), Assignee: "lin", Handover: &deskpb.Handover{State: c.state}, People: c.people}
		if got := AssigneeSite(ticket); got != string(c.want) {
			t.Errorf("%s: it is %q, want %q", name, got, c.want)
		}
	}
}

func TestAFaultWhileNamesAreLookedUp(t *testing.T) {
	t.Parallel()
	o := newOffice(deskpb.Site_COUNTY, county, city, province)
	_, err := Decide(o.here, namelessView{o}, createCommand("打印机"), Stamp{Time: morning, UTCOffset: beijing})
	if refusal := new(Refusal); !errors.Is(err, errDisk) || errors.As(err, &refusal) {
		t.Errorf("it comes to %v, want the fault", err)
	}
}

// namelessView cannot read how people are called.
type namelessView struct{ *office }

func (namelessView) DisplayName(UserID) (string, error) { return "", errDisk }
