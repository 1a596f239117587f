package web

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTheFirstPageLeadsToWork sends everybody to the room where they work.
func TestTheFirstPageLeadsToWork(t *testing.T) {
	t.Parallel()
	for role, want := range map[deskpb.User_Role]string{
		deskpb.User_AGENT: "/desk", deskpb.User_DISPATCHER: "/desk", deskpb.User_INCIDENT_MANAGER: "/desk", deskpb.User_ADMINISTRATOR: "/desk",
		deskpb.User_LEADER: "/leader", deskpb.User_AUDITOR: "/admin/audit", deskpb.User_REQUESTER: "/help",
	} {
		v := newVisit(t)
		v.people.role = role
		if got := v.do(httptest.NewRequest(http.MethodGet, "/", nil), true); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != want {
			t.Errorf("a visitor who is %v is led by %d to %q, want %q", role, got.StatusCode, got.Header.Get("Location"), want)
		}
	}
}

// TestWhoeverIsNotSignedInComesBack asks a stranger to sign in, and leads on to the page that was asked for.
func TestWhoeverIsNotSignedInComesBack(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	asked := v.do(httptest.NewRequest(http.MethodGet, "/me?tab=tokens", nil), false)
	if asked.StatusCode != http.StatusSeeOther || asked.Header.Get("Location") != "/sign-in?to="+url.QueryEscape("/me?tab=tokens") {
		t.Fatalf("a stranger is led by %d to %q", asked.StatusCode, asked.Header.Get("Location"))
	}
	form := v.parse(v.do(httptest.NewRequest(http.MethodGet, asked.Header.Get("Location"), nil), false), http.StatusOK)
	to := attribute(form.field("to"), "value")
	signedIn := v.post("/sign-in", url.Values{"user": {"li"}, "password": {"correct"}, "to": {to}})
	if signedIn.Header.Get("Location") != "/me?tab=tokens" {
		t.Errorf("after signing in the browser goes to %q", signedIn.Header.Get("Location"))
	}
}

func TestTheHeadSaysWhereAndWho(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	page := v.page("/password")
	for _, want := range []string{"西湖区", "县级", "李工", "服务台人员", "链路断开", "与杭州市的链路已断开（10:32 起），3 张工单待上送，本站业务不受影响。"} {
		if !strings.Contains(text(page.root), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page.source, " style=") || strings.Contains(page.source, "<script>") || strings.Contains(page.source, " onclick=") {
		t.Error("the page has a script or a style of its own, which its security policy forbids")
	}
	v.people.role = deskpb.User_REQUESTER
	if got := text(v.page("/password").root); strings.Contains(got, "链路") {
		t.Errorf("a requester is told of the line: %q", got)
	}
	v.people.role, v.standing.site.Leader = deskpb.User_AGENT, ""
	if got := v.page("/password?lang=en").banners(); !slices.Equal(got, []string{"This site has no leader at the moment: tickets can be read, not opened or changed."}) {
		t.Errorf("without a leader the banners are %q", got)
	}
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	for _, c := range []struct{ target, accept, cookie, want string }{
		{"/sign-in", "", "", "zh-CN"},
		{"/sign-in", "zh-TW,en;q=0.5", "", "zh-CN"},
		{"/sign-in", "en-GB,zh;q=0.5", "", "en"},
		{"/sign-in", "fr", "", "zh-CN"},
		{"/sign-in", "fr,en;q=0.5", "", "en"},
		{"/sign-in", ";;;", "", "zh-CN"},
		{"/sign-in?lang=en", "zh", "", "en"},
		{"/sign-in?lang=zh", "en", "", "zh-CN"},
		{"/sign-in?lang=xx", "", "", "zh-CN"},
		{"/sign-in", "zh", "en", "en"},
		{"/sign-in?lang=zh", "en", "en", "zh-CN"},
	} {
		r := httptest.NewRequest(http.MethodGet, c.target, nil)
		r.Header.Set("Accept-Language", c.accept)
		if c.cookie != "" {
			r.AddCookie(&http.Cookie{Name: "tierdesk_language", Value: c.cookie})
		}
		page := v.parse(v.do(r, false), http.StatusOK)
		if got := attribute(page.all("html", "")[0], "lang"); got != c.want {
			t.Errorf("%s with Accept-Language %q and the cookie %q is in %s, want %s", c.target, c.accept, c.cookie, got, c.want)
		}
	}
	chosen := v.do(httptest.NewRequest(http.MethodGet, "/sign-in?lang=en", nil), false).Cookies()
	if len(chosen) != 1 || chosen[0].Name != "tierdesk_language" || chosen[0].Value != "en" || chosen[0].MaxAge <= 0 {
		t.Errorf("the language that was chosen is kept as %v", chosen)
	}
}

func TestTheThemeGoesRound(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	for _, c := range []struct{ now, asked, next string }{
		{"", "next", "dark"}, {"dark", "next", "light"}, {"light", "", ""}, {"purple", "", "dark"},
		{"dark", "dark", "dark"}, {"", "light", "light"}, {"dark", "machine", ""}, {"light", "purple", ""},
	} {
		r := httptest.NewRequest(http.MethodPost, "/theme", strings.NewReader("to=%2Fme&theme="+c.asked))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(&http.Cookie{Name: "tierdesk_theme", Value: c.now})
		got := v.do(r, false)
		cookie := got.Cookies()[0]
		if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/me" || cookie.Value != c.next || (cookie.MaxAge < 0) != (c.next == "") {
			t.Errorf("from %q with %q: %d to %q with %v, want %q", c.now, c.asked, got.StatusCode, got.Header.Get("Location"), cookie, c.next)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/sign-in", nil)
	r.AddCookie(&http.Cookie{Name: "tierdesk_theme", Value: "dark"})
	if got := attribute(v.parse(v.do(r, false), http.StatusOK).all("html", "")[0], "data-bs-theme"); got != "dark" {
		t.Errorf("the page's colours are %q, want dark", got)
	}
}

func TestSigningIn(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	form := v.parse(v.do(httptest.NewRequest(http.MethodGet, "/", nil), false), http.StatusOK)
	if got := form.asks(); !slices.Equal(got, []string{"user", "password"}) || len(form.banners()) != 0 || len(form.all("table", "")) != 0 {
		t.Errorf("a stranger is asked for %q and told %q, want the sign-in form alone", got, form.banners())
	}
	right := url.Values{"user": {" li "}, "password": {"correct"}}
	response := v.post("/sign-in", right)
	if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != "/" || v.people.signedIn != "li" {
		t.Fatalf("signing in: %d to %q as %q", response.StatusCode, response.Header.Get("Location"), v.people.signedIn)
	}
	cookie := response.Cookies()[0]
	if cookie.Name != "tierdesk_330106" || cookie.Value != "token-of-li" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode ||
		cookie.Secure || cookie.Path != "/" || cookie.Expires.IsZero() {
		t.Errorf("the session's cookie is %v", cookie)
	}
	over := httptest.NewRequest(http.MethodPost, "/sign-in", strings.NewReader(right.Encode()))
	over.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	over.TLS = &tls.ConnectionState{}
	if cookie := v.do(over, false).Cookies()[0]; !cookie.Secure {
		t.Errorf("over TLS the cookie is not Secure: %v", cookie)
	}
	wrong := v.parse(v.post("/sign-in", url.Values{"user": {`li"><b>`}, "password": {"no"}}), http.StatusUnauthorized)
	if got := wrong.banners(); !slices.Equal(got, []string{"用户名或密码不正确，请重新输入。"}) {
		t.Errorf("a wrong password is answered %q", got)
	}
	if got := attribute(wrong.field("user"), "value"); got != `li"><b>` {
		t.Errorf("the name that was typed comes back as %q", got)
	}
}

func TestSigningInWhileTheSiteCannotAnswer(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.people.err = errors.New("no leader")
	page := v.parse(v.post("/sign-in", url.Values{"user": {"li"}, "password": {"correct"}}), http.StatusServiceUnavailable)
	want := []string{"本站点暂时无法核对登录信息，请稍后再试。"}
	if got := page.banners(); !slices.Equal(got, want) {
		t.Errorf("signing in without a leader: %q, want %q", got, want)
	}
	if got := v.page("/").banners(); !slices.Equal(got, want) {
		t.Errorf("a visit with a session that cannot be checked: %q, want %q", got, want)
	}
}

func TestAnExpiredSessionIsSaid(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "tierdesk_330106", Value: "old"})
	if got := v.parse(v.do(r, false), http.StatusOK).banners(); !slices.Equal(got, []string{"登录已过期，请重新登录。"}) {
		t.Errorf("an expired session is answered %q", got)
	}
}

// A program's token has limits that no page looks at, so no page takes it for somebody who signed in.
func TestAnAccessTokenIsNoSession(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.people.limits = []string{"policy:read"}
	if got := v.page("/").asks(); !slices.Equal(got, []string{"user", "password"}) {
		t.Errorf("a program's token is asked for %q, want to sign in", got)
	}
}

func TestSigningOut(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	response := v.post("/sign-out", nil)
	if response.StatusCode != http.StatusSeeOther || !slices.Equal(v.people.ended, []string{"token-of-li"}) {
		t.Errorf("signing out: %d, ended %v", response.StatusCode, v.people.ended)
	}
	if cookie := response.Cookies()[0]; cookie.MaxAge >= 0 || cookie.Name != "tierdesk_330106" {
		t.Errorf("the cookie stays: %v", cookie)
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		if got := v.post("/sign-out", nil, headers...); got.StatusCode != http.StatusForbidden || len(v.people.ended) != 0 {
			t.Errorf("a form with %v: %d, ended %v", headers, got.StatusCode, v.people.ended)
		}
	}
	huge := url.Values{"user": {strings.Repeat("x", maxForm)}}
	if got := v.post("/sign-in", huge); got.StatusCode != http.StatusBadRequest {
		t.Errorf("a form of more than %d bytes: %d", maxForm, got.StatusCode)
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	page := v.page("/password")
	targets := map[string]string{"/password": "text/html"}
	for _, link := range page.all("link", "") {
		if attribute(link, "rel") == "stylesheet" {
			targets[attribute(link, "href")] = "text/css"
		}
	}
	for _, script := range page.all("script", "") {
		targets[attribute(script, "src")] = "text/javascript"
	}
	if len(targets) < 6 {
		t.Fatalf("the page loads %d files, fewer than every page does", len(targets)-1)
	}
	for target, kind := range targets {
		response := v.do(httptest.NewRequest(http.MethodGet, target, nil), true)
		if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s, want %s", target, response.StatusCode, response.Header.Get("Content-Type"), kind)
		}
		policy := response.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the content security policy is %q", target, policy)
		}
		if response.Header.Get("X-Content-Type-Options") != "nosniff" || response.Header.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: the headers are %v", target, response.Header)
		}
	}
	if got := v.do(httptest.NewRequest(http.MethodGet, "/password", nil), true).Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("a page may be kept: %q", got)
	}
	if response := v.do(httptest.NewRequest(http.MethodGet, "/nothing", nil), true); response.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown page: %d", response.StatusCode)
	}
}

// TestAnAddressThatLeadsNowhereIsToldAsAPage answers a mistyped address as pages are answered, to those who are signed in and to strangers.
func TestAnAddressThatLeadsNowhereIsToldAsAPage(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	for _, signedIn := range []bool{true, false} {
		shown := v.parse(v.do(httptest.NewRequest(http.MethodGet, "/dsek", nil), signedIn), http.StatusNotFound)
		if said := text(shown.root); !strings.Contains(said, "没有这个页面") || !strings.Contains(said, "回到首页") {
			t.Errorf("an address that leads nowhere says %q", said)
		}
	}
}

// TestPatternsAreThoseThatAreServed holds the list of patterns against what is answered: each but the last resort leads to a page of its own.
func TestPatternsAreThoseThatAreServed(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	for _, pattern := range Patterns() {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	}
	for path, want := range map[string]string{
		"/": "GET /{$}", "/desk": "GET /desk", "/t/1/escalate": "GET /t/{number}/{verb}", "/help/new": "GET /help/new", "/wall": "GET /wall",
		"/admin/tree/330106/close": "GET /admin/tree/{site}/close", "/me": "GET /me", "/part/line": "GET /part/line", "/dsek": "GET /",
	} {
		if _, got := mux.Handler(httptest.NewRequest(http.MethodGet, path, nil)); got != want {
			t.Errorf("%s is answered by %q, want %q", path, got, want)
		}
	}
}
