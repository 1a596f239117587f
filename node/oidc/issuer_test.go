package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	clientID     = "desk"
	clientSecret = "of-the-client"
	callback     = "https://desk.example.cn/sign-in/callback"
)

// issuer is a provider that tells whatever the test wants it to.
type issuer struct {
	*httptest.Server
	t   *testing.T
	key *ecdsa.PrivateKey

	mu        sync.Mutex     // guards what follows
	told      map[string]any // changes to the claims of the token; nil leaves one out
	page      map[string]any // what the page about the person says; nil: there is none
	signer    *ecdsa.PrivateKey
	algorithm jose.SignatureAlgorithm // of the token's signature; empty: ES256
	discovery func(http.ResponseWriter) bool
	token     func(http.ResponseWriter) bool // answers in the issuer's place when it returns true
	methods   []string                       // of authentication at the token's address
	asked     int                            // how often it was asked to describe itself
	inHeader  bool                           // how the client proved itself last
	challenge string                         // what the code was asked for with
	nonce     string
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key, signer: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.describe)
	mux.HandleFunc("GET /keys", i.keys)
	mux.HandleFunc("POST /token", i.exchange)
	mux.HandleFunc("GET /person", i.person)
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) describe(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked++
	if i.discovery != nil && i.discovery(w) {
		return
	}
	said := map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"ES256", "none", "HS256"},
	}
	if i.page != nil {
		said["userinfo_endpoint"] = i.URL + "/person"
	}
	if i.methods != nil {
		said["token_endpoint_auth_methods_supported"] = i.methods
	}
	i.write(w, said)
}

func (i *issuer) keys(w http.ResponseWriter, _ *http.Request) {
	i.write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
}

// exchange takes the code "code" of a client that proves itself, with the verifier that belongs to the challenge.
func (i *issuer) exchange(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.token != nil && i.token(w) {
		return
	}
	id, secret, ok := r.BasicAuth()
	i.inHeader = ok
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	verifier := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if id != clientID || secret != clientSecret || r.PostFormValue("code") != "code" || r.PostFormValue("redirect_uri") != callback ||
		base64.RawURLEncoding.EncodeToString(verifier[:]) != i.challenge {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"` + secret + `"}`))
		return
	}
	i.write(w, map[string]any{"access_token": "for-the-page", "token_type": "Bearer", "id_token": i.sign()})
}

// sign makes the token about zhang, as the test has changed it.
func (i *issuer) sign() string {
	claims := map[string]any{
		"iss": i.URL, "aud": clientID, "sub": "4711", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "nonce": i.nonce,
		"preferred_username": "zhang", "name": "张三", "email": "zhang@example.cn", "phone_number": "13800000000", "department": "预算处",
		"groups": []string{"desk", "all"},
	}
	maps.Copy(claims, i.told)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	text, err := json.Marshal(claims)
	if err != nil {
		i.t.Error(err)
	}
	if i.algorithm == "none" {
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(text) + "."
	}
	key := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.signer, KeyID: "k"}}
	if i.algorithm == jose.HS256 {
		key = jose.SigningKey{Algorithm: jose.HS256, Key: []byte("the-client-secret-as-a-key-of-32-b")}
	}
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		i.t.Error(err)
		return ""
	}
	signed, err := signer.Sign(text)
	if err != nil {
		i.t.Error(err)
		return ""
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		i.t.Error(err)
	}
	return token
}

func (i *issuer) person(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer for-the-page" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	i.write(w, i.page)
}

func (i *issuer) write(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		i.t.Error(err)
	}
}

// provider makes a Provider that signs people in at the issuer.
func (i *issuer) provider(change func(*Options)) *Provider {
	i.t.Helper()
	o := Options{
		Issuer: i.URL, ClientID: clientID, ClientSecret: clientSecret, RedirectURL: callback, Scopes: []string{"openid", "profile"},
		UserClaim: "preferred_username", GroupsClaim: "groups", Timeout: 30 * time.Second, Now: time.Now,
	}
	if change != nil {
		change(&o)
	}
	p, err := New(o)
	if err != nil {
		i.t.Fatal(err)
	}
	return p
}

// begin starts an attempt and returns it with what the browser asked the issuer for.
func (i *issuer) begin(p *Provider) (sealed string, asked url.Values) {
	i.t.Helper()
	address, sealed, err := p.Begin(i.t.Context(), "?lang=en")
	if err != nil {
		i.t.Fatal(err)
	}
	parsed, err := url.Parse(address)
	if err != nil {
		i.t.Fatal(err)
	}
	asked = parsed.Query()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.challenge, i.nonce = asked.Get("code_challenge"), asked.Get("nonce")
	return sealed, asked
}

// signIn goes the whole way.
func (i *issuer) signIn(p *Provider) (*Person, error) {
	i.t.Helper()
	sealed, asked := i.begin(p)
	person, _, err := p.Finish(i.t.Context(), sealed, url.Values{"state": {asked.Get("state")}, "code": {"code"}})
	return person, err
}
