package support

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// newPage is the form by which a problem is reported, with what was typed before and what is wrong with it.
type newPage struct {
	page.Frame
	Request      string // draws the same problem however often the form comes
	Applications []option
	Guests       bool // whether people without an account may report
	Said         problemSaid
	Problems     map[string]string // by field; "" for what concerns no field
	Outages      []outage
	Contacts     []contact
}

// option is one choice of a list.
type option struct{ Name, Title string }

// problemSaid is what the form asks for.
type problemSaid struct{ Title, Description, Application, Name, Unit, Phone string }

func serveNew(v *page.Visit) error {
	said := problemSaid{Title: strings.TrimSpace(v.Query("title")), Application: v.Query("application")}
	if v.Actor != nil {
		caller, err := v.Caller()
		if err != nil {
			return err
		}
		said.Name, said.Unit, said.Phone = caller.GetUser().GetDisplayName(), caller.GetUser().GetUnit(), caller.GetUser().GetPhone()
	}
	return showNew(v, http.StatusOK, rand.Text(), said, nil)
}

// showNew shows the form, with what was typed.
func showNew(v *page.Visit, status int, request string, said problemSaid, problems map[string]string) error {
	site, err := v.API.Portal.GetPortal(v.Ctx(), &apipb.GetPortalRequest{})
	if err != nil {
		return err
	}
	p := newPage{
		Frame: frame(v, v.Word("help.new")), Request: request, Guests: site.GetGuests() || v.Actor != nil, Said: said, Problems: problems,
		Outages: outages(v, site), Contacts: contacts(v, site),
	}
	for _, known := range site.GetApplications() {
		p.Applications = append(p.Applications, option{known.GetName(), choice(v, known)})
	}
	return v.Render(status, "help-new.html", p)
}

// serveReport reports the problem, adds the files, and leads to where it is followed.
func serveReport(v *page.Visit) error {
	form, files, err := v.TakeForm()
	request := cmp.Or(form.Get("request"), rand.Text())
	field := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	said := problemSaid{
		Title: field("title"), Description: field("description"), Application: field("application"),
		Name: field("name"), Unit: field("unit"), Phone: typed(form.Get("phone")),
	}
	var to, filesAt string
	if err == nil {
		to, filesAt, err = report(v, request, said)
	}
	if err != nil {
		problem := v.Problem(err)
		return showNew(v, problem.Status, request, said, beside(v, problem))
	}
	v.AttachAllAt(filesAt, files)
	return v.Redirect(to + "?sent=1")
}

// beside puts a problem with the form beside the field that it concerns.
func beside(v *page.Visit, problem page.Problem) map[string]string {
	name := problem.Field[strings.LastIndex(problem.Field, ".")+1:]
	word := "help.wrong." + name
	if !v.Has(word) {
		return map[string]string{"": problem.Text}
	}
	return map[string]string{name: v.Word(word)}
}

// report opens the ticket, as the visitor or as a guest. It returns where the problem is followed, and where its files go.
func report(v *page.Visit, request string, said problemSaid) (to, files string, err error) {
	if v.Actor == nil {
		made, err := v.API.Portal.SubmitProblem(v.Ctx(), &apipb.SubmitProblemRequest{
			RequestId: request, Title: said.Title, Description: said.Description, Application: said.Application,
			Name: said.Name, Unit: said.Unit, Phone: said.Phone,
		})
		if err != nil {
			return "", "", err
		}
		return guest{v, made.GetToken()}.home(), guest{v, made.GetToken()}.files(), nil
	}
	if said.Title == "" {
		return "", "", desk.RefuseField("title", "it is missing; say in a few words what does not work")
	}
	caller, err := v.Caller()
	if err != nil {
		return "", "", err
	}
	who := caller.GetUser()
	made, err := v.API.Tickets.CreateTicket(v.Ctx(), &apipb.CreateTicketRequest{
		RequestId: request,
		Ticket: &deskpb.Ticket{
			Title: said.Title, Description: said.Description, Application: said.Application, Channel: deskpb.Ticket_PORTAL,
			Requester: &deskpb.Requester{
				Name: cmp.Or(who.GetDisplayName(), who.GetName()), Unit: who.GetUnit(), Email: who.GetEmail(), User: who.GetName(),
				Phone: cmp.Or(said.Phone, who.GetPhone()),
			},
		},
	})
	if err != nil {
		return "", "", err
	}
	return account{v, made.GetNumber()}.home(), account{v, made.GetNumber()}.files(), nil
}

// findPage asks for the number of a problem and the telephone number of who reported it.
type findPage struct {
	page.Frame
	Number, Phone string
	Problem       string
	Over          bool   // the link that led here is too old
	Unsent        string // what was said by that link and did not arrive
	Contacts      []contact
}

func serveFind(v *page.Visit) error {
	number := typed(v.Query("number"))
	if v.Actor != nil && number != "" {
		return v.Redirect("/help/t/" + url.PathEscape(number))
	}
	return showFind(v, http.StatusOK, findPage{Number: number, Over: v.Query("over") != ""})
}

func showFind(v *page.Visit, status int, p findPage) error {
	site, err := v.API.Portal.GetPortal(v.Ctx(), &apipb.GetPortalRequest{})
	if err != nil {
		return err
	}
	p.Frame, p.Contacts = frame(v, v.Word("help.find")), contacts(v, site)
	return v.Render(status, "help-find.html", p)
}

// typed is a number as it was meant, where a Chinese keyboard made wide letters and other dashes of it.
func typed(number string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - '！' + '!'
		case r == '—' || r == '–' || r == '−':
			return '-'
		case r == '\u3000':
			return ' '
		}
		return r
	}, number))
}

// serveOpen leads to the problem, with a link that counts for a while.
func serveOpen(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	number, phone := typed(form.Get("number")), typed(form.Get("phone"))
	opened, err := v.API.Portal.OpenProblem(v.Ctx(), &apipb.OpenProblemRequest{Number: number, Phone: phone})
	if err == nil {
		return v.Redirect(guest{v, opened.GetToken()}.home())
	}
	problem := v.Problem(err)
	p := findPage{Number: number, Phone: phone, Problem: problem.Text}
	if home, _, _ := strings.Cut(number, "-"); problem.Reason == "UNKNOWN_PAIR" && numberForm.MatchString(number) && home != v.SiteID {
		p.Problem = v.Word("help.find.elsewhere", v.SiteNamed(home), v.SiteName)
	}
	return showFind(v, problem.Status, p)
}
