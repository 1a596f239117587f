package people

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// Whoever is not let in gets the same words after the same work, and the audit log learns of it.
func TestEveryWrongSignInIsTheSame(t *testing.T) {
	const same = "the user or the password is wrong"
	for _, c := range []struct{ what, user, password string }{
		{"wrong password", "wang", "wrong horse"},
		{"no password", "wang", ""},
		{"endless password", "wang", strings.Repeat("x", 2000)},
		{"unknown user", "li", password},
		{"no user", "", ""},
		{"a name that nobody can have", strings.Repeat("王", 500), password},
		{"a disabled user", "sun", password},
		{"somebody of a directory that is gone", "zhao", password},
	} {
		t.Run(c.what, func(t *testing.T) {
			o := open(t)
			for name, source := range map[string]deskpb.User_Source{"sun": deskpb.User_LOCAL, "zhao": deskpb.User_OIDC} {
				user := o.site.user(t, "wang")
				user.Name, user.Disabled, user.Source = name, name == "sun", source
				o.site.put(t, user)
			}
			before := o.hasher.derived.Load()
			_, err := o.try(c.user, c.password, "", county)
			mustRefuse(t, c.what, err, "WRONG_PASSWORD")
			if err != nil && err.Error() != same {
				t.Errorf("the words are %q, want %q", err, same)
			}
			if got := o.hasher.derived.Load() - before; got != 1 {
				t.Errorf("it took %d derivations, want 1", got)
			}
			if len(o.log.entries) != 1 {
				t.Fatalf("%d entries were told, want 1", len(o.log.entries))
			}
			e := o.log.entries[0]
			if e.Action != audit.SignIn || e.Outcome != deskpb.AuditEntry_REFUSED || e.Address != county || e.Node != "n1" || e.Reason != "WRONG_PASSWORD" || len(e.Actor) > 3*maxName {
				t.Errorf("the audit log is told %v", e)
			}
			if known := o.site.user(t, c.user) != nil; known != (e.Actor == c.user) || known == (e.Actor == string(unknownName)) {
				t.Errorf("the audit log is told the name %q, want only that of an account", e.Actor)
			}
		})
	}
}

func TestNamesAreInAnyCaseOfLetters(t *testing.T) {
	o := open(t)
	opened, err := o.try("Wang", password, "", county)
	if err != nil || o.actor(opened.Token).User != "wang" {
		t.Errorf("Wang signs in: %v", err)
	}
}

func TestTooManyWrongPasswords(t *testing.T) {
	for _, user := range []string{"wang", "nobody"} {
		t.Run(user, func(t *testing.T) {
			o := open(t)
			for range mostOfUserAndAddress {
				_, err := o.try(user, "wrong horse", "", county)
				mustRefuse(t, "a wrong password", err, "WRONG_PASSWORD")
			}
			derived, barriers, commands := o.hasher.derived.Load(), o.site.barriers, o.site.proposed()
			_, err := o.try(user, password, "", county)
			mustRefuse(t, "the right password after too many wrong ones", err, "TOO_MANY_ATTEMPTS")
			var refusal *desk.Refusal
			if errors.As(err, &refusal); refusal.Code != desk.ResourceExhausted || refusal.Wait != time.Minute || !strings.Contains(refusal.Message, "60 s") {
				t.Errorf("it is refused as %v with a wait of %v: %s", refusal.Code, refusal.Wait, refusal.Message)
			}
			if o.hasher.derived.Load() != derived || o.site.barriers != barriers || o.site.proposed() != commands {
				t.Error("the refusal cost a derivation, a barrier or a command")
			}
			_, err = o.try(user, password, "", "10.33.1.7")
			if user == "wang" && err != nil {
				t.Errorf("from another address: %v", err)
			}
			o.clock.advance(time.Minute)
			if _, err = o.try(user, password, "", county); user == "wang" && err != nil {
				t.Errorf("after the pause: %v", err)
			}
		})
	}
}

// A user whom many addresses try is locked at every node, by the log.
func TestManyAddressesLockTheUserEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, func(o *Options) { o.Clock = time.Now })
		defer run(t.Context(), o.People)()
		before := o.site.proposed()
		for _, user := range []string{"wang", "nobody"} {
			for i := range mostOfUser {
				_, err := o.try(user, "wrong horse", "", fmt.Sprintf("10.0.%d.1", i))
				mustRefuse(t, "a wrong password", err, "WRONG_PASSWORD")
			}
		}
		synctest.Wait()
		if got := o.site.proposed() - before; got != 1 || o.site.last().GetLockUser().GetUser() != "wang" {
			t.Fatalf("%d commands, the last %v; want the lock of wang alone", got, o.site.last())
		}
		other, err := New(Options{Site: o.site, Clock: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		for range mostOfUserAndAddress { // before it learns of the lock
			p := other.throttle
			p.begin("wang", "10.1.1.1", time.Now())
			p.end("wang", "10.1.1.1", wrong, time.Now())
		}
		time.Sleep(time.Second)
		right := &apipb.CreateSessionRequest{User: "wang", Password: password}
		_, err = other.SignIn(t.Context(), right, "10.1.1.1", "")
		mustRefuse(t, "the right password at another node", err, "TOO_MANY_ATTEMPTS")
		shown, err := o.User(t.Context(), administrator, "wang")
		if err != nil || time.Until(shown.LockTime.AsTime()) != 59*time.Second {
			t.Errorf("wang is shown locked until %v, %v; want 59 s from now", shown.GetLockTime().AsTime(), err)
		}
		shown, err = o.UnlockUser(t.Context(), administrator, "wang")
		if err != nil || shown.LockTime != nil {
			t.Fatalf("unlocked wang is %v, %v", shown, err)
		}
		for _, p := range []*People{o.People, other} {
			if _, err := p.SignIn(t.Context(), right, "10.1.1.1", ""); err != nil {
				t.Errorf("after the unlocking: %v", err)
			}
		}
		_, err = o.UnlockUser(t.Context(), agent, "wang")
		mustRefuse(t, "an agent unlocks", err, "PERMISSION_DENIED")
	})
}

func TestATryThatBreaksOffCountsForNothing(t *testing.T) {
	o := open(t)
	o.site.down = true
	for range 2 * mostOfUserAndAddress {
		if _, err := o.try("wang", password, "", county); !errors.Is(err, errDown) {
			t.Fatalf("without a leader: %v", err)
		}
	}
	o.site.down = false
	if _, err := o.try("wang", password, "", county); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if len(o.log.entries) != 0 {
		t.Errorf("the audit log is told %v", o.log.entries)
	}
}

// oldRecord is an account as it was written when accounts had no more than names, a role and a password.
const oldRecord = "0a046368656e1206e99988e99d9918022253246172676f6e32696424763d3139246d3d36342c743d312c703d3124633239745a584e6862485124" +
	"78702f303131795635503878376b59425a47657878716d6530414d49555369554f38743358436141524d6b2a060880f7c4d506"

func TestAnOldRecordSignsIn(t *testing.T) {
	o := open(t)
	raw, err := hex.DecodeString(oldRecord)
	if err != nil {
		t.Fatal(err)
	}
	old := &deskpb.User{}
	if err := proto.Unmarshal(raw, old); err != nil {
		t.Fatal(err)
	}
	o.site.put(t, old)
	opened, err := o.try("chen", "an old password", "", county)
	if err != nil || opened.MustChangePassword {
		t.Fatalf("chen signs in: %v, %v", opened, err)
	}
	actor := o.actor(opened.Token)
	if actor.Role != deskpb.User_INCIDENT_MANAGER || actor.Scope != deskpb.User_SCOPE_UNSPECIFIED || len(actor.Lines) != 0 || actor.MustChangePassword {
		t.Errorf("chen is %v", actor)
	}
	shown, err := o.UpdateUser(t.Context(), administrator, &apipb.UpdateUserRequest{User: &apipb.User{Name: "chen", Unit: "网络科"}})
	if err != nil || shown.DisplayName != "陈静" || shown.Unit != "网络科" {
		t.Errorf("with a unit the account is %v, %v", shown, err)
	}
}
