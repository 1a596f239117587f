package manage

import (
	"cmp"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/node/web/page"
)

const (
	// morePlaces is how many empty inputs for people a form has, at first and for each time that more are asked for.
	morePlaces = 2
	// maxAccept is the longest time in which a ticket has to be taken up, in minutes.
	maxAccept = 30 * 24 * 60
	// maxTitle is how long a title may be, in characters.
	maxTitle = 100
)

// groupForm is a form about a group: what was filled in, what it offers, and what is wrong with it by input.
type groupForm struct {
	New              bool
	Over             string
	Called, Zh, En   string   // its name in the policy, and its titles
	Members          []choice // who is in it: user, name, and role
	Add              []string // inputs for the names of those who join
	People           colleagues
	Manager, Accept  string
	Lines            []choice
	Methods, Rosters []choice
	Problems         map[string]string

	made  *deskpb.Team
	again bool // the form is shown again on demand
}

// status is that of a page with the form.
func (f groupForm) status() int {
	if f.again {
		return http.StatusOK
	}
	return http.StatusBadRequest
}

// newGroupForm is the form about a group as the policy has it.
func newGroupForm(v *page.Visit, h *holding, people colleagues, group *deskpb.Team, isNew bool) groupForm {
	f := groupForm{
		New: isNew, Over: h.over(), Called: group.GetName(), Zh: chineseOf(group), En: group.GetTitle().GetEn(),
		Add: places(nil, morePlaces), People: people, Problems: map[string]string{},
	}
	f.offer(v, h, group, group.GetMembers())
	if group.GetManager() != "" {
		f.Manager = people.find(group.GetManager()).Name
	}
	if within := group.GetAcceptWithin(); within > 0 {
		f.Accept = strconv.FormatFloat(float64(within)/60, 'f', -1, 64)
	}
	return f
}

// offer fills in what there is to choose from, as a group says it; of the members those stay who are kept.
func (f *groupForm) offer(v *page.Visit, h *holding, group *deskpb.Team, kept []string) {
	f.Members = nil
	for _, user := range group.GetMembers() {
		one := f.People.find(user)
		if one.Role == "" {
			one.Role = v.Word("admin.groups.stranger")
		}
		f.Members = append(f.Members, choice{Value: user, Word: one.Name, Hint: one.Role, Chosen: slices.Contains(kept, user)})
	}
	var lines, rosters []string
	for _, line := range group.GetLines() {
		lines = append(lines, line.String())
	}
	f.Lines = choices([]string{"FIRST", "SECOND", "THIRD"}, func(line string) string { return v.Word("line." + line) }, lines...)
	f.Methods = choices([]string{"MANUAL", "ROUND_ROBIN", "LEAST_LOADED"}, func(m string) string { return v.Word("admin.method." + m) }, group.GetMethod().String())
	for i, method := range f.Methods {
		f.Methods[i].Hint = v.Word("admin.method-hint." + method.Value)
	}
	for _, roster := range h.GetPolicy().GetRosters() {
		rosters = append(rosters, roster.GetName())
	}
	f.Rosters = append([]choice{{Word: v.Word("admin.groups.no-roster"), Chosen: group.GetRoster() == ""}},
		choices(rosters, func(name string) string { return titleOf(v, h.GetPolicy().GetRosters(), name) }, group.GetRoster())...)
}

// typedGroupForm is the form as somebody has filled it in, with the group that it means. Known is the group as the policy has it, nil for
// a new one.
func typedGroupForm(v *page.Visit, h *holding, people colleagues, known *deskpb.Team, typed url.Values) groupForm {
	f := groupForm{
		New: known == nil, Over: typed.Get("over"), Called: known.GetName(), People: people, Manager: strings.TrimSpace(typed.Get("manager")),
		Zh: strings.TrimSpace(typed.Get("zh")), En: strings.TrimSpace(typed.Get("en")), Accept: strings.TrimSpace(typed.Get("accept")),
		Problems: map[string]string{},
	}
	if f.New {
		f.Called = strings.TrimSpace(typed.Get("name"))
	}
	name := cmp.Or(f.Called, f.Zh)
	f.made = &deskpb.Team{
		Name: name, Title: titleTyped(known, name, f.Zh, f.En), Roster: typed.Get("roster"), Method: deskpb.Team_Method(deskpb.Team_Method_value[typed.Get("method")]),
	}
	for _, line := range typed["lines"] {
		if n, found := deskpb.Ticket_Line_value[line]; found && n != 0 {
			f.made.Lines = append(f.made.Lines, deskpb.Ticket_Line(n))
		}
	}
	f.takeMembers(v, known, typed)
	f.takeManager(v, known)
	f.takeAccept(v)
	titleProblems(v, f.Problems, f.Zh, f.En)
	if f.New {
		nameProblems(v, f.Problems, name, policy.Group(h.GetPolicy(), name) != nil)
	}
	return f.filled(v, h, known, typed)
}

// filled offers what can be chosen, with what was chosen.
func (f groupForm) filled(v *page.Visit, h *holding, known *deskpb.Team, typed url.Values) groupForm {
	shown := &deskpb.Team{Members: known.GetMembers(), Lines: f.made.GetLines(), Method: f.made.GetMethod(), Roster: f.made.GetRoster()}
	for _, user := range typed["members"] {
		if !slices.Contains(shown.GetMembers(), user) {
			shown.Members = append(slices.Clip(shown.GetMembers()), user)
		}
	}
	f.offer(v, h, shown, typed["members"])
	more := 0
	if typed.Get("do") == "more" {
		more = morePlaces
	}
	f.Add = places(typed["add"], morePlaces+more)
	return f
}

// takeMembers reads who stays in the group and who joins it.
func (f *groupForm) takeMembers(v *page.Visit, known *deskpb.Team, typed url.Values) {
	joining, nobody := f.People.users(typed["add"], nil)
	if nobody != "" {
		f.Problems["add"] = v.Word("admin.person.nobody", nobody)
	}
	staying, _ := f.People.users(typed["members"], known.GetMembers())
	for _, user := range slices.Concat(staying, joining) {
		if !slices.Contains(f.made.GetMembers(), user) {
			f.made.Members = append(f.made.Members, user)
		}
	}
}

// takeManager reads who manages the group.
func (f *groupForm) takeManager(v *page.Visit, known *deskpb.Team) {
	managers, nobody := f.People.users([]string{f.Manager}, []string{known.GetManager()})
	if nobody != "" {
		f.Problems["manager"] = v.Word("admin.person.nobody", nobody)
	}
	if len(managers) > 0 {
		f.made.Manager = managers[0]
	}
}

// takeAccept reads in how many minutes a ticket has to be taken up.
func (f *groupForm) takeAccept(v *page.Visit) {
	if f.Accept == "" {
		return
	}
	minutes, err := strconv.ParseFloat(f.Accept, 64)
	if err != nil || !(minutes >= 0 && minutes <= maxAccept) {
		f.Problems["accept"] = v.Word("admin.groups.accept-wrong", f.Accept, maxAccept)
		return
	}
	f.made.AcceptWithin = int64(math.Round(minutes * 60))
}

// chineseOf is how an entry is called in Chinese: by its name where it has no title.
func chineseOf(e entry) string {
	if title := e.GetTitle(); title.GetZh()+title.GetEn() != "" {
		return title.GetZh()
	}
	return e.GetName()
}

// titleTyped is the title that somebody typed for an entry. There is none where it only repeats the name and was not there before.
func titleTyped(known entry, name, zh, en string) *deskpb.Words {
	if zh == chineseOf(known) && en == known.GetTitle().GetEn() {
		return known.GetTitle()
	}
	if zh == name && en == "" {
		return nil
	}
	return &deskpb.Words{Zh: zh, En: en}
}

// titleProblems tells what is wrong with a title.
func titleProblems(v *page.Visit, problems map[string]string, zh, en string) {
	if zh == "" {
		problems["zh"] = v.Word("admin.part.no-title")
	}
	for field, text := range map[string]string{"zh": zh, "en": en} {
		if len([]rune(text)) > maxTitle || strings.ContainsRune(text, '\n') {
			problems[field] = v.Word("admin.part.long-title", maxTitle)
		}
	}
}

// nameProblems tells what is wrong with the name of a new entry.
func nameProblems(v *page.Visit, problems map[string]string, name string, taken bool) {
	switch {
	case taken:
		problems["name"] = v.Word("admin.part.taken", name)
	case name == "." || name == ".." || len([]rune(name)) > maxTitle || strings.ContainsAny(name, "/\\?#%\n\t"):
		problems["name"] = v.Word("admin.part.name-wrong")
	}
}

// groupChanges says in sentences what becomes of a group.
func groupChanges(v *page.Visit, h *holding, people colleagues, was, is *deskpb.Team) (says []string) {
	title := func(t *deskpb.Team) string { return titled(v, t.GetTitle(), t.GetName()) }
	if was == nil {
		says = append(says, v.Word("admin.groups.made", title(is), is.GetName()))
	}
	missing := func(users, from []string) (names []string) {
		for _, user := range users {
			if !slices.Contains(from, user) {
				names = append(names, people.find(user).Name)
			}
		}
		return names
	}
	if joined := missing(is.GetMembers(), was.GetMembers()); len(joined) > 0 {
		says = append(says, v.Word("admin.groups.joined", strings.Join(joined, v.Word("admin.comma"))))
	}
	if left := missing(was.GetMembers(), is.GetMembers()); len(left) > 0 {
		says = append(says, v.Word("admin.groups.left", strings.Join(left, v.Word("admin.comma"))))
	}
	if was == nil {
		return says
	}
	changed := func(column, before, after string) {
		if before != after {
			none := v.Word("admin.part.none")
			says = append(says, v.Word("admin.part.becomes", v.Word("admin.column."+column), cmp.Or(before, none), cmp.Or(after, none)))
		}
	}
	manager := func(t *deskpb.Team) string {
		if t.GetManager() == "" {
			return ""
		}
		return people.find(t.GetManager()).Name
	}
	rosters := h.GetPolicy().GetRosters()
	changed("name", title(was), title(is))
	changed("manager", manager(was), manager(is))
	changed("lines", linesShown(v, was.GetLines()), linesShown(v, is.GetLines()))
	changed("method", v.Word("admin.method."+was.GetMethod().String()), v.Word("admin.method."+is.GetMethod().String()))
	changed("accept", span(v, was.GetAcceptWithin()), span(v, is.GetAcceptWithin()))
	changed("roster", titleOf(v, rosters, was.GetRoster()), titleOf(v, rosters, is.GetRoster()))
	return says
}
