package manage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// colleagues are the people who can be in a group or on a roster of this site, by their names, and whom its policy names besides.
type colleagues struct {
	Here []colleague
	away []colleague // of the sites above
}

type colleague struct {
	User string
	Name string // what a form calls the person; nobody else is called like that
	Role string // in words; of somebody of a site above whose person it is
}

// readColleagues reads those who may sign in here and do not only report problems. Of the sites above there are those whom their layers
// name; how they are called the layers say.
func readColleagues(v *page.Visit, h *holding) (all colleagues, err error) {
	duty, err := v.API.Duties.ListDuty(v.Ctx(), &apipb.ListDutyRequest{Colleagues: true})
	if err != nil {
		return all, err
	}
	for _, one := range duty.GetColleagues() {
		all.Here = append(all.Here, colleague{
			User: one.GetUser(), Name: cmp.Or(one.GetDisplayName(), one.GetUser()), Role: v.Word("user-role." + one.GetRole().String()),
		})
	}
	for _, layer := range slices.Backward(h.layers) {
		if publisher := layer.told.GetPublisher(); publisher != "" && publisher != v.SiteID {
			all.add(layer, v.Word("admin.groups.of-office", v.SiteNamed(publisher)))
		}
	}
	all.tellApart()
	slices.SortFunc(all.Here, func(a, b colleague) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// add adds those whom a layer of a site above names and who are nobody of this site. Whose people they are the layer that was added first
// says: it is nearer.
func (c *colleagues) add(layer writtenLayer, whose string) {
	var users []string
	for _, group := range layer.policy.GetGroups() {
		users = append(append(users, group.GetMembers()...), group.GetManager())
	}
	for _, roster := range layer.policy.GetRosters() {
		for _, shift := range roster.GetShifts() {
			users = append(users, shift.GetPeople()...)
		}
	}
	for _, user := range users {
		if user != "" && c.find(user).Role == "" {
			c.away = append(c.away, colleague{User: user, Name: cmp.Or(layer.told.GetNames()[user], user), Role: whose})
		}
	}
}

// tellApart adds the user to the name of everybody who is called like somebody else.
func (c *colleagues) tellApart() {
	count := map[string]int{}
	for _, one := range slices.Concat(c.Here, c.away) {
		count[one.User]++
		if one.Name != one.User {
			count[one.Name]++
		}
	}
	for _, all := range [][]colleague{c.Here, c.away} {
		for i, one := range all {
			if one.Name != one.User && count[one.Name] > 1 {
				all[i].Name += " (" + one.User + ")"
			}
		}
	}
}

// find returns who has a user, first of this site; for nobody who is known somebody who is called like the user.
func (c colleagues) find(user string) colleague {
	for _, all := range [][]colleague{c.Here, c.away} {
		if i := slices.IndexFunc(all, func(one colleague) bool { return one.User == user }); i >= 0 {
			return all[i]
		}
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

// whose says of which sites above users are, each once.
func (c colleagues) whose(users []string) (sites []string) {
	for _, one := range c.away {
		if slices.Contains(users, one.User) && !slices.Contains(sites, one.Role) {
			sites = append(sites, one.Role)
		}
	}
	return sites
}

// user is who is meant by what somebody typed, a name or a user; false for nobody of this site.
func (c colleagues) user(typed string) (string, bool) {
	for _, one := range c.Here {
		if one.Name == typed || strings.EqualFold(one.User, typed) {
			return one.User, true
		}
	}
	return "", false
}

// users are those who are meant by names, in their order, with the first name that means nobody. Users that are known
// already, such as those of somebody who has left or is of a site above, mean themselves.
func (c colleagues) users(typed, known []string) (users []string, nobody string) {
	for _, name := range typed {
		name = strings.TrimSpace(name)
		user, found := c.user(name)
		if i := slices.IndexFunc(known, func(one string) bool { return one == name || c.find(one).Name == name }); !found && i >= 0 {
			user, found = known[i], true
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
