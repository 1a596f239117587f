package machine

import (
	"bytes"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// usersAtOnce is how many users are read at a time when all are looked through.
const usersAtOnce = 100

// putUser writes a user. Whatever ends the right to be signed in ends the user's sessions: another password, a disabled account. The last
// administrator stays one.
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
	case c.IfVersion != 0 && c.IfVersion != old.Version:
		return desk.Refuse(desk.Aborted, "STALE_ETAG", "user %s was changed since it was read; read it again", name)
	}
	if c.User.Role != deskpb.User_ADMINISTRATOR || c.User.Disabled {
		if err := t.keepAdministrator(old); err != nil {
			return err
		}
	}
	if c.User.PasswordHash != old.PasswordHash || c.User.Disabled {
		if err := t.b.DeleteSessionsOf(name); err != nil {
			return err
		}
	}
	user := proto.CloneOf(c.User)
	user.CreateTime, user.Version = old.CreateTime, old.Version+1
	// These are written beside the version.
	user.LockedUntil, user.UnlockTime, user.Preferences = old.LockedUntil, old.UnlockTime, old.Preferences
	if bytes.Equal(user.TotpSecret, old.TotpSecret) {
		user.TotpStep = max(user.TotpStep, old.TotpStep)
	}
	return t.b.PutUser(user)
}

// dated is a new user with the entry's time as the time of its making.
func (t *turn) dated(user *deskpb.User) *deskpb.User {
	user = proto.CloneOf(user)
	user.CreateTime, user.Version = timestamppb.New(time.UnixMicro(t.at.Time)), 1
	return user
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

// keepAdministrator refuses when the user is the only administrator who may sign in: nobody could make another one.
func (t *turn) keepAdministrator(user *deskpb.User) error {
	if !administers(user) {
		return nil
	}
	for after := desk.UserID(""); ; {
		page, err := t.b.Users(after, usersAtOnce)
		if err != nil {
			return err
		}
		for _, other := range page {
			if administers(other) && other.Name != user.Name {
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

func administers(user *deskpb.User) bool {
	return user.Role == deskpb.User_ADMINISTRATOR && !user.Disabled
}

// lockUser keeps a user from signing in by password until a time, or lets the user again.
func (t *turn) lockUser(c *deskpb.LockUser) error {
	user, err := t.b.User(desk.UserID(c.User))
	if err != nil {
		return err
	}
	if user == nil {
		return noUser(desk.UserID(c.User))
	}
	if c.Until != 0 && c.Until <= user.LockedUntil {
		return nil
	}
	user.LockedUntil = c.Until
	if c.Until == 0 {
		user.UnlockTime = t.at.Time
	}
	return t.b.PutUser(user)
}

// setPreferences writes how a person has arranged the pages. What else is known of the person stays, and so does the version: nobody who
// changes the account meanwhile has to look again.
func (t *turn) setPreferences(c *deskpb.SetPreferences) error {
	user, err := t.b.User(desk.UserID(c.User))
	if err != nil {
		return err
	}
	if user == nil {
		return noUser(desk.UserID(c.User))
	}
	user.Preferences = c.Preferences
	return t.b.PutUser(user)
}

// checkUser holds a user to the least that the store and signing in need; people's names and passwords are checked
// before anything is proposed.
func checkUser(user *deskpb.User) error {
	switch {
	case user.GetName() == "":
		return desk.RefuseField("user.name", "it is missing")
	case user.Role == deskpb.User_ROLE_UNSPECIFIED:
		return desk.RefuseField("user.role", "it is missing; give one such as AGENT")
	case user.PasswordHash == "" && user.Source == deskpb.User_LOCAL:
		return desk.RefuseField("user.passwordHash", "it is missing")
	}
	return nil
}

func noUser(name desk.UserID) error {
	return desk.Refuse(desk.NotFound, "USER_NOT_FOUND", "there is no user %q at this site; list the users", name)
}
