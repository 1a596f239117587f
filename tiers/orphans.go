package tiers

import (
	"bytes"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// lose notes an event whose id belongs to another one. What was decided on top of it can never be folded anywhere: left in
// the journal it would keep its ticket from being decided for ever, so it goes the same way.
func (u *union) lose(e desk.Sealed) {
	if u.lost == nil {
		u.lost = map[string]bool{}
	}
	u.lost[string(desk.Hash(e.Raw))] = true
}

// orphan tells whether a custodial event was decided on top of one that is lost.
func (u *union) orphan(e desk.Sealed) bool {
	return e.Class == deskpb.Event_CUSTODIAL && u.lost[string(e.Previous)]
}

// setOrphanAside parks an event that stands on a lost one, and loses it too.
func (u *union) setOrphanAside(e desk.Sealed) error {
	u.lose(e)
	return u.setAside(e, fmt.Sprintf("event %s was decided on top of one that gave way to another with its id", desk.EventName(e.Id)))
}

// takeOutOrphans removes from the journal what was decided on top of a lost event.
func (u *union) takeOutOrphans(of desk.Sealed) error {
	number, hash := desk.TicketNumber(of.Ticket), desk.Hash(of.Raw)
	events, err := allEvents(u.b.Reader, number)
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.Class != deskpb.Event_CUSTODIAL || !bytes.Equal(e.Previous, hash) {
			continue
		}
		if err := u.takeOut(e.Raw); err != nil {
			return err
		}
	}
	return nil
}
