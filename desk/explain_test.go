package desk

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/calendar"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// explain returns the story of a clock as a site tells it.
func (s clockStage) explain(t rapid.TB, site SiteID, metric deskpb.Sla_Metric, of SiteID) ClockStory {
	t.Helper()
	o := s.tree.office(site)
	journal, err := Journal(o.journal(s.number))
	if err != nil {
		t.Fatal(err)
	}
	for _, story := range Explain(o.records[s.number], journal, o.policy, s.tree.now) {
		if story.Clock.GetMetric() == metric && story.Clock.GetSite() == string(of) {
			return story
		}
	}
	t.Fatalf("nothing is told of the %s clock of %q", metric, of)
	return ClockStory{}
}

// tell prints a story, a line a stretch.
func (story ClockStory) tell() (lines []string) {
	for _, s := range story.Stretches {
		lines = append(lines, fmt.Sprintf("%s to %s %s %dm (%s)",
			local(time.Unix(s.From, 0).UTC())[11:16], local(time.Unix(s.To, 0).UTC())[11:16], s.State, s.Counted/60, s.Reason))
	}
	return lines
}

func TestAClockIsExplained(t *testing.T) {
	s := newClockStage(t, officePolicy())
	s.at("2026-03-11 09:00")
	s.open(&deskpb.Ticket{})
	for _, step := range []string{
		"2026-03-11 10:00 hold", "2026-03-11 11:00 resume", "2026-03-11 14:00 raise", "2026-03-11 15:00 resolve", "2026-03-11 16:00 reopen",
	} {
		s.step(step)
	}
	s.at("2026-03-11 17:00:01")
	want := []string{
		"09:00 to 10:00 running 60m (seven hours: 7h0m0s, office)",
		"10:00 to 11:00 paused 0m (等待用户)",
		"11:00 to 14:00 running 90m (seven hours: 7h0m0s, office)",
		"14:00 to 15:00 running 60m (four hours: 4h0m0s, office)",
		"15:00 to 16:00 stopped 0m (the ticket was not open)",
		"16:00 to 17:00 running 60m (four hours: 4h0m0s, office)",
	}
	story := s.explain(t, county, deskpb.Sla_RESOLUTION, "")
	if got := story.tell(); !slices.Equal(got, want) {
		t.Errorf("it is explained as\n%q\nwant\n%q", got, want)
	}
	lunch := story.Stretches[2].Working
	if len(lunch) != 2 || local(time.Unix(lunch[0].To, 0).UTC())[11:16] != "12:00" || local(time.Unix(lunch[1].From, 0).UTC())[11:16] != "13:30" {
		t.Errorf("around lunch the working time is %v", lunch)
	}
}

func TestAClockOfATierIsExplained(t *testing.T) {
	s := newClockStage(t, policy.Default())
	s.at("2026-03-11 10:00")
	s.open(&deskpb.Ticket{Kind: deskpb.Ticket_INCIDENT})
	s.at("2026-03-11 10:30")
	s.do(county, escalateCommand(""))
	s.do(county, dispatchTo(s.number, string(city)))
	s.at("2026-03-11 10:40")
	s.drain()
	s.at("2026-03-11 11:00")
	want := []string{
		"10:00 to 10:30 running 30m (resolution-county-priority-3: 6h0m0s, 7x24)",
		"10:30 to 10:40 stopped 0m (the ticket was on its way)",
		"10:40 to 10:59 stopped 0m (the ticket was with 330100)",
	}
	for _, site := range []SiteID{county, city} {
		if got := s.explain(t, site, deskpb.Sla_RESOLUTION, county).tell(); !slices.Equal(got, want) {
			t.Errorf("at %s it is explained as\n%q\nwant\n%q", site, got, want)
		}
	}
}

func TestMessagesAreExplained(t *testing.T) {
	s := newClockStage(t, clocksOnly(within(deskpb.Sla_UPDATE, 1800)))
	s.at("2026-03-11 10:00")
	s.open(&deskpb.Ticket{})
	s.at("2026-03-11 10:20")
	s.do(county, sampleCommand("reply"))
	s.tick("2026-03-11 10:50:01")
	s.at("2026-03-11 11:00:01")
	want := []string{
		"10:00 to 10:20 running 20m (told by lin)",
		"10:20 to 10:50 running 30m (nobody was told in time)",
		"10:50 to 11:00 running 9m ()",
	}
	if got := s.explain(t, county, deskpb.Sla_UPDATE, "").tell(); !slices.Equal(got, want) {
		t.Errorf("it is explained as\n%q\nwant\n%q", got, want)
	}
}

// TestEverySecondIsExplained holds whatever people do: the stretches follow each other without a gap, and what they counted
// comes to what the clock shows.
func TestEverySecondIsExplained(test *testing.T) {
	rapid.Check(test, func(t *rapid.T) {
		s := newClockStage(test, officePolicy())
		s.tree.now = officeTime(test, "2026-02-10 08:00") + rapid.Int64Range(0, 30*86400*second).Draw(t, "opened")
		s.open(&deskpb.Ticket{})
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			s.tree.now += rapid.Int64Range(0, 2*86400*second).Draw(t, "wait")
			s.tryAny(t)
		}
		story := s.explain(t, county, deskpb.Sla_RESOLUTION, "")
		clock, now := story.Clock, s.tree.now/second
		shown, end := clock.GetCounted(), now
		if clock.GetSince() != nil {
			shown += calendar.Count(policy.Calendar(s.tree.office(county).policy, policy.OfficeTime), clock.GetSince().GetSeconds(), now)
		}
		if clock.GetEndTime() != nil {
			end = clock.GetEndTime().GetSeconds()
		}
		at := clock.GetStartTime().GetSeconds()
		var counted int64
		for _, stretch := range story.Stretches {
			if stretch.From != at || stretch.To <= stretch.From {
				t.Fatalf("the stretch from %d to %d does not follow %d", stretch.From, stretch.To, at)
			}
			at = stretch.To
			counted += stretch.Counted
		}
		if counted != shown || at != end {
			t.Fatalf("the stretches count %d seconds up to %d; the clock shows %d up to %d: %v", counted, at, shown, end, clock)
		}
	})
}
