package policy

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// mergeCalendars lays the calendars of a layer over those above it. One that says nothing but dates adds them to the calendar
// of its name, so that a new year's holidays do not repeat the rest; where there is none any more, it says nothing. Those
// that fixed names stay as they are.
func mergeCalendars(above, own []*deskpb.Calendar, fixed []string) []*deskpb.Calendar {
	merged := slices.Clone(above)
	for _, calendar := range own {
		i := slices.IndexFunc(merged, func(c *deskpb.Calendar) bool { return c.GetName() == calendar.GetName() })
		switch {
		case slices.Contains(fixed, calendar.GetName()):
		case calendar.GetRemoved():
			merged = slices.DeleteFunc(merged, func(c *deskpb.Calendar) bool { return c.GetName() == calendar.GetName() })
		case i >= 0 && onlyDates(calendar):
			merged[i] = withDates(merged[i], calendar.GetDates())
		case i >= 0:
			merged[i] = calendar
		case !onlyDates(calendar):
			merged = append(merged, calendar)
		}
	}
	return merged
}

// onlyDates tells whether a calendar says nothing but what is different on some dates.
func onlyDates(c *deskpb.Calendar) bool {
	return len(c.GetDates()) > 0 && !c.GetRemoved() && !c.GetAlways() && c.GetTitle() == nil && c.GetTimeZone() == "" && len(c.GetShifts()) == 0 &&
		len(c.GetWeekdays()) == 0
}

// withDates returns a calendar with more dates, in their order. What is added takes the place of what it says of a date.
func withDates(c *deskpb.Calendar, added []*deskpb.DateRule) *deskpb.Calendar {
	// The added ones stand first, so that the stable sort leaves them before those that they replace.
	dates := slices.Concat(added, c.GetDates())
	slices.SortStableFunc(dates, func(a, b *deskpb.DateRule) int { return cmp.Compare(a.GetDate(), b.GetDate()) })
	more := proto.CloneOf(c)
	more.Dates = slices.CompactFunc(dates, func(a, b *deskpb.DateRule) bool { return a.GetDate() == b.GetDate() })
	return more
}

// namesOf returns the names of calendars.
func namesOf(calendars []*deskpb.Calendar) []string {
	names := make([]string, len(calendars))
	for i, calendar := range calendars {
		names[i] = calendar.GetName()
	}
	return names
}
