package store

import (
	"errors"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// PeopleVersion changes after every change of a user or a session, so that what was read of them after a version was
// taken holds for as long as the version stays.
func (s *Store) PeopleVersion() uint64 { return s.people.Load() }

// aboutPeople tells whether a row is a user or a session.
func aboutPeople(key keys.Key) bool { return key[0] == familyUser || key[0] == familySession }

// User returns nil when there is none with the name.
func (r *Reader) User(name desk.UserID) (*deskpb.User, error) {
	return load[deskpb.User](r, userKey(name))
}

// Users returns at most limit users behind a name, by name; the empty name is before all others.
func (r *Reader) Users(after desk.UserID, limit int) ([]*deskpb.User, error) {
	return list[deskpb.User](r, under(family(familyUser)).behind(userKey(after)).first(limit))
}

// UserQuery says which users a list is of.
type UserQuery struct {
	After desk.UserID             // the name behind which the list begins; the empty one is before all others
	Limit int                     // the most users
	Fits  func(*deskpb.User) bool // whether a user belongs to the list; nil for all
}

// FindUsers returns the users of a query, by name. It reads the accounts one after the other until there are enough: an account takes
// about a microsecond.
func (r *Reader) FindUsers(q UserQuery) (found []*deskpb.User, err error) {
	if q.Fits == nil {
		return r.Users(q.After, q.Limit)
	}
	if q.Limit < 1 {
		return nil, nil
	}
	err = r.scan(under(family(familyUser)).behind(userKey(q.After)), func(key, value []byte) (bool, error) {
		user, err := decode[deskpb.User](r, key, value)
		if err == nil && q.Fits(user) {
			found = append(found, user)
		}
		return len(found) < q.Limit, err
	})
	return found, err
}

// PutUser stores a user in place of one of the same name.
func (b *Batch) PutUser(u *deskpb.User) error {
	name := desk.UserID(u.GetName())
	if err := b.DeleteUser(name); err != nil {
		return err
	}
	for _, group := range u.GetGroups() {
		if err := b.set(memberKey(group).Text(string(name)).Key(), nil); err != nil {
			return err
		}
	}
	return b.put(userKey(name), u)
}

// DeleteUser deletes a user, if there is one; the sessions stay.
func (b *Batch) DeleteUser(name desk.UserID) error {
	user, err := b.User(name)
	if user == nil || err != nil {
		return err
	}
	for _, group := range user.GetGroups() {
		if err := b.delete(memberKey(group).Text(string(name)).Key()); err != nil {
			return err
		}
	}
	return b.delete(userKey(name))
}

func memberKey(group string) keys.Builder { return keys.Build(familyMember).Text(group) }

// MembersOf returns the users whose accounts name a group, by name, at most so many.
func (r *Reader) MembersOf(group string, most int) (members []desk.UserID, err error) {
	prefix := memberKey(group).Key()
	err = r.scan(under(prefix).first(most), func(row, _ []byte) (bool, error) {
		d := keys.Decode(row[len(prefix):])
		members = append(members, desk.UserID(d.Text()))
		return true, d.Done()
	})
	return members, err
}

// Session returns the session of a token by the token's hash, nil when there is none. An expired one is returned until
// ExpireSessions deletes it.
func (r *Reader) Session(tokenHash []byte) (*deskpb.Session, error) {
	return load[deskpb.Session](r, sessionKey(tokenHash))
}

// SessionsOf returns the sessions of a user, of all kinds, in no useful order. Expired ones may be among them.
func (r *Reader) SessionsOf(user desk.UserID) (sessions []*deskpb.Session, err error) {
	prefix := sessionOfKey(user)
	err = r.scan(under(prefix), func(row, _ []byte) (bool, error) {
		d := keys.Decode(row[len(prefix):])
		session, err := r.Session([]byte(d.Text()))
		if session != nil {
			sessions = append(sessions, session)
		}
		return true, errors.Join(err, d.Done())
	})
	return sessions, err
}

// PutSession stores a session in place of one with the same token hash.
func (b *Batch) PutSession(s *deskpb.Session) error {
	if err := b.DeleteSession(s.GetTokenHash()); err != nil {
		return err
	}
	for _, row := range sessionRows(s) {
		if err := b.set(row, nil); err != nil {
			return err
		}
	}
	return b.put(sessionKey(s.GetTokenHash()), s)
}

// DeleteSession deletes the session of a token by the token's hash, if there is one.
func (b *Batch) DeleteSession(tokenHash []byte) error {
	session, err := b.Session(tokenHash)
	if session == nil || err != nil {
		return err
	}
	for _, row := range sessionRows(session) {
		if err := b.delete(row); err != nil {
			return err
		}
	}
	return b.delete(sessionKey(tokenHash))
}

// DeleteSessionsOf deletes all sessions of a user.
func (b *Batch) DeleteSessionsOf(user desk.UserID) error {
	prefix := sessionOfKey(user)
	return b.deleteSessions(under(prefix), func(row []byte) (string, error) {
		d := keys.Decode(row[len(prefix):])
		return d.Text(), d.Done()
	})
}

// ExpireSessions deletes at most limit sessions that ended before the time (microseconds since 1970), those that ended
// first.
func (b *Batch) ExpireSessions(before int64, limit int) error {
	ended := between(family(familySessionEnd), sessionEndKey(before)).first(limit)
	return b.deleteSessions(ended, func(row []byte) (string, error) {
		d := keys.Decode(row)
		d.Byte()
		d.Int64()
		return d.Text(), d.Done()
	})
}

// deleteSessions deletes the sessions whose token hashes are in the rows of a span.
func (b *Batch) deleteSessions(over span, tokenHash func(row []byte) (string, error)) error {
	return b.scan(over, func(row, _ []byte) (bool, error) {
		hash, err := tokenHash(row)
		if err != nil {
			return false, &corruptError{path: b.path, cause: err}
		}
		return true, b.DeleteSession([]byte(hash))
	})
}

// sessionRows are the rows by which a session is found again from its user and from the time of its end.
func sessionRows(s *deskpb.Session) []keys.Key {
	hash := string(s.GetTokenHash())
	return []keys.Key{
		sessionOfKey(desk.UserID(s.GetUser())).Text(hash),
		sessionEndKey(s.GetExpireTime()).Text(hash),
	}
}
