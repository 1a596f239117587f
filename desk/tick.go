package desk

import (
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// timer is one kind of thing that time brings to a ticket at the site that holds it.
type timer struct {
	// next returns when it is due, in microseconds since 1970, 0 for never. It reads nothing but its arguments.
	next func(record *deskpb.Record, site SiteID) int64
	// do writes the events of what is due. Afterwards next returns a time after w.at.Time, or never.
	do func(w *writer) error
}

// timers lists all kinds, in the order in which those that are due together are carried out.
func timers() []timer {
	return []timer{
		{nextMark, (*writer).passMarks},
		{nextAcceptance, (*writer).missAcceptance},
		{nextReminder, (*writer).remind},
		{nextClosing, (*writer).closeByItself},
	}
}

// tick does whatever is due on the ticket, and refuses when nothing is.
func (w *writer) tick() error {
	before := len(w.events)
	for _, timer := range timers() {
		next := timer.next(w.record, w.here.Site)
		if next == 0 || next > w.at.Time || !w.holds() {
			continue
		}
		if err := timer.do(w); err != nil {
			return err
		}
	}
	if len(w.events) == before {
		return Refuse(FailedPrecondition, "NOT_DUE", "nothing is due on ticket %s now", w.number())
	}
	return nil
}

// NextTime returns when something is due on the ticket at a site, in microseconds since 1970, 0 for never. Only the site that
// holds the ticket does what time brings. After a tick it is later than the tick.
func NextTime(record *deskpb.Record, site SiteID) int64 {
	if !holds(Here{Site: site}, record) {
		return 0
	}
	var earliest int64
	for _, timer := range timers() {
		if next := timer.next(record, site); next != 0 && (earliest == 0 || next < earliest) {
			earliest = next
		}
	}
	return earliest
}
