package people

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "correct horse"

// site is a site of one node without a log: commands are written to a store at once. While it lags, stale
// reads find nothing.
type site struct {
	mu       sync.Mutex // guards all below
	store    *store.Store
	index    uint64
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
	var err error
	switch k := c.Kind.(type) {
	case *deskpb.Command_PutUser:
		old, _ := b.User(desk.UserID(k.PutUser.User.Name))
		if old != nil && k.PutUser.CreateOnly {
			return nil, desk.Refuse(desk.AlreadyExists, "USER_EXISTS", "there is one")
		}
		if old != nil && old.PasswordHash != k.PutUser.User.PasswordHash {
			err = b.DeleteSessionsOf(desk.UserID(old.Name))
		}
		err = errors.Join(err, b.PutUser(k.PutUser.User))
	case *deskpb.Command_RemoveUser:
		err = b.DeleteUser(desk.UserID(k.RemoveUser.Name))
	case *deskpb.Command_OpenSession:
		err = b.PutSession(k.OpenSession.Session)
	case *deskpb.Command_CloseSession:
		err = b.DeleteSession(k.CloseSession.TokenHash)
	default:
		err = fmt.Errorf("unexpected %T", k)
	}
	if err != nil {
		return nil, err
	}
	s.index++
	return &deskpb.Result{}, b.Commit(s.index, 1)
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

func open(t *testing.T) (*People, *site, *clock) {
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
	s, c := &site{store: st}, &clock{now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	p, err := New(s, c.time)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.CreateUser(t.Context(), administrator, &deskpb.User{Name: "wang", DisplayName: "王芳", Role: deskpb.User_AGENT}, password); err != nil {
		t.Fatal(err)
	}
	return p, s, c
}

var (
	administrator = &deskpb.Actor{User: "admin", Role: deskpb.User_ADMINISTRATOR}
	agent         = &deskpb.Actor{User: "wang", Role: deskpb.User_AGENT}
)

// mustRefuse wants a refusal with a reason.
func mustRefuse(t *testing.T, what string, err error, reason string) {
	t.Helper()
	var refusal *desk.Refusal
	switch {
	case !errors.As(err, &refusal):
		t.Errorf("%s: %v, want the refusal %s", what, err, reason)
	case refusal.Reason != reason:
		t.Errorf("%s: %s (%s), want %s", what, refusal.Reason, refusal.Message, reason)
	}
}

func TestSignInAndOut(t *testing.T) {
	p, s, c := open(t)
	token, expires, err := p.SignIn(t.Context(), "wang", password, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(token, "td_") || len(token) != 46 || !expires.Equal(c.now.Add(12*time.Hour)) {
		t.Errorf("token of %d characters until %v, want td_ and 43 more for 12 hours", len(token), expires)
	}
	barriers := s.barriers
	actor, err := p.Authenticate(t.Context(), token)
	if err != nil || actor.User != "wang" || actor.Role != deskpb.User_AGENT {
		t.Errorf("the token is of %v, %v, want the agent wang", actor, err)
	}
	if s.barriers != barriers {
		t.Error("a known token cost a barrier")
	}
	if err := p.SignOut(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	_, err = p.Authenticate(t.Context(), token)
	mustRefuse(t, "a token after its sign-out", err, "TOKEN_UNKNOWN")
}

func TestTokenIsNotStored(t *testing.T) {
	p, s, _ := open(t)
	token, _, err := p.SignIn(t.Context(), "wang", password, 0)
	if err != nil {
		t.Fatal(err)
	}
	err = s.store.View(func(r *store.Reader) error {
		if session, err := r.Session([]byte(token)); session != nil || err != nil {
			t.Errorf("a session stands under the token itself: %v, %v", session, err)
		}
		session, err := r.Session(tokenHash(token))
		if session == nil {
			t.Error("no session stands under the token's hash")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWrongSignIns(t *testing.T) {
	p, _, _ := open(t)
	for _, test := range []struct {
		what, user, password string
		ttl                  time.Duration
		reason               string
	}{
		{"wrong password", "wang", "wrong horse", 0, "WRONG_PASSWORD"},
		{"no password", "wang", "", 0, "WRONG_PASSWORD"},
		{"endless password", "wang", strings.Repeat("x", 2000), 0, "WRONG_PASSWORD"},
		{"unknown user", "li", password, 0, "WRONG_PASSWORD"},
		{"no user", "", "", 0, "WRONG_PASSWORD"},
		{"long session", "wang", password, 31 * 24 * time.Hour, "INVALID_FIELD"},
		{"negative session", "wang", password, -time.Second, "INVALID_FIELD"},
	} {
		_, _, err := p.SignIn(t.Context(), test.user, test.password, test.ttl)
		mustRefuse(t, test.what, err, test.reason)
	}
}

func TestTokensExpire(t *testing.T) {
	p, _, c := open(t)
	token, _, err := p.SignIn(t.Context(), "wang", password, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	c.advance(59 * time.Second)
	if _, err := p.Authenticate(t.Context(), token); err != nil {
		t.Errorf("a second before the end: %v", err)
	}
	c.advance(time.Second)
	_, err = p.Authenticate(t.Context(), token)
	mustRefuse(t, "an expired token", err, "TOKEN_EXPIRED")
	if !strings.Contains(err.Error(), "the token has expired; sign in again") {
		t.Errorf("message %q does not say what to do", err)
	}
}

func TestYoungTokenIsFoundBehindABarrier(t *testing.T) {
	p, s, _ := open(t)
	token, _, err := p.SignIn(t.Context(), "wang", password, 0)
	if err != nil {
		t.Fatal(err)
	}
	unseen, _, err := p.SignIn(t.Context(), "wang", password, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.lagging = true
	if actor, err := p.Authenticate(t.Context(), token); err != nil || actor.User != "wang" {
		t.Errorf("at a lagging node: %v, %v, want wang", actor, err)
	}
	s.down = true
	if _, err := p.Authenticate(t.Context(), unseen); !errors.Is(err, errDown) {
		t.Errorf("at a lagging node without a leader: %v, want the barrier's error", err)
	}
}

// A token that was seen needs no read of the state, until any user or session changes.
func TestARememberedTokenIsForgottenWithTheNextChange(t *testing.T) {
	p, s, _ := open(t)
	signIn := func() string {
		token, _, err := p.SignIn(t.Context(), "wang", password, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Authenticate(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		return token
	}
	token := signIn()
	s.lagging, s.down = true, true // nothing can be read
	if actor, err := p.Authenticate(t.Context(), token); err != nil || actor.User != "wang" {
		t.Errorf("a remembered token: %v, %v, want wang", actor, err)
	}
	s.lagging, s.down = false, false
	if err := p.SignOut(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	_, err := p.Authenticate(t.Context(), token)
	mustRefuse(t, "a token after signing out", err, "TOKEN_UNKNOWN")

	token = signIn()
	if _, err := s.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_RemoveUser{RemoveUser: &deskpb.RemoveUser{Name: "wang"}}}); err != nil {
		t.Fatal(err)
	}
	_, err = p.Authenticate(t.Context(), token)
	mustRefuse(t, "the token of a removed user", err, "TOKEN_UNKNOWN")
}

func TestJunkTokensCostNothing(t *testing.T) {
	p, s, _ := open(t)
	before := s.barriers
	for _, token := range []string{"", "td_", "junk", strings.Repeat("x", 46), "td_" + strings.Repeat("x", 100)} {
		_, err := p.Authenticate(t.Context(), token)
		mustRefuse(t, "token "+token, err, "TOKEN_UNKNOWN")
	}
	if s.barriers != before {
		t.Errorf("junk cost %d barriers", s.barriers-before)
	}
	_, err := p.Authenticate(t.Context(), newToken())
	mustRefuse(t, "a token that nobody was given", err, "TOKEN_UNKNOWN")
}

func TestPasswords(t *testing.T) {
	p, _, _ := open(t)
	token, _, err := p.SignIn(t.Context(), "wang", password, 0)
	if err != nil {
		t.Fatal(err)
	}
	mustRefuse(t, "an agent sets another's", p.SetPassword(t.Context(), agent, "li", "another horse"), "ADMINISTRATORS_ONLY")
	mustRefuse(t, "a short one", p.SetPassword(t.Context(), agent, "wang", "七个字不够用啊"), "INVALID_FIELD")
	mustRefuse(t, "a long one", p.SetPassword(t.Context(), agent, "wang", strings.Repeat("x", 1025)), "INVALID_FIELD")
	mustRefuse(t, "not UTF-8", p.SetPassword(t.Context(), agent, "wang", "\xff\xff\xff\xff\xff\xff\xff\xff"), "INVALID_FIELD")
	mustRefuse(t, "of nobody", p.SetPassword(t.Context(), administrator, "li", "another horse"), "USER_NOT_FOUND")
	if err := p.SetPassword(t.Context(), agent, "wang", "八个字就可以用了"); err != nil {
		t.Fatal(err)
	}
	_, err = p.Authenticate(t.Context(), token)
	mustRefuse(t, "a token from before", err, "TOKEN_UNKNOWN")
	_, _, err = p.SignIn(t.Context(), "wang", password, 0)
	mustRefuse(t, "the old password", err, "WRONG_PASSWORD")
	if _, _, err := p.SignIn(t.Context(), "wang", "八个字就可以用了", 0); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

func TestUsers(t *testing.T) {
	p, _, _ := open(t)
	good := &deskpb.User{Name: "li.wei", Role: deskpb.User_AGENT}
	for _, test := range []struct {
		what   string
		actor  *deskpb.Actor
		change func(*deskpb.User)
		reason string
	}{
		{"an agent", agent, func(*deskpb.User) {}, "ADMINISTRATORS_ONLY"},
		{"nobody", nil, func(*deskpb.User) {}, "ADMINISTRATORS_ONLY"},
		{"no name", administrator, func(u *deskpb.User) { u.Name = "" }, "INVALID_FIELD"},
		{"capitals", administrator, func(u *deskpb.User) { u.Name = "Li" }, "INVALID_FIELD"},
		{"a colon", administrator, func(u *deskpb.User) { u.Name = "li:wei" }, "INVALID_FIELD"},
		{"two lines", administrator, func(u *deskpb.User) { u.DisplayName = "a\nb" }, "INVALID_FIELD"},
		{"no role", administrator, func(u *deskpb.User) { u.Role = 0 }, "INVALID_FIELD"},
		{"no such role", administrator, func(u *deskpb.User) { u.Role = 9 }, "INVALID_FIELD"},
		{"an existing name", administrator, func(u *deskpb.User) { u.Name = "wang" }, "USER_EXISTS"},
	} {
		user := &deskpb.User{Name: good.Name, Role: good.Role}
		test.change(user)
		_, err := p.CreateUser(t.Context(), test.actor, user, password)
		mustRefuse(t, test.what, err, test.reason)
	}
	_, err := p.CreateUser(t.Context(), administrator, good, "short")
	mustRefuse(t, "a short password", err, "INVALID_FIELD")
	made, err := p.CreateUser(t.Context(), administrator, good, password)
	if err != nil || made.Name != "li.wei" || made.PasswordHash != "" {
		t.Fatalf("created %v, %v, want li.wei without a hash", made, err)
	}

	_, err = p.ListUsers(t.Context(), agent, "", 10)
	mustRefuse(t, "an agent lists", err, "ADMINISTRATORS_ONLY")
	_, err = p.ListUsers(t.Context(), administrator, "", 0)
	mustRefuse(t, "a page of none", err, "INVALID_FIELD")
	users, err := p.ListUsers(t.Context(), administrator, "li", 10)
	if err != nil || len(users) != 2 || users[0].Name != "li.wei" || users[1].Name != "wang" {
		t.Fatalf("users behind li: %v, %v, want li.wei and wang", users, err)
	}
	for _, user := range users {
		if user.PasswordHash != "" {
			t.Errorf("the list shows the hash of %s", user.Name)
		}
	}

	mustRefuse(t, "an agent deletes", p.DeleteUser(t.Context(), agent, "li.wei"), "ADMINISTRATORS_ONLY")
	if err := p.DeleteUser(t.Context(), administrator, "li.wei"); err != nil {
		t.Fatal(err)
	}
	if users, err := p.ListUsers(t.Context(), administrator, "", 10); err != nil || len(users) != 1 {
		t.Errorf("users after the deletion: %v, %v", users, err)
	}
}
