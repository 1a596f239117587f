package people

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

func TestSignInAndOut(t *testing.T) {
	o := open(t)
	opened, err := o.try("wang", password, "", county)
	if err != nil {
		t.Fatal(err)
	}
	if token := opened.Token; !strings.HasPrefix(token, "td_") || len(token) != 46 || !opened.ExpireTime.AsTime().Equal(o.clock.now.Add(12*time.Hour)) {
		t.Errorf("token of %d characters until %v, want td_ and 43 more for 12 hours", len(token), opened.ExpireTime.AsTime())
	}
	barriers := o.site.barriers
	actor := o.actor(opened.Token)
	if actor.User != "wang" || actor.Role != deskpb.User_AGENT || actor.Address != county || actor.Session == "" {
		t.Errorf("the token is of %v, want the agent wang at %s with a session", actor, county)
	}
	if o.site.barriers != barriers {
		t.Error("a known token cost a barrier")
	}
	if err := o.SignOut(t.Context(), opened.Token, county); err != nil {
		t.Fatal(err)
	}
	if c := o.site.last(); c.Actor.GetUser() != "wang" || c.Actor.GetAddress() != county || c.Node != "n1" {
		t.Errorf("the sign-out is of %v by node %q", c.Actor, c.Node)
	}
	o.mustUnknown("a token after its sign-out", opened.Token)
	if err := o.SignOut(t.Context(), opened.Token, county); err != nil {
		t.Errorf("a second sign-out: %v", err)
	}
}

func TestAnActorIsAllThatTheAccountSays(t *testing.T) {
	o := open(t)
	user := o.site.user(t, "wang")
	user.Scope, user.Offices, user.Groups = deskpb.User_SUBTREE, []string{"330106"}, []string{"网络组"}
	user.Lines, user.MustChangePassword = []deskpb.Ticket_Line{deskpb.Ticket_SECOND}, true
	o.site.put(t, user)
	actor := o.actor(o.signIn("wang"))
	want := &deskpb.Actor{
		User: "wang", Role: deskpb.User_AGENT, Scope: deskpb.User_SUBTREE, Offices: []string{"330106"}, Groups: []string{"网络组"},
		Lines: []deskpb.Ticket_Line{deskpb.Ticket_SECOND}, Address: county, Session: actor.Session, MustChangePassword: true,
	}
	if !proto.Equal(actor, want) {
		t.Errorf("the actor is %v, want %v", actor, want)
	}
}

func TestTokenIsNotStored(t *testing.T) {
	o := open(t)
	token := o.signIn("wang")
	err := o.site.store.View(func(r *store.Reader) error {
		if session, err := r.Session([]byte(token)); session != nil || err != nil {
			t.Errorf("a session stands under the token itself: %v, %v", session, err)
		}
		session, err := r.Session(tokenHash(token))
		if session == nil {
			t.Error("no session stands under the token's hash")
		}
		if strings.Contains(token, session.GetId()) {
			t.Error("the session's id is a part of the token")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestASessionIsCalledByLettersAndDigits draws as many ids as would show a dash at the beginning of one.
func TestASessionIsCalledByLettersAndDigits(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		id := newID()
		if strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" || len(id) != idLetters {
			t.Errorf("a session is called %q, want %d letters and digits", id, idLetters)
		}
		seen[id] = true
	}
	if len(seen) != 1000 {
		t.Errorf("1000 sessions have %d ids", len(seen))
	}
}

func TestASessionWithAnEndOfItsOwnHasIt(t *testing.T) {
	for _, c := range []struct {
		name string
		ttl  time.Duration
		want time.Duration // until it ends without use
		most time.Duration // and at all
	}{
		{"none", 0, 12 * time.Hour, 30 * 24 * time.Hour},
		{"short", time.Minute, time.Minute, time.Minute},
		{"longer than the idle time", 24 * time.Hour, 12 * time.Hour, 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := open(t)
			r := &apipb.CreateSessionRequest{User: "wang", Password: password}
			if c.ttl > 0 {
				r.Ttl = durationpb.New(c.ttl)
			}
			if _, err := o.SignIn(t.Context(), r, county, "curl\n8"); err != nil {
				t.Fatal(err)
			}
			s := o.site.last().GetOpenSession().GetSession()
			now := o.clock.now.UnixMicro()
			if got := time.Duration(s.ExpireTime-now) * time.Microsecond; got != c.want {
				t.Errorf("it ends after %v without use, want %v", got, c.want)
			}
			if got := time.Duration(s.LatestTime-now) * time.Microsecond; got != c.most {
				t.Errorf("it ends after %v at all, want %v", got, c.most)
			}
			if s.Client != "curl8" {
				t.Errorf("its client is %q, want one line", s.Client)
			}
		})
	}
	o := open(t)
	for _, ttl := range []*durationpb.Duration{durationpb.New(31 * 24 * time.Hour), durationpb.New(-time.Second), {}, {Seconds: 1, Nanos: -5}} {
		_, err := o.SignIn(t.Context(), &apipb.CreateSessionRequest{User: "wang", Password: password, Ttl: ttl}, county, "")
		mustRefuse(t, "a session of "+ttl.String(), err, "INVALID_FIELD")
	}
}

func TestTokensExpire(t *testing.T) {
	o := open(t)
	opened, err := o.SignIn(t.Context(), &apipb.CreateSessionRequest{User: "wang", Password: password, Ttl: durationpb.New(time.Minute)}, county, "")
	if err != nil {
		t.Fatal(err)
	}
	o.clock.advance(59 * time.Second)
	o.actor(opened.Token)
	o.clock.advance(time.Second)
	_, err = o.Authenticate(t.Context(), opened.Token, county)
	mustRefuse(t, "an expired token", err, "TOKEN_EXPIRED")
	if !strings.Contains(err.Error(), "the token has expired; sign in again") {
		t.Errorf("message %q does not say what to do", err)
	}
}

func TestYoungTokenIsFoundBehindABarrier(t *testing.T) {
	o := open(t)
	token, unseen := o.signIn("wang"), o.signIn("wang")
	o.site.lagging = true
	if actor := o.actor(token); actor.User != "wang" {
		t.Errorf("at a lagging node the token is of %v, want wang", actor)
	}
	o.site.down = true
	if _, err := o.Authenticate(t.Context(), unseen, county); !errors.Is(err, errDown) {
		t.Errorf("at a lagging node without a leader: %v, want the barrier's error", err)
	}
}

// What is remembered of a token ends with any change of the people.
func TestARememberedTokenIsAlwaysRight(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*office, *deskpb.User)
		see    func(*deskpb.Actor) bool // nil: the token is nobody's any more
	}{
		{"another role", func(_ *office, u *deskpb.User) { u.Role = deskpb.User_DISPATCHER }, func(a *deskpb.Actor) bool { return a.Role == deskpb.User_DISPATCHER }},
		{"another scope", func(_ *office, u *deskpb.User) { u.Scope = deskpb.User_OWN }, func(a *deskpb.Actor) bool { return a.Scope == deskpb.User_OWN }},
		{"other groups", func(_ *office, u *deskpb.User) { u.Groups = []string{"g"} }, func(a *deskpb.Actor) bool { return len(a.Groups) == 1 }},
		{"a password to be changed", func(_ *office, u *deskpb.User) { u.MustChangePassword = true }, (*deskpb.Actor).GetMustChangePassword},
		{"disabled", func(_ *office, u *deskpb.User) { u.Disabled = true }, nil},
		{"another password", func(_ *office, u *deskpb.User) { u.PasswordHash = "$" }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := open(t)
			token := o.signIn("wang")
			o.actor(token)
			user := o.site.user(t, "wang")
			c.change(o, user)
			o.site.put(t, user)
			if c.see == nil {
				o.mustUnknown("the token", token)
			} else if actor := o.actor(token); !c.see(actor) {
				t.Errorf("the token is still of %v", actor)
			}
		})
	}
	o := open(t)
	token := o.signIn("wang")
	o.actor(token)
	o.site.lagging, o.site.down = true, true // nothing can be read
	if actor := o.actor(token); actor.User != "wang" {
		t.Errorf("a remembered token is of %v, want wang", actor)
	}
	o.site.lagging, o.site.down = false, false
	if err := o.DeleteUser(t.Context(), administrator, "wang"); err != nil {
		t.Fatal(err)
	}
	o.mustUnknown("the token of a removed user", token)
}

func TestJunkTokensCostNothing(t *testing.T) {
	o := open(t)
	before := o.site.barriers
	for _, token := range []string{"", "td_", "junk", strings.Repeat("x", 46), "td_" + strings.Repeat("x", 100)} {
		o.mustUnknown("token "+token, token)
	}
	if o.site.barriers != before {
		t.Errorf("junk cost %d barriers", o.site.barriers-before)
	}
	o.mustUnknown("a token that nobody was given", newToken())
}

// run runs the upkeep until the returned function is called.
func run(ctx context.Context, p *People) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { p.Run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// Sessions that are in use all day cost the log a command in hours, and none for a call.
func TestSessionsSlideWithoutALogWriteForEachUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, func(o *Options) { o.Clock = time.Now })
		tokens := []string{o.signIn("wang"), o.signIn("wang"), o.signIn("admin")}
		defer run(t.Context(), o.People)()
		before, uses := o.site.proposed(), 0
		for range 48 * 60 / 2 { // two days, every other minute
			time.Sleep(2 * time.Minute)
			for _, token := range tokens {
				o.actor(token)
				uses++
			}
		}
		// Each renewal lasts a quarter of 12 hours; the three sessions go together.
		if got := o.site.proposed() - before; got < 14 || got > 17 {
			t.Errorf("%d uses in two days came to %d commands, want one each 3 hours", uses, got)
		}
		time.Sleep(12*time.Hour + time.Minute)
		_, err := o.Authenticate(t.Context(), tokens[0], county)
		mustRefuse(t, "a session after half a day without use", err, "TOKEN_EXPIRED")
	})
}

func TestNoUseProlongsASessionBeyondItsLatestTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, func(o *Options) { o.Clock, o.Longest = time.Now, 36*time.Hour })
		token := o.signIn("wang")
		defer run(t.Context(), o.People)()
		for range 36*4 - 1 {
			time.Sleep(15 * time.Minute)
			o.actor(token)
		}
		time.Sleep(15 * time.Minute)
		_, err := o.Authenticate(t.Context(), token, county)
		mustRefuse(t, "a session after its latest time", err, "TOKEN_EXPIRED")
	})
}

func TestRenewalsAreBounded(t *testing.T) {
	u := newUpkeep()
	now := time.UnixMicro(1_000_000_000)
	for i := range maxRenewals + 10 {
		s := &deskpb.Session{TokenHash: []byte{byte(i), byte(i >> 8)}, Idle: 1000, ExpireTime: now.UnixMicro() + 1, LatestTime: now.UnixMicro() + 5000}
		u.used(s, now)
	}
	if got := len(u.take()); got != maxRenewals {
		t.Errorf("%d renewals wait, want %d", got, maxRenewals)
	}
	if got := len(u.take()); got != 0 {
		t.Errorf("%d renewals are left", got)
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	o := open(t)
	first := o.signIn("wang")
	o.clock.advance(time.Minute)
	second := o.signIn("wang")
	others := o.signIn("admin")
	me := o.actor(second)
	listed, err := o.Sessions(t.Context(), me, "wang")
	if err != nil || len(listed) != 2 || !listed[0].Current || listed[1].Current || listed[1].Client != "a test" || listed[1].Address != county {
		t.Fatalf("the sessions are %v, %v; want the current one first", listed, err)
	}
	if own, err := o.Session(t.Context(), me); err != nil || own.GetId() != me.Session {
		t.Errorf("the call's own session is %v, %v", own, err)
	}
	_, err = o.Sessions(t.Context(), agent, "admin")
	mustRefuse(t, "an agent lists another's", err, "PERMISSION_DENIED")
	mustRefuse(t, "an agent ends another's", o.EndSession(t.Context(), agent, "admin", "x"), "PERMISSION_DENIED")
	mustRefuse(t, "an agent ends all of another's", o.EndSessions(t.Context(), agent, "admin"), "PERMISSION_DENIED")
	mustRefuse(t, "one that is not there", o.EndSession(t.Context(), me, "wang", "x"), "SESSION_NOT_FOUND")
	mustRefuse(t, "one without an id", o.EndSession(t.Context(), me, "wang", ""), "SESSION_NOT_FOUND")
	_, err = o.Sessions(t.Context(), administrator, "nobody")
	mustRefuse(t, "of nobody", err, "USER_NOT_FOUND")

	if err := o.EndSession(t.Context(), me, "wang", listed[1].Id); err != nil {
		t.Fatal(err)
	}
	o.mustUnknown("an ended session", first)
	third := o.signIn("wang")
	if err := o.EndSessions(t.Context(), me, "wang"); err != nil {
		t.Fatal(err)
	}
	o.mustUnknown("the other session", third)
	o.actor(second)
	if err := o.EndSessions(t.Context(), administrator, "wang"); err != nil {
		t.Fatal(err)
	}
	o.mustUnknown("a session that an administrator ended", second)
	o.actor(others)
}

func TestAccessTokens(t *testing.T) {
	o := open(t)
	me := o.actor(o.signIn("wang"))
	make := func(actor *deskpb.Actor, change func(*apipb.CreateAccessTokenRequest)) (*apipb.CreateAccessTokenResponse, error) {
		r := &apipb.CreateAccessTokenRequest{User: "wang", Token: &apipb.AccessToken{Title: "监控", Limits: []string{"tickets:read"}}}
		change(r)
		return o.CreateAccessToken(t.Context(), actor, r)
	}
	for _, c := range []struct {
		what   string
		actor  *deskpb.Actor
		change func(*apipb.CreateAccessTokenRequest)
		reason string
	}{
		{"no title", me, func(r *apipb.CreateAccessTokenRequest) { r.Token.Title = "" }, "INVALID_FIELD"},
		{"a long title", me, func(r *apipb.CreateAccessTokenRequest) { r.Token.Title = strings.Repeat("长", 101) }, "INVALID_FIELD"},
		{"no limit", me, func(r *apipb.CreateAccessTokenRequest) { r.Token.Limits = nil }, "INVALID_FIELD"},
		{"an unknown limit", me, func(r *apipb.CreateAccessTokenRequest) { r.Token.Limits = []string{"everything"} }, "INVALID_FIELD"},
		{"two years", me, func(r *apipb.CreateAccessTokenRequest) {
			r.Token.ExpireTime = timestamppb.New(o.clock.now.AddDate(2, 0, 0))
		}, "INVALID_FIELD"},
		{"the past", me, func(r *apipb.CreateAccessTokenRequest) { r.Token.ExpireTime = timestamppb.New(o.clock.now) }, "INVALID_FIELD"},
		{"another's", administrator, func(*apipb.CreateAccessTokenRequest) {}, "PERMISSION_DENIED"},
		{"by a token", &deskpb.Actor{User: "wang", Role: deskpb.User_AGENT, Limits: []string{"own"}}, func(*apipb.CreateAccessTokenRequest) {}, "TOKEN_LIMITED"},
	} {
		_, err := make(c.actor, c.change)
		mustRefuse(t, c.what, err, c.reason)
	}
	made, err := make(me, func(*apipb.CreateAccessTokenRequest) {})
	if err != nil {
		t.Fatal(err)
	}
	program := o.actor(made.Secret)
	if program.User != "wang" || len(program.Limits) != 1 {
		t.Errorf("the token is of %v, want wang within limits", program)
	}
	if desk.May(program, desk.TicketRead) != nil || desk.May(program, desk.TicketAssign) == nil || desk.May(program, desk.OwnPassword) == nil {
		t.Error("the token's limits do not hold")
	}
	if own, err := o.Session(t.Context(), program); own != nil || err != nil {
		t.Errorf("a program's session is %v, %v, want none", own, err)
	}
	user := o.site.user(t, "wang")
	user.Role = deskpb.User_AUDITOR
	o.site.put(t, user)
	if got := o.actor(made.Secret).Role; got != deskpb.User_AUDITOR {
		t.Errorf("the token has the role %v after its owner got another one", got)
	}
	tokens, err := o.AccessTokens(t.Context(), me, "wang")
	if err != nil || len(tokens) != 1 || tokens[0].Title != "监控" || !tokens[0].ExpireTime.AsTime().Equal(o.clock.now.Add(90*24*time.Hour)) {
		t.Errorf("the tokens are %v, %v; want one for 90 days", tokens, err)
	}
	if sessions, err := o.Sessions(t.Context(), me, "wang"); err != nil || len(sessions) != 1 {
		t.Errorf("the sessions are %v, %v; want one, and no token", sessions, err)
	}
	mustRefuse(t, "a token as a session", o.EndSession(t.Context(), me, "wang", tokens[0].Id), "SESSION_NOT_FOUND")
	if err := o.EndAccessToken(t.Context(), administrator, "wang", tokens[0].Id); err != nil {
		t.Fatal(err)
	}
	o.mustUnknown("a revoked token", made.Secret)
}

// The use of an access token is noted once a day and prolongs nothing.
func TestTheUseOfATokenIsNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, func(o *Options) { o.Clock = time.Now })
		made, err := o.CreateAccessToken(t.Context(), agent, &apipb.CreateAccessTokenRequest{User: "wang", Token: &apipb.AccessToken{Title: "x", Limits: []string{"read"}}})
		if err != nil {
			t.Fatal(err)
		}
		defer run(t.Context(), o.People)()
		before := o.site.proposed()
		for range 3 * 24 {
			o.actor(made.Secret)
			time.Sleep(time.Hour)
		}
		if got := o.site.proposed() - before; got != 3 {
			t.Errorf("three days of use came to %d commands, want 3", got)
		}
		tokens, err := o.AccessTokens(t.Context(), agent, "wang")
		if err != nil || time.Since(tokens[0].SeenTime.AsTime()) > 25*time.Hour || !tokens[0].ExpireTime.AsTime().Equal(made.Token.ExpireTime.AsTime()) {
			t.Errorf("the token is %v, %v; want it seen within a day and no longer than before", tokens, err)
		}
	})
}
