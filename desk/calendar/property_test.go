package calendar

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// drawCalendar makes up a calendar of a week, some offsets and some dates around spring 2026.
func drawCalendar(t *rapid.T) *deskpb.Calendar {
	if rapid.IntRange(0, 9).Draw(t, "always") == 0 {
		return &deskpb.Calendar{Always: true}
	}
	c := &deskpb.Calendar{}
	for day := int32(1); day <= 7; day++ {
		if n := rapid.IntRange(0, 3).Draw(t, "segments"); n > 0 {
			c.Weekdays = append(c.Weekdays, &deskpb.Weekday{Day: day, Segments: drawSegments(t, n)})
		}
	}
	from := utc("2026-02-20 00:00")
	for range rapid.IntRange(0, 4).Draw(t, "shifts") {
		from += rapid.Int64Range(86400, 20*86400).Draw(t, "days on")
		c.Shifts = append(c.Shifts, &deskpb.ZoneShift{From: from, Offset: rapid.Int32Range(-5, 14).Draw(t, "offset") * 3600})
	}
	day := DayOn(20260220)
	for range rapid.IntRange(0, 10).Draw(t, "dates") {
		day += Day(rapid.IntRange(1, 9).Draw(t, "days on"))
		rule := &deskpb.DateRule{Date: day.Date(), Working: rapid.Bool().Draw(t, "working")}
		if rule.Working {
			rule.Segments = drawSegments(t, rapid.IntRange(0, 2).Draw(t, "segments"))
		}
		c.Dates = append(c.Dates, rule)
	}
	return c
}

// drawSegments makes up n segments of a day, in order.
func drawSegments(t *rapid.T, n int) []*deskpb.Segment {
	if n == 0 {
		return nil
	}
	length := int32(1440 / n)
	var minutes []int32
	for i := range int32(n) {
		from := rapid.Int32Range(0, length-1).Draw(t, "from")
		minutes = append(minutes, i*length+from, i*length+rapid.Int32Range(from+1, length).Draw(t, "to"))
	}
	return spans(minutes...)
}

func drawTime(t *rapid.T, label string) int64 {
	return rapid.Int64Range(utc("2026-02-15 00:00"), utc("2026-06-01 00:00")).Draw(t, label)
}

// TestCountIsAdditive holds for any way to cut a stretch of time: what counted and what did not are never negative, come to
// the whole, and more time never counts less.
func TestCountIsAdditive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCalendar(t)
		from, between, to := drawTime(t, "from"), drawTime(t, "between"), drawTime(t, "to")
		from, to = min(from, to), max(from, to)
		between = min(max(from, between), to)
		whole, first, second := Count(c, from, to), Count(c, from, between), Count(c, between, to)
		if first < 0 || second < 0 || first+second != whole {
			t.Fatalf("%d and %d seconds before and after %d are not the %d of the whole", first, second, between, whole)
		}
		if whole > to-from {
			t.Fatalf("%d seconds count in a stretch of %d", whole, to-from)
		}
		var listed int64
		for _, stretch := range Stretches(c, from, to, 1_000_000) {
			listed += stretch.To - stretch.From
		}
		if listed != whole {
			t.Fatalf("the stretches come to %d seconds, the count to %d", listed, whole)
		}
	})
}

// TestDueInvertsCount holds when a stretch of working time ends exactly when it has been counted, and not a second earlier.
func TestDueInvertsCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCalendar(t)
		from := drawTime(t, "from")
		seconds := rapid.Int64Range(1, 400*3600).Draw(t, "seconds")
		due, ok := Due(c, from, seconds)
		if !ok {
			if n := Count(c, from, from+maxDays*daySeconds); n >= seconds {
				t.Fatalf("%d of %d seconds have passed, and yet it is never due", n, seconds)
			}
			return
		}
		if got := Count(c, from, due); got != seconds {
			t.Fatalf("until it is due %d seconds have passed, not %d", got, seconds)
		}
		if got := Count(c, from, due-1); got != seconds-1 {
			t.Fatalf("a second before it is due %d of %d seconds have passed", got, seconds)
		}
	})
}

// TestAMinuteIsAtItsTime holds for every time of day that a zone has: the time of a local minute lies in that minute.
func TestAMinuteIsAtItsTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCalendar(t)
		at := drawTime(t, "time")
		first := At(c, DayOf(c, at), Minute(c, at))
		if first > at {
			t.Fatalf("the minute of %d begins later, at %d", at, first)
		}
		if DayOf(c, first) != DayOf(c, at) || Minute(c, first) != Minute(c, at) {
			t.Fatalf("the minute of %d is said to begin at %d, which lies in another one", at, first)
		}
	})
}

func BenchmarkDue(b *testing.B) {
	c := office()
	from := utc("2026-03-13 09:00")
	for name, hours := range map[string]int64{"four hours": 4, "fifteen days": 120, "a year": 1700} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := Due(c, from, hours*3600); !ok {
					b.Fatal("it is never due")
				}
			}
		})
	}
}
