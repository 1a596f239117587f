package web

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheOverviewShowsHowThingsStand(t *testing.T) {
	t.Parallel()
	page := newVisit(t).page("/")
	want := map[string][][]string{
		"tickets": {
			{"330106-20261121-0042", "庭审系统无法登录，提示“证书已过期”", "◐处理中", "1", "一线", "330106 西湖区 →待上送至 330100 杭州市", "10:41:03"},
			{"330106-20261121-0041", "打印机卡纸 <b>三楼</b>", "○新建", "4", "一线", "330106 西湖区", "10:35:00"},
			{"330106-20261121-0039", "档案检索响应缓慢", "◔已派单", "2", "一线", "⇢上送中，去往 330100 杭州市", "10:30:12"},
			{"330106-20261121-0030", "视频会议无声音", "◕已解决", "3", "二线", "330100 杭州市 →待送回 330106 西湖区", "09:02:44"},
			{"330106-20261120-0017", "申请开通 VPN 账号", "‖挂起", "5", "一线", "330106 西湖区", "11-20 17:20"},
			{"330106-20251230-0003", "更换显示器", "●已办结", "5", "一线", "330106 西湖区", "2025-12-31 08:00"},
		},
		"links": {
			{"330100 杭州市", "上级", "▲断开 connection refused", "10:32:07", "10:32:05", "12", "3", "0"},
			{"330106001", "下级", "●畅通", "07:00:00", "", "0", "0", "0"},
		},
		"nodes": {
			{"n1", "主节点", "●在线", "10.33.1.6:8080"},
			{"n2", "从节点", "●在线", "10.33.1.7:8080"},
			{"n3", "从节点", "○未见", "10.33.1.8:8080"},
		},
		"sites": {
			{"330000 浙江省", "省级", "0", "○未见"},
			{"330100 杭州市", "市级", "0", "○10:32:07 起未见"},
			{"330106 西湖区 本站", "县级", "3", "●在线"},
		},
	}
	for class, rows := range want {
		got := page.rows(t, class)
		if len(got) != len(rows) {
			t.Errorf("%s: %d rows, want %d", class, len(got), len(rows))
			continue
		}
		for i := range rows {
			if !slices.Equal(got[i], rows[i]) {
				t.Errorf("%s, row %d:\n got %q\nwant %q", class, i, got[i], rows[i])
			}
		}
	}
	banners := []string{
		"与 330100 杭州市 的链路已断开（10:32:07 起），3 张工单待上送，本站业务不受影响。",
		"The clock of node n3 is 4 s behind; check its time service.",
	}
	if got := page.banners(); !slices.Equal(got, banners) {
		t.Errorf("the banners are %q, want %q", got, banners)
	}
	if !strings.Contains(page.source, "2026-11-21 10:42:00 CST (UTC&#43;08:00)") {
		t.Error("the page does not name its time and zone")
	}
	if strings.Contains(page.source, "<script") || strings.Contains(page.source, "<b>三楼") || strings.Contains(page.source, " style=") {
		t.Error("the page has a script, a style of its own or markup out of a ticket")
	}
	for _, cell := range page.all("td", "") {
		if attribute(cell, "data-label") == "" {
			t.Errorf("the cell %q has no label for narrow screens", text(cell))
		}
	}
}

func TestBannersAreCalmAndExact(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.desk.overview = &apipb.GetSiteResponse{Leader: "n1", Links: []*apipb.LinkStatus{
		{Peer: "330100", Direction: apipb.LinkStatus_PARENT, State: apipb.LinkStatus_CATCHING_UP},
	}}
	if got := v.page("/").banners(); len(got) != 0 {
		t.Errorf("nothing is wrong and the page says %q", got)
	}
	v.desk.overview = &apipb.GetSiteResponse{Links: []*apipb.LinkStatus{
		{Peer: "330100", Direction: apipb.LinkStatus_CHILD, State: apipb.LinkStatus_DOWN, Queued: 2},
	}}
	want := []string{
		"The link with 330100 杭州市 is down (since never connected); 2 tickets wait to go back. Work at this site goes on.",
		"This site has no leader at the moment: tickets can be read, not opened or changed.",
	}
	if got := v.page("/?lang=en").banners(); !slices.Equal(got, want) {
		t.Errorf("the banners are %q, want %q", got, want)
	}
	since := timestamppb.New(time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC))
	v.desk.overview = &apipb.GetSiteResponse{Leader: "n1", Frozen: "another copy of 330106 lives.",
		Recovering: &apipb.Recovery{Since: since, Missing: []string{"330100", "330108"}}}
	want = []string{
		"This site is frozen and decides nothing: another copy of 330106 lives. If this copy shall live, an administrator runs tierdesk site recover.",
		"This site recovers since 10:00:00 and was not compared to the end with 330100 杭州市, 330108: tickets from before take notes, replies and urges only; new ones are worked on as always.",
	}
	if got := v.page("/?lang=en").banners(); !slices.Equal(got, want) {
		t.Errorf("the banners are %q, want %q", got, want)
	}
	v.desk.overview = &apipb.GetSiteResponse{Leader: "n1", MajorIncidents: []*apipb.MajorIncident{
		{Number: "330106-20261121-0042", Title: "税务系统中断", CustodianSite: "330100", OpenTime: since},
	}}
	want = []string{"重大故障：330106-20261121-0042「税务系统中断」由 330100 杭州市 处理中（10:00:00 起）。"}
	if got := v.page("/").banners(); !slices.Equal(got, want) {
		t.Errorf("the banners are %q, want %q", got, want)
	}
	v.desk.overview = &apipb.GetSiteResponse{Leader: "n1", Recovering: &apipb.Recovery{Since: since}}
	want = []string{"This site recovers since 10:00:00 and is about to be done."}
	if got := v.page("/?lang=en").banners(); !slices.Equal(got, want) {
		t.Errorf("the banners are %q, want %q", got, want)
	}
}

func TestPartsThatCannotBeReadAreNamed(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.desk.overviewErr, v.desk.sitesErr, v.desk.ticketsErr = errors.New("a"), errors.New("b"), errors.New("c")
	want := []string{"站点目录暂时读不到。", "节点与链路状态暂时读不到。", "工单暂时读不到。"}
	if got := v.page("/").banners(); !slices.Equal(got, want) {
		t.Errorf("the banners are %q, want %q", got, want)
	}
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	for _, c := range []struct{ target, accept, want string }{
		{"/", "", "zh-CN"},
		{"/", "zh-TW,en;q=0.5", "zh-CN"},
		{"/", "en-GB,zh;q=0.5", "en"},
		{"/", "fr", "zh-CN"},
		{"/", "fr,en;q=0.5", "en"},
		{"/", ";;;", "zh-CN"},
		{"/?lang=en", "zh", "en"},
		{"/?lang=zh", "en", "zh-CN"},
		{"/?lang=xx", "", "zh-CN"},
	} {
		page := v.page(c.target, "Accept-Language", c.accept)
		if got := attribute(page.all("html", "")[0], "lang"); got != c.want {
			t.Errorf("%s with Accept-Language %q is in %s, want %s", c.target, c.accept, got, c.want)
		}
	}
	english := v.page("/?lang=en")
	if got := english.rows(t, "links")[0][2]; got != "▲Down connection refused" {
		t.Errorf("in English the cut link is %q", got)
	}
	if !strings.Contains(english.source, `action="/sign-out?lang=en"`) {
		t.Error("signing out loses the language")
	}
}

func TestSigningIn(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	form := v.parse(v.do(httptest.NewRequest(http.MethodGet, "/", nil), false), http.StatusOK)
	if len(form.all("input", "")) != 2 || len(form.all("table", "")) != 0 || len(form.banners()) != 0 {
		t.Error("a stranger does not get the sign-in form alone")
	}
	right := url.Values{"user": {" li "}, "password": {"correct"}}
	response := v.post("/sign-in?lang=en", right)
	if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != "/?lang=en" || v.people.signedIn != "li" {
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
	if got := attribute(wrong.all("input", "")[0], "value"); got != `li"><b>` {
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
	if page := v.page("/"); v.desk.asker != nil || len(page.all("table", "")) != 0 {
		t.Errorf("a program's token shows %d tables", len(page.all("table", "")))
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

func TestHeadersAndFiles(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	for target, kind := range map[string]string{"/": "text/html", "/style.css": "text/css", "/icon.svg": "image/svg+xml"} {
		response := v.do(httptest.NewRequest(http.MethodGet, target, nil), true)
		if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s", target, response.StatusCode, response.Header.Get("Content-Type"))
		}
		policy := response.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the content security policy is %q", target, policy)
		}
	}
	if response := v.do(httptest.NewRequest(http.MethodGet, "/nothing", nil), true); response.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown page: %d", response.StatusCode)
	}
	styles, err := io.ReadAll(v.do(httptest.NewRequest(http.MethodGet, "/style.css", nil), false).Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range []string{"prefers-color-scheme: dark", ":focus-visible", "max-width", "tabular-nums"} {
		if !strings.Contains(string(styles), rule) {
			t.Errorf("the style sheet has no %s", rule)
		}
	}
}
