package desk

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// scene is a ticket in a state, as an office knows it. chen reported it; lin has it wherever somebody has it; ma, a leader, is asked to
// sign beside the work that lin is asked for.
type scene struct {
	name   string
	office *office
	number TicketNumber
	other  TicketNumber // another ticket that the office knows
	at     Stamp
}

func (s scene) record() *deskpb.Record { return s.office.records[s.number] }

// scenes are tickets in every state at every kind of place. On its way, or waiting for the line, a ticket is open.
func scenes(t *testing.T) []scene {
	t.Helper()
	var all []scene
	for _, place := range []struct {
		name    string
		at      SiteID
		states  stateSet
		arrange func(*stage)
	}{
		{"at home", county, anyState, func(s *stage) { s.advance(county) }},
		{"away", city, anyState, func(s *stage) { s.escalateToCity(); s.advance(city) }},
		{"at a mirror", county, anyState, func(s *stage) { s.escalateToCity(); s.advance(city); s.spread() }},
		{"while queued", county, unsolved, func(s *stage) { s.advance(county); s.do(county, escalateCommand("")) }},
		{"in transit", county, unsolved, func(s *stage) {
			s.advance(county)
			s.do(county, escalateCommand(""))
			s.do(county, dispatchTo(s.number, string(city)))
		}},
	} {
		for _, state := range place.states.states() {
			s := &stage{t: t, tree: newTree(), state: state}
			other := s.do(county, createCommand("另一件事"))
			opened := createCommand("打印机不工作")
			opened.GetCreate().Ticket.Requester = &deskpb.Requester{Name: "陈静", User: "chen"}
			s.number = TicketNumber(s.do(county, opened).Record.GetTicket().GetNumber())
			place.arrange(s)
			o := s.tree.office(place.at)
			o.files = map[string]*deskpb.Blob{string(make([]byte, FileHash)): {Size: 3, Complete: 1}}
			all = append(all, scene{fmt.Sprintf("%s, %s", place.name, state), o, s.number,
				TicketNumber(other.Record.GetTicket().GetNumber()), s.tree.stamp(o)})
		}
	}
	return all
}

// advance adds work for lin and a question for ma, and brings the ticket, held by the site, into its state.
func (s *stage) advance(site SiteID) {
	s.t.Helper()
	s.do(site, addTask(&deskpb.Task{Title: "现场", Assignee: "lin"}))
	s.do(site, addTask(&deskpb.Task{Title: "同意", Kind: deskpb.Task_COSIGN, Signers: signers("ma")}))
	give := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Assign{Assign: &deskpb.Assign{Assignee: "lin"}}}
	for _, command := range map[deskpb.Ticket_State][]*deskpb.TicketCommand{
		deskpb.Ticket_ASSIGNED:    {give},
		deskpb.Ticket_IN_PROGRESS: {give, sampleCommand("start")},
		deskpb.Ticket_ON_HOLD:     {give, sampleCommand("start"), sampleCommand("hold")},
		deskpb.Ticket_RESOLVED:    {give, sampleCommand("resolve")},
		deskpb.Ticket_CLOSED:      {give, sampleCommand("resolve"), sampleCommand("confirm")},
		deskpb.Ticket_CANCELED:    {give, sampleCommand("cancel")},
	}[s.state] {
		command.Actor = nil
		s.do(site, by(agent("zhou"), s.number, command))
	}
}

// spread carries what was written to the other sites, and sends no ticket.
func (s *stage) spread() {
	s.t.Helper()
	for line := range s.tree.lines {
		for len(s.tree.lines[line]) > 0 {
			if err := s.tree.deliver(line); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// people are two of each role: one whom the ticket of a scene concerns, and another one.
func people() []*deskpb.Actor {
	var all []*deskpb.Actor
	for _, role := range Roles() {
		concerned := map[deskpb.User_Role]string{deskpb.User_REQUESTER: "chen", deskpb.User_LEADER: "ma"}[role]
		if concerned == "" {
			concerned = "lin"
		}
		all = append(all, &deskpb.Actor{User: concerned, Role: role}, &deskpb.Actor{User: "he", Role: role})
	}
	return all
}

// sensible returns commands for every verb on the ticket of a scene that changes it, with words that suit the actor.
func sensible(s scene, actor *deskpb.Actor) map[Verb]*deskpb.TicketCommand {
	commands := map[Verb]*deskpb.TicketCommand{
		TicketTransfer: {Verb: &deskpb.TicketCommand_Transfer{Transfer: &deskpb.Transfer{Assignee: "zhou", Reason: "熟悉"}}},
		TicketArrive:   {Verb: &deskpb.TicketCommand_Arrive{Arrive: &deskpb.Arrive{}}},
		TicketClassify: {Verb: &deskpb.TicketCommand_Classify{Classify: &deskpb.Classify{
			Fields: []string{"title"}, Ticket: &deskpb.Ticket{Title: "打印机不工作了"}}}},
		TicketCheck:      {Verb: &deskpb.TicketCommand_CheckItem{CheckItem: &deskpb.CheckItem{Done: true}}},
		TicketAddTask:    addTask(&deskpb.Task{Title: "再看看"}),
		TicketChangeTask: changeTask(1, deskpb.ChangeTask_FINISH, "完成"),
		TicketMacro:      {Verb: &deskpb.TicketCommand_RunMacro{RunMacro: &deskpb.RunMacro{Macro: "password-reset"}}}, // the one that most states have
		TicketAttach: {Verb: &deskpb.TicketCommand_Attach{Attach: &deskpb.Attach{Attachment: &deskpb.Attachment{
			Name: "a.txt", Size: 3, MediaType: "text/plain", Sha256: strings.Repeat("00", FileHash)}}}},
		TicketLink:     linkTo(deskpb.TicketLink_RELATED, string(s.other), false),
		TicketMerge:    mergeInto(s.other),
		TicketSplit:    splitFrom(s.number),
		TicketOverride: sampleCommand("reclaim"),
		TicketReview:   {Verb: &deskpb.TicketCommand_Review{Review: &deskpb.Review{Text: "换一台"}}},
	}
	if leaders.has(actor.GetRole()) {
		commands[TicketChangeTask] = changeTask(2, deskpb.ChangeTask_AGREE, "同意")
	}
	for _, verb := range []Verb{TicketAssign, TicketClaim, TicketDecline, TicketStart, TicketHold, TicketResume, TicketNote, TicketReply, TicketUrge,
		TicketEscalate, TicketWithdraw, TicketReturn, TicketResolve, TicketConfirm, TicketClose, TicketReopen, TicketCancel, TicketCallBack, TicketRate} {
		commands[verb] = sampleCommand(verb.name())
	}
	for verb, command := range commands {
		command.Actor = actor
		if verb != TicketSplit {
			command.Number = string(s.number)
		}
	}
	return commands
}

func TestEveryVerbInEveryStateByEveryRole(t *testing.T) {
	played := map[Verb]bool{}
	for _, s := range scenes(t) {
		for _, actor := range people() {
			name := fmt.Sprintf("%s, %s %s", s.name, actor.GetRole(), actor.GetUser())
			commands := sensible(s, actor)
			for _, verb := range slices.Sorted(maps.Keys(commands)) {
				if got := OfCommand(commands[verb]); got != verb {
					t.Fatalf("the command for %s asks for %q", verb, got)
				}
				played[verb] = true
				if fault := misfit(s, actor, verb, commands[verb]); fault != "" {
					t.Errorf("%s, %s: %s", name, verb, fault)
				}
			}
		}
	}
	for _, verb := range Verbs() {
		commanded := ruleOf(verb).at != noTicket && verb.Changes() && verb != TicketReveal && verb != SurveyCreate
		if commanded != played[verb] {
			t.Errorf("%s is played: %t, want %t", verb, played[verb], commanded)
		}
	}
}

// misfit says how what became of a command differs from what the table and VerbsFor say of its verb, "" when all agree.
func misfit(s scene, actor *deskpb.Actor, verb Verb, command *deskpb.TicketCommand) string {
	record := proto.CloneOf(s.record())
	d, err := Decide(s.office.here, s.office, command, s.at)
	verbs, wishes := VerbsFor(s.office.here, s.office.policy, actor, record)
	offered, asWish := slices.Contains(verbs, verb), slices.Contains(wishes, verb)
	fits := ruleOf(verb).states.has(record.GetTicket().GetState())
	held := holds(s.office.here, record)
	switch why := reason(err); {
	case !proto.Equal(record, s.record()):
		return "the record was changed"
	case !slices.Contains(verb.Roles(), actor.GetRole()):
		return differs("who has not the role", why, "PERMISSION_DENIED", offered, false)
	case !Sees(actor, s.office.here.Site, s.office.policy, record):
		return differs("who does not see the ticket", why, "TICKET_NOT_FOUND", offered, false)
	case err == nil && d.Events[0].GetType() == deskpb.Event_WISHED:
		if held || offered != fits || asWish != fits {
			return fmt.Sprintf("it is recorded as a wish; held %t, offered %t, as a wish %t, the state fits %t", held, offered, asWish, fits)
		}
	case err == nil:
		if !offered || asWish || !fits {
			return fmt.Sprintf("it is done; offered %t, as a wish %t, the state fits %t", offered, asWish, fits)
		}
	case why == "WRONG_STATE" && fits && !offered && verb != TicketMacro:
		return "the table has the state, and it is refused for that: " + err.Error()
	case offered:
		return "it is offered and comes to " + err.Error()
	case held && fits && !offered && strings.HasPrefix(why, "FAULT"):
		return err.Error()
	}
	return ""
}

// What the policy says of a verb decides whether it is offered, as it decides whether it is done.
func TestThePolicyDecidesWhatIsOffered(t *testing.T) {
	steps := func(verbs ...string) []*deskpb.Macro {
		macro := &deskpb.Macro{Name: "m"}
		for _, verb := range verbs {
			macro.Steps = append(macro.Steps, &deskpb.MacroStep{Verb: verb, Body: map[string]map[string]string{
				"note": {"text": "看过"}, "hold": {"reason": "waiting-requester", "comment": "等待"}, "resolve": {"code": "solved", "text": "已解决"},
			}[verb]})
		}
		return []*deskpb.Macro{macro}
	}
	run := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_RunMacro{RunMacro: &deskpb.RunMacro{Macro: "m"}}}
	urge := sampleCommand("urge")
	for _, c := range []struct {
		what    string
		policy  *deskpb.Policy
		command *deskpb.TicketCommand
		states  stateSet
	}{
		{"a macro that holds", &deskpb.Policy{Macros: steps("note", "hold")}, run, stateNew | stateAssigned | stateInProgress},
		{"a macro that resolves", &deskpb.Policy{Macros: steps("resolve")}, run, unsolved},
		{"a macro that goes on", &deskpb.Policy{Macros: steps("resume", "note", "hold")}, run, stateOnHold},
		{"a macro that notes", &deskpb.Policy{Macros: steps("note")}, run, anyState},
		{"a macro without steps", &deskpb.Policy{Macros: steps()}, run, 0},
		{"a macro of a verb that there is not", &deskpb.Policy{Macros: steps("dance")}, run, 0},
		{"no macro", &deskpb.Policy{}, run, 0},
		{"an urge", &deskpb.Policy{}, urge, unsolved | stateResolved},
		{"an urge that has to wait", &deskpb.Policy{Urging: &deskpb.Urging{RefuseOnHold: true}}, urge, (unsolved | stateResolved) &^ stateOnHold},
	} {
		for _, s := range scenes(t) {
			if !strings.HasPrefix(s.name, "at home") {
				continue
			}
			verb := OfCommand(c.command)
			p := proto.CloneOf(s.office.policy)
			p.Macros, p.Urging = c.policy.GetMacros(), c.policy.GetUrging()
			s.office.policy = p
			want := c.states.has(s.record().GetTicket().GetState())
			verbs, _ := VerbsFor(s.office.here, p, agent("lin"), s.record())
			_, err := Decide(s.office.here, s.office, by(agent("lin"), s.number, proto.CloneOf(c.command)), s.at)
			if offered := slices.Contains(verbs, verb); offered != want || (err == nil) != want {
				t.Errorf("%s, %s: offered %t and done with %v, want %t", c.what, s.name, offered, err, want)
			}
		}
	}
}

// differs says how a refusal and an offer differ from what they should be.
func differs(whom, why, want string, offered, wanted bool) string {
	if why == want && offered == wanted {
		return ""
	}
	return fmt.Sprintf("for %s it comes to %q, want %q; offered %t, want %t", whom, why, want, offered, wanted)
}

// TestNothingIsDoneWithoutTheRight draws actors whom no account would make, and holds whatever they succeed in against May, Sees and
// the lines.
func TestNothingIsDoneWithoutTheRight(t *testing.T) {
	stages := scenes(t)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(stages).Draw(t, "scene")
		actor := &deskpb.Actor{
			User:    rapid.SampledFrom([]string{"", "lin", "chen", "ma", "he"}).Draw(t, "user"),
			Role:    deskpb.User_Role(rapid.Int32Range(-1, 9).Draw(t, "role")),
			Scope:   deskpb.User_Scope(rapid.Int32Range(0, 5).Draw(t, "scope")),
			Offices: rapid.SampledFrom([][]string{nil, {string(city)}, {string(neighbour)}}).Draw(t, "offices"),
			Groups:  rapid.SampledFrom([][]string{nil, {"网络组"}}).Draw(t, "groups"),
			Lines:   rapid.SampledFrom([][]deskpb.Ticket_Line{nil, {deskpb.Ticket_FIRST}, {deskpb.Ticket_SECOND, deskpb.Ticket_THIRD}}).Draw(t, "lines"),
			Limits:  rapid.SampledFrom([][]string{nil, {"tickets"}, {"read"}, {"own"}}).Draw(t, "limits"),

			MustChangePassword: rapid.IntRange(0, 4).Draw(t, "must change") == 0,
		}
		commands := sensible(s, actor)
		verb := rapid.SampledFrom(slices.Sorted(maps.Keys(commands))).Draw(t, "verb")
		before := proto.CloneOf(s.record())
		d, err := Decide(s.office.here, s.office, commands[verb], s.at)
		if refusal := new(Refusal); err != nil && !errors.As(err, &refusal) {
			t.Fatalf("%s comes to a fault: %v", verb, err)
		}
		if !proto.Equal(before, s.record()) {
			t.Fatalf("%s changed the record", verb)
		}
		if err != nil || isSite(actor) {
			return
		}
		if err := May(actor, verb); err != nil {
			t.Fatalf("%s is done, and May says: %v", verb, err)
		}
		if !Sees(actor, s.office.here.Site, s.office.policy, before) {
			t.Fatalf("%s is done on a ticket that is not seen", verb)
		}
		remark := d.Events[0].GetClass() == deskpb.Event_REMARK || verb == TicketSplit || verb == TicketChangeTask
		bound := len(actor.GetLines()) > 0 && staff.has(actor.GetRole()) && !managers.has(actor.GetRole())
		if bound && !remark && !slices.Contains(actor.GetLines(), before.GetTicket().GetLine()) {
			t.Fatalf("%s is done at the %s line by somebody of %v", verb, before.GetTicket().GetLine(), actor.GetLines())
		}
	})
}
