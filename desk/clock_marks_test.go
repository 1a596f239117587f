package desk

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// clocksOnly is a policy that has time do nothing but move the clocks: targets of one metric each, round the clock.
func clocksOnly(targets ...*deskpb.Target) *deskpb.Policy { return &deskpb.Policy{Targets: targets} }

func within(metric deskpb.Sla_Metric, seconds int64) *deskpb.Target {
	return &deskpb.Target{Name: "rule", Metric: metric, Within: seconds}
}

// tick has the county do what is due at a time, and returns the clocks that passed a mark, printed.
func (s clockStage) tick(text string) (passed []string) {
	s.t.Helper()
	s.at(text)
	d, err := s.tree.do(county, tickCommand(s.number))
	if reason(err) == "NOT_DUE" {
		return nil
	}
	if err != nil {
		s.t.Fatal(err)
	}
	for _, event := range d.Events {
		for _, clock := range event.GetBody().GetClocks() {
			passed = append(passed, fmt.Sprintf("%s %d %s", clock.GetMetric(), clock.GetMark(), clock.GetState()))
		}
	}
	return passed
}

func tickCommand(number TicketNumber) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{
		Number: string(number), Actor: &deskpb.Actor{}, Verb: &deskpb.TicketCommand_Tick{Tick: &deskpb.Tick{}},
	}
}

// TestEachMarkIsPassedOnce lets a clock of four hours run out, with a tick at each given time.
func TestEachMarkIsPassedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		ticks []string // times, and what they come to
	}{
		"on time": {[]string{
			"11:59:59", "12:00:00 RESOLUTION 50 RUNNING", "12:00:01", "13:00:00 RESOLUTION 75 RUNNING", "13:36:00 RESOLUTION 90 RUNNING",
			"14:00:00", "14:00:01 RESOLUTION 100 BREACHED", "14:00:02", "23:00:00",
		}},
		"late, so that several marks are behind: only the highest": {[]string{
			"13:40:00 RESOLUTION 90 RUNNING", "13:41:00", "18:00:00 RESOLUTION 100 BREACHED",
		}},
		"at the due time itself: it is not over": {[]string{"14:00:00 RESOLUTION 90 RUNNING", "14:00:01 RESOLUTION 100 BREACHED"}},
		"never before everything was over":       {[]string{"20:00:00 RESOLUTION 100 BREACHED", "20:00:01"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newClockStage(t, clocksOnly(within(deskpb.Sla_RESOLUTION, 4*3600)))
			s.at("2026-03-11 10:00:00")
			s.open(&deskpb.Ticket{})
			for _, tick := range c.ticks {
				at, want, _ := strings.Cut(tick, " ")
				if got := strings.Join(s.tick("2026-03-11 "+at), ", "); got != want {
					t.Errorf("a tick at %s comes to %q, want %q", at, got, want)
				}
			}
		})
	}
}

// TestMarksStandStillWithTheClock holds a ticket between two marks.
func TestMarksStandStillWithTheClock(t *testing.T) {
	s := newClockStage(t, clocksOnly(within(deskpb.Sla_RESOLUTION, 4*3600)))
	s.at("2026-03-11 10:00:00")
	s.open(&deskpb.Ticket{})
	s.at("2026-03-11 11:00:00")
	s.do(county, sampleCommand("hold"))
	if next := NextTime(s.tree.office(county).records[s.number], county); next != 0 {
		t.Errorf("on hold something is due at %s", moment(next))
	}
	s.at("2026-03-11 20:00:00")
	s.do(county, sampleCommand("resume"))
	if got := s.tick("2026-03-11 20:59:59"); got != nil {
		t.Errorf("before half of the time has passed a tick comes to %v", got)
	}
	if got := s.tick("2026-03-11 21:00:00"); !slices.Equal(got, []string{"RESOLUTION 50 RUNNING"}) {
		t.Errorf("at half of the time a tick comes to %v", got)
	}
}

// TestARaisedPriorityTellsNobodyOfMarksBehindIt: what has passed under the shorter target is noted, and no more.
func TestARaisedPriorityTellsNobodyOfMarksBehindIt(t *testing.T) {
	s := newClockStage(t, officePolicy())
	s.at("2026-03-11 09:00:00")
	s.open(&deskpb.Ticket{}) // seven hours
	s.at("2026-03-11 12:00:00")
	d := s.do(county, classifyCommand(&deskpb.Ticket{Impact: 1, Urgency: 1}, "impact", "urgency")) // four: three are 75 %
	if len(d.Events) != 1 || d.Events[0].GetType() != deskpb.Event_CLASSIFIED {
		t.Fatalf("it is written as %v", d.Events)
	}
	clock := s.clock(county, deskpb.Sla_RESOLUTION, "")
	if clock.GetMark() != 75 || local(clock.GetNextMarkTime().AsTime()) != "2026-03-11 14:06:00" {
		t.Errorf("the clock has passed %d %%, the next mark is at %s; want 75 and 14:06: 3 h 36 min of four hours",
			clock.GetMark(), local(clock.GetNextMarkTime().AsTime()))
	}
	if got := s.tick("2026-03-11 12:00:01"); got != nil {
		t.Errorf("a moment later a tick comes to %v", got)
	}
}

// TestAnEndedClockIsNotTouched: an answer in time stays one, whatever the ticket becomes.
func TestAnEndedClockIsNotTouched(t *testing.T) {
	s := newClockStage(t, policy.Default())
	s.at("2026-03-11 10:00")
	s.open(&deskpb.Ticket{})
	s.at("2026-03-11 10:10")
	s.do(county, sampleCommand("start"))
	before := clocks(&deskpb.Ticket{Sla: []*deskpb.Sla{s.clock(county, deskpb.Sla_RESPONSE, "")}})
	s.do(county, classifyCommand(&deskpb.Ticket{Severity: 1}, "severity"))
	if after := clocks(&deskpb.Ticket{Sla: []*deskpb.Sla{s.clock(county, deskpb.Sla_RESPONSE, "")}}); after != before {
		t.Errorf("the response clock became %s, it was %s", after, before)
	}
}

// TestAnotherPolicyLeavesEndedClocks: what was measured of a solved ticket stays, whatever targets and calendars there are afterwards.
func TestAnotherPolicyLeavesEndedClocks(t *testing.T) {
	p := policy.Default()
	s := newClockStage(t, p)
	s.at("2026-03-11 10:00")
	s.open(&deskpb.Ticket{Kind: deskpb.Ticket_INCIDENT, Severity: 2, Visit: true})
	s.at("2026-03-11 15:00")
	s.do(county, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Arrive{Arrive: &deskpb.Arrive{}}})
	s.do(county, sampleCommand("resolve"))
	ticket := func() *deskpb.Ticket { return s.tree.office(county).records[s.number].GetTicket() }
	before := clocks(ticket())
	if n := len(ticket().GetSla()); n != 4 {
		t.Fatalf("the ticket has %d clocks, want the answer, the visit, the solution and that of the county: %s", n, before)
	}
	p.Calendars = nil
	for _, target := range p.GetTargets() {
		target.Within, target.Match, target.Calendar = 1, nil, "gone"
	}
	s.at("2026-03-11 16:00")
	s.do(county, classifyCommand(&deskpb.Ticket{Category: "数据问题"}, "category"))
	s.do(county, sampleCommand("close"))
	if after := clocks(ticket()); after != before {
		t.Errorf("the clocks became %s, they were %s", after, before)
	}
}

// TestMessagesAreDueAgainAndAgain follows a major incident for which the requester is told something every half hour.
func TestMessagesAreDueAgainAndAgain(t *testing.T) {
	s := newClockStage(t, clocksOnly(&deskpb.Target{
		Name: "major", Metric: deskpb.Sla_UPDATE, Within: 1800, Match: &deskpb.Match{Major: true}}))
	s.at("2026-03-11 10:00:00")
	s.open(&deskpb.Ticket{})
	if clock := s.clock(county, deskpb.Sla_UPDATE, ""); clock != nil {
		t.Fatalf("before it is major the ticket has the clock %v", clock)
	}
	s.at("2026-03-11 11:00:00")
	s.do(county, classifyCommand(&deskpb.Ticket{Major: true}, "major"))
	expect := func(tick, want string) {
		t.Helper()
		if got := strings.Join(s.tick("2026-03-11 "+tick), ", "); got != want {
			t.Errorf("a tick at %s comes to %q, want %q", tick, got, want)
		}
	}
	expect("11:26:59", "")
	expect("11:27:00", "UPDATE 90 RUNNING")
	s.at("2026-03-11 11:29:00")
	s.do(county, sampleCommand("reply"))
	expect("11:30:01", "")
	expect("11:56:00", "UPDATE 90 RUNNING")
	s.at("2026-03-11 11:58:00")
	s.do(county, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reply{Reply: &deskpb.Reply{Text: "还没好吗", FromRequester: true}}})
	expect("11:59:00", "")
	expect("11:59:01", "UPDATE 100 BREACHED")
	expect("12:26:00", "")
	expect("12:26:01", "UPDATE 90 BREACHED")
	expect("12:29:02", "UPDATE 100 BREACHED")
	s.at("2026-03-11 12:40:00")
	s.do(county, sampleCommand("resolve"))
	if clock := s.clock(county, deskpb.Sla_UPDATE, ""); clock.GetState() != deskpb.Sla_BREACHED || clock.GetEndTime() == nil {
		t.Errorf("after the solution the clock is %v", clock)
	}
	expect("13:30:00", "")
	s.drain()
	if err := s.tree.agree(s.number); err != nil {
		t.Error(err)
	}
}

// TestAMessageAndATickMayMeet: the city tells the requester while the county, which has not heard of it, notes that a message is
// due. Whoever hears of the two in whatever order has the same clock, and the events stay as they were written.
func TestAMessageAndATickMayMeet(t *testing.T) {
	s := newClockStage(t, clocksOnly(within(deskpb.Sla_UPDATE, 1800)))
	s.at("2026-03-11 10:00:00")
	s.open(&deskpb.Ticket{})
	s.drain()
	s.at("2026-03-11 10:20:00")
	s.do(city, sampleCommand("reply"))
	if got := s.tick("2026-03-11 10:27:00"); len(got) != 1 {
		t.Fatalf("at the county, which knows of no message, a tick comes to %v", got)
	}
	s.drain()
	if err := s.tree.agree(s.number); err != nil {
		t.Error(err)
	}
	clock := s.clock(county, deskpb.Sla_UPDATE, "")
	if got := local(clock.GetDueTime().AsTime()); got != "2026-03-11 10:50:00" || clock.GetMark() != 0 {
		t.Errorf("after both the next message is due at %s, mark %d; want half an hour after the last one", got, clock.GetMark())
	}
	for _, o := range s.tree.offices {
		for _, event := range o.journal(s.number) {
			if !bytes.Equal(marshal(t, event.Event), event.Raw) {
				t.Errorf("at %s folding changed the event %s", o.here.Site, event.GetType())
			}
		}
	}
}

func TestAMajorIncidentThatIsNoneAnyMoreNeedsNoMessages(t *testing.T) {
	s := newClockStage(t, policy.Default())
	s.at("2026-03-11 10:00:00")
	s.open(&deskpb.Ticket{Major: true})
	s.do(county, classifyCommand(&deskpb.Ticket{}, "major"))
	if clock := s.clock(county, deskpb.Sla_UPDATE, ""); clock != nil {
		t.Errorf("it still has the clock %v", clock)
	}
	s.drain()
	if err := s.tree.agree(s.number); err != nil {
		t.Error(err)
	}
}

func TestOnlyTheCustodianTicks(t *testing.T) {
	s := newClockStage(t, clocksOnly(within(deskpb.Sla_RESOLUTION, 3600)))
	s.at("2026-03-11 10:00:00")
	s.open(&deskpb.Ticket{})
	s.drain()
	if next := NextTime(s.tree.office(city).records[s.number], city); next != 0 {
		t.Errorf("at the city, which does not hold the ticket, something is due at %s", moment(next))
	}
	s.at("2026-03-11 12:00:00")
	if _, err := s.tree.do(city, tickCommand(s.number)); reason(err) != "NOT_CUSTODIAN" {
		t.Errorf("a tick at the city comes to %v", err)
	}
	person := tickCommand(s.number)
	person.Actor = agent("lin")
	if _, err := s.tree.do(county, person); reason(err) != "PERMISSION_DENIED" {
		t.Errorf("a tick by a person comes to %v", err)
	}
}
