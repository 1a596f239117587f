package machine

import (
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// setDuty says by hand that somebody is on duty or not. Whether the caller may is checked before anything is proposed.
func (t *turn) setDuty(c *deskpb.SetDuty) error {
	if err := t.needUser(c.GetUser()); err != nil {
		return err
	}
	if c.GetUntil() != 0 && c.GetUntil() <= t.at.Time {
		return desk.RefuseField("until", "it lies in the past; give a later time, or none for until further notice")
	}
	return t.b.PutDuty(c)
}

// markNotices notes what somebody has read.
func (t *turn) markNotices(c *deskpb.MarkNotices) error {
	if err := t.needUser(c.GetUser()); err != nil {
		return err
	}
	return t.b.MarkNotices(desk.UserID(c.GetUser()), c.GetThrough())
}

func (t *turn) needUser(name string) error {
	user, err := t.b.User(desk.UserID(name))
	if err == nil && user == nil {
		err = noUser(desk.UserID(name))
	}
	return err
}
