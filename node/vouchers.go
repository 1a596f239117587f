package node

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/node/directory"
	"github.com/tierdesk/tierdesk/node/oidc"
	"github.com/tierdesk/tierdesk/node/people"
	"github.com/tierdesk/tierdesk/node/web"
)

const (
	// directoryConnections bounds how many people the directory is asked about at a time.
	directoryConnections = 8
	// providerPatience bounds one call to the provider.
	providerPatience = 5 * time.Second
)

// rights are what an outside group gives its members here.
type rights struct {
	role   deskpb.User_Role
	scope  deskpb.User_Scope
	groups []string // of this desk, without duplicates, in order
}

// rightsOf finds what the rules give somebody who is in the groups outside: role and scope of the first rule that fits, the role
// of the rest when none does, and the desk's groups of all rules that fit. The role is unspecified for whom nothing lets in.
func rightsOf(rules []config.RoleRule, rest string, groups []string, same func(a, b string) bool) rights {
	found := rights{role: config.Role(rest)}
	fits := slices.DeleteFunc(slices.Clone(rules), func(rule config.RoleRule) bool {
		return !slices.ContainsFunc(groups, func(group string) bool { return same(group, rule.Group) })
	})
	if len(fits) > 0 {
		found.role, found.scope = config.Role(fits[0].Role), config.Scope(fits[0].Scope)
	}
	for _, rule := range fits {
		found.groups = append(found.groups, rule.Groups...)
	}
	slices.Sort(found.groups)
	found.groups = slices.Compact(found.groups)
	return found
}

// ldapPeople are the people whom an LDAP directory vouches for.
type ldapPeople struct {
	directory *directory.Directory
	config    config.LDAP
	log       *slog.Logger
}

// newDirectory makes what the configuration says about LDAP, nil for nothing.
func (n *Node) newDirectory() (people.Directory, error) {
	c := n.config.SignIn.LDAP
	if !c.Enabled() {
		return nil, nil
	}
	if c.BindPasswordEnv != "" && n.options.DirectoryPassword == "" {
		return nil, fmt.Errorf("the variable %s is empty; put the password of %s into it, as sign_in.ldap.bind_password_env says", c.BindPasswordEnv, c.BindDN)
	}
	roots, err := readRoots("sign_in.ldap.ca", c.CA)
	if err != nil {
		return nil, err
	}
	made, err := directory.New(directory.Options{
		URL: c.URL, StartTLS: c.StartTLS, Roots: roots,
		BindDN: c.BindDN, BindPassword: n.options.DirectoryPassword,
		Base: c.Base, UserFilter: c.UserFilter, GroupBase: c.GroupBase, GroupFilter: c.GroupFilter,
		Attributes: directory.Attributes{
			User: c.UserAttribute, DisplayName: c.NameAttribute, Email: c.MailAttribute, Phone: c.PhoneAttribute,
			Unit: c.UnitAttribute, Groups: c.GroupAttribute,
		},
		Timeout: c.Patience(), Connections: directoryConnections,
	})
	if err != nil {
		return nil, err
	}
	return &ldapPeople{directory: made, config: c, log: n.options.Logger.With("component", "directory")}, nil
}

// Check asks the directory and gives whom it knows the rights of the rules. Whom no rule lets in is refused like a wrong password;
// the log tells operators why.
func (l *ldapPeople) Check(ctx context.Context, user, password string) (*people.Found, error) {
	person, err := l.directory.Check(ctx, user, password)
	switch {
	case errors.Is(err, directory.ErrAmbiguous):
		l.log.Warn("a name stands for more than one person of the directory", "user", user, "filter", l.config.UserFilter)
		return nil, fmt.Errorf("%w: %w", people.ErrWrong, err)
	case errors.Is(err, directory.ErrWrong):
		return nil, fmt.Errorf("%w: %w", people.ErrWrong, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", people.ErrUnreachable, err)
	}
	given := rightsOf(l.config.Roles, l.config.DefaultRole, person.Groups, directory.SameGroup)
	if given.role == deskpb.User_ROLE_UNSPECIFIED {
		l.log.Info("the directory vouches for somebody whom no rule of sign_in.ldap.roles lets in", "user", user, "subject", person.Subject)
		return nil, fmt.Errorf("%w: no rule lets the person in", people.ErrWrong)
	}
	return &people.Found{
		Name: strings.ToLower(person.Name), Subject: person.Subject, DisplayName: person.DisplayName, Email: person.Email,
		Phone: person.Phone, Unit: person.Unit, Role: given.role, Scope: given.scope, Groups: given.groups,
	}, nil
}

// oidcPeople are the people whom an OpenID Connect provider vouches for.
type oidcPeople struct {
	provider *oidc.Provider
	config   config.OIDC
	people   *people.People
	audit    people.Audit
	node     string
	log      *slog.Logger
}

// newProvider makes what the configuration says about OpenID Connect, nil for nothing.
func (n *Node) newProvider() (web.Provider, error) {
	c := n.config.SignIn.OIDC
	if !c.Enabled() {
		return nil, nil
	}
	if n.options.ProviderSecret == "" {
		return nil, fmt.Errorf("the variable %s is empty; put the secret of client %s into it, as sign_in.oidc.client_secret_env says", c.ClientSecretEnv, c.ClientID)
	}
	roots, err := readRoots("sign_in.oidc.ca", c.CA)
	if err != nil {
		return nil, err
	}
	made, err := oidc.New(oidc.Options{
		Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: n.options.ProviderSecret, RedirectURL: c.RedirectURL,
		Scopes: c.Scopes, UserClaim: c.UserClaim, GroupsClaim: c.GroupsClaim, Roots: roots, Timeout: providerPatience, Now: n.clock.Now,
	})
	if err != nil {
		return nil, err
	}
	return &oidcPeople{
		provider: made, config: c, people: n.people, audit: n.backend, node: n.config.Node.ID,
		log: n.options.Logger.With("component", "provider"),
	}, nil
}

// Label names the provider on the button.
func (o *oidcPeople) Label() string { return o.config.DisplayLabel() }

// Begin starts an attempt at the provider.
func (o *oidcPeople) Begin(ctx context.Context, back string) (address, attempt string, err error) {
	address, attempt, err = o.provider.Begin(ctx, back)
	return address, attempt, o.refusal(err, "")
}

// Finish admits whom the provider vouches for and the rules let in.
func (o *oidcPeople) Finish(ctx context.Context, attempt string, answer url.Values, address, client string) (*apipb.CreateSessionResponse, string, error) {
	person, back, err := o.provider.Finish(ctx, attempt, answer)
	if err != nil {
		return nil, back, o.refusal(err, address)
	}
	name := strings.ToLower(person.Name)
	given := rightsOf(o.config.Roles, o.config.DefaultRole, person.Groups, func(a, b string) bool { return a == b })
	if given.role == deskpb.User_ROLE_UNSPECIFIED {
		o.log.Info("the provider vouches for somebody whom no rule of sign_in.oidc.roles lets in", "user", name, "subject", person.Subject)
		return nil, back, o.tell(name, address, desk.Refuse(desk.PermissionDenied, "NOT_ADMITTED", "%s may not use this site; ask an administrator", name))
	}
	opened, err := o.people.Admit(ctx, people.Found{
		Name: name, Subject: person.Subject, DisplayName: person.DisplayName, Email: person.Email, Phone: person.Phone, Unit: person.Unit,
		Role: given.role, Scope: given.scope, Groups: given.groups,
	}, deskpb.User_OIDC, address, client)
	return opened, back, err
}

// refusal logs why signing in at the provider did not succeed, and says to the caller what kind of reason it was.
func (o *oidcPeople) refusal(err error, address string) error {
	if err == nil {
		return nil
	}
	for _, kind := range []struct {
		is      error
		refusal *desk.Refusal
		audited bool
	}{
		{oidc.ErrUnreachable, desk.Refuse(desk.Unavailable, "PROVIDER_UNREACHABLE", "the provider %s cannot be reached; try again later", o.config.Issuer), false},
		{oidc.ErrExpired, desk.Refuse(desk.Unauthenticated, "ATTEMPT_EXPIRED", "this attempt to sign in has ended; begin again"), false},
		{oidc.ErrDenied, desk.Refuse(desk.Unauthenticated, "PROVIDER_DENIED", "the provider did not sign the person in"), true},
		{oidc.ErrRefused, desk.Refuse(desk.Unauthenticated, "IDENTITY_REFUSED", "what the provider says of the person is not accepted"), true},
	} {
		if !errors.Is(err, kind.is) {
			continue
		}
		o.log.Warn("somebody was not signed in at the provider", "address", address, "error", err)
		if !kind.audited {
			return kind.refusal
		}
		return o.tell("", address, kind.refusal)
	}
	return err
}

// tell tells the audit log that somebody was not let in.
func (o *oidcPeople) tell(user, address string, refusal *desk.Refusal) error {
	o.audit.Record(&deskpb.AuditEntry{
		Node: o.node, Actor: user, Address: address, Action: audit.SignIn, Object: user,
		Outcome: deskpb.AuditEntry_REFUSED, Reason: refusal.Reason,
	})
	return refusal
}

// readRoots reads the PEM file of who signs the other end's certificate; nil, which is whom the machine trusts, for no file.
func readRoots(key, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: there is no certificate in %s; name a PEM file", key, file)
	}
	return roots, nil
}
