package tiers

import (
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// mostLoad bounds how many tickets of a person are counted: who has more is loaded enough.
const mostLoad = 1000

// usersAtOnce is how many users are read at a time when all are looked through.
const usersAtOnce = 100

// Person tells whether somebody with the name signs in at this site; who may not do so any more is no person of the site.
func (v view) Person(user desk.UserID) (bool, error) {
	known, err := v.tree.r.User(user)
	return known != nil && !known.Disabled, err
}

// DisplayName returns how somebody who works at this site, or did so, is called.
func (v view) DisplayName(user desk.UserID) (string, error) {
	known, err := v.tree.r.User(user)
	if known.GetRole() == deskpb.User_REQUESTER {
		return "", err
	}
	return known.GetDisplayName(), err
}

// Duty returns what was last said by hand of a person's duty.
func (v view) Duty(user desk.UserID) (*deskpb.SetDuty, error) { return v.tree.r.Duty(user) }

// mostMembers bounds the accounts of a group that are looked at.
const mostMembers = 1000

// Members lists the people of this site who work on tickets and whose accounts name a group, by name. Leaders and auditors belong to a
// group to see its tickets, not to get any.
func (v view) Members(group string) (members []desk.UserID, err error) {
	named, err := v.tree.r.MembersOf(group, mostMembers)
	if err != nil {
		return nil, err
	}
	for _, name := range named {
		user, err := v.tree.r.User(name)
		if err != nil {
			return nil, err
		}
		if works(user) {
			members = append(members, name)
		}
	}
	return members, nil
}

// works tells whether somebody gets tickets as a member of a group.
func works(user *deskpb.User) bool {
	switch user.GetRole() {
	case deskpb.User_AGENT, deskpb.User_DISPATCHER, deskpb.User_INCIDENT_MANAGER, deskpb.User_ADMINISTRATOR:
		return true
	}
	return false
}

// Load counts the open tickets that a person has here.
func (v view) Load(user desk.UserID) (int, error) { return v.tree.r.Load(user, mostLoad) }

// Rotation returns the member of a group that got a ticket last by the rules.
func (v view) Rotation(group string) (desk.UserID, error) { return v.tree.r.Turn(group) }

// Managers lists the incident managers of this site, by name; its administrators where nobody is one.
func (v view) Managers() ([]desk.UserID, error) { return managers(v.tree.r) }

func managers(r *store.Reader) ([]desk.UserID, error) {
	found := map[deskpb.User_Role][]desk.UserID{}
	for after := desk.UserID(""); ; {
		page, err := r.Users(after, usersAtOnce)
		if err != nil {
			return nil, fmt.Errorf("read the users: %w", err)
		}
		for _, user := range page {
			if after = desk.UserID(user.Name); !user.Disabled {
				found[user.Role] = append(found[user.Role], after)
			}
		}
		if len(page) == usersAtOnce {
			continue
		}
		if appointed := found[deskpb.User_INCIDENT_MANAGER]; len(appointed) > 0 {
			return appointed, nil
		}
		return found[deskpb.User_ADMINISTRATOR], nil
	}
}

// GroupDuty is a group of the policy with those of its members that are people of this site.
type GroupDuty struct {
	Group   *deskpb.Team
	Members []desk.Presence
	// Names are how the people of all groups are called, as their accounts say.
	Names map[desk.UserID]string
}

// Duties tells who of the groups is on duty at a time, in microseconds since 1970, in the order of the policy.
func Duties(r *store.Reader, at int64) ([]GroupDuty, error) {
	everybody := once{roll: r.Roll(), names: map[desk.UserID]string{}}
	groups, err := duties(r, at, func(v view) (desk.Roll, error) {
		everybody.view = v
		return everybody, nil
	})
	for i := range groups {
		groups[i].Names = everybody.names
	}
	return groups, err
}

// once is the roll of all people of the site. It reads each row once for as long as it holds, however many groups a person is in and
// however many ask.
type once struct {
	view
	roll  store.Roll
	names map[desk.UserID]string // of those who were asked for
}

// Person tells whether somebody with the name signs in at this site.
func (o once) Person(user desk.UserID) (bool, error) {
	known, err := o.roll.User(user)
	o.names[user] = known.GetDisplayName()
	return known != nil && !known.GetDisabled(), err
}

// Duty returns what was last said by hand of a person's duty.
func (o once) Duty(user desk.UserID) (*deskpb.SetDuty, error) { return o.roll.Duty(user) }

// Members lists those who work on tickets here and whose accounts name a group.
func (o once) Members(group string) (members []desk.UserID, err error) {
	named, err := o.roll.MembersOf(group, mostMembers)
	if err != nil {
		return nil, err
	}
	for _, name := range named {
		known, err := o.roll.User(name)
		if err != nil {
			return nil, err
		}
		if works(known) {
			members = append(members, name)
		}
	}
	return members, nil
}

// DutiesAmong tells the same of some people alone, and reads nobody else's account.
func DutiesAmong(r *store.Reader, at int64, people []desk.UserID) ([]GroupDuty, error) {
	return duties(r, at, func(v view) (desk.Roll, error) {
		these := among{view: v}
		for _, name := range slices.Sorted(slices.Values(people)) {
			account, err := r.User(name)
			if err != nil {
				return nil, fmt.Errorf("read the user %s: %w", name, err)
			}
			if account != nil {
				these.accounts = append(these.accounts, account)
			}
		}
		return these, nil
	})
}

// among is the roll of some people of the site, by name.
type among struct {
	view
	accounts []*deskpb.User
}

// Person tells whether somebody is one of them and signs in here.
func (a among) Person(user desk.UserID) (bool, error) {
	return slices.ContainsFunc(a.accounts, func(known *deskpb.User) bool { return known.GetName() == string(user) && !known.GetDisabled() }), nil
}

// Members lists those of them who work on tickets and whose accounts name a group.
func (a among) Members(group string) (members []desk.UserID, err error) {
	for _, known := range a.accounts {
		if works(known) && slices.Contains(known.GetGroups(), group) {
			members = append(members, desk.UserID(known.GetName()))
		}
	}
	return members, nil
}

// duties asks a roll who is on duty in each group of the policy.
func duties(r *store.Reader, at int64, roll func(view) (desk.Roll, error)) ([]GroupDuty, error) {
	t, err := newTree(r)
	if err != nil {
		return nil, err
	}
	p, err := newView(r, t).Policy()
	if err != nil {
		return nil, err
	}
	asked, err := roll(view{tree: t})
	if err != nil {
		return nil, err
	}
	var groups []GroupDuty
	for _, team := range p.GetGroups() {
		members, err := desk.Presences(p, team, at, asked)
		if err != nil {
			return nil, err
		}
		groups = append(groups, GroupDuty{Group: team, Members: members})
	}
	return groups, nil
}
