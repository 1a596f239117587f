package console

import (
	"net/http"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// clocksPage explains the clocks of a ticket.
type clocksPage struct {
	page.Frame
	Number string
	Clocks []clockStory
}

// clockStory is how a clock came to what it shows.
type clockStory struct {
	clockShown
	Target, Counted string
	Calendar        string
	Rule            string // which one it is of several for the same; empty where the heading says it
	Stretches       []stretchShown
}

// stretchShown is a stretch of time in which the same held for a clock.
type stretchShown struct {
	From, To page.Moment
	State    string
	Tone     string
	Reason   string
	Counted  string
	Working  []string
}

// clockStories explains every clock: each stretch of time, whether it counted, and why.
func (d *dossier) clockStories() ([]clockStory, error) {
	explained, err := d.API.Tickets.ExplainSla(d.Ctx(), &apipb.ExplainSlaRequest{Number: d.ticket.GetNumber(), Consistency: d.consistency()})
	if err != nil {
		return nil, err
	}
	stories := make([]clockStory, 0, len(explained.GetClocks()))
	for _, told := range explained.GetClocks() {
		clock := told.GetClock()
		story := clockStory{
			clockShown: d.clock(clock), Target: d.Span(time.Duration(clock.GetTarget()) * time.Second), Calendar: d.calendarTitle(clock.GetCalendar()),
			Rule: d.ruleAmongOthers(clock),
		}
		counted := clock.GetCounted()
		if stretches := told.GetStretches(); len(stretches) > 0 {
			counted = 0
			for _, stretch := range stretches {
				counted += stretch.GetCounted()
				story.Stretches = append(story.Stretches, d.stretch(stretch, clock.GetRule()))
			}
		}
		story.Counted = d.Span(time.Duration(counted) * time.Second)
		stories = append(stories, story)
	}
	return stories, nil
}

// ruleAmongOthers is the rule of a clock where the policy as it is known here has others for the same metric and tier, or does not have
// this one; empty for the only one.
func (d *dossier) ruleAmongOthers(clock *deskpb.Sla) string {
	known := false
	for _, target := range d.policy.GetTargets() {
		switch {
		case target.GetName() == clock.GetRule():
			known = true
		case !target.GetNone() && target.GetMetric() == clock.GetMetric() && target.GetTier() == clock.GetTier():
			return clock.GetRule()
		}
	}
	if !known {
		return clock.GetRule()
	}
	return ""
}

// calendarTitle is a calendar as people of this site know it.
func (d *dossier) calendarTitle(name string) string {
	for _, calendar := range d.policy.GetCalendars() {
		if calendar.GetName() == name {
			return d.title(calendar.GetTitle(), name)
		}
	}
	return name
}

func (d *dossier) stretch(stretch *apipb.Stretch, rule string) stretchShown {
	shown := stretchShown{
		From: d.Time(stretch.GetFrom()), To: d.Time(stretch.GetTo()), State: d.Word("t.stretch." + stretch.GetState()), Tone: "off",
		Reason: d.stretchReason(stretch, rule), Counted: d.Span(time.Duration(stretch.GetCounted()) * time.Second),
	}
	switch stretch.GetState() {
	case "running":
		shown.Tone = "good"
	case "paused":
		shown.Tone = "wait"
	}
	for _, working := range stretch.GetWorking() {
		if proto.Equal(working.GetFrom(), stretch.GetFrom()) && proto.Equal(working.GetTo(), stretch.GetTo()) {
			break // all of it is working time
		}
		from, to := d.Time(working.GetFrom()), d.Time(working.GetTo())
		shown.Working = append(shown.Working, from.Clock+" – "+to.Clock)
	}
	return shown
}

// stretchReason is why a stretch counted or did not. The sentences of the API are fixed ones; what they name is kept.
func (d *dossier) stretchReason(stretch *apipb.Stretch, rule string) string {
	reason := stretch.GetReason()
	switch {
	case stretch.GetState() == "paused":
		return d.holdTitle(reason)
	case strings.HasPrefix(reason, rule+": "):
		return "" // the clock's heading says it
	case reason == "the ticket was not open":
		return d.Word("t.stretch-closed")
	case reason == "the ticket was on its way":
		return d.Word("t.stretch-transit")
	case reason == "nobody was told in time":
		return d.Word("t.stretch-silent")
	}
	if site, elsewhere := strings.CutPrefix(reason, "the ticket was with "); elsewhere {
		return d.Word("t.stretch-elsewhere", d.SiteNamed(site))
	}
	if who, told := strings.CutPrefix(reason, "told by "); told {
		return d.Word("t.stretch-told", d.person(who, d.custodian()))
	}
	return reason
}

// serveClocks explains the clocks of a ticket, as a page or as a part under its head.
func serveClocks(v *page.Visit) error {
	d, err := open(v, v.R.PathValue("number"))
	if err != nil {
		return err
	}
	stories, err := d.clockStories()
	if err != nil {
		return err
	}
	shown := clocksPage{Number: d.ticket.GetNumber(), Clocks: stories}
	shown.Frame = consoleFrame(v, d.Word("t.why-title", shown.Number), ticketFiles...)
	if v.Partial() {
		return v.Render(http.StatusOK, "ticket-clocks", shown)
	}
	return v.Render(http.StatusOK, "ticket-clocks-page", shown)
}
