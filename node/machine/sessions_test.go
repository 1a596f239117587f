package machine

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// opened is the command that opens a session whose token hash is made of one byte, with whatever change makes of it.
func opened(user string, token byte, expires int64, change func(*deskpb.OpenSession)) *deskpb.Command {
	c := openSession(user, token, expires)
	change(c.GetOpenSession())
	return c
}

// session reads a session, nil when there is none.
func (l *log) session(t T, token byte) (session *deskpb.Session) {
	t.Helper()
	l.view(t, func(r *store.Reader) (err error) {
		session, err = r.Session(hashOf(token))
		return err
	})
	return session
}

func (l *log) user(t T, name string) (user *deskpb.User) {
	t.Helper()
	l.view(t, func(r *store.Reader) (err error) {
		user, err = r.User(desk.UserID(name))
		return err
	})
	return user
}

func renew(renewals ...*deskpb.Renewal) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_RenewSessions{RenewSessions: &deskpb.RenewSessions{Renewals: renewals}}}
}

func TestSessionsAreProlonged(t *testing.T) {
	const idle, latest = 1000, noon + 5000
	for _, c := range []struct {
		name     string
		at       int64
		renewal  *deskpb.Renewal
		end      int64
		lastSeen int64
	}{
		{"by use", noon + 500, &deskpb.Renewal{ExpireTime: noon + 1500, SeenTime: noon + 500}, noon + 1500, noon + 500},
		{"never beyond the idle time", noon + 500, &deskpb.Renewal{ExpireTime: noon + 4000, SeenTime: noon + 500}, noon + 1500, noon + 500},
		{"never beyond the latest time", noon + 900, &deskpb.Renewal{ExpireTime: noon + 1800, SeenTime: noon + 800}, noon + 1800, noon + 800},
		{"never backwards", noon + 500, &deskpb.Renewal{ExpireTime: noon + 10, SeenTime: noon - 10}, noon + 1000, noon},
		{"not seen in the future", noon + 500, &deskpb.Renewal{ExpireTime: noon + 1500, SeenTime: noon + 9000}, noon + 1500, noon + 500},
		{"not once it has ended", noon + 1000, &deskpb.Renewal{ExpireTime: noon + 2000, SeenTime: noon + 1000}, noon + 1000, noon},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := founded(t)
			l.must(t, noon, opened("admin", 1, noon+idle, func(o *deskpb.OpenSession) {
				o.Session.Idle, o.Session.LatestTime, o.Session.SeenTime = idle, latest, noon
			}))
			c.renewal.TokenHash = hashOf(1)
			l.must(t, c.at, renew(&deskpb.Renewal{TokenHash: hashOf(9), ExpireTime: noon * 2}, c.renewal))
			if s := l.session(t, 1); s.ExpireTime != c.end || s.SeenTime != c.lastSeen {
				t.Errorf("it ends at noon%+d, last seen at noon%+d; want %+d and %+d", s.ExpireTime-noon, s.SeenTime-noon, c.end-noon, c.lastSeen-noon)
			}
			if l.hasSession(t, 9) {
				t.Error("a session that is gone came back")
			}
		})
	}
	l := founded(t)
	l.must(t, noon, opened("admin", 1, noon+1000, func(o *deskpb.OpenSession) { o.Session.LatestTime = noon + 1000 }))
	l.must(t, noon+500, renew(&deskpb.Renewal{TokenHash: hashOf(1), ExpireTime: noon + 9000, SeenTime: noon + 500}))
	if s := l.session(t, 1); s.ExpireTime != noon+1000 || s.SeenTime != noon+500 {
		t.Errorf("one that use does not prolong is %v", s)
	}
}

func TestSessionsAreClosedByIDOrAllButOne(t *testing.T) {
	for _, c := range []struct {
		name  string
		close *deskpb.CloseSessions
		left  string
	}{
		{"one", &deskpb.CloseSessions{User: "admin", Id: "s2"}, "134"},
		{"all", &deskpb.CloseSessions{User: "admin"}, "4"},
		{"all but one", &deskpb.CloseSessions{User: "admin", Except: hashOf(1)}, "14"},
		{"somebody else's by its id", &deskpb.CloseSessions{User: "admin", Id: "s4"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := founded(t)
			l.must(t, noon, putUser("wang", deskpb.User_AGENT, "$", true))
			for i := byte(1); i <= 4; i++ {
				user := "admin"
				if i == 4 {
					user = "wang"
				}
				l.must(t, noon, opened(user, i, noon*2, func(o *deskpb.OpenSession) {
					o.Session.Id = fmt.Sprintf("s%d", i)
					if i == 3 {
						o.Session.Kind, o.Session.Limits = deskpb.Session_ACCESS_TOKEN, []string{"read"}
					}
				}))
			}
			got := l.one(t, noon, &deskpb.Command{Kind: &deskpb.Command_CloseSessions{CloseSessions: c.close}})
			if c.left == "" {
				if got != "SESSION_NOT_FOUND" {
					t.Errorf("reason %q, want SESSION_NOT_FOUND", got)
				}
				return
			}
			left := ""
			for i := byte(1); i <= 4; i++ {
				if l.hasSession(t, i) {
					left += fmt.Sprint(i)
				}
			}
			if got != "" || left != c.left {
				t.Errorf("reason %q, sessions %s are left, want %s", got, left, c.left)
			}
		})
	}
}

func TestOneSessionMoreEndsTheOneUsedLongestAgo(t *testing.T) {
	l := founded(t)
	for i := range mostSessions {
		l.must(t, noon, opened("admin", byte(i), noon*2, func(o *deskpb.OpenSession) { o.Session.SeenTime = noon + int64((i+7)%mostSessions) }))
	}
	l.must(t, noon, openSession("admin", 200, noon*2))
	oldest := byte(mostSessions - 7)
	for i := range mostSessions {
		if l.hasSession(t, byte(i)) == (byte(i) == oldest) {
			t.Errorf("session %d is there: %v; only %d ends", i, l.hasSession(t, byte(i)), oldest)
		}
	}
	token := func(o *deskpb.OpenSession) {
		o.Session.Kind, o.Session.Limits = deskpb.Session_ACCESS_TOKEN, []string{"read"}
	}
	for i := range mostTokens {
		l.must(t, noon, opened("admin", byte(100+i), noon*2, token))
	}
	if got := l.one(t, noon, opened("admin", 201, noon*2, token)); got != "TOO_MANY_TOKENS" {
		t.Errorf("token %d: reason %q, want TOO_MANY_TOKENS", mostTokens+1, got)
	}
	if got := l.one(t, noon, opened("admin", 202, noon*2, func(o *deskpb.OpenSession) { o.Session.Kind = deskpb.Session_ACCESS_TOKEN })); got != "INVALID_FIELD" {
		t.Errorf("a token without limits: reason %q, want INVALID_FIELD", got)
	}
}

func TestACodeIsTakenOnce(t *testing.T) {
	l := founded(t)
	with := func(step int64) func(*deskpb.OpenSession) { return func(o *deskpb.OpenSession) { o.TotpStep = step } }
	l.must(t, noon, opened("admin", 1, noon*2, with(100)))
	for _, step := range []int64{100, 99} {
		if got := l.one(t, noon, opened("admin", 2, noon*2, with(step))); got != "WRONG_CODE" {
			t.Errorf("step %d after step 100: reason %q, want WRONG_CODE", step, got)
		}
	}
	if l.hasSession(t, 2) {
		t.Error("a used code opened a session")
	}
	version := l.user(t, "admin").Version
	l.must(t, noon, opened("admin", 2, noon*2, with(101)), openSession("admin", 3, noon*2))
	if got := l.user(t, "admin"); got.TotpStep != 101 || got.Version != version {
		t.Errorf("the last step is %d, the version %d; want 101 and %d", got.TotpStep, got.Version, version)
	}
}

func TestADisabledUserIsOut(t *testing.T) {
	l := founded(t)
	l.must(t, noon, putUser("wang", deskpb.User_AGENT, "$", true), openSession("wang", 1, noon*2), openSession("admin", 2, noon*2))
	disabled := putUser("wang", deskpb.User_AGENT, "$", false)
	disabled.GetPutUser().User.Disabled = true
	l.must(t, noon, disabled)
	if l.hasSession(t, 1) || !l.hasSession(t, 2) {
		t.Errorf("sessions of wang and admin are there: %v, %v; want the latter alone", l.hasSession(t, 1), l.hasSession(t, 2))
	}
	if got := l.one(t, noon, openSession("wang", 3, noon*2)); got != "WRONG_PASSWORD" {
		t.Errorf("a disabled user signs in: reason %q, want WRONG_PASSWORD", got)
	}
}

func TestTheLastAdministratorWhoMaySignInStays(t *testing.T) {
	l := founded(t)
	li := putUser("li", deskpb.User_ADMINISTRATOR, "$", true)
	li.GetPutUser().User.Disabled = true
	l.must(t, noon, li)
	admin := func(change func(*deskpb.User)) *deskpb.Command {
		user := proto.CloneOf(l.user(t, "admin"))
		change(user)
		return &deskpb.Command{Kind: &deskpb.Command_PutUser{PutUser: &deskpb.PutUser{User: user}}}
	}
	for what, command := range map[string]*deskpb.Command{
		"disabled":   admin(func(u *deskpb.User) { u.Disabled = true }),
		"an auditor": admin(func(u *deskpb.User) { u.Role = deskpb.User_AUDITOR }),
		"removed":    removeUser("admin"),
	} {
		if got := l.one(t, noon, command); got != "LAST_ADMINISTRATOR" {
			t.Errorf("the last one who may sign in is %s: reason %q, want LAST_ADMINISTRATOR", what, got)
		}
	}
	l.must(t, noon, admin(func(u *deskpb.User) { u.Unit = "信息中心" }))
}

func TestVersionsTellWhoWasFaster(t *testing.T) {
	l := founded(t)
	put := func(version uint64) *deskpb.Command {
		c := putUser("wang", deskpb.User_AGENT, "$", false)
		c.GetPutUser().IfVersion = version
		return c
	}
	l.must(t, noon, putUser("wang", deskpb.User_AGENT, "$", true), put(1), put(0), put(3))
	if got := l.one(t, noon, put(3)); got != "STALE_ETAG" {
		t.Errorf("a change of version 3: reason %q, want STALE_ETAG", got)
	}
	if got := l.user(t, "wang").Version; got != 4 {
		t.Errorf("the version is %d, want 4", got)
	}
}

func TestLocks(t *testing.T) {
	l := founded(t)
	lock := func(user string, until int64) *deskpb.Command {
		return &deskpb.Command{Kind: &deskpb.Command_LockUser{LockUser: &deskpb.LockUser{User: user, Until: until}}}
	}
	for _, c := range []struct{ until, want int64 }{{noon + 100, noon + 100}, {noon + 50, noon + 100}, {noon + 200, noon + 200}, {0, 0}} {
		l.must(t, noon, lock("admin", c.until))
		if got := l.user(t, "admin").LockedUntil; got != c.want {
			t.Errorf("after a lock until noon%+d it is locked until noon%+d, want %+d", c.until-noon, got-noon, c.want-noon)
		}
	}
	if got := l.user(t, "admin").UnlockTime; got < noon || got > noon+10 {
		t.Errorf("it was unlocked at noon%+d, want noon", got-noon)
	}
	if got := l.one(t, noon, lock("nobody", noon)); got != "USER_NOT_FOUND" {
		t.Errorf("a lock of nobody: reason %q, want USER_NOT_FOUND", got)
	}
}
