package calendar

import (
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// office works Monday to Friday from 09:00 to 12:00 and from 13:30 to 17:30, seven hours a day, in China. Its exceptions are
// those of the State Council's notice for 2026 on the Spring Festival (holiday from February 15 to 23, make-up working days
// on Saturday, February 14 and 28) and the National Day (holiday from October 1 to 7, make-up working days on Sunday,
// September 20 and Saturday, October 10).
func office() *deskpb.Calendar {
	c := &deskpb.Calendar{Name: "office", TimeZone: "Asia/Shanghai", Shifts: []*deskpb.ZoneShift{{Offset: 8 * 3600}}}
	for day := int32(1); day <= 5; day++ {
		c.Weekdays = append(c.Weekdays, &deskpb.Weekday{Day: day, Segments: spans(9*60, 12*60, 13*60+30, 17*60+30)})
	}
	makeUp := func(date int32) { c.Dates = append(c.Dates, &deskpb.DateRule{Date: date, Working: true}) }
	holidays := func(from, to int32) {
		for date := from; date <= to; date++ {
			c.Dates = append(c.Dates, &deskpb.DateRule{Date: date})
		}
	}
	makeUp(20260214)
	holidays(20260215, 20260223)
	makeUp(20260228)
	makeUp(20260920)
	holidays(20261001, 20261007)
	makeUp(20261010)
	return c
}

// nights works every night from 22:00 to 06:00 in Germany, whose clocks went forward on 2026-03-29 at 02:00 and go back on
// 2026-10-25 at 03:00 (both at 01:00 UTC, Directive 2000/84/EC).
func nights() *deskpb.Calendar {
	c := &deskpb.Calendar{Name: "nights", TimeZone: "Europe/Berlin", Shifts: []*deskpb.ZoneShift{
		{From: utc("2025-10-26 01:00"), Offset: 3600},
		{From: utc("2026-03-29 01:00"), Offset: 7200},
		{From: utc("2026-10-25 01:00"), Offset: 3600},
	}}
	for day := int32(1); day <= 7; day++ {
		c.Weekdays = append(c.Weekdays, &deskpb.Weekday{Day: day, Segments: spans(0, 6*60, 22*60, 24*60)})
	}
	return c
}

// spans makes segments of pairs of minutes.
func spans(minutes ...int32) (segments []*deskpb.Segment) {
	for i := 0; i < len(minutes); i += 2 {
		segments = append(segments, &deskpb.Segment{From: minutes[i], To: minutes[i+1]})
	}
	return segments
}

func utc(text string) int64 { return in(time.UTC, text) }

// in reads a time of the zone, with seconds or without.
func in(zone *time.Location, text string) int64 {
	layout := "2006-01-02 15:04:05"
	at, err := time.ParseInLocation(layout[:len(text)], text, zone)
	if err != nil {
		panic(err)
	}
	return at.Unix()
}

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// TestWorkedByHand holds the count against stretches whose working time was added up by hand; the sum stands in the name.
func TestWorkedByHand(t *testing.T) {
	const hour = 3600
	shanghai, berlin := location(t, "Asia/Shanghai"), location(t, "Europe/Berlin")
	round := &deskpb.Calendar{Name: "7x24", Always: true}
	for name, c := range map[string]struct {
		calendar *deskpb.Calendar
		zone     *time.Location
		from, to string
		want     int64
	}{
		"a morning: 3 h": {office(), shanghai, "2026-03-11 09:00", "2026-03-11 12:00", 3 * hour},
		"lunch counts nothing: 11:00 to 14:00 is 1 h + 0:30": {office(), shanghai, "2026-03-11 11:00", "2026-03-11 14:00", hour + hour/2},
		"lunch alone: 0":                                                                   {office(), shanghai, "2026-03-11 12:00", "2026-03-11 13:30", 0},
		"before and after work: the day's 7 h":                                             {office(), shanghai, "2026-03-11 00:00", "2026-03-12 00:00", 7 * hour},
		"over midnight: 0:30 of the one day and 1 h of the next":                           {office(), shanghai, "2026-03-11 17:00", "2026-03-12 10:00", hour + hour/2},
		"a weekend: Friday 0:30 and Monday 0:30":                                           {office(), shanghai, "2026-03-13 17:00", "2026-03-16 09:30", hour},
		"a weekend alone: 0":                                                               {office(), shanghai, "2026-03-14 00:00", "2026-03-16 00:00", 0},
		"a make-up Saturday works like a Monday: 7 h":                                      {office(), shanghai, "2026-02-14 00:00", "2026-02-15 00:00", 7 * hour},
		"Spring Festival: 1 h on Saturday 14th and 1 h on Tuesday 24th":                    {office(), shanghai, "2026-02-14 16:30", "2026-02-24 10:00", 2 * hour},
		"a make-up Sunday: 7 h":                                                            {office(), shanghai, "2026-09-20 08:00", "2026-09-20 20:00", 7 * hour},
		"National Day: Wednesday 1 h, Thursday 8th 7 h, Friday 9th 7 h, Saturday 10th 7 h": {office(), shanghai, "2026-09-30 16:30", "2026-10-11 00:00", 22 * hour},
		"the last minute of the day":                                                       {office(), shanghai, "2026-03-11 17:29", "2026-03-11 17:31", 60},
		"the first minute of the day":                                                      {office(), shanghai, "2026-03-11 08:59", "2026-03-11 09:01", 60},
		"the last second of the morning":                                                   {office(), shanghai, "2026-03-11 11:59:59", "2026-03-11 12:00:01", 1},
		"nothing at all":                                                                   {office(), shanghai, "2026-03-11 10:00", "2026-03-11 10:00", 0},
		"backwards: 0":                                                                     {office(), shanghai, "2026-03-11 11:00", "2026-03-11 10:00", 0},
		"round the clock: a weekend has 48 h":                                              {round, shanghai, "2026-03-14 00:00", "2026-03-16 00:00", 48 * hour},
		"no calendar is round the clock":                                                   {nil, shanghai, "2026-03-14 00:00", "2026-03-16 00:00", 48 * hour},
		"a usual night: 8 h":                                                               {nights(), berlin, "2026-03-27 12:00", "2026-03-28 12:00", 8 * hour},
		"the night in which 02:00 to 03:00 is missing: 7 h":                                {nights(), berlin, "2026-03-28 12:00", "2026-03-29 12:00", 7 * hour},
		"the night in which 02:00 to 03:00 comes twice: 9 h":                               {nights(), berlin, "2026-10-24 12:00", "2026-10-25 12:00", 9 * hour},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Count(c.calendar, in(c.zone, c.from), in(c.zone, c.to)); got != c.want {
				t.Errorf("from %s to %s there are %v of working time, want %v", c.from, c.to,
					time.Duration(got)*time.Second, time.Duration(c.want)*time.Second)
			}
		})
	}
}

func TestDueWorkedByHand(t *testing.T) {
	const minute = 60
	shanghai, berlin := location(t, "Asia/Shanghai"), location(t, "Europe/Berlin")
	for name, c := range map[string]struct {
		calendar *deskpb.Calendar
		zone     *time.Location
		from     string
		minutes  int64
		want     string
	}{
		"within the morning": {office(), shanghai, "2026-03-11 09:30", 60, "2026-03-11 10:30"},
		"over lunch":         {office(), shanghai, "2026-03-11 11:30", 60, "2026-03-11 14:00"},
		"exactly at the end of the morning, not after lunch": {office(), shanghai, "2026-03-11 11:00", 60, "2026-03-11 12:00"},
		"a minute more is after lunch":                       {office(), shanghai, "2026-03-11 11:00", 61, "2026-03-11 13:31"},
		"over the night":                                     {office(), shanghai, "2026-03-11 17:00", 60, "2026-03-12 09:30"},
		"from before work":                                   {office(), shanghai, "2026-03-11 03:00", 60, "2026-03-11 10:00"},
		"over a weekend":                                     {office(), shanghai, "2026-03-13 17:00", 120, "2026-03-16 10:30"},
		"from a Friday evening to a make-up Saturday":        {office(), shanghai, "2026-02-13 20:00", 60, "2026-02-14 10:00"},
		"over the Spring Festival":                           {office(), shanghai, "2026-02-14 17:00", 60, "2026-02-24 09:30"},
		"over two weeks of 35 h":                             {office(), shanghai, "2026-03-02 09:00", 70 * 60, "2026-03-13 17:30"},
		"no time is due at once":                             {office(), shanghai, "2026-03-14 03:00", 0, "2026-03-14 03:00"},
		"through the missing hour: 01:30 and two hours":      {nights(), berlin, "2026-03-29 01:30", 120, "2026-03-29 04:30"},
		"through the doubled hour: 01:30 and two hours":      {nights(), berlin, "2026-10-25 01:30", 150, "2026-10-25 03:00"},
		"round the clock, a year ahead":                      {nil, shanghai, "2026-03-11 09:00", 365 * 24 * 60, "2027-03-11 09:00"},
	} {
		t.Run(name, func(t *testing.T) {
			due, ok := Due(c.calendar, in(c.zone, c.from), c.minutes*minute)
			if got := time.Unix(due, 0).In(c.zone).Format("2006-01-02 15:04"); !ok || got != c.want {
				t.Errorf("%d minutes from %s are due at %s (%t), want %s", c.minutes, c.from, got, ok, c.want)
			}
		})
	}
}

func TestACalendarWithoutWorkingTimeIsNeverDue(t *testing.T) {
	idle := &deskpb.Calendar{Name: "idle"}
	if due, ok := Due(idle, utc("2026-03-11 09:00"), 1); ok {
		t.Errorf("a calendar without working time is due at %d", due)
	}
	if next, ok := NextWorkday(idle, DayOn(20260311)); ok {
		t.Errorf("a calendar without working time works on %d", next.Date())
	}
}

func TestStretchesAreThoseThatCount(t *testing.T) {
	shanghai := location(t, "Asia/Shanghai")
	from, to := in(shanghai, "2026-03-13 11:00"), in(shanghai, "2026-03-16 10:00")
	want := []Stretch{
		{from, in(shanghai, "2026-03-13 12:00")},
		{in(shanghai, "2026-03-13 13:30"), in(shanghai, "2026-03-13 17:30")},
		{in(shanghai, "2026-03-16 09:00"), to},
	}
	for limit := range len(want) + 2 {
		got := Stretches(office(), from, to, limit)
		if len(got) != min(limit, len(want)) {
			t.Fatalf("with a limit of %d there are %d stretches: %v", limit, len(got), got)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("stretch %d is %v, want %v", i, got[i], want[i])
			}
		}
	}
	night := Stretches(nights(), utc("2026-03-10 12:00"), utc("2026-03-11 12:00"), 10)
	if len(night) != 1 || night[0].To-night[0].From != 8*3600 {
		t.Errorf("a night over midnight is %v, want one stretch of eight hours", night)
	}
}

func TestDaysAndTimesOfDay(t *testing.T) {
	shanghai := location(t, "Asia/Shanghai")
	at := in(shanghai, "2026-03-11 23:59:59")
	day := DayOf(office(), at)
	if day.Date() != 20260311 || day.Weekday() != 3 || DayOn(20260311) != day || Minute(office(), at) != 23*60+59 {
		t.Errorf("the last second of Wednesday 2026-03-11 lies on weekday %d, %d, in minute %d", day.Weekday(), day.Date(), Minute(office(), at))
	}
	if next := DayOf(office(), at+1); next != day+1 {
		t.Errorf("a second later it is %d", next.Date())
	}
	if moved, ok := NextWorkday(office(), DayOn(20260215)); !ok || moved.Date() != 20260224 {
		t.Errorf("after 2026-02-15 the next working day is %d", moved.Date())
	}
}

// TestTimesOfDayAroundAChange: one that is left out is the moment of the change, of one that comes twice it is the first.
func TestTimesOfDayAroundAChange(t *testing.T) {
	for name, c := range map[string]struct {
		date, minute int32
		want         string
	}{
		"before the missing hour": {20260329, 119, "2026-03-29 00:59"},
		"in the missing hour":     {20260329, 150, "2026-03-29 01:00"},
		"after the missing hour":  {20260329, 181, "2026-03-29 01:01"},
		"in the doubled hour":     {20261025, 150, "2026-10-25 00:30"},
		"after the doubled hour":  {20261025, 180, "2026-10-25 02:00"},
		"before all offsets":      {20200101, 0, "2019-12-31 23:00"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := At(nights(), DayOn(c.date), c.minute); got != utc(c.want) {
				t.Errorf("minute %d of %d is %s, want %s", c.minute, c.date, time.Unix(got, 0).UTC().Format("2006-01-02 15:04"), c.want)
			}
		})
	}
}

// TestClocksSetBackOverMidnight: at the end of Saturday, 2026-04-04, a zone goes from two hours ahead to one, so that it
// is Saturday for an hour more. Sunday's work begins with Sunday, and counts on from there.
func TestClocksSetBackOverMidnight(t *testing.T) {
	c := &deskpb.Calendar{
		Shifts:   []*deskpb.ZoneShift{{From: utc("2026-01-01 00:00"), Offset: 7200}, {From: utc("2026-04-04 22:30"), Offset: 3600}},
		Weekdays: []*deskpb.Weekday{{Day: 7, Segments: spans(0, 60)}},
	}
	// It becomes Sunday at 22:00 UTC, Saturday again at 22:30, and Sunday 01:00 comes at 00:00 UTC.
	if got := Count(c, utc("2026-04-04 12:00"), utc("2026-04-04 22:45")); got != 45*60 {
		t.Errorf("until a quarter into the hour that comes again %d seconds count, want 45 minutes", got)
	}
	if got := Count(c, utc("2026-04-04 12:00"), utc("2026-04-05 12:00")); got != 2*3600 {
		t.Errorf("in all %d seconds count, want two hours", got)
	}
}

// TestLocalTimesAreThoseOfTheZone holds the offsets of a calendar against the zone that they were taken from.
func TestLocalTimesAreThoseOfTheZone(t *testing.T) {
	berlin := location(t, "Europe/Berlin")
	for at := utc("2025-12-01 00:00"); at < utc("2026-12-01 00:00"); at += 1800 {
		year, month, day := time.Unix(at, 0).In(berlin).Date()
		date := int32(year*10000 + int(month)*100 + day)
		if got := DayOf(nights(), at).Date(); got != date {
			t.Fatalf("%d lies on %d, want %d", at, got, date)
		}
		wall := time.Unix(at, 0).In(berlin)
		if got := Minute(nights(), at); got != int32(wall.Hour()*60+wall.Minute()) {
			t.Fatalf("%s lies in minute %d", wall, got)
		}
	}
}
