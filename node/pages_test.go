package node

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// visitor is somebody with a browser at a node.
type visitor struct {
	t    *testing.T
	base string
	http *http.Client
}

func visit(t *testing.T, n *Node) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, base: "http://" + n.HTTPAddr(), http: &http.Client{Jar: jar, Timeout: patience}}
}

// send submits a form and returns the page that it ends at.
func (v *visitor) send(path string, form url.Values) (status int, page string) {
	v.t.Helper()
	response, err := v.http.PostForm(v.base+path, form)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// token is the session that the browser keeps.
func (v *visitor) token() string {
	v.t.Helper()
	base, err := url.Parse(v.base)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, cookie := range v.http.Jar.Cookies(base) {
		return cookie.Value
	}
	v.t.Fatal("the browser has no session")
	return ""
}

// call does a call of the JSON API that must succeed.
func (v *visitor) call(path, token string, body map[string]any) (answer map[string]any) {
	v.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		v.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, v.base+path, bytes.NewReader(text))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		v.t.Fatalf("%s: %d %v %v", path, response.StatusCode, answer, err)
	}
	return answer
}

// TestSomebodysFirstDayAtThePages signs somebody in whose password an administrator made up, then with one's own, then with a second
// factor.
func TestSomebodysFirstDayAtThePages(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	admin := visit(t, n)
	if status, page := admin.send("/sign-in", url.Values{"user": {"admin"}, "password": {password}}); status != http.StatusOK || !strings.Contains(page, "我的工单") {
		t.Fatalf("the administrator does not get to work: %d %s", status, page)
	}
	admin.call("/api/v1/users", admin.token(), map[string]any{
		"user": map[string]any{"name": "li", "role": "AGENT"}, "password": "made up by admin",
	})

	li := visit(t, n)
	if _, page := li.send("/sign-in", url.Values{"user": {"li"}, "password": {"made up by admin"}}); !strings.Contains(page, "只有您自己知道的密码") {
		t.Fatalf("a password of somebody else need not be replaced: %s", page)
	}
	short := url.Values{"current": {"made up by admin"}, "password": {"short"}, "again": {"short"}}
	if status, page := li.send("/password", short); status != http.StatusBadRequest || !strings.Contains(page, "新密码不符合要求") {
		t.Errorf("a short password: %d %s", status, page)
	}
	own := url.Values{"current": {"made up by admin"}, "password": {"chosen by li"}, "again": {"chosen by li"}}
	if status, page := li.send("/password", own); status != http.StatusOK || !strings.Contains(page, "新密码已生效") {
		t.Fatalf("setting the own password: %d %s", status, page)
	}
	if status, page := li.send("/sign-in", url.Values{"user": {"li"}, "password": {"made up by admin"}}); status != http.StatusUnauthorized || !strings.Contains(page, "用户名或密码不正确") {
		t.Errorf("the password of before: %d %s", status, page)
	}
	if _, page := li.send("/sign-in", url.Values{"user": {"li"}, "password": {"chosen by li"}}); !strings.Contains(page, "我的工单") {
		t.Fatalf("with the own password: %s", page)
	}

	secret := li.call("/api/v1/users/li:enrolSecondFactor", li.token(), map[string]any{"password": "chosen by li"})["secret"].(string)
	li.call("/api/v1/users/li:confirmSecondFactor", li.token(), map[string]any{"code": codeAt(t, secret, n.clock.Now())})
	status, page := li.send("/sign-in", url.Values{"user": {"li"}, "password": {"chosen by li"}})
	step := regexp.MustCompile(`name="step" value="([^"]+)"`).FindStringSubmatch(page)
	if status != http.StatusUnauthorized || step == nil {
		t.Fatalf("the second factor is not asked for: %d %s", status, page)
	}
	// Each code counts once, and the one of the next half minute already.
	next := codeAt(t, secret, n.clock.Now().Add(30*time.Second))
	if _, page := li.send("/sign-in", url.Values{"step": {step[1]}, "code": {next}}); !strings.Contains(page, "我的工单") {
		t.Errorf("with the second factor: %s", page)
	}
	if status, page := li.send("/sign-in", url.Values{"step": {step[1]}, "code": {next}}); status != http.StatusUnauthorized || !strings.Contains(page, "验证码不正确或已用过") {
		t.Errorf("the same code again: %d %s", status, page)
	}
}

// codeAt is what an app shows at a time.
func codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}
