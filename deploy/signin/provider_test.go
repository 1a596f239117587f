package signin

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/storage"
	"github.com/ory/fosite/token/jwt"
	"golang.org/x/crypto/bcrypt"
)

const clientSecret = "of-the-client-of-the-test"

// provider is an OpenID Connect provider at which somebody is signed in already.
type provider struct {
	t       *testing.T
	issuer  string
	oauth   fosite.OAuth2Provider
	key     *rsa.PrivateKey
	server  *http.Server
	running sync.WaitGroup

	mu     sync.Mutex     // guards what follows
	person map[string]any // the claims of who is signed in; nil: the person turns back
}

// newProvider makes a provider at an address that knows one client, which it sends back to the address given. It does not listen
// yet.
func newProvider(t *testing.T, address, redirect string) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	hashed, err := bcrypt.GenerateFromPassword([]byte(clientSecret), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	store := storage.NewMemoryStore()
	store.Clients["desk"] = &fosite.DefaultClient{
		ID: "desk", Secret: hashed, RedirectURIs: []string{redirect}, ResponseTypes: []string{"code"},
		GrantTypes: []string{"authorization_code"}, Scopes: []string{"openid", "profile", "email"},
	}
	p := &provider{t: t, issuer: "http://" + address, key: key}
	secret := make([]byte, 32)
	rand.Read(secret)
	p.oauth = compose.ComposeAllEnabled(&fosite.Config{
		GlobalSecret: secret, EnforcePKCE: true, IDTokenIssuer: p.issuer, AccessTokenLifespan: time.Minute,
	}, store, key)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.describe)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.server = &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: patience}
	return p
}

// start listens until the test ends.
func (p *provider) start() {
	p.t.Helper()
	listener, err := net.Listen("tcp", p.server.Addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.running.Go(func() { _ = p.server.Serve(listener) }) // it ends with the test
	p.t.Cleanup(func() {
		_ = p.server.Close()
		p.running.Wait()
	})
}

// signedIn sets who is signed in at the provider.
func (p *provider) signedIn(person map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.person = person
}

func (p *provider) describe(w http.ResponseWriter, _ *http.Request) {
	p.write(w, map[string]any{
		"issuer": p.issuer, "authorization_endpoint": p.issuer + "/authorize", "token_endpoint": p.issuer + "/token",
		"jwks_uri": p.issuer + "/keys", "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

func (p *provider) keys(w http.ResponseWriter, _ *http.Request) {
	p.write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "test", Algorithm: "RS256", Use: "sig"}}})
}

func (p *provider) write(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		p.t.Error(err)
	}
}

// authorize gives out a code for whoever is signed in.
func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	request, err := p.oauth.NewAuthorizeRequest(ctx, r)
	if err != nil {
		p.oauth.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	p.mu.Lock()
	person := p.person
	p.mu.Unlock()
	if person == nil {
		p.oauth.WriteAuthorizeError(ctx, w, request, fosite.ErrAccessDenied)
		return
	}
	for _, scope := range request.GetRequestedScopes() {
		request.GrantScope(scope)
	}
	response, err := p.oauth.NewAuthorizeResponse(ctx, request, p.session(person))
	if err != nil {
		p.oauth.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	p.oauth.WriteAuthorizeResponse(ctx, w, request, response)
}

// session is what the provider will say of a person in its token.
func (p *provider) session(person map[string]any) *openid.DefaultSession {
	session := openid.NewDefaultSession()
	subject, _ := person["sub"].(string)
	session.Subject = subject
	now := time.Now()
	session.Claims = &jwt.IDTokenClaims{
		Issuer: p.issuer, Subject: subject, Extra: person, IssuedAt: now, RequestedAt: now, AuthTime: now, ExpiresAt: now.Add(time.Minute),
	}
	session.Headers = &jwt.Headers{Extra: map[string]any{"kid": "test"}}
	return session
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	request, err := p.oauth.NewAccessRequest(ctx, r, openid.NewDefaultSession())
	if err != nil {
		p.oauth.WriteAccessError(ctx, w, request, err)
		return
	}
	response, err := p.oauth.NewAccessResponse(ctx, request)
	if err != nil {
		p.oauth.WriteAccessError(ctx, w, request, err)
		return
	}
	p.oauth.WriteAccessResponse(ctx, w, request, response)
}
