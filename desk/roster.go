package desk

import (
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk/calendar"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

const minutesPerDay = 24 * 60

// Roll is what a site knows of its people.
type Roll interface {
	// Person tells whether somebody with the name signs in at this site.
	Person(user UserID) (bool, error)
	// DisplayName returns how somebody who works at this site is called, empty for a requester, for who has no other name than that of
	// the account, and for a stranger.
	DisplayName(user UserID) (string, error)
	// Duty returns what was last said by hand of a person's duty, nil when nothing was.
	Duty(user UserID) (*deskpb.SetDuty, error)
	// Members lists those who work on tickets here and whose accounts name a group, sorted. They belong to it as those do whom its
	// policy names.
	Members(group string) ([]UserID, error)
}

// Presence tells whether a member of a group is on duty at a time.
type Presence struct {
	User UserID
	On   bool
	// ByHand is set when somebody said so, against the roster or in its place; Until is then the end of that, in
	// microseconds since 1970, 0 for none.
	ByHand bool
	Until  int64
}

// Presences tells of each member of a group whether the person is on duty at a time, in microseconds since 1970. What was
// said by hand takes precedence over the roster as long as it holds. A group without a roster is always on duty. Those whom the
// policy names come first, in its order, then those whose accounts name the group; whom the site does not know is left out. Errors
// are those of the roll.
func Presences(p *deskpb.Policy, team *deskpb.Team, at int64, roll Roll) ([]Presence, error) {
	roster := policy.Roster(p, team.GetRoster())
	var rostered []string
	if roster != nil {
		rostered = rosteredAt(roster, rosterZone(p, roster), at)
	}
	members, err := membersOf(team, roll)
	if err != nil {
		return nil, err
	}
	presences := make([]Presence, 0, len(members))
	for _, member := range members {
		known, err := roll.Person(UserID(member))
		if err != nil {
			return nil, fmt.Errorf("look for %s of group %s among the people: %w", member, team.GetName(), err)
		}
		if !known {
			continue
		}
		word, err := roll.Duty(UserID(member))
		if err != nil {
			return nil, fmt.Errorf("read whether %s of group %s is on duty: %w", member, team.GetName(), err)
		}
		presence := Presence{User: UserID(member), On: roster == nil || slices.Contains(rostered, member)}
		if word != nil && (word.GetUntil() == 0 || at < word.GetUntil()) {
			presence.On, presence.ByHand, presence.Until = word.GetOn(), true, word.GetUntil()
		}
		presences = append(presences, presence)
	}
	return presences, nil
}

// membersOf returns the members of a group: whom the policy names, then whose accounts name it, each once.
func membersOf(team *deskpb.Team, roll Roll) ([]string, error) {
	byAccount, err := roll.Members(team.GetName())
	if err != nil {
		return nil, fmt.Errorf("look for the accounts of group %s: %w", team.GetName(), err)
	}
	members := slices.Clone(team.GetMembers())
	for _, user := range byAccount {
		if !slices.Contains(team.GetMembers(), string(user)) {
			members = append(members, string(user))
		}
	}
	return members, nil
}

// rosterZone returns the calendar whose zone a roster is written in: its own, or that of office time.
func rosterZone(p *deskpb.Policy, roster *deskpb.Roster) *deskpb.Calendar {
	if zone := policy.Calendar(p, roster.GetCalendar()); zone != nil {
		return zone
	}
	return policy.Calendar(p, policy.OfficeTime)
}

// rosteredAt returns the people whose shift it is, as often as they are named. A shift belongs to the day on which it begins, so
// the one that began yesterday may still last.
func rosteredAt(roster *deskpb.Roster, zone *deskpb.Calendar, at int64) (people []string) {
	today, minute := calendar.DayOf(zone, at/second), calendar.Minute(zone, at/second)
	for _, shift := range roster.GetShifts() {
		if lasts(shift, today, minute) {
			people = append(people, onShift(shift, today)...)
		}
		if lasts(shift, today-1, minute+minutesPerDay) {
			people = append(people, onShift(shift, today-1)...)
		}
	}
	return people
}

// lasts tells whether the shift that begins on a day lasts at a minute counted from that day's midnight.
func lasts(shift *deskpb.Shift, day calendar.Day, minute int32) bool {
	return beginsOn(shift, day) && shift.GetFrom() <= minute && minute < endOf(shift)
}

// beginsOn tells whether a shift is one of a day.
func beginsOn(shift *deskpb.Shift, day calendar.Day) bool {
	return len(shift.GetDays()) == 0 || slices.Contains(shift.GetDays(), day.Weekday())
}

// endOf is when a shift ends, in minutes after midnight of the day on which it begins.
func endOf(shift *deskpb.Shift) int32 {
	if shift.GetTo() <= shift.GetFrom() {
		return shift.GetTo() + minutesPerDay
	}
	return shift.GetTo()
}

// onShift returns who works a shift that begins on a day: everybody, or the one whose week it is.
func onShift(shift *deskpb.Shift, day calendar.Day) []string {
	people := shift.GetPeople()
	if shift.GetTurnsFrom() == 0 || len(people) == 0 {
		return people
	}
	const week = 7
	round := calendar.Day(len(people) * week)
	since := ((day-calendar.DayOn(shift.GetTurnsFrom()))%round + round) % round
	return people[since/week:][:1]
}
