package desk

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// networkTeam is a group whose members get tickets in turn and have half an hour to take one up.
func networkTeam() *deskpb.Team {
	return &deskpb.Team{
		Name: "网络组", Members: []string{"lin", "wang", "sun"}, Manager: "zhou", Method: deskpb.Team_ROUND_ROBIN, AcceptWithin: 30 * 60,
	}
}

// teamOffice is a county whose policy gives every ticket to the network team, and reminds nobody.
func teamOffice() *tree {
	tr := newTree()
	o := tr.office(county)
	o.policy.Groups = []*deskpb.Team{networkTeam()}
	o.policy.Dispatch = []*deskpb.DispatchRule{{Name: "all", Group: "网络组"}}
	o.policy.Ladders = nil
	return tr
}

// must has an office decide a command that it accepts.
func must(t testing.TB, tr *tree, site SiteID, command *deskpb.TicketCommand) *deskpb.Ticket {
	t.Helper()
	d, err := tr.do(site, command)
	if err != nil {
		t.Fatalf("%s at %s: %v", verbName(command), site, err)
	}
	return d.Record.GetTicket()
}

func TestRulesGiveANewTicketToAGroup(t *testing.T) {
	rules := []*deskpb.DispatchRule{
		{Name: "printing", Match: &deskpb.Match{Categories: []string{"打印"}}, Group: "桌面组"},
		{Name: "centre", Match: &deskpb.Match{Units: []string{"中心支库"}}, Group: "网络组"},
		{Name: "second line", Match: &deskpb.Match{Applications: []string{"总账"}}, Group: "二线组"},
	}
	teams := []*deskpb.Team{
		networkTeam(), {Name: "桌面组", Members: []string{"qian"}},
		{Name: "二线组", Members: []string{"sun"}, Method: deskpb.Team_LEAST_LOADED, Lines: []deskpb.Ticket_Line{deskpb.Ticket_SECOND}},
	}
	for _, c := range []struct {
		name            string
		asked           *deskpb.Ticket
		group, assignee string
		state           deskpb.Ticket_State
	}{
		{"no rule fits", &deskpb.Ticket{}, "", "", deskpb.Ticket_NEW},
		{"a group whose people take tickets themselves", &deskpb.Ticket{Category: "打印/卡纸"}, "桌面组", "", deskpb.Ticket_ASSIGNED},
		{"a group whose people get tickets in turn", &deskpb.Ticket{Requester: &deskpb.Requester{Unit: "中心支库"}}, "网络组", "lin", deskpb.Ticket_ASSIGNED},
		{"the first rule that fits", &deskpb.Ticket{Category: "打印", Requester: &deskpb.Requester{Unit: "中心支库"}}, "桌面组", "", deskpb.Ticket_ASSIGNED},
		{"a group of another line", &deskpb.Ticket{Application: "总账"}, "", "", deskpb.Ticket_NEW},
		{"the group that looks after the application", &deskpb.Ticket{Application: "门户"}, "网络组", "lin", deskpb.Ticket_ASSIGNED},
		{"the author names a person", &deskpb.Ticket{Category: "打印", Assignee: "zhao"}, "", "zhao", deskpb.Ticket_ASSIGNED},
		{"the author names a group", &deskpb.Ticket{Category: "打印", Group: "网络组"}, "网络组", "", deskpb.Ticket_ASSIGNED},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTree()
			o := tr.office(county)
			o.policy.Groups, o.policy.Dispatch = teams, rules
			o.policy.Applications = append(o.policy.Applications, &deskpb.Application{Name: "门户", Group: "网络组"})
			c.asked.Title = "打不开"
			command := createCommand("")
			command.GetCreate().Ticket = c.asked
			got := must(t, tr, county, command)
			if got.GetGroup() != c.group || got.GetAssignee() != c.assignee || got.GetState() != c.state {
				t.Errorf("the ticket is %s with %q of group %q, want %s with %q of %q", got.GetState(), got.GetAssignee(), got.GetGroup(),
					c.state, c.assignee, c.group)
			}
			if got.GetReassignmentCount() != 0 {
				t.Errorf("it was reassigned %d times, want 0: it is new", got.GetReassignmentCount())
			}
		})
	}
}

// A ticket that turns out to be another kind of work goes to the group for it, as long as only the rules have said who works on it.
func TestATicketThatIsSortedAnewGoesToTheGroupForIt(t *testing.T) {
	printing := &deskpb.Ticket{Category: "打印"}
	assign := func(assignee, group string) *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Assign{Assign: &deskpb.Assign{Assignee: assignee, Group: group}}}
	}
	for _, c := range []struct {
		name            string
		asked           *deskpb.Ticket
		before          []*deskpb.TicketCommand // by qian
		change          *deskpb.Ticket
		group, assignee string
	}{
		{"given by the rules", printing, nil, &deskpb.Ticket{Category: "网络"}, "网络组", "lin"},
		{"to what no rule fits", printing, nil, &deskpb.Ticket{Category: "其他"}, "桌面组", ""},
		{"within its category", printing, nil, &deskpb.Ticket{Category: "打印/卡纸"}, "桌面组", ""},
		{"taken up", printing, []*deskpb.TicketCommand{sampleCommand("claim")}, &deskpb.Ticket{Category: "网络"}, "桌面组", "qian"},
		{"given to a group by its author", &deskpb.Ticket{Group: "桌面组"}, nil, &deskpb.Ticket{Category: "网络"}, "桌面组", ""},
		{"given to another group by a person", printing, []*deskpb.TicketCommand{assign("", "备用组")}, &deskpb.Ticket{Category: "网络"}, "备用组", ""},
		{"sorted anew twice", printing, []*deskpb.TicketCommand{
			classifyCommand(&deskpb.Ticket{Category: "数据"}, "category"), classifyCommand(&deskpb.Ticket{Category: "打印"}, "category"),
		}, &deskpb.Ticket{Category: "网络"}, "网络组", "lin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTree()
			o := tr.office(county)
			o.policy.Groups = []*deskpb.Team{networkTeam(), {Name: "桌面组", Members: []string{"qian"}}, {Name: "数据组"}, {Name: "备用组"}}
			o.policy.Dispatch = []*deskpb.DispatchRule{
				{Name: "printing", Match: &deskpb.Match{Categories: []string{"打印"}}, Group: "桌面组"},
				{Name: "data", Match: &deskpb.Match{Categories: []string{"数据"}}, Group: "数据组"},
				{Name: "network", Match: &deskpb.Match{Categories: []string{"网络"}}, Group: "网络组"},
			}
			command := createCommand("打不开")
			c.asked.Title = "打不开"
			command.GetCreate().Ticket = c.asked
			number := TicketNumber(must(t, tr, county, command).GetNumber())
			for _, step := range c.before {
				must(t, tr, county, by(agent("qian"), number, step))
			}
			moved := o.records[number].GetTicket().GetReassignmentCount()
			before := o.records[number].GetTicket().GetGroup()
			got := must(t, tr, county, by(agent("zhao"), number, classifyCommand(c.change, "category")))
			if got.GetGroup() != c.group || got.GetAssignee() != c.assignee {
				t.Errorf("the ticket is with %q of group %q, want %q of %q", got.GetAssignee(), got.GetGroup(), c.assignee, c.group)
			}
			if counted := got.GetReassignmentCount() > moved; counted != (before != c.group) {
				t.Errorf("it was reassigned %d times, and %d times before", got.GetReassignmentCount(), moved)
			}
		})
	}
}

// A ticket that comes to another line loses its old people, and the rules of that site find new ones in the same decision.
func TestATicketFindsPeopleWhereverItArrives(t *testing.T) {
	tr := newTree()
	at := tr.office(city)
	at.policy.Groups = []*deskpb.Team{{Name: "二线组", Members: []string{"sun"}, Method: deskpb.Team_LEAST_LOADED}}
	at.policy.Dispatch = []*deskpb.DispatchRule{{Name: "all", Group: "二线组"}}
	home := tr.office(county)
	home.policy.Groups = []*deskpb.Team{networkTeam()}
	home.policy.Dispatch = []*deskpb.DispatchRule{{Name: "all", Group: "网络组"}}

	number := TicketNumber(must(t, tr, county, createCommand("网络中断")).GetNumber())
	has := func(site SiteID, group, assignee string) {
		t.Helper()
		got := tr.office(site).records[number].GetTicket()
		if got.GetGroup() != group || got.GetAssignee() != assignee {
			t.Fatalf("the ticket is with %q of %q, want %q of %q", got.GetAssignee(), got.GetGroup(), assignee, group)
		}
	}
	has(county, "网络组", "lin")
	must(t, tr, county, by(agent("lin"), number, escalateCommand("")))
	if err := tr.drain(); err != nil {
		t.Fatal(err)
	}
	has(city, "二线组", "sun")
	has(county, "二线组", "sun") // a mirror shows the same

	must(t, tr, city, by(agent("sun"), number, sampleCommand("return")))
	if err := tr.drain(); err != nil {
		t.Fatal(err)
	}
	has(county, "网络组", "wang") // whose turn it is
	must(t, tr, county, by(agent("wang"), number, resolveCommand("好了")))
	must(t, tr, county, by(agent("wang"), number, sampleCommand("reopen")))
	has(county, "网络组", "wang") // who solved it has it again
}

func TestWhoDoesNotWantATicketPassesItOn(t *testing.T) {
	tr := teamOffice()
	number := TicketNumber(must(t, tr, county, createCommand("网络中断")).GetNumber())
	decline := func(user, next string) {
		t.Helper()
		got := must(t, tr, county, by(agent(user), number, sampleCommand("decline")))
		if got.GetAssignee() != next || got.GetGroup() != "网络组" {
			t.Fatalf("%s declined; the ticket is with %q of %q, want %q of 网络组", user, got.GetAssignee(), got.GetGroup(), next)
		}
	}
	if _, err := tr.do(county, by(agent("wang"), number, sampleCommand("decline"))); reason(err) != "NOT_ASSIGNEE" {
		t.Errorf("somebody else declines: %v, want NOT_ASSIGNEE", err)
	}
	decline("lin", "wang")
	decline("wang", "sun")
	decline("sun", "")
	r := tr.office(county).records[number]
	if r.GetTicket().GetState() != deskpb.Ticket_NEW || r.GetTicket().GetReassignmentCount() != 3 {
		t.Errorf("everybody declined: the ticket is %s after %d reassignments, want NEW after 3", r.GetTicket().GetState(), r.GetTicket().GetReassignmentCount())
	}
	if told := lastTold(tr, number); !slices.Equal(told, []string{"zhou"}) {
		t.Errorf("nobody is left: %q are told, want the manager", told)
	}
	got := must(t, tr, county, by(agent("lin"), number, sampleCommand("claim")))
	if got.GetAssignee() != "lin" || !got.GetAccepted() || got.GetRespondTime() == nil {
		t.Errorf("lin claims it after all: assignee %q, accepted %t, responded %v", got.GetAssignee(), got.GetAccepted(), got.GetRespondTime())
	}
}

// lastTold returns whom the county's last REMINDED of a ticket told.
func lastTold(tr *tree, number TicketNumber) []string {
	var told []string
	for _, event := range tr.office(county).journal(number) {
		if event.GetType() == deskpb.Event_REMINDED {
			told = event.GetBody().GetTold()
		}
	}
	return told
}

func TestATicketThatIsNotTakenUpGoesToTheNextOne(t *testing.T) {
	tr := teamOffice()
	tr.office(county).duty = map[UserID]*deskpb.SetDuty{"sun": {On: false}}
	opened := must(t, tr, county, createCommand("网络中断"))
	number := TicketNumber(opened.GetNumber())
	limit := micros(opened.GetAcceptTimeLimit())
	if want := tr.now + 30*minute; limit != want {
		t.Fatalf("it has to be taken up until %s, want %s", moment(limit), moment(want))
	}
	assignees := []string{}
	for range 3 {
		next := micros(tr.office(county).records[number].GetTicket().GetAcceptTimeLimit())
		if next == 0 {
			break
		}
		tr.now = next
		assignees = append(assignees, must(t, tr, county, tickCommand(number)).GetAssignee())
	}
	if want := []string{"wang", ""}; !slices.Equal(assignees, want) {
		t.Errorf("the ticket goes to %q, want %q: each member on duty once, then nobody", assignees, want)
	}
	got := tr.office(county).records[number].GetTicket()
	if got.GetGroup() != "网络组" || got.GetReassignmentCount() != 2 {
		t.Errorf("it is with group %q after %d reassignments, want 网络组 after 2", got.GetGroup(), got.GetReassignmentCount())
	}
	if told := lastTold(tr, number); !slices.Equal(told, []string{"zhou"}) {
		t.Errorf("%q are told, want the manager", told)
	}
}

func TestTakingATicketUpEndsItsLimit(t *testing.T) {
	for _, verb := range []string{"claim", "start", "hold", "resolve", "cancel"} {
		tr := teamOffice()
		number := TicketNumber(must(t, tr, county, createCommand("网络中断")).GetNumber())
		got := must(t, tr, county, by(agent("lin"), number, sampleCommand(verb)))
		if got.GetAcceptTimeLimit() != nil {
			t.Errorf("after %s the ticket still has to be taken up until %v", verb, got.GetAcceptTimeLimit().AsTime())
		}
	}
}

// However many tickets come and whoever goes on and off duty, the members on duty get them in turn: while the same people are on duty,
// no one gets two more than another.
func TestTurnsAreFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := teamOffice()
		o := tr.office(county)
		members := []string{"lin", "wang", "sun"}
		for range rapid.IntRange(1, 4).Draw(t, "spells") {
			o.duty = map[UserID]*deskpb.SetDuty{}
			var on []string
			for _, member := range members {
				if rapid.Bool().Draw(t, member) {
					on = append(on, member)
				} else {
					o.duty[UserID(member)] = &deskpb.SetDuty{On: false}
				}
			}
			got := map[string]int{}
			for range rapid.IntRange(0, 9).Draw(t, "tickets") {
				got[openAt(t, tr).GetAssignee()]++
			}
			if len(on) == 0 {
				continue
			}
			least, most := got[on[0]], got[on[0]]
			for _, member := range on {
				least, most = min(least, got[member]), max(most, got[member])
			}
			if most-least > 1 || got[""] > 0 {
				t.Fatalf("on duty are %q and get %v", on, got)
			}
		}
	})
}

// openAt opens a ticket at the county.
func openAt(t *rapid.T, tr *tree) *deskpb.Ticket {
	d, err := tr.do(county, createCommand("网络中断"))
	if err != nil {
		t.Fatal(err)
	}
	return d.Record.GetTicket()
}

func TestTheLeastLoadedGetsTheTicket(t *testing.T) {
	tr := teamOffice()
	tr.office(county).policy.Groups[0].Method = deskpb.Team_LEAST_LOADED
	var got []string
	for range 4 {
		got = append(got, must(t, tr, county, createCommand("网络中断")).GetAssignee())
	}
	// All have the same at first, so names decide; then who has none.
	if want := []string{"lin", "sun", "wang", "lin"}; !slices.Equal(got, want) {
		t.Errorf("tickets go to %q, want %q", got, want)
	}
	for _, number := range tr.office(county).numbers() {
		if ticket := tr.office(county).records[number].GetTicket(); ticket.GetAssignee() == "wang" {
			must(t, tr, county, by(agent("wang"), number, resolveCommand("好了")))
		}
	}
	if next := must(t, tr, county, createCommand("网络中断")).GetAssignee(); next != "wang" {
		t.Errorf("the next one goes to %q, want wang, whose only ticket is solved", next)
	}
}

func TestATransferNeedsAnotherHand(t *testing.T) {
	tr := teamOffice()
	number := TicketNumber(must(t, tr, county, createCommand("网络中断")).GetNumber())
	transfer := func(assignee, group, why string) (*deskpb.Ticket, error) {
		d, err := tr.do(county, by(agent("lin"), number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Transfer{
			Transfer: &deskpb.Transfer{Assignee: assignee, Group: group, Reason: why},
		}}))
		if err != nil {
			return nil, err
		}
		return d.Record.GetTicket(), nil
	}
	if _, err := transfer("wang", "", ""); reason(err) != "INVALID_FIELD" {
		t.Errorf("a transfer without a reason: %v, want INVALID_FIELD", err)
	}
	if _, err := transfer("lin", "", "熟悉"); reason(err) != "SAME_ASSIGNEE" {
		t.Errorf("a transfer to who has it: %v, want SAME_ASSIGNEE", err)
	}
	got, err := transfer("wang", "", "熟悉")
	if err != nil || got.GetAssignee() != "wang" || got.GetGroup() != "网络组" || got.GetAccepted() || got.GetAcceptTimeLimit() == nil {
		t.Errorf("a transfer to wang: %v, %v; want it with wang of 网络组, to be taken up", got, err)
	}
	if got, err := transfer("", "桌面组", "不属网络"); err != nil || got.GetAssignee() != "" || got.GetReassignmentCount() != 2 {
		t.Errorf("a transfer to a group: %v, %v; want it without an assignee, reassigned twice", got, err)
	}
}
