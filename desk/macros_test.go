package desk

import (
	"errors"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func macroStep(verb string, body ...string) *deskpb.MacroStep {
	s := &deskpb.MacroStep{Verb: verb, Body: map[string]string{}}
	for i := 0; i < len(body); i += 2 {
		s.Body[body[i]] = body[i+1]
	}
	return s
}

func TestAMacroDoesAllOrNothing(t *testing.T) {
	for name, c := range map[string]struct {
		steps  []*deskpb.MacroStep
		want   []deskpb.Event_Type // nil: refused
		reason string
		says   string
	}{
		"every verb": {
			steps: []*deskpb.MacroStep{
				macroStep("assign", "assignee", "wang", "group", "网络组", "reason", "归口"), macroStep("start"),
				macroStep("note", "text", "内部"), macroStep("reply", "text", "请稍候"), macroStep("hold", "reason", "waiting-vendor"),
				macroStep("resume", "comment", "好了"), macroStep("resolve", "code", "solved", "text", "好了", "rootCause", "松动"),
			},
			want: []deskpb.Event_Type{deskpb.Event_ASSIGNED, deskpb.Event_STARTED, deskpb.Event_NOTED, deskpb.Event_REPLIED,
				deskpb.Event_HELD, deskpb.Event_RESUMED, deskpb.Event_RESOLVED},
		},
		"a step that is refused": {
			steps:  []*deskpb.MacroStep{macroStep("note", "text", "内部"), macroStep("resume")},
			reason: "WRONG_STATE", says: `macro "m", step 2 (resume): `,
		},
		"a step of bad form": {
			steps:  []*deskpb.MacroStep{macroStep("start"), macroStep("note", "text", " ")},
			reason: "INVALID_FIELD", says: `macro "m", step 2 (note): text`,
		},
		"a verb that macros do not have": {
			steps:  []*deskpb.MacroStep{macroStep("close")},
			reason: "BAD_MACRO", says: "none of assign, start, hold, resume, note, reply and resolve",
		},
		"a field that the verb does not have": {
			steps:  []*deskpb.MacroStep{macroStep("note", "text", "x", "reason", "y")},
			reason: "BAD_MACRO", says: "something else than text",
		},
		"a field where the verb has none": {
			steps:  []*deskpb.MacroStep{macroStep("start", "assignee", "wang")},
			reason: "BAD_MACRO", says: "something else than nothing",
		},
		"no steps": {reason: "INVALID_FIELD", says: "is no macro"},
	} {
		t.Run(name, func(t *testing.T) {
			tr, number := checking(t)
			p := checklistPolicy()
			p.Checklists = nil
			p.Macros = []*deskpb.Macro{{Name: "m", Steps: c.steps}}
			tr.office(city).policy = p
			if _, err := tr.do(city, by(agent("sun"), number, check(0, true, ""))); err != nil {
				t.Fatal(err)
			}
			before := tr.office(city).records[number]
			run := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_RunMacro{RunMacro: &deskpb.RunMacro{Macro: "m"}}}
			d, err := tr.do(city, by(agent("sun"), number, run))
			if c.reason != "" {
				if reason(err) != c.reason || !strings.Contains(err.Error(), c.says) {
					t.Errorf("it comes to %v, want %s with %q", err, c.reason, c.says)
				}
				if refusal, ok := errors.AsType[*Refusal](err); ok && refusal.Field != "" && refusal.Field != "macro" {
					t.Errorf("the refusal blames the field %q of a request that has none", refusal.Field)
				}
				if tr.office(city).records[number] != before {
					t.Error("the ticket has changed all the same")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []deskpb.Event_Type
			for _, event := range d.Events {
				got = append(got, event.GetType())
				if event.GetActor() != "sun" {
					t.Errorf("%s is by %q", event.GetType(), event.GetActor())
				}
			}
			if len(got) < len(c.want) {
				t.Fatalf("the events are %v, want %v", got, c.want)
			}
			for i, want := range c.want {
				if got[i] != want {
					t.Errorf("event %d is %s, want %s", i, got[i], want)
				}
			}
		})
	}
}

func TestAMacroIsCarriedOutWhereTheTicketIsHeld(t *testing.T) {
	tr, number := checking(t)
	if err := tr.drain(); err != nil {
		t.Fatal(err)
	}
	run := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_RunMacro{RunMacro: &deskpb.RunMacro{Macro: "ask-requester"}}}
	if _, err := tr.do(province, by(manager("tang"), number, run)); reason(err) != "NOT_CUSTODIAN" {
		t.Errorf("a macro at a site that does not hold the ticket comes to %v", err)
	}
}
