package machine

import (
	"crypto/sha256"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// expireAtOnce is how many ended sessions a new one clears away at most.
const expireAtOnce = 100

// usersAtOnce is how many users are read at a time when all are looked through.
const usersAtOnce = 100

// putUser writes a user. A changed password ends the user's sessions, and the last administrator stays one.
func (t *turn) putUser(c *deskpb.PutUser) error {
	if err := checkUser(c.User); err != nil {
		return err
	}
	name := desk.UserID(c.User.Name)
	old, err := t.b.User(name)
	if err != nil {
		return err
	}
	switch {
	case old == nil && !c.CreateOnly:
		return noUser(name)
	case old == nil:
		return t.b.PutUser(t.dated(c.User))
	case c.CreateOnly:
		return desk.Refuse(desk.AlreadyExists, "USER_EXISTS", "user %s exists already", name)
	}
	if c.User.Role != deskpb.User_ADMINISTRATOR {
		if err := t.keepAdministrator(old); err != nil {
			return err
		}
	}
	if c.User.PasswordHash != old.PasswordHash {
		if err := t.b.DeleteSessionsOf(name); err != nil {
			return err
		}
	}
	user := proto.CloneOf(c.User)
	user.CreateTime = old.CreateTime
	return t.b.PutUser(user)
}

// removeUser deletes a user with all that the site keeps for the person, and ends the user's sessions.
func (t *turn) removeUser(c *deskpb.RemoveUser) error {
	name := desk.UserID(c.Name)
	user, err := t.b.User(name)
	if err != nil {
		return err
	}
	if user == nil {
		return noUser(name)
	}
	if err := t.keepAdministrator(user); err != nil {
		return err
	}
	for _, remove := range []func(desk.UserID) error{t.b.DeleteSessionsOf, t.b.DeleteNotices, t.b.DeleteDuty} {
		if err := remove(name); err != nil {
			return err
		}
	}
	return t.b.DeleteUser(name)
}

// keepAdministrator refuses when the user is the only administrator: nobody could make another one.
func (t *turn) keepAdministrator(user *deskpb.User) error {
	if user.Role != deskpb.User_ADMINISTRATOR {
		return nil
	}
	for after := desk.UserID(""); ; {
		page, err := t.b.Users(after, usersAtOnce)
		if err != nil {
			return err
		}
		for _, other := range page {
			if other.Role == deskpb.User_ADMINISTRATOR && other.Name != user.Name {
				return nil
			}
			after = desk.UserID(other.Name)
		}
		if len(page) < usersAtOnce {
			return desk.Refuse(desk.FailedPrecondition, "LAST_ADMINISTRATOR",
				"%s is the last administrator; make another one first", user.Name)
		}
	}
}

// openSession lets a user in, and clears away sessions that have ended.
func (t *turn) openSession(c *deskpb.OpenSession) error {
	session := c.Session
	switch {
	case len(session.GetTokenHash()) != sha256.Size:
		return desk.RefuseField("session.tokenHash", "it has %d bytes, not the %d of a SHA-256", len(session.GetTokenHash()), sha256.Size)
	case session.ExpireTime <= t.at.Time:
		return desk.RefuseField("session.expireTime", "it lies in the past")
	}
	user, err := t.b.User(desk.UserID(session.User))
	if err != nil {
		return err
	}
	if user == nil {
		return noUser(desk.UserID(session.User))
	}
	if err := t.b.ExpireSessions(t.at.Time, expireAtOnce); err != nil {
		return err
	}
	return t.b.PutSession(session)
}

// checkUser holds a user to the least that the store and signing in need; people's names and passwords are checked
// before anything is proposed.
func checkUser(user *deskpb.User) error {
	switch {
	case user.GetName() == "":
		return desk.RefuseField("user.name", "it is missing")
	case user.Role == deskpb.User_ROLE_UNSPECIFIED:
		return desk.RefuseField("user.role", "it is missing; use AGENT, INCIDENT_MANAGER or ADMINISTRATOR")
	case user.PasswordHash == "":
		return desk.RefuseField("user.passwordHash", "it is missing")
	}
	return nil
}

// dated is a new user with the entry's time as the time of its making.
func (t *turn) dated(user *deskpb.User) *deskpb.User {
	user = proto.CloneOf(user)
	user.CreateTime = timestamppb.New(time.UnixMicro(t.at.Time))
	return user
}

func noUser(name desk.UserID) error {
	return desk.Refuse(desk.NotFound, "USER_NOT_FOUND", "there is no user %q at this site", name)
}
