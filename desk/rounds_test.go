package desk

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// hangzhou works Monday to Friday, not on the holiday Thursday 2026-01-01, and on the make-up Sunday 2026-01-04.
func hangzhou() *deskpb.Calendar {
	hours := []*deskpb.Segment{{From: 9 * 60, To: 12 * 60}, {From: 13*60 + 30, To: 17*60 + 30}}
	c := &deskpb.Calendar{
		Name:   "office",
		Shifts: []*deskpb.ZoneShift{{Offset: beijing}},
		Dates: []*deskpb.DateRule{
			{Date: 20260101}, {Date: 20260102}, {Date: 20260104, Working: true, Segments: hours},
		},
	}
	for day := int32(1); day <= 5; day++ {
		c.Weekdays = append(c.Weekdays, &deskpb.Weekday{Day: day, Segments: hours})
	}
	return c
}

func roundPolicy(round *deskpb.Round) *deskpb.Policy {
	return &deskpb.Policy{Calendars: []*deskpb.Calendar{hangzhou()}, Rounds: []*deskpb.Round{round}}
}

// localTime is a time of day in Hangzhou in microseconds since 1970.
func localTime(t interface{ Fatal(...any) }, text string) int64 {
	at, err := time.ParseInLocation("2006-01-02 15:04", text, time.FixedZone("CST", int(beijing)))
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMicro()
}

func TestWhenARoundIsDue(t *testing.T) {
	for name, c := range map[string]struct {
		round *deskpb.Round
		after string
		want  []string
	}{
		"every day at half past eight": {
			&deskpb.Round{Unit: deskpb.Round_DAYS, Every: 1, First: 20251101, Minute: 8*60 + 30}, "2025-11-05 08:30",
			[]string{"2025-11-06 08:30", "2025-11-07 08:30", "2025-11-08 08:30"},
		},
		"before the first time": {
			&deskpb.Round{Unit: deskpb.Round_DAYS, Every: 1, First: 20251101, Minute: 8*60 + 30}, "2025-01-01 00:00",
			[]string{"2025-11-01 08:30"},
		},
		"every second week on a Wednesday": {
			&deskpb.Round{Unit: deskpb.Round_WEEKS, Every: 2, First: 20251105, Minute: 0}, "2025-11-05 00:00",
			[]string{"2025-11-19 00:00", "2025-12-03 00:00"},
		},
		"on the last day of short months": {
			&deskpb.Round{Unit: deskpb.Round_MONTHS, Every: 1, First: 20270131, Minute: 60}, "2027-01-31 01:00",
			[]string{"2027-02-28 01:00", "2027-03-31 01:00", "2027-04-30 01:00"},
		},
		"quarterly over the end of a year": {
			&deskpb.Round{Unit: deskpb.Round_MONTHS, Every: 3, First: 20251130, Minute: 60}, "2025-12-01 00:00",
			[]string{"2026-02-28 01:00", "2026-05-30 01:00"},
		},
		// New Year's Day and the Friday behind it are holidays, and the weekend's Sunday is worked instead.
		"a holiday moves it to the make-up day": {
			&deskpb.Round{Unit: deskpb.Round_WEEKS, Every: 1, First: 20251225, Minute: 9 * 60, Calendar: "office"}, "2025-12-25 09:00",
			[]string{"2026-01-04 09:00", "2026-01-08 09:00"},
		},
		"days without work come together on the next one with": {
			&deskpb.Round{Unit: deskpb.Round_DAYS, Every: 1, First: 20251105, Minute: 9 * 60, Calendar: "office"}, "2025-11-07 09:00",
			[]string{"2025-11-10 09:00", "2025-11-11 09:00"},
		},
		"never without a first day": {&deskpb.Round{Unit: deskpb.Round_DAYS, Every: 1}, "2025-11-07 09:00", []string{""}},
		"never without a distance":  {&deskpb.Round{Unit: deskpb.Round_DAYS, First: 20251105}, "2025-11-07 09:00", []string{""}},
		"never behind the year 9999": {
			&deskpb.Round{Unit: deskpb.Round_MONTHS, Every: 2_000_000_000, First: 20251105}, "2025-11-07 09:00", []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			p := roundPolicy(c.round)
			if c.round.Calendar == "" {
				c.round.Calendar = "zone"
				p.Calendars = append(p.Calendars, &deskpb.Calendar{Name: "zone", Always: true, Shifts: hangzhou().Shifts})
			}
			at := localTime(t, c.after)
			for _, want := range c.want {
				due := RoundDue(p, c.round, at)
				if want == "" {
					if due != 0 {
						t.Fatalf("it is due at %s, want never", moment(due))
					}
					return
				}
				if due != localTime(t, want) {
					t.Fatalf("after %s it is due at %s, want %s in Hangzhou", moment(at), moment(due), want)
				}
				at = due
			}
		})
	}
}

func TestTheLatestRoundCountsTheMissedOnes(t *testing.T) {
	round := &deskpb.Round{Unit: deskpb.Round_DAYS, Every: 1, First: 20251101, Minute: 9 * 60, Calendar: "office"}
	p := roundPolicy(round)
	for _, c := range []struct {
		after, now string
		latest     string
		missed     int
	}{
		{"2025-11-10 09:00", "2025-11-10 23:59", "", 0},
		{"2025-11-10 09:00", "2025-11-11 08:59", "", 0},
		{"2025-11-10 09:00", "2025-11-11 09:00", "2025-11-11 09:00", 0},
		{"2025-11-07 09:00", "2025-11-11 10:00", "2025-11-11 09:00", 1},
		{"2025-11-07 08:00", "2025-11-14 10:00", "2025-11-14 09:00", 5},
	} {
		latest, missed := RoundLatest(p, round, localTime(t, c.after), localTime(t, c.now))
		var want int64
		if c.latest != "" {
			want = localTime(t, c.latest)
		}
		if latest != want || missed != c.missed {
			t.Errorf("from %s to %s the latest is %s after %d missed ones, want %s after %d",
				c.after, c.now, moment(latest), missed, c.latest, c.missed)
		}
	}
}

func TestRoundsComeInOrderAndOnTheirMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 1500).Draw(t, "first"))
		round := &deskpb.Round{
			Unit: deskpb.Round_Unit(rapid.IntRange(0, 2).Draw(t, "unit")), Every: rapid.Int32Range(1, 40).Draw(t, "every"),
			First:  int32(day.Year()*10000 + int(day.Month())*100 + day.Day()),
			Minute: rapid.Int32Range(0, 1439).Draw(t, "minute"), Calendar: rapid.SampledFrom([]string{"office", ""}).Draw(t, "calendar"),
		}
		p := roundPolicy(round)
		after := localTime(t, "2024-12-31 00:00") + rapid.Int64Range(0, 1600*24*60).Draw(t, "after")*minute
		first := RoundDue(p, round, after)
		second := RoundDue(p, round, first)
		if first <= after || second <= first {
			t.Fatalf("after %s it is due at %s and then at %s", moment(after), moment(first), moment(second))
		}
		if latest, missed := RoundLatest(p, round, after, first); latest != first || missed != 0 {
			t.Fatalf("at its time the latest is %s after %d missed ones, want %s", moment(latest), missed, moment(first))
		}
		if latest, _ := RoundLatest(p, round, first, second-1); latest != 0 {
			t.Fatalf("between %s and %s it is due again at %s", moment(first), moment(second), moment(latest))
		}
	})
}

func TestARoundOpensItsTicketOnce(t *testing.T) {
	round := &deskpb.Round{
		Name: "机房", Title: &deskpb.Words{Zh: "机房巡检"}, Template: "机房巡检", Group: "运行组",
		Unit: deskpb.Round_DAYS, Every: 1, First: 20261101, Minute: 9 * 60, Calendar: "office",
	}
	o := newOffice(deskpb.Site_COUNTY, county)
	o.policy = roundPolicy(round)
	o.policy.Templates = []*deskpb.Template{{Name: "机房巡检", Checklist: "机房", Ticket: &deskpb.Ticket{Description: "每日"}}}
	o.policy.Checklists = []*deskpb.Checklist{{Name: "机房", Items: []*deskpb.ChecklistEntry{{Text: "温度", Required: true}}}}
	due := localTime(t, "2026-11-20 09:00")
	command := OpenRound(o.policy, round, due, 2)
	d, err := Decide(o.here, o, command, Stamp{Time: morning, UTCOffset: beijing})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.keep(d); err != nil {
		t.Fatal(err)
	}
	got := d.Record.GetTicket()
	if got.GetTitle() != "机房巡检 20261120" || got.GetRound() != "机房" || got.GetGroup() != "运行组" {
		t.Errorf("the ticket is %q of round %q for group %q", got.GetTitle(), got.GetRound(), got.GetGroup())
	}
	if !strings.Contains(got.GetDescription(), "每日") || !strings.Contains(got.GetDescription(), "2 times") {
		t.Errorf("the description %q lacks the template's or how many rounds were missed", got.GetDescription())
	}
	if items := got.GetChecklist(); len(items) != 1 || items[0].GetText() != "温度" || !items[0].GetRequired() {
		t.Errorf("the checklist is %v", items)
	}
	again, err := Decide(o.here, o, OpenRound(o.policy, round, due, 2), Stamp{Time: morning + minute, UTCOffset: beijing})
	if err != nil || len(again.Events) > 0 {
		t.Errorf("the same round again writes %d events, %v", len(again.Events), err)
	}
	command.Actor, command.Request = agent("lin"), nil
	if _, err := Decide(o.here, o, command, Stamp{Time: morning, UTCOffset: beijing}); reason(err) != "PERMISSION_DENIED" {
		t.Errorf("a person opens a round: %v", err)
	}
}
