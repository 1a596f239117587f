package manage

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// maxShifts is how many shifts a form has room for.
const maxShifts = 40

// rosterForm is a form about a roster: what was filled in, what it offers, and what is wrong with it by input.
type rosterForm struct {
	New            bool
	Over           string
	Called, Zh, En string // its name in the policy, and its titles
	Calendars      []choice
	Shifts         []shiftForm
	Full           bool // no more shifts
	People         colleagues
	Problems       map[string]string

	made *deskpb.Roster
}

// shiftForm is what a form says about one shift. The names of its inputs begin with Key.
type shiftForm struct {
	Key      string
	Number   int // from 1, for people
	Days     []choice
	From, To string
	People   []string // names; empty ones for more
	Turns    bool
	Monday   string
}

// newRosterForm is the form about a roster as the policy has it.
func newRosterForm(v *page.Visit, h *holding, people colleagues, roster *deskpb.Roster, isNew bool) rosterForm {
	f := rosterForm{
		New: isNew, Over: h.over(), Called: roster.GetName(), Zh: chineseOf(roster), En: roster.GetTitle().GetEn(), People: people,
		Problems: map[string]string{}, made: roster,
	}
	f.offerCalendars(v, h.GetPolicy(), roster.GetCalendar())
	for i, shift := range roster.GetShifts() {
		made := newShiftForm(v, i)
		made.choose(shift.GetDays())
		if len(shift.GetDays()) == 0 {
			made.choose([]int32{1, 2, 3, 4, 5, 6, 7})
		}
		made.From, made.To = minutes(shift.GetFrom()), minutes(shift.GetTo())
		made.People = places(people.names(shift.GetPeople()), max(1, morePlaces-len(shift.GetPeople())))
		if made.Turns = shift.GetTurnsFrom() != 0; made.Turns {
			made.Monday = date(shift.GetTurnsFrom())
		}
		f.Shifts = append(f.Shifts, made)
	}
	f.Full = len(f.Shifts) >= maxShifts
	return f
}

// offerCalendars offers those calendars from which a roster takes its time zone.
func (f *rosterForm) offerCalendars(v *page.Visit, p *deskpb.Policy, chosen string) {
	for _, calendar := range p.GetCalendars() {
		if len(calendar.GetShifts()) > 0 || calendar.GetName() == chosen {
			f.Calendars = append(f.Calendars, choice{
				Value: calendar.GetName(), Word: titled(v, calendar.GetTitle(), calendar.GetName()), Hint: calendar.GetTimeZone(), Chosen: calendar.GetName() == chosen,
			})
		}
	}
}

// newShiftForm has nothing filled in, and the coming Monday for turns.
func newShiftForm(v *page.Visit, i int) shiftForm {
	next := v.Now().AddDate(0, 0, (8-int(v.Now().Weekday()))%7)
	s := shiftForm{Key: "s" + strconv.Itoa(i) + ".", Number: i + 1, People: places(nil, morePlaces), Monday: next.Format(time.DateOnly)}
	for day := 1; day <= 7; day++ {
		s.Days = append(s.Days, choice{Value: strconv.Itoa(day), Word: v.Word("admin.weekday." + strconv.Itoa(day))})
	}
	return s
}

func (s *shiftForm) choose(days []int32) {
	for i := range s.Days {
		s.Days[i].Chosen = slices.Contains(days, int32(i+1))
	}
}

// typedRosterForm is the form as somebody has filled it in, with the roster that it means. Its buttons add a shift, take one away, or
// make room for more people.
func typedRosterForm(v *page.Visit, h *holding, people colleagues, known *deskpb.Roster, typed url.Values) rosterForm {
	f := rosterForm{
		New: known == nil, Over: typed.Get("over"), Called: known.GetName(), Zh: strings.TrimSpace(typed.Get("zh")), En: strings.TrimSpace(typed.Get("en")),
		People: people, Problems: map[string]string{},
	}
	if f.New {
		f.Called = strings.TrimSpace(typed.Get("name"))
	}
	name := cmp.Or(f.Called, f.Zh)
	if f.New {
		nameProblems(v, f.Problems, name, policy.Roster(h.GetPolicy(), name) != nil)
	}
	titleProblems(v, f.Problems, f.Zh, f.En)
	f.made = &deskpb.Roster{Name: name, Title: titleTyped(known, name, f.Zh, f.En), Calendar: typed.Get("calendar")}
	f.offerCalendars(v, h.GetPolicy(), f.made.GetCalendar())
	var involved []string
	for _, shift := range known.GetShifts() {
		involved = append(involved, shift.GetPeople()...)
	}
	count, _ := strconv.Atoi(typed.Get("shifts"))
	do := typed.Get("do")
	for i := range min(max(count, 0), maxShifts) {
		if do == fmt.Sprintf("drop-%d", i) {
			continue
		}
		f.takeShift(v, i, typed, involved)
	}
	if f.Full = len(f.Shifts) >= maxShifts; do == "add" && !f.Full {
		f.Shifts = append(f.Shifts, newShiftForm(v, len(f.Shifts)))
	}
	if len(f.Shifts) == 0 && do != "add" {
		f.Problems["shifts"] = v.Word("admin.rosters.no-shift")
	}
	return f
}

// takeShift reads one shift. Involved are those who are on the roster already, and may have left.
func (f *rosterForm) takeShift(v *page.Visit, i int, typed url.Values, involved []string) {
	under := func(name string) string { return fmt.Sprintf("s%d.%s", i, name) }
	shown := newShiftForm(v, len(f.Shifts))
	made := &deskpb.Shift{}
	for _, day := range typed[under("days")] {
		if n, err := strconv.Atoi(day); err == nil && n >= 1 && n <= 7 {
			made.Days = append(made.Days, int32(n))
		}
	}
	shown.choose(made.GetDays())
	switch len(made.GetDays()) {
	case 0:
		f.Problems[shown.Key+"days"] = v.Word("admin.rosters.no-day")
	case 7:
		made.Days = nil // every day
	}
	shown.From, shown.To = strings.TrimSpace(typed.Get(under("from"))), strings.TrimSpace(typed.Get(under("to")))
	for _, end := range []struct {
		field, text string
		into        *int32
	}{{"from", shown.From, &made.From}, {"to", shown.To, &made.To}} {
		minute, ok := minuteTyped(end.text)
		if !ok {
			f.Problems[shown.Key+end.field] = v.Word("admin.rosters.no-time", end.text)
		}
		*end.into = minute
	}
	if f.Problems[shown.Key+"from"]+f.Problems[shown.Key+"to"] == "" && made.GetFrom()%minutesPerDay == made.GetTo() || made.GetFrom() == minutesPerDay {
		f.Problems[shown.Key+"to"] = v.Word("admin.rosters.no-length")
	}
	more := 1
	if typed.Get("do") == fmt.Sprintf("more-%d", i) {
		more += morePlaces
	}
	shown.People = places(typed[under("people")], more)
	users, nobody := f.People.users(typed[under("people")], involved)
	switch made.People = users; {
	case nobody != "":
		f.Problems[shown.Key+"people"] = v.Word("admin.person.nobody", nobody)
	case len(users) == 0:
		f.Problems[shown.Key+"people"] = v.Word("admin.rosters.nobody")
	}
	shown.Turns, shown.Monday = typed.Get(under("turns")) == "yes", strings.TrimSpace(typed.Get(under("monday")))
	if shown.Turns {
		f.takeMonday(v, &shown, made)
	}
	f.Shifts = append(f.Shifts, shown)
	if !f.wrong(shown.Key) {
		f.made.Shifts = append(f.made.Shifts, made)
	}
}

// wrong tells whether there is a problem with an input whose name begins with a key.
func (f *rosterForm) wrong(key string) bool {
	for field := range f.Problems {
		if strings.HasPrefix(field, key) {
			return true
		}
	}
	return false
}

// takeMonday reads with which week turns begin.
func (f *rosterForm) takeMonday(v *page.Visit, shown *shiftForm, made *deskpb.Shift) {
	day, err := time.Parse(time.DateOnly, shown.Monday)
	switch {
	case err != nil:
		f.Problems[shown.Key+"monday"] = v.Word("admin.rosters.no-date", shown.Monday)
	case day.Weekday() != time.Monday:
		before := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		f.Problems[shown.Key+"monday"] = v.Word("admin.rosters.no-monday", shown.Monday, before.Format(time.DateOnly), before.AddDate(0, 0, 7).Format(time.DateOnly))
	default:
		made.TurnsFrom = int32(day.Year()*10000 + int(day.Month())*100 + day.Day())
	}
}

// minuteTyped reads a time of day as people type it: 8:30, 08：30, 0830, 8, 24:00.
func minuteTyped(text string) (int32, bool) {
	text = strings.NewReplacer("：", ":", " ", "").Replace(text)
	hour, minute, cut := strings.Cut(text, ":")
	if !cut && len(text) >= 3 {
		hour, minute = text[:len(text)-2], text[len(text)-2:]
	} else if !cut {
		minute = "00"
	}
	h, hourErr := strconv.ParseUint(hour, 10, 8)
	m, minuteErr := strconv.ParseUint(minute, 10, 8)
	if hourErr != nil || minuteErr != nil || len(minute) != 2 || m > 59 || h*60+m > minutesPerDay {
		return 0, false
	}
	return int32(h*60 + m), true
}
