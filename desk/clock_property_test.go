package desk

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/calendar"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// TestCountedAndPausedAreElapsed lets people work on a ticket as they like and holds the clock of its solution against a
// second count: whatever time of the calendar has gone by since the opening was either counted or stood still.
func TestCountedAndPausedAreElapsed(test *testing.T) {
	rapid.Check(test, func(t *rapid.T) {
		s := newClockStage(test, officePolicy())
		s.tree.now = officeTime(test, "2026-02-10 08:00") + rapid.Int64Range(0, 30*86400).Draw(t, "opened")*second + rapid.Int64Range(0, second-1).Draw(t, "fraction")
		s.open(&deskpb.Ticket{})
		office := policy.Calendar(s.tree.office(county).policy, policy.OfficeTime)
		opened := s.clock(county, deskpb.Sla_RESOLUTION, "").GetStartTime().GetSeconds()
		var counted, stood int64
		last, ran := opened, true
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			s.tree.now += rapid.Int64Range(0, 3*86400*second).Draw(t, "wait")
			s.tryAny(t)
			clock := s.clock(county, deskpb.Sla_RESOLUTION, "")
			now := s.tree.now / second
			n := calendar.Count(office, last, now)
			if ran {
				counted += n
			} else {
				stood += n
			}
			last, ran = now, clock.GetSince() != nil
			shown := clock.GetCounted()
			if ran {
				shown += calendar.Count(office, clock.GetSince().GetSeconds(), now)
			}
			if shown != counted || clock.GetCounted() < 0 {
				t.Fatalf("the clock shows %d seconds, %d were counted beside it: %v", shown, counted, clock)
			}
			if elapsed := calendar.Count(office, opened, now); counted+stood != elapsed {
				t.Fatalf("%d seconds counted and %d paused are not the %d that have gone by", counted, stood, elapsed)
			}
			s.checkDue(t, office, clock, now)
		}
		s.settleClocks(t)
	})
}

// tryAny does something at the county, if it can be done now.
func (s clockStage) tryAny(t *rapid.T) {
	verb := rapid.SampledFrom([]string{"hold", "resume", "start", "resolve", "reopen", "raise", "lower", "reply", "note", "tick"}).Draw(t, "verb")
	command := sampleCommand(verb)
	switch verb {
	case "raise":
		command = classifyCommand(&deskpb.Ticket{Impact: 1, Urgency: 1}, "impact", "urgency")
	case "lower":
		command = classifyCommand(&deskpb.Ticket{Impact: 3, Urgency: 3}, "impact", "urgency")
	case "tick":
		command = tickCommand(s.number)
	}
	if command.GetActor() == nil {
		command = by(agent("lin"), s.number, command)
	}
	_, err := s.tree.do(county, command)
	if err == nil && verb == "tick" {
		if next := NextTime(s.tree.office(county).records[s.number], county); next != 0 && next <= s.tree.now {
			t.Fatalf("after a tick at %s something is due at %s", moment(s.tree.now), moment(next))
		}
	}
}

// checkDue holds when a clock that runs and is not over is due exactly when the rest of its target has passed.
func (s clockStage) checkDue(t *rapid.T, c *deskpb.Calendar, clock *deskpb.Sla, now int64) {
	if clock.GetSince() == nil || clock.GetDueTime().GetSeconds() < now {
		return
	}
	rest := calendar.Count(c, now, clock.GetDueTime().GetSeconds())
	done := clock.GetCounted() + calendar.Count(c, clock.GetSince().GetSeconds(), now)
	if done+rest != clock.GetTarget() {
		t.Fatalf("%d seconds are counted and %d are left until the due time, of a target of %d", done, rest, clock.GetTarget())
	}
}

// settleClocks holds when every site shows the same clocks as the owner.
func (s clockStage) settleClocks(t *rapid.T) {
	if err := s.tree.drain(); err != nil {
		t.Fatal(err)
	}
	if err := s.tree.agree(s.number); err != nil {
		t.Fatal(err)
	}
}

// TestTicksComeToRest lets time do all that it has to do on a ticket that nobody touches: each tick is later than the one
// before, and has an effect.
func TestTicksComeToRest(test *testing.T) {
	rapid.Check(test, func(t *rapid.T) {
		s := newClockStage(test, policy.Default())
		s.tree.now = officeTime(test, "2026-02-10 08:00") + rapid.Int64Range(0, 30*86400).Draw(t, "opened")*second
		s.open(&deskpb.Ticket{
			Impact: rapid.Int32Range(1, 3).Draw(t, "impact"), Urgency: rapid.Int32Range(1, 3).Draw(t, "urgency"),
			Major: rapid.Bool().Draw(t, "major"), Visit: rapid.Bool().Draw(t, "visit"),
		})
		until := s.tree.now + 10*86400*second
		for ticks := 0; ; ticks++ {
			next := NextTime(s.tree.office(county).records[s.number], county)
			if next == 0 || next > until {
				return
			}
			if ticks > 5000 {
				t.Fatal("time has ever more to do")
			}
			if next <= s.tree.now {
				t.Fatalf("at %s something is due at %s", moment(s.tree.now), moment(next))
			}
			s.tree.now = next - second
			if _, err := s.tree.do(county, tickCommand(s.number)); err != nil {
				t.Fatalf("a tick at %s: %v", moment(next), err)
			}
		}
	})
}
