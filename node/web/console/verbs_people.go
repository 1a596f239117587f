package console

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

const (
	// peopleRows is how many places a form has at first for people in turn, peopleMore how many are added on demand.
	peopleRows = 3
	peopleMore = 2
)

// moreButton is the name of the button by which a form asks for more places for people. It does nothing with the ticket.
const moreButton = "more"

// staffMember is somebody of this site who can be asked to do or to sign something.
type staffMember struct {
	user string
	name string // what a form calls the person; nobody else is called like that
	role string // in words
}

// staff are the people of the site who can be asked for something, by their names. They are read once.
func (d *dossier) staff() ([]staffMember, error) {
	if d.colleagues != nil {
		return d.colleagues, nil
	}
	duty, err := d.API.Duties.ListDuty(d.Ctx(), &apipb.ListDutyRequest{Colleagues: true})
	if err != nil {
		return nil, err
	}
	d.colleagues = namedApart(duty.GetColleagues())
	for i, one := range duty.GetColleagues() {
		d.colleagues[i].role = d.Word("user-role." + one.GetRole().String())
	}
	slices.SortFunc(d.colleagues, func(a, b staffMember) int { return cmp.Compare(a.name, b.name) })
	return d.colleagues, nil
}

// namedApart calls people by their names, in the order given; those who share a name, or are called like somebody's user, by their user
// too.
func namedApart(people []*apipb.Colleague) []staffMember {
	count := make(map[string]int, 2*len(people))
	for _, one := range people {
		count[one.GetUser()]++
		if name := one.GetDisplayName(); name != one.GetUser() {
			count[name]++
		}
	}
	found := make([]staffMember, len(people))
	for i, one := range people {
		name := cmp.Or(one.GetDisplayName(), one.GetUser())
		if name != one.GetUser() && count[name] > 1 {
			name += " (" + one.GetUser() + ")"
		}
		found[i] = staffMember{user: one.GetUser(), name: name}
	}
	return found
}

// offerStaff are the people of the site by name, with user and role beside it. It offers nobody while the site does not say who they are.
func offerStaff(d *dossier) (found []choice) {
	people, err := d.staff()
	if err != nil {
		return nil
	}
	for _, one := range people {
		found = append(found, choice{Value: one.name, Word: one.user + " · " + one.role})
	}
	return found
}

// nameOfStaff is what a form calls a user; the user itself where this site has no such person.
func (d *dossier) nameOfStaff(user string) string {
	people, err := d.staff()
	if err != nil {
		return user
	}
	for _, one := range people {
		if one.user == user {
			return one.name
		}
	}
	return user
}

// userNamed is who is meant by what somebody typed: a name of the list, or a user. It tells false for nobody.
func userNamed(people []staffMember, typed string) (user string, found bool) {
	for _, one := range people {
		if one.name == typed || strings.EqualFold(one.user, typed) {
			return one.user, true
		}
	}
	return "", false
}

// withUsers is a form with users in place of the names that were typed for people. What the ticket says already may stay.
func (d *dossier) withUsers(verb *verb, form url.Values) (url.Values, error) {
	meant := form
	for _, field := range verb.fields {
		if field.kind != kindPerson && field.kind != kindPeople || !form.Has(field.name) {
			continue
		}
		people, err := d.staff()
		if err != nil {
			return nil, err
		}
		users := []string{}
		for _, typed := range form[field.name] {
			typed = strings.TrimSpace(typed)
			user, found := userNamed(people, typed)
			switch {
			case typed == "":
				continue
			case field.present != nil && typed == field.present(d.ticket):
				user = typed
			case !found:
				refusal := desk.Refuse(desk.InvalidArgument, "NO_COLLEAGUE", "%.64q is nobody of this office; choose somebody from the list", typed)
				refusal.Field = field.name
				return nil, refusal
			}
			users = append(users, user)
		}
		meant = cloneForm(meant, field.name, users)
	}
	return meant, nil
}

// cloneForm is a form with other values of one field.
func cloneForm(form url.Values, name string, values []string) url.Values {
	changed := make(url.Values, len(form))
	for key, all := range form {
		changed[key] = all
	}
	changed[name] = values
	return changed
}

// places are what stands in the places of a field for people in turn: those who were typed, and empty ones behind them.
func places(typed []string, more bool) []string {
	filled := slices.DeleteFunc(slices.Clone(typed), func(one string) bool { return strings.TrimSpace(one) == "" })
	wanted := max(peopleRows, len(filled)+1)
	if more {
		wanted = len(typed) + peopleMore
	}
	for len(filled) < min(wanted, desk.MaxSigners) {
		filled = append(filled, "")
	}
	return filled
}
