package support

import (
	"cmp"
	"crypto/rand"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// problemPage shows where a problem stands and lets its requester answer.
type problemPage struct {
	page.Frame
	Part  part
	Sent  bool   // it was reported just before
	Draft string // names the draft of the answer
	Said  string // the answer as it was typed
	// Request draws the same answer however often it comes, and names the files that a browser has kept of it.
	Request string
	// What is wrong with the answer, and with anything else that was asked for; empty for nothing.
	WrongAnswer, Wrong string
}

// part is what changes while one looks: nothing is typed in it.
type part struct {
	page.Frame
	Home      string
	Version   string // of what is shown: a look that finds the same changes nothing
	Request   string // for the buttons
	Guest     bool
	Until     page.Moment // of a guest's link
	Number    string
	Title     string
	State     page.Mark
	Headline  string
	Where     string
	Due       page.Deadline
	DueWords  string
	Flow      []station
	Steps     []step
	Messages  []message
	Latest    *latest // what the desk answered last; nil for nothing
	Solution  []string
	May       map[string]bool
	Stars     []star
	Rated     int32
	RatedText string
	Wished    []string
	AutoClose string
	Urges     string
	Opened    page.Moment
	About     string // the application
}

// star is one score that may be given.
type star struct {
	Score int32
	Word  string
	Given bool
}

func serveProblem(v *page.Visit) error { return showProblem(v, http.StatusOK, deed{}, "") }

// showProblem shows the page, with what was asked for and what is wrong with it.
func showProblem(v *page.Visit, status int, asked deed, wrong string) error {
	f := followerOf(v)
	if f == nil {
		return v.Redirect("/help/find?number=" + url.QueryEscape(v.R.PathValue("number")))
	}
	problem, err := f.problem()
	if err != nil {
		return lost(v, f, err)
	}
	p := problemPage{Frame: frame(v, problem.GetNumber()), Sent: v.Query("sent") != "", Said: asked.text, Draft: "help-" + problem.GetNumber()}
	if asked.verb == "reply" {
		p.WrongAnswer, p.Request = wrong, asked.request
	} else {
		p.Wrong, p.Request = wrong, rand.Text()
	}
	p.Part = partOf(v, f, problem)
	p.Part.Frame = p.Frame
	return v.Render(status, "help-problem.html", p)
}

// lost leads who comes by a link that is over to where a new one is given.
func lost(v *page.Visit, f follower, err error) error {
	if problem, over := linkOver(v, f, err); over {
		return v.Redirect("/help/find?over=1&number=" + url.QueryEscape(problem.Ticket))
	}
	return err
}

// linkOver tells whether an error says that a guest's link does not count, or not any more.
func linkOver(v *page.Visit, f follower, err error) (problem page.Problem, over bool) {
	if _, isGuest := f.(guest); !isGuest {
		return page.Problem{}, false
	}
	problem = v.Problem(err)
	return problem, problem.Reason == "LINK_OVER" || problem.Reason == "UNKNOWN_LINK"
}

// servePart answers a look with what has changed, and with nothing when that is nothing.
func servePart(v *page.Visit) error {
	f := followerOf(v)
	if !v.Partial() {
		return v.Redirect(f.home())
	}
	problem, err := f.problem()
	if err != nil {
		return lost(v, f, err)
	}
	if v.Query("seen") == version(problem) {
		v.W.WriteHeader(http.StatusNoContent)
		return nil
	}
	p := partOf(v, f, problem)
	p.Frame = v.Frame("")
	return v.Render(http.StatusOK, "help-part", p)
}

// version names what a problem shows.
func version(problem *apipb.Problem) string {
	shown := proto.CloneOf(problem)
	shown.Token, shown.ExpireTime = "", nil
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(shown)
	if err != nil {
		return "" // names nothing that was seen
	}
	sum := fnv.New64a()
	_, _ = sum.Write(text) // a hash takes everything
	return strconv.FormatUint(sum.Sum64(), 36)
}

// partOf puts the words to a problem.
func partOf(v *page.Visit, f follower, problem *apipb.Problem) part {
	p := part{
		Home: f.home(), Version: version(problem), Request: rand.Text(), Guest: problem.GetToken() != "", Until: v.Time(problem.GetExpireTime()),
		Number: problem.GetNumber(), Title: problem.GetTitle(), State: v.State(problem.GetState()), Headline: headline(v, problem),
		Where: placeWords(v, problem.GetNow()), Flow: flowOf(v, problem), Steps: stepsOf(v, problem), Messages: messagesOf(v, f, problem),
		Solution: paragraphs(problem.GetSolution()), May: map[string]bool{}, Opened: v.Time(problem.GetOpenTime()), About: problem.GetApplication(),
		Rated: problem.GetSatisfaction().GetScore(), RatedText: problem.GetSatisfaction().GetComment(),
	}
	for _, verb := range problem.GetVerbs() {
		p.May[verb] = true
	}
	for _, wish := range problem.GetWished() {
		p.Wished = append(p.Wished, v.Word("help.wished."+wish.String(), v.SiteNamed(problem.GetNow().GetSite())))
	}
	if person := problem.GetNow().GetPerson(); person != "" && strings.Contains(p.Headline, person) {
		p.Where = officeWords(v, problem.GetNow())
	}
	p.Latest = latestOf(v, problem, p.Messages)
	p.Stars = starsOf(v, p.Rated)
	if p.Due = v.Deadline(problem.GetDueTime()); p.Due.ISO != "" {
		p.DueWords = v.Word("help.due", v.Time(problem.GetDueTime()).Clock)
		if p.Due.Late {
			p.DueWords = v.Word("help.due.late", v.Time(problem.GetDueTime()).Clock)
		}
	}
	if problem.GetState() == deskpb.Ticket_RESOLVED && problem.GetAutoCloseTime() != nil {
		p.AutoClose = v.Word("help.auto-close", v.Time(problem.GetAutoCloseTime()).Clock)
	}
	if urges := problem.GetUrges(); urges > 0 && p.May["urge"] && !p.May["confirm"] {
		p.Urges = v.Word("help.urges", urges)
	}
	return p
}

// askPage asks for the reason of what is not done by one tap.
type askPage struct {
	page.Frame
	Home, Verb, Number, Request string
	About, Label, Button        string
	Said, Wrong                 string
}

// doneWord begins the names of what was done; the verb follows.
const doneWord = "help-"

// asksFor tells whether a verb is done with a reason.
func asksFor(verb string) bool { return verb == "reopen" || verb == "cancel" }

func serveAsk(v *page.Visit) error { return showAsk(v, http.StatusOK, "", "") }

// showAsk shows the form for the reason, with what was typed and what is wrong.
func showAsk(v *page.Visit, status int, said, wrong string) error {
	f, verb := followerOf(v), v.R.PathValue("verb")
	if f == nil || !asksFor(verb) {
		return v.Redirect(strings.TrimSuffix(v.R.URL.Path, "/"+verb))
	}
	problem, err := f.problem()
	if err != nil {
		return lost(v, f, err)
	}
	return v.Render(status, "help-ask.html", askPage{
		Frame: frame(v, v.Word("help.ask."+verb)), Home: f.home(), Verb: verb, Number: problem.GetNumber(), Request: rand.Text(),
		About: v.Word("help.ask." + verb + ".about"), Label: v.Word("help.ask." + verb + ".label"), Button: v.Word("help." + verb),
		Said: said, Wrong: wrong,
	})
}

// serveAct does what a button or a form of the page asks for. What was typed is shown again when it does not succeed.
func serveAct(v *page.Visit) error {
	f, verb := followerOf(v), v.R.PathValue("verb")
	form, files, err := v.TakeForm()
	d := deed{verb: verb, request: cmp.Or(form.Get("request"), rand.Text()), text: strings.TrimSpace(form.Get("text"))}
	if score, wrong := strconv.ParseInt(form.Get("score"), 10, 32); wrong == nil {
		d.score = int32(score)
	}
	home := f.home()
	switch {
	case err != nil:
	case !slices.Contains([]string{"reply", "urge", "confirm", "reopen", "cancel", "rate"}, verb):
		return v.Redirect(home)
	case verb == "reply" && d.text == "" && len(files) > 0: // a screenshot says enough
	default:
		home, err = f.act(d)
	}
	if err != nil {
		if problem, over := linkOver(v, f, err); over {
			return showFind(v, problem.Status, findPage{Number: problem.Ticket, Over: true, Unsent: d.text})
		}
		problem := v.Problem(err)
		if asksFor(verb) {
			return showAsk(v, problem.Status, d.text, wrongWords(v, verb, problem))
		}
		return showProblem(v, problem.Status, d, wrongWords(v, verb, problem))
	}
	v.AttachAllAt(f.files(), files)
	return v.Redirect(home + "?done=" + doneWord + verb)
}

// wrongWords says what is wrong with what was asked for.
func wrongWords(v *page.Visit, verb string, problem page.Problem) string {
	if problem.Field != "" && problem.Status == http.StatusBadRequest && v.Has("help.wrong."+verb) {
		return v.Word("help.wrong." + verb)
	}
	return problem.Text
}
