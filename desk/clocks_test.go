package desk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// clockStage is a stage whose times are said in the time of the office, UTC+8. Every step of the tree happens at the time
// that was said.
type clockStage struct{ *stage }

// newClockStage is a stage where all sites have a policy.
func newClockStage(t testing.TB, p *deskpb.Policy) clockStage {
	s := clockStage{&stage{t: t, tree: newTree()}}
	for _, o := range s.tree.offices {
		o.policy = p
	}
	return s
}

// officeTime reads a time of the office, in microseconds since 1970.
func officeTime(t testing.TB, text string) int64 {
	t.Helper()
	layout := "2006-01-02 15:04:05"
	at, err := time.Parse(layout[:len(text)], text)
	if err != nil {
		t.Fatal(err)
	}
	return at.Add(-time.Duration(beijing) * time.Second).UnixMicro()
}

// at has the next step happen at a time.
func (s clockStage) at(text string) { s.tree.now = officeTime(s.t, text) - second }

// open opens a ticket at the county and returns it.
func (s clockStage) open(ticket *deskpb.Ticket) *deskpb.Ticket {
	s.t.Helper()
	ticket.Title = "报表打不开"
	d := s.do(county, &deskpb.TicketCommand{
		Actor: agent("lin"), Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: ticket}},
	})
	s.number = TicketNumber(d.Record.GetTicket().GetNumber())
	return d.Record.GetTicket()
}

// step does at a time what a line of a case says: a verb of sampleCommand, or one with its argument.
func (s clockStage) step(line string) {
	s.t.Helper()
	when, verb := line[:len("2006-01-02 15:04")], line[len("2006-01-02 15:04")+1:]
	s.at(when)
	switch verb {
	case "raise":
		s.do(county, classifyCommand(&deskpb.Ticket{Impact: 1, Urgency: 1}, "impact", "urgency"))
	case "lower":
		s.do(county, classifyCommand(&deskpb.Ticket{Impact: 3, Urgency: 3}, "impact", "urgency"))
	case "hold at a desk that works on":
		s.do(county, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Hold{Hold: &deskpb.Hold{Reason: "观察中", Comment: "等结果"}}})
	default:
		s.do(county, sampleCommand(verb))
	}
}

func classifyCommand(ticket *deskpb.Ticket, fields ...string) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Classify{Classify: &deskpb.Classify{
		Ticket: ticket, Fields: fields, Reason: "重新评估",
	}}}
}

// clock returns the clock of the ticket at a site, nil when it has none.
func (s clockStage) clock(site SiteID, metric deskpb.Sla_Metric, of SiteID) *deskpb.Sla {
	for _, clock := range s.tree.office(site).records[s.number].GetTicket().GetSla() {
		if clock.GetMetric() == metric && clock.GetSite() == string(of) {
			return clock
		}
	}
	return nil
}

// clocks prints the clocks of a ticket, one a line, with times as the office reads them.
func clocks(t *deskpb.Ticket) string {
	var b strings.Builder
	for _, clock := range t.GetSla() {
		fmt.Fprintf(&b, "%s%s %s %s", clock.GetMetric(), clock.GetTier(), clock.GetState(), time.Duration(clock.GetTarget())*time.Second)
		if clock.GetDueTime() != nil {
			fmt.Fprintf(&b, " due %s", local(clock.GetDueTime().AsTime()))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func local(at time.Time) string {
	return at.Add(time.Duration(beijing) * time.Second).Format("2006-01-02 15:04:05")
}

// officePolicy allows four working hours for the solution of a ticket, seven for one of the middle priority; the office works
// from 09:00 to 12:00 and from 13:30 to 17:30, see calendar_test.go of the package calendar for its sources.
func officePolicy() *deskpb.Policy {
	p := policy.Default()
	p.HoldReasons = append(p.HoldReasons, &deskpb.HoldReason{Name: "观察中"})
	p.Targets = []*deskpb.Target{
		{Name: "seven hours", Metric: deskpb.Sla_RESOLUTION, Within: 7 * 3600, Calendar: policy.OfficeTime, Match: &deskpb.Match{Priorities: []int32{3}}},
		{Name: "one hour", Metric: deskpb.Sla_RESOLUTION, Within: 3600, Calendar: policy.OfficeTime, Match: &deskpb.Match{Priorities: []int32{5}}},
		{Name: "four hours", Metric: deskpb.Sla_RESOLUTION, Within: 4 * 3600, Calendar: policy.OfficeTime},
	}
	return p
}

// TestClocksWorkedByHand follows the clock of the solution through histories whose times were worked out by hand, as the name of
// each says. 2026-02-14 is a make-up Saturday before the Spring Festival, whose holidays end on the 23rd.
func TestClocksWorkedByHand(t *testing.T) {
	urgent := func() *deskpb.Ticket { return &deskpb.Ticket{Impact: 1, Urgency: 1} } // four hours
	for name, c := range map[string]struct {
		ticket *deskpb.Ticket
		steps  []string // the first one opens it
		want   string   // the state, the due time unless it is unset, and the minutes counted
	}{
		"a morning: 09:00 + 3 h + 1 h after lunch": {
			urgent(), []string{"2026-03-11 09:00 open"}, "RUNNING due 2026-03-11 14:30"},
		"over midnight: opened at 23:00, it begins at 09:00": {
			urgent(), []string{"2026-03-11 23:00 open"}, "RUNNING due 2026-03-12 14:30"},
		"over a weekend: Friday 1 h, Monday 3 h": {
			urgent(), []string{"2026-03-13 16:30 open"}, "RUNNING due 2026-03-16 12:00"},
		"a make-up Saturday: Friday 0:30, Saturday 3:30": {
			urgent(), []string{"2026-02-13 17:00 open"}, "RUNNING due 2026-02-14 14:00"},
		"over the Spring Festival: Saturday 1 h, Tuesday 3 h": {
			urgent(), []string{"2026-02-14 16:30 open"}, "RUNNING due 2026-02-24 12:00"},
		"the last minute of the day counts: the next day 3:59": {
			urgent(), []string{"2026-03-11 17:29 open"}, "RUNNING due 2026-03-12 14:29"},
		"a hold stands still: 1 h before, 0 during": {
			urgent(), []string{"2026-03-11 09:00 open", "2026-03-11 10:00 hold"}, "PAUSED counted 60"},
		"a hold within the morning moves it by its 0:45": {
			urgent(), []string{"2026-03-11 09:00 open", "2026-03-11 10:00 hold", "2026-03-11 10:45 resume"}, "RUNNING due 2026-03-11 15:15"},
		"a hold within lunch costs nothing": {
			urgent(), []string{"2026-03-11 09:00 open", "2026-03-11 12:10 hold", "2026-03-11 13:20 resume"}, "RUNNING due 2026-03-11 14:30"},
		"a hold over a weekend costs Friday's 0:30 and Monday's 1 h": {
			urgent(), []string{"2026-03-13 16:30 open", "2026-03-13 17:00 hold", "2026-03-16 10:00 resume"}, "RUNNING due 2026-03-16 15:00"},
		"a hold over the Spring Festival costs 0:30 and 1 h": {
			urgent(), []string{"2026-02-14 16:30 open", "2026-02-14 17:00 hold", "2026-02-24 10:00 resume"}, "RUNNING due 2026-02-24 15:00"},
		"a hold whose reason lets the clocks run costs nothing": {
			urgent(), []string{"2026-03-11 09:00 open", "2026-03-11 10:00 hold at a desk that works on", "2026-03-11 10:45 resume"},
			"RUNNING due 2026-03-11 14:30"},
		"resolved in the minute before: 3:59 counted": {
			urgent(), []string{"2026-03-11 09:00 open", "2026-03-11 14:29 resolve"}, "MET due 2026-03-11 14:30 counted 239"},
		"resolved at the due time": {
			urgent(), []string{"2026-03-11 09:00 open", "2026-03-11 14:30 resolve"}, "MET due 2026-03-11 14:30 counted 240"},
		"resolved in the minute after": {
			urgent(), []string{"2026-03-11 09:00 open", "2026-03-11 14:31 resolve"}, "BREACHED due 2026-03-11 14:30 counted 241"},
		"due in the evening, resolved in the night: no working time more, and yet late": {
			urgent(), []string{"2026-03-11 12:00 open", "2026-03-11 20:00 resolve"}, "BREACHED due 2026-03-11 17:30 counted 240"},
		"resolved while on hold: what it had left is shown": {
			urgent(), []string{"2026-03-11 09:00 open", "2026-03-11 10:00 hold", "2026-03-11 14:00 resolve"}, "MET due 2026-03-11 17:00 counted 60"},
		"reopened: the time after the solution did not count": {
			urgent(), []string{"2026-03-11 09:00 open", "2026-03-11 10:00 resolve", "2026-03-12 09:00 reopen"}, "RUNNING due 2026-03-12 12:00"},
		"canceled": {
			urgent(), []string{"2026-03-11 09:00 open", "2026-03-11 10:00 cancel"}, "MET due 2026-03-11 14:30 counted 60"},
		"raised after half the time of 7 h: four hours from the beginning": {
			&deskpb.Ticket{}, []string{"2026-03-11 09:00 open", "2026-03-11 14:00 raise"}, "RUNNING due 2026-03-11 14:30"},
		"raised with an hour of hold to its credit": {
			&deskpb.Ticket{}, []string{"2026-03-11 09:00 open", "2026-03-11 10:00 hold", "2026-03-11 11:00 resume", "2026-03-11 14:00 raise"},
			"RUNNING due 2026-03-11 15:30"},
		"raised when the shorter time is over": {
			&deskpb.Ticket{}, []string{"2026-03-11 09:00 open", "2026-03-11 15:00 raise"}, "BREACHED due 2026-03-11 14:30"},
		"raised while on hold": {
			&deskpb.Ticket{}, []string{"2026-03-11 09:00 open", "2026-03-11 10:00 hold", "2026-03-11 11:00 raise"}, "PAUSED counted 60"},
		"lowered to an hour after it was over, and raised again": {
			urgent(), []string{"2026-03-11 09:00 open", "2026-03-11 11:00 lower", "2026-03-11 11:30 raise"}, "RUNNING due 2026-03-11 14:30"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newClockStage(t, officePolicy())
			s.at(c.steps[0][:len("2026-03-11 09:00")])
			s.open(c.ticket)
			for _, step := range c.steps[1:] {
				s.step(step)
			}
			clock := s.clock(county, deskpb.Sla_RESOLUTION, "")
			got := clock.GetState().String()
			if clock.GetDueTime() != nil {
				got += " due " + local(clock.GetDueTime().AsTime())[:len("2006-01-02 15:04")]
			}
			if clock.GetSince() == nil {
				got += fmt.Sprintf(" counted %d", clock.GetCounted()/60)
			}
			if got != c.want {
				t.Errorf("the clock is %s, want %s", got, c.want)
			}
		})
	}
}

// TestClocksOfANewTicket has the county scheme: fault level 1 is answered at once and visited at once in working time, within
// an hour otherwise; level 2 is answered within 15 and visited within 60 minutes, level 3 within 30 and 120.
func TestClocksOfANewTicket(t *testing.T) {
	for name, c := range map[string]struct {
		opened string
		ticket *deskpb.Ticket
		want   []string
	}{
		"a call of the middle": {"2026-03-11 10:00", &deskpb.Ticket{}, []string{
			"RESPONSE RUNNING 15m0s due 2026-03-11 10:15:00",
			"RESOLUTION RUNNING 24h0m0s due 2026-03-12 10:00:00",
		}},
		"a minor fault with a visit before lunch": {"2026-03-11 11:00", &deskpb.Ticket{Impact: 3, Urgency: 3, Visit: true}, []string{
			"RESPONSE RUNNING 30m0s due 2026-03-11 11:30:00",
			"RESOLUTION RUNNING 120h0m0s due 2026-03-16 11:00:00",
			"ON_SITE RUNNING 2h0m0s due 2026-03-11 14:30:00",
		}},
		"an interruption in working time": {"2026-03-11 10:00", &deskpb.Ticket{Impact: 1, Urgency: 1, Visit: true, Kind: deskpb.Ticket_INCIDENT}, []string{
			"RESPONSE RUNNING 5m0s due 2026-03-11 10:05:00",
			"RESOLUTION RUNNING 4h0m0s due 2026-03-11 14:00:00",
			"UPDATE RUNNING 30m0s due 2026-03-11 10:30:00",
			"ON_SITE RUNNING 15m0s due 2026-03-11 10:15:00",
			"RESOLUTIONCOUNTY RUNNING 1h0m0s due 2026-03-11 11:00:00",
		}},
		"an interruption in the night": {"2026-03-11 22:00", &deskpb.Ticket{Impact: 1, Urgency: 1, Visit: true}, []string{
			"RESPONSE RUNNING 5m0s due 2026-03-11 22:05:00",
			"RESOLUTION RUNNING 4h0m0s due 2026-03-12 02:00:00",
			"UPDATE RUNNING 30m0s due 2026-03-11 22:30:00",
			"ON_SITE RUNNING 1h0m0s due 2026-03-11 23:00:00",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newClockStage(t, policy.Default())
			s.at(c.opened)
			if got, want := clocks(s.open(c.ticket)), strings.Join(c.want, "\n")+"\n"; got != want {
				t.Errorf("its clocks are\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestTheFirstAnswerEndsTheResponseClock(t *testing.T) {
	for verb, want := range map[string]deskpb.Sla_State{
		"start": deskpb.Sla_MET, "reply": deskpb.Sla_MET, "arrive": deskpb.Sla_MET, "resolve": deskpb.Sla_MET, "cancel": deskpb.Sla_MET,
		"note": deskpb.Sla_RUNNING, "hold": deskpb.Sla_RUNNING, "assign": deskpb.Sla_RUNNING, "urge": deskpb.Sla_RUNNING,
		"words of the requester": deskpb.Sla_RUNNING,
	} {
		t.Run(verb, func(t *testing.T) {
			s := newClockStage(t, policy.Default())
			s.at("2026-03-11 10:00")
			s.open(&deskpb.Ticket{})
			command := sampleCommand(verb)
			switch verb {
			case "arrive":
				command.Verb = &deskpb.TicketCommand_Arrive{Arrive: &deskpb.Arrive{Comment: "已到机房"}}
			case "words of the requester":
				command.Verb = &deskpb.TicketCommand_Reply{Reply: &deskpb.Reply{Text: "还是不行", FromRequester: true}}
			}
			s.do(county, command)
			if got := s.clock(county, deskpb.Sla_RESPONSE, "").GetState(); got != want {
				t.Errorf("after it the clock is %s, want %s", got, want)
			}
			answered := s.tree.office(county).records[s.number].GetTicket().GetRespondTime() != nil
			if answered != (want == deskpb.Sla_MET && verb != "cancel") {
				t.Errorf("that the requester was answered is %t", answered)
			}
		})
	}
}

// TestAReplyFromElsewhereAnswersNobody: only the custodian ends the clock, in one place for all.
func TestAReplyFromElsewhereAnswersNobody(t *testing.T) {
	s := newClockStage(t, policy.Default())
	s.at("2026-03-11 10:00")
	s.open(&deskpb.Ticket{})
	s.drain()
	s.do(city, sampleCommand("reply"))
	s.drain()
	if clock := s.clock(county, deskpb.Sla_RESPONSE, ""); clock.GetState() != deskpb.Sla_RUNNING {
		t.Errorf("after a reply of the city the clock is %s", clock.GetState())
	}
}

// TestEachTierHasItsShare follows an incident up and down: the clock of a tier counts while its site holds the ticket.
func TestEachTierHasItsShare(t *testing.T) {
	s := newClockStage(t, policy.Default())
	s.at("2026-03-11 10:00")
	s.open(&deskpb.Ticket{Kind: deskpb.Ticket_INCIDENT, Impact: 1, Urgency: 2}) // 8 h: the county 2 h, the city 4 h
	s.at("2026-03-11 10:30")
	s.do(county, escalateCommand(""))
	s.at("2026-03-11 10:40")
	s.do(county, dispatchTo(s.number, string(city)))
	away := s.clock(county, deskpb.Sla_RESOLUTION, county)
	if away.GetState() != deskpb.Sla_PAUSED || away.GetCounted() != 40*60 || away.GetDueTime() != nil {
		t.Errorf("on the way to the city the county's clock is %v", away)
	}
	s.at("2026-03-11 10:50")
	s.drain()
	arrived := s.clock(city, deskpb.Sla_RESOLUTION, city)
	if got := local(arrived.GetDueTime().AsTime()); arrived.GetTier() != "CITY" || got[:16] != "2026-03-11 14:50" {
		t.Errorf("the city's clock is due at %s: %v", got, arrived)
	}
	whole := s.clock(city, deskpb.Sla_RESOLUTION, "")
	if got := local(whole.GetDueTime().AsTime()); got != "2026-03-11 18:00:00" {
		t.Errorf("from end to end it is due at %s", got)
	}
	s.at("2026-03-11 12:00")
	s.do(city, sampleCommand("return"))
	s.drain()
	back := s.clock(county, deskpb.Sla_RESOLUTION, county)
	if got := local(back.GetDueTime().AsTime()); got[:16] != "2026-03-11 13:20" {
		t.Errorf("back at the county its clock is due at %s, want 80 minutes after it came back: %v", got, back)
	}
	s.at("2026-03-11 12:30")
	s.do(county, sampleCommand("resolve"))
	s.drain()
	for _, of := range []SiteID{"", county, city} {
		if clock := s.clock(province, deskpb.Sla_RESOLUTION, of); clock.GetState() != deskpb.Sla_MET || clock.GetEndTime() == nil {
			t.Errorf("after the solution the clock of %q is %v", of, clock)
		}
	}
	if err := s.tree.agree(s.number); err != nil {
		t.Error(err)
	}
}
