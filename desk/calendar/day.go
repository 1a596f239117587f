package calendar

import (
	"slices"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Day is a local day of a calendar, counted from 1970-01-01. The day after day is day+1.
type Day int64

// DayOf returns the local day of a time.
func DayOf(c *deskpb.Calendar, at int64) Day {
	wall := at + Offset(c, at)
	day := wall / daySeconds
	if wall%daySeconds < 0 {
		day--
	}
	return Day(day)
}

// DayOn returns the day of a date as in deskpb.DateRule: year * 10000 + month * 100 + day. A date that no month has is that
// many days later.
func DayOn(date int32) Day {
	noon := time.Date(int(date/10000), time.Month(date/100%100), int(date%100), 0, 0, 0, 0, time.UTC)
	return Day(noon.Unix() / daySeconds)
}

// Date returns the date of the day as in deskpb.DateRule.
func (d Day) Date() int32 {
	year, month, day := time.Unix(int64(d)*daySeconds, 0).UTC().Date()
	return int32(year*10000 + int(month)*100 + day)
}

// Weekday returns 1 for Monday to 7 for Sunday.
func (d Day) Weekday() int32 {
	const thursday = 3 // 1970-01-01 was one, counted from Monday
	return int32(((int64(d)+thursday)%7+7)%7) + 1
}

// Minute returns the minute of its local day that a time lies in.
func Minute(c *deskpb.Calendar, at int64) int32 {
	return int32((at + Offset(c, at) - int64(DayOf(c, at))*daySeconds) / 60)
}

// At returns the time of a minute of a local day, 1440 for its end. A time of day that a change of the offset leaves out is
// the moment of the change; of one that comes twice it is the first.
func At(c *deskpb.Calendar, day Day, minute int32) int64 {
	wall := int64(day)*daySeconds + int64(minute)*60
	shifts := c.GetShifts()
	if len(shifts) == 0 {
		return wall
	}
	// No offset is as long as a day, so that a day before, in whatever offset, is early enough to begin.
	i := shift(shifts, wall-daySeconds)
	for ; i+1 < len(shifts); i++ {
		if shifts[i+1].GetFrom()+int64(shifts[i].GetOffset()) > wall {
			break
		}
	}
	at := wall - int64(shifts[i].GetOffset())
	if i > 0 {
		at = max(at, shifts[i].GetFrom())
	}
	return at
}

// Offset returns the seconds east of UTC at a time.
func Offset(c *deskpb.Calendar, at int64) int64 {
	shifts := c.GetShifts()
	if len(shifts) == 0 {
		return 0
	}
	return int64(shifts[shift(shifts, at)].GetOffset())
}

// shift returns the place of the offset that holds at a time; before the first one it holds as well.
func shift(shifts []*deskpb.ZoneShift, at int64) int {
	i, found := slices.BinarySearchFunc(shifts, at, func(s *deskpb.ZoneShift, at int64) int {
		switch {
		case s.GetFrom() < at:
			return -1
		case s.GetFrom() > at:
			return 1
		}
		return 0
	})
	if found || i == 0 {
		return i
	}
	return i - 1
}

// worksOn tells whether the calendar works on a local day at all.
func worksOn(c *deskpb.Calendar, day Day) bool { return always(c) || len(segments(c, day)) > 0 }

// NextWorkday returns the day itself when the calendar works on it, else the next one on which it does. It tells false
// when there is none within ten years.
func NextWorkday(c *deskpb.Calendar, day Day) (Day, bool) {
	for next := day; next <= day+maxDays; next++ {
		if worksOn(c, next) {
			return next, true
		}
	}
	return 0, false
}
