package desk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// checkSolution refuses a solution that says less than the ticket's line, the policy or its code demands.
func (w *writer) checkSolution(solution *deskpb.Resolution) error {
	if w.ticket().GetLine() == deskpb.Ticket_THIRD {
		if err := given("resolution.text", solution.GetText()); err != nil {
			return err
		}
	}
	p, err := w.policy()
	if err != nil {
		return err
	}
	code := policy.ResolutionCode(p, solution.GetCode())
	switch closing := p.GetClosing(); {
	case solution.GetCode() == "" && closing.GetCodeRequired():
		return RefuseField("resolution.code", "it is missing; use one of %s", names(p.GetResolutionCodes()))
	case solution.GetCode() != "" && code == nil && (closing.GetCodeRequired() || closing.GetClosedLists()):
		return RefuseField("resolution.code", "%q is no code of the policy; use one of %s", solution.GetCode(), names(p.GetResolutionCodes()))
	case code.GetRootCauseRequired():
		return given("resolution.rootCause", solution.GetRootCause())
	}
	return nil
}

// listed is an entry of a list of the policy that people choose from.
type listed interface {
	GetName() string
	GetTitle() *deskpb.Words
}

// names lists what may be chosen, each name with its title where that says more.
func names[E listed](entries []E) string {
	shown := make([]string, len(entries))
	for i, entry := range entries {
		shown[i] = entry.GetName()
		if zh := entry.GetTitle().GetZh(); zh != "" && zh != entry.GetName() {
			shown[i] = fmt.Sprintf("%s (%s)", entry.GetName(), zh)
		}
	}
	slices.Sort(shown)
	return strings.Join(shown, ", ")
}
