package manage

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// draft is a change of one entry of the policy that somebody asks for with a form. It is shown in words and as a difference before it is
// put into force. It is laid over the policy that holds at that moment, so that what others have changed meanwhile stays.
type draft struct {
	title string
	path  string // where its forms are sent to
	part  part   // what it changes an entry of
	says  []string
	ways  []choice // how else it may be meant
	typed url.Values
	// lay makes the text of this site's own layer from the one that holds.
	lay func(own []byte) ([]byte, error)
	// beside tells to which input of the form a problem of a text belongs, by its path; empty for none.
	beside func(source, path string) string
	// again shows the form with problems beside its inputs; nil where there is no form.
	again func(problems map[string]string) error
}

// draftPage shows what a draft would change.
type draftPage struct {
	shelf
	checkedPolicy
	Action          string
	Back, BackWord  string
	Says            []string
	Ways            []choice
	Typed           []hidden
	Form            bool // there is a form to go back to
	Over, Meanwhile string
	Source          string
}

// hidden is a value that a page sends along with its form.
type hidden struct{ Name, Value string }

// serve shows what the draft would change, or puts it into force when that was shown and still is what it would change.
func (d draft) serve(v *page.Visit, h *holding) error {
	source, err := d.laid(h)
	if err != nil {
		return err
	}
	if d.typed.Get("do") != "apply" {
		return d.show(v, http.StatusOK, h, source)
	}
	if d.typed.Get("over") == h.over() {
		_, err := v.API.Policies.ApplyPolicy(v.Ctx(), &apipb.ApplyPolicyRequest{Source: source, Over: &h.version})
		if err == nil {
			return v.Redirect(d.part.path + "?done=admin-policy")
		}
		if status.Code(err) != codes.Aborted {
			return err
		}
		if h, err = readHolding(v); err != nil {
			return err
		}
		if source, err = d.laid(h); err != nil {
			return err
		}
	}
	return d.show(v, http.StatusConflict, h, source)
}

// laid is the text that the draft makes of the one that holds.
func (d draft) laid(h *holding) (string, error) {
	source, err := d.lay([]byte(h.GetOwn()))
	if err != nil {
		return "", desk.Refuse(desk.FailedPrecondition, "POLICY_AS_TEXT", "%s", err)
	}
	return string(source), nil
}

func (d draft) show(v *page.Visit, code int, h *holding, source string) error {
	checked, err := checkSource(v, source)
	if err != nil {
		return err
	}
	if d.again != nil {
		beside := map[string]string{}
		for _, problem := range checked.Problems {
			if field := d.beside(source, problem.Path); field != "" {
				beside[field] = problem.Text
			}
		}
		if len(beside) > 0 {
			return d.again(beside)
		}
	}
	if len(checked.Problems) > 0 && v.R.Method == http.MethodPost {
		code = http.StatusBadRequest
	}
	shown := draftPage{
		shelf: newShelf(v, d.title), checkedPolicy: checked, Action: d.path, Back: d.part.path, BackWord: v.Word(d.part.word), Says: d.says, Ways: d.ways, Form: d.again != nil,
		Over: h.over(), Source: source,
	}
	if over := d.typed.Get("over"); over != "" && over != h.over() {
		shown.Meanwhile = h.changedBy(v)
	}
	for _, name := range slices.Sorted(maps.Keys(d.typed)) {
		if name == "do" || name == "over" || name == "lang" {
			continue
		}
		for _, value := range d.typed[name] {
			shown.Typed = append(shown.Typed, hidden{name, value})
		}
	}
	return v.Render(code, "policy-draft.html", shown)
}
