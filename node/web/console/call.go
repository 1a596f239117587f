package console

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// callRoutes are the page on which a call is taken down, and what stands beside it while somebody types.
func callRoutes() []page.Route {
	return []page.Route{
		{Pattern: "GET /desk/new", Serve: forStaff(serveNewCall)},
		{Pattern: "POST /desk/new", Serve: forStaff(serveCall)},
		{Pattern: "GET /desk/new/people", Serve: forStaff(serveCallers)},
		{Pattern: "GET /desk/new/known", Serve: forStaff(serveKnown)},
		{Pattern: "GET /desk/new/fields", Serve: forStaff(serveCallFields)},
		{Pattern: "POST /desk/new/beside", Serve: forStaff(serveBeside)},
	}
}

// serveNewCall is the empty form. An address may say who calls, by ?requester= the id of a record or by ?phone=, and what about.
func serveNewCall(v *page.Visit) error {
	if err := desk.May(v.Actor, desk.TicketPreview); err != nil {
		return err
	}
	form := callForm{url.Values{"register": {"yes"}, "request": {rand.Text()}}}
	for _, name := range []string{"phone", "name", "unit"} {
		form.Set("requester."+name, v.Query(name))
	}
	for _, name := range []string{"application", "title"} {
		form.Set(name, v.Query(name))
	}
	if id := v.Query("requester"); id != "" {
		record, err := v.API.Requesters.GetRequester(v.Ctx(), &apipb.GetRequesterRequest{Id: id})
		if err != nil {
			return err
		}
		form.fillIn(record)
	}
	return showCall(v, form, page.Problem{})
}

// serveCall opens a ticket of what was typed, or adds it to one that is about the same. What does not succeed shows the form again.
func serveCall(v *page.Visit) error {
	values, files, err := v.TakeForm()
	form := callForm{values}
	if values == nil {
		form.Values = url.Values{}
	}
	number, done := "", "new-opened"
	switch same := form.text("same"); {
	case err != nil:
	case same != "":
		number, done = same, "new-noted"
		err = form.note(v, same)
	default:
		number, err = form.open(v)
	}
	if err != nil {
		return showCall(v, form, v.Problem(err))
	}
	if related := form.text("related"); related != "" {
		done = form.relate(v, number, related, done)
	}
	v.AttachAll(number, files)
	if form.text("after") == "another" {
		return v.Redirect("/desk/new?done=" + done + "&last=" + url.QueryEscape(number))
	}
	return v.Redirect("/t/" + url.PathEscape(number) + "?done=" + done)
}

// open opens the ticket and returns its number. The requester is written down first, unless the ticket would be refused.
func (f callForm) open(v *page.Visit) (string, error) {
	ticket := f.ticket()
	if _, err := v.API.Tickets.PreviewTicket(v.Ctx(), &apipb.PreviewTicketRequest{Ticket: ticket}); err != nil {
		return "", err
	}
	if err := f.register(v, ticket.Requester); err != nil {
		return "", err
	}
	opened, err := v.API.Tickets.CreateTicket(v.Ctx(), &apipb.CreateTicketRequest{Ticket: ticket, RequestId: f.text("request")})
	return opened.GetNumber(), err
}

// note adds what was typed to a ticket that is about the same, as an internal note.
func (f callForm) note(v *page.Visit, number string) error {
	_, err := v.API.Tickets.NoteTicket(v.Ctx(), &apipb.NoteTicketRequest{
		Number: number, RequestId: f.text("request"), Text: v.Word("new.note", f.caller(), f.text("title"), f.text("description")),
	})
	return err
}

// relate links the ticket that was opened with another one, and returns what to tell. That it did not succeed loses nothing of the call.
func (f callForm) relate(v *page.Visit, number, other, done string) string {
	_, err := v.API.Tickets.LinkTicket(v.Ctx(), &apipb.LinkTicketRequest{
		Number: number, RequestId: f.text("request") + "-link", Kind: deskpb.TicketLink_RELATED, Other: other,
	})
	if err != nil {
		v.Tell(v.Word("new.not-linked", other, v.Problem(err).Text))
		return done
	}
	return "new-linked"
}

// callPage is the form, with what was typed and what stands beside it.
type callPage struct {
	page.Frame
	Problem      page.Problem // why the form was not taken; zero for nothing
	Applications []string
	Categories   []callChoice
	Levels       levels
	Channels     []callChoice
	Kinds        []callChoice
	Templates    []callChoice
	Special      []specialField
	Known        *knownCaller // nil while the requester is not one of the records
	Beside       beside
	Last         string // the ticket that was opened just before; empty for none

	form callForm
}

// levels are the choices of impact and urgency.
type levels struct{ Impact, Urgency []callChoice }

// Typed is what a field holds.
func (p callPage) Typed(name string) string { return p.form.Get(name) }

// Ticked tells whether a box is ticked.
func (p callPage) Ticked(name string) bool { return p.form.Get(name) != "" }

// Wrong is what is wrong with a field; empty for nothing.
func (p callPage) Wrong(name string) string {
	switch {
	case p.Problem.Text == "" || fieldOf(p.Problem.Field) != name:
		return ""
	case p.form.text(name) == "":
		return p.Word("new.missing")
	}
	return p.Problem.Beside()
}

// WrongElsewhere is what is wrong and stands beside no field.
func (p callPage) WrongElsewhere() string {
	field := fieldOf(p.Problem.Field)
	special := func(one specialField) bool { return one.Name == field }
	if slices.Contains(callFields, field) || slices.ContainsFunc(p.Special, special) {
		return ""
	}
	return p.Problem.Text
}

// More tells whether the rarer fields are shown at once, because something in them was chosen or is wrong.
func (p callPage) More() bool {
	for _, name := range rareFields {
		if p.form.Get(name) != "" || p.Wrong(name) != "" {
			return true
		}
	}
	return p.Wrong("requester.email") != "" // which is filled in with who is known
}

// showCall shows the form with what was typed.
func showCall(v *page.Visit, form callForm, problem page.Problem) error {
	answer, err := v.API.Policies.GetPolicy(v.Ctx(), &apipb.GetPolicyRequest{Consistency: "stale"})
	if err != nil {
		return err
	}
	policy := answer.GetPolicy()
	shown := callPage{
		Frame: consoleFrame(v, v.Word("new.title"), "call.css", "compose.js", "suggest.js", "call.js"), Problem: problem, form: form,
		Categories: categoriesOf(v, policy, form.text("category")), Templates: templatesOf(v, policy, form.text("template")),
		Levels:   levels{levelsOf(v, form.text("impact")), levelsOf(v, form.text("urgency"))},
		Channels: channelsOf(v, form.text("channel")), Kinds: kindsOf(v, form.text("kind")),
		Special: specialOf(v, policy, form, problem),
	}
	if shown.Applications, err = applicationsOf(v, policy); err != nil {
		return err
	}
	if id := form.text("requester.id"); id != "" {
		if shown.Known, err = knownOf(v, id); err != nil {
			return err
		}
	}
	shown.Beside = besideOf(v, form)
	if last := v.Query("last"); shown.Done != "" && isNumber(last) {
		shown.Last = last
	}
	return v.Render(cmp.Or(problem.Status, http.StatusOK), "call.html", shown)
}
