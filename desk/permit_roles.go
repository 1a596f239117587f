package desk

import (
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Area is what verbs are about, for the limits of access tokens.
type Area string

// The areas that limits name. Verbs of no area are for people who signed in themselves.
const (
	AreaTickets      Area = "tickets"
	AreaRequesters   Area = "requesters"
	AreaOwn          Area = "own"
	AreaPeople       Area = "people"
	AreaPolicy       Area = "policy"
	AreaSite         Area = "site"
	AreaPublications Area = "publications"
	AreaAudit        Area = "audit"

	personal Area = ""
)

// Areas returns the areas that limits name, in the order of the documentation.
func Areas() []Area {
	return []Area{AreaTickets, AreaRequesters, AreaOwn, AreaPeople, AreaPolicy, AreaSite, AreaPublications, AreaAudit}
}

// roleSet is a set of roles, one bit for each.
type roleSet uint16

const (
	requesters = roleSet(1 << deskpb.User_REQUESTER)
	leaders    = roleSet(1 << deskpb.User_LEADER)
	auditors   = roleSet(1 << deskpb.User_AUDITOR)

	// The chain of rights from its end: each is a role with all those that have more rights.
	administrators = roleSet(1 << deskpb.User_ADMINISTRATOR)
	managers       = administrators | 1<<deskpb.User_INCIDENT_MANAGER
	dispatchers    = managers | 1<<deskpb.User_DISPATCHER
	staff          = dispatchers | 1<<deskpb.User_AGENT

	served    = staff | requesters // what requesters do about their own tickets, and the desk for them
	asked     = staff | leaders    // what leaders take part in
	overseers = dispatchers | leaders | auditors
	readers   = staff | leaders | auditors
	everybody = readers | requesters
	nobody    = roleSet(0) // in particular: it needs no sign-in
)

func (s roleSet) has(role deskpb.User_Role) bool {
	return role > deskpb.User_ROLE_UNSPECIFIED && role <= deskpb.User_AUDITOR && s&(1<<role) != 0
}

// roles lists the set in the order of the documentation.
func (s roleSet) roles() []deskpb.User_Role {
	return slices.DeleteFunc(Roles(), func(role deskpb.User_Role) bool { return !s.has(role) })
}

// Roles returns all roles, in the order of the documentation: the chain of growing rights, then those that stand beside it.
func Roles() []deskpb.User_Role {
	return []deskpb.User_Role{
		deskpb.User_REQUESTER, deskpb.User_AGENT, deskpb.User_DISPATCHER, deskpb.User_INCIDENT_MANAGER, deskpb.User_ADMINISTRATOR,
		deskpb.User_LEADER, deskpb.User_AUDITOR,
	}
}

// stateSet is a set of states of a ticket, one bit for each.
type stateSet uint16

const (
	stateNew        = stateSet(1 << deskpb.Ticket_NEW)
	stateAssigned   = stateSet(1 << deskpb.Ticket_ASSIGNED)
	stateInProgress = stateSet(1 << deskpb.Ticket_IN_PROGRESS)
	stateOnHold     = stateSet(1 << deskpb.Ticket_ON_HOLD)
	stateResolved   = stateSet(1 << deskpb.Ticket_RESOLVED)
	stateClosed     = stateSet(1 << deskpb.Ticket_CLOSED)
	stateCanceled   = stateSet(1 << deskpb.Ticket_CANCELED)

	begun    = stateAssigned | stateInProgress | stateOnHold
	unsolved = stateNew | begun
	solved   = stateResolved | stateClosed
	anyState = unsolved | solved | stateCanceled
)

func (s stateSet) has(state deskpb.Ticket_State) bool { return s&(1<<state) != 0 }

// states lists the set in the order in which a ticket goes through them.
func (s stateSet) states() []deskpb.Ticket_State {
	all := []deskpb.Ticket_State{
		deskpb.Ticket_NEW, deskpb.Ticket_ASSIGNED, deskpb.Ticket_IN_PROGRESS, deskpb.Ticket_ON_HOLD, deskpb.Ticket_RESOLVED, deskpb.Ticket_CLOSED,
		deskpb.Ticket_CANCELED,
	}
	return slices.DeleteFunc(all, func(state deskpb.Ticket_State) bool { return !s.has(state) })
}
