package policy

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// calendarOf makes a calendar of a name and dates: 20270101 for a day off, +20270102 for a working one.
func calendarOf(name, dates string) *deskpb.Calendar {
	c := &deskpb.Calendar{Name: name}
	for _, date := range strings.Fields(dates) {
		c.Dates = append(c.Dates, &deskpb.DateRule{Date: dateOf(strings.TrimPrefix(date, "+")), Working: strings.HasPrefix(date, "+")})
	}
	return c
}

// shop is a calendar of its own, with what is different on some dates.
func shop(weekday int32, dates string) *deskpb.Calendar {
	c := calendarOf("shop", dates)
	c.Shifts = []*deskpb.ZoneShift{{Offset: chinaOffset}}
	c.Weekdays = []*deskpb.Weekday{{Day: weekday, Segments: []*deskpb.Segment{{From: 0, To: 60}}}}
	return c
}

func TestACalendarThatSaysOnlyDatesAddsThem(t *testing.T) {
	for _, test := range []struct {
		name   string
		layers []*deskpb.Calendar // of the built-in policy, the top, and those below; nil for none
		want   string             // weekday and dates, empty for no calendar
	}{
		{"a new year", []*deskpb.Calendar{shop(1, "20260101"), calendarOf("shop", "20270101 +20270102")}, "1: 20260101 20270101 +20270102"},
		{"a date that was there", []*deskpb.Calendar{shop(1, "20260101 20260102"), calendarOf("shop", "+20260101")}, "1: +20260101 20260102"},
		{"a date before those", []*deskpb.Calendar{shop(1, "20260101"), calendarOf("shop", "20250101")}, "1: 20250101 20260101"},
		{"a whole calendar", []*deskpb.Calendar{shop(1, "20260101"), shop(2, "20270101")}, "2: 20270101"},
		{"no calendar above", []*deskpb.Calendar{nil, calendarOf("shop", "20270101")}, ""},
		{"below the top", []*deskpb.Calendar{nil, shop(1, "20260101"), calendarOf("shop", "20270101")}, "1: 20260101"},
		{"to a city's own one", []*deskpb.Calendar{nil, nil, shop(1, "20260101"), calendarOf("shop", "20270101")}, "1: 20260101 20270101"},
		{"instead of a city's own one", []*deskpb.Calendar{nil, nil, shop(1, "20260101"), shop(2, "")}, "2:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var layers, before []*deskpb.Policy
			for _, calendar := range test.layers {
				layer := &deskpb.Policy{}
				if calendar != nil {
					layer.Calendars = []*deskpb.Calendar{calendar}
				}
				layers, before = append(layers, layer), append(before, proto.CloneOf(layer))
			}
			if got := told(Calendar(Merge(layers...), "shop")); got != test.want {
				t.Errorf("the calendar is %q, want %q", got, test.want)
			}
			for i := range layers {
				if !proto.Equal(layers[i], before[i]) {
					t.Errorf("layer %d was changed to %v", i, layers[i])
				}
			}
		})
	}
}

// told says a calendar's weekday and dates in the words of the table.
func told(c *deskpb.Calendar) string {
	if c == nil {
		return ""
	}
	var said strings.Builder
	for _, weekday := range c.GetWeekdays() {
		fmt.Fprintf(&said, "%d:", weekday.GetDay())
	}
	for _, rule := range c.GetDates() {
		said.WriteString(" ")
		if rule.GetWorking() {
			said.WriteString("+")
		}
		fmt.Fprint(&said, rule.GetDate())
	}
	return said.String()
}
