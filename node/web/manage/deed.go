package manage

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// deed is something that people confirm before it is done: its page says in words what will happen to whom, and what cannot be
// undone.
type deed struct {
	path string // of the page, and of the form on it
	// verb is what the visitor has to be allowed; the API checks it again.
	verb desk.Verb
	// ask says what will happen. The deed is not possible when it returns an error.
	ask func(*page.Visit) (question, error)
	// do does it and returns the page to go on to.
	do func(*page.Visit, url.Values) (string, error)
}

// question is what a confirmation says and asks for.
type question struct {
	Title        string
	Consequences []string         // sentences
	Ways         []page.DoorShown // where to put right first what they speak of
	Type         string           // a name that has to be typed; empty for none
	Choose       string           // what Choices are of; empty for nothing to choose
	Choices      []choice
	Reason       bool   // a reason is asked for
	Lost         string // what the box says that does not wait for an office which is lost; empty for no box
	Button       string
	Danger       bool
	Back         string // the page where nothing is done
}

// questionPage is a confirmation with what was filled in so far.
type questionPage struct {
	shelf
	question
	Failed string
	Field  string // that the failure concerns: type, choose or reason
	Typed  url.Values
}

func (d deed) routes() []page.Route {
	return []page.Route{
		{Pattern: "GET " + d.path, Serve: d.serveAsk},
		{Pattern: "POST " + d.path, Serve: d.serveDo},
	}
}

func (d deed) permitted(v *page.Visit) error { return desk.May(v.Actor, d.verb) }

func (d deed) serveAsk(v *page.Visit) error {
	if err := d.permitted(v); err != nil {
		return err
	}
	asked, err := d.ask(v)
	if err != nil {
		return err
	}
	return d.show(v, asked, url.Values{}, page.Problem{Status: http.StatusOK})
}

// serveDo does the deed once the name is typed, and shows the question again with what was typed when it cannot be done.
func (d deed) serveDo(v *page.Visit) error {
	if err := d.permitted(v); err != nil {
		return err
	}
	form, err := v.Form()
	if err != nil {
		return err
	}
	asked, err := d.ask(v)
	if err != nil {
		return err
	}
	if asked.Type != "" && strings.TrimSpace(form.Get("type")) != asked.Type {
		return d.show(v, asked, form, page.Problem{Status: http.StatusBadRequest, Field: "type", Text: v.Word("admin.deed.mistyped", asked.Type)})
	}
	to, err := d.do(v, form)
	if err == nil {
		return v.Redirect(to)
	}
	problem, shown := refused(v, err)
	if !shown {
		return err
	}
	return d.show(v, asked, form, problem)
}

func (d deed) show(v *page.Visit, asked question, form url.Values, problem page.Problem) error {
	for i, offered := range asked.Choices {
		asked.Choices[i].Chosen = offered.Value == form.Get("choose")
	}
	return v.Render(problem.Status, "deed.html", questionPage{
		shelf: newShelf(v, asked.Title), question: asked, Failed: problem.Text, Field: problem.Field, Typed: form,
	})
}
