package store

import (
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

func dutyKey(user desk.UserID) keys.Key { return keys.Build(familyDuty).Text(string(user)).Key() }

// Duty returns what was last said by hand of a person's duty, nil when nothing was.
func (r *Reader) Duty(user desk.UserID) (*deskpb.SetDuty, error) {
	return load[deskpb.SetDuty](r, dutyKey(user))
}

// Duties returns at most limit of what was last said by hand, by the names of the people.
func (r *Reader) Duties(limit int) ([]*deskpb.SetDuty, error) {
	return list[deskpb.SetDuty](r, under(family(familyDuty)).first(limit))
}

// PutDuty stores what is said by hand of a person's duty, in place of what was said before.
func (b *Batch) PutDuty(d *deskpb.SetDuty) error { return b.put(dutyKey(desk.UserID(d.GetUser())), d) }

// DeleteDuty forgets what was said of a person's duty, if anything was.
func (b *Batch) DeleteDuty(user desk.UserID) error { return b.delete(dutyKey(user)) }
