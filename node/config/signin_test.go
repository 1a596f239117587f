package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// outside is a file with a directory and a provider.
const outside = minimal + `sign_in:
  session: 8h
  longest: 240h
  ldap:
    url: ldap://ldap.example.cn
    start_tls: true
    ca: /etc/tierdesk/ldap-ca.crt
    bind_dn: cn=desk,dc=example,dc=cn
    bind_password_env: DESK_LDAP_PASSWORD
    base: ou=people,dc=example,dc=cn
    user_filter: (|(sAMAccountName=%s)(userPrincipalName=%s))
    user_attribute: sAMAccountName
    roles:
      - {group: "cn=agents,dc=example,dc=cn", role: agent, scope: site, groups: [网络组, 应用组]}
      - {group: "cn=managers,dc=example,dc=cn", role: incident_manager}
    offline: 24h
  oidc:
    issuer: https://id.example.cn
    client_id: desk
    client_secret_env: DESK_OIDC_SECRET
    redirect_url: https://desk.example.cn/sign-in/callback
    default_role: requester
`

func TestSignInFromOutside(t *testing.T) {
	got, err := Load(write(t, "config.yaml", outside), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default().SignIn
	want.Session, want.Longest = "8h", "240h"
	l := &want.LDAP
	l.URL, l.StartTLS, l.CA = "ldap://ldap.example.cn", true, "/etc/tierdesk/ldap-ca.crt"
	l.BindDN, l.BindPasswordEnv, l.Base = "cn=desk,dc=example,dc=cn", "DESK_LDAP_PASSWORD", "ou=people,dc=example,dc=cn"
	l.UserFilter, l.UserAttribute = "(|(sAMAccountName=%s)(userPrincipalName=%s))", "sAMAccountName"
	l.Roles = []RoleRule{
		{Group: "cn=agents,dc=example,dc=cn", Role: "agent", Scope: "site", Groups: []string{"网络组", "应用组"}},
		{Group: "cn=managers,dc=example,dc=cn", Role: "incident_manager"},
	}
	l.Offline = "24h"
	o := &want.OIDC
	o.Issuer, o.ClientID, o.ClientSecretEnv = "https://id.example.cn", "desk", "DESK_OIDC_SECRET"
	o.RedirectURL, o.DefaultRole = "https://desk.example.cn/sign-in/callback", "requester"
	if !reflect.DeepEqual(got.SignIn, want) {
		t.Errorf("sign_in = %+v, want %+v", got.SignIn, want)
	}
	session, longest := got.SignIn.Durations()
	if session != 8*time.Hour || longest != 240*time.Hour || l.OfflineFor() != 24*time.Hour || l.Patience() != 5*time.Second {
		t.Errorf("session %v, longest %v, offline %v, timeout %v; want 8h, 240h, 24h, 5s", session, longest, l.OfflineFor(), l.Patience())
	}
	if label := got.SignIn.OIDC.DisplayLabel(); label != "id.example.cn" {
		t.Errorf("the button says %q, want the issuer's host", label)
	}
}

func TestRolesFromTheEnvironment(t *testing.T) {
	got, err := Load(write(t, "config.yaml", outside), []string{
		`TIERDESK_SIGN_IN_LDAP_ROLES=[{group: "cn=all,dc=example,dc=cn", role: auditor, groups: [a, b]}]`,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []RoleRule{{Group: "cn=all,dc=example,dc=cn", Role: "auditor", Groups: []string{"a", "b"}}}
	if !reflect.DeepEqual(got.SignIn.LDAP.Roles, want) {
		t.Errorf("roles = %+v, want the environment's %+v", got.SignIn.LDAP.Roles, want)
	}
}

func TestBadSignIn(t *testing.T) {
	swap := func(old, replacement string) string {
		if !strings.Contains(outside, old) {
			t.Fatalf("the file has no %q", old)
		}
		return strings.Replace(outside, old, replacement, 1)
	}
	for _, test := range []struct {
		name, text, want string
		environ          []string
	}{
		{name: "session", text: swap("8h", "soon"), want: `config.yaml:9: sign_in.session is "soon"; use a duration from 1m0s to 240h0m0s, such as 240h0m0s`},
		{name: "session beyond the longest", text: swap("8h", "250h"), want: `sign_in.session is "250h"; use a duration from 1m0s to 240h0m0s`},
		{name: "longest", text: swap("240h", "721h"), want: `sign_in.longest is "721h"; use a duration from 1m0s to 720h0m0s`},
		{name: "unknown key", text: swap("offline:", "ofline:"), want: "config.yaml:23: unknown key sign_in.ldap.ofline; did you mean sign_in.ldap.offline?"},
		{name: "unknown key of a rule", text: swap("role: agent", "rolle: agent"),
			want: "config.yaml:21: unknown key sign_in.ldap.roles.rolle; did you mean sign_in.ldap.roles.role?"},
		{name: "rules as text", text: minimal + "sign_in: {ldap: {roles: agent}}\n",
			want: `config.yaml:8: sign_in.ldap.roles must be a list of sections such as [{a: 1}, {a: 2}], not "agent"`},
		{name: "rule as text", text: minimal + "sign_in: {ldap: {roles: [agent]}}\n",
			want: `config.yaml:8: sign_in.ldap.roles must be a section of keys, not "agent"`},
		{name: "rules in the environment", text: outside, environ: []string{"TIERDESK_SIGN_IN_LDAP_ROLES=[{rolle: agent}]"},
			want: "TIERDESK_SIGN_IN_LDAP_ROLES:1: unknown key sign_in.ldap.roles.rolle; did you mean sign_in.ldap.roles.role?"},
		{name: "no YAML in the environment", text: outside, environ: []string{"TIERDESK_SIGN_IN_LDAP_ROLES=["},
			want: "TIERDESK_SIGN_IN_LDAP_ROLES: line 1: did not find expected node content"},
		{name: "directory without an address", text: minimal + "sign_in: {ldap: {base: dc=cn}}\n",
			want: "config.yaml: sign_in.ldap.url is missing; set it to the directory's address, such as ldaps://ldap.example.cn, or leave all of sign_in.ldap empty"},
		{name: "directory in clear", text: swap("    start_tls: true\n", ""),
			want: `config.yaml:12: sign_in.ldap.url is "ldap://ldap.example.cn"; passwords would go over the line in clear; use ldaps:// or set start_tls`},
		{name: "encrypted twice", text: swap("ldap://", "ldaps://"), want: "an ldaps:// address is encrypted from the beginning"},
		{name: "directory over the web", text: swap("ldap://", "http://"), want: "use ldaps://host, or ldap://host with start_tls"},
		{name: "password in the address", text: swap("ldap://", "ldap://cn=desk:s3cret@"), want: "config.yaml:12: sign_in.ldap.url holds a name or a password"},
		{name: "password in the file", text: swap("DESK_LDAP_PASSWORD", "s3cret!"),
			want: "config.yaml:16: sign_in.ldap.bind_password_env is not the name of an environment variable; put the secret into a variable"},
		{name: "password without an account", text: swap("    bind_dn: cn=desk,dc=example,dc=cn\n", ""), want: "sign_in.ldap.bind_dn is missing"},
		{name: "no base", text: swap("    base: ou=people,dc=example,dc=cn\n", ""), want: "sign_in.ldap.base is missing"},
		{name: "base", text: swap("base: ou=people,dc=example,dc=cn", "base: people"), want: `sign_in.ldap.base is "people"; use a distinguished name`},
		{name: "filter without a name", text: swap("(|(sAMAccountName=%s)(userPrincipalName=%s))", "(uid=admin)"),
			want: `sign_in.ldap.user_filter is "(uid=admin)"; put %s where the name belongs, such as (uid=%s)`},
		{name: "filter that is none", text: swap("(|(sAMAccountName=%s)(userPrincipalName=%s))", "uid=%s)"), want: "use a filter of LDAP in parentheses"},
		{name: "group filter", text: swap("    offline: 24h\n", "    group_base: dc=cn\n    group_filter: (cn=all)\n"),
			want: `sign_in.ldap.group_filter is "(cn=all)"; put %s where the name belongs, such as (member=%s)`},
		{name: "attribute", text: swap("user_attribute: sAMAccountName", "user_attribute: \"a)(b\""), want: `sign_in.ldap.user_attribute is "a)(b"; use the name of an attribute`},
		{name: "role", text: swap("role: agent", "role: boss"), want: `gives the group "cn=agents,dc=example,dc=cn" the role "boss"; use one of ` +
			"administrator, agent, auditor, dispatcher, incident_manager, leader, requester"},
		{name: "role in capitals", text: swap("role: agent", "role: AGENT"), want: `the role "AGENT"; use one of administrator, agent`},
		{name: "scope", text: swap("scope: site", "scope: world"), want: `the scope "world"; use one of groups, own, site, subtree, or leave it out`},
		{name: "rule without a group", text: swap(`group: "cn=agents,dc=example,dc=cn", `, ""), want: "sign_in.ldap.roles has a rule without a group"},
		{name: "group that is no distinguished name", text: swap("cn=agents,dc=example,dc=cn", "agents"), want: "group is a distinguished name"},
		{name: "nobody", text: swap("    default_role: requester\n", ""), want: "sign_in.oidc.roles is missing; set it to which group has which role"},
		{name: "default role", text: swap("default_role: requester", "default_role: all"), want: `sign_in.oidc.default_role is "all"; use one of administrator`},
		{name: "offline", text: swap("offline: 24h", "offline: 999h"), want: `sign_in.ldap.offline is "999h"; use a duration from 0s to 720h0m0s`},
		{name: "timeout", text: swap("offline: 24h", "timeout: 1h"), want: `sign_in.ldap.timeout is "1h"; use a duration from 100ms to 8s`},
		{name: "provider without an address", text: swap("    issuer: https://id.example.cn\n", ""), want: "sign_in.oidc.issuer is missing"},
		{name: "provider in clear", text: swap("https://id", "http://id"), want: `sign_in.oidc.issuer is "http://id.example.cn"; secrets would go over the line in clear`},
		{name: "secret in the address", text: swap("https://id", "https://desk:s3cret@id"), want: "sign_in.oidc.issuer is not an address without a password"},
		{name: "no client", text: swap("    client_id: desk\n", ""), want: "sign_in.oidc.client_id is missing"},
		{name: "secret in the file", text: swap("DESK_OIDC_SECRET", "s3cret!"), want: "sign_in.oidc.client_secret_env is not the name of an environment variable"},
		{name: "no way back", text: swap("    redirect_url: https://desk.example.cn/sign-in/callback\n", ""), want: "sign_in.oidc.redirect_url is missing"},
		{name: "way back to another page", text: swap("/sign-in/callback", "/"), want: `sign_in.oidc.redirect_url is "https://desk.example.cn/"; it must end in /sign-in/callback`},
		{name: "way back in clear", text: swap("https://desk", "http://desk"), want: "secrets would go over the line in clear; use https"},
		{name: "scopes", text: swap("default_role: requester", "default_role: requester\n    scopes: [profile]"), want: `sign_in.oidc.scopes is "profile"; name openid among them`},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, "config.yaml", test.text)
			_, err := Load(path, test.environ)
			if err == nil {
				t.Fatalf("Load took it; want %q", test.want)
			}
			if got := strings.ReplaceAll(err.Error(), path, "config.yaml"); !strings.Contains(got, test.want) || strings.Contains(got, "s3cret") || strings.Contains(got, "\n") {
				t.Errorf("error\n got %q\nwant one line with %q and no secret", got, test.want)
			}
		})
	}
}

func TestExamplesAreRight(t *testing.T) {
	for _, name := range []string{"province", "city", "county", "sign-in"} {
		c, err := Load("../../deploy/examples/"+name+".yaml", nil)
		if err != nil {
			t.Errorf("an example cannot be loaded: %v", err)
			continue
		}
		if outside := name == "sign-in"; c.SignIn.LDAP.Enabled() != outside || c.SignIn.OIDC.Enabled() != outside {
			t.Errorf("%s.yaml: directory %v, provider %v; want both in the example of signing in alone", name, c.SignIn.LDAP.Enabled(), c.SignIn.OIDC.Enabled())
		}
	}
}
