package desk

import (
	"cmp"
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// Sees tells whether a ticket lies in the actor's scope at this site: what the actor does not see is as if it were not there. The
// policy is asked for the members of groups. The names on a ticket are of people of the site that wrote them down, so those of
// another site with the same names do not count.
func Sees(actor *deskpb.Actor, site SiteID, p *deskpb.Policy, record *deskpb.Record) bool {
	if isSite(actor) {
		return true
	}
	t, scope := record.GetTicket(), scopeOf(actor)
	switch {
	case isGuest(actor):
		return t.GetHomeSite() == string(site) && t.GetNumber() != "" && t.GetNumber() == actor.GetTicket()
	case t == nil || actor.GetUser() == "":
		return false
	case actor.GetRole() == deskpb.User_REQUESTER:
		return reported(t, site, actor)
	case reported(t, site, actor), accompanies(t, site, actor), has(t, site, actor):
		return true
	case scope == deskpb.User_OWN:
		return false
	case scope == deskpb.User_SUBTREE && oversees(actor, record):
		return true
	case scope == deskpb.User_SITE && (t.GetHomeSite() == string(site) || t.GetCustodianSite() == string(site)):
		return true
	}
	return withGroups(t, site, p, actor)
}

// SeesAll tells whether an actor sees every ticket that the site knows, so that none of them has to be looked at.
func SeesAll(actor *deskpb.Actor) bool {
	return isSite(actor) || scopeOf(actor) == deskpb.User_SUBTREE && len(actor.GetOffices()) == 0
}

// isSite tells whether the actor is the site itself.
func isSite(actor *deskpb.Actor) bool {
	return actor.GetUser() == "" && actor.GetRole() == deskpb.User_ROLE_UNSPECIFIED
}

// scopeOf returns the actor's scope, that of the role when none is given.
func scopeOf(actor *deskpb.Actor) deskpb.User_Scope {
	if actor.GetRole() == deskpb.User_REQUESTER {
		return deskpb.User_OWN
	}
	return cmp.Or(actor.GetScope(), deskpb.User_SUBTREE)
}

// reported tells whether the actor reported the ticket, as a requester with an account at its home.
func reported(t *deskpb.Ticket, site SiteID, actor *deskpb.Actor) bool {
	return t.GetHomeSite() == string(site) && t.GetRequester().GetUser() == actor.GetUser()
}

// accompanies tells whether the actor is a collaborator of the ticket. Its home names them when it opens the ticket.
func accompanies(t *deskpb.Ticket, site SiteID, actor *deskpb.Actor) bool {
	return t.GetHomeSite() == string(site) && slices.Contains(t.GetCollaborators(), actor.GetUser())
}

// has tells whether the actor has the ticket, or a task, co-signing or approval of it.
func has(t *deskpb.Ticket, site SiteID, actor *deskpb.Actor) bool {
	if t.GetCustodianSite() == string(site) && t.GetAssignee() == actor.GetUser() {
		return true
	}
	for _, task := range t.GetTasks() {
		if task.GetSite() != string(site) {
			continue
		}
		if task.GetAssignee() == actor.GetUser() || signs(task, actor) {
			return true
		}
	}
	return false
}

// signs tells whether the actor is named among those who have to sign a task.
func signs(task *deskpb.Task, actor *deskpb.Actor) bool {
	for _, signer := range task.GetSigners() {
		if signer.GetUser() == actor.GetUser() {
			return true
		}
	}
	return false
}

// oversees tells whether the ticket's home is one of the actor's offices or lies below one, by the ticket's path. Without
// offices everything does.
func oversees(actor *deskpb.Actor, record *deskpb.Record) bool {
	offices := actor.GetOffices()
	if len(offices) == 0 || slices.Contains(offices, record.GetTicket().GetHomeSite()) {
		return true
	}
	for _, site := range record.GetPath() {
		if slices.Contains(offices, site) {
			return true
		}
	}
	return false
}

// withGroups tells whether the ticket, or a task of it, is with a group of the actor's, or is this site's and with no group yet.
func withGroups(t *deskpb.Ticket, site SiteID, p *deskpb.Policy, actor *deskpb.Actor) bool {
	if t.GetCustodianSite() == string(site) && (t.GetGroup() == "" || isMember(p, actor, t.GetGroup())) {
		return true
	}
	for _, task := range t.GetTasks() {
		if task.GetSite() == string(site) && task.GetGroup() != "" && isMember(p, actor, task.GetGroup()) {
			return true
		}
	}
	return false
}

// isMember tells whether the actor is a member of a group, by the account or by the policy, or is its manager.
func isMember(p *deskpb.Policy, actor *deskpb.Actor, group string) bool {
	if slices.Contains(actor.GetGroups(), group) {
		return true
	}
	team := policy.Group(p, group)
	return slices.Contains(team.GetMembers(), actor.GetUser()) || team != nil && team.GetManager() == actor.GetUser()
}
