package people

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	password = "correct horse"
	county   = "10.33.1.6" // where calls come from when a test does not say otherwise
)

// site is a site of one node without a log: commands are written to a store at once, with the least of what its machine checks. While it
// lags, stale reads find nothing.
type site struct {
	mu       sync.Mutex // guards all below
	store    *store.Store
	index    uint64
	commands []*deskpb.Command // all that were accepted
	lagging  bool
	barriers int
	down     bool // nothing can be proposed or proved
}

func (s *site) Propose(_ context.Context, c *deskpb.Command) (*deskpb.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, errDown
	}
	b := s.store.NewBatch()
	defer b.Discard()
	if err := decide(b, c); err != nil {
		return nil, err
	}
	s.index++
	s.commands = append(s.commands, proto.CloneOf(c))
	return &deskpb.Result{}, b.Commit(s.index, 1)
}

// decide writes what a command asks for.
func decide(b *store.Batch, c *deskpb.Command) error {
	switch k := c.Kind.(type) {
	case *deskpb.Command_PutUser:
		return decideUser(b, k.PutUser)
	case *deskpb.Command_RemoveUser:
		return errors.Join(b.DeleteSessionsOf(desk.UserID(k.RemoveUser.Name)), b.DeleteUser(desk.UserID(k.RemoveUser.Name)))
	case *deskpb.Command_OpenSession:
		user, err := b.User(desk.UserID(k.OpenSession.Session.User))
		if err != nil {
			return err
		}
		if step := k.OpenSession.TotpStep; step != 0 {
			if step <= user.TotpStep {
				return wrongCode()
			}
			user.TotpStep = step
			if err := b.PutUser(user); err != nil {
				return err
			}
		}
		return b.PutSession(k.OpenSession.Session)
	case *deskpb.Command_CloseSession:
		return b.DeleteSession(k.CloseSession.TokenHash)
	case *deskpb.Command_LockUser:
		user, err := b.User(desk.UserID(k.LockUser.User))
		if err != nil {
			return err
		}
		user.LockedUntil = k.LockUser.Until
		if user.LockedUntil == 0 {
			user.UnlockTime = time.Now().UnixMicro()
		}
		return b.PutUser(user)
	case *deskpb.Command_SetPreferences:
		user, err := b.User(desk.UserID(k.SetPreferences.User))
		if err != nil {
			return err
		}
		user.Preferences = k.SetPreferences.Preferences
		return b.PutUser(user)
	case *deskpb.Command_RenewSessions:
		for _, renewal := range k.RenewSessions.Renewals {
			session, err := b.Session(renewal.TokenHash)
			if session == nil || err != nil {
				return err
			}
			session.ExpireTime, session.SeenTime = renewal.ExpireTime, renewal.SeenTime
			if err := b.PutSession(session); err != nil {
				return err
			}
		}
		return nil
	case *deskpb.Command_CloseSessions:
		open, err := b.SessionsOf(desk.UserID(k.CloseSessions.User))
		for _, session := range open {
			if id := k.CloseSessions.Id; id != "" && session.Id != id || id == "" && string(session.TokenHash) == string(k.CloseSessions.Except) {
				continue
			}
			err = errors.Join(err, b.DeleteSession(session.TokenHash))
		}
		return err
	}
	return fmt.Errorf("unexpected %T", c.Kind)
}

func decideUser(b *store.Batch, c *deskpb.PutUser) error {
	old, err := b.User(desk.UserID(c.User.Name))
	if err != nil {
		return err
	}
	switch {
	case old != nil && c.CreateOnly:
		return desk.Refuse(desk.AlreadyExists, "USER_EXISTS", "there is one")
	case c.IfVersion != 0 && c.IfVersion != old.GetVersion():
		return desk.Refuse(desk.Aborted, "STALE_ETAG", "somebody else was faster")
	case old.GetRole() == deskpb.User_ADMINISTRATOR && c.User.Role != deskpb.User_ADMINISTRATOR:
		return desk.Refuse(desk.FailedPrecondition, "LAST_ADMINISTRATOR", "nobody else could make one")
	case old != nil && (old.PasswordHash != c.User.PasswordHash || c.User.Disabled):
		if err := b.DeleteSessionsOf(desk.UserID(old.Name)); err != nil {
			return err
		}
	}
	user := proto.CloneOf(c.User)
	user.Version = old.GetVersion() + 1
	return b.PutUser(user)
}

func (s *site) PeopleVersion() uint64 { return s.store.PeopleVersion() }

func (s *site) Read(_ context.Context, stale bool, read func(*store.Reader) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case stale && s.lagging:
		return nil
	case !stale && s.down:
		return errDown
	case !stale:
		s.barriers++
	}
	return s.store.View(read)
}

// proposed is how many commands were accepted.
func (s *site) proposed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.commands)
}

// last is the latest command.
func (s *site) last() *deskpb.Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commands[len(s.commands)-1]
}

// user reads a user as it is stored.
func (s *site) user(t testing.TB, name string) (user *deskpb.User) {
	t.Helper()
	err := s.store.View(func(r *store.Reader) (err error) {
		user, err = r.User(desk.UserID(name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// put stores a user as it is.
func (s *site) put(t testing.TB, user *deskpb.User) {
	t.Helper()
	if _, err := s.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_PutUser{PutUser: &deskpb.PutUser{User: user}}}); err != nil {
		t.Fatal(err)
	}
}

var errDown = errors.New("no leader")

// clock is set by hand.
type clock struct {
	mu  sync.Mutex // guards now
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// log is an audit log in memory.
type log struct {
	mu      sync.Mutex // guards entries
	entries []*deskpb.AuditEntry
}

func (l *log) Record(e *deskpb.AuditEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
}

// office is people with what stands around them: the agent wang with a password of her own, and the administrator admin.
type office struct {
	*People
	t     testing.TB
	site  *site
	clock *clock
	log   *log
}

func open(t testing.TB, change ...func(*Options)) *office {
	t.Helper()
	st, err := store.Open(store.Options{Dir: "data", FS: vfs.NewMem(), Site: "330106", Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	b := st.NewBatch()
	defer b.Discard()
	if err := errors.Join(b.PutSite(&deskpb.Site{Id: "330106"}), b.Commit(1, 1)); err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, site: &site{store: st, index: 1}, clock: &clock{now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}, log: &log{}}
	options := Options{Site: o.site, Clock: o.clock.time, Audit: o.log, Name: "西湖区", Node: "n1"}
	for _, c := range change {
		c(&options)
	}
	if o.People, err = New(options); err != nil {
		t.Fatal(err)
	}
	o.hasher.cost = cost{memory: 8, passes: 1, threads: 1} // what is tried here is not how long a hash takes
	for _, user := range []*apipb.User{
		{Name: "admin", Role: apipb.User_ADMINISTRATOR},
		{Name: "wang", DisplayName: "王芳", Role: apipb.User_AGENT},
	} {
		if _, err := o.CreateUser(t.Context(), founder, &apipb.CreateUserRequest{User: user, Password: password, KeepPassword: true}); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

var (
	founder       = &deskpb.Actor{User: "founder", Role: deskpb.User_ADMINISTRATOR}
	administrator = &deskpb.Actor{User: "admin", Role: deskpb.User_ADMINISTRATOR}
	agent         = &deskpb.Actor{User: "wang", Role: deskpb.User_AGENT}
)

// signIn opens a session and returns its token.
func (o *office) signIn(name string) string {
	o.t.Helper()
	opened, err := o.try(name, password, "", county)
	if err != nil {
		o.t.Fatalf("%s signs in: %v", name, err)
	}
	return opened.Token
}

func (o *office) try(name, password, code, address string) (*apipb.CreateSessionResponse, error) {
	return o.SignIn(o.t.Context(), &apipb.CreateSessionRequest{User: name, Password: password, Code: code}, address, "a test")
}

// actor is whose token it is.
func (o *office) actor(token string) *deskpb.Actor {
	o.t.Helper()
	actor, err := o.Authenticate(o.t.Context(), token, county)
	if err != nil {
		o.t.Fatalf("authenticate: %v", err)
	}
	return actor
}

// mustRefuse wants a refusal with a reason.
func mustRefuse(t testing.TB, what string, err error, reason string) {
	t.Helper()
	var refusal *desk.Refusal
	switch {
	case !errors.As(err, &refusal):
		t.Errorf("%s: %v, want the refusal %s", what, err, reason)
	case refusal.Reason != reason:
		t.Errorf("%s: %s (%s), want %s", what, refusal.Reason, refusal.Message, reason)
	}
}

// mustUnknown wants a token to be nobody's.
func (o *office) mustUnknown(what, token string) {
	o.t.Helper()
	_, err := o.Authenticate(o.t.Context(), token, county)
	mustRefuse(o.t, what, err, "TOKEN_UNKNOWN")
}

func TestOptionsAreChecked(t *testing.T) {
	now := time.Now
	for name, o := range map[string]Options{
		"nothing":                   {},
		"no clock":                  {Site: &site{}},
		"no site":                   {Clock: now},
		"sessions that end at once": {Site: &site{}, Clock: now, Session: time.Millisecond},
		"idle longer than at all":   {Site: &site{}, Clock: now, Session: 2 * time.Hour, Longest: time.Hour},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
