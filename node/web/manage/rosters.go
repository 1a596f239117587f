package manage

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/node/web/page"
	"github.com/tierdesk/tierdesk/policyfile"
)

// watchDays is for how many days it is shown whom a roster puts on duty.
const watchDays = 14

func rosterRoutes() []page.Route {
	return []page.Route{
		{Pattern: "GET /admin/rosters", Serve: serveRosters},
		{Pattern: "GET /admin/new/roster", Serve: serveNewRoster},
		{Pattern: "POST /admin/new/roster", Serve: serveRosterForm},
		{Pattern: "GET /admin/rosters/{name}", Serve: serveRoster},
		{Pattern: "POST /admin/rosters/{name}", Serve: serveRosterForm},
		{Pattern: "GET /admin/rosters/{name}/remove", Serve: rosterPart().serveRemoval},
		{Pattern: "POST /admin/rosters/{name}/remove", Serve: rosterPart().serveRemoval},
	}
}

// rostersPage lists the rosters of the policy.
type rostersPage struct {
	shelf
	shut
	Rosters []rosterRow
	Away    []awayRow
}

type rosterRow struct {
	Name, Title, Path string
	Shifts            []string
	Groups, From      string
}

func serveRosters(v *page.Visit) error {
	h, err := readHolding(v)
	if err != nil {
		return err
	}
	people, err := readColleagues(v, h)
	if err != nil {
		return err
	}
	shown := rostersPage{shelf: newShelf(v, v.Word("admin.rosters")), shut: rosterPart().shut(v, h), Away: rosterPart().takenAway(v, h)}
	for _, roster := range h.GetPolicy().GetRosters() {
		shown.Rosters = append(shown.Rosters, rosterRow{
			Name: roster.GetName(), Title: titled(v, roster.GetTitle(), roster.GetName()), Path: rosterPart().pathOf(roster.GetName()),
			Shifts: shiftsShown(v, people, roster), Groups: strings.Join(groupsBy(v, h.GetPolicy(), roster.GetName()), v.Word("admin.comma")),
			From: rosterPart().originOf(v, h, roster.GetName()).shown(v),
		})
	}
	return v.Render(http.StatusOK, "rosters.html", shown)
}

// groupsBy are the titles of the groups that follow a roster.
func groupsBy(v *page.Visit, p *deskpb.Policy, roster string) (titles []string) {
	for _, group := range p.GetGroups() {
		if group.GetRoster() == roster {
			titles = append(titles, titled(v, group.GetTitle(), group.GetName()))
		}
	}
	return titles
}

// shiftsShown are the shifts of a roster, each in a line.
func shiftsShown(v *page.Visit, people colleagues, roster *deskpb.Roster) (lines []string) {
	for _, shift := range roster.GetShifts() {
		line := strings.Join([]string{daysShown(v, shift.GetDays()), timesShown(v, shift.GetFrom(), shift.GetTo()),
			strings.Join(people.names(shift.GetPeople()), v.Word("admin.comma"))}, " ")
		if shift.GetTurnsFrom() != 0 {
			line += v.Word("admin.rosters.in-turn", date(shift.GetTurnsFrom()))
		}
		lines = append(lines, line)
	}
	return lines
}

// daysShown says on which days of the week a shift begins, with those together that follow each other.
func daysShown(v *page.Visit, days []int32) string {
	if len(days) == 0 || len(days) == 7 {
		return v.Word("admin.roster.daily")
	}
	day := func(n int32) string { return v.Word("admin.weekday." + strconv.Itoa(int(n))) }
	sorted := slices.Sorted(slices.Values(days))
	var parts []string
	for from := 0; from < len(sorted); {
		to := from
		for to+1 < len(sorted) && sorted[to+1] == sorted[to]+1 {
			to++
		}
		switch to - from {
		case 0:
			parts = append(parts, day(sorted[from]))
		case 1:
			parts = append(parts, day(sorted[from]), day(sorted[to]))
		default:
			parts = append(parts, v.Word("admin.from-to", day(sorted[from]), day(sorted[to])))
		}
		from = to + 1
	}
	return strings.Join(parts, v.Word("admin.comma"))
}

// timesShown says from when to when a shift lasts.
func timesShown(v *page.Visit, from, to int32) string {
	if to <= from {
		return v.Word("admin.rosters.overnight", minutes(from), minutes(to))
	}
	return minutes(from) + "–" + minutes(to)
}

// rosterPage is one roster, with a form for those who may change it.
type rosterPage struct {
	shelf
	shut
	rosterForm
	Action, Remove, RemoveWord string // as of a group's page
	From                       string
	FromAbove                  bool
	Groups                     string
	Lines                      []string // the shifts in words, where there is no form
	Watches                    []watchDay
}

// watchDay is a day with those whom the roster puts on duty.
type watchDay struct {
	Day     string
	Weekend bool
	Watches []watchRow
}

type watchRow struct{ Time, People string }

// watchesOf are the next days of a roster, by the desk's own rule.
func watchesOf(v *page.Visit, p *deskpb.Policy, people colleagues, roster *deskpb.Roster) (days []watchDay) {
	for _, watch := range desk.Watches(p, roster, v.Now(), watchDays) {
		if len(watch.People) == 0 {
			continue // a shift that is not filled in yet
		}
		day := watch.From.Format("01-02") + " " + v.Word("admin.weekday."+strconv.Itoa((int(watch.From.Weekday())+6)%7+1))
		if len(days) == 0 || days[len(days)-1].Day != day {
			days = append(days, watchDay{Day: day, Weekend: watch.From.Weekday()%6 == 0})
		}
		var users []string
		for _, user := range watch.People {
			users = append(users, string(user))
		}
		from, to := minuteOf(watch.From.Hour(), watch.From.Minute()), minuteOf(watch.To.Hour(), watch.To.Minute())
		if to == 0 {
			to = minutesPerDay
		}
		last := &days[len(days)-1]
		last.Watches = append(last.Watches, watchRow{
			Time: timesShown(v, from, to), People: strings.Join(people.names(users), v.Word("admin.comma")),
		})
	}
	return days
}

const minutesPerDay = 24 * 60

func minuteOf(hour, minute int) int32 { return int32(hour*60 + minute) }

func serveRoster(v *page.Visit) error {
	h, err := readHolding(v)
	if err != nil {
		return err
	}
	roster := policy.Roster(h.GetPolicy(), v.R.PathValue("name"))
	if roster == nil {
		return rosterPart().notThere(v.R.PathValue("name"))
	}
	people, err := readColleagues(v, h)
	if err != nil {
		return err
	}
	return showRoster(v, h, http.StatusOK, newRosterForm(v, h, people, roster, false))
}

// firstRoster is what a new roster begins with: one shift in working time.
func firstRoster() *deskpb.Roster {
	return &deskpb.Roster{
		Calendar: policy.OfficeTime, Shifts: []*deskpb.Shift{{Days: []int32{1, 2, 3, 4, 5}, From: minuteOf(8, 30), To: minuteOf(17, 30)}},
	}
}

func serveNewRoster(v *page.Visit) error {
	h, people, err := rosterPart().toChange(v)
	if err != nil {
		return err
	}
	return showRoster(v, h, http.StatusOK, newRosterForm(v, h, people, firstRoster(), true))
}

func showRoster(v *page.Visit, h *holding, code int, form rosterForm) error {
	shown := rosterPage{
		shut: rosterPart().shut(v, h), rosterForm: form, Action: rosterPart().make,
		Watches: watchesOf(v, h.GetPolicy(), form.People, form.made),
	}
	if form.New {
		shown.shelf = newShelf(v, v.Word("admin.rosters.new"))
		return v.Render(code, "roster.html", shown)
	}
	roster, from := policy.Roster(h.GetPolicy(), form.Called), rosterPart().originOf(v, h, form.Called)
	shown.shelf = newShelf(v, titled(v, roster.GetTitle(), form.Called))
	shown.Action, shown.From, shown.FromAbove = rosterPart().pathOf(form.Called), from.shown(v), !from.own
	shown.Groups = strings.Join(groupsBy(v, h.GetPolicy(), form.Called), v.Word("admin.comma"))
	if shown.Edit {
		shown.Remove, shown.RemoveWord = shown.Action+"/remove", v.Word(removeWord(from))
	} else {
		shown.Lines = shiftsShown(v, form.People, roster)
	}
	return v.Render(code, "roster.html", shown)
}

// serveRosterForm shows what a form about a roster would change, or the form again.
func serveRosterForm(v *page.Visit) error {
	typed, err := v.Form()
	if err != nil {
		return err
	}
	h, people, err := rosterPart().toChange(v)
	if err != nil {
		return err
	}
	name := v.R.PathValue("name")
	known := policy.Roster(h.GetPolicy(), name)
	if name != "" && known == nil {
		return rosterPart().notThere(name)
	}
	form := typedRosterForm(v, h, people, known, typed)
	switch {
	case !slices.Contains([]string{"", "check", "apply"}, typed.Get("do")):
		form.Problems = map[string]string{} // what is not finished yet is not wrong
		return showRoster(v, h, http.StatusOK, form)
	case len(form.Problems) > 0:
		return showRoster(v, h, http.StatusBadRequest, form)
	}
	made := form.made
	d := draft{
		title: v.Word("admin.part.changes", titled(v, made.GetTitle(), made.GetName())), path: v.R.URL.Path, part: rosterPart(),
		says: rosterChanges(v, h, people, known, made), typed: typed,
		lay: func(own []byte) ([]byte, error) { return policyfile.PutRoster(own, made) },
		beside: func(source, path string) string {
			layer, _ := policyfile.Read([]byte(source))
			return rosterField(path, slices.IndexFunc(layer.GetRosters(), func(r *deskpb.Roster) bool { return r.GetName() == made.GetName() }))
		},
		again: func(problems map[string]string) error {
			form.Problems = problems
			return showRoster(v, h, http.StatusBadRequest, form)
		},
	}
	if known != nil {
		d.says = append(d.says, overAbove(v, rosterPart().originOf(v, h, name))...)
	}
	return d.serve(v, h)
}

// rosterField is the input that a path of the policy speaks of, for the roster at a place of the layer.
func rosterField(path string, at int) string {
	rest, found := strings.CutPrefix(path, "rosters["+strconv.Itoa(at)+"]")
	if !found {
		return ""
	}
	if shift, of := strings.CutPrefix(rest, ".shifts["); of {
		number, field, _ := strings.Cut(shift, "]")
		switch field {
		case ".turns_from":
			return "s" + number + ".monday"
		case ".people":
			return "s" + number + ".people"
		}
		return "s" + number + ".from"
	}
	if strings.HasPrefix(rest, ".calendar") || rest == "" {
		return "calendar"
	}
	return "name"
}

// rosterChanges says in sentences what becomes of a roster.
func rosterChanges(v *page.Visit, h *holding, people colleagues, was, is *deskpb.Roster) (says []string) {
	title := func(r *deskpb.Roster) string { return titled(v, r.GetTitle(), r.GetName()) }
	if was == nil {
		says = append(says, v.Word("admin.rosters.made", title(is), is.GetName()))
	}
	before, after := shiftsShown(v, people, was), shiftsShown(v, people, is)
	for _, shift := range before {
		if !slices.Contains(after, shift) {
			says = append(says, v.Word("admin.rosters.shift-gone", shift))
		}
	}
	for _, shift := range after {
		if !slices.Contains(before, shift) {
			says = append(says, v.Word("admin.rosters.shift-new", shift))
		}
	}
	if was == nil {
		return append(says, v.Word("admin.rosters.unused"))
	}
	calendar := func(r *deskpb.Roster) string { return calendarTitle(v, h.GetPolicy(), r.GetCalendar()) }
	for _, field := range []struct{ column, before, after string }{{"name", title(was), title(is)}, {"calendar", calendar(was), calendar(is)}} {
		if field.before != field.after {
			none := v.Word("admin.part.none")
			says = append(says, v.Word("admin.part.becomes", v.Word("admin.column."+field.column), cmp.Or(field.before, none), cmp.Or(field.after, none)))
		}
	}
	return says
}

// rosterLoss says what goes with a roster.
func rosterLoss(v *page.Visit, p *deskpb.Policy, name string) []string {
	if groups := groupsBy(v, p, name); len(groups) > 0 {
		return []string{v.Word("admin.rosters.loss-groups", strings.Join(groups, v.Word("admin.comma")))}
	}
	return []string{v.Word("admin.rosters.loss-none")}
}
