package store

import (
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

func loadKey(user desk.UserID) keys.Builder { return keys.Build(familyLoad).Text(string(user)) }

// loadRow returns the row of an open ticket that somebody of this site has, nil for any other ticket.
func loadRow(record *deskpb.Record, site string) keys.Key {
	t := record.GetTicket()
	open := t.GetState() >= deskpb.Ticket_NEW && t.GetState() <= deskpb.Ticket_ON_HOLD
	here := t.GetCustodianSite() == site && t.GetHandover().GetState() != deskpb.Handover_IN_TRANSIT
	if !open || !here || t.GetAssignee() == "" {
		return nil
	}
	return loadKey(desk.UserID(t.GetAssignee())).Text(t.GetNumber()).Key()
}

// Load counts the open tickets held at this site that a person has, up to most.
func (r *Reader) Load(user desk.UserID, most int) (load int, err error) {
	err = r.scan(under(loadKey(user).Key()).first(most), func(_, _ []byte) (bool, error) {
		load++
		return true, nil
	})
	return load, err
}

func turnKey(group string) keys.Key { return keys.Build(familyTurn).Text(group).Key() }

// Turn returns the member of a group that got a ticket last by the rules, empty for none.
func (r *Reader) Turn(group string) (desk.UserID, error) {
	member, err := r.get(turnKey(group))
	return desk.UserID(member), err
}

// PutTurn notes which member of a group got a ticket by the rules.
func (b *Batch) PutTurn(group string, member desk.UserID) error {
	return b.set(turnKey(group), []byte(member))
}
