package desk

import (
	"slices"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// Monday 2026-11-16 is in the week before the tests' morning.
const monday int32 = 20261116

func microsAt(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, time.FixedZone("CST", int(beijing)))
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMicro()
}

func TestRostersSayWhoIsOnDuty(t *testing.T) {
	day := &deskpb.Shift{Days: []int32{1, 2, 3, 4, 5}, From: 9 * 60, To: 17 * 60, People: []string{"li", "wang"}}
	night := &deskpb.Shift{Days: []int32{5}, From: 22 * 60, To: 6 * 60, People: []string{"zhao"}}
	turns := &deskpb.Shift{From: 0, To: minutesPerDay, People: []string{"li", "wang", "zhao"}, TurnsFrom: monday}
	nightTurns := &deskpb.Shift{From: 20 * 60, To: 8 * 60, People: []string{"li", "wang"}, TurnsFrom: monday}
	around := &deskpb.Shift{From: 8 * 60, To: 8 * 60, Days: []int32{6}, People: []string{"sun"}}
	for _, c := range []struct {
		name  string
		shift *deskpb.Shift
		at    string // in the calendar's zone, eight hours east of UTC
		want  []string
	}{
		{"the first minute of a shift", day, "2026-11-16 09:00", []string{"li", "wang"}},
		{"the last minute of a shift", day, "2026-11-16 16:59", []string{"li", "wang"}},
		{"the end of a shift is not in it", day, "2026-11-16 17:00", nil},
		{"a day that the shift does not name", day, "2026-11-21 10:00", nil},
		{"a night shift begins", night, "2026-11-20 22:00", []string{"zhao"}},
		{"a night shift goes on after midnight", night, "2026-11-21 05:59", []string{"zhao"}},
		{"a night shift ends", night, "2026-11-21 06:00", nil},
		{"a night shift of the day before is not named", night, "2026-11-20 05:00", nil},
		{"the first week is the first one's", turns, "2026-11-16 00:00", []string{"li"}},
		{"a week lasts through Sunday", turns, "2026-11-22 23:59", []string{"li"}},
		{"the second week is the second one's", turns, "2026-11-23 00:00", []string{"wang"}},
		{"turns begin again", turns, "2026-12-07 12:00", []string{"li"}},
		{"turns reach back before their beginning", turns, "2026-11-15 12:00", []string{"zhao"}},
		{"a night belongs to the week in which it began", nightTurns, "2026-11-23 07:59", []string{"li"}},
		{"the next night is the next one's", nightTurns, "2026-11-23 20:00", []string{"wang"}},
		{"a shift may last a whole day", around, "2026-11-22 07:59", []string{"sun"}},
		{"and no longer", around, "2026-11-22 08:00", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			roster := &deskpb.Roster{Name: "r", Shifts: []*deskpb.Shift{c.shift}}
			zone := policy.Calendar(policy.Default(), policy.OfficeTime)
			if got := rosteredAt(roster, zone, microsAt(t, c.at)); !slices.Equal(got, c.want) {
				t.Errorf("on duty at %s: %q, want %q", c.at, got, c.want)
			}
		})
	}
}

func TestAWordByHandCountsAsLongAsItHolds(t *testing.T) {
	o := newOffice(deskpb.Site_COUNTY, county)
	o.strangers = map[UserID]bool{"gone": true}
	o.members = map[string][]UserID{"h": {"chen", "li", "wang"}}
	o.policy.Rosters = []*deskpb.Roster{{Name: "r", Shifts: []*deskpb.Shift{{From: 0, To: minutesPerDay, People: []string{"li", "gone"}}}}}
	team := &deskpb.Team{Name: "g", Roster: "r", Members: []string{"li", "wang", "gone"}}
	free := &deskpb.Team{Name: "f", Members: []string{"li", "wang"}}
	for _, c := range []struct {
		name string
		team *deskpb.Team
		duty map[UserID]*deskpb.SetDuty
		want []UserID
	}{
		{"the roster alone", team, nil, []UserID{"li"}},
		{"without a roster everybody", free, nil, []UserID{"li", "wang"}},
		{"whose account names the group, behind those of the policy", &deskpb.Team{Name: "h", Members: []string{"wang"}}, nil, []UserID{"wang", "chen", "li"}},
		{"whose account names the group, by the roster", &deskpb.Team{Name: "h", Roster: "r"}, nil, []UserID{"li"}},
		{"who is off in spite of the roster", team, map[UserID]*deskpb.SetDuty{"li": {On: false}}, nil},
		{"who is on in spite of the roster", team, map[UserID]*deskpb.SetDuty{"wang": {On: true, Until: morning + 1}}, []UserID{"li", "wang"}},
		{"a word that has ended", team, map[UserID]*deskpb.SetDuty{"wang": {On: true, Until: morning}}, []UserID{"li"}},
		{"off without a roster", free, map[UserID]*deskpb.SetDuty{"li": {On: false, Until: morning + 1}}, []UserID{"wang"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o.duty = c.duty
			presences, err := Presences(o.policy, c.team, morning, o)
			if err != nil {
				t.Fatal(err)
			}
			var on []UserID
			for _, presence := range presences {
				if presence.User == "gone" {
					t.Error("somebody who is not of this site is listed")
				}
				if presence.On {
					on = append(on, presence.User)
				}
			}
			if !slices.Equal(on, c.want) {
				t.Errorf("on duty are %q, want %q", on, c.want)
			}
		})
	}
}
