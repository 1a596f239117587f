package desk

import (
	"cmp"
	"slices"
	"time"

	"github.com/tierdesk/tierdesk/desk/calendar"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Watch is a shift of a roster on the day on which it begins, with whom the roster puts on duty then. To is not in it.
type Watch struct {
	From, To time.Time
	People   []UserID
}

// Watches lists the shifts of a roster that begin on a day of some time and on the days after it, in the order in which they begin. Days
// are those of the roster's zone, and so are the times. What was said by hand of somebody's duty is not in them.
func Watches(p *deskpb.Policy, roster *deskpb.Roster, at time.Time, days int) []Watch {
	zone := rosterZone(p, roster)
	first := calendar.DayOf(zone, at.Unix())
	var found []Watch
	for day := first; day < first+calendar.Day(days); day++ {
		for _, shift := range roster.GetShifts() {
			from, to := shift.GetFrom(), endOf(shift)
			if !beginsOn(shift, day) {
				continue
			}
			watch := Watch{From: clockTime(zone, day, from), To: clockTime(zone, day+calendar.Day(to/minutesPerDay), to%minutesPerDay)}
			for _, user := range onShift(shift, day) {
				watch.People = append(watch.People, UserID(user))
			}
			found = append(found, watch)
		}
	}
	slices.SortStableFunc(found, func(a, b Watch) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	return found
}

// clockTime is a minute of a day, on the clocks of a calendar's zone.
func clockTime(zone *deskpb.Calendar, day calendar.Day, minute int32) time.Time {
	at := calendar.At(zone, day, minute)
	return time.Unix(at, 0).In(time.FixedZone("", int(calendar.Offset(zone, at))))
}
