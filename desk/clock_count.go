package desk

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/calendar"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// overdue is the mark of a clock whose whole target has passed.
const overdue = 100

// clockMarks are the shares of a target, in percent, of which people are told.
func clockMarks() []int32 { return []int32{50, 75, 90, overdue} }

// share returns the seconds of a target at which a mark is passed.
func share(target int64, mark int32) int64 { return target * int64(mark) / overdue }

// seconds turns seconds since 1970 into a time of the schema.
func seconds(at int64) *timestamppb.Timestamp { return &timestamppb.Timestamp{Seconds: at} }

// bring computes a clock as it is at the time of the change. anew is set when it has another target than before: marks that
// are behind it are passed then, without anybody being told.
func (c *clockChange) bring(clock *deskpb.Sla, anew bool) {
	over := c.over(clock.GetMetric())
	switch {
	case over && clock.GetEndTime() != nil:
	case clock.GetMetric() == deskpb.Sla_UPDATE:
		c.bringUpdate(clock, over)
	default:
		m := c.meter(clock)
		m.open = m.open || over // the time that an ended clock had left is shown as if it had gone on
		if anew {
			clock.Mark = m.passed(clock.GetTarget(), 0, c.at)
		}
		m.set(clock, over, c.at)
	}
}

// bringUpdate is bring for the clock of messages to the requester, which begins anew with each of them and when the ticket is
// reopened. Once a message was late, it stays breached.
func (c *clockChange) bringUpdate(clock *deskpb.Sla, over bool) {
	switch {
	case over:
		if c.at > clock.GetDueTime().GetSeconds() {
			clock.State = deskpb.Sla_BREACHED
		}
		if clock.State != deskpb.Sla_BREACHED {
			clock.State = deskpb.Sla_MET
		}
		clock.EndTime, clock.Since, clock.NextMarkTime = seconds(c.at), nil, nil
		return
	case clock.GetEndTime() != nil:
		clock.EndTime = nil
		restartUpdate(clock, c.at, 0)
	default:
		restartUpdate(clock, clock.GetSince().GetSeconds(), clock.GetMark())
	}
	if clock.State != deskpb.Sla_BREACHED {
		clock.State = deskpb.Sla_RUNNING
	}
}

// meter counts what one clock counts.
//
// Invariant: the stretches are in order, do not touch each other, and lie before the time at which the meter was made.
type meter struct {
	calendar  *deskpb.Calendar // nil for round the clock
	stretches []calendar.Stretch
	at        int64 // when the meter was made
	open      bool  // it counts on after that
}

// meter returns that of a clock, from the phases of the ticket. A calendar that the policy does not know any more is taken
// for one round the clock.
func (c *clockChange) meter(clock *deskpb.Sla) meter {
	m := meter{calendar: policy.Calendar(c.policy, clock.GetCalendar()), at: c.at}
	phases, start := c.next.GetPhases(), clock.GetStartTime().GetSeconds()
	for i, phase := range phases {
		from, to, last := max(start, phase.GetFrom()/second), c.at, i == len(phases)-1
		if !last {
			to = phases[i+1].GetFrom() / second
		}
		if !counts(clock, phase) || from >= to && !last {
			continue
		}
		if n := len(m.stretches); n > 0 && m.stretches[n-1].To == from {
			m.stretches[n-1].To = to
		} else {
			m.stretches = append(m.stretches, calendar.Stretch{From: from, To: to})
		}
		m.open = last
	}
	return m
}

// counts tells whether a clock counts in a phase of the ticket.
func counts(clock *deskpb.Sla, phase *deskpb.Phase) bool {
	switch {
	case !phase.GetOpen():
		return false
	case clock.GetMetric() == deskpb.Sla_RESPONSE:
		return true
	case phase.GetPaused():
		return false
	}
	return clock.GetSite() == "" || phase.GetSite() == clock.GetSite()
}

// total returns the seconds counted in the stretches.
func total(c *deskpb.Calendar, stretches []calendar.Stretch) (sum int64) {
	for _, stretch := range stretches {
		sum += calendar.Count(c, stretch.From, stretch.To)
	}
	return sum
}

// reach returns the earliest time by which so many seconds were counted. It tells false when the meter stands before that.
func (m meter) reach(count int64) (at int64, ok bool) {
	for _, stretch := range m.stretches {
		n := calendar.Count(m.calendar, stretch.From, stretch.To)
		if n >= count {
			return calendar.Due(m.calendar, stretch.From, count)
		}
		count -= n
	}
	if !m.open {
		return 0, false
	}
	return calendar.Due(m.calendar, m.at, count)
}

// markTime returns when a mark of a target is passed: the last one is when the due time is over.
func (m meter) markTime(target int64, mark int32) (at int64, ok bool) {
	at, ok = m.reach(share(target, mark))
	if mark == overdue {
		at++
	}
	return at, ok
}

// passed returns the highest mark that was passed at a time, at least the one that is known to be.
func (m meter) passed(target int64, known int32, at int64) int32 {
	for _, mark := range clockMarks() {
		if when, ok := m.markTime(target, mark); mark > known && ok && when <= at {
			known = mark
		}
	}
	return known
}

// set writes what the meter shows into a clock that is over or goes on.
func (m meter) set(clock *deskpb.Sla, over bool, at int64) {
	clock.DueTime, clock.Since, clock.EndTime, clock.NextMarkTime = nil, nil, nil, nil
	due, ok := m.reach(clock.GetTarget())
	if ok && m.open {
		clock.DueTime = seconds(due)
	}
	before := m.stretches
	switch {
	case over:
		clock.EndTime = seconds(at)
		clock.State = deskpb.Sla_MET
		if ok && at > due {
			clock.Mark = overdue
		}
	case m.open:
		since := before[len(before)-1].From
		before = before[:len(before)-1]
		clock.State, clock.Since = deskpb.Sla_RUNNING, clock.StartTime
		if since != clock.StartTime.GetSeconds() {
			clock.Since = seconds(since)
		}
		clock.NextMarkTime = m.nextMark(clock)
	default:
		clock.State = deskpb.Sla_PAUSED
	}
	clock.Counted = total(m.calendar, before)
	if clock.Mark == overdue {
		clock.State = deskpb.Sla_BREACHED
	}
}

// nextMark returns when the next mark of a clock is due, nil for never.
func (m meter) nextMark(clock *deskpb.Sla) *timestamppb.Timestamp {
	mark := markAfter(clock)
	if mark == 0 {
		return nil
	}
	at, ok := m.reach(share(clock.GetTarget(), mark))
	if !ok {
		return nil
	}
	return seconds(at)
}

// markAfter returns the mark that a clock passes next, 0 for none. The clock of messages passes the last one again and again.
func markAfter(clock *deskpb.Sla) int32 {
	const soon = 90
	if clock.GetMetric() == deskpb.Sla_UPDATE {
		if clock.GetMark() == soon {
			return overdue
		}
		return soon
	}
	for _, mark := range clockMarks() {
		if mark > clock.GetMark() {
			return mark
		}
	}
	return 0
}

// restartUpdate sets from when on the clock of messages counts, round the clock, and which mark it has passed since.
func restartUpdate(clock *deskpb.Sla, since int64, mark int32) {
	clock.Mark = mark
	clock.Since = seconds(since)
	clock.DueTime = seconds(since + clock.GetTarget())
	clock.NextMarkTime = seconds(since + share(clock.GetTarget(), markAfter(clock)))
}
