package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAPersonSignsIn(t *testing.T) {
	i := newIssuer(t)
	p := i.provider(nil)
	sealed, asked := i.begin(p)
	for name, want := range map[string]string{
		"response_type": "code", "client_id": clientID, "redirect_uri": callback, "scope": "openid profile", "code_challenge_method": "S256",
	} {
		if got := asked.Get(name); got != want {
			t.Errorf("the browser asks with %s %q, want %q", name, got, want)
		}
	}
	for _, secret := range []string{asked.Get("state"), asked.Get("nonce"), asked.Get("code_challenge")} {
		if len(secret) < 22 {
			t.Errorf("the browser asks with %q, which can be guessed", secret)
		}
	}
	got, back, err := p.Finish(t.Context(), sealed, url.Values{"state": {asked.Get("state")}, "code": {"code"}, "iss": {i.URL}})
	if err != nil {
		t.Fatal(err)
	}
	want := &Person{
		Name: "zhang", Subject: i.URL + " 4711", DisplayName: "张三", Email: "zhang@example.cn", Phone: "13800000000", Unit: "预算处",
		Groups: []string{"desk", "all"},
	}
	if !reflect.DeepEqual(got, want) || back != "?lang=en" {
		t.Errorf("Finish = %+v, %q, want %+v and the language", got, back, want)
	}
	if !i.inHeader {
		t.Error("the client's secret was not sent in the header")
	}
}

func TestTwoAttemptsDiffer(t *testing.T) {
	i := newIssuer(t)
	p := i.provider(nil)
	_, first := i.begin(p)
	_, second := i.begin(p)
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if first.Get(name) == second.Get(name) {
			t.Errorf("two attempts have the same %s", name)
		}
	}
}

func TestTheClientProvesItselfAsTheProviderWants(t *testing.T) {
	i := newIssuer(t)
	i.methods = []string{"client_secret_post"}
	if _, err := i.signIn(i.provider(nil)); err != nil || i.inHeader {
		t.Errorf("%v, in the header: %v; the provider takes the secret in the body only", err, i.inHeader)
	}
}

func TestThePageAboutThePersonCompletesTheToken(t *testing.T) {
	i := newIssuer(t)
	i.told = map[string]any{"preferred_username": nil, "groups": nil}
	i.page = map[string]any{"sub": "4711", "preferred_username": "zhang", "groups": "desk", "name": "李四"}
	person, err := i.signIn(i.provider(nil))
	if err != nil || person.Name != "zhang" || !reflect.DeepEqual(person.Groups, []string{"desk"}) || person.DisplayName != "张三" {
		t.Errorf("Finish = %+v, %v, want what the page adds to the token, and nothing in its place", person, err)
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	told := func(name string, value any) func(*issuer) {
		return func(i *issuer) { i.told = map[string]any{name: value} }
	}
	many := make([]string, maxGroups+1)
	for name, change := range map[string]func(*issuer){
		"for another client":            told("aud", "another"),
		"for nobody":                    told("aud", nil),
		"for several, by another":       func(i *issuer) { i.told = map[string]any{"aud": []string{clientID, "b"}, "azp": "b"} },
		"for several, by nobody":        told("aud", []string{clientID, "b"}),
		"issued to another client":      told("azp", "another"),
		"of another issuer":             told("iss", "https://evil.example"),
		"expired":                       told("exp", time.Now().Add(-time.Minute).Unix()),
		"without an end":                told("exp", nil),
		"not yet valid":                 told("nbf", time.Now().Add(time.Hour).Unix()),
		"of another attempt":            told("nonce", "another"),
		"without a nonce":               told("nonce", nil),
		"about nobody":                  told("sub", nil),
		"without the account's name":    told("preferred_username", nil),
		"with a number as a name":       told("preferred_username", 7),
		"with a name beyond all bounds": told("preferred_username", strings.Repeat("x", maxText+1)),
		"with groups that are none":     told("groups", []int{1}),
		"with too many groups":          told("groups", many),
		"signed by somebody else":       func(i *issuer) { i.signer = stranger },
		"not signed":                    func(i *issuer) { i.algorithm = "none" },
		"signed with a shared secret":   func(i *issuer) { i.algorithm = jose.HS256 },
		"whose page is about another": func(i *issuer) {
			i.told, i.page = map[string]any{"groups": nil}, map[string]any{"sub": "815", "groups": []string{"desk"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			change(i)
			person, err := i.signIn(i.provider(nil))
			if person != nil || !errors.Is(err, ErrRefused) {
				t.Errorf("a token %s: %+v, %v, want ErrRefused", name, person, err)
			}
		})
	}
}

func TestAnAddressNamesAnAccountOnlyWhenVerified(t *testing.T) {
	for verified, want := range map[any]string{true: "zhang@example.cn", "true": "zhang@example.cn", false: "", nil: ""} {
		i := newIssuer(t)
		i.told = map[string]any{"email_verified": verified}
		person, err := i.signIn(i.provider(func(o *Options) { o.UserClaim = "email" }))
		got := ""
		if err == nil {
			got = person.Name
		}
		if got != want || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("verified %v: %q, %v, want %q", verified, got, err, want)
		}
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(sealed *string, answer url.Values)
		want   error
	}{
		"no attempt":             {func(sealed *string, _ url.Values) { *sealed = "" }, ErrExpired},
		"an attempt of nobody":   {func(sealed *string, _ url.Values) { *sealed = "AAAA" }, ErrExpired},
		"a changed attempt":      {func(sealed *string, _ url.Values) { *sealed = string((*sealed)[0]^1) + (*sealed)[1:] }, ErrExpired},
		"an endless attempt":     {func(sealed *string, _ url.Values) { *sealed = strings.Repeat("A", maxAttempt+1) }, ErrExpired},
		"another state":          {func(_ *string, answer url.Values) { answer.Set("state", "another") }, ErrExpired},
		"no state":               {func(_ *string, answer url.Values) { answer.Del("state") }, ErrExpired},
		"the person turned back": {func(_ *string, answer url.Values) { answer.Set("error", "access_denied") }, ErrDenied},
		"no code":                {func(_ *string, answer url.Values) { answer.Del("code") }, ErrDenied},
		"another code":           {func(_ *string, answer url.Values) { answer.Set("code", "stolen") }, ErrRefused},
		"another issuer":         {func(_ *string, answer url.Values) { answer.Set("iss", "https://evil.example") }, ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			p := i.provider(nil)
			sealed, asked := i.begin(p)
			answer := url.Values{"state": {asked.Get("state")}, "code": {"code"}}
			c.change(&sealed, answer)
			person, _, err := p.Finish(t.Context(), sealed, answer)
			if person != nil || !errors.Is(err, c.want) {
				t.Errorf("Finish = %+v, %v, want %v", person, err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), clientSecret) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("the error tells a secret or has many lines: %q", err)
			}
		})
	}
}

// TestACodeOfAnotherAttemptIsRefused is what a code that was stolen, or pressed upon somebody, comes to: the verifier is not its own.
func TestACodeOfAnotherAttemptIsRefused(t *testing.T) {
	i := newIssuer(t)
	p := i.provider(nil)
	sealed, asked := i.begin(p)
	i.begin(p) // the code that the issuer gives out belongs to this one
	if _, _, err := p.Finish(t.Context(), sealed, url.Values{"state": {asked.Get("state")}, "code": {"code"}}); !errors.Is(err, ErrRefused) {
		t.Errorf("Finish = %v, want ErrRefused", err)
	}
}

func TestAnAttemptEnds(t *testing.T) {
	i := newIssuer(t)
	now := time.Now()
	p := i.provider(func(o *Options) { o.Now = func() time.Time { return now } })
	sealed, asked := i.begin(p)
	now = now.Add(AttemptLife)
	if _, _, err := p.Finish(t.Context(), sealed, url.Values{"state": {asked.Get("state")}, "code": {"code"}}); !errors.Is(err, ErrExpired) {
		t.Errorf("Finish after %v = %v, want ErrExpired", AttemptLife, err)
	}
}

func TestAnotherNodeFinishesTheAttempt(t *testing.T) {
	i := newIssuer(t)
	sealed, asked := i.begin(i.provider(nil))
	answer := url.Values{"state": {asked.Get("state")}, "code": {"code"}}
	if _, _, err := i.provider(nil).Finish(t.Context(), sealed, answer); err != nil {
		t.Errorf("a node with the same secret: %v", err)
	}
	other := i.provider(func(o *Options) { o.ClientSecret = "of-another-client" })
	if _, _, err := other.Finish(t.Context(), sealed, answer); !errors.Is(err, ErrExpired) {
		t.Errorf("a node with another secret: %v, want ErrExpired", err)
	}
}

func TestTheProviderIsFoundWhenItComesBack(t *testing.T) {
	i := newIssuer(t)
	now := time.Now()
	p := i.provider(func(o *Options) { o.Now = func() time.Time { return now } })
	i.discovery = func(w http.ResponseWriter) bool {
		http.Error(w, "not yet\n"+strings.Repeat("x", 1000), http.StatusBadGateway)
		return true
	}
	for range 3 {
		_, _, err := p.Begin(t.Context(), "")
		if !errors.Is(err, ErrUnreachable) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 500 {
			t.Errorf("Begin = %q, want ErrUnreachable in one short line", err)
		}
	}
	if i.asked != 1 {
		t.Errorf("it was asked %d times within a moment, want once", i.asked)
	}
	i.discovery = nil
	now = now.Add(restAfterFailure)
	if _, err := i.signIn(p); err != nil {
		t.Errorf("the provider is back: %v", err)
	}
	i.discovery = func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusBadGateway); return true }
	now = now.Add(freshFor)
	if _, _, err := p.Begin(t.Context(), ""); err != nil {
		t.Errorf("what was known of the provider is forgotten: %v", err)
	}
}

func TestProvidersThatAreNone(t *testing.T) {
	for name, answer := range map[string]func(issuer string) string{
		"no JSON":        func(string) string { return "<html>" },
		"another issuer": func(string) string { return `{"issuer":"https://evil.example"}` },
		"more than a provider has to say": func(issuer string) string {
			return strings.Repeat(" ", maxAnswer) + `{"issuer":"` + issuer + `"}`
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			i.discovery = func(w http.ResponseWriter) bool { fmt.Fprint(w, answer(i.URL)); return true }
			if _, _, err := i.provider(nil).Begin(t.Context(), ""); !errors.Is(err, ErrUnreachable) {
				t.Errorf("Begin = %v, want ErrUnreachable", err)
			}
		})
	}
	i := newIssuer(t)
	p := i.provider(nil)
	sealed, asked := i.begin(p)
	i.Close()
	if _, _, err := p.Finish(t.Context(), sealed, url.Values{"state": {asked.Get("state")}, "code": {"code"}}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("Finish without the provider = %v, want ErrUnreachable", err)
	}
}

func TestAnswersWithoutAToken(t *testing.T) {
	i := newIssuer(t)
	i.token = func(w http.ResponseWriter) bool {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"x","token_type":"Bearer"}`)
		return true
	}
	if _, err := i.signIn(i.provider(nil)); !errors.Is(err, ErrRefused) {
		t.Errorf("an answer without an id_token: %v, want ErrRefused", err)
	}
}

func TestBadOptions(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no issuer":   func(o *Options) { o.Issuer = "" },
		"no client":   func(o *Options) { o.ClientID = "" },
		"no secret":   func(o *Options) { o.ClientSecret = "" },
		"no way back": func(o *Options) { o.RedirectURL = "" },
		"no openid":   func(o *Options) { o.Scopes = []string{"profile"} },
		"no claim":    func(o *Options) { o.UserClaim = "" },
		"no timeout":  func(o *Options) { o.Timeout = 0 },
		"no clock":    func(o *Options) { o.Now = nil },
	} {
		o := Options{
			Issuer: "https://id.example.cn", ClientID: clientID, ClientSecret: clientSecret, RedirectURL: callback, Scopes: []string{"openid"},
			UserClaim: "sub", Timeout: time.Second, Now: time.Now,
		}
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: New took it", name)
		}
	}
}

func FuzzFinish(f *testing.F) {
	p, err := New(Options{
		Issuer: "http://127.0.0.1:1", ClientID: clientID, ClientSecret: clientSecret, RedirectURL: callback, Scopes: []string{"openid"},
		UserClaim: "sub", Timeout: time.Second, Now: time.Now,
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("", "state=a&code=b")
	f.Add("AAAA", "error=access_denied")
	f.Fuzz(func(t *testing.T, sealed, query string) {
		answer, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		if person, _, err := p.Finish(t.Context(), sealed, answer); person != nil || !errors.Is(err, ErrExpired) {
			t.Errorf("Finish = %+v, %v; nobody can make an attempt up", person, err)
		}
	})
}
