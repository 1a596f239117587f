package manage

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

func faultSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "fault_levels", Head: head(v, "level", "name", "description")}
	for _, l := range p.GetFaultLevels() {
		s.Rows = append(s.Rows, cells(strconv.Itoa(int(l.GetLevel())), said(v, l.GetTitle()), said(v, l.GetDescription())))
	}
	return s
}

func holdSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "hold_reasons", Head: head(v, "name", "pauses", "until-reply", "comment")}
	for _, h := range p.GetHoldReasons() {
		s.Rows = append(s.Rows, cells(titled(v, h.GetTitle(), h.GetName()), yes(h.GetPauses()), yes(h.GetUntilReply()), yes(h.GetCommentRequired())))
	}
	return s
}

func codeSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "resolution_codes", Head: head(v, "name", "root-cause")}
	for _, c := range p.GetResolutionCodes() {
		s.Rows = append(s.Rows, cells(titled(v, c.GetTitle(), c.GetName()), yes(c.GetRootCauseRequired())))
	}
	return s
}

func macroSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "macros", Head: head(v, "name", "steps")}
	for _, m := range p.GetMacros() {
		var steps []string
		for _, step := range m.GetSteps() {
			steps = append(steps, step.GetVerb())
		}
		s.Rows = append(s.Rows, cells(titled(v, m.GetTitle(), m.GetName()), strings.Join(steps, " → ")))
	}
	return s
}

func templateSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "templates", Head: head(v, "name", "title", "category", "checklist")}
	for _, t := range p.GetTemplates() {
		s.Rows = append(s.Rows, written(cells(titled(v, t.GetTitle(), t.GetName()), t.GetTicket().GetTitle(),
			titleOf(v, p.GetCategories(), t.GetTicket().GetCategory()), titleOf(v, p.GetChecklists(), t.GetChecklist())), 1))
	}
	return s
}

func checklistSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "checklists", Head: head(v, "name", "items")}
	for _, c := range p.GetChecklists() {
		var items []string
		for _, item := range c.GetItems() {
			items = append(items, item.GetText())
		}
		s.Rows = append(s.Rows, written(cells(titled(v, c.GetTitle(), c.GetName()), strings.Join(items, v.Word("admin.semicolon"))), 1))
	}
	return s
}

func roundSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "rounds", Head: head(v, "name", "every", "first", "group", "template")}
	for _, r := range p.GetRounds() {
		s.Rows = append(s.Rows, cells(titled(v, r.GetTitle(), r.GetName()), v.Word("admin.every."+r.GetUnit().String(), r.GetEvery()),
			date(r.GetFirst())+" "+minutes(r.GetMinute()), titleOf(v, p.GetGroups(), r.GetGroup()), titleOf(v, p.GetTemplates(), r.GetTemplate())))
	}
	return s
}

func approvalSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := policySection{Key: "approvals", Head: head(v, "rule", "step", "fits", "people")}
	for _, a := range p.GetApprovals() {
		s.Rows = append(s.Rows, cells(a.GetName(), v.Word("admin.step."+a.GetStep()), matchShown(v, a.GetMatch()),
			strings.Join(a.GetApprovers(), v.Word("admin.comma"))))
	}
	return s
}

// setting is a row of a section that has one value under each name; none for a value that says nothing.
func setting(v *page.Visit, name, value string) [][]cell {
	if value == "" {
		return nil
	}
	return [][]cell{cells(v.Word("admin.setting."+name), value)}
}

// settings puts rows together.
func settings(v *page.Visit, key string, rows ...[][]cell) policySection {
	s := policySection{Key: key, Head: head(v, "setting", "value")}
	for _, row := range rows {
		s.Rows = append(s.Rows, row...)
	}
	return s
}

// count is a number that says something unless it is 0.
func count[N int32 | uint32](n N) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func habitSection(v *page.Visit, p *deskpb.Policy) policySection {
	u := p.GetUrging()
	return settings(v, "urging", setting(v, "cool-down", span(v, u.GetCoolDown())), setting(v, "climb-every", count(u.GetClimbEvery())),
		setting(v, "refuse-on-hold", yes(u.GetRefuseOnHold())))
}

func callBackSection(v *page.Visit, p *deskpb.Policy) policySection {
	c := p.GetCallBacks()
	if c == nil {
		return policySection{Key: "call_backs"}
	}
	return settings(v, "call_backs", setting(v, "percent", fmt.Sprintf("%d %%", c.GetPercent())), setting(v, "after", span(v, c.GetAfter())),
		setting(v, "attempts", count(c.GetAttempts())), setting(v, "welcome-days", strings.Join(numbers(c.GetWelcomeDays()), v.Word("admin.comma"))),
		setting(v, "vip-months", count(c.GetVipMonths())), setting(v, "visit-months", count(c.GetVisitMonths())),
		setting(v, "dissatisfied", count(c.GetDissatisfiedScore())))
}

func closingSection(v *page.Visit, p *deskpb.Policy) policySection {
	c := p.GetClosing()
	return settings(v, "closing", setting(v, "auto-close-days", count(c.GetAutoCloseDays())), setting(v, "reopen-within", span(v, c.GetReopenWithin())),
		setting(v, "rating-editable", span(v, c.GetRatingEditable())), setting(v, "survey-valid", span(v, c.GetSurveyValid())),
		setting(v, "code-required", yes(c.GetCodeRequired())), setting(v, "review-major", yes(c.GetReviewMajor())),
		setting(v, "closed-lists", yes(c.GetClosedLists())), setting(v, "mask-above-home", yes(p.GetPrivacy().GetMaskAboveHome())))
}

func portalSection(v *page.Visit, p *deskpb.Policy) policySection {
	s := settings(v, "portal", setting(v, "guests", yes(p.GetPortal().GetGuests())))
	for _, contact := range p.GetPortal().GetContacts() {
		s.Rows = append(s.Rows, cells(said(v, contact.GetTitle()), strings.TrimSpace(contact.GetPhone()+" "+said(v, contact.GetNote()))))
	}
	return s
}
