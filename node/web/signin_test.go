package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/tierdesk/tierdesk/desk"
)

// field returns the input of a name; nil when the form does not ask for it.
func (d *document) field(name string) *html.Node {
	for _, input := range d.all("input", "") {
		if attribute(input, "name") == name {
			return input
		}
	}
	return nil
}

// asks lists the visible fields of the form.
func (d *document) asks() []string {
	var names []string
	for _, input := range d.all("input", "") {
		if attribute(input, "type") != "hidden" {
			names = append(names, attribute(input, "name"))
		}
	}
	return names
}

func TestTheSecondFactorIsAskedForAlone(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.people.code = "123456"
	second := v.parse(v.post("/sign-in?lang=en", url.Values{"user": {"li"}, "password": {"correct"}}), http.StatusUnauthorized)
	if got := second.asks(); !slices.Equal(got, []string{"code"}) || len(second.banners()) != 0 {
		t.Errorf("after the right password the page asks for %q and says %q, want the code alone and no complaint", got, second.banners())
	}
	if strings.Contains(second.source, "correct") {
		t.Error("the second step shows the password")
	}
	step := attribute(second.field("step"), "value")
	wrong := v.parse(v.post("/sign-in", url.Values{"step": {step}, "code": {"654321"}}), http.StatusUnauthorized)
	if got := wrong.banners(); !slices.Equal(got, []string{"验证码不正确或已用过，请等待下一个验证码再输入。"}) || !slices.Equal(wrong.asks(), []string{"code"}) {
		t.Errorf("a wrong code is answered %q and %q is asked for", got, wrong.asks())
	}
	step = attribute(wrong.field("step"), "value")
	if right := v.post("/sign-in", url.Values{"step": {step}, "code": {" 123 456 "}}); right.StatusCode != http.StatusSeeOther || v.people.signedIn != "li" {
		t.Errorf("the right code: %d, signed in %q", right.StatusCode, v.people.signedIn)
	}
}

func TestALostFirstStepIsAskedForAgain(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.people.code = "123456"
	late := attribute(v.parse(v.post("/sign-in", url.Values{"user": {"li"}, "password": {"correct"}}), http.StatusUnauthorized).field("step"), "value")
	v.now = v.now.Add(stepLife)
	elsewhere := newVisit(t)
	elsewhere.people.code = "123456"
	for name, visited := range map[string]*visit{"too late": v, "at another node": elsewhere} {
		page := visited.parse(visited.post("/sign-in", url.Values{"step": {late}, "user": {"li"}, "code": {"123456"}}), http.StatusUnauthorized)
		if got := page.asks(); !slices.Equal(got, []string{"user", "password", "code"}) || attribute(page.field("user"), "value") != "li" {
			t.Errorf("%s the page asks for %q, want everything at once", name, got)
		}
		all := visited.post("/sign-in", url.Values{"user": {"li"}, "password": {"correct"}, "code": {"123456"}})
		if all.StatusCode != http.StatusSeeOther {
			t.Errorf("%s, with everything at once: %d", name, all.StatusCode)
		}
	}
	for _, made := range []string{"x", "AAAA", strings.Repeat("A", 200)} {
		if page := v.post("/sign-in", url.Values{"step": {made}, "code": {"123456"}}); page.StatusCode != http.StatusUnauthorized {
			t.Errorf("a step that nobody sealed: %d", page.StatusCode)
		}
	}
}

func TestTooManyTriesSayHowLong(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration][2]string{
		59500 * time.Millisecond: {"60", "密码错误次数过多，请 60 秒后再试。"},
		15 * time.Minute:         {"900", "密码错误次数过多，请 15 分钟后再试。"},
		91 * time.Second:         {"91", "密码错误次数过多，请 2 分钟后再试。"},
	} {
		v := newVisit(t)
		refusal := desk.Refuse(desk.ResourceExhausted, "TOO_MANY_ATTEMPTS", "too many")
		refusal.Wait = wait
		v.people.err = refusal
		response := v.post("/sign-in", url.Values{"user": {"li"}, "password": {"correct"}})
		if got := response.Header.Get("Retry-After"); got != want[0] {
			t.Errorf("Retry-After is %q after %v, want %s", got, wait, want[0])
		}
		if got := v.parse(response, http.StatusTooManyRequests).banners(); !slices.Equal(got, []string{want[1]}) {
			t.Errorf("the page says %q, want %q", got, want[1])
		}
	}
}

func TestAPasswordOfSomebodyElseIsReplacedFirst(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.people.must = true
	page := v.page("/")
	if got := page.asks(); !slices.Equal(got, []string{"current", "password", "again"}) || len(page.all("table", "")) != 0 {
		t.Errorf("the page asks for %q, want another password and nothing else", got)
	}
	if strings.Contains(page.source, "http-equiv") {
		t.Error("the page reloads while somebody types")
	}
	form := url.Values{"current": {"correct"}, "password": {"another one"}, "again": {"another one"}}
	done := v.post("/password", form)
	if cookie := done.Cookies()[0]; cookie.Name != "tierdesk_330106" || cookie.MaxAge >= 0 {
		t.Errorf("the session that has ended stays in the browser: %v", cookie)
	}
	if got := v.parse(done, http.StatusOK); !slices.Equal(got.banners(), []string{"新密码已生效，请用新密码登录。"}) ||
		attribute(got.field("user"), "value") != "li" {
		t.Errorf("after that the page says %q", got.banners())
	}
	if v.people.password != "another one" {
		t.Errorf("the password is now %q", v.people.password)
	}
}

func TestPasswordsThatAreNotTaken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		form   url.Values
		err    error
		status int
		want   string
	}{
		"two that differ": {url.Values{"current": {"correct"}, "password": {"another one"}, "again": {"another two"}}, nil,
			http.StatusBadRequest, "两次输入的新密码不一致，请重新输入。"},
		"a wrong one so far": {url.Values{"current": {"wrong"}}, nil, http.StatusUnauthorized, "当前密码不正确，请重新输入。"},
		"a short one": {url.Values{"current": {"correct"}}, desk.RefuseField("password", "is too short"),
			http.StatusBadRequest, "新密码不符合要求：至少 8 个字符，且不能与当前密码相同。"},
		"one that a directory keeps": {url.Values{"current": {"correct"}}, desk.Refuse(desk.FailedPrecondition, "NOT_LOCAL", "elsewhere"),
			http.StatusConflict, "您的密码由单位的目录服务管理，请在那里修改。"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVisit(t)
			v.people.setErr = c.err
			if got := v.parse(v.post("/password", c.form), c.status).banners(); !slices.Equal(got, []string{c.want}) {
				t.Errorf("the page says %q, want %q", got, c.want)
			}
		})
	}
}

// After a wrong password the address bar shows /sign-in; whoever asks for that page again gets the form.
func TestTheAddressOfTheFormLeadsHome(t *testing.T) {
	t.Parallel()
	got := newVisit(t).do(httptest.NewRequest(http.MethodGet, "/sign-in?lang=en", nil), false)
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/?lang=en" {
		t.Errorf("GET /sign-in: %d to %q; want 303 to the first page in the same language", got.StatusCode, got.Header.Get("Location"))
	}
}

func TestPasswordsAreForThoseWhoAreSignedIn(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	if got := v.parse(v.do(httptest.NewRequest(http.MethodGet, "/password", nil), false), http.StatusOK).asks(); !slices.Equal(got, []string{"user", "password"}) {
		t.Errorf("a stranger is asked for %q", got)
	}
	r := httptest.NewRequest(http.MethodPost, "/password", strings.NewReader("current=correct&password=another+one&again=another+one"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if got := v.do(r, false); v.people.password != "" || got.StatusCode != http.StatusOK {
		t.Errorf("a stranger sets a password: %d, %q", got.StatusCode, v.people.password)
	}
	if got := v.post("/password", url.Values{"current": {"correct"}}, "Sec-Fetch-Site", "cross-site"); got.StatusCode != http.StatusForbidden {
		t.Errorf("another site's form sets a password: %d", got.StatusCode)
	}
}

func TestWhoMayNotSeeTheSiteSeesTicketsAlone(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.people.role = requester
	page := v.page("/")
	if len(page.all("table", "")) != 1 || len(page.all("table", "tickets")) != 1 || len(page.banners()) != 0 {
		t.Errorf("a requester sees %d tables and is told %q, want the tickets alone", len(page.all("table", "")), page.banners())
	}
	if v.desk.asker.GetUser() != "li" {
		t.Errorf("the tickets shown are those of %q", v.desk.asker.GetUser())
	}
}
