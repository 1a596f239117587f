package people

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// What a Directory's Check may come to besides somebody found.
var (
	// ErrWrong says that the directory knows nobody with the name and the password, or does not admit the person here.
	ErrWrong = errors.New("the directory does not vouch for the user with this password")
	// ErrUnreachable says that the directory did not answer, so that nothing is known.
	ErrUnreachable = errors.New("the directory cannot be reached")
)

// Directory vouches for people of whom this site keeps no password of its own, such as LDAP.
type Directory interface {
	// Check looks a person up and tries the password, which is never empty. The error is, or wraps, ErrWrong or ErrUnreachable; any
	// other one is a fault of the configuration.
	Check(ctx context.Context, user, password string) (*Found, error)
}

// Found is what a directory says of a person. It is taken over at each sign-in.
type Found struct {
	// Name is what the account is called here: a-z, 0-9, '.', '_' and '-'.
	Name string
	// Subject names the person at the directory: a distinguished name, or for good by issuer and subject.
	Subject                         string
	DisplayName, Email, Phone, Unit string
	Role                            deskpb.User_Role
	Scope                           deskpb.User_Scope
	Groups                          []string
}

// user is the account that the directory describes, made of the one that is there. What does not have the form of an account's field
// is left out, so that nobody is kept out by a telephone number.
func (f Found) user(old *deskpb.User, source deskpb.User_Source) *deskpb.User {
	user := &deskpb.User{}
	if old != nil {
		user = proto.CloneOf(old)
	}
	user.Name, user.Source, user.Subject = f.Name, source, f.Subject
	user.DisplayName, user.Unit = oneLine(f.DisplayName, maxDisplayName), oneLine(f.Unit, maxUnit)
	user.Phone, user.Email = "", ""
	if isPhone(f.Phone) {
		user.Phone = f.Phone
	}
	if isEmail(f.Email) {
		user.Email = f.Email
	}
	user.Role, user.Scope, user.Groups = f.Role, f.Scope, f.Groups
	return user
}

// Admit lets somebody in whom a directory vouches for: it makes or updates the account and opens a session. An account of another
// source, or of another person under the same name, is never taken over.
func (p *People) Admit(ctx context.Context, found Found, source deskpb.User_Source, address, client string) (*apipb.CreateSessionResponse, error) {
	user, err := p.adopt(ctx, found, source, "", address)
	if err != nil {
		p.tellRefused(desk.UserID(found.Name), address, err)
		return nil, err
	}
	return p.welcome(ctx, opening{
		user: user, life: life{idle: p.options.Session, longest: p.options.Longest}, address: address, client: client,
	})
}

// vouchElsewhere asks the directory. While it cannot be reached, the password that it took last stands in for it, for a time. What is
// answered then does not depend on whether there is one.
func (p *People) vouchElsewhere(ctx context.Context, user *deskpb.User, t try, begin func() error) (*deskpb.User, error) {
	if err := begin(); err != nil {
		return nil, err
	}
	if t.password == "" || len(t.password) > maxPassword || !spelled(t.name) {
		return nil, wrongPassword()
	}
	found, err := p.options.Directory.Check(ctx, string(t.name), t.password)
	switch {
	case err == nil:
		if err := p.unlockedAs(ctx, desk.UserID(found.Name)); err != nil {
			return nil, err
		}
		return p.adopt(ctx, *found, deskpb.User_LDAP, t.password, t.address)
	case errors.Is(err, ErrWrong):
		return nil, wrongPassword()
	case !errors.Is(err, ErrUnreachable):
		return nil, fmt.Errorf("ask the directory about %q: %w", t.name, err)
	}
	p.log.Warn("the directory cannot be reached", "error", err)
	hash := ""
	if user.GetOfflineUntil() > p.clock().UnixMicro() && !user.GetDisabled() {
		hash = user.PasswordHash
	}
	fits, err := p.hasher.matches(ctx, t.password, hash, nil)
	if err != nil {
		return nil, err
	}
	if fits {
		return user, nil
	}
	err = desk.Refuse(desk.Unauthenticated, "DIRECTORY_UNREACHABLE",
		"the directory cannot be reached, and what is kept of it here does not fit the user and the password; try again later")
	if hash == "" {
		err = unjudged{err}
	}
	return nil, err
}

// unjudged is the refusal of a password that nobody could judge. It says what a wrong one is told.
type unjudged struct{ error }

func (u unjudged) Unwrap() error { return u.error }

// spelled tells whether a name has one spelling alone. To a directory letters with and without accents, of full width, and with spaces
// between may be the same, and whoever has many names for one account has as many tries for each.
func spelled(name desk.UserID) bool {
	return !strings.ContainsFunc(string(name), func(r rune) bool { return r <= ' ' || r > '~' })
}

// unlockedAs refuses an account that is locked, however it was named.
func (p *People) unlockedAs(ctx context.Context, name desk.UserID) error {
	account, err := p.user(ctx, name)
	if err != nil {
		return err
	}
	return p.lockedOut(account)
}

// adoptions bounds how often an account is written that changes under the hand.
const adoptions = 3

// adopt makes or updates the account of somebody whom a directory found. The password is kept as a hash, for when the directory cannot be
// reached; "" for none.
func (p *People) adopt(ctx context.Context, found Found, source deskpb.User_Source, password, address string) (*deskpb.User, error) {
	for range adoptions {
		old, err := p.user(ctx, desk.UserID(found.Name))
		if err != nil {
			return nil, err
		}
		if err := mayAdopt(old, found, source); err != nil {
			return nil, err
		}
		user := found.user(old, source)
		if err := p.keepOffline(ctx, user, password); err != nil {
			return nil, err
		}
		if err := checkUser(user); err != nil {
			return nil, fmt.Errorf("take over what the directory says of %q: %w", found.Name, err)
		}
		if proto.Equal(user, old) {
			return user, nil
		}
		self := &deskpb.Actor{User: user.Name, Role: user.Role, Address: address}
		err = p.put(ctx, self, &deskpb.PutUser{User: user, CreateOnly: old == nil, IfVersion: old.GetVersion()})
		var refusal *desk.Refusal
		switch {
		case err == nil:
			return p.existing(ctx, desk.UserID(found.Name))
		case !errors.As(err, &refusal):
			return nil, err
		case refusal.Reason == "LAST_ADMINISTRATOR":
			found.Role = old.Role
		case refusal.Code != desk.Aborted && refusal.Code != desk.AlreadyExists:
			return nil, err
		}
	}
	return nil, desk.Refuse(desk.Aborted, "STALE_ETAG", "user %s is being changed; try again", found.Name)
}

// mayAdopt refuses an account that is somebody else's, and one that may not sign in. Distinguished names change with the office that a
// person works at, subjects of OpenID Connect never.
func mayAdopt(old *deskpb.User, found Found, source deskpb.User_Source) error {
	switch {
	case !wellNamed(found.Name):
		return desk.Refuse(desk.PermissionDenied, "BAD_NAME", "the directory's name %.80q cannot be that of an account: use a-z, 0-9, '.', '_' and '-'", found.Name)
	case old == nil:
		return nil
	case old.Source != source, source == deskpb.User_OIDC && old.Subject != found.Subject:
		return desk.Refuse(desk.PermissionDenied, "NAME_TAKEN", "the name %s is that of another account at this site; ask an administrator", old.Name)
	case old.Disabled:
		return wrongPassword()
	}
	return nil
}

// keepOffline notes the password that the directory took, and until when it stands in for the directory. It is written again once half of the
// time is over, so that not every sign-in changes the account.
func (p *People) keepOffline(ctx context.Context, user *deskpb.User, password string) error {
	if p.options.Offline == 0 || password == "" {
		user.PasswordHash, user.OfflineUntil = "", 0
		return nil
	}
	now := p.clock()
	fits, err := p.hasher.matches(ctx, password, user.PasswordHash, nil)
	if err != nil {
		return err
	}
	if !fits {
		if user.PasswordHash, err = p.hasher.hash(ctx, password); err != nil {
			return err
		}
	}
	if !fits || time.UnixMicro(user.OfflineUntil).Sub(now) < p.options.Offline/2 {
		user.OfflineUntil = now.Add(p.options.Offline).UnixMicro()
	}
	return nil
}
