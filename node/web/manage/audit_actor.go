package manage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// mostNamed is how many of those whose names fit the page names when there are several.
const mostNamed = 5

// findActor finds out whose entries are meant by what somebody typed: a user, a name, or a part of a name. A name that several people have,
// or nobody of this site any more, is looked for as the log says it; the log keeps the names of those whose accounts are gone.
func (s *auditSearch) findActor(v *page.Visit) error {
	if s.Actor == "" {
		return nil
	}
	if user, found := s.People.user(s.Actor); found {
		s.user = user
		return nil
	}
	answer, err := v.API.Users.ListUsers(v.Ctx(), &apipb.ListUsersRequest{Search: s.Actor, PageSize: peoplePage})
	if err != nil {
		problem, told := refused(v, err)
		if !told {
			return err
		}
		s.WrongActor = problem.Beside()
		return nil
	}
	var called, alike []*apipb.User
	for _, person := range answer.GetUsers() {
		switch {
		case strings.EqualFold(person.GetName(), s.Actor):
			s.user = person.GetName()
			return nil
		case person.GetDisplayName() == s.Actor:
			called = append(called, person)
		case strings.Contains(strings.ToLower(person.GetDisplayName()), strings.ToLower(s.Actor)):
			alike = append(alike, person)
		}
	}
	switch {
	case len(called) == 1:
		s.user = called[0].GetName()
	case len(called) == 0 && len(alike) == 1:
		s.user, s.Meant = alike[0].GetName(), v.Word("admin.audit.meant", alike[0].GetDisplayName(), alike[0].GetName())
	case len(called) == 0 && len(alike) > 1:
		s.WrongActor = v.Word("admin.audit.several", strings.Join(personsNamed(alike), v.Word("admin.comma")))
	case len(called) == 0 && isAccount(s.Actor):
		s.user = s.Actor
	default:
		s.name = s.Actor
	}
	return nil
}

// personsNamed are the names of the first of some people.
func personsNamed(people []*apipb.User) (names []string) {
	for _, person := range people[:min(len(people), mostNamed)] {
		names = append(names, cmp.Or(person.GetDisplayName(), person.GetName()))
	}
	if len(people) > mostNamed {
		names = append(names, "…")
	}
	return slices.Compact(names)
}

// isAccount tells whether a text can be a user, and not only a name.
func isAccount(text string) bool {
	return strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789._-@") == ""
}
