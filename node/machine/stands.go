package machine

import (
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// stands refuses what somebody asks for by a session that has ended meanwhile, or with a role that is not the account's any more: the node
// that took the call may lag behind, and what people change in accounts, policy and site outlives the session. Who signs in or out, and
// the site itself, is not asked for a session.
func (t *turn) stands(c *deskpb.Command) error {
	actor := c.GetActor()
	signsIn := c.GetOpenSession() != nil && c.GetOpenSession().GetSession().GetKind() == deskpb.Session_SIGN_IN
	if actor.GetSession() == "" || signsIn || c.GetCloseSession() != nil {
		return nil
	}
	open, err := t.b.SessionsOf(desk.UserID(actor.GetUser()))
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(open, func(s *deskpb.Session) bool { return s.GetId() == actor.GetSession() }) {
		return desk.Refuse(desk.Unauthenticated, "TOKEN_UNKNOWN", "the token is not known any more; sign in again")
	}
	user, err := t.b.User(desk.UserID(actor.GetUser()))
	if err != nil {
		return err
	}
	if user.GetRole() != actor.GetRole() {
		return desk.Refuse(desk.Aborted, "STALE_ROLE", "user %s has another role since this was asked for; try again", actor.GetUser())
	}
	return nil
}
