package desk

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// having lists the verbs that May allows an actor.
func having(actor *deskpb.Actor) (verbs []Verb) {
	for _, verb := range Verbs() {
		if May(actor, verb) == nil {
			verbs = append(verbs, verb)
		}
	}
	return verbs
}

func TestRightsGrowAlongTheChain(t *testing.T) {
	chain := []deskpb.User_Role{deskpb.User_REQUESTER, deskpb.User_AGENT, deskpb.User_DISPATCHER, deskpb.User_INCIDENT_MANAGER, deskpb.User_ADMINISTRATOR}
	for i, role := range chain[1:] {
		less, more := having(&deskpb.Actor{User: "lin", Role: chain[i]}), having(&deskpb.Actor{User: "lin", Role: role})
		for _, verb := range less {
			if !slices.Contains(more, verb) {
				t.Errorf("%s has %s, and %s, who has more rights, has not", chain[i], verb, role)
			}
		}
		if len(more) <= len(less) {
			t.Errorf("%s has %d verbs and %s has %d", role, len(more), chain[i], len(less))
		}
	}
	if all := having(&deskpb.Actor{User: "lin", Role: deskpb.User_ADMINISTRATOR}); len(all) != len(Verbs()) {
		t.Errorf("an administrator has %d of %d verbs", len(all), len(Verbs()))
	}
}

func TestWhatTheRolesBesideTheChainChange(t *testing.T) {
	own := []Verb{SignIn, SurveyAnswer, PortalSubmit, PortalOpen, PortalAct, NoticeMark, OwnPassword, OwnSecondFactor, OwnSessions, OwnTokens, OwnPreferences, OwnSignOut}
	for role, want := range map[deskpb.User_Role][]Verb{
		deskpb.User_AUDITOR: own,
		deskpb.User_LEADER:  slices.Concat([]Verb{TicketChangeTask, TicketNote, TicketUrge}, own),
		deskpb.User_REQUESTER: slices.Concat([]Verb{TicketCreate, TicketReply, TicketUrge, TicketAttach, TicketConfirm, TicketReopen, TicketCancel,
			TicketRate}, own),
	} {
		got := slices.DeleteFunc(having(&deskpb.Actor{User: "ma", Role: role}), func(v Verb) bool { return !v.Changes() })
		if !slices.Equal(got, want) {
			t.Errorf("%s changes by\n%q\nwant\n%q", role, got, want)
		}
	}
	for _, verb := range Verbs() {
		if sees := May(&deskpb.Actor{User: "su", Role: deskpb.User_AUDITOR}, verb) == nil; !verb.Changes() && !sees {
			t.Errorf("an auditor does not have %s, which changes nothing", verb)
		}
	}
}

func TestTheTableIsWhole(t *testing.T) {
	known := map[Verb]bool{}
	for _, r := range rules {
		if known[r.verb] {
			t.Errorf("%s stands in the table twice", r.verb)
		}
		known[r.verb] = true
		if r.area != personal && !slices.Contains(Areas(), r.area) {
			t.Errorf("%s is of the area %q, which is none", r.verb, r.area)
		}
		if r.verb.NeedsNoSignIn() != (r.roles == nobody) {
			t.Errorf("%s is for nobody: %t; it needs no sign-in: %t", r.verb, r.roles == nobody, r.verb.NeedsNoSignIn())
		}
		if (r.at == noTicket) != (r.states == 0) {
			t.Errorf("%s has states without a place or a place without states", r.verb)
		}
		if strings.TrimSpace(r.words) == "" {
			t.Errorf("%s has no words", r.verb)
		}
	}
}

func TestMay(t *testing.T) {
	with := func(role deskpb.User_Role, limits ...string) *deskpb.Actor {
		return &deskpb.Actor{User: "lin", Role: role, Limits: limits}
	}
	fresh := &deskpb.Actor{User: "lin", Role: deskpb.User_ADMINISTRATOR, MustChangePassword: true}
	const agent, administrator = deskpb.User_AGENT, deskpb.User_ADMINISTRATOR
	for name, c := range map[string]struct {
		actor *deskpb.Actor
		verb  Verb
		want  string
	}{
		"a verb of the role":                     {with(agent), TicketAssign, ""},
		"a verb of others":                       {with(agent), PolicyApply, "PERMISSION_DENIED"},
		"a verb that is none":                    {with(administrator), "ticket.burn", "PERMISSION_DENIED"},
		"the empty verb":                         {with(administrator), "", "PERMISSION_DENIED"},
		"nobody":                                 {&deskpb.Actor{}, TicketRead, "PERMISSION_DENIED"},
		"nobody at all":                          {nil, TicketRead, "PERMISSION_DENIED"},
		"nobody signs in":                        {nil, SignIn, ""},
		"nobody rates by a link":                 {nil, SurveyAnswer, ""},
		"a guest answers":                        {Guest("n", ""), TicketReply, ""},
		"a guest lists tickets":                  {Guest("n", ""), TicketList, "PERMISSION_DENIED"},
		"a guest reads a journal":                {Guest("n", ""), TicketJournal, "PERMISSION_DENIED"},
		"a guest works on a ticket":              {Guest("n", ""), TicketStart, "PERMISSION_DENIED"},
		"a name without a role":                  {&deskpb.Actor{User: "lin"}, OwnRead, "PERMISSION_DENIED"},
		"a role that is none":                    {&deskpb.Actor{User: "lin", Role: 8}, OwnRead, "PERMISSION_DENIED"},
		"a negative role":                        {&deskpb.Actor{User: "lin", Role: -1}, OwnRead, "PERMISSION_DENIED"},
		"a role beyond the width of a set":       {&deskpb.Actor{User: "lin", Role: 1 << 20}, OwnRead, "PERMISSION_DENIED"},
		"a password of others, set another one":  {fresh, OwnPassword, ""},
		"a password of others, sign out":         {fresh, OwnSignOut, ""},
		"a password of others, read oneself":     {fresh, OwnRead, ""},
		"a password of others, list tickets":     {fresh, TicketList, "PASSWORD_CHANGE_REQUIRED"},
		"a password of others, second factor":    {fresh, OwnSecondFactor, "PASSWORD_CHANGE_REQUIRED"},
		"a token for tickets reads":              {with(agent, "tickets"), TicketRead, ""},
		"a token for tickets changes":            {with(agent, "tickets"), TicketAssign, ""},
		"a token for tickets reads no policy":    {with(agent, "tickets"), PolicyRead, "TOKEN_LIMITED"},
		"a token that reads tickets changes":     {with(agent, "tickets:read"), TicketAssign, "TOKEN_LIMITED"},
		"a token that reads tickets reads":       {with(agent, "tickets:read"), TicketRead, ""},
		"a token that reads reveals":             {with(agent, "read"), TicketReveal, "TOKEN_LIMITED"},
		"a token that reads reads the policy":    {with(agent, "read"), PolicyRead, ""},
		"a second limit counts too":              {with(agent, "policy:read", "tickets"), TicketNote, ""},
		"a limit gives no role":                  {with(agent, "audit"), AuditRead, "PERMISSION_DENIED"},
		"a limit with another part":              {with(agent, "tickets:write"), TicketRead, "TOKEN_LIMITED"},
		"the empty limit":                        {with(agent, ""), OwnPassword, "TOKEN_LIMITED"},
		"a token marks notices":                  {with(agent, "own"), NoticeMark, ""},
		"a token sets no password":               {with(agent, "own"), OwnPassword, "TOKEN_LIMITED"},
		"a token makes no token":                 {with(agent, "own", "people", "read"), OwnTokens, "TOKEN_LIMITED"},
		"a token asks whose it is":               {with(agent, "audit"), OwnRead, ""},
		"an administrator's token of all people": {with(administrator, "people"), UserUpdate, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if err := May(c.actor, c.verb); reason(err) != c.want {
				t.Errorf("%s comes to %v, want %q", c.verb, err, c.want)
			}
		})
	}
	err := May(with(agent), TicketOverride)
	if err == nil || !strings.Contains(err.Error(), "AGENT") || !strings.Contains(err.Error(), "INCIDENT_MANAGER, ADMINISTRATOR") {
		t.Errorf("the refusal is %v, want one that names the role and who may", err)
	}
}

func TestMayOn(t *testing.T) {
	lin := &deskpb.Actor{User: "lin", Role: deskpb.User_AGENT}
	if err := MayOn(lin, "lin", OwnSessions, SessionList); err != nil {
		t.Errorf("one's own sessions come to %v", err)
	}
	if err := MayOn(lin, "wang", OwnSessions, SessionList); reason(err) != "PERMISSION_DENIED" {
		t.Errorf("another one's sessions come to %v", err)
	}
	if err := MayOn(&deskpb.Actor{}, "", OwnRead, UserRead); reason(err) != "PERMISSION_DENIED" {
		t.Errorf("nobody's account comes to %v for nobody", err)
	}
}

func TestLimitsOfAccessTokensAreChecked(t *testing.T) {
	for _, limits := range [][]string{{"tickets"}, {"read"}, {"audit:read", "policy:read"}, {"own"}} {
		if err := CheckLimits("token.limits", limits); err != nil {
			t.Errorf("%q are refused: %v", limits, err)
		}
	}
	for _, limits := range [][]string{nil, {""}, {":read"}, {"tickets:write"}, {"ticket"}, {"read:read"}, {"tickets", "TICKETS"}, slices.Repeat([]string{"read"}, 21)} {
		if err := CheckLimits("token.limits", limits); reason(err) != "INVALID_FIELD" {
			t.Errorf("%q come to %v, want the field refused", limits, err)
		}
	}
}

func TestLinesBindTheWorkOfTheCustodianOnly(t *testing.T) {
	second := func(role deskpb.User_Role) *deskpb.Actor {
		return &deskpb.Actor{User: "lin", Role: role, Lines: []deskpb.Ticket_Line{deskpb.Ticket_SECOND}}
	}
	for name, c := range map[string]struct {
		actor *deskpb.Actor
		site  SiteID
		verb  string
		want  string
	}{
		"an agent at another line":             {second(deskpb.User_AGENT), county, "start", "PERMISSION_DENIED"},
		"a dispatcher at another line":         {second(deskpb.User_DISPATCHER), county, "assign", "PERMISSION_DENIED"},
		"an incident manager at another line":  {second(deskpb.User_INCIDENT_MANAGER), county, "start", ""},
		"an administrator at another line":     {second(deskpb.User_ADMINISTRATOR), county, "start", ""},
		"a note at another line":               {second(deskpb.User_AGENT), county, "note", ""},
		"a reply at another line":              {second(deskpb.User_AGENT), county, "reply", ""},
		"an end by the custodian at that line": {second(deskpb.User_AGENT), county, "cancel", "PERMISSION_DENIED"},
		"a new ticket":                         {second(deskpb.User_AGENT), county, "create", ""},
		"the own line":                         {second(deskpb.User_AGENT), city, "start", ""},
		"a wish about another line":            {second(deskpb.User_AGENT), county, "wish", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, deskpb.Ticket_NEW)
			if c.site == city || c.verb == "wish" {
				s.escalateToCity()
			}
			command := sampleCommand(strings.Replace(c.verb, "wish", "cancel", 1))
			command.Actor = c.actor
			if c.verb != "create" {
				command.Number = string(s.number)
			}
			if _, err := s.tree.do(c.site, command); reason(err) != c.want {
				t.Errorf("it comes to %v, want %q", err, c.want)
			}
		})
	}
}

func TestLinesDoNotKeepAnybodyFromTheOwnTasks(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.do(county, addTask(&deskpb.Task{Title: "现场", Assignee: "lin"}))
	lin := &deskpb.Actor{User: "lin", Role: deskpb.User_AGENT, Lines: []deskpb.Ticket_Line{deskpb.Ticket_THIRD}}
	if _, err := s.tree.do(county, by(lin, s.number, changeTask(1, deskpb.ChangeTask_FINISH, "完成"))); err != nil {
		t.Errorf("the task that lin is to do cannot be finished by lin: %v", err)
	}
}

func TestALeaderSignsAndLeavesTheWorkAlone(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.do(county, addTask(&deskpb.Task{Title: "现场", Assignee: "ma"}))
	s.do(county, addTask(&deskpb.Task{Title: "同意", Kind: deskpb.Task_APPROVAL, Assignee: "ma"}))
	ma := &deskpb.Actor{User: "ma", Role: deskpb.User_LEADER}
	for _, c := range []struct {
		command *deskpb.TicketCommand
		want    string
	}{
		{changeTask(1, deskpb.ChangeTask_FINISH, ""), "PERMISSION_DENIED"},
		{changeTask(1, deskpb.ChangeTask_CANCEL, ""), "PERMISSION_DENIED"},
		{changeTask(2, deskpb.ChangeTask_CANCEL, ""), "PERMISSION_DENIED"},
		{changeTask(2, deskpb.ChangeTask_AGREE, "同意"), ""},
		{sampleCommand("note"), ""},
		{sampleCommand("reply"), "PERMISSION_DENIED"},
		{sampleCommand("start"), "PERMISSION_DENIED"},
	} {
		if _, err := s.tree.do(county, by(ma, s.number, c.command)); reason(err) != c.want {
			t.Errorf("%s comes to %v, want %q", verbName(c.command), err, c.want)
		}
	}
}

func TestAnEventSaysWhoWroteItInWhichRoleFromWhere(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	sun := &deskpb.Actor{User: "sun", Role: deskpb.User_DISPATCHER, Address: "10.1.2.3", Session: "s1"}
	event := s.do(county, by(sun, s.number, sampleCommand("reply"))).Events[0]
	if event.GetRole() != deskpb.User_DISPATCHER || event.GetAddress() != "10.1.2.3" {
		t.Errorf("the reply is of a %s from %q", event.GetRole(), event.GetAddress())
	}
	s.do(county, by(sun, s.number, escalateCommand("")))
	s.drain()
	s.do(county, by(sun, s.number, sampleCommand("cancel")))
	s.drain()
	byPeople := 0
	for _, event := range s.tree.office(province).events[s.number] {
		byPerson := event.GetId().GetSite() == string(county) && event.GetType() != deskpb.Event_DISPATCHED
		if named := event.GetRole() != deskpb.User_ROLE_UNSPECIFIED; named != byPerson {
			t.Errorf("%s of %s by %q names the role %s", event.GetType(), event.GetId().GetSite(), event.GetActor(), event.GetRole())
		}
		if byPerson {
			byPeople++
		}
	}
	if byPeople != 5 {
		t.Errorf("%d events are of people, want OPENED, REPLIED, RESPONDED, ESCALATION_QUEUED and WISHED", byPeople)
	}
	if fields := event.ProtoReflect().Descriptor().Fields(); fields.ByName("session") != nil {
		t.Error("the session's id travels with the event")
	}
}

func TestTheRoleAndAddressOfAnEventChangeNothing(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	record := s.tree.office(county).records[s.number]
	event := s.do(county, sampleCommand("start")).Events[0]
	told, untold := proto.CloneOf(event.Event), proto.CloneOf(event.Event)
	told.Role, told.Address = deskpb.User_ADMINISTRATOR, "203.0.113.7"
	untold.Role, untold.Address = deskpb.User_ROLE_UNSPECIFIED, ""
	var records []*deskpb.Record
	for _, e := range []*deskpb.Event{told, untold} {
		sealed, err := Seal(e)
		if err != nil {
			t.Fatal(err)
		}
		folded, err := Fold(record, sealed)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(folded.GetHead(), record.GetHead()) {
			t.Fatal("the event is not folded")
		}
		folded.Head, folded.Sum, folded.Ticket.Etag = nil, nil, ""
		records = append(records, folded)
	}
	if !proto.Equal(records[0], records[1]) {
		t.Errorf("the tickets differ:\n%v\n%v", records[0], records[1])
	}
}

// TestGoldenBytesOfAPersonsEvent holds the encoding of role and address still.
func TestGoldenBytesOfAPersonsEvent(t *testing.T) {
	event := sampleEvent(deskpb.Event_NOTED)
	event.Role, event.Address = deskpb.User_DISPATCHER, "2001:db8::7"
	sealed, err := Seal(event)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "events", "noted_by_a_person.golden")
	if *update {
		writeGolden(t, path, sealed.Raw)
	}
	want := readGolden(t, path)
	if !bytes.Equal(sealed.Raw, want) {
		t.Errorf("the event is written as\n%x, not as before:\n%x", sealed.Raw, want)
	}
	if read, err := Open(want); err != nil || !proto.Equal(read.Event, event) {
		t.Errorf("the bytes of before are read as %v, %v; want %v", read.Event, err, event)
	}
}
