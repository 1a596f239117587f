package people

import (
	"context"
	"errors"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// Site is the replicated site whose people these are.
type Site interface {
	// Propose has the site's log decide a command; a refusal comes as a *desk.Refusal.
	Propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error)
	// Read reads this node's state: the latest, or with stale whatever this node has.
	Read(ctx context.Context, stale bool, read func(*store.Reader) error) error
	// PeopleVersion changes after every change of a user or a session in this node's state.
	PeopleVersion() uint64
}

// People signs people in and keeps them. It is safe for concurrent use.
type People struct {
	site   Site
	clock  func() time.Time
	hasher *hasher
	known  known
}

// New makes the people of a site. The clock says when a token ends.
func New(site Site, clock func() time.Time) (*People, error) {
	if site == nil || clock == nil {
		return nil, errors.New("people: the site or the clock is nil")
	}
	return &People{site: site, clock: clock, hasher: newHasher()}, nil
}

// user reads one user; nil when there is none.
func (p *People) user(ctx context.Context, name desk.UserID) (user *deskpb.User, err error) {
	err = p.site.Read(ctx, false, func(r *store.Reader) error {
		user, err = r.User(name)
		return err
	})
	return user, err
}

func (p *People) propose(ctx context.Context, command *deskpb.Command) error {
	_, err := p.site.Propose(ctx, command)
	return err
}
