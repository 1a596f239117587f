package desk

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

func TestWatchesOfSomeDays(t *testing.T) {
	roster := &deskpb.Roster{Name: "r", Shifts: []*deskpb.Shift{
		{Days: []int32{6, 7}, From: 22 * 60, To: 6 * 60, People: []string{"zhao", "li"}, TurnsFrom: monday},
		{From: 8 * 60, To: 18 * 60, People: []string{"wang", "sun"}},
	}}
	want := []string{
		"2026-11-21 08:00 – 2026-11-21 18:00: wang sun",
		"2026-11-21 22:00 – 2026-11-22 06:00: zhao",
		"2026-11-22 08:00 – 2026-11-22 18:00: wang sun",
		"2026-11-22 22:00 – 2026-11-23 06:00: zhao",
		"2026-11-23 08:00 – 2026-11-23 18:00: wang sun",
	}
	// 2026-11-20 in the evening at Greenwich is Saturday the 21st here.
	var got []string
	for _, watch := range Watches(policy.Default(), roster, time.Date(2026, 11, 20, 17, 0, 0, 0, time.UTC), 3) {
		got = append(got, watch.From.Format("2006-01-02 15:04")+" – "+watch.To.Format("2006-01-02 15:04")+": "+strings.Join(texts(watch.People), " "))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the watches are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func texts(users []UserID) (all []string) {
	for _, user := range users {
		all = append(all, string(user))
	}
	return all
}

// At every minute those are on duty whose watch it is, and nobody else.
func TestWatchesTellWhoIsOnDuty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		roster := &deskpb.Roster{Name: "r"}
		for range rapid.IntRange(1, 4).Draw(t, "shifts") {
			shift := &deskpb.Shift{
				Days: rapid.SliceOfNDistinct(rapid.Int32Range(1, 7), 0, 7, rapid.ID).Draw(t, "days"),
				From: rapid.Int32Range(0, minutesPerDay-1).Draw(t, "from"), To: rapid.Int32Range(0, minutesPerDay).Draw(t, "to"),
				People: rapid.SliceOfN(rapid.SampledFrom([]string{"li", "wang", "zhao"}), 1, 3).Draw(t, "people"),
			}
			if rapid.Bool().Draw(t, "in turn") {
				shift.TurnsFrom = monday
			}
			roster.Shifts = append(roster.Shifts, shift)
		}
		p := policy.Default()
		at := time.Unix(rapid.Int64Range(1_790_000_000, 1_800_000_000).Draw(t, "at"), 0)
		var want []string
		for _, watch := range Watches(p, roster, at.AddDate(0, 0, -2), 4) {
			if !at.Before(watch.From) && at.Before(watch.To) {
				want = append(want, texts(watch.People)...)
			}
		}
		got := rosteredAt(roster, rosterZone(p, roster), at.UnixMicro())
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("at %s %q are on duty, and the watches say %q", at, got, want)
		}
	})
}
