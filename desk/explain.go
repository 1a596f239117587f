package desk

import (
	"fmt"
	"slices"
	"time"

	"github.com/tierdesk/tierdesk/desk/calendar"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// ClockStory shows how a clock came to what it shows.
type ClockStory struct {
	Clock *deskpb.Sla
	// Stretches cover the time from the beginning of the clock to its end, or to now, without gaps. Of a clock that is not of
	// messages, what they counted comes to what the clock has counted.
	Stretches []ClockStretch
}

// ClockStretch is a stretch of time in which the same held for a clock.
type ClockStretch struct {
	From, To int64 // seconds since 1970
	Counted  int64 // seconds
	State    string
	Reason   string
	Working  []calendar.Stretch // the working time in it that counted, at most maxWorking stretches
}

// What a stretch's State may be.
const (
	StretchRunning = "running"
	StretchPaused  = "paused"
	StretchStopped = "stopped"
)

// maxWorking bounds the working time that is shown of one stretch.
const maxWorking = 100

// Explain tells the story of each clock of a ticket up to now, in microseconds since 1970, from its record and its journal. It
// counts by the calendars of the policy.
func Explain(record *deskpb.Record, journal []JournalEntry, p *deskpb.Policy, now int64) []ClockStory {
	stories := make([]ClockStory, 0, len(record.GetTicket().GetSla()))
	for _, clock := range record.GetTicket().GetSla() {
		e := explanation{record: record, clock: clock, calendar: policy.Calendar(p, clock.GetCalendar())}
		e.read(journal)
		end := max(now/second, clock.GetStartTime().GetSeconds())
		if clock.GetEndTime() != nil {
			end = clock.GetEndTime().GetSeconds()
		}
		stories = append(stories, ClockStory{Clock: clock, Stretches: e.stretches(end)})
	}
	return stories
}

// explanation tells the story of one clock.
type explanation struct {
	record   *deskpb.Record
	clock    *deskpb.Sla
	calendar *deskpb.Calendar
	targets  []turn // what the target was from when on, in order
	messages []turn // of a clock of messages: when it began anew, and why
}

// turn is a time at which something changed, and what it is from then on, or was until then.
type turn struct {
	at    int64 // seconds since 1970
	words string
}

// read finds in the journal what changed the clock.
func (e *explanation) read(journal []JournalEntry) {
	update := e.clock.GetMetric() == deskpb.Sla_UPDATE
	for _, entry := range journal {
		event, at := entry.Event, entry.Event.GetTime()/second
		if update && event.GetType() == deskpb.Event_REPLIED && !event.GetBody().GetFromRequester() {
			e.messages = append(e.messages, turn{at, "told by " + event.GetActor()})
		}
		if entry.Superseded {
			continue
		}
		for _, clock := range slices.Concat(event.GetBody().GetClocks(), event.GetBody().GetOpened().GetTicket().GetSla()) {
			if !sameClock(clock, e.clock) {
				continue
			}
			words := fmt.Sprintf("%s: %s, %s", clock.GetRule(), time.Duration(clock.GetTarget())*time.Second, clock.GetCalendar())
			if n := len(e.targets); n == 0 || e.targets[n-1].words != words {
				e.targets = append(e.targets, turn{at, words})
			}
			if update && event.GetType() == deskpb.Event_CLOCK_PASSED && clock.GetMark() == overdue {
				e.messages = append(e.messages, turn{at, "nobody was told in time"})
			}
		}
	}
}

// stretches cuts the time of the clock wherever something changed, and puts neighbours together that say the same.
func (e *explanation) stretches(end int64) (stretches []ClockStretch) {
	cuts := e.cuts(end)
	for i, from := range cuts[:len(cuts)-1] {
		to := cuts[i+1]
		stretch := ClockStretch{From: from, To: to}
		stretch.State, stretch.Reason = e.state(from, to)
		if n := len(stretches); n > 0 && stretches[n-1].State == stretch.State && stretches[n-1].Reason == stretch.Reason {
			stretch.From = stretches[n-1].From
			stretches = stretches[:n-1]
		}
		stretches = append(stretches, stretch)
	}
	for i := range stretches {
		if s := &stretches[i]; s.State == StretchRunning {
			s.Counted = calendar.Count(e.calendar, s.From, s.To)
			s.Working = calendar.Stretches(e.calendar, s.From, s.To, maxWorking)
		}
	}
	return stretches
}

// cuts returns all times from the beginning of the clock to its end at which something changed, in order.
func (e *explanation) cuts(end int64) []int64 {
	begin := e.clock.GetStartTime().GetSeconds()
	cuts := []int64{begin, end}
	add := func(at int64) {
		if at > begin && at < end {
			cuts = append(cuts, at)
		}
	}
	for _, phase := range e.record.GetPhases() {
		add(phase.GetFrom() / second)
	}
	for _, turn := range slices.Concat(e.targets, e.messages) {
		add(turn.at)
	}
	slices.Sort(cuts)
	return slices.Compact(cuts)
}

// state tells what held for the clock from one cut to the next, and why.
func (e *explanation) state(from, to int64) (state, reason string) {
	phase := e.phase(from)
	switch {
	case counts(e.clock, phase) && e.clock.GetMetric() == deskpb.Sla_UPDATE:
		return StretchRunning, latest(e.messages, to, to)
	case counts(e.clock, phase):
		return StretchRunning, latest(e.targets, 0, from)
	case !phase.GetOpen():
		return StretchStopped, "the ticket was not open"
	case phase.GetPaused():
		return StretchPaused, e.hold(from)
	case phase.GetSite() == "":
		return StretchStopped, "the ticket was on its way"
	}
	return StretchStopped, "the ticket was with " + phase.GetSite()
}

// phase returns the phase of the ticket in a second.
func (e *explanation) phase(at int64) (found *deskpb.Phase) {
	for _, phase := range e.record.GetPhases() {
		if phase.GetFrom()/second <= at {
			found = phase
		}
	}
	return found
}

// hold returns why the ticket was on hold in a second.
func (e *explanation) hold(at int64) (reason string) {
	for _, pause := range e.record.GetPauses() {
		if pause.GetFrom()/second <= at {
			reason = pause.GetReason()
		}
	}
	return reason
}

// latest returns the words of the last turn between two times, both included.
func latest(turns []turn, from, to int64) (words string) {
	for _, turn := range turns {
		if turn.at >= from && turn.at <= to {
			words = turn.words
		}
	}
	return words
}
