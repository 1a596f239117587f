// Package policy puts the layers of a desk's policy together and finds what it says about a ticket. It is pure: the same
// layers come to the same policy on every node.
package policy

import (
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// named is an entry of a list of the policy.
type named interface{ GetName() string }

// find returns the entry with the name, the zero entry when there is none.
func find[E named](entries []E, name string) (found E) {
	for _, entry := range entries {
		if entry.GetName() == name {
			return entry
		}
	}
	return found
}

// Category returns the category with the name, or for a sub-category that the policy does not name the one above it; nil
// when it has neither.
func Category(p *deskpb.Policy, name string) *deskpb.Category {
	if found := find(p.GetCategories(), name); found != nil {
		return found
	}
	above, _, _ := strings.Cut(name, "/")
	return find(p.GetCategories(), above)
}

// Fields returns the special fields of a category: those of the one above it, then its own.
func Fields(p *deskpb.Policy, name string) []*deskpb.SpecialField {
	above, _, below := strings.Cut(name, "/")
	fields := find(p.GetCategories(), above).GetFields()
	if !below {
		return fields
	}
	return slices.Concat(fields, find(p.GetCategories(), name).GetFields())
}

// The following return the entry with the name, nil when the policy has none.

func Calendar(p *deskpb.Policy, name string) *deskpb.Calendar { return find(p.GetCalendars(), name) }

func Application(p *deskpb.Policy, name string) *deskpb.Application {
	return find(p.GetApplications(), name)
}

func Service(p *deskpb.Policy, name string) *deskpb.ServiceOffer { return find(p.GetServices(), name) }

func HoldReason(p *deskpb.Policy, name string) *deskpb.HoldReason {
	return find(p.GetHoldReasons(), name)
}

func ResolutionCode(p *deskpb.Policy, name string) *deskpb.ResolutionCode {
	return find(p.GetResolutionCodes(), name)
}

func Group(p *deskpb.Policy, name string) *deskpb.Team { return find(p.GetGroups(), name) }

func Roster(p *deskpb.Policy, name string) *deskpb.Roster { return find(p.GetRosters(), name) }

func Checklist(p *deskpb.Policy, name string) *deskpb.Checklist { return find(p.GetChecklists(), name) }

func Template(p *deskpb.Policy, name string) *deskpb.Template { return find(p.GetTemplates(), name) }

func Macro(p *deskpb.Policy, name string) *deskpb.Macro { return find(p.GetMacros(), name) }

func Round(p *deskpb.Policy, name string) *deskpb.Round { return find(p.GetRounds(), name) }

// Dispatch returns the group that the first fitting rule names, empty for none.
func Dispatch(p *deskpb.Policy, t *deskpb.Ticket) string {
	for _, rule := range p.GetDispatch() {
		if Fits(rule.GetMatch(), t) {
			return rule.GetGroup()
		}
	}
	return Application(p, t.GetApplication()).GetGroup()
}

// Ladder returns the first ladder that fits the ticket, nil for none.
func Ladder(p *deskpb.Policy, t *deskpb.Ticket) *deskpb.Ladder {
	for _, ladder := range p.GetLadders() {
		if Fits(ladder.GetMatch(), t) {
			return ladder
		}
	}
	return nil
}

// Approvals returns the approval steps before a step of the ticket.
func Approvals(p *deskpb.Policy, step string, t *deskpb.Ticket) (steps []*deskpb.ApprovalStep) {
	for _, approval := range p.GetApprovals() {
		if approval.GetStep() == step && Fits(approval.GetMatch(), t) {
			steps = append(steps, approval)
		}
	}
	return steps
}

// Priority returns 1 (most pressing) to 5 from impact and urgency, each 1 to 3.
func Priority(p *deskpb.Policy, impact, urgency int32) int32 {
	matrix := p.GetPriorities().GetPriorities()
	if at := int(impact-1)*3 + int(urgency-1); len(matrix) == 9 && at >= 0 && at < len(matrix) {
		return min(max(matrix[at], 1), 5)
	}
	return min(max(impact+urgency-1, 1), 5)
}

// Fits tells whether a rule is about the ticket.
func Fits(m *deskpb.Match, t *deskpb.Ticket) bool {
	has := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
	return (len(m.GetPriorities()) == 0 || slices.Contains(m.GetPriorities(), t.GetPriority())) &&
		(len(m.GetSeverities()) == 0 || slices.Contains(m.GetSeverities(), t.GetSeverity())) &&
		(len(m.GetCategories()) == 0 || slices.ContainsFunc(m.GetCategories(), func(name string) bool { return within(t.GetCategory(), name) })) &&
		has(m.GetApplications(), t.GetApplication()) &&
		has(m.GetClasses(), t.GetRequester().GetClass()) &&
		has(m.GetUnits(), t.GetRequester().GetUnit()) &&
		has(m.GetSites(), t.GetHomeSite()) &&
		(len(m.GetLines()) == 0 || slices.Contains(m.GetLines(), t.GetLine())) &&
		(len(m.GetKinds()) == 0 || slices.Contains(m.GetKinds(), t.GetKind())) &&
		(!m.GetMajor() || t.GetMajor())
}

// within tells whether a category is the named one or below it.
func within(category, name string) bool {
	return category == name || strings.HasPrefix(category, name+"/")
}
