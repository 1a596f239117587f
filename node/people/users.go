package people

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// maxPage is how many users one list holds at most.
const maxPage = 1000

// CreateUser makes a user, who has to set another password first unless the request keeps the given one.
func (p *People) CreateUser(ctx context.Context, actor *deskpb.Actor, r *apipb.CreateUserRequest) (*apipb.User, error) {
	if err := desk.May(actor, desk.UserCreate); err != nil {
		return nil, err
	}
	user := &deskpb.User{Name: r.GetUser().GetName()}
	takeOver(user, r.GetUser())
	made, err := p.NewUser(ctx, user, r.GetPassword())
	if err != nil {
		return nil, err
	}
	made.MustChangePassword = !r.GetKeepPassword()
	if err := p.put(ctx, actor, &deskpb.PutUser{User: made, CreateOnly: true}); err != nil {
		return nil, err
	}
	return p.again(ctx, made.Name) // the log has set when it was made
}

// NewUser checks a user's fields and password and returns what CreateUser would store, without storing it: the first administrator is
// part of the founding of a site, and keeps the password.
func (p *People) NewUser(ctx context.Context, user *deskpb.User, password string) (*deskpb.User, error) {
	if err := checkUser(user); err != nil {
		return nil, err
	}
	if err := checkPassword(password); err != nil {
		return nil, err
	}
	made := proto.CloneOf(user)
	var err error
	made.PasswordHash, err = p.hasher.hash(ctx, password)
	made.PasswordTime = p.clock().UnixMicro()
	return made, err
}

// User returns one user. Everyone may read their own, with the preferences that nobody else is shown.
func (p *People) User(ctx context.Context, actor *deskpb.Actor, name desk.UserID) (*apipb.User, error) {
	user, err := p.account(ctx, actor, name, desk.OwnRead, desk.UserRead)
	if err != nil {
		return nil, err
	}
	shown := p.shown(user)
	if actor.GetUser() == user.Name {
		shown.Preferences = shownPreferences(user.Preferences)
	}
	return shown, nil
}

// ListUsers returns the users of a query, in the order of names.
func (p *People) ListUsers(ctx context.Context, actor *deskpb.Actor, q store.UserQuery) ([]*apipb.User, error) {
	if err := desk.May(actor, desk.UserList); err != nil {
		return nil, err
	}
	if q.Limit < 1 || q.Limit > maxPage {
		return nil, desk.RefuseField("pageSize", "%d is not between 1 and %d", q.Limit, maxPage)
	}
	var shown []*apipb.User
	err := p.site.Read(ctx, false, func(r *store.Reader) error {
		users, err := r.FindUsers(q)
		for _, user := range users {
			shown = append(shown, p.shown(user))
		}
		return err
	})
	return shown, err
}

// UpdateUser changes the fields that the mask names, all that are given without one. With an etag the user must still have it.
func (p *People) UpdateUser(ctx context.Context, actor *deskpb.Actor, r *apipb.UpdateUserRequest) (*apipb.User, error) {
	name := desk.UserID(r.GetUser().GetName())
	user, err := p.account(ctx, actor, name, desk.UserUpdate, desk.UserUpdate)
	if err != nil {
		return nil, err
	}
	if given := r.GetUser().GetEtag(); given != "" && given != etag(user) {
		return nil, desk.Refuse(desk.Aborted, "STALE_ETAG", "user %s was changed since it was read; read it again", name)
	}
	fields, err := fieldsOf(r)
	if err != nil {
		return nil, err
	}
	if err := keepsDirectory(user, fields); err != nil {
		return nil, err
	}
	merged := p.shown(user)
	merge(merged, r.GetUser(), fields)
	takeOver(user, merged)
	if err := checkUser(user); err != nil {
		return nil, err
	}
	return p.changed(ctx, actor, user)
}

// DeleteUser removes a user and ends the user's sessions.
func (p *People) DeleteUser(ctx context.Context, actor *deskpb.Actor, name desk.UserID) error {
	if err := desk.May(actor, desk.UserDelete); err != nil {
		return err
	}
	return p.propose(ctx, actor, &deskpb.Command{Kind: &deskpb.Command_RemoveUser{RemoveUser: &deskpb.RemoveUser{Name: string(name)}}})
}

// UnlockUser lets a user try again, at every node, who gave too many wrong passwords. What an address alone did ends by itself.
func (p *People) UnlockUser(ctx context.Context, actor *deskpb.Actor, name desk.UserID) (*apipb.User, error) {
	if _, err := p.account(ctx, actor, name, desk.UserUnlock, desk.UserUnlock); err != nil {
		return nil, err
	}
	err := p.propose(ctx, actor, &deskpb.Command{Kind: &deskpb.Command_LockUser{LockUser: &deskpb.LockUser{User: string(name)}}})
	if err != nil {
		return nil, err
	}
	return p.again(ctx, string(name))
}

// SetPassword gives a user another password, which ends the user's sessions and access tokens. One's own needs the current one; that
// of another has to be changed at the next sign-in.
func (p *People) SetPassword(ctx context.Context, actor *deskpb.Actor, r *apipb.SetPasswordRequest) error {
	name := desk.UserID(r.GetName())
	own := actor.GetUser() == string(name)
	user, err := p.account(ctx, actor, name, desk.OwnPassword, desk.UserPassword)
	if err != nil {
		return err
	}
	if user.Source != deskpb.User_LOCAL {
		return desk.Refuse(desk.FailedPrecondition, "DIRECTORY_ACCOUNT", "the password of %s is kept by the %s directory; change it there", name, user.Source)
	}
	if err := checkPassword(r.GetPassword()); err != nil {
		return err
	}
	if own {
		if err := p.prove(ctx, actor, r.GetCurrentPassword(), "currentPassword"); err != nil {
			return err
		}
		if r.GetPassword() == r.GetCurrentPassword() {
			return desk.RefuseField("password", "it is the current one; choose another")
		}
	}
	if user.PasswordHash, err = p.hasher.hash(ctx, r.GetPassword()); err != nil {
		return err
	}
	user.MustChangePassword, user.PasswordTime = !own, p.clock().UnixMicro()
	return p.replace(ctx, actor, user)
}

// prove refuses a password that is not the actor's. Wrong ones count as those at signing in do.
func (p *People) prove(ctx context.Context, actor *deskpb.Actor, password, field string) error {
	name := desk.UserID(actor.GetUser())
	_, err := p.attempt(ctx, try{name: name, password: password, address: actor.GetAddress()}, func(*deskpb.User) error { return nil })
	if outcomeOf(err) == wrong {
		return desk.RefuseField(field, "it is not the password of %s", name)
	}
	return err
}

// account reads the user that a call is about, once the actor may do to it what the verbs say: another one to oneself than to others.
func (p *People) account(ctx context.Context, actor *deskpb.Actor, name desk.UserID, own, others desk.Verb) (*deskpb.User, error) {
	if err := desk.MayOn(actor, name, own, others); err != nil {
		return nil, err
	}
	return p.existing(ctx, name)
}

// existing reads a user that must be there.
func (p *People) existing(ctx context.Context, name desk.UserID) (*deskpb.User, error) {
	user, err := p.user(ctx, name)
	if err == nil && user == nil {
		err = desk.Refuse(desk.NotFound, "USER_NOT_FOUND", "there is no user %.80q at this site; list the users", name)
	}
	return user, err
}

// oneself reads the actor's own user for what nobody does for others.
func (p *People) oneself(ctx context.Context, actor *deskpb.Actor, name desk.UserID, verb desk.Verb) (*deskpb.User, error) {
	if actor.GetUser() != string(name) {
		return nil, desk.Refuse(desk.PermissionDenied, "PERMISSION_DENIED", "%s is for one's own account only; %.80q has to do it", verb, name)
	}
	return p.account(ctx, actor, name, verb, verb)
}

// changed stores a user that was read and changed, and shows what the log made of it.
func (p *People) changed(ctx context.Context, actor *deskpb.Actor, user *deskpb.User) (*apipb.User, error) {
	if err := p.replace(ctx, actor, user); err != nil {
		return nil, err
	}
	return p.again(ctx, user.Name)
}

// replace stores a user that was read and changed, unless somebody else changed it meanwhile.
func (p *People) replace(ctx context.Context, actor *deskpb.Actor, user *deskpb.User) error {
	return p.put(ctx, actor, &deskpb.PutUser{User: user, IfVersion: user.Version})
}

func (p *People) put(ctx context.Context, actor *deskpb.Actor, put *deskpb.PutUser) error {
	return p.propose(ctx, actor, &deskpb.Command{Kind: &deskpb.Command_PutUser{PutUser: put}})
}

// again shows a user that was just written.
func (p *People) again(ctx context.Context, name string) (*apipb.User, error) {
	user, err := p.existing(ctx, desk.UserID(name))
	if err != nil {
		return nil, err
	}
	return p.shown(user), nil
}
