package console

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// ticketFiles are what browsers load for the pages of a ticket.
var ticketFiles = []string{"ticket.css", "compose.js", "ticket.js"}

// ticketRoutes are the pages of one ticket, and everything that is done with it.
func ticketRoutes() []page.Route {
	return []page.Route{
		{Pattern: "GET /t/{number}", Serve: serveTicket},
		{Pattern: "GET /t/{number}/part", Serve: serveTicketPart},
		{Pattern: "GET /t/{number}/clocks", Serve: serveClocks},
		{Pattern: "GET /t/{number}/files/{id}", Serve: serveFile},
		{Pattern: "GET /t/{number}/revealRequester", Serve: serveAskReveal},
		{Pattern: "POST /t/{number}/revealRequester", Serve: serveReveal},
		{Pattern: "GET /t/{number}/{verb}", Serve: serveVerb},
		{Pattern: "POST /t/{number}/{verb}", Serve: serveDo},
	}
}

// ticketPage is everything about a ticket in one view.
type ticketPage struct {
	page.Frame
	Number   string
	Head     head
	Journey  []station
	Talk     talk
	Side     side
	Panel    *panel
	Reveal   *reveal
	Composer composer
	Behind   bool
	Show     int
	Version  string // of what is shown, which comes back with the question what has changed
	News     string // who changed the ticket while a form is open; empty for nobody
	Watches  bool   // a form is open that wants to know
}

// composer is where people write to the requester or for each other.
type composer struct {
	Reply, Note, Attach bool // what the visitor may do
	As                  string
	Text                string
	FromRequester       bool
	Problem             string
	Request             string
	Macros              []choice
	Etag                string
}

// page lays a ticket out.
func (d *dossier) page() *ticketPage {
	show, _ := strconv.Atoi(d.Query("show")) // what is no number shows as many as without
	request := rand.Text()
	p := &ticketPage{
		Frame: consoleFrame(d.Visit, d.ticket.GetNumber()+" "+d.ticket.GetTitle(), ticketFiles...), Number: d.ticket.GetNumber(),
		Head: d.head(request), Journey: d.journey(), Talk: d.talk(show), Side: d.side(request), Behind: d.behind, Show: show, Version: d.version(),
		Composer: composer{
			Reply: d.verbs["reply"], Note: d.verbs["note"], Attach: d.verbs["attach"], As: "reply", Request: rand.Text(), Etag: d.ticket.GetEtag(),
		},
	}
	if !p.Composer.Reply {
		p.Composer.As = "note"
	}
	if d.verbs["macro"] {
		p.Composer.Macros = offerMacros(d)
	}
	return p
}

// away sends a requester to the page that is made for requesters.
func away(v *page.Visit) bool { return v.Actor.GetRole() == deskpb.User_REQUESTER }

func serveTicket(v *page.Visit) error {
	number := v.R.PathValue("number")
	if away(v) {
		return v.Redirect("/help/t/" + url.PathEscape(number))
	}
	d, err := open(v, number)
	if err != nil {
		return err
	}
	return v.Render(http.StatusOK, "ticket.html", d.page())
}

// serveTicketPart sends what changes on a ticket's page while somebody looks at it, and nothing when that is nothing. What people type
// stands elsewhere.
func serveTicketPart(v *page.Visit) error {
	d, err := open(v, v.R.PathValue("number"))
	if err != nil {
		return err
	}
	p := d.page()
	if p.Version != "" && v.Query("shown") == p.Version {
		v.W.WriteHeader(http.StatusNoContent)
		return nil
	}
	if seen := v.Query("seen"); seen != "" {
		p.Watches, p.News = true, d.news(seen)
	}
	return v.Render(http.StatusOK, "ticket-part", p)
}

// news says who changed the ticket last since a form was made.
func (d *dossier) news(seen string) string {
	behind := newSince(d.journal, seen)
	for i := len(behind) - 1; i >= 0; i-- {
		if entry := behind[i]; len(entry.GetChanges()) > 0 && entry.GetActor() != d.Actor.GetUser() {
			return d.Word("t.news", d.doer(entry))
		}
	}
	return ""
}

// serveVerb shows a verb's form: alone where a script asks for it, on the ticket's page otherwise.
func serveVerb(v *page.Visit) error {
	verb := verbNamed(v.R.PathValue("verb"))
	if verb == nil || away(v) {
		return desk.Refuse(desk.NotFound, "", "%q is nothing that is done with a ticket", v.R.PathValue("verb"))
	}
	d, err := open(v, v.R.PathValue("number"))
	if err != nil {
		return err
	}
	p := d.page()
	switch verb.name {
	case "reply", "note":
		p.Composer.As = verb.name
		return v.Render(http.StatusOK, "ticket.html", p)
	}
	if !d.verbs[verb.name] {
		refused := desk.Refuse(desk.FailedPrecondition, "WRONG_STATE", "%s is not possible with ticket %s now; look at what is", verb.name, p.Number)
		if v.Partial() {
			return refused
		}
		said := v.Problem(refused) // beside the ticket, which shows what is possible
		p.Refused = append(p.Refused, said.Text)
		return v.Render(said.Status, "ticket.html", p)
	}
	p.Panel = d.formOf(verb)
	if v.Partial() {
		return v.Render(http.StatusOK, "ticket-panel", p.Panel)
	}
	return v.Render(http.StatusOK, "ticket.html", p)
}

// serveDo does what a verb's form asks for. A form that is refused is shown again as it was sent.
func serveDo(v *page.Visit) error {
	number := v.R.PathValue("number")
	verb := verbNamed(v.R.PathValue("verb"))
	if verb == nil || away(v) {
		return desk.Refuse(desk.NotFound, "", "%q is nothing that is done with a ticket", v.R.PathValue("verb"))
	}
	form, files, err := v.TakeForm()
	if err != nil && form == nil {
		return err
	}
	d, problem := open(v, number)
	if problem != nil {
		return problem
	}
	if err == nil && form.Has(moreButton) {
		p := d.page()
		p.Panel = d.formLonger(verb, form)
		return v.Render(http.StatusOK, "ticket.html", p)
	}
	var after *deskpb.Ticket
	if err == nil {
		after, err = d.carryOut(verb, form)
	}
	if err != nil {
		return d.again(verb, form, err)
	}
	for _, file := range files {
		file.Internal = verb.name == "note"
	}
	v.AttachAll(after.GetNumber(), files)
	return v.Redirect(d.doneAt(verb, after))
}

// again shows the ticket as it is now, with a form as it was sent and what is wrong with it.
func (d *dossier) again(verb *verb, form url.Values, err error) error {
	fresh, problem := open(d.Visit, d.ticket.GetNumber())
	if problem != nil {
		return err
	}
	p := fresh.page()
	if verb.name == "reply" || verb.name == "note" {
		said := fresh.Problem(err)
		p.Composer.As, p.Composer.Text, p.Composer.Request = verb.name, form.Get("text"), form.Get("request")
		p.Composer.FromRequester, p.Composer.Problem = form.Get("fromRequester") != "", said.Beside()
		return fresh.Render(said.Status, "ticket.html", p)
	}
	p.Panel = fresh.formAgain(verb, form, err)
	return fresh.Render(p.Panel.Status, "ticket.html", p)
}

// doneAt is the page behind a verb that was carried out.
func (d *dossier) doneAt(verb *verb, after *deskpb.Ticket) string {
	done := "t." + verb.name
	if d.wishes[verb.name] {
		done = "t.wished"
	}
	path := "/t/" + url.PathEscape(after.GetNumber()) + "?done=" + url.QueryEscape(done)
	if verb.name == "reply" || verb.name == "note" {
		path += "#latest"
	}
	return path
}

// reveal asks why a requester's masked data are needed, and shows them.
type reveal struct {
	page.Frame
	Number       string
	Reason       string
	Problem      string
	Phone, Email string
	Shown        bool
}

func serveAskReveal(v *page.Visit) error { return showReveal(v, http.StatusOK, reveal{}) }

// serveReveal shows a requester's data where the policy masks them. The audit log keeps the reason.
func serveReveal(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	asked := reveal{Reason: strings.TrimSpace(form.Get("reason"))}
	found, err := v.API.Tickets.RevealRequester(v.Ctx(), &apipb.RevealRequesterRequest{Number: v.R.PathValue("number"), Reason: asked.Reason})
	if err != nil {
		problem := v.Problem(err)
		asked.Problem = problem.Beside()
		return showReveal(v, problem.Status, asked)
	}
	asked.Shown, asked.Phone, asked.Email = true, found.GetPhone(), found.GetEmail()
	return showReveal(v, http.StatusOK, asked)
}

func showReveal(v *page.Visit, status int, shown reveal) error {
	if away(v) {
		return desk.Refuse(desk.NotFound, "", "requesters see their own data at their own place")
	}
	d, err := open(v, v.R.PathValue("number"))
	if err != nil {
		return err
	}
	shown.Frame, shown.Number = v.Frame(""), d.ticket.GetNumber()
	if v.Partial() {
		return v.Render(status, "ticket-reveal", shown)
	}
	p := d.page()
	p.Reveal = &shown
	return v.Render(status, "ticket.html", p)
}
