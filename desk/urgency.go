package desk

import "github.com/tierdesk/tierdesk/desk/deskpb"

// Urgency tells how a ticket, or one of its clocks, stands towards the times that it was promised.
type Urgency byte

// The urgencies, in order.
const (
	NotUrgent Urgency = iota
	DueSoon           // 即将超时: three quarters of the time are over
	Overdue           // 已超时: all of it is
)

// dueSoon is the mark of a clock from which on it is due soon.
const dueSoon = 75

// ClockUrgency tells how pressing a clock of a ticket is. A clock speaks for the ticket until it has ended, and that of a tier only while
// the ticket is there: who answered too late has nothing to hurry for any more. One that stands still is overdue when its time has run
// out, but never due soon.
func ClockUrgency(t *deskpb.Ticket, clock *deskpb.Sla) Urgency {
	elsewhere := clock.GetSite() != "" && clock.GetSite() != t.GetCustodianSite()
	switch {
	case clock.GetEndTime() != nil || elsewhere:
		return NotUrgent
	case clock.GetMark() >= overdue:
		return Overdue
	case clock.GetMark() >= dueSoon && clock.GetSince() != nil:
		return DueSoon
	}
	return NotUrgent
}

// TicketUrgency is that of the most pressing of a ticket's clocks.
func TicketUrgency(t *deskpb.Ticket) Urgency {
	most := NotUrgent
	for _, clock := range t.GetSla() {
		most = max(most, ClockUrgency(t, clock))
	}
	return most
}
