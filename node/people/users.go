package people

import (
	"context"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// maxDisplayName is the longest name for people, in characters.
const maxDisplayName = 200

// maxPage is how many users one list holds at most.
const maxPage = 1000

// CreateUser makes a user. Administrators only.
func (p *People) CreateUser(ctx context.Context, actor *deskpb.Actor, user *deskpb.User, password string) (*deskpb.User, error) {
	if err := administrators(actor, "create users"); err != nil {
		return nil, err
	}
	made, err := p.NewUser(ctx, user, password)
	if err != nil {
		return nil, err
	}
	if err := p.put(ctx, &deskpb.PutUser{User: made, CreateOnly: true}); err != nil {
		return nil, err
	}
	// The time of its making was set by the log.
	if made, err = p.user(ctx, desk.UserID(made.Name)); err != nil {
		return nil, err
	}
	return public(made), nil
}

// NewUser checks a user's name, role and password and returns what CreateUser would store, without storing it: the first
// administrator is part of the founding of a site.
func (p *People) NewUser(ctx context.Context, user *deskpb.User, password string) (*deskpb.User, error) {
	if err := checkUser(user); err != nil {
		return nil, err
	}
	if err := checkPassword(password); err != nil {
		return nil, err
	}
	hash, err := p.hasher.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	return &deskpb.User{Name: user.Name, DisplayName: user.DisplayName, Role: user.Role, PasswordHash: hash}, nil
}

// SetPassword gives a user another password and ends the user's sessions. Everyone may set their own, administrators
// everybody's.
func (p *People) SetPassword(ctx context.Context, actor *deskpb.Actor, name desk.UserID, password string) error {
	if desk.UserID(actor.GetUser()) != name {
		if err := administrators(actor, "set the password of others"); err != nil {
			return err
		}
	}
	if err := checkPassword(password); err != nil {
		return err
	}
	user, err := p.user(ctx, name)
	if err != nil {
		return err
	}
	if user == nil {
		return desk.Refuse(desk.NotFound, "USER_NOT_FOUND", "there is no user %q at this site", name)
	}
	if user.PasswordHash, err = p.hasher.hash(ctx, password); err != nil {
		return err
	}
	return p.put(ctx, &deskpb.PutUser{User: user})
}

// DeleteUser removes a user and ends the user's sessions. Administrators only.
func (p *People) DeleteUser(ctx context.Context, actor *deskpb.Actor, name desk.UserID) error {
	if err := administrators(actor, "delete users"); err != nil {
		return err
	}
	return p.propose(ctx, &deskpb.Command{Kind: &deskpb.Command_RemoveUser{RemoveUser: &deskpb.RemoveUser{Name: string(name)}}})
}

// ListUsers returns at most limit users behind a name, in the order of names, without their hashes. Administrators only.
func (p *People) ListUsers(ctx context.Context, actor *deskpb.Actor, after desk.UserID, limit int) (users []*deskpb.User, err error) {
	if err := administrators(actor, "list users"); err != nil {
		return nil, err
	}
	if limit < 1 || limit > maxPage {
		return nil, desk.RefuseField("pageSize", "%d is not between 1 and %d", limit, maxPage)
	}
	err = p.site.Read(ctx, false, func(r *store.Reader) error {
		users, err = r.Users(after, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, user := range users {
		users[i] = public(user)
	}
	return users, nil
}

func (p *People) put(ctx context.Context, put *deskpb.PutUser) error {
	return p.propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PutUser{PutUser: put}})
}

// administrators refuses everybody else.
func administrators(actor *deskpb.Actor, what string) error {
	if actor.GetRole() == deskpb.User_ADMINISTRATOR {
		return nil
	}
	return desk.Refuse(desk.PermissionDenied, "ADMINISTRATORS_ONLY", "only administrators may %s", what)
}

// public is the user without the hash.
func public(user *deskpb.User) *deskpb.User {
	user = proto.CloneOf(user)
	user.PasswordHash = ""
	return user
}

func checkUser(user *deskpb.User) error {
	display := user.GetDisplayName()
	switch _, known := deskpb.User_Role_name[int32(user.GetRole())]; {
	case !regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`).MatchString(user.GetName()):
		return desk.RefuseField("user.name", "%.80q is not 1 to 64 of a-z, 0-9, '.', '_' and '-'", user.GetName())
	case !utf8.ValidString(display) || strings.ContainsFunc(display, unicode.IsControl) || utf8.RuneCountInString(display) > maxDisplayName:
		return desk.RefuseField("user.displayName", "it is not one line of at most %d characters", maxDisplayName)
	case !known || user.GetRole() == deskpb.User_ROLE_UNSPECIFIED:
		return desk.RefuseField("user.role", "use AGENT, INCIDENT_MANAGER or ADMINISTRATOR")
	}
	return nil
}

// checkPassword never shows the password.
func checkPassword(password string) error {
	switch {
	case !utf8.ValidString(password):
		return desk.RefuseField("password", "it is not UTF-8")
	case utf8.RuneCountInString(password) < minPassword:
		return desk.RefuseField("password", "it is shorter than %d characters", minPassword)
	case len(password) > maxPassword:
		return desk.RefuseField("password", "it is longer than %d bytes", maxPassword)
	}
	return nil
}
