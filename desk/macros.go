package desk

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

func checkMacro(v *deskpb.RunMacro) error {
	return cmp.Or(given("macro", v.GetMacro()), oneLine("macro", v.GetMacro(), MaxShort))
}

// runMacro carries out the steps of a macro in one decision: all, or none when one of them is refused.
func (w *writer) runMacro(v *deskpb.RunMacro) error {
	p, err := w.policy()
	if err != nil {
		return fmt.Errorf("run macro %q: %w", v.GetMacro(), err)
	}
	macro := policy.Macro(p, v.GetMacro())
	if len(macro.GetSteps()) == 0 {
		return RefuseField("macro", "%q is no macro of the policy of %s; look into the policy", v.GetMacro(), w.here.Site)
	}
	for i, step := range macro.GetSteps() {
		if err := w.runStep(step); err != nil {
			return inStep(err, macro.GetName(), i+1, step.GetVerb())
		}
	}
	return nil
}

// runStep carries out one step as if somebody had asked for its verb.
func (w *writer) runStep(step *deskpb.MacroStep) error {
	c, err := stepCommand(step)
	if err != nil {
		return err
	}
	c.Number = w.number()
	if err := checkForm(c); err != nil {
		return err
	}
	if made, err := w.remarkOn(c); made || err != nil {
		return err
	}
	if !w.holds() {
		return w.notHeld()
	}
	return w.act(c)
}

// inStep says in which step of a macro something went wrong. A refusal stays one.
func inStep(err error, macro string, step int, verb string) error {
	where := fmt.Sprintf("macro %q, step %d (%s)", macro, step, verb)
	refusal, refused := errors.AsType[*Refusal](err)
	if !refused {
		return fmt.Errorf("%s: %w", where, err)
	}
	told := *refusal
	told.Message = where + ": " + refusal.Message
	if told.Field != "" {
		told.Field = "macro"
	}
	return &told
}

// stepCommand returns the command that a step of a macro stands for.
func stepCommand(step *deskpb.MacroStep) (*deskpb.TicketCommand, error) {
	body := step.GetBody()
	switch step.GetVerb() {
	case "assign":
		verb := &deskpb.Assign{Assignee: body["assignee"], Group: body["group"], Reason: body["reason"]}
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Assign{Assign: verb}}, stepKnows(body, "assignee", "group", "reason")
	case "start":
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Start{Start: &deskpb.Start{}}}, stepKnows(body)
	case "hold":
		verb := &deskpb.Hold{Reason: body["reason"], Comment: body["comment"]}
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Hold{Hold: verb}}, stepKnows(body, "reason", "comment")
	case "resume":
		verb := &deskpb.Resume{Comment: body["comment"]}
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resume{Resume: verb}}, stepKnows(body, "comment")
	case "note":
		verb := &deskpb.Note{Text: body["text"]}
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Note{Note: verb}}, stepKnows(body, "text")
	case "reply":
		verb := &deskpb.Reply{Text: body["text"]}
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reply{Reply: verb}}, stepKnows(body, "text")
	case "resolve":
		verb := &deskpb.Resolve{Resolution: &deskpb.Resolution{Code: body["code"], Text: body["text"], RootCause: body["rootCause"]}}
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resolve{Resolve: verb}}, stepKnows(body, "code", "text", "rootCause")
	}
	return nil, Refuse(FailedPrecondition, "BAD_MACRO",
		"the step is none of assign, start, hold, resume, note, reply and resolve; mend the policy")
}

// stepKnows refuses a step that fills in a field which its verb does not have.
func stepKnows(body map[string]string, fields ...string) error {
	known := 0
	for _, field := range fields {
		if _, filled := body[field]; filled {
			known++
		}
	}
	if known == len(body) {
		return nil
	}
	return Refuse(FailedPrecondition, "BAD_MACRO", "the step fills in something else than %s; mend the policy",
		cmp.Or(strings.Join(slices.Sorted(slices.Values(fields)), ", "), "nothing, which is all that its verb takes"))
}
