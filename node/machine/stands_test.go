package machine

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// A node that lags behind takes calls by sessions that have ended: none of them may leave anything behind that lasts.
func TestAnEndedSessionLeavesNothingBehind(t *testing.T) {
	for _, c := range []struct {
		name      string
		meanwhile []*deskpb.Command
		want      string
	}{
		{"it is open", nil, ""},
		{"it was ended", []*deskpb.Command{{Kind: &deskpb.Command_CloseSession{CloseSession: &deskpb.CloseSession{TokenHash: hashOf(1)}}}}, "TOKEN_UNKNOWN"},
		{"the password was changed", []*deskpb.Command{putUser("zhang", deskpb.User_ADMINISTRATOR, "another", false)}, "TOKEN_UNKNOWN"},
		{"the role was changed", []*deskpb.Command{putUser("zhang", deskpb.User_AGENT, "phc", false)}, "STALE_ROLE"},
		{"the account was deleted", []*deskpb.Command{removeUser("zhang")}, "TOKEN_UNKNOWN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := founded(t)
			l.must(t, noon, putUser("zhang", deskpb.User_ADMINISTRATOR, "phc", true), opened("zhang", 1, noon*2, func(o *deskpb.OpenSession) { o.Session.Id = "s1" }))
			if len(c.meanwhile) > 0 {
				l.must(t, noon, c.meanwhile...)
			}
			actor := &deskpb.Actor{User: "zhang", Role: deskpb.User_ADMINISTRATOR, Session: "s1"}
			token := opened("zhang", 2, noon*2, func(o *deskpb.OpenSession) {
				o.Session.Kind, o.Session.Limits = deskpb.Session_ACCESS_TOKEN, []string{"tickets"}
			})
			accomplice := putUser("accomplice", deskpb.User_ADMINISTRATOR, "phc", true)
			token.Actor, accomplice.Actor = actor, actor
			for _, asked := range []*deskpb.Command{token, accomplice} {
				if got := l.one(t, noon, asked); got != c.want {
					t.Errorf("%T is answered %q, want %q", asked.Kind, got, c.want)
				}
			}
		})
	}
}

// Whoever gave the old password while it was being changed has no session afterwards.
func TestASessionIsOfThePasswordThatWasGiven(t *testing.T) {
	l := founded(t)
	l.must(t, noon, putUser("zhang", deskpb.User_ADMINISTRATOR, "phc", true))
	before := l.user(t, "zhang").Version
	l.must(t, noon, putUser("zhang", deskpb.User_ADMINISTRATOR, "another", false))
	with := func(version uint64) *deskpb.Command {
		return opened("zhang", 1, noon*2, func(o *deskpb.OpenSession) { o.IfVersion = version })
	}
	if got := l.one(t, noon, with(before)); got != "STALE_ETAG" || l.hasSession(t, 1) {
		t.Errorf("a session by the old password is answered %q, want STALE_ETAG", got)
	}
	l.must(t, noon, with(l.user(t, "zhang").Version))
}

// Changing an account undoes neither a lock nor the use of a code that came meanwhile.
func TestAChangeOfAnAccountUndoesNoLock(t *testing.T) {
	l := founded(t)
	secret := func(user *deskpb.User) { user.TotpSecret = []byte("secret") }
	create := putUser("zhang", deskpb.User_ADMINISTRATOR, "phc", true)
	secret(create.GetPutUser().User)
	l.must(t, noon, create)
	read := l.user(t, "zhang")
	l.must(t, noon, &deskpb.Command{Kind: &deskpb.Command_LockUser{LockUser: &deskpb.LockUser{User: "zhang", Until: noon * 2}}},
		opened("zhang", 1, noon*2, func(o *deskpb.OpenSession) { o.TotpStep = 77 }))
	read.DisplayName = "张"
	l.must(t, noon, &deskpb.Command{Kind: &deskpb.Command_PutUser{PutUser: &deskpb.PutUser{User: read, IfVersion: read.Version}}})
	if now := l.user(t, "zhang"); now.LockedUntil != noon*2 || now.TotpStep != 77 || now.DisplayName != "张" {
		t.Errorf("after the change it is locked until %d, its last code is of step %d", now.LockedUntil, now.TotpStep)
	}
}
