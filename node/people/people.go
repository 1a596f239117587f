package people

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// How long a session lives without use, and at all, where the configuration says nothing.
const (
	defaultSession = 12 * time.Hour
	defaultLongest = 30 * 24 * time.Hour
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

// Audit is told of what never comes to the log. Record neither blocks nor keeps what it is given from being reused.
type Audit interface {
	Record(entry *deskpb.AuditEntry)
}

// Options make People. Site and Clock are required.
type Options struct {
	Site Site
	// Clock says when a session ends.
	Clock func() time.Time
	// Node is this node's id, which commands and audit entries name.
	Node string
	// Logger may be nil.
	Logger *slog.Logger
	// Name of the site, for the list of a second factor's app; "tierdesk" when empty.
	Name string
	// Directory vouches for people without a password here; nil for none. What it took last stands in for it as long as Offline
	// while it cannot be reached, 0 for never.
	Directory Directory
	Offline   time.Duration
	// Audit may be nil.
	Audit Audit
	// Session is how long a session lives without use, Longest how long at all; 0 for 12 hours and 30 days.
	Session, Longest time.Duration
}

func (o *Options) validate() error {
	if o.Site == nil || o.Clock == nil {
		return errors.New("people: the site or the clock is nil")
	}
	if o.Session == 0 {
		o.Session = defaultSession
	}
	if o.Longest == 0 {
		o.Longest = defaultLongest
	}
	if o.Session < time.Second || o.Longest < o.Session {
		return errors.New("people: a session must live for a second at least, and not longer without use than at all")
	}
	if o.Name == "" {
		o.Name = "tierdesk"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// People signs people in and keeps them. It is safe for concurrent use.
type People struct {
	options  Options
	site     Site
	clock    func() time.Time
	log      *slog.Logger
	hasher   *hasher
	known    known
	throttle *throttle
	upkeep   *upkeep
}

// New makes the people of a site. Run must run for sessions to be prolonged.
func New(o Options) (*People, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &People{
		options: o, site: o.Site, clock: o.Clock, log: o.Logger.With("component", "people"),
		hasher: newHasher(), throttle: newThrottle(), upkeep: newUpkeep(),
	}, nil
}

// user reads one user; nil when there is none. A site that is not founded has no people yet, which says nothing of anybody.
func (p *People) user(ctx context.Context, name desk.UserID) (user *deskpb.User, err error) {
	err = p.site.Read(ctx, false, func(r *store.Reader) error {
		if user, err = r.User(name); err != nil || user != nil {
			return err
		}
		site, err := r.Site()
		if err == nil && site == nil {
			err = desk.Refuse(desk.Unavailable, "NOT_FOUNDED", "the site is not founded yet; try again in a moment")
		}
		return err
	})
	return user, err
}

// propose has the log decide what an actor asks for.
func (p *People) propose(ctx context.Context, actor *deskpb.Actor, command *deskpb.Command) error {
	command.Actor, command.Node = actor, p.options.Node
	_, err := p.site.Propose(ctx, command)
	return err
}
