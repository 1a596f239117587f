package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// fakeProvider signs li in with the code "open-sesame", in the browser that has the attempt "sealed".
type fakeProvider struct {
	err  error // what every call comes to, when set
	back string
}

func (*fakeProvider) Label() string { return "统一认证" }

func (p *fakeProvider) Begin(_ context.Context, back string) (address, attempt string, err error) {
	p.back = back
	return "https://id.example.cn/authorize?state=s", "sealed", p.err
}

func (p *fakeProvider) Finish(_ context.Context, attempt string, answer url.Values, _, _ string) (*apipb.CreateSessionResponse, string, error) {
	switch {
	case p.err != nil:
		return nil, p.back, p.err
	case attempt != "sealed":
		return nil, "", desk.Refuse(desk.Unauthenticated, "ATTEMPT_EXPIRED", "no attempt")
	case answer.Get("code") != "open-sesame":
		return nil, p.back, desk.Refuse(desk.Unauthenticated, "IDENTITY_REFUSED", "wrong code")
	}
	return &apipb.CreateSessionResponse{Token: "token-of-li"}, p.back, nil
}

// callback opens the address that the provider sends the browser back to, with the attempt unless it is empty.
func (v *visit) callback(query, attempt string) *http.Response {
	v.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/sign-in/callback?"+query, nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site") // as it is when another site's redirect leads here
	if attempt != "" {
		r.AddCookie(&http.Cookie{Name: "tierdesk_attempt_330106", Value: attempt})
	}
	return v.do(r, false)
}

func TestSigningInAtTheProvider(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	form := v.parse(v.do(httptest.NewRequest(http.MethodGet, "/sign-in?lang=en&to=/t/7", nil), false), http.StatusOK)
	if links := form.all("a", "button"); len(links) != 1 || text(links[0]) != "Sign in with 统一认证" || attribute(links[0], "href") != "/sign-in/provider?to=%2ft%2f7" {
		t.Errorf("the form has %d buttons of providers, want one that keeps the page to go on to", len(links))
	}
	begun := v.do(httptest.NewRequest(http.MethodGet, "/sign-in/provider?to=/t/7", nil), false)
	if begun.StatusCode != http.StatusSeeOther || begun.Header.Get("Location") != "https://id.example.cn/authorize?state=s" {
		t.Fatalf("the button leads to %q with %d", begun.Header.Get("Location"), begun.StatusCode)
	}
	cookie := begun.Cookies()[0]
	if cookie.Value != "sealed" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge != 600 || cookie.Path != "/sign-in/" {
		t.Errorf("the attempt's cookie is %v", cookie)
	}
	answered := v.callback("code=open-sesame&state=s", "sealed")
	page := v.parse(answered, http.StatusOK)
	if got := page.refresh(); got != "0; url=/t/7" {
		t.Errorf("the page leads on to %q, want to the page that was asked for", got)
	}
	cookies := map[string]*http.Cookie{}
	for _, cookie := range answered.Cookies() {
		cookies[cookie.Name] = cookie
	}
	session, attempt := cookies["tierdesk_330106"], cookies["tierdesk_attempt_330106"]
	if session == nil || session.Value != "token-of-li" || session.SameSite != http.SameSiteStrictMode || !session.HttpOnly {
		t.Errorf("the session's cookie is %v", session)
	}
	if attempt == nil || attempt.MaxAge >= 0 {
		t.Errorf("the attempt stays in the browser: %v", attempt)
	}
	if strings.Contains(page.source, "open-sesame") {
		t.Error("the page repeats the provider's answer")
	}
}

func TestWhatGoesWrongAtTheProviderIsSaid(t *testing.T) {
	t.Parallel()
	for reason, c := range map[string]struct {
		code   desk.Code
		status int
		want   string
	}{
		"PROVIDER_UNREACHABLE": {desk.Unavailable, http.StatusServiceUnavailable, "统一登录服务暂时无法访问，请改用本站点的用户名和密码，或稍后再试。"},
		"PROVIDER_DENIED":      {desk.Unauthenticated, http.StatusUnauthorized, "统一登录服务没有让您登录，或您取消了登录。"},
		"IDENTITY_REFUSED":     {desk.Unauthenticated, http.StatusUnauthorized, "统一登录服务提供的身份信息不可信或不完整，请联系管理员。"},
		"NOT_ADMITTED":         {desk.PermissionDenied, http.StatusForbidden, "您的身份已确认，但没有使用本站点的权限，请联系管理员。"},
		"NAME_TAKEN":           {desk.PermissionDenied, http.StatusForbidden, "本站点不允许此账号登录，请联系管理员。"},
	} {
		v := newVisit(t)
		v.provider.err = desk.Refuse(c.code, reason, "not this time")
		for name, response := range map[string]*http.Response{
			"begin": v.do(httptest.NewRequest(http.MethodGet, "/sign-in/provider", nil), false), "callback": v.callback("code=open-sesame", "sealed"),
		} {
			if got := v.parse(response, c.status).banners(); !slices.Equal(got, []string{c.want}) {
				t.Errorf("%s, %s: the page says %q, want %q", reason, name, got, c.want)
			}
			for _, cookie := range response.Cookies() {
				if cookie.Name == "tierdesk_330106" {
					t.Errorf("%s, %s: there is a session", reason, name)
				}
			}
		}
	}
}

func TestAnswersOfOtherBrowsersAreRefused(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	for _, attempt := range []string{"", "of another browser"} {
		page := v.parse(v.callback("code=open-sesame&state=s", attempt), http.StatusUnauthorized)
		if got := page.banners(); !slices.Equal(got, []string{"本次登录已失效，请重新开始。"}) {
			t.Errorf("with the attempt %q the page says %q", attempt, got)
		}
	}
}

func TestWithoutAProviderThereIsNoButton(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.provider = nil
	v.build()
	form := v.parse(v.do(httptest.NewRequest(http.MethodGet, "/", nil), false), http.StatusOK)
	if len(form.all("a", "button")) != 0 {
		t.Error("the form leads to a provider that there is not")
	}
	for _, path := range []string{"/sign-in/provider", "/sign-in/callback"} {
		if got := v.do(httptest.NewRequest(http.MethodGet, path, nil), false); got.StatusCode == http.StatusOK || got.StatusCode == http.StatusSeeOther {
			t.Errorf("%s without a provider: %d", path, got.StatusCode)
		}
	}
}
