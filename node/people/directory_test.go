package people

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// book is a directory in memory: people by their names, all with the same password.
type book struct {
	people  map[string]*Found
	err     error // what every question comes to, when set
	asked   int
	another string // the password when it is not the usual one
}

func (b *book) Check(_ context.Context, user, given string) (*Found, error) {
	b.asked++
	want := password
	if b.another != "" {
		want = b.another
	}
	switch found := b.people[user]; {
	case b.err != nil:
		return nil, fmt.Errorf("ask ldap.example.cn: %w", b.err)
	case found == nil || given != want:
		return nil, fmt.Errorf("bind: %w", ErrWrong)
	default:
		copied := *found
		return &copied, nil
	}
}

const offline = 72 * time.Hour

// openWith opens people whose directory knows zhao, an agent of the network group.
func openWith(t *testing.T) (*office, *book) {
	t.Helper()
	b := &book{people: map[string]*Found{"zhao": {
		Name: "zhao", Subject: "uid=zhao,ou=people,dc=example,dc=cn", DisplayName: "赵雷", Email: "zhao@example.cn", Phone: "0571-85000012",
		Unit: "网络科", Role: deskpb.User_AGENT, Scope: deskpb.User_SITE, Groups: []string{"网络组"},
	}}}
	return open(t, func(o *Options) { o.Directory, o.Offline = b, offline }), b
}

func TestADirectoryMakesAccounts(t *testing.T) {
	o, b := openWith(t)
	opened, err := o.try("Zhao", password, "", county)
	if err != nil || opened.MustChangePassword {
		t.Fatalf("zhao signs in: %v, %v", opened, err)
	}
	if c := o.site.commands[len(o.site.commands)-2]; c.GetPutUser() == nil || c.Actor.GetUser() != "zhao" || c.Actor.GetAddress() != county {
		t.Errorf("the account is made by %v", c)
	}
	actor := o.actor(opened.Token)
	if actor.Role != deskpb.User_AGENT || actor.Scope != deskpb.User_SITE || len(actor.Groups) != 1 {
		t.Errorf("zhao is %v", actor)
	}
	made := o.site.user(t, "zhao")
	if made.Source != deskpb.User_LDAP || made.Subject == "" || made.DisplayName != "赵雷" || made.Phone == "" || made.Email == "" || made.Unit != "网络科" {
		t.Errorf("the account is %v", made)
	}
	before := made.Version
	if _, err := o.try("zhao", password, "", county); err != nil || o.site.user(t, "zhao").Version != before {
		t.Errorf("a second sign-in: %v, and the account has version %d, want %d as before", err, o.site.user(t, "zhao").Version, before)
	}
	b.people["zhao"].Role, b.people["zhao"].Phone, b.people["zhao"].Email = deskpb.User_DISPATCHER, "ask at the door", "nowhere"
	if _, err := o.try("zhao", password, "", county); err != nil {
		t.Fatal(err)
	}
	if got := o.site.user(t, "zhao"); got.Role != deskpb.User_DISPATCHER || got.Phone != "" || got.Email != "" {
		t.Errorf("after the directory changed the account is %v", got)
	}
}

// Directories take many spellings for one name. None of them may be a way around what is counted and locked by name.
func TestASpellingIsNoWayAroundALock(t *testing.T) {
	for _, spelling := range []string{"ｚhao", "zháo", "zh\u00adao", "zhao ", "zh ao"} {
		o, b := openWith(t)
		b.people[spelling] = b.people["zhao"]
		_, err := o.try(spelling, password, "", county)
		mustRefuse(t, fmt.Sprintf("%q", spelling), err, "WRONG_PASSWORD")
		if b.asked != 0 {
			t.Errorf("the directory was asked about %q", spelling)
		}
	}
	o, b := openWith(t)
	if _, err := o.try("zhao", password, "", county); err != nil {
		t.Fatal(err)
	}
	b.people["zhao@example.cn"] = b.people["zhao"]
	if _, err := o.try("zhao@example.cn", password, "", county); err != nil {
		t.Fatalf("by another name that the directory has: %v", err)
	}
	locked := o.site.user(t, "zhao")
	locked.LockedUntil = o.clock.now.Add(time.Minute).UnixMicro()
	o.site.put(t, locked)
	_, err := o.try("zhao@example.cn", password, "", county)
	mustRefuse(t, "by another name while the account is locked", err, "TOO_MANY_ATTEMPTS")
}

func TestWhatADirectoryRefuses(t *testing.T) {
	for _, c := range []struct {
		what, user, password string
		change               func(*office, *book)
		reason               string
		asked                int
	}{
		{"a wrong password", "zhao", "wrong horse", func(*office, *book) {}, "WRONG_PASSWORD", 1},
		{"nobody", "nobody", password, func(*office, *book) {}, "WRONG_PASSWORD", 1},
		{"no password, which directories take for nobody's", "zhao", "", func(*office, *book) {}, "WRONG_PASSWORD", 0},
		{"a local account's name is not asked about", "wang", "wrong horse", func(*office, *book) {}, "WRONG_PASSWORD", 0},
		{"a local account under another name", "zhao", password, func(_ *office, b *book) { b.people["zhao"].Name = "wang" }, "NAME_TAKEN", 1},
		{"a name that is none", "zhao", password, func(_ *office, b *book) { b.people["zhao"].Name = "赵雷" }, "BAD_NAME", 1},
		{"no role", "zhao", password, func(_ *office, b *book) { b.people["zhao"].Role = 0 }, "INVALID_FIELD", 1},
		{"nobody, while it is away", "nobody", password, func(_ *office, b *book) { b.err = ErrUnreachable }, "DIRECTORY_UNREACHABLE", 1},
	} {
		t.Run(c.what, func(t *testing.T) {
			o, b := openWith(t)
			c.change(o, b)
			_, err := o.try(c.user, c.password, "", county)
			mustRefuse(t, c.what, err, c.reason)
			if b.asked != c.asked {
				t.Errorf("the directory was asked %d times, want %d", b.asked, c.asked)
			}
			if len(o.log.entries) != 1 || o.log.entries[0].Reason != c.reason {
				t.Errorf("the audit log is told %v", o.log.entries)
			}
			if o.site.user(t, "zhao") != nil {
				t.Error("an account was made")
			}
		})
	}
}

func TestALineToTheDirectoryIsCut(t *testing.T) {
	o, b := openWith(t)
	if _, err := o.try("zhao", password, "", county); err != nil {
		t.Fatal(err)
	}
	b.err = ErrUnreachable
	if _, err := o.try("zhao", password, "", county); err != nil {
		t.Errorf("the password that the directory took last: %v", err)
	}
	derived := o.hasher.derived.Load()
	_, wrong := o.try("zhao", "wrong horse", "", county)
	mustRefuse(t, "a wrong password", wrong, "DIRECTORY_UNREACHABLE")
	work := o.hasher.derived.Load() - derived
	_, nobody := o.try("nobody", password, "", county)
	mustRefuse(t, "nobody", nobody, "DIRECTORY_UNREACHABLE")
	if again := o.hasher.derived.Load() - derived - work; again != work || wrong.Error() != nobody.Error() {
		t.Errorf("nobody is told by %d derivations and %q, a wrong password by %d and %q", again, nobody, work, wrong)
	}
	o.clock.advance(offline)
	_, err := o.try("zhao", password, "", county)
	mustRefuse(t, "after three days", err, "DIRECTORY_UNREACHABLE")
	b.err = nil
	if _, err := o.try("zhao", password, "", county); err != nil {
		t.Errorf("when the line is back: %v", err)
	}
	b.err = ErrUnreachable
	if _, err := o.try("zhao", password, "", county); err != nil {
		t.Errorf("when it is cut again: %v", err)
	}
	b.err = errors.New("the base does not exist")
	if _, err := o.try("zhao", password, "", county); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("with a directory that is set up wrongly: %v", err)
	}
}

// Who got another password at the directory is signed out here.
func TestAnotherPasswordAtTheDirectoryEndsSessions(t *testing.T) {
	o, b := openWith(t)
	opened, err := o.try("zhao", password, "", county)
	if err != nil {
		t.Fatal(err)
	}
	b.another = "another horse"
	if _, err := o.try("zhao", "another horse", "", county); err != nil {
		t.Fatal(err)
	}
	o.mustUnknown("a session from before", opened.Token)
}

func TestADirectoryAccountIsChangedThere(t *testing.T) {
	o, _ := openWith(t)
	if _, err := o.try("zhao", password, "", county); err != nil {
		t.Fatal(err)
	}
	err := o.SetPassword(t.Context(), administrator, &apipb.SetPasswordRequest{Name: "zhao", Password: "another horse"})
	mustRefuse(t, "its password", err, "DIRECTORY_ACCOUNT")
	update := func(user *apipb.User) error {
		user.Name = "zhao"
		_, err := o.UpdateUser(t.Context(), administrator, &apipb.UpdateUserRequest{User: user})
		return err
	}
	mustRefuse(t, "its role", update(&apipb.User{Role: apipb.User_ADMINISTRATOR}), "DIRECTORY_ACCOUNT")
	if err := update(&apipb.User{Lines: []apipb.User_Line{apipb.User_SECOND}}); err != nil {
		t.Errorf("its lines: %v", err)
	}
	if err := update(&apipb.User{Disabled: true}); err != nil {
		t.Errorf("whether it may sign in: %v", err)
	}
	_, err = o.try("zhao", password, "", county)
	mustRefuse(t, "a disabled account", err, "WRONG_PASSWORD")
	if got := o.site.user(t, "zhao").Lines; len(got) != 1 {
		t.Errorf("its lines are %v after a sign-in", got)
	}
}

func TestADirectoryAccountHasASecondFactorToo(t *testing.T) {
	o, _ := openWith(t)
	opened, err := o.try("zhao", password, "", county)
	if err != nil {
		t.Fatal(err)
	}
	me := o.actor(opened.Token)
	_, err = o.EnrolSecondFactor(t.Context(), me, enrolment("zhao", "wrong horse"))
	mustRefuse(t, "enrolling with a password that the directory does not take", err, "INVALID_FIELD")
	if _, err := o.EnrolSecondFactor(t.Context(), me, enrolment("zhao", password)); err != nil {
		t.Fatalf("enrolling with the directory's password: %v", err)
	}
	user := o.site.user(t, "zhao")
	user.TotpPending = false
	o.site.put(t, user)
	_, err = o.try("zhao", password, "", county)
	mustRefuse(t, "no code", err, "SECOND_FACTOR_REQUIRED")
	if _, err := o.RemoveSecondFactor(t.Context(), me, &apipb.RemoveSecondFactorRequest{Name: "zhao", Password: password}); err != nil {
		t.Errorf("it is removed with the directory's password: %v", err)
	}
}

func TestAdmit(t *testing.T) {
	found := Found{Name: "sun", Subject: "https://id.example.cn|42", DisplayName: "孙\n丽", Role: deskpb.User_LEADER}
	for _, c := range []struct {
		what   string
		change func(*Found)
		there  *deskpb.User // the account that is there
		source deskpb.User_Source
		reason string
	}{
		{"somebody new", func(*Found) {}, nil, deskpb.User_OIDC, ""},
		{"the same person", func(*Found) {}, &deskpb.User{Source: deskpb.User_OIDC, Subject: found.Subject}, deskpb.User_OIDC, ""},
		{"another person of the same name", func(*Found) {}, &deskpb.User{Source: deskpb.User_OIDC, Subject: "https://id.example.cn|7"}, deskpb.User_OIDC, "NAME_TAKEN"},
		{"a local account", func(*Found) {}, &deskpb.User{Source: deskpb.User_LOCAL}, deskpb.User_OIDC, "NAME_TAKEN"},
		{"an account of another directory", func(*Found) {}, &deskpb.User{Source: deskpb.User_LDAP, Subject: found.Subject}, deskpb.User_OIDC, "NAME_TAKEN"},
		{"one who moved to another branch", func(*Found) {}, &deskpb.User{Source: deskpb.User_LDAP, Subject: "uid=sun,ou=old"}, deskpb.User_LDAP, ""},
		{"a disabled one", func(*Found) {}, &deskpb.User{Source: deskpb.User_OIDC, Subject: found.Subject, Disabled: true}, deskpb.User_OIDC, "WRONG_PASSWORD"},
		{"no name", func(f *Found) { f.Name = "" }, nil, deskpb.User_OIDC, "BAD_NAME"},
		{"the last administrator stays one", func(*Found) {}, &deskpb.User{Source: deskpb.User_OIDC, Subject: found.Subject, Role: deskpb.User_ADMINISTRATOR}, deskpb.User_OIDC, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			o := open(t)
			if c.there != nil {
				c.there.Name = "sun"
				if c.there.Role == 0 {
					c.there.Role = deskpb.User_AGENT
				}
				o.site.put(t, c.there)
			}
			given := found
			c.change(&given)
			opened, err := o.Admit(t.Context(), given, c.source, county, "a browser")
			if c.reason != "" {
				mustRefuse(t, c.what, err, c.reason)
				if len(o.log.entries) != 1 || o.log.entries[0].Reason != c.reason {
					t.Errorf("the audit log is told %v", o.log.entries)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := deskpb.User_LEADER
			if c.there.GetRole() == deskpb.User_ADMINISTRATOR {
				want = deskpb.User_ADMINISTRATOR
			}
			if actor := o.actor(opened.Token); actor.User != "sun" || actor.Role != want {
				t.Errorf("admitted is %v, want sun as %v", actor, want)
			}
			if got := o.site.user(t, "sun"); got.DisplayName != "孙丽" || got.Subject != given.Subject {
				t.Errorf("the account is %v", got)
			}
		})
	}
}

// While the directory is away, what nobody can judge is no wrong password of the user's: the account is not locked at every node for it.
// From one address it ends as wrong passwords do, so that it does not tell of whom something is kept here.
func TestWhatNobodyCanJudgeDoesNotLockTheUser(t *testing.T) {
	for _, c := range []struct {
		what string
		kept bool
	}{{"nothing is kept", false}, {"a password is kept, which is not the one given", true}} {
		t.Run(c.what, func(t *testing.T) {
			o, b := openWith(t)
			if _, err := o.try("zhao", password, "", county); err != nil {
				t.Fatal(err)
			}
			if !c.kept {
				o.clock.advance(offline)
			}
			b.err = ErrUnreachable
			for n := range mostOfUser {
				_, err := o.try("zhao", "wrong horse", "", fmt.Sprintf("10.1.6.%d", n))
				mustRefuse(t, "while the directory is away", err, "DIRECTORY_UNREACHABLE")
			}
			if locked := len(o.upkeep.locks) > 0; locked != c.kept {
				t.Errorf("the user is locked everywhere: %v, want %v", locked, c.kept)
			}
			for n := range mostOfUserAndAddress {
				_, err := o.try("nobody", "wrong horse", "", county)
				mustRefuse(t, fmt.Sprintf("nobody's try %d from one address", n), err, "DIRECTORY_UNREACHABLE")
			}
			_, err := o.try("nobody", "wrong horse", "", county)
			mustRefuse(t, "one more from that address", err, "TOO_MANY_ATTEMPTS")
		})
	}
}

// A sign-in writes the account anew only when the directory says something else, the password has changed, or less than half of the time
// is left for which the password stands in.
func TestASignInSeldomWritesTheAccount(t *testing.T) {
	o, b := openWith(t)
	version := func() uint64 { return o.site.user(t, "zhao").GetVersion() }
	for _, step := range []struct {
		what   string
		change func()
		writes uint64
	}{
		{"the first", func() {}, 1},
		{"soon after", func() { o.clock.advance(time.Minute) }, 0},
		{"with more than half of the time left", func() { o.clock.advance(offline/2 - 2*time.Minute) }, 0},
		{"with less than half of it left", func() { o.clock.advance(2 * time.Minute) }, 1},
		{"right after that", func() {}, 0},
		{"with another password", func() { b.another = "another horse" }, 1},
		{"with another unit", func() { b.people["zhao"].Unit = "系统科" }, 1},
	} {
		before := version()
		step.change()
		given := password
		if b.another != "" {
			given = b.another
		}
		if _, err := o.try("zhao", given, "", county); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		if wrote := version() - before; wrote != step.writes {
			t.Errorf("the sign-in %s wrote the account %d times, want %d", step.what, wrote, step.writes)
		}
	}
}
