package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Why signing in at a provider does not succeed.
var (
	// ErrUnreachable says that the provider does not answer, or not as one.
	ErrUnreachable = errors.New("the provider cannot be reached")
	// ErrExpired says that the answer belongs to no attempt of this browser, or to one that is too old.
	ErrExpired = errors.New("this attempt to sign in has ended")
	// ErrDenied says that the provider did not let the person in, or that the person turned back.
	ErrDenied = errors.New("the provider did not sign the person in")
	// ErrRefused says that what the provider vouches for cannot be believed, or lacks the account's name.
	ErrRefused = errors.New("what the provider says of the person is not accepted")
)

const (
	// freshFor is how long the provider's description of itself is believed.
	freshFor = time.Hour
	// restAfterFailure is how long nobody asks again after the provider did not answer.
	restAfterFailure = 2 * time.Second
)

// Provider signs people in. It is safe for concurrent use.
type Provider struct {
	options Options
	client  *http.Client
	sealer  *sealer
	turn    chan struct{} // holds one element; who has it may look at and change what follows
	known   *description
	asked   time.Time // when the provider was asked last
	failure error     // what came of it
}

// description is what the provider says of itself.
type description struct {
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	oauth    *oauth2.Config
}

// New makes a Provider. It does not connect.
func New(o Options) (*Provider, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	sealer, err := newSealer(o)
	if err != nil {
		return nil, err
	}
	return &Provider{options: o, client: newClient(o), sealer: sealer, turn: make(chan struct{}, 1)}, nil
}

// Begin starts an attempt: the browser is sent to the address, and brings the sealed attempt along to Finish, which returns
// back. The error wraps ErrUnreachable.
func (p *Provider) Begin(ctx context.Context, back string) (address, sealed string, err error) {
	known, err := p.describe(ctx)
	if err != nil {
		return "", "", err
	}
	a := newAttempt(back, p.options.Now())
	if sealed, err = p.sealer.seal(a); err != nil {
		return "", "", err
	}
	return known.oauth.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), sealed, nil
}

// Finish takes the provider's answer, the query of the address that the browser was sent back to, and returns who signed in.
// The error wraps one of this package's; back is there whenever the attempt is one that Begin made.
func (p *Provider) Finish(ctx context.Context, sealed string, answer url.Values) (person *Person, back string, err error) {
	a, err := p.sealer.open(sealed, p.options.Now())
	if err != nil {
		return nil, "", err
	}
	if subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(a.State)) != 1 {
		return nil, a.Back, fmt.Errorf("%w: the answer belongs to another one", ErrExpired)
	}
	if issuer := answer.Get("iss"); issuer != "" && issuer != p.options.Issuer {
		return nil, a.Back, fmt.Errorf("%w: the answer comes from %q", ErrRefused, issuer)
	}
	if code := answer.Get("error"); code != "" {
		return nil, a.Back, fmt.Errorf("%w: it answered %.64q", ErrDenied, code)
	}
	known, err := p.describe(ctx)
	if err != nil {
		return nil, a.Back, err
	}
	person, err = p.redeem(oidc.ClientContext(ctx, p.client), known, a, answer.Get("code"))
	return person, a.Back, err
}

// redeem exchanges the code for a token and reads who it speaks of.
func (p *Provider) redeem(ctx context.Context, known *description, a attempt, code string) (*Person, error) {
	if code == "" {
		return nil, fmt.Errorf("%w: there is no code in its answer", ErrDenied)
	}
	tokens, err := known.oauth.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	var refusal *oauth2.RetrieveError
	switch {
	case errors.As(err, &refusal):
		// Without its text: that may repeat what was sent.
		return nil, fmt.Errorf("%w: the provider did not take the code: %.64q, status %d", ErrRefused, refusal.ErrorCode, refusal.Response.StatusCode)
	case err != nil:
		return nil, fmt.Errorf("%w: redeem the code: %w", ErrUnreachable, err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	if raw == "" {
		return nil, fmt.Errorf("%w: there is no id_token in its answer", ErrRefused)
	}
	token, err := known.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %.200q", ErrRefused, err)
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(a.Nonce)) != 1 {
		return nil, fmt.Errorf("%w: its token answers another attempt", ErrRefused)
	}
	return p.person(ctx, known, token, tokens)
}

// describe returns what the provider says of itself, asking it when that is not known or old. While it does not answer, what
// was known before goes on.
func (p *Provider) describe(ctx context.Context) (*description, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, ctx.Err())
	}
	since := p.options.Now().Sub(p.asked)
	switch {
	case p.failure == nil && p.known != nil && since < freshFor:
		return p.known, nil
	case p.failure == nil || since >= restAfterFailure || since < 0:
		p.asked = p.options.Now()
		var found *description
		if found, p.failure = p.discover(ctx); p.failure == nil {
			p.known = found
		}
	}
	if p.known == nil {
		return nil, p.failure
	}
	return p.known, nil
}

func (p *Provider) discover(ctx context.Context) (*description, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.options.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: %.200q", ErrUnreachable, err)
	}
	var methods struct {
		Token []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := found.Claims(&methods); err != nil {
		return nil, fmt.Errorf("%w: read what it says of itself: %w", ErrUnreachable, err)
	}
	endpoint := found.Endpoint()
	// One way only: a second try would find the code used up.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if len(methods.Token) > 0 && !slices.Contains(methods.Token, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &description{
		provider: found,
		verifier: found.Verifier(&oidc.Config{ClientID: p.options.ClientID, Now: p.options.Now}),
		oauth: &oauth2.Config{
			ClientID: p.options.ClientID, ClientSecret: p.options.ClientSecret, RedirectURL: p.options.RedirectURL,
			Endpoint: endpoint, Scopes: p.options.Scopes,
		},
	}, nil
}
