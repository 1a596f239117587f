package manage

import (
	"net/url"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// called is how the person of the address is called, with the name behind it.
func called(v *page.Visit) (string, error) {
	person, err := v.API.Users.GetUser(v.Ctx(), &apipb.GetUserRequest{Name: v.R.PathValue("name")})
	if person.GetDisplayName() == "" {
		return person.GetName(), err
	}
	return v.Word("admin.person.called", person.GetDisplayName(), person.GetName()), err
}

// deletePerson removes an account for good.
func deletePerson() deed {
	return deed{
		path: "/admin/people/{name}/delete", verb: desk.UserDelete,
		ask: func(v *page.Visit) (question, error) {
			name := v.R.PathValue("name")
			who, err := called(v)
			if err != nil {
				return question{}, err
			}
			left, err := leaves(v, name)
			return question{
				Title: v.Word("admin.delete.title", who), Button: v.Word("admin.delete.button"), Back: personPath(name), Type: name, Danger: true, Ways: left.ways,
				Consequences: slices.Concat([]string{v.Word("admin.delete.what", who), v.Word("admin.delete.kept")}, left.says, []string{v.Word("admin.delete.undo")}),
			}, err
		},
		do: func(v *page.Visit, _ url.Values) (string, error) {
			_, err := v.API.Users.DeleteUser(v.Ctx(), &apipb.DeleteUserRequest{Name: v.R.PathValue("name")})
			return "/admin/people?done=admin-person-delete", err
		},
	}
}

// endSessions signs a person out everywhere, and every program of the person.
func endSessions() deed {
	return deed{
		path: "/admin/people/{name}/sign-out", verb: desk.SessionRevoke,
		ask: func(v *page.Visit) (question, error) {
			who, err := called(v)
			return question{
				Title: v.Word("admin.sign-out.title", who), Button: v.Word("admin.sign-out.button"), Back: personPath(v.R.PathValue("name")), Danger: true,
				Consequences: []string{v.Word("admin.sign-out.what", who), v.Word("admin.sign-out.tokens"), v.Word("admin.sign-out.again")},
			}, err
		},
		do: func(v *page.Visit, _ url.Values) (string, error) {
			name := v.R.PathValue("name")
			_, err := v.API.Sessions.RevokeSessions(v.Ctx(), &apipb.RevokeSessionsRequest{User: name})
			return personPath(name) + "?done=admin-sign-out", err
		},
	}
}

// removeSecondFactor takes the second factor of somebody away who has lost it.
func removeSecondFactor() deed {
	return deed{
		path: "/admin/people/{name}/second-factor", verb: desk.UserSecondFactor,
		ask: func(v *page.Visit) (question, error) {
			who, err := called(v)
			return question{
				Title: v.Word("admin.factor.title", who), Button: v.Word("admin.factor.button"), Back: personPath(v.R.PathValue("name")), Danger: true,
				Consequences: []string{v.Word("admin.factor.what", who), v.Word("admin.factor.sure"), v.Word("admin.factor.again")},
			}, err
		},
		do: func(v *page.Visit, _ url.Values) (string, error) {
			name := v.R.PathValue("name")
			_, err := v.API.Users.RemoveSecondFactor(v.Ctx(), &apipb.RemoveSecondFactorRequest{Name: name})
			return personPath(name) + "?done=admin-factor", err
		},
	}
}

// disablePerson keeps somebody from signing in until the account is enabled again.
func disablePerson() deed {
	return deed{
		path: "/admin/people/{name}/disable", verb: desk.UserUpdate,
		ask: func(v *page.Visit) (question, error) {
			who, err := called(v)
			if err != nil {
				return question{}, err
			}
			left, err := leaves(v, v.R.PathValue("name"))
			return question{
				Title: v.Word("admin.disable.title", who), Button: v.Word("admin.disable.button"), Back: personPath(v.R.PathValue("name")), Danger: true, Ways: left.ways,
				Consequences: slices.Concat([]string{v.Word("admin.disable.what", who), v.Word("admin.disable.tickets")}, left.says, []string{v.Word("admin.disable.undo")}),
			}, err
		},
		do: func(v *page.Visit, _ url.Values) (string, error) {
			name := v.R.PathValue("name")
			_, err := v.API.Users.UpdateUser(v.Ctx(), &apipb.UpdateUserRequest{User: &apipb.User{Name: name, Disabled: true}, Fields: "disabled"})
			return personPath(name) + "?done=admin-person-disable", err
		},
	}
}

// endSession signs a person out at one device.
func endSession() deed {
	return deed{
		path: "/admin/people/{name}/sessions/{id}/end", verb: desk.SessionRevoke,
		ask: func(v *page.Visit) (question, error) {
			who, err := called(v)
			if err != nil {
				return question{}, err
			}
			rows, err := sessionRows(v, v.R.PathValue("name"))
			at := slices.IndexFunc(rows, func(s sessionRow) bool { return s.ID == v.R.PathValue("id") })
			if err != nil {
				return question{}, err
			}
			if at < 0 {
				return question{}, desk.Refuse(desk.NotFound, "SESSION_NOT_FOUND", "%s has no such session; it may have ended", who)
			}
			return question{
				Title: v.Word("admin.end-session.title", who), Button: v.Word("admin.end-session.button"), Back: personPath(v.R.PathValue("name")), Danger: true,
				Consequences: []string{v.Word("admin.end-session.what", who, rows[at].Address, rows[at].Client), v.Word("admin.end-session.again")},
			}, nil
		},
		do: func(v *page.Visit, _ url.Values) (string, error) {
			name := v.R.PathValue("name")
			_, err := v.API.Sessions.RevokeSession(v.Ctx(), &apipb.RevokeSessionRequest{User: name, Id: v.R.PathValue("id")})
			return personPath(name) + "?done=admin-session-end", err
		},
	}
}

// endToken takes away what a program of somebody signs in with.
func endToken() deed {
	return deed{
		path: "/admin/people/{name}/tokens/{id}/end", verb: desk.TokenRevoke,
		ask: func(v *page.Visit) (question, error) {
			who, err := called(v)
			if err != nil {
				return question{}, err
			}
			rows, err := tokenRows(v, v.R.PathValue("name"))
			at := slices.IndexFunc(rows, func(t tokenRow) bool { return t.ID == v.R.PathValue("id") })
			if err != nil {
				return question{}, err
			}
			if at < 0 {
				return question{}, desk.Refuse(desk.NotFound, "TOKEN_NOT_FOUND", "%s has no such access token; it may have ended", who)
			}
			return question{
				Title: v.Word("admin.end-token.title", rows[at].Title), Button: v.Word("admin.end-token.button"), Danger: true,
				Back: personPath(v.R.PathValue("name")), Consequences: []string{v.Word("admin.end-token.what", who), v.Word("admin.end-token.undo")},
			}, nil
		},
		do: func(v *page.Visit, _ url.Values) (string, error) {
			name := v.R.PathValue("name")
			_, err := v.API.AccessTokens.RevokeAccessToken(v.Ctx(), &apipb.RevokeAccessTokenRequest{User: name, Id: v.R.PathValue("id")})
			return personPath(name) + "?done=admin-token-end", err
		},
	}
}
