package store

import (
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/store/keys"
)

// Changes say what a batch has written, for those who look at the site and want to know when to look again. They are no part of the
// state: what is done with them must not come back into it.
type Changes struct {
	// Everything may have changed; the rest says nothing then.
	Everything bool
	// Tickets that were written, each once.
	Tickets []desk.TicketNumber
	// Events that were added to journals, as their authors encoded them. They must not be changed.
	Events [][]byte
	// People whose notices were written, each once.
	Notified []desk.UserID
	// Policy, People: something was written that the policy is made of; an account or a session.
	Policy, People bool
}

// Changes tells what the batch has written so far; it is asked before Commit.
func (b *Batch) Changes() Changes {
	var c Changes
	tickets, notified := map[desk.TicketNumber]bool{}, map[desk.UserID]bool{}
	ticket := func(number desk.TicketNumber) {
		if !tickets[number] {
			tickets[number] = true
			c.Tickets = append(c.Tickets, number)
		}
	}
	for _, w := range b.pending.writes {
		c.Policy, c.People = c.Policy || aboutPolicy(w.key), c.People || aboutPeople(w.key)
		switch w.key[0] {
		case familyTicket:
			ticket(desk.TicketNumber(firstText(w.key)))
		case familyJournal:
			if !w.deleted {
				c.Events = append(c.Events, w.value)
			}
		case familyNotice:
			if user := desk.UserID(firstText(w.key)); !notified[user] {
				notified[user] = true
				c.Notified = append(c.Notified, user)
			}
		}
	}
	for _, changed := range b.pending.drafts.changed {
		ticket(changed.number)
	}
	return c
}

// firstText is the text behind the family of a key.
func firstText(key keys.Key) string { return keys.Decode(key[1:]).Text() }
