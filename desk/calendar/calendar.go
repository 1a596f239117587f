// Package calendar counts working time: how much of it lies between two times, and when a stretch of it ends. It is pure: a
// calendar brings its own offsets from UTC along, so that every site counts the same. Times are whole seconds since 1970.
// A calendar that is nil works round the clock, like one that says so. The rules of desk call it, and whoever explains or
// previews what they counted.
package calendar

import (
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

const (
	daySeconds = 86400
	// maxDays bounds how far ahead working time is looked for: ten years.
	maxDays = 3653
)

// Count returns the seconds of working time from one time to another, 0 when the second is not later. It is additive: the
// counts of the parts of a stretch, however it is split, come to the count of the whole.
func Count(c *deskpb.Calendar, from, to int64) int64 {
	if always(c) {
		return max(0, to-from)
	}
	var sum int64
	walk(c, from, to, func(begin, end int64) bool {
		sum += end - begin
		return true
	})
	return sum
}

// Due returns the earliest time by which so many seconds of working time have passed since from. It tells false when that
// does not happen within ten years.
func Due(c *deskpb.Calendar, from, seconds int64) (due int64, ok bool) {
	if seconds <= 0 || always(c) {
		return from + max(0, seconds), true
	}
	walk(c, from, from+maxDays*daySeconds, func(begin, end int64) bool {
		due, ok = begin+seconds, seconds <= end-begin
		seconds -= end - begin
		return !ok
	})
	return due, ok
}

// Working tells whether the calendar works in the second that begins at a time.
func Working(c *deskpb.Calendar, at int64) bool { return Count(c, at, at+1) == 1 }

// Stretch is a stretch of working time, its end not included.
type Stretch struct{ From, To int64 }

// Stretches returns the working time between two times, in order, at most limit stretches of it.
func Stretches(c *deskpb.Calendar, from, to int64, limit int) (stretches []Stretch) {
	if always(c) {
		if from < to && limit > 0 {
			stretches = append(stretches, Stretch{from, to})
		}
		return stretches
	}
	walk(c, from, to, func(begin, end int64) bool {
		if last := len(stretches) - 1; last >= 0 && stretches[last].To == begin {
			stretches[last].To = end
			return true
		}
		if len(stretches) == limit {
			return false
		}
		stretches = append(stretches, Stretch{begin, end})
		return true
	})
	return stretches
}

// always tells whether the calendar works round the clock.
func always(c *deskpb.Calendar) bool { return c == nil || c.GetAlways() }

// walk shows the stretches of working time between two times, in order and none of them empty, until yield wants no more.
// It looks a day beyond the end, since clocks that are set back over midnight show a day before the one that has begun.
func walk(c *deskpb.Calendar, from, to int64, yield func(begin, end int64) bool) {
	if from >= to {
		return
	}
	for day, last := DayOf(c, from), DayOf(c, to)+1; day <= last; day++ {
		for _, segment := range segments(c, day) {
			begin := max(from, At(c, day, segment.GetFrom()))
			end := min(to, At(c, day, segment.GetTo()))
			if begin < end && !yield(begin, end) {
				return
			}
		}
	}
}

// segments returns the working time of a local day.
func segments(c *deskpb.Calendar, day Day) []*deskpb.Segment {
	rule := exception(c, day)
	switch {
	case rule == nil:
		return weekday(c, day.Weekday())
	case !rule.GetWorking():
		return nil
	case len(rule.GetSegments()) > 0:
		return rule.GetSegments()
	}
	for number := int32(1); number <= 7; number++ {
		if usual := weekday(c, number); len(usual) > 0 {
			return usual
		}
	}
	return nil
}

// weekday returns the working time of a day of the week.
func weekday(c *deskpb.Calendar, number int32) []*deskpb.Segment {
	for _, weekday := range c.GetWeekdays() {
		if weekday.GetDay() == number {
			return weekday.GetSegments()
		}
	}
	return nil
}

// exception returns what the calendar says of a date, nil when it is a day like others of the week.
func exception(c *deskpb.Calendar, day Day) *deskpb.DateRule {
	dates := c.GetDates()
	if len(dates) == 0 {
		return nil
	}
	i, found := slices.BinarySearchFunc(dates, day.Date(), func(rule *deskpb.DateRule, date int32) int {
		return int(rule.GetDate() - date)
	})
	if !found {
		return nil
	}
	return dates[i]
}
