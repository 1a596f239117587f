package policy

import (
	"slices"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// fullDay is a day in minutes.
const fullDay = 24 * 60

// calendars checks when time counts.
func (c *checker) calendars() {
	for i, calendar := range c.layer.GetCalendars() {
		path := at("calendars", i)
		if c.lower && Calendar(c.shared, calendar.GetName()) != nil {
			c.object(path, "calendar %q is the same at all offices; define one under another name", calendar.GetName())
		}
		c.dates(path+".dates", calendar.GetDates())
		if calendar.GetRemoved() || calendar.GetAlways() || onlyDates(calendar) && Calendar(c.above, calendar.GetName()) != nil {
			continue
		}
		if len(calendar.GetShifts()) == 0 {
			c.object(path, "calendar %q has no time zone; give one such as Asia/Shanghai, or always: true", calendar.GetName())
		}
		if !slices.IsSortedFunc(calendar.GetShifts(), func(a, b *deskpb.ZoneShift) int { return int(max(-1, min(1, a.GetFrom()-b.GetFrom()))) }) {
			c.object(path+".shifts", "they are not in the order of their times")
		}
		var days []int32
		working := false
		for j, weekday := range calendar.GetWeekdays() {
			at := at(path+".weekdays", j)
			c.level(at+".day", weekday.GetDay(), 7, false)
			if slices.Contains(days, weekday.GetDay()) {
				c.object(at, "the day is there twice")
			}
			days = append(days, weekday.GetDay())
			working = working || len(weekday.GetSegments()) > 0
			c.segments(at+".segments", weekday.GetSegments())
		}
		if !working {
			c.object(path, "calendar %q has no working time on any weekday; give some", calendar.GetName())
		}
	}
}

func (c *checker) dates(path string, rules []*deskpb.DateRule) {
	for i, rule := range rules {
		switch {
		case !isDate(rule.GetDate()):
			c.object(at(path, i), "%d is no date", rule.GetDate())
		case i > 0 && rule.GetDate() <= rules[i-1].GetDate():
			c.object(at(path, i), "the dates are not in order, or one is there twice")
		case !rule.GetWorking() && len(rule.GetSegments()) > 0:
			c.object(at(path, i), "a day with working time needs working: true")
		}
		c.segments(at(path, i)+".segments", rule.GetSegments())
	}
}

// segments objects to segments of a day that overlap or leave the day.
func (c *checker) segments(path string, segments []*deskpb.Segment) {
	end := int32(0)
	for i, segment := range segments {
		if segment.GetFrom() < end || segment.GetTo() <= segment.GetFrom() || segment.GetTo() > fullDay {
			c.object(at(path, i), "the segments of a day are in order, do not overlap and end at 24:00 at the latest")
		}
		end = segment.GetTo()
	}
}

// people checks groups and who is on duty.
func (c *checker) people() {
	for i, group := range c.layer.GetGroups() {
		c.notNegative(at("groups", i)+".accept_within", group.GetAcceptWithin())
	}
	for i, roster := range c.layer.GetRosters() {
		path := at("rosters", i)
		if !roster.GetRemoved() {
			c.zone(path, "roster", roster.GetName(), roster.GetCalendar())
		}
		for j, shift := range roster.GetShifts() {
			at := at(path+".shifts", j)
			for _, day := range shift.GetDays() {
				c.level(at+".days", day, 7, false)
			}
			if shift.GetFrom() < 0 || shift.GetFrom() >= fullDay || shift.GetTo() < 0 || shift.GetTo() > fullDay || shift.GetFrom() == shift.GetTo() {
				c.object(at, "a shift begins and ends at different times between 00:00 and 24:00")
			}
			if len(shift.GetPeople()) == 0 {
				c.object(at, "nobody is on duty; name people")
			}
			if from := shift.GetTurnsFrom(); from != 0 && (!isDate(from) || weekdayOf(from) != time.Monday) {
				c.object(at+".turns_from", "%d is no Monday", from)
			}
		}
	}
}

// zone objects to a calendar from which something that is named takes no time zone.
func (c *checker) zone(path, what, name, calendar string) {
	switch known := Calendar(c.merged, calendar); {
	case calendar == "":
		c.object(path, "%s %q names no calendar, which gives its time zone; name one such as %s", what, name, OfficeTime)
	case known != nil && len(known.GetShifts()) == 0:
		c.object(path+".calendar", "calendar %q has no time zone, and %s %q needs one; give the calendar one", calendar, what, name)
	}
}

// isDate tells whether a number is a date as in DateRule.date.
func isDate(date int32) bool {
	back := dateNumber(dayOf(date))
	return date >= 1000_01_01 && date <= 9999_12_31 && back == date
}

func dayOf(date int32) time.Time {
	return time.Date(int(date/10000), time.Month(date/100%100), int(date%100), 0, 0, 0, 0, time.UTC)
}

func weekdayOf(date int32) time.Weekday { return dayOf(date).Weekday() }

func dateNumber(day time.Time) int32 {
	return int32(day.Year()*10000 + int(day.Month())*100 + day.Day())
}
