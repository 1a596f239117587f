package support

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// station is an office on a problem's way.
type station struct {
	Name, Tier string
	State      string // CSS class, as a stop has it
	Word       string // the same in words
}

// step is a line of the timeline.
type step struct {
	Icon, Text, Place string
	Time              page.Moment
	Now               bool
	Good              bool
}

// latest is an answer of the desk in short.
type latest struct {
	Who, Text string
	Time      page.Moment
}

// message is what one side wrote, or a file.
type message struct {
	Own        bool
	On         bool // it goes on with what the same side wrote just before, and needs no head of its own
	Who        string
	Lines      []string
	More       []string // what follows Lines and is shown on request
	MoreWord   string
	Time       page.Moment
	File, Path string
	Picture    bool
	Key        string
}

// headline says in one sentence how the problem stands.
func headline(v *page.Visit, p *apipb.Problem) string {
	switch p.GetHandover() {
	case deskpb.Handover_QUEUED:
		return v.Word("help.now.queued", v.SiteNamed(p.GetToSite()))
	case deskpb.Handover_IN_TRANSIT:
		if p.GetState() != deskpb.Ticket_RESOLVED {
			return v.Word("help.now.transit", v.SiteNamed(p.GetToSite()))
		}
	}
	person := p.GetNow().GetPerson()
	switch state := p.GetState(); {
	case state == deskpb.Ticket_CLOSED && p.GetMerged():
		return v.Word("help.now.merged")
	case state == deskpb.Ticket_ON_HOLD:
		return v.Word("help.now.ON_HOLD", choice(v, p.GetHold()))
	case state == deskpb.Ticket_ASSIGNED && person != "", state == deskpb.Ticket_IN_PROGRESS && person != "":
		return v.Word("help.now."+state.String()+".person", person)
	default:
		return v.Word("help.now." + state.String())
	}
}

// officeWords says at which office something is, and on which line as far as that is known.
func officeWords(v *page.Visit, at *apipb.Station) string {
	if at.GetLine() == deskpb.Ticket_LINE_UNSPECIFIED {
		return v.SiteNamed(at.GetSite())
	}
	return v.SiteNamed(at.GetSite()) + " · " + v.Word("line."+at.GetLine().String())
}

// placeWords says where something is: office, line and person, as far as they are known.
func placeWords(v *page.Visit, at *apipb.Station) string {
	if at.GetPerson() == "" {
		return officeWords(v, at)
	}
	return officeWords(v, at) + " · " + at.GetPerson()
}

// route is the offices from a problem's home to the province, home first. Sites that are not known here are left out, and of a tree that
// is told wrongly no more than it can have tiers.
func route(sites []*apipb.KnownSite, home string) (way []*apipb.KnownSite) {
	known := make(map[string]*apipb.KnownSite, len(sites))
	for _, site := range sites {
		known[site.GetId()] = site
	}
	const tiers = 3
	for at := known[home]; at != nil && len(way) < tiers; at = known[at.GetParent()] {
		way = append(way, at)
	}
	return way
}

// stop is an office on a problem's way, and how the problem stands to it: "here", "been", "next", "ahead" or, of a problem that is over,
// "end".
type stop struct {
	site  *apipb.KnownSite
	state string
}

// stopsOn are the stops on the way from a problem's home up; of a problem that is over only those that it came to.
func stopsOn(way []*apipb.KnownSite, p *apipb.Problem) (stops []stop) {
	been := map[string]bool{p.GetHomeSite(): true}
	for _, s := range p.GetSteps() {
		been[s.GetAt().GetSite()] = true
	}
	over := p.GetState() == deskpb.Ticket_CLOSED || p.GetState() == deskpb.Ticket_CANCELED
	for _, site := range way {
		switch id := site.GetId(); {
		case p.GetHandover() != deskpb.Handover_NONE && id == p.GetToSite():
			stops = append(stops, stop{site, "next"})
		case id == p.GetNow().GetSite() && over:
			stops = append(stops, stop{site, "end"})
		case id == p.GetNow().GetSite():
			stops = append(stops, stop{site, "here"})
		case been[id]:
			stops = append(stops, stop{site, "been"})
		case !over:
			stops = append(stops, stop{site, "ahead"})
		}
	}
	return stops
}

// flowOf draws the way 县 → 市 → 省; nothing where there is one office only.
func flowOf(v *page.Visit, p *apipb.Problem) (flow []station) {
	stops := stopsOn(route(v.Standing.Sites().GetSites(), p.GetHomeSite()), p)
	if len(stops) < 2 {
		return nil
	}
	for _, at := range stops {
		flow = append(flow, station{
			Name: v.SiteNamed(at.site.GetId()), Tier: v.Word("tier." + at.site.GetTier().String()), State: at.state, Word: v.Word("help.flow." + at.state),
		})
	}
	return flow
}

// stepsOf is the timeline, the latest first.
func stepsOf(v *page.Visit, p *apipb.Problem) []step {
	all := p.GetSteps()
	steps := make([]step, 0, len(all))
	for i := len(all) - 1; i >= 0; i-- {
		s := all[i]
		shown := step{
			Icon: stepIcon(s.GetKind()), Text: stepWords(v, p, s), Time: v.Time(s.GetTime()), Now: i == len(all)-1,
			Good: s.GetKind() == apipb.Step_SOLVED || s.GetKind() == apipb.Step_CONFIRMED || s.GetKind() == apipb.Step_CLOSED,
		}
		switch s.GetKind() {
		case apipb.Step_RECEIVED, apipb.Step_SENT:
		case apipb.Step_CONFIRMED, apipb.Step_RATED, apipb.Step_REOPENED, apipb.Step_CANCELED: // the requester did it, and nobody there
		case apipb.Step_ASSIGNED: // the person is named beside it
			shown.Place = officeWords(v, s.GetAt())
		default:
			shown.Place = placeWords(v, s.GetAt())
		}
		steps = append(steps, shown)
	}
	return steps
}

func stepWords(v *page.Visit, p *apipb.Problem, s *apipb.Step) string {
	key := "help.step." + s.GetKind().String()
	switch s.GetKind() {
	case apipb.Step_RECEIVED, apipb.Step_ARRIVED:
		return v.Word(key, v.SiteNamed(s.GetAt().GetSite()))
	case apipb.Step_MOVED:
		return v.Word(key, v.Word("line."+s.GetAt().GetLine().String()))
	case apipb.Step_SENT:
		if s.GetToSite() == p.GetHomeSite() {
			return v.Word("help.step.back", v.SiteNamed(s.GetToSite()))
		}
		return v.Word(key, v.SiteNamed(s.GetToSite()))
	case apipb.Step_ASSIGNED:
		if person := s.GetAt().GetPerson(); person != "" {
			return v.Word("help.step.given", person)
		}
	}
	return v.Word(key)
}

func stepIcon(kind apipb.Step_Kind) string {
	switch kind {
	case apipb.Step_RECEIVED:
		return "clipboard-text"
	case apipb.Step_ASSIGNED:
		return "user-check"
	case apipb.Step_STARTED, apipb.Step_RESUMED:
		return "progress"
	case apipb.Step_HELD:
		return "player-pause"
	case apipb.Step_SENT:
		return "truck-delivery"
	case apipb.Step_ARRIVED:
		return "building"
	case apipb.Step_MOVED:
		return "switch-horizontal"
	case apipb.Step_ON_SPOT:
		return "map-pin"
	case apipb.Step_SOLVED:
		return "circle-check"
	case apipb.Step_CONFIRMED:
		return "thumb-up"
	case apipb.Step_CLOSED:
		return "checks"
	case apipb.Step_REOPENED:
		return "refresh"
	case apipb.Step_CANCELED:
		return "circle-x"
	case apipb.Step_URGED:
		return "bell-ringing"
	case apipb.Step_RATED:
		return "star"
	}
	return "circle-dot"
}

// inOneBreath is how soon after a message another one of the same writer goes on with it, such as the files that came with it.
const inOneBreath = time.Minute

// goesOn tells whether a message goes on with the one before, so long after that.
func goesOn(before, next message, after time.Duration) bool {
	return next.Own == before.Own && next.Who == before.Who && after < inOneBreath
}

// messagesOf is the conversation, which begins with what was reported.
func messagesOf(v *page.Visit, f follower, p *apipb.Problem) []message {
	all := []message{{Own: true, Who: v.Word("help.you"), Lines: paragraphs(p.GetDescription()), Time: v.Time(p.GetOpenTime()), Key: "report"}}
	before := p.GetOpenTime().AsTime()
	for _, m := range p.GetMessages() {
		shown := message{Own: m.GetOwn(), Lines: paragraphs(m.GetText()), Time: v.Time(m.GetTime()), File: m.GetFile(), Key: m.GetId()}
		shown.Who = v.Word("help.you")
		if !m.GetOwn() {
			shown.Who = strings.TrimSpace(v.SiteNamed(m.GetSite()) + " " + m.GetPerson())
		}
		if m.GetFile() != "" {
			shown.Path, shown.Picture = f.home()+"/files/"+m.GetId(), strings.HasPrefix(m.GetMediaType(), "image/") && m.GetMediaType() != "image/svg+xml"
		}
		at, last := m.GetTime().AsTime(), all[len(all)-1]
		shown.On = goesOn(last, shown, at.Sub(before))
		before = at
		all = append(all, shown)
	}
	if len(all[0].Lines) == 0 {
		all[0].Lines = []string{p.GetTitle()}
	}
	for i := range all {
		m, left := &all[i], 0
		if m.Lines, m.More, left = folded(m.Lines); left > 0 {
			m.MoreWord = v.Word("help.message.more", left)
		}
	}
	return all
}

// latestOf is the answer of the desk that the requester sees first: the last message, when nobody wrote after it. nil when there is none,
// and once the problem is solved, which says more.
func latestOf(v *page.Visit, p *apipb.Problem, messages []message) *latest {
	last := messages[len(messages)-1]
	if last.Own || p.GetState() == deskpb.Ticket_RESOLVED || p.GetState() == deskpb.Ticket_CLOSED || p.GetState() == deskpb.Ticket_CANCELED {
		return nil
	}
	text := last.File
	if len(last.Lines) > 0 {
		text = strings.Join(last.Lines, " ")
	}
	return &latest{Who: v.Word("help.latest", last.Who), Time: last.Time, Text: text}
}

// shownLength is how much of a message is shown at first, in characters, and leastFolded how much more there is at least when the rest is not.
const (
	shownLength = 500
	leastFolded = 200
)

// folded parts a long message into what is shown at first and the rest, which has as many characters as left says.
func folded(lines []string) (shown, more []string, left int) {
	length := 0
	for _, line := range lines {
		length += utf8.RuneCountInString(line)
	}
	if left = length - shownLength; left < leastFolded {
		return lines, nil, 0
	}
	room := shownLength
	for i, line := range lines {
		letters := []rune(line)
		if len(letters) < room {
			room -= len(letters)
			continue
		}
		shown = append(slices.Clone(lines[:i]), string(letters[:room])+"…")
		if rest := string(letters[room:]); rest != "" {
			more = append(more, "…"+rest)
		}
		return shown, append(more, lines[i+1:]...), left
	}
	return lines, nil, 0
}
