package directory

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// to makes a Directory for the fake one.
func to(t testing.TB, f *fakeServer, change func(*Options)) *Directory {
	t.Helper()
	o := Options{
		URL: "ldap://" + f.listener.Addr().String(), BindDN: service, BindPassword: servicePass,
		Base: "ou=people,dc=example,dc=cn", UserFilter: "(uid=%s)",
		Attributes: Attributes{DisplayName: "cn", Email: "mail", Phone: "telephoneNumber", Unit: "ou", Groups: "memberOf"},
		Timeout:    time.Minute, Connections: 2,
	}
	if change != nil {
		change(&o)
	}
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAPersonIsFound(t *testing.T) {
	f := newFake(t, nil)
	got, err := to(t, f, nil).Check(t.Context(), "zhang", personPass)
	if err != nil {
		t.Fatal(err)
	}
	want := &Person{
		Name: "zhang", Subject: personDN, DisplayName: "张三", Email: "zhang@example.cn", Phone: "13800000000", Unit: "预算处",
		Groups: []string{"cn=agents,dc=example,dc=cn", "cn=all,dc=example,dc=cn"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Check = %+v, want %+v", got, want)
	}
	if binds, _ := f.heard(); !slices.Equal(binds, []string{service, personDN, service}) {
		t.Errorf("binds = %q; the person proves the password, the service account reads", binds)
	}
}

func TestGroupsThatNameTheirMembers(t *testing.T) {
	member := "(|(member=" + personDN + ")(memberUid=zhang))"
	f := newFake(t, func(f *fakeServer) {
		f.entries[member] = []*fakeEntry{{dn: "cn=desk,dc=example,dc=cn"}}
	})
	got, err := to(t, f, func(o *Options) {
		o.GroupBase, o.GroupFilter, o.Attributes = "dc=example,dc=cn", "(|(member=%s)(memberUid=%u))", Attributes{User: "uid"}
	}).Check(t.Context(), "zhang", personPass)
	if err != nil || got.Name != "zhang" || !slices.Equal(got.Groups, []string{"cn=desk,dc=example,dc=cn"}) {
		t.Errorf("Check = %+v, %v, want the group that names zhang", got, err)
	}
}

func TestWhatIsWrong(t *testing.T) {
	second := &fakeEntry{dn: "uid=zhang,ou=other,dc=example,dc=cn"}
	for _, c := range []struct {
		name, user, password string
		change               func(*fakeServer)
		binds                []string // what the directory was asked to prove
	}{
		{name: "wrong password", user: "zhang", password: "of-somebody-else", binds: []string{service, personDN}},
		{name: "unknown name, which costs the same", user: "li", password: "of-somebody-else", binds: []string{service, nobody + "ou=people,dc=example,dc=cn"}},
		{name: "empty password at a directory that would take it", user: "zhang", password: "", change: func(f *fakeServer) { f.lax = true }},
		{name: "empty name", user: "", password: "of-somebody-else"},
		{name: "name that is too long", user: strings.Repeat("x", maxName+1), password: "of-somebody-else"},
		{name: "name that is no text", user: "zh\xffang", password: "of-somebody-else"},
		{name: "name with a zero", user: "zhang\x00", password: personPass},
		{name: "two of the name", user: "zhang", password: personPass, binds: []string{service, nobody + "ou=people,dc=example,dc=cn"},
			change: func(f *fakeServer) { f.entries[personsFilter] = append(f.entries[personsFilter], second) }},
		{name: "too many of the name", user: "zhang", password: personPass, binds: []string{service, nobody + "ou=people,dc=example,dc=cn"},
			change: func(f *fakeServer) {
				f.entries[personsFilter] = append(f.entries[personsFilter], second)
				f.searched = ldap.LDAPResultSizeLimitExceeded
			}},
		{name: "entry without a name of its own", user: "zhang", password: personPass, binds: []string{service, nobody + "ou=people,dc=example,dc=cn"},
			change: func(f *fakeServer) { f.entries[personsFilter] = []*fakeEntry{{dn: ""}}; f.lax = true }},
		{name: "locked out", user: "zhang", password: personPass, binds: []string{service, personDN},
			change: func(f *fakeServer) { f.codes = map[string]uint16{personDN: ldap.LDAPResultConstraintViolation} }},
		{name: "without a password there", user: "zhang", password: personPass, binds: []string{service, personDN},
			change: func(f *fakeServer) { f.codes = map[string]uint16{personDN: ldap.LDAPResultInappropriateAuthentication} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, c.change)
			person, err := to(t, f, nil).Check(t.Context(), c.user, c.password)
			if person != nil || !errors.Is(err, ErrWrong) || errors.Is(err, ErrUnreachable) {
				t.Errorf("Check = %+v, %v, want ErrWrong", person, err)
			}
			if binds, _ := f.heard(); !slices.Equal(binds, c.binds) {
				t.Errorf("binds = %q, want %q", binds, c.binds)
			}
			if err != nil && c.password != "" && strings.Contains(err.Error(), c.password) {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

func TestWhatIsUnreachable(t *testing.T) {
	short := func(o *Options) { o.Timeout = 100 * time.Millisecond }
	for name, c := range map[string]struct {
		server  func(*fakeServer)
		options func(*Options)
	}{
		"nobody listens":              {options: func(o *Options) { o.URL = "ldap://127.0.0.1:1" }},
		"says nothing":                {server: func(f *fakeServer) { f.silent = true }, options: short},
		"says nothing to StartTLS":    {server: func(f *fakeServer) { f.silent = true }, options: func(o *Options) { short(o); o.StartTLS = true }},
		"does not speak TLS":          {options: func(o *Options) { o.StartTLS = true }},
		"does not speak TLS at all":   {options: func(o *Options) { short(o); o.URL = strings.Replace(o.URL, "ldap:", "ldaps:", 1) }},
		"refuses the service account": {options: func(o *Options) { o.BindPassword = "old" }},
		"is busy":                     {server: func(f *fakeServer) { f.codes = map[string]uint16{personDN: ldap.LDAPResultBusy} }},
		"refers to another one":       {server: func(f *fakeServer) { f.searched = ldap.LDAPResultReferral }},
		"does not know the base":      {server: func(f *fakeServer) { f.searched = ldap.LDAPResultNoSuchObject }},
		"does not let anybody search": {server: func(f *fakeServer) { f.searched = ldap.LDAPResultInsufficientAccessRights }},
	} {
		t.Run(name, func(t *testing.T) {
			person, err := to(t, newFake(t, c.server), c.options).Check(t.Context(), "zhang", personPass)
			if person != nil || !errors.Is(err, ErrUnreachable) || errors.Is(err, ErrWrong) {
				t.Errorf("Check = %+v, %v, want ErrUnreachable", person, err)
			}
			if err != nil && (strings.Contains(err.Error(), personPass) || strings.Contains(err.Error(), servicePass)) {
				t.Errorf("the error tells a password: %v", err)
			}
		})
	}
}

func TestACancelledCheckEnds(t *testing.T) {
	f := newFake(t, func(f *fakeServer) { f.silent = true })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := to(t, f, nil).Check(ctx, "zhang", personPass)
		ended <- err
	}()
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, ErrUnreachable) {
			t.Errorf("Check = %v, want ErrUnreachable", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("a cancelled Check still waits for the directory")
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	f := newFake(t, func(f *fakeServer) { f.silent = true })
	d := to(t, f, func(o *Options) { o.Timeout, o.Connections = time.Hour, 1 })
	check := func(ctx context.Context, ended chan<- error) {
		_, err := d.Check(ctx, "zhang", personPass)
		ended <- err
	}
	holding, leave := context.WithCancel(t.Context())
	held := make(chan error, 1)
	go check(holding, held)
	for f.called() == 0 {
		time.Sleep(time.Millisecond) // between two looks
	}
	waiting, giveUp := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer giveUp()
	ended := make(chan error, 3)
	for range cap(ended) {
		go check(waiting, ended)
	}
	for range cap(ended) {
		if err := <-ended; !errors.Is(err, ErrUnreachable) {
			t.Errorf("Check = %v, want ErrUnreachable", err)
		}
	}
	if calls := f.called(); calls != 1 {
		t.Errorf("the directory was called %d times at once, want 1 and the others waiting", calls)
	}
	leave()
	if err := <-held; !errors.Is(err, ErrUnreachable) {
		t.Errorf("Check = %v, want ErrUnreachable", err)
	}
}

func TestTheCertificateIsChecked(t *testing.T) {
	f := newFake(t, func(f *fakeServer) { encrypted(t, f) })
	secure := func(o *Options) { o.URL = strings.Replace(o.URL, "ldap:", "ldaps:", 1) }
	if _, err := to(t, f, secure).Check(t.Context(), "zhang", personPass); !errors.Is(err, ErrUnreachable) {
		t.Errorf("Check = %v; a certificate that nobody trusts must not get the password", err)
	}
	if binds, _ := f.heard(); len(binds) != 0 {
		t.Errorf("binds = %q, want none before the certificate is trusted", binds)
	}
	options := secure
	trusted := newFake(t, func(f *fakeServer) {
		roots := encrypted(t, f)
		options = func(o *Options) { secure(o); o.Roots = roots }
	})
	if _, err := to(t, trusted, options).Check(t.Context(), "zhang", personPass); err != nil {
		t.Errorf("Check over TLS with a certificate that is trusted: %v", err)
	}
}

// TestWhatIsTypedStandsForItself types names that mean something in a filter.
func TestWhatIsTypedStandsForItself(t *testing.T) {
	for _, filter := range []string{
		"(uid=%s)", "(sAMAccountName=%s)", "(|(sAMAccountName=%s)(userPrincipalName=%s))",
		"(&(objectClass=user)(sAMAccountName=%s)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))", "(userPrincipalName=%s@example.cn)",
	} {
		d := to(t, newFake(t, nil), func(o *Options) { o.UserFilter = filter })
		rapid.Check(t, func(r *rapid.T) {
			typed := rapid.OneOf(
				rapid.StringMatching(`[a-z*()\\|&!=<>~:/% \x00-\x1f张]{1,20}`),
				rapid.SampledFrom([]string{"*", "*)(uid=*", "zhang)(|(uid=*", `\2a`, "zhang)(userPassword=*", "%s", "(", ")", "\\"}),
			).Draw(r, "typed")
			filled := d.filter(typed)
			compiled, err := ldap.CompileFilter(filled)
			if err != nil {
				r.Fatalf("%q makes the filter %s, which is none: %v", typed, filled, err)
			}
			plain, err := ldap.CompileFilter(strings.ReplaceAll(filter, "%s", "x"))
			if err != nil {
				r.Fatal(err)
			}
			if got, want := shape(compiled), shape(plain); got != want {
				r.Fatalf("%q changes the shape of the filter: %s, want %s", typed, got, want)
			}
		})
	}
}

// TestSearchesAreForWhatWasTyped sends names with a meaning all the way to the directory.
func TestSearchesAreForWhatWasTyped(t *testing.T) {
	f := newFake(t, func(f *fakeServer) {
		f.entries["(uid=*)"] = f.entries[personsFilter]
	})
	for _, typed := range []string{"*", "zh*", "zhang)(uid=*", "zhang)(|(uid=*)", `zhang\29`} {
		if person, err := to(t, f, nil).Check(t.Context(), typed, personPass); !errors.Is(err, ErrWrong) {
			t.Errorf("the name %q is let in: %+v, %v", typed, person, err)
		}
		_, filters := f.heard()
		if got, want := filters[len(filters)-1], fmt.Sprintf("(uid=%s)", ldap.EscapeFilter(typed)); got != want {
			t.Errorf("the name %q is searched by %s, want %s", typed, got, want)
		}
	}
}

func TestSameGroup(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"cn=desk,dc=example,dc=cn", "CN=Desk, DC=example,DC=CN", true},
		{"cn=desk,dc=example,dc=cn", "cn=desk,dc=example", false},
		{"cn=desk,dc=example,dc=cn", "cn=desk2,dc=example,dc=cn", false},
		{`cn=a\,b,dc=cn`, `cn=a\2Cb,dc=cn`, true},
		{"desk", "desk", false},
	} {
		if got := SameGroup(c.a, c.b); got != c.same {
			t.Errorf("SameGroup(%q, %q) = %v, want %v", c.a, c.b, got, c.same)
		}
	}
}

func TestBadOptions(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"web address":              func(o *Options) { o.URL = "https://ldap.example.cn" },
		"no host":                  func(o *Options) { o.URL = "ldap://" },
		"filter without a place":   func(o *Options) { o.UserFilter = "(uid=zhang)" },
		"filter that is none":      func(o *Options) { o.UserFilter = "uid=%s)" },
		"account without password": func(o *Options) { o.BindPassword = "" },
		"password without account": func(o *Options) { o.BindDN = "" },
		"no timeout":               func(o *Options) { o.Timeout = 0 },
		"no connection":            func(o *Options) { o.Connections = 0 },
	} {
		o := Options{
			URL: "ldap://127.0.0.1", BindDN: service, BindPassword: servicePass, UserFilter: "(uid=%s)", Timeout: time.Second, Connections: 1,
		}
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: New took it", name)
		}
	}
}
