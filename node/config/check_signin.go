package config

import (
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

const (
	shortestSession = time.Minute
	longestSession  = 30 * 24 * time.Hour
	longestOffline  = 30 * 24 * time.Hour
	// longestTimeout leaves time, within the ten seconds of a call, to do without a directory that is silent.
	longestTimeout = 8 * time.Second
)

func (c *Config) checkSignIn() *invalid {
	s := c.SignIn
	if bad := within("sign_in.longest", s.Longest, shortestSession, longestSession); bad != nil {
		return bad
	}
	if bad := within("sign_in.session", s.Session, shortestSession, checkedDuration(s.Longest)); bad != nil {
		return bad
	}
	if bad := s.LDAP.check("sign_in.ldap."); bad != nil {
		return bad
	}
	return s.OIDC.check("sign_in.oidc.")
}

// within holds a duration to bounds.
func within(key, value string, least, most time.Duration) *invalid {
	d, err := time.ParseDuration(value)
	if err != nil || d < least || d > most {
		return wrong(key, value, fmt.Sprintf("use a duration from %v to %v, such as %v", least, most, most))
	}
	return nil
}

func (l LDAP) check(section string) *invalid {
	if !l.Enabled() {
		if reflect.DeepEqual(l, defaultSignIn().LDAP) {
			return nil
		}
		return missing(section+"url", "the directory's address, such as ldaps://ldap.example.cn, or leave all of sign_in.ldap empty")
	}
	for _, check := range []func(string) *invalid{l.checkURL, l.checkAccount, l.checkSearch, l.checkAttributes} {
		if bad := check(section); bad != nil {
			return bad
		}
	}
	if bad := checkRoles(section, l.Roles, l.DefaultRole); bad != nil {
		return bad
	}
	for _, rule := range l.Roles {
		if _, err := ldap.ParseDN(rule.Group); err != nil {
			return wrong(section+"roles", rule.Group, "group is a distinguished name, such as cn=desk,ou=groups,dc=example,dc=cn")
		}
	}
	if bad := within(section+"offline", l.Offline, 0, longestOffline); bad != nil {
		return bad
	}
	return within(section+"timeout", l.Timeout, 100*time.Millisecond, longestTimeout)
}

// checkURL keeps passwords off lines that are not encrypted.
func (l LDAP) checkURL(section string) *invalid {
	const right = "use ldaps://host, or ldap://host with start_tls, such as ldaps://ldap.example.cn:636"
	address, err := url.Parse(l.URL)
	switch {
	case err != nil:
		return &invalid{section + "url", "is not an address; " + right}
	case address.User != nil:
		return &invalid{section + "url", "holds a name or a password; put them into bind_dn and the variable that bind_password_env names"}
	case address.Scheme != "ldap" && address.Scheme != "ldaps", address.Hostname() == "", strings.Trim(address.Path, "/") != "", address.RawQuery != "":
		return wrong(section+"url", l.URL, right)
	case address.Scheme == "ldaps" && l.StartTLS:
		return wrong(section+"start_tls", "true", "an ldaps:// address is encrypted from the beginning; leave start_tls out or use ldap://")
	case address.Scheme == "ldap" && !l.StartTLS && !loopbackURL(address):
		return wrong(section+"url", l.URL, "passwords would go over the line in clear; use ldaps:// or set start_tls")
	}
	return nil
}

func (l LDAP) checkAccount(section string) *invalid {
	switch {
	case l.BindDN == "" && l.BindPasswordEnv == "":
		return nil
	case l.BindDN == "":
		return missing(section+"bind_dn", "the distinguished name of the service account that the password belongs to")
	case !isVariable(l.BindPasswordEnv):
		return notVariable(section+"bind_password_env", "TIERDESK_LDAP_PASSWORD")
	}
	return nil
}

func (l LDAP) checkSearch(section string) *invalid {
	if l.Base == "" {
		return missing(section+"base", "the entry that people stand below, such as ou=people,dc=example,dc=cn")
	}
	for _, part := range []struct{ key, dn string }{{"base", l.Base}, {"group_base", l.GroupBase}} {
		if _, err := ldap.ParseDN(part.dn); err != nil {
			return wrong(section+part.key, part.dn, "use a distinguished name, such as ou=people,dc=example,dc=cn")
		}
	}
	if bad := checkFilter(section+"user_filter", l.UserFilter, "(uid=%s)", "%s"); bad != nil {
		return bad
	}
	if l.GroupBase == "" {
		return nil
	}
	return checkFilter(section+"group_filter", l.GroupFilter, "(member=%s)", "%s", "%u")
}

// checkFilter wants a filter of LDAP with at least one of the places that are filled in.
func checkFilter(key, filter, example string, places ...string) *invalid {
	filled, found := filter, false
	for _, place := range places {
		found = found || strings.Contains(filter, place)
		filled = strings.ReplaceAll(filled, place, "x")
	}
	if !found {
		return wrong(key, filter, fmt.Sprintf("put %s where the name belongs, such as %s", places[0], example))
	}
	if _, err := ldap.CompileFilter(filled); err != nil {
		return wrong(key, filter, "use a filter of LDAP in parentheses, such as "+example)
	}
	return nil
}

func (l LDAP) checkAttributes(section string) *invalid {
	attribute := regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,63}$`)
	for _, part := range []struct{ key, value string }{
		{"user_attribute", l.UserAttribute}, {"name_attribute", l.NameAttribute}, {"mail_attribute", l.MailAttribute},
		{"phone_attribute", l.PhoneAttribute}, {"unit_attribute", l.UnitAttribute}, {"group_attribute", l.GroupAttribute},
	} {
		if part.value != "" && !attribute.MatchString(part.value) {
			return wrong(section+part.key, part.value, "use the name of an attribute, such as cn, or leave it empty")
		}
	}
	return nil
}

func (o OIDC) check(section string) *invalid {
	if !o.Enabled() {
		if reflect.DeepEqual(o, defaultSignIn().OIDC) {
			return nil
		}
		return missing(section+"issuer", "the provider's address, such as https://id.example.cn, or leave all of sign_in.oidc empty")
	}
	if bad := checkWebAddress(section+"issuer", o.Issuer, "https://id.example.cn"); bad != nil {
		return bad
	}
	switch {
	case o.ClientID == "":
		return missing(section+"client_id", "the name under which the provider knows this site")
	case !isVariable(o.ClientSecretEnv):
		return notVariable(section+"client_secret_env", "TIERDESK_OIDC_SECRET")
	case o.RedirectURL == "":
		return missing(section+"redirect_url", "the address of this site for browsers, such as https://desk.example.cn"+CallbackPath)
	}
	if bad := checkWebAddress(section+"redirect_url", o.RedirectURL, "https://desk.example.cn"+CallbackPath); bad != nil {
		return bad
	}
	if address, err := url.Parse(o.RedirectURL); err != nil || address.Path != CallbackPath || address.RawQuery != "" {
		return wrong(section+"redirect_url", o.RedirectURL, "it must end in "+CallbackPath)
	}
	switch {
	case o.UserClaim == "":
		return missing(section+"user_claim", "the claim that names the account, such as preferred_username")
	case !slices.Contains(o.Scopes, "openid"):
		return wrong(section+"scopes", strings.Join(o.Scopes, " "), "name openid among them")
	}
	return checkRoles(section, o.Roles, o.DefaultRole)
}

// checkWebAddress wants an address that a browser opens, encrypted unless it is on this machine.
func checkWebAddress(key, value, example string) *invalid {
	address, err := url.Parse(value)
	switch {
	case err != nil, address.User != nil:
		return &invalid{key, "is not an address without a password; use one such as " + example}
	case address.Scheme != "https" && address.Scheme != "http", address.Hostname() == "", address.Fragment != "":
		return wrong(key, value, "use an address such as "+example)
	case address.Scheme == "http" && !loopbackURL(address):
		return wrong(key, value, "secrets would go over the line in clear; use https, such as "+example)
	}
	return nil
}

// checkRoles holds rules to the words for roles and scopes. Without a rule and a default nobody could sign in.
func checkRoles(section string, rules []RoleRule, defaultRole string) *invalid {
	if defaultRole != "" && Role(defaultRole) == deskpb.User_ROLE_UNSPECIFIED {
		return wrong(section+"default_role", defaultRole, "use one of "+words(deskpb.User_Role_name)+", or leave it empty")
	}
	if len(rules) == 0 && defaultRole == "" {
		return missing(section+"roles", "which group has which role, such as [{group: …, role: agent}], or set default_role")
	}
	for _, rule := range rules {
		switch {
		case rule.Group == "":
			return &invalid{section + "roles", "has a rule without a group; name the group that it is for"}
		case Role(rule.Role) == deskpb.User_ROLE_UNSPECIFIED:
			return &invalid{section + "roles", fmt.Sprintf("gives the group %q the role %q; use one of %s",
				rule.Group, rule.Role, words(deskpb.User_Role_name))}
		case rule.Scope != "" && Scope(rule.Scope) == deskpb.User_SCOPE_UNSPECIFIED:
			return &invalid{section + "roles", fmt.Sprintf("gives the group %q the scope %q; use one of %s, or leave it out",
				rule.Group, rule.Scope, words(deskpb.User_Scope_name))}
		}
	}
	return nil
}

// notVariable does not show the value, for people put the secret itself there.
func notVariable(key, example string) *invalid {
	return &invalid{key, "is not the name of an environment variable; put the secret into a variable and its name here, such as " + example}
}

func isVariable(name string) bool {
	return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(name)
}
