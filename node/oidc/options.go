package oidc

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

// Options make a Provider. All but Roots are required.
type Options struct {
	// Issuer is where the provider describes itself, and whom its tokens name, letter by letter.
	Issuer string
	// The site as the provider knows it.
	ClientID, ClientSecret, RedirectURL string
	// Scopes that are asked for; openid is among them.
	Scopes []string
	// UserClaim names the person's account, GroupsClaim lists the person's groups; without it nobody has any.
	UserClaim, GroupsClaim string
	// Roots sign the provider's certificate; nil: those whom the machine trusts.
	Roots *x509.CertPool
	// Timeout bounds each call to the provider.
	Timeout time.Duration
	Now     func() time.Time
}

func (o Options) validate() error {
	switch {
	case o.Issuer == "" || o.ClientID == "" || o.RedirectURL == "":
		return errors.New("oidc: the issuer, the client or the way back is missing")
	case o.ClientSecret == "":
		return errors.New("oidc: the client's secret is empty")
	case !slices.Contains(o.Scopes, "openid"):
		return errors.New("oidc: the scope openid is not asked for")
	case o.UserClaim == "":
		return errors.New("oidc: no claim names the account")
	case o.Timeout <= 0 || o.Now == nil:
		return errors.New("oidc: the timeout or the clock is missing")
	}
	return nil
}

// maxAnswer bounds what is read of one answer of the provider, in bytes.
const maxAnswer = 1 << 20

// newClient makes what speaks to the provider. It keeps no connection, so that nothing runs between two sign-ins.
func newClient(o Options) *http.Client {
	return &http.Client{Timeout: o.Timeout, Transport: bounded{&http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		TLSClientConfig:   &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true,
		ForceAttemptHTTP2: true,
	}}}
}

// bounded cuts off answers that are longer than anything a provider has to say.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	return answer, nil
}
