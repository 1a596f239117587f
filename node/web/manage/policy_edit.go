package manage

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// editPage is the site's own layer of the policy as a text, with what a check says of it.
type editPage struct {
	shelf
	Source   string
	Rows     int
	Problems []policyProblem
	Checked  bool // the text has no problem, and Changes are what it would do
	Changes  []diffLine
	Failed   string
	Apply    bool
	Over     string // the version of the layer that the text was written over
}

type policyProblem struct {
	Line       string // empty for the file as a whole
	Quoted     string // the line of the text
	Path, Text string
}

// diffLine is a line of a difference.
type diffLine struct {
	Text string
	Kind string // CSS class: added, taken, place, or empty for a line that stays
	Word string // what the colour says, for those who do not see it
}

func serveEdit(v *page.Visit) error {
	h, err := readHolding(v)
	if err != nil {
		return err
	}
	return showEdit(v, http.StatusOK, editPage{Source: h.GetOwn(), Over: h.over()})
}

func showEdit(v *page.Visit, status int, shown editPage) error {
	shown.shelf, shown.Apply = newShelf(v, v.Word("admin.policy.edit")), v.May(desk.PolicyApply)
	shown.Rows = min(max(strings.Count(shown.Source, "\n")+3, 16), 40)
	return v.Render(status, "policy-edit.html", shown)
}

// serveCheck tells what is wrong with a text, or what it would change.
func serveCheck(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	return showChecked(v, http.StatusOK, form)
}

// showChecked shows the text of a form with what a check says of it, and says so when the policy was changed since it was written.
func showChecked(v *page.Visit, code int, form url.Values) error {
	h, err := readHolding(v)
	if err != nil {
		return err
	}
	shown := editPage{Source: form.Get("source"), Over: h.over()}
	if over := form.Get("over"); over != "" && over != shown.Over {
		shown.Failed = h.changedBy(v)
	}
	checked, err := checkSource(v, shown.Source)
	if err != nil {
		problem, told := refused(v, err)
		if !told {
			return err
		}
		shown.Failed = problem.Text
		return showEdit(v, problem.Status, shown)
	}
	if shown.Problems = checked.Problems; len(shown.Problems) > 0 {
		return showEdit(v, http.StatusBadRequest, shown)
	}
	shown.Checked, shown.Changes = true, checked.Changes
	return showEdit(v, code, shown)
}

// checkedPolicy is what a check says of a text: what is wrong with it, or else what it would change.
type checkedPolicy struct {
	Problems []policyProblem
	Changes  []diffLine
}

func checkSource(v *page.Visit, source string) (checkedPolicy, error) {
	found, err := v.API.Policies.CheckPolicy(v.Ctx(), &apipb.CheckPolicyRequest{Source: source})
	if err != nil {
		return checkedPolicy{}, err
	}
	checked := checkedPolicy{Changes: diffLines(v, found.GetDiff())}
	for _, problem := range found.GetProblems() {
		checked.Problems = append(checked.Problems, newPolicyProblem(v, source, problem))
	}
	return checked, nil
}

func newPolicyProblem(v *page.Visit, source string, problem *apipb.PolicyProblem) policyProblem {
	told := policyProblem{Path: problem.GetPath(), Text: v.Sentence(problem.GetText())}
	lines := strings.Split(source, "\n")
	if n := int(problem.GetLine()); n >= 1 && n <= len(lines) {
		told.Line, told.Quoted = strconv.Itoa(n), lines[n-1]
	}
	return told
}

// diffLines reads a unified difference.
func diffLines(v *page.Visit, diff string) (lines []diffLine) {
	for text := range strings.Lines(diff) {
		line := diffLine{Text: strings.TrimSuffix(text, "\n")}
		switch {
		case strings.HasPrefix(text, "--- "), strings.HasPrefix(text, "+++ "):
			continue
		case strings.HasPrefix(text, "@@"):
			line.Kind = "place"
		case strings.HasPrefix(text, "+"):
			line.Kind, line.Word = "added", v.Word("admin.diff.added")
		case strings.HasPrefix(text, "-"):
			line.Kind, line.Word = "taken", v.Word("admin.diff.taken")
		}
		lines = append(lines, line)
	}
	return lines
}

// serveApply puts a text into force that was checked before.
func serveApply(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	asked := &apipb.ApplyPolicyRequest{Source: form.Get("source")}
	if over, err := strconv.ParseUint(form.Get("over"), 10, 64); err == nil {
		asked.Over = &over
	}
	_, err = v.API.Policies.ApplyPolicy(v.Ctx(), asked)
	if err == nil {
		return v.Redirect("/admin/policy?done=admin-policy")
	}
	if status.Code(err) == codes.Aborted {
		return showChecked(v, http.StatusConflict, form)
	}
	problem, told := refused(v, err)
	if !told {
		return err
	}
	return showEdit(v, problem.Status, editPage{Source: asked.GetSource(), Over: form.Get("over"), Failed: problem.Text})
}
