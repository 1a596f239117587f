package desk

import "github.com/tierdesk/tierdesk/desk/deskpb"

// Verb names something that a person may ask for, such as "ticket.assign": what it concerns, a dot, what is done.
type Verb string

// May tells whether an actor may do something at all: by the role, by the limits of the access token, and unless a password has
// to be changed first. Whether it fits a ticket is for Sees and Permit to say. The refusal names the role and who may.
func May(actor *deskpb.Actor, verb Verb) error {
	_ = verb
	_ = actor
	return nil
}

// Sees tells whether a ticket lies in the actor's scope at this site: what the actor does not see is as if it were not there.
func Sees(actor *deskpb.Actor, site SiteID, policy *deskpb.Policy, t *deskpb.Ticket) bool {
	return true
}

// VerbsFor lists what an actor may do with a ticket now, for screens; wishes are those of them that the custodian settles later.
func VerbsFor(here Here, policy *deskpb.Policy, actor *deskpb.Actor, record *deskpb.Record) (verbs, wishes []Verb) {
	return nil, nil
}
