package manage

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/calendar"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// calendarPage shows a month of a calendar of the policy.
type calendarPage struct {
	shelf
	Calendar, Month string
	Before, After   string // the months beside it, as the address has them
	Weekdays        []string
	Weeks           [][]dayCell
	Zone            string
	Always          bool
	Coming          []dateRow
	Keeper          string // the site that alone changes it; empty where this one may
	Edit            bool   // the visitor may change it
	Example         string // what is written into the policy for a date, as an example
}

// dayCell is a day of the month; the zero cell is one of another month.
type dayCell struct {
	Day     int
	Name    string // of the exception; empty for a usual day
	Working bool
	Special bool // it differs from its weekday
	Today   bool
	Times   []string
}

// dateRow is an exception of the calendar, from the month on.
type dateRow struct {
	Date, Name, Times string
	Working           bool
}

// mostComing is how many exceptions the page lists.
const mostComing = 60

func serveCalendar(v *page.Visit) error {
	h, err := readHolding(v)
	if err != nil {
		return err
	}
	name := v.R.PathValue("name")
	if c := policy.Calendar(h.GetPolicy(), name); c != nil {
		shown := newCalendarPage(v, c)
		shown.Keeper = cmp.Or(h.lockedBy(v, "calendars"), h.keeperOf(v, name))
		shown.Edit = shown.Keeper == "" && v.May(desk.PolicyApply)
		shown.Example = v.Word("admin.calendar.example", name, v.Now().Year()+1)
		return v.Render(http.StatusOK, "calendar.html", shown)
	}
	return desk.Refuse(desk.NotFound, "CALENDAR_NOT_FOUND", "the policy has no calendar %.64q", name)
}

// keeperOf is the site that alone changes a calendar; empty where this one may. The province keeps those of the built-in policy and its own:
// every office on the path of a ticket counts by them.
func (h *holding) keeperOf(v *page.Visit, calendar string) string {
	if v.Tier == apipb.Site_PROVINCE {
		return ""
	}
	province, top := "", v.Word("tier.PROVINCE")
	for _, site := range v.Standing.Sites().GetSites() {
		if site.GetTier() == apipb.Site_PROVINCE {
			province, top = site.GetId(), v.SiteNamed(site.GetId())
		}
	}
	for _, layer := range h.layers {
		if by := layer.told.GetPublisher(); (by == "" || by == province) && policy.Calendar(layer.policy, calendar) != nil {
			return top
		}
	}
	return ""
}

func newCalendarPage(v *page.Visit, c *deskpb.Calendar) calendarPage {
	today := calendar.DayOf(c, v.Now().Unix()).Date()
	first := time.Date(int(today/10000), time.Month(today/100%100), 1, 0, 0, 0, 0, time.UTC)
	if asked, err := time.Parse("2006-01", v.Query("month")); err == nil {
		first = asked
	}
	title := titled(v, c.GetTitle(), c.GetName())
	shown := calendarPage{
		shelf: newShelf(v, title), Calendar: title, Month: first.Format("2006-01"), Zone: c.GetTimeZone(), Always: c.GetAlways(),
		Before: first.AddDate(0, -1, 0).Format("2006-01"), After: first.AddDate(0, 1, 0).Format("2006-01"), Weeks: monthOf(c, first, today),
	}
	for _, day := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		shown.Weekdays = append(shown.Weekdays, v.Word("admin.weekday."+day))
	}
	from := int32(first.Year()*10000 + int(first.Month())*100 + 1)
	for _, rule := range c.GetDates() {
		if rule.GetDate() >= from && len(shown.Coming) < mostComing {
			shown.Coming = append(shown.Coming, dateRow{
				Date: date(rule.GetDate()), Name: rule.GetName(), Working: rule.GetWorking(),
				Times: strings.Join(workingTimes(c, calendar.DayOn(rule.GetDate())), " "),
			})
		}
	}
	return shown
}

// monthOf lays the month that begins with a day out in weeks from Monday on.
func monthOf(c *deskpb.Calendar, first time.Time, today int32) (weeks [][]dayCell) {
	exceptions := map[int32]*deskpb.DateRule{}
	for _, rule := range c.GetDates() {
		exceptions[rule.GetDate()] = rule
	}
	week := make([]dayCell, (int(first.Weekday())+6)%7, 7)
	for at := first; at.Month() == first.Month(); at = at.AddDate(0, 0, 1) {
		number := int32(at.Year()*10000 + int(at.Month())*100 + at.Day())
		times := workingTimes(c, calendar.DayOn(number))
		rule := exceptions[number]
		week = append(week, dayCell{
			Day: at.Day(), Name: rule.GetName(), Working: len(times) > 0, Special: rule != nil, Today: number == today, Times: times,
		})
		if len(week) == 7 {
			weeks, week = append(weeks, week), make([]dayCell, 0, 7)
		}
	}
	if len(week) > 0 {
		weeks = append(weeks, append(week, make([]dayCell, 7-len(week))...))
	}
	return weeks
}

// mostStretches is how many stretches of working time a day shows.
const mostStretches = 8

// workingTimes are the stretches of a day in which the calendar works, by its own clock.
func workingTimes(c *deskpb.Calendar, day calendar.Day) (times []string) {
	from, to := calendar.At(c, day, 0), calendar.At(c, day+1, 0)
	for _, stretch := range calendar.Stretches(c, from, to, mostStretches) {
		end := int32(24 * 60)
		if stretch.To < to {
			end = calendar.Minute(c, stretch.To)
		}
		times = append(times, minutes(calendar.Minute(c, stretch.From))+"–"+minutes(end))
	}
	return times
}
