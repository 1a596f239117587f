package wall

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// leaderPage tells a leader what is late, where and with whom, and how it went on the last days.
type leaderPage struct {
	page.Frame
	Sites   []choice
	Days    []choice
	Known   bool // the figures are
	Majors  []major
	Lines   []cutLine
	Cards   []figure
	Late    []ticketRow
	Offices []officeRow // with open tickets, the worst first; not all of them unless that is asked for
	Rest    []officeRow // that have no open ticket
	More    int         // offices that are not shown
	All     string      // the address of this page with all offices
	Trend   []trendDay
	Quiet   bool // nothing happened on those days
}

// choice is one of the values of a field.
type choice struct {
	Value, Name string
	Chosen      bool
}

// major is a major incident that nobody has solved yet.
type major struct {
	Number, Title, With string
	Since               page.Moment
}

// cutLine is a line of this site that is not up.
type cutLine struct {
	Peer   string
	Mark   page.Mark
	Since  page.Moment
	Queued int32
}

// spans are the numbers of days that a leader chooses from, the first when none is chosen.
func spans() []int { return []int{7, 14, 31} }

func serveLeader(v *page.Visit) error {
	if err := desk.May(v.Actor, desk.SiteRead); err != nil {
		return err
	}
	days := spans()[0]
	if asked, err := strconv.Atoi(v.Query("days")); err == nil && slices.Contains(spans(), asked) {
		days = asked
	}
	answer, err := figuresOf(v, []string{"*"}, int32(days))
	if err != nil {
		return err
	}
	shown := &leaderPage{Frame: v.Frame(v.Word("leader")), Known: answer != nil}
	shown.OwnFaults = true
	shown.Styles, shown.Scripts = []string{"leader.css"}, []string{"vendor/echarts.js", "leader.js"}
	site := v.Query("site")
	offices := answer.GetOffices()
	chosen := only(offices, site)
	if chosen == nil {
		chosen, site = offices, ""
	}
	shown.choose(v, offices, site, days)
	shown.Majors, shown.Lines = majors(v), cutLines(v)
	shown.Cards = cards(v, of(chosen))
	shown.Offices, shown.Rest = officeRows(v, chosen)
	shown.Trend = trend(chosen)
	shown.Quiet = !slices.ContainsFunc(shown.Trend, trendDay.busy)
	if shown.Late, err = latest(v, shown.Offices); err != nil {
		return err
	}
	if v.Query("offices") != "all" {
		shown.shorten(v)
	}
	if v.Partial() {
		return v.Render(http.StatusOK, "leader-now", shown)
	}
	return v.Render(http.StatusOK, "leader.html", shown)
}

// shorten leaves out the offices that are least in trouble.
func (l *leaderPage) shorten(v *page.Visit) {
	if surplus := len(l.Offices) - mostOffices; surplus > 0 {
		l.Offices, l.More = l.Offices[:mostOffices], surplus
	}
	if len(l.Rest) > mostOffices || l.More > 0 {
		l.More, l.Rest = l.More+len(l.Rest), nil
	}
	query := url.Values{"offices": {"all"}}
	if days := v.Query("days"); days != "" {
		query.Set("days", days)
	}
	l.All = "/leader?" + query.Encode() + "#offices"
}

// choose fills the fields of the form.
func (l *leaderPage) choose(v *page.Visit, offices []*apipb.OfficeFigures, site string, days int) {
	l.Sites = []choice{{Value: "", Name: v.Word("leader.all"), Chosen: site == ""}}
	for _, office := range offices {
		l.Sites = append(l.Sites, choice{Value: office.GetSite(), Name: v.SiteNamed(office.GetSite()), Chosen: office.GetSite() == site})
	}
	for _, span := range spans() {
		l.Days = append(l.Days, choice{Value: strconv.Itoa(span), Name: v.Word("leader.days." + strconv.Itoa(span)), Chosen: span == days})
	}
}

// only is the office of a site alone; nil when it is not among them.
func only(offices []*apipb.OfficeFigures, site string) []*apipb.OfficeFigures {
	at := slices.IndexFunc(offices, func(o *apipb.OfficeFigures) bool { return o.GetSite() == site })
	if at < 0 {
		return nil
	}
	return offices[at : at+1]
}

func majors(v *page.Visit) (found []major) {
	for _, m := range v.Standing.Site().GetMajorIncidents() {
		found = append(found, major{
			Number: m.GetNumber(), Title: m.GetTitle(), With: v.Word("leader.major.with", v.SiteNamed(m.GetCustodianSite())), Since: v.Time(m.GetOpenTime()),
		})
	}
	return found
}

func cutLines(v *page.Visit) (found []cutLine) {
	for _, link := range v.Standing.Site().GetLinks() {
		if link.GetState() != apipb.LinkStatus_UP {
			found = append(found, cutLine{
				Peer: v.SiteNamed(link.GetPeer()), Mark: v.Link(link.GetState()), Since: v.Time(link.GetSince()), Queued: link.GetQueued(),
			})
		}
	}
	return found
}

// cards are the sums at the head of the page.
func cards(v *page.Visit, s sums) []figure {
	open := figure{Name: v.Word("leader.open"), Value: fmt.Sprint(s.open), Note: v.Word("leader.open.note", s.opened)}
	late := figure{Name: v.Word("leader.overdue"), Value: fmt.Sprint(s.overdue), Note: v.Word("leader.overdue.share", share(s.overdue, s.open))}
	soon := figure{Name: v.Word("leader.due-soon"), Value: fmt.Sprint(s.dueSoon), Note: v.Word("leader.overdue.share", share(s.dueSoon, s.open))}
	longest := figure{Name: v.Word("leader.longest"), Value: nothing, Note: v.Word("wall.longest.none")}
	first := figure{Name: v.Word("leader.first-line"), Value: s.firstLine(), Note: v.Word("leader.first-line.note", s.solvedFirst, s.solved)}
	rated := figure{Name: v.Word("leader.satisfaction"), Value: s.satisfaction(), Note: v.Word("leader.satisfaction.none")}
	if s.open == 0 {
		late.Note, soon.Note = "", ""
	}
	if s.solved == 0 {
		first.Note = v.Word("leader.first-line.none")
	}
	if s.overdue > 0 {
		late.Tone = "bad"
	}
	if s.dueSoon > 0 {
		soon.Tone = "wait"
	}
	if s.oldestNumber != "" {
		longest.Value, longest.Unit = waiting(v, s.oldest)
		longest.Note, longest.Ticket = v.SiteNamed(s.oldestSite), s.oldestNumber
	}
	if s.rated > 0 {
		rated.Note = v.Word("leader.satisfaction.note", s.rated)
	}
	return []figure{open, late, soon, longest, first, rated}
}
