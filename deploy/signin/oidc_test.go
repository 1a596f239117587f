package signin

import (
	"maps"
	"net/http"
	"strings"
	"testing"
)

// oidcSite starts a site whose people sign in at a provider, which does not listen yet. Zhang is signed in there.
func oidcSite(t *testing.T) (*site, *provider) {
	t.Helper()
	address, issuer := freeAddress(t), freeAddress(t)
	p := newProvider(t, issuer, "http://"+address+"/sign-in/callback")
	p.signedIn(zhang(nil))
	s := startSite(t, address, `sign_in:
  oidc:
    issuer: "http://`+issuer+`"
    client_id: desk
    client_secret_env: DESK_OIDC_SECRET
    redirect_url: "http://`+address+`/sign-in/callback"
    label: 统一认证
    roles: [{group: desk, role: agent, scope: site, groups: [一线]}]
`, "", clientSecret)
	return s, p
}

// zhang is what the provider says of Zhang, with changes.
func zhang(changes map[string]any) map[string]any {
	person := map[string]any{
		"sub": "4711", "preferred_username": "zhang", "name": "张三", "email": "zhang@example.cn", "groups": []string{"desk", "all"},
	}
	maps.Copy(person, changes)
	return person
}

func TestProviderSignsPeopleIn(t *testing.T) {
	s, p := oidcSite(t)
	p.start()
	b := newBrowser(t, s)
	if status, words, _ := b.visit(s.base + "/"); status != http.StatusOK || !strings.Contains(words, "使用统一认证登录") {
		t.Errorf("the first page: %d %s, want one with the provider's button", status, words)
	}
	status, words, at := b.visit(s.base + "/sign-in/provider?lang=en")
	if status != http.StatusOK || at.Path != "/sign-in/callback" || !strings.Contains(words, "You are signed in") {
		t.Fatalf("after the provider: %d at %s: %s", status, at.Path, words)
	}
	account := s.account(b.session())
	for field, want := range map[string]any{
		"name": "zhang", "displayName": "张三", "email": "zhang@example.cn", "role": "AGENT", "scope": "SITE", "source": "OIDC",
	} {
		if account[field] != want {
			t.Errorf("the account's %s is %v, want %v", field, account[field], want)
		}
	}
	if _, words, _ := b.visit(s.base + "/"); !strings.Contains(words, "张三") || !strings.Contains(words, "Sign out") {
		t.Errorf("the page after signing in shows nobody: %s", words)
	}
	if code, answer := s.signIn("zhang", ""); code == http.StatusOK {
		t.Errorf("zhang, who has no password here, signs in without one: %v", answer)
	}
	p.signedIn(zhang(map[string]any{"name": "张三丰"}))
	again := newBrowser(t, s)
	again.visit(s.base + "/sign-in/provider")
	if account := s.account(again.session()); account["displayName"] != "张三丰" {
		t.Errorf("the account still says %v, want what the provider says now", account["displayName"])
	}
	s.keepsSecrets(clientSecret, b.session(), again.session(), at.Query().Get("code"))
}

func TestProviderTurnsPeopleAway(t *testing.T) {
	s, p := oidcSite(t)
	p.start()
	newBrowser(t, s).visit(s.base + "/sign-in/provider") // so that zhang has an account
	for name, c := range map[string]struct {
		person map[string]any
		status int
		words  string
	}{
		"who turned back":                 {nil, http.StatusUnauthorized, "统一登录服务没有让您登录"},
		"in no group that is let in":      {zhang(map[string]any{"groups": []string{"all"}}), http.StatusForbidden, "没有使用本站点的权限"},
		"without groups":                  {zhang(map[string]any{"groups": nil}), http.StatusForbidden, "没有使用本站点的权限"},
		"without a name":                  {zhang(map[string]any{"preferred_username": ""}), http.StatusUnauthorized, "不可信或不完整"},
		"under the administrator's name":  {zhang(map[string]any{"preferred_username": "admin"}), http.StatusForbidden, "不允许此账号登录"},
		"under the name of somebody else": {zhang(map[string]any{"sub": "815"}), http.StatusForbidden, "不允许此账号登录"},
		"with a name that no account has": {zhang(map[string]any{"preferred_username": "张 三"}), http.StatusForbidden, "不允许此账号登录"},
	} {
		t.Run(name, func(t *testing.T) {
			p.signedIn(c.person)
			b := newBrowser(t, s)
			status, words, _ := b.visit(s.base + "/sign-in/provider")
			if status != c.status || !strings.Contains(words, c.words) || b.session() != "" {
				t.Errorf("somebody %s: %d, a session: %v, %s; want %d and %q", name, status, b.session() != "", words, c.status, c.words)
			}
		})
	}
	s.mustSignIn("admin", adminPassword)
}

func TestProviderAnswersCountOnceAndInOneBrowser(t *testing.T) {
	s, p := oidcSite(t)
	p.start()
	b := newBrowser(t, s)
	_, _, answered := b.visit(s.base + "/sign-in/provider")
	for name, visitor := range map[string]*browser{"the same browser": b, "another browser": newBrowser(t, s)} {
		status, words, _ := visitor.visit(answered.String())
		if status != http.StatusUnauthorized || !strings.Contains(words, "本次登录已失效") {
			t.Errorf("the same answer again in %s: %d %s", name, status, words)
		}
	}
	forged := newBrowser(t, s)
	forged.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/sign-in/callback" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	forged.visit(s.base + "/sign-in/provider")
	forged.http.CheckRedirect = nil
	if status, _, _ := forged.visit(s.base + "/sign-in/callback?code=x&state=made-up"); status != http.StatusUnauthorized || forged.session() != "" {
		t.Errorf("an answer that belongs to no attempt: %d, a session: %v", status, forged.session() != "")
	}
}

func TestProviderIsDown(t *testing.T) {
	s, p := oidcSite(t)
	b := newBrowser(t, s)
	status, words, _ := b.visit(s.base + "/sign-in/provider")
	if status != http.StatusServiceUnavailable || !strings.Contains(words, "统一登录服务暂时无法访问") {
		t.Errorf("without the provider: %d %s", status, words)
	}
	s.mustSignIn("admin", adminPassword) // whom no provider has to vouch for
	p.start()
	eventually(t, "sign in once the provider is there", func() bool {
		b.visit(s.base + "/sign-in/provider")
		return b.session() != ""
	})
}
