package manage

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

func personRoutes() []page.Route {
	routes := []page.Route{
		{Pattern: "GET /admin/people/{name}", Serve: servePerson},
		{Pattern: "POST /admin/people/{name}", Serve: serveUpdatePerson},
		{Pattern: "POST /admin/people/{name}/password", Serve: servePersonPassword},
		{Pattern: "POST /admin/people/{name}/unlock", Serve: serveUnlock},
		{Pattern: "POST /admin/people/{name}/enable", Serve: serveEnablePerson},
	}
	return slices.Concat(routes, disablePerson().routes(), deletePerson().routes(), endSessions().routes(), endSession().routes(),
		endToken().routes(), removeSecondFactor().routes())
}

// personPage is one person with everything that belongs to the account.
type personPage struct {
	shelf
	Person   personRow
	Account  account
	Facts    []fact
	Sessions []sessionRow
	Tokens   []tokenRow
	Locked   bool
	Factor   bool
	Edit     bool // whether the visitor may change the account
	Oneself  bool
	Disabled bool
}

type sessionRow struct {
	ID, Address, Client string
	Created, Seen, Ends page.Moment
	Current             bool
}

type tokenRow struct {
	ID, Title, Limits   string
	Created, Seen, Ends page.Moment
}

func servePerson(v *page.Visit) error {
	person, err := v.API.Users.GetUser(v.Ctx(), &apipb.GetUserRequest{Name: v.R.PathValue("name")})
	if err != nil {
		return err
	}
	return showPerson(v, person, page.Problem{Status: http.StatusOK})
}

func showPerson(v *page.Visit, person *apipb.User, problem page.Problem) error {
	form, err := newAccount(v, person)
	if err != nil {
		return err
	}
	form.tell(problem)
	shown := personPage{
		shelf: newShelf(v, cmp.Or(person.GetDisplayName(), person.GetName())), Person: newPersonRow(v, groupsOf(v), person), Account: form,
		Edit: v.May(desk.UserUpdate), Oneself: person.GetName() == v.Actor.GetUser(), Disabled: person.GetDisabled(), Factor: person.GetSecondFactor(),
		Locked: person.GetLockTime() != nil && person.GetLockTime().AsTime().After(v.Now()),
	}
	shown.Facts = personFacts(v, person, shown.Person.Groups)
	if v.May(desk.SessionList) {
		if shown.Sessions, err = sessionRows(v, person.GetName()); err != nil {
			return err
		}
	}
	if v.May(desk.TokenList) {
		if shown.Tokens, err = tokenRows(v, person.GetName()); err != nil {
			return err
		}
	}
	return v.Render(problem.Status, "person.html", shown)
}

func personFacts(v *page.Visit, person *apipb.User, groups string) []fact {
	facts := []fact{
		{v.Word("sign-in.user"), person.GetName()},
		{v.Word("admin.person.role"), v.Word("user-role." + person.GetRole().String())},
		{v.Word("admin.person.scope"), v.Word("admin.scope." + person.GetScope().String())},
		{v.Word("admin.person.source"), v.Word("admin.source." + person.GetSource().String())},
		{v.Word("admin.person.created"), v.Time(person.GetCreateTime()).Clock},
	}
	if groups != "" {
		facts = append(facts, fact{v.Word("admin.person.groups"), groups})
	}
	return facts
}

func sessionRows(v *page.Visit, name string) (rows []sessionRow, err error) {
	open, err := v.API.Sessions.ListSessions(v.Ctx(), &apipb.ListSessionsRequest{User: name})
	for _, session := range open.GetSessions() {
		rows = append(rows, sessionRow{
			ID: session.GetId(), Address: session.GetAddress(), Client: session.GetClient(), Current: session.GetCurrent(),
			Created: v.Time(session.GetCreateTime()), Seen: v.Time(session.GetSeenTime()), Ends: v.Time(session.GetExpireTime()),
		})
	}
	return rows, err
}

func tokenRows(v *page.Visit, name string) (rows []tokenRow, err error) {
	made, err := v.API.AccessTokens.ListAccessTokens(v.Ctx(), &apipb.ListAccessTokensRequest{User: name})
	for _, token := range made.GetTokens() {
		rows = append(rows, tokenRow{
			ID: token.GetId(), Title: token.GetTitle(), Limits: strings.Join(token.GetLimits(), ", "),
			Created: v.Time(token.GetCreateTime()), Seen: v.Time(token.GetSeenTime()), Ends: v.Time(token.GetExpireTime()),
		})
	}
	return rows, err
}

// serveUpdatePerson changes an account. Of somebody whom a directory vouches for only what the directory does not say.
func serveUpdatePerson(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	before, err := v.API.Users.GetUser(v.Ctx(), &apipb.GetUserRequest{Name: v.R.PathValue("name")})
	if err != nil {
		return err
	}
	person := personOf(form)
	person.Name = before.GetName()
	fields := "lines,offices"
	if before.GetSource() == apipb.User_LOCAL {
		fields = "displayName,role,phone,email,unit,groups,scope," + fields
	}
	_, err = v.API.Users.UpdateUser(v.Ctx(), &apipb.UpdateUserRequest{User: person, Fields: fields})
	if err == nil {
		return v.Redirect(personPath(person.Name) + "?done=admin-person")
	}
	problem, shown := refused(v, err)
	if !shown {
		return err
	}
	return showPerson(v, typedOver(before, person), problem)
}

// typedOver is a person as known, with what somebody has typed about the person. The etag is the one of the form.
func typedOver(known, typed *apipb.User) *apipb.User {
	typed.Source, typed.CreateTime, typed.SecondFactor, typed.LockTime = known.Source, known.CreateTime, known.SecondFactor, known.LockTime
	typed.MustChangePassword, typed.MemberOf, typed.OnDuty, typed.Disabled = known.MustChangePassword, known.MemberOf, known.OnDuty, known.Disabled
	if known.GetSource() != apipb.User_LOCAL {
		typed.Role, typed.Scope, typed.Groups = known.Role, known.Scope, known.Groups
	}
	return typed
}

// servePersonPassword gives somebody a password, which has to be replaced at the next sign-in.
func servePersonPassword(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	name := v.R.PathValue("name")
	problem := page.Problem{Status: http.StatusBadRequest, Field: "again", Text: v.Word("password.differ")}
	if form.Get("password") == form.Get("again") {
		_, err := v.API.Users.SetPassword(v.Ctx(), &apipb.SetPasswordRequest{Name: name, Password: form.Get("password")})
		if err == nil {
			return v.Redirect(personPath(name) + "?done=admin-person-password")
		}
		shown := false
		if problem, shown = refused(v, err); !shown {
			return err
		}
	}
	person, err := v.API.Users.GetUser(v.Ctx(), &apipb.GetUserRequest{Name: name})
	if err != nil {
		return err
	}
	if problem.Field == "" {
		problem.Field = "password"
	}
	return showPerson(v, person, problem)
}

func serveUnlock(v *page.Visit) error {
	name := v.R.PathValue("name")
	if _, err := v.API.Users.UnlockUser(v.Ctx(), &apipb.UnlockUserRequest{Name: name}); err != nil {
		return err
	}
	return v.Redirect(personPath(name) + "?done=admin-person-unlock")
}

// serveEnablePerson lets somebody sign in again whose account was disabled.
func serveEnablePerson(v *page.Visit) error {
	name := v.R.PathValue("name")
	if _, err := v.API.Users.UpdateUser(v.Ctx(), &apipb.UpdateUserRequest{User: &apipb.User{Name: name}, Fields: "disabled"}); err != nil {
		return err
	}
	return v.Redirect(personPath(name) + "?done=admin-person-enable")
}
