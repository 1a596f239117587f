package config

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// SignIn says how long people stay signed in, and who besides the site itself vouches for them.
type SignIn struct {
	Session string `yaml:"session"` // a duration: how long a session lives that nobody uses
	Longest string `yaml:"longest"` // a duration: how long it lives at most, however much it is used
	LDAP    LDAP   `yaml:"ldap"`
	OIDC    OIDC   `yaml:"oidc"`
}

// Durations are the checked session and longest.
func (s SignIn) Durations() (session, longest time.Duration) {
	return checkedDuration(s.Session), checkedDuration(s.Longest)
}

// LDAP is a directory, Active Directory among them, that checks the passwords of people. All nodes of a site have the same
// section. A filter is given with %s where the name that was typed belongs, which is escaped.
type LDAP struct {
	URL      string `yaml:"url"`       // ldaps://host, or ldap://host with start_tls; plain to loopback only; empty: no directory
	StartTLS bool   `yaml:"start_tls"` // encrypt a connection to an ldap:// address
	CA       string `yaml:"ca"`        // PEM file of who signs the directory's certificate; empty: whom the machine trusts
	// The service account that looks people up; both empty: nobody in particular.
	BindDN          string `yaml:"bind_dn"`
	BindPasswordEnv string `yaml:"bind_password_env"` // the environment variable that holds its password
	Base            string `yaml:"base"`              // people stand below this entry
	UserFilter      string `yaml:"user_filter"`       // finds exactly one entry for a name; whom it does not find may not sign in
	// Attributes of a person's entry. An empty one is not read; without user_attribute the account is called as was typed.
	UserAttribute  string `yaml:"user_attribute"`
	NameAttribute  string `yaml:"name_attribute"`
	MailAttribute  string `yaml:"mail_attribute"`
	PhoneAttribute string `yaml:"phone_attribute"`
	UnitAttribute  string `yaml:"unit_attribute"`
	GroupAttribute string `yaml:"group_attribute"` // names the groups of the person, as memberOf does
	// Groups that name their members are looked up below an entry; %s is the distinguished name of the person, %u the name.
	GroupBase   string     `yaml:"group_base"`
	GroupFilter string     `yaml:"group_filter"`
	Roles       []RoleRule `yaml:"roles"`        // group is a distinguished name
	DefaultRole string     `yaml:"default_role"` // of those whom no rule fits; empty: they may not sign in
	Offline     string     `yaml:"offline"`      // a duration: how long the password taken last counts while the directory is silent; 0: not at all
	Timeout     string     `yaml:"timeout"`      // a duration: how long one sign-in waits for the directory
}

// Enabled tells whether there is a directory.
func (l LDAP) Enabled() bool { return l.URL != "" }

// OfflineFor is the checked offline.
func (l LDAP) OfflineFor() time.Duration { return checkedDuration(l.Offline) }

// Patience is the checked timeout.
func (l LDAP) Patience() time.Duration { return checkedDuration(l.Timeout) }

// OIDC is an OpenID Connect provider where people sign in with the browser. All nodes of a site have the same section.
type OIDC struct {
	Issuer          string     `yaml:"issuer"` // https; http to loopback only; empty: no provider
	CA              string     `yaml:"ca"`     // PEM file of who signs the provider's certificate; empty: whom the machine trusts
	ClientID        string     `yaml:"client_id"`
	ClientSecretEnv string     `yaml:"client_secret_env"` // the environment variable that holds the client's secret
	RedirectURL     string     `yaml:"redirect_url"`      // the address of this site for browsers, and CallbackPath
	Scopes          []string   `yaml:"scopes"`
	UserClaim       string     `yaml:"user_claim"`   // names the account
	GroupsClaim     string     `yaml:"groups_claim"` // lists the person's groups
	Roles           []RoleRule `yaml:"roles"`        // group as the claim has it
	DefaultRole     string     `yaml:"default_role"` // of those whom no rule fits; empty: they may not sign in
	Label           string     `yaml:"label"`        // names the provider on the button; empty: the issuer's host
}

// CallbackPath is where the provider sends the browser back to.
const CallbackPath = "/sign-in/callback"

// Enabled tells whether there is a provider.
func (o OIDC) Enabled() bool { return o.Issuer != "" }

// DisplayLabel is what the button says.
func (o OIDC) DisplayLabel() string {
	if o.Label != "" {
		return o.Label
	}
	issuer, err := url.Parse(o.Issuer)
	if err != nil {
		return o.Issuer
	}
	return issuer.Hostname()
}

// RoleRule gives the members of an outside group a role, a scope, and groups of this desk. The first rule that fits a person
// says role and scope; the groups of all that fit are gathered.
type RoleRule struct {
	Group  string   `yaml:"group"`
	Role   string   `yaml:"role"`
	Scope  string   `yaml:"scope"` // empty: that of the role
	Groups []string `yaml:"groups"`
}

// Role returns the role that a word such as incident_manager stands for; unspecified for a word that is none.
func Role(word string) deskpb.User_Role {
	if word != strings.ToLower(word) {
		return deskpb.User_ROLE_UNSPECIFIED
	}
	return deskpb.User_Role(deskpb.User_Role_value[strings.ToUpper(word)])
}

// Scope returns the scope that a word such as subtree stands for; unspecified for a word that is none.
func Scope(word string) deskpb.User_Scope {
	if word != strings.ToLower(word) {
		return deskpb.User_SCOPE_UNSPECIFIED
	}
	return deskpb.User_Scope(deskpb.User_Scope_value[strings.ToUpper(word)])
}

func defaultSignIn() SignIn {
	return SignIn{
		Session: "12h", Longest: "720h",
		LDAP: LDAP{
			UserFilter: "(uid=%s)", NameAttribute: "cn", MailAttribute: "mail", PhoneAttribute: "telephoneNumber", UnitAttribute: "ou",
			GroupAttribute: "memberOf", GroupFilter: "(member=%s)", Offline: "72h", Timeout: "5s",
		},
		OIDC: OIDC{Scopes: []string{"openid", "profile", "email"}, UserClaim: "preferred_username", GroupsClaim: "groups"},
	}
}

// checkedDuration reads a duration that check has let pass; 0 for one that it has not.
func checkedDuration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return d
}

// loopbackURL tells whether the address is one of this machine.
func loopbackURL(address *url.URL) bool { return loopback(net.JoinHostPort(address.Hostname(), "")) }

// words lists the names of an enum as they are spelt in the file, without the unspecified one.
func words(names map[int32]string) string {
	var all []string
	for number, name := range names {
		if number != 0 {
			all = append(all, strings.ToLower(name))
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
