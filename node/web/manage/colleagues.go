package manage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// colleagues are the people of this site who can be in a group or on a roster, by their names.
type colleagues []colleague

type colleague struct {
	User string
	Name string // what a form calls the person; nobody else is called like that
	Role string // in words
}

// readColleagues reads those who may sign in here and do not only report problems.
func readColleagues(v *page.Visit) (colleagues, error) {
	duty, err := v.API.Duties.ListDuty(v.Ctx(), &apipb.ListDutyRequest{Colleagues: true})
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, one := range duty.GetColleagues() {
		count[one.GetUser()]++
		if name := one.GetDisplayName(); name != one.GetUser() {
			count[name]++
		}
	}
	var all colleagues
	for _, one := range duty.GetColleagues() {
		name := cmp.Or(one.GetDisplayName(), one.GetUser())
		if name != one.GetUser() && count[name] > 1 {
			name += " (" + one.GetUser() + ")"
		}
		all = append(all, colleague{User: one.GetUser(), Name: name, Role: v.Word("user-role." + one.GetRole().String())})
	}
	slices.SortFunc(all, func(a, b colleague) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// find returns who has a user; for nobody of this site somebody who is called like the user.
func (c colleagues) find(user string) colleague {
	if i := slices.IndexFunc(c, func(one colleague) bool { return one.User == user }); i >= 0 {
		return c[i]
	}
	return colleague{User: user, Name: user}
}

// names are the names of users, in their order.
func (c colleagues) names(users []string) []string {
	names := make([]string, len(users))
	for i, user := range users {
		names[i] = c.find(user).Name
	}
	return names
}

// user is who is meant by what somebody typed, a name or a user; false for nobody.
func (c colleagues) user(typed string) (string, bool) {
	for _, one := range c {
		if one.Name == typed || strings.EqualFold(one.User, typed) {
			return one.User, true
		}
	}
	return "", false
}

// users are those who are meant by names, in their order, with the first name that means nobody. Users that are known
// already, such as those of somebody who has left, mean themselves.
func (c colleagues) users(typed, known []string) (users []string, nobody string) {
	for _, name := range typed {
		name = strings.TrimSpace(name)
		user, found := c.user(name)
		if !found && slices.Contains(known, name) {
			user, found = name, true
		}
		switch {
		case name == "":
		case !found:
			nobody = cmp.Or(nobody, name)
		default:
			users = append(users, user)
		}
	}
	return users, nobody
}

// places are what stands in the inputs for people: those who were named, and empty ones behind them.
func places(named []string, empty int) []string {
	return append(slices.DeleteFunc(slices.Clone(named), func(one string) bool { return strings.TrimSpace(one) == "" }), make([]string, empty)...)
}
