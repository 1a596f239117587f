package node

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/node/directory"
)

func TestRightsOfOutsideGroups(t *testing.T) {
	rules := []config.RoleRule{
		{Group: "network", Role: "dispatcher", Scope: "site", Groups: []string{"网络组"}},
		{Group: "agents", Role: "agent", Groups: []string{"一线", "网络组"}},
		{Group: "watchers", Role: "auditor"},
	}
	for name, c := range map[string]struct {
		rest   string
		groups []string
		want   rights
	}{
		"one rule fits":                {"", []string{"agents"}, rights{deskpb.User_AGENT, deskpb.User_SCOPE_UNSPECIFIED, []string{"一线", "网络组"}}},
		"the first of several decides": {"", []string{"watchers", "agents", "network"}, rights{deskpb.User_DISPATCHER, deskpb.User_SITE, []string{"一线", "网络组"}}},
		"no rule fits":                 {"", []string{"others"}, rights{}},
		"no group":                     {"", nil, rights{}},
		"the rest":                     {"requester", []string{"others"}, rights{role: deskpb.User_REQUESTER}},
		"the rest is for those alone whom no rule fits": {"requester", []string{"watchers"}, rights{role: deskpb.User_AUDITOR}},
		"a part of a name": {"", []string{"agent", "agents2"}, rights{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := rightsOf(rules, c.rest, c.groups, func(a, b string) bool { return a == b })
			if len(got.groups) == 0 {
				got.groups = nil
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("rightsOf(%q) = %+v, want %+v", c.groups, got, c.want)
			}
		})
	}
	named := []config.RoleRule{{Group: "CN=Desk, DC=example", Role: "agent"}}
	if got := rightsOf(named, "", []string{"cn=desk,dc=example"}, directory.SameGroup); got.role != deskpb.User_AGENT {
		t.Errorf("a distinguished name that is written in another way gives %v, want the rule's role", got.role)
	}
}

func TestSignInThatCannotStart(t *testing.T) {
	nothing := filepath.Join(t.TempDir(), "nothing.pem")
	if err := os.WriteFile(nothing, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	directory := func(c *config.Config) {
		l := &c.SignIn.LDAP
		l.URL, l.BindDN, l.BindPasswordEnv, l.Base, l.DefaultRole = "ldaps://127.0.0.1:1", "cn=desk", "DESK_LDAP_PASSWORD", "dc=cn", "agent"
	}
	provider := func(c *config.Config) {
		o := &c.SignIn.OIDC
		o.Issuer, o.ClientID, o.ClientSecretEnv, o.DefaultRole = "https://127.0.0.1:1", "desk", "DESK_OIDC_SECRET", "agent"
		o.RedirectURL = "https://desk.example.cn" + config.CallbackPath
	}
	for name, c := range map[string]struct {
		change func(*config.Config)
		set    func(*Options)
		want   string
	}{
		"no password of the service account": {directory, func(*Options) {}, "the variable DESK_LDAP_PASSWORD is empty"},
		"no secret of the client":            {provider, func(*Options) {}, "the variable DESK_OIDC_SECRET is empty"},
		"no authority of the directory": {func(c *config.Config) { directory(c); c.SignIn.LDAP.CA = nothing },
			func(o *Options) { o.DirectoryPassword = "x" }, "sign_in.ldap.ca: there is no certificate in " + nothing},
		"no file of the provider's authority": {func(c *config.Config) { provider(c); c.SignIn.OIDC.CA = nothing + "2" },
			func(o *Options) { o.ProviderSecret = "x" }, "read sign_in.oidc.ca"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := configuration(t, "n1")
			c.change(cfg)
			o := options(cfg)
			c.set(&o)
			n, err := Start(t.Context(), o)
			if err == nil {
				stop(t, n)
				t.Fatal("the node started")
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error = %q, want one line with %q", err, c.want)
			}
		})
	}
}

func TestASiteStartsWithoutThoseWhoVouch(t *testing.T) {
	c := configuration(t, "n1")
	l := &c.SignIn.LDAP
	l.URL, l.Base, l.DefaultRole = "ldap://127.0.0.1:1", "dc=cn", "agent"
	o := &c.SignIn.OIDC
	o.Issuer, o.ClientID, o.ClientSecretEnv, o.DefaultRole = "http://127.0.0.1:1", "desk", "DESK_OIDC_SECRET", "agent"
	o.RedirectURL = "http://127.0.0.1:2" + config.CallbackPath
	with := options(c)
	with.ProviderSecret = "of-the-client"
	n, err := Start(t.Context(), with)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, n) })
	awaitReady(t, n)
	administratorOf(t, n)
}
