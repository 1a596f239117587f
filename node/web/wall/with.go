package wall

import (
	"cmp"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// names are how the people of this site are called, and the groups. People of other sites are called as tickets name them: somebody here
// may have the same name for signing in.
type names struct {
	here           string // this site
	people, groups map[string]string
}

// namesOf asks who works here. Without an answer everybody is called as tickets name them.
func namesOf(v *page.Visit) names {
	known := names{here: v.SiteID, people: map[string]string{}, groups: map[string]string{}}
	duty, err := v.API.Duties.ListDuty(v.Ctx(), &apipb.ListDutyRequest{})
	if err != nil {
		return known
	}
	for _, group := range duty.GetGroups() {
		known.groups[group.GetName()] = group.GetTitle().GetZh()
		if english := group.GetTitle().GetEn(); v.Lang == page.English && english != "" {
			known.groups[group.GetName()] = english
		}
		for _, member := range group.GetMembers() {
			known.people[member.GetUser()] = member.GetDisplayName()
		}
	}
	return known
}

// with says who works on a ticket: the group, the person, or both; empty for nobody.
func (n names) with(t *deskpb.Ticket) string {
	person, site := t.GetAssignee(), desk.AssigneeSite(t)
	name := desk.NameOf(t, site, person)
	if site == n.here {
		name = cmp.Or(n.people[person], name)
	}
	person = cmp.Or(name, person)
	group := cmp.Or(n.groups[t.GetGroup()], t.GetGroup())
	if person == "" || group == "" {
		return person + group
	}
	return group + " · " + person
}
