package console

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// sitesOfTests are a county below a city below a province.
var sitesOfTests = []*apipb.KnownSite{
	{Id: "xihu", Parent: "hangzhou"}, {Id: "hangzhou", Parent: "zhejiang"}, {Id: "zhejiang"},
}

// history is a journal, one step a minute, each as "site TYPE field=after field=after".
func history(steps ...string) (entries []*apipb.JournalEntry) {
	for minute, step := range steps {
		words := strings.Fields(step)
		entry := &apipb.JournalEntry{
			Id: "e" + string(rune('a'+minute)), Site: words[0], Type: words[1], Time: timestamppb.New(time.Unix(int64(minute)*60, 0)),
		}
		for _, word := range words[2:] {
			field, after, _ := strings.Cut(word, "=")
			entry.Changes = append(entry.Changes, &apipb.Change{Field: field, After: after})
		}
		entries = append(entries, entry)
	}
	return entries
}

// told is a journey on one line: each stay as "way>site/line(who)minutes", a star where the ticket is, a question mark for one ahead, and
// what it leaves for.
func told(stays []stay) string {
	var words []string
	for _, s := range stays {
		word := s.Site
		if s.Way != "" {
			word = string(s.Way) + ">" + word
		}
		switch s.Line {
		case deskpb.Ticket_FIRST:
			word += "/1"
		case deskpb.Ticket_SECOND:
			word += "/2"
		case deskpb.Ticket_THIRD:
			word += "/3"
		}
		if s.Who != "" {
			word += "(" + s.Who + ")"
		}
		switch {
		case s.Ahead:
			word += "?"
		case s.Ended:
			word += "."
		case s.Here && !s.Left.IsZero():
			word += " (there, and gone)"
		case s.Here:
			word += "*"
		}
		if s.Leaving != nil && s.Leaving.Sent {
			word += "~" + s.Leaving.To
		} else if s.Leaving != nil {
			word += "…" + s.Leaving.To
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestJourneyTellsWhereATicketWasIsAndGoes(t *testing.T) {
	opened := []string{"xihu OPENED line=FIRST state=NEW", "xihu ASSIGNED assignee=zhang state=ASSIGNED"}
	up := append(opened[:2:2],
		"xihu ESCALATION_QUEUED handover.state=QUEUED handover.toSite=hangzhou", "xihu DISPATCHED custodianSite=hangzhou",
		"hangzhou ACCEPTED line=SECOND state=NEW assignee=", "hangzhou ASSIGNED assignee=li")
	top := append(up[:6:6],
		"hangzhou ESCALATION_QUEUED handover.toSite=zhejiang", "hangzhou DISPATCHED", "zhejiang ACCEPTED line=THIRD")
	home := append(up[:6:6],
		"hangzhou RESOLVED state=RESOLVED", "hangzhou RETURN_QUEUED", "hangzhou DISPATCHED", "xihu ACCEPTED line=FIRST")
	pass := append(top[:9:9],
		"zhejiang RESOLVED state=RESOLVED", "zhejiang RETURN_QUEUED", "zhejiang DISPATCHED custodianSite=hangzhou", "hangzhou ACCEPTED line=FIRST")
	open, solved, closed := deskpb.Ticket_IN_PROGRESS, deskpb.Ticket_RESOLVED, deskpb.Ticket_CLOSED
	to := func(state deskpb.Handover_State, site string) *deskpb.Handover {
		return &deskpb.Handover{State: state, ToSite: site}
	}
	for _, c := range []struct {
		name     string
		state    deskpb.Ticket_State
		handover *deskpb.Handover
		steps    []string
		want     string
	}{
		{"where it was opened", open, nil, opened, "xihu/1(zhang)* up>hangzhou? up>zhejiang?"},
		{"waiting for the line", open, to(deskpb.Handover_QUEUED, "hangzhou"), up[:3], "xihu/1(zhang)*…hangzhou up>hangzhou? up>zhejiang?"},
		{"on its way up", open, to(deskpb.Handover_IN_TRANSIT, "hangzhou"), up[:4], "xihu/1(zhang)~hangzhou up>hangzhou? up>zhejiang?"},
		{"withdrawn", open, nil, append(up[:3:3], "xihu WITHDRAWN handover.state=NONE"), "xihu/1(zhang)* up>hangzhou? up>zhejiang?"},
		{"refused", open, nil, append(up[:4:4], "hangzhou REFUSED custodianSite=xihu"), "xihu/1(zhang)* up>hangzhou? up>zhejiang?"},
		{"escalated once", open, nil, up, "xihu/1(zhang) up>hangzhou/2(li)* up>zhejiang?"},
		{"escalated twice", open, nil, top, "xihu/1(zhang) up>hangzhou/2(li) up>zhejiang/3*"},
		{"returned", open, nil, append(up[:6:6], "hangzhou RETURN_QUEUED", "hangzhou DISPATCHED", "xihu ACCEPTED line=FIRST"),
			"xihu/1(zhang) up>hangzhou/2(li) back>xihu/1* up>hangzhou? up>zhejiang?"},
		{"waiting to go home", solved, to(deskpb.Handover_QUEUED, "xihu"), home[:8], "xihu/1(zhang) up>hangzhou/2(li)*…xihu home>xihu?"},
		{"solved and home", solved, nil, home, "xihu/1(zhang) up>hangzhou/2(li) home>xihu/1*"},
		{"solved, waiting to go home by the city", solved,
			&deskpb.Handover{State: deskpb.Handover_QUEUED, ToSite: "hangzhou", ToLine: deskpb.Ticket_FIRST}, pass[:11],
			"xihu/1(zhang) up>hangzhou/2(li) up>zhejiang/3*…hangzhou home>hangzhou?"},
		{"solved, and passing the city", solved, nil, pass, "xihu/1(zhang) up>hangzhou/2(li) up>zhejiang/3 home>hangzhou*"},
		{"solved, and home by the city", solved, nil, append(pass[:13:13], "hangzhou RETURN_QUEUED", "hangzhou DISPATCHED", "xihu ACCEPTED"),
			"xihu/1(zhang) up>hangzhou/2(li) up>zhejiang/3 home>hangzhou home>xihu/1*"},
		{"closed at home", closed, nil, append(home[:10:10], "xihu CONFIRMED state=CLOSED"), "xihu/1(zhang) up>hangzhou/2(li) home>xihu/1."},
		{"reopened", open, nil, append(home[:10:10], "xihu CONFIRMED state=CLOSED", "xihu REOPENED state=IN_PROGRESS"),
			"xihu/1(zhang) up>hangzhou/2(li) home>xihu/1* up>hangzhou? up>zhejiang?"},
		{"taken without a hand-over", open, nil, append(up[:6:6], "xihu RECLAIMED line=FIRST custodianSite=xihu"),
			"xihu/1(zhang) up>hangzhou/2(li) taken>xihu/1* up>hangzhou? up>zhejiang?"},
		{"a line higher at the same site", open, nil, append(top[:9:9], "zhejiang RETURNED line=SECOND", "zhejiang ESCALATED line=THIRD"),
			"xihu/1(zhang) up>hangzhou/2(li) up>zhejiang/3 back>zhejiang/2 up>zhejiang/3*"},
		{"unknown journal", open, nil, nil, "zhejiang*"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ticket := &deskpb.Ticket{State: c.state, Handover: c.handover, HomeSite: "xihu", CustodianSite: "zhejiang"}
			if got := told(journeyOf(ticket, history(c.steps...), sitesOfTests)); got != c.want {
				t.Errorf("journey:\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestJourneyLeavesOutWhatCountsForNothing(t *testing.T) {
	entries := history("xihu OPENED line=FIRST", "hangzhou ACCEPTED line=SECOND")
	entries[1].Superseded = true
	if got := told(journeyOf(&deskpb.Ticket{State: deskpb.Ticket_CLOSED}, entries, nil)); got != "xihu/1*" {
		t.Errorf("a step from before a recovery is a station: %s", got)
	}
}

func TestJourneyMeasuresTheStay(t *testing.T) {
	stays := journeyOf(&deskpb.Ticket{State: deskpb.Ticket_RESOLVED}, history("xihu OPENED", "xihu DISPATCHED", "hangzhou NOTED", "hangzhou ACCEPTED"), nil)
	if stay := stays[0].Left.Sub(stays[0].Arrived); stay != time.Minute {
		t.Errorf("the first stay lasted %v, not until the ticket was sent a minute later", stay)
	}
	if !stays[1].Left.IsZero() {
		t.Errorf("the ticket has left where it is: %v", stays[1].Left)
	}
}
