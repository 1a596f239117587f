package desk

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk/calendar"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

const (
	// mostMissed bounds how many missed rounds are counted.
	mostMissed = 1000
	// lastUnit is more than the days, and so the weeks and months, from any first day to the year 9999.
	lastUnit = 8100 * 366
)

// RoundDue returns the first time after a time at which an inspection round is due, both in microseconds since 1970; 0 for
// never.
func RoundDue(p *deskpb.Policy, round *deskpb.Round, after int64) int64 {
	s := scheduleOf(p, round)
	return s.due(s.behind(after))
}

// RoundLatest returns the last time up to now at which the round was due after a time, and how often it was due between
// the two; 0 when it was not. At most a thousand are counted.
func RoundLatest(p *deskpb.Policy, round *deskpb.Round, after, now int64) (latest int64, missed int) {
	s := scheduleOf(p, round)
	if k := s.behind(now); k > 0 {
		latest = s.due(k - 1)
	}
	if latest <= after {
		return 0, 0
	}
	for missed < mostMissed {
		after = s.due(s.behind(after))
		if after >= latest {
			break
		}
		missed++
	}
	return latest, missed
}

// OpenRound returns the command by which a site opens the ticket of a round that was due at a time, and missed so many times
// before that. The same due time is opened once.
func OpenRound(p *deskpb.Policy, round *deskpb.Round, due int64, missed int) *deskpb.TicketCommand {
	template := policy.Template(p, round.GetTemplate())
	title := cmp.Or(template.GetTicket().GetTitle(), round.GetTitle().GetZh(), round.GetTitle().GetEn(), round.GetName())
	day := calendar.DayOf(policy.Calendar(p, round.GetCalendar()), due/1_000_000)
	ticket := &deskpb.Ticket{
		Channel:  cmp.Or(template.GetTicket().GetChannel(), deskpb.Ticket_MONITORING),
		Title:    fmt.Sprintf("%s %d", beginning(title, MaxTitle-len(" 20060102")), day.Date()),
		Template: template.GetName(),
		Round:    round.GetName(),
		Group:    round.GetGroup(),
	}
	if missed > 0 {
		ticket.Description = strings.TrimSpace(template.GetTicket().GetDescription() + fmt.Sprintf(
			"\n此前有 %d 次到期而未开单。Before this one the round was due %[1]d times and not opened.", missed))
	}
	name := sha256.Sum256(fmt.Appendf(nil, "%s/%d", round.GetName(), due))
	return &deskpb.TicketCommand{
		Actor:   &deskpb.Actor{},
		Request: &deskpb.RequestKey{Id: hex.EncodeToString(name[:]), Method: "round", BodyHash: name[:bodyHashSize]},
		Verb:    &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: ticket}},
	}
}

// opensRound tells whether a command opens the ticket of an inspection round, which is the site's own to do.
func opensRound(c *deskpb.TicketCommand) bool { return c.GetCreate().GetTicket().GetRound() != "" }

// beginning returns at most so many characters of a text.
func beginning(text string, limit int) string {
	if characters := []rune(text); len(characters) > limit {
		return string(characters[:limit])
	}
	return text
}

// schedule is when a round comes again and again. Its occurrences are counted from 0, and their times never fall.
type schedule struct {
	round    *deskpb.Round
	calendar *deskpb.Calendar
	first    calendar.Day
}

func scheduleOf(p *deskpb.Policy, round *deskpb.Round) schedule {
	return schedule{round: round, calendar: policy.Calendar(p, round.GetCalendar()), first: calendar.DayOn(round.GetFirst())}
}

// behind counts the occurrences up to and at a time: the next one has that number.
func (s schedule) behind(at int64) int {
	from, to := 0, lastUnit
	for from < to {
		middle := (from + to) / 2
		if due := s.due(middle); due == 0 || due > at {
			to = middle
		} else {
			from = middle + 1
		}
	}
	return from
}

// due returns when an occurrence is due, 0 for one behind the year 9999 and for those of a round without a first day or a
// distance.
func (s schedule) due(occurrence int) int64 {
	units := occurrence * int(s.round.GetEvery())
	if s.round.GetFirst() == 0 || s.round.GetEvery() <= 0 || units >= lastUnit {
		return 0
	}
	day := s.day(units)
	if working, ok := calendar.NextWorkday(s.calendar, day); ok {
		day = working
	}
	due := calendar.At(s.calendar, day, s.round.GetMinute()) * 1_000_000
	if due > maxTime {
		return 0
	}
	return due
}

// day returns the day so many units after the first. A month that is too short has it on its last day.
func (s schedule) day(units int) calendar.Day {
	switch s.round.GetUnit() {
	case deskpb.Round_WEEKS:
		return s.first + calendar.Day(7*units)
	case deskpb.Round_MONTHS:
		year, month, day := int(s.round.GetFirst()/10000), time.Month(s.round.GetFirst()/100%100), int(s.round.GetFirst()%100)
		begin := time.Date(year, month+time.Month(units), 1, 0, 0, 0, 0, time.UTC)
		last := begin.AddDate(0, 1, -1).Day()
		return calendar.Day(begin.Unix()/int64(24*time.Hour/time.Second) + int64(min(day, last)) - 1)
	default:
		return s.first + calendar.Day(units)
	}
}
