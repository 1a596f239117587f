package tiers

import (
	"fmt"

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
		switch user.GetRole() {
		case deskpb.User_AGENT, deskpb.User_DISPATCHER, deskpb.User_INCIDENT_MANAGER, deskpb.User_ADMINISTRATOR:
			members = append(members, name)
		}
	}
	return members, nil
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
}

// Duties tells who of the groups is on duty at a time, in microseconds since 1970, in the order of the policy.
func Duties(r *store.Reader, at int64) ([]GroupDuty, error) {
	t, err := newTree(r)
	if err != nil {
		return nil, err
	}
	p, err := mergePolicy(r, t.path)
	if err != nil {
		return nil, err
	}
	var groups []GroupDuty
	for _, team := range p.GetGroups() {
		members, err := desk.Presences(p, team, at, view{tree: t})
		if err != nil {
			return nil, err
		}
		groups = append(groups, GroupDuty{Group: team, Members: members})
	}
	return groups, nil
}
