package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	// maxText bounds a claim that is taken over, in bytes.
	maxText = 512
	// maxGroups bounds the groups of a person.
	maxGroups = 1000
)

// Person is what the provider says of somebody.
type Person struct {
	Name string // the claim that names the account
	// Subject names the person for good: the issuer, a space, and the issuer's name for the person.
	Subject                         string
	DisplayName, Email, Phone, Unit string
	Groups                          []string
}

// claims are what a token or the provider's page about the person says, by name.
type claims map[string]json.RawMessage

// person reads who a verified token speaks of. What the token does not say is asked for with it.
func (p *Provider) person(ctx context.Context, known *description, token *oidc.IDToken, tokens *oauth2.Token) (*Person, error) {
	said := claims{}
	if err := token.Claims(&said); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if party, ok := said["azp"]; (ok || len(token.Audience) > 1) && said.text("azp") != p.options.ClientID {
		return nil, fmt.Errorf("%w: its token was issued to %.64s", ErrRefused, party)
	}
	if token.Subject == "" {
		return nil, fmt.Errorf("%w: its token names nobody", ErrRefused)
	}
	if !p.complete(said) && known.provider.UserInfoEndpoint() != "" {
		if err := said.add(ctx, known, token.Subject, tokens); err != nil {
			return nil, err
		}
	}
	person := &Person{
		Name: said.text(p.options.UserClaim), Subject: p.options.Issuer + " " + token.Subject,
		DisplayName: said.text("name"), Email: said.text("email"), Phone: said.text("phone_number"), Unit: said.text("department"),
	}
	verified := strings.Trim(string(said["email_verified"]), `"`)
	switch {
	case person.Name == "":
		return nil, fmt.Errorf("%w: it has no claim %s", ErrRefused, p.options.UserClaim)
	case p.options.UserClaim == "email" && verified != "true":
		// Whoever may write any address into a profile could be anybody here.
		return nil, fmt.Errorf("%w: the address that names the account is not verified", ErrRefused)
	case verified == "false":
		person.Email = ""
	}
	var err error
	if person.Groups, err = said.list(p.options.GroupsClaim); err != nil {
		return nil, err
	}
	return person, nil
}

// complete tells whether the claims say all that decides who somebody is here.
func (p *Provider) complete(said claims) bool {
	_, groups := said[p.options.GroupsClaim]
	return said.text(p.options.UserClaim) != "" && (groups || p.options.GroupsClaim == "")
}

// add asks the provider for what the token does not say. What the token says stays.
func (c claims) add(ctx context.Context, known *description, subject string, tokens *oauth2.Token) error {
	info, err := known.provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return fmt.Errorf("%w: ask who it is: %.200q", ErrUnreachable, err)
	}
	if info.Subject != subject {
		return fmt.Errorf("%w: its page speaks of another person than its token", ErrRefused)
	}
	more := claims{}
	if err := info.Claims(&more); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	for name, value := range more {
		if _, said := c[name]; !said {
			c[name] = value
		}
	}
	return nil
}

// text returns a claim that is a text of a sensible length; empty for any other.
func (c claims) text(name string) string {
	var value string
	if json.Unmarshal(c[name], &value) != nil || len(value) > maxText || !utf8.ValidString(value) {
		return ""
	}
	return strings.TrimSpace(value)
}

// list returns a claim that is a list of texts, or one text.
func (c claims) list(name string) ([]string, error) {
	if name == "" || len(c[name]) == 0 {
		return nil, nil
	}
	if one := c.text(name); one != "" {
		return []string{one}, nil
	}
	var all []string
	if err := json.Unmarshal(c[name], &all); err != nil {
		return nil, fmt.Errorf("%w: the claim %s is no list of texts", ErrRefused, name)
	}
	if len(all) > maxGroups {
		return nil, fmt.Errorf("%w: the claim %s lists more than %d groups", ErrRefused, name, maxGroups)
	}
	return all, nil
}
