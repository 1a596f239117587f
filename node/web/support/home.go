package support

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

const (
	// maxQuery bounds what is searched for, in characters; minQuery is from how many on answers are looked for.
	maxQuery = 100
	minQuery = 2
	// mostAnswers and mostRecent bound the tickets that the first page lists.
	mostAnswers = 5
	mostRecent  = 3
)

// homePage is the first page of the support site.
type homePage struct {
	page.Frame
	Query    string
	Answers  []answer
	Guests   bool
	Outages  []outage
	Recent   []row
	Notices  []notice
	Stages   []stage
	Places   []placeDoor
	Contacts []contact
}

// outage is an application that a fault stops for many people.
type outage struct{ Application, Told string }

// stage is what becomes of a problem, in the words of who reports it.
type stage struct{ Icon, Title, About string }

// notice is something that an office tells everybody.
type notice struct {
	Title, From string
	Lines       []string
	Time        page.Moment
}

// contact is how an office is reached.
type contact struct{ Title, Phone, Dial, Note string }

// answer is something that may help with what a visitor types.
type answer struct {
	Icon, Title, Hint, Path string
	Mark                    page.Mark
}

func serveHome(v *page.Visit) error {
	site, err := v.API.Portal.GetPortal(v.Ctx(), &apipb.GetPortalRequest{})
	if err != nil {
		return err
	}
	p := homePage{
		Frame: frame(v, v.Word("help")), Query: query(v), Guests: site.GetGuests(), Outages: outages(v, site), Stages: stages(v),
		Places: placeDoors(v), Contacts: contacts(v, site),
	}
	for _, told := range site.GetNotices() {
		p.Notices = append(p.Notices, notice{
			Title: told.GetTitle(), From: v.SiteNamed(told.GetPublisher()), Time: v.Time(told.GetTime()), Lines: paragraphs(told.GetText()),
		})
	}
	if p.Answers, err = answers(v, p.Query); err != nil {
		return err
	}
	if v.Actor.GetRole() == deskpb.User_REQUESTER {
		if p.Recent, _, err = ownTickets(v, "", mostRecent, ""); err != nil {
			return err
		}
	}
	return v.Render(http.StatusOK, "help-home.html", p)
}

// serveAnswers is the part of the first page that changes while one types.
func serveAnswers(v *page.Visit) error {
	if !v.Partial() {
		return v.Redirect("/help?q=" + url.QueryEscape(query(v)))
	}
	found, err := answers(v, query(v))
	if err != nil {
		return err
	}
	p := homePage{Frame: v.Frame(""), Query: query(v), Answers: found}
	return v.Render(http.StatusOK, "help-answers", p)
}

// query is what is searched for.
func query(v *page.Visit) string {
	text := []rune(strings.TrimSpace(v.Query("q")))
	return string(text[:min(len(text), maxQuery)])
}

// numberForm is how ticket numbers look.
var numberForm = regexp.MustCompile(`^[0-9A-Za-z]+-\d{8}-\d+[A-Za-z]*$`)

// answers are what may help with the words: the ticket of that number, the visitor's own tickets that say the same, and reporting it.
func answers(v *page.Visit, words string) ([]answer, error) {
	if utf8.RuneCountInString(words) < minQuery {
		return nil, nil
	}
	if number := typed(words); numberForm.MatchString(number) {
		return []answer{{Icon: "route", Title: v.Word("help.answer.follow", number), Path: "/help/t/" + url.PathEscape(number)}}, nil
	}
	var found []answer
	if v.Actor != nil {
		own, _, err := ownTickets(v, words, mostAnswers, "")
		if err != nil {
			return nil, err
		}
		for _, r := range own {
			found = append(found, answer{Icon: "clipboard-text", Title: r.Title, Hint: r.Number, Path: r.Path, Mark: r.Mark})
		}
	}
	return append(found, answer{
		Icon: "plus", Title: v.Word("help.answer.report", words), Path: "/help/new?title=" + url.QueryEscape(words),
	}), nil
}

// outages are the applications that are known to be out of order.
func outages(v *page.Visit, site *apipb.SupportSite) []outage {
	var all []outage
	for _, known := range site.GetOutages() {
		all = append(all, outage{
			Application: choice(v, known.GetApplication()),
			Told:        v.Word("help.outage", v.SiteNamed(known.GetSite()), v.Time(known.GetSince()).Clock),
		})
	}
	return all
}

// stages are what becomes of a problem.
func stages(v *page.Visit) (all []stage) {
	for _, s := range []struct{ name, icon string }{{"report", "send"}, {"work", "user-check"}, {"confirm", "circle-check"}} {
		all = append(all, stage{Icon: s.icon, Title: v.Word("help.stage." + s.name), About: v.Word("help.stage." + s.name + ".about")})
	}
	return all
}

// contacts are how the office is reached, in the visitor's language.
func contacts(v *page.Visit, site *apipb.SupportSite) []contact {
	var all []contact
	for _, known := range site.GetContacts() {
		all = append(all, contact{
			Title: inWords(v, known.GetTitle()), Phone: known.GetPhone(), Note: inWords(v, known.GetNote()),
			Dial: strings.Map(dialled, known.GetPhone()),
		})
	}
	return all
}

// dialled keeps what a telephone dials.
func dialled(r rune) rune {
	if r >= '0' && r <= '9' || r == '+' {
		return r
	}
	return -1
}

// inWords says the words of a policy in the visitor's language, in the other one where it has none.
func inWords(v *page.Visit, words *deskpb.Words) string {
	if v.Lang == page.English {
		return cmp.Or(words.GetEn(), words.GetZh())
	}
	return cmp.Or(words.GetZh(), words.GetEn())
}

// choice says what a policy calls something, its name where it has no words.
func choice(v *page.Visit, c *apipb.Choice) string {
	return cmp.Or(inWords(v, c.GetTitle()), c.GetName())
}

// paragraphs are the lines of a text that say something.
func paragraphs(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
