package machine

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

const (
	// expireAtOnce is how many ended sessions a new one clears away at most.
	expireAtOnce = 100
	// mostSessions and mostTokens are how many a user has open at most. One more session ends the one that was used longest ago; one more
	// token is refused.
	mostSessions = 100
	mostTokens   = 50
)

// openSession lets a user in, or a program in a user's name, and clears away sessions that have ended.
func (t *turn) openSession(c *deskpb.OpenSession) error {
	session := c.Session
	switch {
	case len(session.GetTokenHash()) != sha256.Size:
		return desk.RefuseField("session.tokenHash", "it has %d bytes, not the %d of a SHA-256", len(session.GetTokenHash()), sha256.Size)
	case session.ExpireTime <= t.at.Time:
		return desk.RefuseField("session.expireTime", "it lies in the past")
	case session.Kind == deskpb.Session_ACCESS_TOKEN && len(session.Limits) == 0:
		return desk.RefuseField("session.limits", "an access token has one at least")
	}
	user, err := t.b.User(desk.UserID(session.User))
	if err != nil {
		return err
	}
	if user == nil {
		return noUser(desk.UserID(session.User))
	}
	if c.IfVersion != 0 && c.IfVersion != user.Version {
		return desk.Refuse(desk.Aborted, "STALE_ETAG", "user %s was changed while the password was looked at; sign in again", user.Name)
	}
	if user.Disabled {
		return desk.Refuse(desk.Unauthenticated, "WRONG_PASSWORD", "the user or the password is wrong")
	}
	crowding, err := t.crowding(session)
	if err != nil {
		return err
	}
	if err := t.takeCode(user, c.TotpStep); err != nil {
		return err
	}
	if err := t.b.ExpireSessions(t.at.Time, expireAtOnce); err != nil {
		return err
	}
	for _, other := range crowding {
		if err := t.b.DeleteSession(other.TokenHash); err != nil {
			return err
		}
	}
	return t.b.PutSession(session)
}

// crowding returns the sessions of the user that must end for one more. No token ends for another one.
func (t *turn) crowding(session *deskpb.Session) ([]*deskpb.Session, error) {
	open, err := t.b.SessionsOf(desk.UserID(session.User))
	if err != nil {
		return nil, err
	}
	open = slices.DeleteFunc(open, func(s *deskpb.Session) bool { return s.Kind != session.Kind || s.ExpireTime <= t.at.Time })
	if session.Kind == deskpb.Session_ACCESS_TOKEN {
		if len(open) >= mostTokens {
			return nil, desk.Refuse(desk.FailedPrecondition, "TOO_MANY_TOKENS", "%s has %d access tokens; revoke one first", session.User, len(open))
		}
		return nil, nil
	}
	slices.SortFunc(open, func(a, b *deskpb.Session) int {
		return cmp.Or(cmp.Compare(a.SeenTime, b.SeenTime), bytes.Compare(a.TokenHash, b.TokenHash))
	})
	return open[:max(len(open)-mostSessions+1, 0)], nil
}

// takeCode notes the time step of a second factor's code, so that no code works twice; 0 for none.
func (t *turn) takeCode(user *deskpb.User, step int64) error {
	if step == 0 {
		return nil
	}
	if step <= user.TotpStep {
		return desk.Refuse(desk.Unauthenticated, "WRONG_CODE", "the second factor's code is wrong or was used before; wait for the next one")
	}
	user.TotpStep = step
	return t.b.PutUser(user)
}

// renewSessions prolongs sessions that were used, never beyond their latest time. One that has ended meanwhile stays ended, and none is
// shortened by what another node saw.
func (t *turn) renewSessions(c *deskpb.RenewSessions) error {
	for _, renewal := range c.Renewals {
		session, err := t.b.Session(renewal.TokenHash)
		if err != nil {
			return err
		}
		if session == nil || session.ExpireTime <= t.at.Time {
			continue
		}
		expires := max(session.ExpireTime, min(renewal.ExpireTime, t.at.Time+session.Idle, session.LatestTime))
		seen := max(session.SeenTime, min(renewal.SeenTime, t.at.Time))
		if expires == session.ExpireTime && seen == session.SeenTime {
			continue
		}
		session.ExpireTime, session.SeenTime = expires, seen
		if err := t.b.PutSession(session); err != nil {
			return err
		}
	}
	return nil
}

// closeSessions ends sessions and access tokens of a user: the one with the id, or all but the one excepted.
func (t *turn) closeSessions(c *deskpb.CloseSessions) error {
	user := desk.UserID(c.User)
	open, err := t.b.SessionsOf(user)
	if err != nil {
		return err
	}
	if c.Id != "" && !slices.ContainsFunc(open, func(s *deskpb.Session) bool { return s.Id == c.Id }) {
		return desk.Refuse(desk.NotFound, "SESSION_NOT_FOUND", "nothing of %.80q is open under the id %.80q; list what is open", user, c.Id)
	}
	for _, session := range open {
		if c.Id != "" && session.Id != c.Id || c.Id == "" && bytes.Equal(session.TokenHash, c.Except) {
			continue
		}
		if err := t.b.DeleteSession(session.TokenHash); err != nil {
			return err
		}
	}
	return nil
}
