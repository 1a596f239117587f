package manage

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// peoplePage is how many people a page of the list shows.
const peoplePage = 50

func peopleRoutes() []page.Route {
	return []page.Route{
		{Pattern: "GET /admin/people", Serve: servePeople},
		{Pattern: "GET /admin/new/person", Serve: serveNewPerson},
		{Pattern: "POST /admin/new/person", Serve: serveCreatePerson},
	}
}

// listPage is a list of people, or of those that a search finds.
type listPage struct {
	shelf
	Query  string
	Wanted string // the role
	Roles  []choice
	People []personRow
	Create bool
	Failed string // why the search cannot be done; empty when it was
	Pager  pager
}

// pager leads through the pages of a list; empty addresses for none.
type pager struct {
	Label, First, FirstWord, Next, NextWord string
}

func newPager(v *page.Visit, path string, query url.Values, token, next string) pager {
	p := pager{Label: v.Word("admin.pager"), FirstWord: v.Word("admin.pager.first"), NextWord: v.Word("admin.pager.next")}
	at := url.URL{Path: path}
	if query.Del("after"); token != "" {
		at.RawQuery = query.Encode()
		p.First = at.String()
	}
	if next != "" {
		query.Set("after", next)
		at.RawQuery = query.Encode()
		p.Next = at.String()
	}
	return p
}

type personRow struct {
	Name, DisplayName, Role, Unit, Phone string
	Groups                               string
	Marks                                []page.Mark
}

// servePeople shows a page of the list, or the list alone while somebody types into the search.
func servePeople(v *page.Visit) error {
	shown := listPage{
		shelf: newShelf(v, v.Word("admin.people")), Query: strings.TrimSpace(v.Query("q")), Wanted: v.Query("role"), Create: v.May(desk.UserCreate),
	}
	shown.Roles = append([]choice{{Word: v.Word("admin.people.any-role")}}, roleChoices(v, shown.Wanted)...)
	answer, err := v.API.Users.ListUsers(v.Ctx(), &apipb.ListUsersRequest{
		PageSize: peoplePage, PageToken: v.Query("after"), Search: shown.Query, Role: apipb.User_Role(apipb.User_Role_value[shown.Wanted]),
	})
	status := http.StatusOK
	if err != nil {
		problem, told := refused(v, err)
		if !told {
			return err
		}
		shown.Failed, status = problem.Text, problem.Status
	}
	groups := groupsOf(v)
	for _, person := range answer.GetUsers() {
		shown.People = append(shown.People, newPersonRow(v, groups, person))
	}
	query := url.Values{}
	for name, value := range map[string]string{"q": shown.Query, "role": shown.Wanted} {
		if value != "" {
			query.Set(name, value)
		}
	}
	shown.Pager = newPager(v, "/admin/people", query, v.Query("after"), answer.GetNextPageToken())
	if v.Partial() {
		return v.Render(status, "people-found", shown)
	}
	return v.Render(status, "people.html", shown)
}

// groupsOf are the groups of this site, whose titles people know; none where the policy cannot be read.
func groupsOf(v *page.Visit) []*deskpb.Team {
	inForce, err := v.API.Policies.GetPolicy(v.Ctx(), &apipb.GetPolicyRequest{Consistency: "stale"})
	if err != nil {
		return nil // then they are called by their names
	}
	return inForce.GetPolicy().GetGroups()
}

func newPersonRow(v *page.Visit, groups []*deskpb.Team, person *apipb.User) personRow {
	var member []string
	for _, group := range person.GetMemberOf() {
		member = append(member, titleOf(v, groups, group))
	}
	return personRow{
		Name: person.GetName(), DisplayName: cmp.Or(person.GetDisplayName(), person.GetName()), Role: v.Word("user-role." + person.GetRole().String()),
		Unit: person.GetUnit(), Phone: person.GetPhone(), Groups: strings.Join(member, v.Word("admin.comma")), Marks: personMarks(v, person),
	}
}

// personMarks say what is special about an account.
func personMarks(v *page.Visit, person *apipb.User) (marks []page.Mark) {
	if person.GetDisabled() {
		marks = append(marks, page.Mark{Word: v.Word("admin.person.disabled"), Shape: "✕", Tone: "off"})
	}
	if locked := person.GetLockTime(); locked != nil && locked.AsTime().After(v.Now()) {
		marks = append(marks, page.Mark{Word: v.Word("admin.person.locked"), Shape: "▲", Tone: "wait"})
	}
	if person.GetMustChangePassword() {
		marks = append(marks, page.Mark{Word: v.Word("admin.person.must-change"), Shape: "◔", Tone: "calm"})
	}
	if person.GetSecondFactor() {
		marks = append(marks, page.Mark{Word: v.Word("admin.person.second-factor"), Shape: "●", Tone: "good"})
	}
	if person.GetOnDuty() {
		marks = append(marks, page.Mark{Word: v.Word("admin.duty.on"), Shape: "●", Tone: "good"})
	}
	return marks
}

// roleChoices are the roles, with what each may do in a sentence.
func roleChoices(v *page.Visit, chosen string) (offered []choice) {
	for _, role := range []apipb.User_Role{
		apipb.User_AGENT, apipb.User_DISPATCHER, apipb.User_INCIDENT_MANAGER, apipb.User_LEADER, apipb.User_ADMINISTRATOR, apipb.User_AUDITOR,
		apipb.User_REQUESTER,
	} {
		offered = append(offered, choice{
			Value: role.String(), Word: v.Word("user-role." + role.String()), Hint: v.Word("admin.role." + role.String()), Chosen: role.String() == chosen,
		})
	}
	return offered
}

// account is a form about a person: what was filled in, what it offers, and what is wrong with it by field.
type account struct {
	Name, DisplayName, Unit, Phone, Email, Etag string
	Roles, Scopes, Groups, Lines, Offices       []choice
	ByPolicy                                    bool // some of the groups have the person because the policy says so
	KeepPassword                                bool
	Directory                                   string // who says most of it at each sign-in; empty for this site itself
	Problems                                    map[string]string
}

// newAccount is the form about a person as far as is known.
func newAccount(v *page.Visit, person *apipb.User) (account, error) {
	a := account{
		Name: person.GetName(), DisplayName: person.GetDisplayName(), Unit: person.GetUnit(), Phone: person.GetPhone(), Email: person.GetEmail(),
		Etag: person.GetEtag(), Roles: roleChoices(v, person.GetRole().String()), Problems: map[string]string{},
	}
	if person.GetSource() != apipb.User_LOCAL {
		a.Directory = person.GetSource().String()
	}
	for _, scope := range []apipb.User_Scope{apipb.User_SCOPE_UNSPECIFIED, apipb.User_OWN, apipb.User_GROUPS, apipb.User_SITE, apipb.User_SUBTREE} {
		a.Scopes = append(a.Scopes, choice{Value: scope.String(), Word: v.Word("admin.scope." + scope.String()), Chosen: scope == person.GetScope()})
	}
	var lines, offices []string
	for _, line := range person.GetLines() {
		lines = append(lines, line.String())
	}
	a.Lines = choices([]string{"FIRST", "SECOND", "THIRD"}, func(line string) string { return v.Word("line." + line) }, lines...)
	inForce, err := v.API.Policies.GetPolicy(v.Ctx(), &apipb.GetPolicyRequest{Consistency: "stale"})
	if err != nil {
		return a, err
	}
	titles := map[string]string{}
	groups := slices.Clone(person.GetGroups())
	for _, group := range inForce.GetPolicy().GetGroups() {
		titles[group.GetName()] = said(v, group.GetTitle())
		groups = append(groups, group.GetName())
	}
	slices.Sort(groups)
	named := func(group string) string { return cmp.Or(titles[group], group) }
	a.Groups = choices(slices.Compact(groups), named, person.GetGroups()...)
	for i, offered := range a.Groups {
		if team := policy.Group(inForce.GetPolicy(), offered.Value); !offered.Chosen && slices.Contains(team.GetMembers(), person.GetName()) {
			a.Groups[i].Hint, a.ByPolicy = v.Word("admin.person.by-policy"), true
		}
	}
	for _, site := range v.Standing.Sites().GetSites() {
		offices = append(offices, site.GetId())
	}
	offices = append(offices, person.GetOffices()...)
	slices.Sort(offices)
	a.Offices = choices(slices.Compact(offices), v.SiteNamed, person.GetOffices()...)
	return a, nil
}

// personOf is the person that a form speaks of.
func personOf(form url.Values) *apipb.User {
	person := &apipb.User{
		Name: strings.TrimSpace(form.Get("name")), DisplayName: strings.TrimSpace(form.Get("displayName")),
		Role:  apipb.User_Role(apipb.User_Role_value[form.Get("role")]),
		Scope: apipb.User_Scope(apipb.User_Scope_value[form.Get("scope")]),
		Phone: strings.TrimSpace(form.Get("phone")), Email: strings.TrimSpace(form.Get("email")), Unit: strings.TrimSpace(form.Get("unit")),
		Groups: form["groups"], Offices: form["offices"], Etag: form.Get("etag"),
	}
	for _, line := range form["lines"] {
		person.Lines = append(person.Lines, apipb.User_Line(apipb.User_Line_value[line]))
	}
	return person
}

// accountPage is the form for a new person.
type accountPage struct {
	shelf
	Account account
}

func serveNewPerson(v *page.Visit) error {
	if err := desk.May(v.Actor, desk.UserCreate); err != nil {
		return err
	}
	return showNewPerson(v, &apipb.User{Role: apipb.User_AGENT}, page.Problem{Status: http.StatusOK})
}

func showNewPerson(v *page.Visit, person *apipb.User, problem page.Problem) error {
	form, err := newAccount(v, person)
	if err != nil {
		return err
	}
	form.tell(problem)
	return v.Render(problem.Status, "new-person.html", accountPage{shelf: newShelf(v, v.Word("admin.people.new")), Account: form})
}

// tell puts a problem beside the field that it concerns; under the empty name what concerns the form as a whole.
func (a *account) tell(problem page.Problem) {
	if problem.Text != "" {
		a.Problems[strings.TrimPrefix(problem.Field, "user.")] = problem.Beside()
	}
}

func serveCreatePerson(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	person := personOf(form)
	if form.Get("password") != form.Get("again") {
		return showNewPerson(v, person, page.Problem{Status: http.StatusBadRequest, Field: "again", Text: v.Word("password.differ")})
	}
	made, err := v.API.Users.CreateUser(v.Ctx(), &apipb.CreateUserRequest{
		User: person, Password: form.Get("password"), KeepPassword: form.Get("keep") == "yes",
	})
	if err == nil {
		return v.Redirect(personPath(made.GetName()) + "?done=admin-person-new")
	}
	problem, shown := refused(v, err)
	if !shown {
		return err
	}
	return showNewPerson(v, person, problem)
}

func personPath(name string) string { return "/admin/people/" + url.PathEscape(name) }
