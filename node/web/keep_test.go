package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// stranger sends a form without a session.
func (v *visit) stranger(target string, form url.Values, headers ...string) *http.Response {
	v.t.Helper()
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return v.do(r, false)
}

// TestAFormOutlivesItsSession signs somebody out in the middle of a form, and in again with a second factor.
func TestAFormOutlivesItsSession(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.people.code = "123456"
	typed := url.Values{"title": {"夜间备份 <1>"}, "limit.tickets": {"read"}, "limit.audit": {"read"}, "password": {"not shown again"}}
	asked := v.parse(v.stranger("/me/tokens?lang=zh", typed), http.StatusUnauthorized)
	if got := asked.banners(); len(got) != 1 || !strings.Contains(got[0], "已为您保留") {
		t.Fatalf("who was signed out is told %q", got)
	}
	for _, secret := range []string{"夜间备份", "not shown again"} {
		if strings.Contains(asked.source, secret) {
			t.Errorf("before anybody has signed in the page shows %q", secret)
		}
	}
	kept := attribute(asked.field("kept"), "value")
	wrong := v.parse(v.post("/sign-in", url.Values{"user": {"li"}, "password": {"wrong"}, "kept": {kept}}), http.StatusUnauthorized)
	second := v.parse(v.post("/sign-in", url.Values{"user": {"li"}, "password": {"correct"}, "kept": {attribute(wrong.field("kept"), "value")}}), http.StatusUnauthorized)
	resumed := v.parse(v.post("/sign-in", url.Values{
		"step": {attribute(second.field("step"), "value")}, "code": {"123456"}, "kept": {attribute(second.field("kept"), "value")},
	}), http.StatusOK)
	got := url.Values{}
	for _, input := range resumed.inputs() {
		got.Add(attribute(input, "name"), attribute(input, "value"))
	}
	typed.Del("password")
	if got.Encode() != typed.Encode() {
		t.Errorf("the form that is offered again has %v, want %v", got, typed)
	}
	if action := attribute(resumed.all("form", "sign-in")[0], "action"); action != "/me/tokens?lang=zh" {
		t.Errorf("it goes to %q", action)
	}
	v.now = v.now.Add(keptLife + time.Second)
	v.people.code = ""
	late := v.post("/sign-in", url.Values{"user": {"li"}, "password": {"correct"}, "kept": {kept}})
	if late.StatusCode != http.StatusSeeOther || late.Header.Get("Location") != "/" {
		t.Errorf("a form that was kept for too long: %d to %q", late.StatusCode, late.Header.Get("Location"))
	}
}

// TestNothingElseOpensAKeptForm gives one use's sealed text to the other one, and a form that is too long to the page.
func TestNothingElseOpensAKeptForm(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	step := v.pages.steps.seal(credentials{User: "li", Password: "correct"}, v.now)
	if kept, ok := v.pages.steps.openForm(step, v.now); ok {
		t.Errorf("a first step opens as the form %v", kept)
	}
	form := v.pages.steps.sealForm(keptForm{Path: "/desk/new", Values: url.Values{}}, v.now)
	if c, ok := v.pages.steps.open(form, v.now); ok {
		t.Errorf("a form opens as the first step %v", c)
	}
	long := v.parse(v.stranger("/me/tokens", url.Values{"title": {strings.Repeat("长", maxKept/3+1)}}), http.StatusUnauthorized)
	if long.field("kept") != nil || long.field("user") == nil {
		t.Error("a form that is too long is kept, or nobody is asked to sign in")
	}
}

// TestAPageWithSomethingTypedStays has a script of a page whose session has ended ask for a part, and send a form.
func TestAPageWithSomethingTypedStays(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	get := httptest.NewRequest(http.MethodGet, "/me", nil)
	get.Header.Set("HX-Request", "true")
	get.Header.Set("HX-Current-URL", "http://example.com/desk/new")
	for name, answer := range map[string]*http.Response{
		"a part": v.do(get, false), "a form": v.stranger("/me/tokens", nil, "HX-Request", "true", "HX-Current-URL", "http://example.com/desk/new"),
	} {
		if answer.Header.Get("HX-Redirect") != "" || answer.Header.Get("HX-Retarget") != "#messages" {
			t.Errorf("%s leads the page away: %v", name, answer.Header)
		}
		told := v.parse(answer, http.StatusUnauthorized)
		if links := told.all("a", ""); len(links) != 1 || attribute(links[0], "href") != "/sign-in?to=%2Fdesk%2Fnew" || attribute(links[0], "target") != "_blank" {
			t.Errorf("%s says %s", name, told.source)
		}
	}
}
