package desk

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestScopes(t *testing.T) {
	p := &deskpb.Policy{Groups: []*deskpb.Team{{Name: "网络组", Members: []string{"lin"}}, {Name: "应用组", Manager: "lin"}, {Name: "机房组"}}}
	at := func(home, custodianSite SiteID, more func(*deskpb.Ticket)) *deskpb.Record {
		ticket := &deskpb.Ticket{Number: "330106-20261121-0001", HomeSite: string(home), CustodianSite: string(custodianSite), Group: "机房组"}
		if more != nil {
			more(ticket)
		}
		return &deskpb.Record{Ticket: ticket, Path: []string{string(home), string(city), string(province)}}
	}
	const own, groups, site, subtree = deskpb.User_OWN, deskpb.User_GROUPS, deskpb.User_SITE, deskpb.User_SUBTREE
	// Each ticket is looked at in the city; sees lists the scopes in which lin sees it.
	for name, c := range map[string]struct {
		record *deskpb.Record
		sees   []deskpb.User_Scope
	}{
		"somebody else's of a county, worked on there": {at(county, county, nil), []deskpb.User_Scope{subtree}},
		"somebody else's of a county, worked on here":  {at(county, city, nil), []deskpb.User_Scope{site, subtree}},
		"somebody else's of the city, worked on above": {at(city, province, nil), []deskpb.User_Scope{site, subtree}},
		"on its way here": {at(county, city, func(t *deskpb.Ticket) {
			t.Handover = &deskpb.Handover{State: deskpb.Handover_IN_TRANSIT}
		}), []deskpb.User_Scope{site, subtree}},
		"here, with no group yet":                {at(county, city, func(t *deskpb.Ticket) { t.Group = "" }), []deskpb.User_Scope{groups, site, subtree}},
		"elsewhere, with no group yet":           {at(county, county, func(t *deskpb.Ticket) { t.Group = "" }), []deskpb.User_Scope{subtree}},
		"with lin's group here by the policy":    {at(county, city, func(t *deskpb.Ticket) { t.Group = "网络组" }), []deskpb.User_Scope{groups, site, subtree}},
		"with the group that lin leads":          {at(county, city, func(t *deskpb.Ticket) { t.Group = "应用组" }), []deskpb.User_Scope{groups, site, subtree}},
		"with lin's group here by the account":   {at(county, city, func(t *deskpb.Ticket) { t.Group = "终端组" }), []deskpb.User_Scope{groups, site, subtree}},
		"with the group of that name elsewhere":  {at(county, county, func(t *deskpb.Ticket) { t.Group = "网络组" }), []deskpb.User_Scope{subtree}},
		"a task of lin's group of this site":     {at(county, county, taskOf(city, &deskpb.Task{Group: "网络组"})), []deskpb.User_Scope{groups, site, subtree}},
		"a task of that group of another site":   {at(county, county, taskOf(county, &deskpb.Task{Group: "网络组"})), []deskpb.User_Scope{subtree}},
		"lin has it":                             {at(county, city, func(t *deskpb.Ticket) { t.Assignee = "lin" }), []deskpb.User_Scope{own, groups, site, subtree}},
		"another lin has it elsewhere":           {at(county, county, func(t *deskpb.Ticket) { t.Assignee = "lin" }), []deskpb.User_Scope{subtree}},
		"a task is lin's":                        {at(county, county, taskOf(city, &deskpb.Task{Assignee: "lin"})), []deskpb.User_Scope{own, groups, site, subtree}},
		"lin is to approve":                      {at(county, county, taskOf(city, &deskpb.Task{Signers: signers("ma", "lin")})), []deskpb.User_Scope{own, groups, site, subtree}},
		"another lin is to approve elsewhere":    {at(county, county, taskOf(county, &deskpb.Task{Signers: signers("lin")})), []deskpb.User_Scope{subtree}},
		"lin reported it":                        {at(city, province, func(t *deskpb.Ticket) { t.Requester = &deskpb.Requester{User: "lin"} }), []deskpb.User_Scope{own, groups, site, subtree}},
		"another lin reported it at the county":  {at(county, county, func(t *deskpb.Ticket) { t.Requester = &deskpb.Requester{User: "lin"} }), []deskpb.User_Scope{subtree}},
		"lin accompanies it from its home":       {at(city, province, func(t *deskpb.Ticket) { t.Collaborators = []string{"ma", "lin"} }), []deskpb.User_Scope{own, groups, site, subtree}},
		"another lin accompanies it":             {at(county, city, func(t *deskpb.Ticket) { t.Collaborators = []string{"lin"} }), []deskpb.User_Scope{site, subtree}},
		"nobody has it and nobody reported it":   {at(county, province, func(t *deskpb.Ticket) { t.Group = "" }), []deskpb.User_Scope{subtree}},
		"a record without a ticket is no ticket": {&deskpb.Record{}, nil},
		"no record":                              {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, scope := range []deskpb.User_Scope{own, groups, site, subtree} {
				lin := &deskpb.Actor{User: "lin", Role: deskpb.User_AGENT, Scope: scope, Groups: []string{"终端组"}}
				if got, want := Sees(lin, city, p, c.record), slices.Contains(c.sees, scope); got != want {
					t.Errorf("lin with the scope %s sees it: %t, want %t", scope, got, want)
				}
			}
			if Sees(&deskpb.Actor{Role: deskpb.User_AGENT}, city, p, c.record) {
				t.Error("a role without a name sees it")
			}
		})
	}
}

// taskOf gives a ticket a task that a site added.
func taskOf(site SiteID, task *deskpb.Task) func(*deskpb.Ticket) {
	task.Site = string(site)
	return func(t *deskpb.Ticket) { t.Tasks = []*deskpb.Task{task} }
}

func TestARequesterSeesTheOwnTicketsWhateverTheScope(t *testing.T) {
	p := &deskpb.Policy{}
	for _, scope := range []deskpb.User_Scope{deskpb.User_SCOPE_UNSPECIFIED, deskpb.User_OWN, deskpb.User_SUBTREE} {
		chen := &deskpb.Actor{User: "chen", Role: deskpb.User_REQUESTER, Scope: scope}
		own := &deskpb.Record{Ticket: &deskpb.Ticket{HomeSite: string(county), CustodianSite: string(city), Requester: &deskpb.Requester{User: "chen"}}}
		others := &deskpb.Record{Ticket: &deskpb.Ticket{HomeSite: string(county), CustodianSite: string(county), Assignee: "chen"}}
		if !Sees(chen, county, p, own) || Sees(chen, county, p, others) || Sees(chen, city, p, own) {
			t.Errorf("with the scope %s: the own ticket at home is seen %t, another one's %t, the own at another site %t; want true, false, false",
				scope, Sees(chen, county, p, own), Sees(chen, county, p, others), Sees(chen, city, p, own))
		}
	}
}

func TestOfficesNarrowTheSubtree(t *testing.T) {
	record := &deskpb.Record{
		Ticket: &deskpb.Ticket{HomeSite: string(county), CustodianSite: string(county), Group: "机房组"},
		Path:   []string{string(county), string(city), string(province)},
	}
	for offices, want := range map[string]bool{
		"": true, string(county): true, string(city): true, string(province): true, string(neighbour): false,
		string(neighbour) + " " + string(county): true, string(county) + "1": false,
	} {
		he := &deskpb.Actor{User: "he", Role: deskpb.User_LEADER, Offices: strings.Fields(offices)}
		if got := Sees(he, province, &deskpb.Policy{}, record); got != want {
			t.Errorf("with the offices %q the ticket of %s is seen: %t, want %t", offices, county, got, want)
		}
	}
	he := &deskpb.Actor{User: "he", Role: deskpb.User_AGENT, Offices: []string{string(neighbour)}, Groups: []string{"机房组"}}
	if !Sees(he, county, &deskpb.Policy{}, record) {
		t.Error("what GROUPS allows is not seen beside the offices")
	}
}

// TestAWiderScopeSeesMore draws tickets and actors.
func TestAWiderScopeSeesMore(t *testing.T) {
	sites, users, groups := []string{string(county), string(city), string(province), string(neighbour)}, []string{"", "lin", "ma"}, []string{"", "网络组", "机房组"}
	p := &deskpb.Policy{Groups: []*deskpb.Team{{Name: "网络组", Members: []string{"lin"}}}}
	rapid.Check(t, func(t *rapid.T) {
		site, user, group := rapid.SampledFrom(sites), rapid.SampledFrom(users), rapid.SampledFrom(groups)
		home := site.Draw(t, "home")
		record := &deskpb.Record{Path: []string{home, string(city), string(province)}, Ticket: &deskpb.Ticket{
			HomeSite: home, CustodianSite: site.Draw(t, "custodian"), Assignee: user.Draw(t, "assignee"), Group: group.Draw(t, "group"),
			Requester: &deskpb.Requester{User: user.Draw(t, "requester")}, Collaborators: []string{user.Draw(t, "collaborator")},
			Tasks: []*deskpb.Task{{Site: site.Draw(t, "task's site"), Assignee: user.Draw(t, "task"), Group: group.Draw(t, "task's group"),
				Signers: signers(user.Draw(t, "signer"))}},
		}}
		before := proto.CloneOf(record)
		here := SiteID(site.Draw(t, "here"))
		actor := &deskpb.Actor{User: "lin", Role: rapid.SampledFrom(Roles()[1:]).Draw(t, "role")}
		if rapid.Bool().Draw(t, "by the account") {
			actor.Groups = []string{"机房组"}
		}
		narrower := false
		for _, scope := range []deskpb.User_Scope{deskpb.User_OWN, deskpb.User_GROUPS, deskpb.User_SITE, deskpb.User_SUBTREE} {
			actor.Scope = scope
			sees := Sees(actor, here, p, record)
			if narrower && !sees {
				t.Fatalf("with the scope %s the ticket is not seen, with a narrower one it is", scope)
			}
			narrower = sees
		}
		if !narrower {
			t.Fatal("with the whole subtree the ticket is not seen")
		}
		if !proto.Equal(before, record) {
			t.Fatal("looking changed the record")
		}
	})
}

// narrow is somebody who sees own tickets only.
func narrow(name string) *deskpb.Actor {
	return &deskpb.Actor{User: name, Role: deskpb.User_ADMINISTRATOR, Scope: deskpb.User_OWN}
}

func TestWhatIsNotSeenIsAsIfItWereNotThere(t *testing.T) {
	d := newDesktop(t)
	secret := d.open(county, "绝密")
	own := TicketNumber(d.do(county, "", "wang", &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{
		Ticket: &deskpb.Ticket{Title: "自己的", Assignee: "wang"},
	}}}).GetNumber())
	wang := narrow("wang")
	for name, command := range map[string]func(TicketNumber) *deskpb.TicketCommand{
		"a note":      func(n TicketNumber) *deskpb.TicketCommand { return by(wang, n, sampleCommand("note")) },
		"an override": func(n TicketNumber) *deskpb.TicketCommand { return by(wang, n, sampleCommand("reclaim")) },
		"with an etag": func(n TicketNumber) *deskpb.TicketCommand {
			command := identified("r1", by(wang, n, sampleCommand("note")))
			command.Etag = "0011223344556677"
			return command
		},
		"a link from the own": func(n TicketNumber) *deskpb.TicketCommand {
			return by(wang, own, linkTo(deskpb.TicketLink_RELATED, string(n), false))
		},
		"a link taken back": func(n TicketNumber) *deskpb.TicketCommand {
			return by(wang, own, linkTo(deskpb.TicketLink_RELATED, string(n), true))
		},
		"a merge of the own": func(n TicketNumber) *deskpb.TicketCommand { return by(wang, own, mergeInto(n)) },
		"split off":          func(n TicketNumber) *deskpb.TicketCommand { return by(wang, "", splitFrom(n)) },
		"a new one caused by it": func(n TicketNumber) *deskpb.TicketCommand {
			return by(wang, "", originated(deskpb.TicketLink_CAUSED_BY, n))
		},
		"a new one that follows it": func(n TicketNumber) *deskpb.TicketCommand {
			return by(wang, "", originated(deskpb.TicketLink_FOLLOWS, n))
		},
	} {
		t.Run(name, func(t *testing.T) {
			const absent TicketNumber = "330106-20261121-0009"
			_, err := d.tree.do(county, command(secret))
			_, missing := d.tree.do(county, command(absent))
			if reason(err) != "TICKET_NOT_FOUND" || err.Error() != strings.Replace(missing.Error(), string(absent), string(secret), 1) {
				t.Errorf("it comes to %v, and for a number that does not exist to %v", err, missing)
			}
		})
	}
	if links := d.links(county, secret); links != "[]" {
		t.Errorf("the ticket that is not seen has the links %s", links)
	}
}

func originated(kind deskpb.TicketLink_Kind, number TicketNumber) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{
		Ticket: &deskpb.Ticket{Title: "另一件"}, Origin: &deskpb.TicketLink{Kind: kind, Number: string(number)},
	}}}
}
