package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// inputs are those of the page itself, without the ones at its head.
func (d *document) inputs() (found []*html.Node) {
	for _, main := range d.all("main", "") {
		found = append(found, elements(main, "input", "")...)
	}
	return found
}

// field returns the input of a name; nil when the form does not ask for it.
func (d *document) field(name string) *html.Node {
	for _, input := range d.inputs() {
		if attribute(input, "name") == name {
			return input
		}
	}
	return nil
}

// asks lists the visible fields of the form.
func (d *document) asks() []string {
	var names []string
	for _, input := range d.inputs() {
		if attribute(input, "type") != "hidden" && attribute(input, "aria-hidden") != "true" {
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

// unread is a body that must not be read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("what a stranger sends along is read")
	return 0, io.EOF
}

// A stranger could fill the memory and the disk otherwise.
func TestAFormIsNotReadWhereNoneIsAskedFor(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	r := httptest.NewRequest(http.MethodGet, "/sign-in?to=/desk", unread{t})
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	asked := v.parse(v.do(r, false), http.StatusOK)
	if to := asked.field("to"); to == nil || attribute(to, "value") != "/desk" {
		t.Error("the page for signing in does not know where to go on")
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
	if got := page.asks(); !slices.Equal(got, []string{"current", "password", "again"}) || len(page.all("nav", "")) != 0 {
		t.Errorf("the page asks for %q and has %d navigations, want another password and nothing else", got, len(page.all("nav", "")))
	}
	if page.refresh() != "" {
		t.Error("the page reloads while somebody types")
	}
	if got := v.do(httptest.NewRequest(http.MethodGet, "/desk", nil), true); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/password" {
		t.Errorf("another page is answered %d to %q, want the password first", got.StatusCode, got.Header.Get("Location"))
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

// TestThePageForAnotherPasswordStays holds the page of those who have to set another password first to ask for no part of itself: every
// part would lead to this page again, which then would load itself for ever.
func TestThePageForAnotherPasswordStays(t *testing.T) {
	t.Parallel()
	for _, role := range []deskpb.User_Role{deskpb.User_AGENT, deskpb.User_REQUESTER} {
		v := newVisit(t)
		v.people.role = role
		if !v.page("/password").asksAgain() {
			t.Errorf("%v: the page asks for no part of itself when everything is well; this test finds nothing", role)
		}
		v.people.must = true
		if v.page("/password").asksAgain() {
			t.Errorf("%v: the page for another password asks for parts of itself", role)
		}
	}
}

// asksAgain tells whether the page asks the server for something by itself, as a part of it or as a stream.
func (d *document) asksAgain() bool {
	for node := range d.root.Descendants() {
		if attribute(node, "hx-get") != "" || strings.HasSuffix(attribute(node, "src"), "/live.js") {
			return true
		}
	}
	return false
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

// After a wrong password the address bar shows /sign-in; whoever asks for that page again with a session goes on.
func TestTheAddressOfTheFormLeadsOn(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/sign-in": "/", "/sign-in?to=%2Ft%2F7%3Ftab%3Dfiles": "/t/7?tab=files", "/sign-in?to=https://evil.example/": "/", "/sign-in?to=//evil.example": "/",
	} {
		got := newVisit(t).do(httptest.NewRequest(http.MethodGet, target, nil), true)
		if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != want {
			t.Errorf("GET %s: %d to %q, want 303 to %q", target, got.StatusCode, got.Header.Get("Location"), want)
		}
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
