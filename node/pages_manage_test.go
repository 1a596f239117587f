package node

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// TestAdministrationWorksByForms walks through the pages of administration and of one's own account as a browser without scripts does.
func TestAdministrationWorksByForms(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	admin := following(signedIn(t, n, "admin", password))
	t.Run("every page is whole in both languages", func(t *testing.T) { everyPage(t, admin) })
	t.Run("people", func(t *testing.T) { managePeople(t, n, admin) })
	t.Run("policy", func(t *testing.T) { managePolicy(t, admin) })
	t.Run("deeds are confirmed", func(t *testing.T) { confirmDeeds(t, admin) })
	t.Run("the own account", func(t *testing.T) { manageOneself(t, n, admin) })
}

// following is a browser that goes where answers lead it.
func following(v *visitor) *visitor {
	v.http.CheckRedirect = nil
	return v
}

// rawWord is a key of a word that stands on a page in place of its text.
var rawWord = regexp.MustCompile(`[>"](admin|me)\.[a-zA-Z.-]+[<"]`)

func everyPage(t *testing.T, admin *visitor) {
	for _, path := range []string{
		"/admin", "/admin/site", "/admin/site/diagnosis", "/admin/site/transfer", "/admin/site/retry", "/admin/site/nodes/n9/remove", "/admin/tree",
		"/admin/people", "/admin/people?q=adm&role=ADMINISTRATOR", "/admin/new/person", "/admin/people/admin", "/admin/people/admin/sign-out",
		"/admin/people/admin/second-factor", "/admin/people/admin/delete", "/admin/duty", "/admin/groups", "/admin/new/group", "/admin/rosters", "/admin/new/roster", "/admin/policy", "/admin/policy/edit", "/admin/policy/history",
		"/admin/policy/calendars/office", "/admin/policy/calendars/office?month=2026-10", "/admin/publications", "/admin/backups", "/admin/audit",
		"/admin/audit?actor=admin&action=session.create&outcome=DONE&from=2020-01-01&to=2099-01-01", "/admin/audit/verify", "/admin/audit/checkpoints",
		"/me", "/me/sessions", "/me/sessions/end-others", "/me/tokens", "/me/second-factor",
	} {
		for _, lang := range []string{"zh", "en"} {
			to := path + "?lang=" + lang
			if strings.Contains(path, "?") {
				to = path + "&lang=" + lang
			}
			status, page := admin.get(to)
			if status != http.StatusOK || !strings.Contains(page, "</html>") {
				t.Errorf("%s: %d, and the page ends with %q", to, status, page[max(0, len(page)-200):])
			}
			if found := rawWord.FindString(page); found != "" {
				t.Errorf("%s shows %s in place of a word", to, found)
			}
		}
	}
	for path, want := range map[string]int{
		"/admin/people/nobody": http.StatusNotFound, "/admin/policy/calendars/none": http.StatusNotFound, "/admin/tree/999999/move": http.StatusNotFound,
		"/admin/publications/330106/notice/none": http.StatusNotFound, "/admin/audit/verify?from=x": http.StatusBadRequest,
	} {
		if status, _ := admin.get(path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	admin.get("/me?lang=zh")
}

func managePeople(t *testing.T, n *Node, admin *visitor) {
	form := url.Values{
		"name": {"wang"}, "displayName": {"王工"}, "role": {"AGENT"}, "scope": {"GROUPS"}, "phone": {"no number"}, "lines": {"FIRST"},
		"password": {"made up by admin"}, "again": {"made up by admin"}, "keep": {"yes"},
	}
	status, page := admin.send("/admin/new/person", form)
	if status != http.StatusBadRequest || !strings.Contains(page, `value="王工"`) || !strings.Contains(page, "field-problem") {
		t.Fatalf("a wrong telephone number: %d %s", status, page)
	}
	form.Set("phone", "0571-8888")
	if status, page := admin.send("/admin/new/person", form); status != http.StatusOK || !strings.Contains(page, "账号已建立") {
		t.Fatalf("making an account: %d %s", status, page)
	}
	wang := following(signedIn(t, n, "wang", "made up by admin"))
	for path, want := range map[string]int{"/admin/people": http.StatusForbidden, "/admin/new/person": http.StatusForbidden,
		"/admin/site/transfer": http.StatusForbidden, "/admin/audit": http.StatusForbidden, "/admin/site": http.StatusOK, "/admin/policy": http.StatusOK} {
		if status, _ := wang.get(path); status != want {
			t.Errorf("an agent at %s: %d, want %d", path, status, want)
		}
	}
	if status, _ := wang.send("/admin/people/admin/delete", url.Values{"type": {"admin"}}); status != http.StatusForbidden {
		t.Errorf("an agent deletes the administrator: %d", status)
	}
	change := url.Values{"displayName": {"王科长"}, "role": {"DISPATCHER"}, "scope": {"SITE"}, "phone": {"0571-8888"}}
	if _, page := admin.send("/admin/people/wang", change); !strings.Contains(page, "资料已保存") || !strings.Contains(page, "王科长") || !strings.Contains(page, "派单岗") {
		t.Errorf("after a change the page says %s", page)
	}
	stale := url.Values{"displayName": {"老王"}, "role": {"AGENT"}, "etag": {"of yesterday"}}
	if status, page := admin.send("/admin/people/wang", stale); status != http.StatusConflict || !strings.Contains(page, `value="老王"`) {
		t.Errorf("a change over somebody else's: %d, want 409 with what was typed", status)
	}
	disableAndEnable(t, n, admin)
	if status, page := admin.send("/admin/people/wang/delete", url.Values{"type": {"wnag"}}); status != http.StatusBadRequest || !strings.Contains(page, "尚未执行任何操作") {
		t.Errorf("a name that is mistyped deletes: %d %s", status, page)
	}
	if status, _ := admin.get("/admin/people/wang"); status != http.StatusOK {
		t.Errorf("after a mistyped name the account is gone: %d", status)
	}
	if _, page := admin.send("/admin/people/wang/delete", url.Values{"type": {"wang"}}); !strings.Contains(page, "账号已删除") {
		t.Errorf("deleting says %s", page)
	}
	if status, _ := admin.get("/admin/people/wang"); status != http.StatusNotFound {
		t.Errorf("the deleted account is there: %d", status)
	}
	if status, page := admin.send("/admin/people/admin/delete", url.Values{"type": {"admin"}}); status != http.StatusConflict || !strings.Contains(page, "field-problem") {
		t.Errorf("the last administrator is deleted: %d", status)
	}
}

// disableAndEnable keeps wang out and lets wang in again; what is asked before says what it means.
func disableAndEnable(t *testing.T, n *Node, admin *visitor) {
	wang := following(signedIn(t, n, "wang", "made up by admin"))
	_, page := admin.get("/admin/people/wang")
	end := regexp.MustCompile(`/admin/people/wang/sessions/[^/"]+/end`).FindString(page)
	if _, page := admin.get(end); end == "" || !strings.Contains(page, "其他设备上的登录不受影响") {
		t.Errorf("ending a session at %q does not say what it means: %s", end, page)
	}
	if status, _ := admin.get("/admin/people/wang/tokens/none/end"); status != http.StatusNotFound {
		t.Errorf("ending a token that is not there: %d", status)
	}
	if _, page := admin.get("/admin/people/wang/disable"); !strings.Contains(page, "名下没有未办结的工单") {
		t.Errorf("disabling does not say what it means: %s", page)
	}
	if _, page := admin.send("/admin/people/wang/disable", nil); !strings.Contains(page, "账号已停用") || !strings.Contains(page, "重新启用") {
		t.Errorf("disabling says %s", page)
	}
	if _, page := wang.get("/me"); !strings.Contains(page, `action="/sign-in"`) {
		t.Errorf("a disabled account is still signed in: %.200s", page)
	}
	change := url.Values{"displayName": {"王科长"}, "role": {"DISPATCHER"}, "scope": {"SITE"}, "phone": {"0571-8888"}}
	if _, page := admin.send("/admin/people/wang", change); !strings.Contains(page, "账号已停用，不能登录") {
		t.Error("a change of the account has enabled it")
	}
	if _, page := admin.send("/admin/people/wang/enable", nil); !strings.Contains(page, "账号已重新启用") {
		t.Errorf("enabling says %s", page)
	}
	signedIn(t, n, "wang", "made up by admin")
	if status, page := admin.get("/admin/people?q=0571%208888&role=DISPATCHER"); status != http.StatusOK || !strings.Contains(page, "王科长") || strings.Contains(page, "/admin/people/admin") {
		t.Errorf("a search by telephone number and role: %d %s", status, page)
	}
	if status, page := admin.get("/admin/people?q=" + strings.Repeat("x", 101)); status != http.StatusBadRequest || !strings.Contains(page, "field-problem") {
		t.Errorf("a search that is too long: %d %s", status, page)
	}
}

func managePolicy(t *testing.T, admin *visitor) {
	status, page := admin.send("/admin/policy/edit", url.Values{"source": {"urging:\n  cool_down: 20m\n  nonsense: 1\n"}})
	if status != http.StatusBadRequest || !strings.Contains(page, `data-line="3"`) || !strings.Contains(page, "<code>  nonsense: 1</code>") {
		t.Errorf("a mistake in the third line: %d %s", status, page)
	}
	good := url.Values{"source": {"urging:\n  cool_down: 20m\n"}}
	status, page = admin.send("/admin/policy/edit", good)
	if status != http.StatusOK || !strings.Contains(page, `class="added"`) || !strings.Contains(page, `action="/admin/policy/apply"`) {
		t.Fatalf("a policy that can be applied: %d %s", status, page)
	}
	if _, page := admin.get("/admin/policy/edit"); strings.Contains(page, "20m") {
		t.Error("a check has applied the policy")
	}
	if _, page := admin.send("/admin/policy/apply", good); !strings.Contains(page, "制度已生效") || !strings.Contains(page, "20 分钟") {
		t.Errorf("applying says %s", page)
	}
	if _, page := admin.get("/admin/policy/edit"); !strings.Contains(page, "cool_down: 20m") {
		t.Errorf("the own layer is not the one applied: %s", page)
	}
	if _, page := admin.get("/admin/policy/yaml"); !strings.Contains(page, "calendars:") {
		t.Errorf("the policy as a file is %.200s", page)
	}
	if _, page := admin.get("/admin/audit?action=policy.apply"); !strings.Contains(page, "制度生效") {
		t.Error("the log does not tell of the policy")
	}
}

func confirmDeeds(t *testing.T, admin *visitor) {
	if status, page := admin.send("/admin/site/nodes/n9/remove", url.Values{"type": {"n8"}}); status != http.StatusBadRequest || !strings.Contains(page, "n9") {
		t.Errorf("a node is removed under another name: %d", status)
	}
	if status, page := admin.send("/admin/site/retry", nil); status != http.StatusOK || !strings.Contains(page, "已重新处理") {
		t.Errorf("trying again what was set aside: %d %s", status, page)
	}
	if status, _ := admin.send("/admin/duty", url.Values{"user": {"admin"}, "on": {"yes"}, "hours": {"1000"}}); status != http.StatusBadRequest {
		t.Errorf("duty for a time that is not offered: %d", status)
	}
}

func manageOneself(t *testing.T, n *Node, admin *visitor) {
	if status, page := admin.send("/me/tokens", url.Values{"title": {"backup"}, "days": {"30"}}); status != http.StatusBadRequest || !strings.Contains(page, `value="backup"`) {
		t.Errorf("a token that may do nothing: %d %s", status, page)
	}
	_, page := admin.send("/me/tokens", url.Values{"title": {"backup"}, "days": {"30"}, "limit.tickets": {"read"}})
	secret := between(page, `<pre class="command" tabindex="0"><code>`, "</code>")
	if len(secret) < 20 || !strings.Contains(page, "工单（只读）") {
		t.Fatalf("the token is not shown: %s", page)
	}
	if _, page := admin.get("/me/tokens"); strings.Contains(page, secret) || !strings.Contains(page, "backup") {
		t.Error("the token is shown again, or not listed")
	}
	id := regexp.MustCompile(`/me/tokens/([^/"]+)/end`).FindStringSubmatch(page)
	if _, page := admin.send("/me/tokens/"+id[1]+"/end", nil); !strings.Contains(page, "令牌已作废") {
		t.Errorf("ending the token says %s", page)
	}

	if status, page := admin.send("/me/second-factor/enrol", url.Values{"password": {"wrong"}}); status != http.StatusBadRequest || !strings.Contains(page, "密码不正确") {
		t.Errorf("a second factor under a wrong password: %d", status)
	}
	_, page = admin.send("/me/second-factor/enrol", url.Values{"password": {password}})
	address := strings.ReplaceAll(between(page, `name="address" value="`, `"`), "&amp;", "&")
	if !strings.HasPrefix(address, "otpauth://") || !strings.Contains(page, `src="data:image/png;base64,`) {
		t.Fatalf("the second factor has no picture to scan: %s", page)
	}
	if status, page := admin.send("/me/second-factor/confirm", url.Values{"address": {address}, "code": {"000000"}}); status != http.StatusBadRequest || !strings.Contains(page, "data:image/png") {
		t.Errorf("a wrong code: %d, want the picture again", status)
	}
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	code := codeAt(t, at.Query().Get("secret"), n.clock.Now())
	if _, page := admin.send("/me/second-factor/confirm", url.Values{"address": {address}, "code": {code}}); !strings.Contains(page, "双重验证已启用") {
		t.Errorf("the right code says %s", page)
	}
	if _, page := admin.send("/me/second-factor/remove", url.Values{"password": {password}}); !strings.Contains(page, "双重验证已停用") {
		t.Errorf("removing it says %s", page)
	}
	if status, page := admin.send("/me/sessions/end-others", nil); status != http.StatusOK || !strings.Contains(page, "其他登录已全部结束") {
		t.Errorf("ending all others: %d %s", status, page)
	}
}
