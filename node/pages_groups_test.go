package node

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// groupOffice is an office with two agents and a group that somebody wrote with remarks around it.
func groupOffice(t *testing.T) (n *Node, admin *visitor) {
	t.Helper()
	n = start(t, configuration(t, "n1"))
	awaitReady(t, n)
	admin = following(signedIn(t, n, "admin", password))
	for user, name := range map[string]string{"zhang": "张敏", "chen": "陈洁", "luo": "罗海"} {
		form := url.Values{"name": {user}, "displayName": {name}, "role": {"AGENT"}, "scope": {"SITE"}, "password": {"made up by admin"}, "again": {"made up by admin"}, "keep": {"yes"}}
		if status, page := admin.send("/admin/new/person", form); status != http.StatusOK {
			t.Fatalf("making the account of %s: %d %s", name, status, page)
		}
	}
	applies(t, admin, officeText)
	return n, admin
}

const officeText = `# 西湖区
groups:
  # 服务台
  - name: desk
    title: 服务台
    members: [zhang] # 组长在前
    method: round_robin

# 派单
dispatch:
  - {name: all, group: desk}
`

// applies puts a text into force.
func applies(t *testing.T, admin *visitor, source string) {
	t.Helper()
	if status, page := admin.send("/admin/policy/apply", url.Values{"source": {source}}); status != http.StatusOK || !strings.Contains(page, "制度已生效") {
		t.Fatalf("applying a policy: %d %s", status, page)
	}
}

// ownText is the site's own layer as it holds.
func ownText(t *testing.T, admin *visitor) string {
	t.Helper()
	status, text := admin.get("/admin/policy/yaml?layer=own")
	if status != http.StatusOK {
		t.Fatalf("the own layer: %d %s", status, text)
	}
	return text
}

// overOf is the version over which the form of a page writes.
func overOf(page string) string { return between(page, `name="over" value="`, `"`) }

// confirm sends a form to be checked and then to be applied, as somebody does who looks at what changes in between.
func confirm(t *testing.T, admin *visitor, path string, form url.Values, says ...string) {
	t.Helper()
	form.Set("do", "check")
	status, page := admin.send(path, form)
	if status != http.StatusOK {
		t.Fatalf("checking a form of %s: %d %s", path, status, page)
	}
	for _, want := range says {
		if !strings.Contains(page, want) {
			t.Errorf("what changes at %s lacks %q: %s", path, want, between(page, `<main`, `</main>`))
		}
	}
	form.Set("do", "apply")
	form.Set("over", overOf(page))
	if status, page := admin.send(path, form); status != http.StatusOK || !strings.Contains(page, "制度已生效") {
		t.Fatalf("applying a form of %s: %d %s", path, status, between(page, `<main`, `</main>`))
	}
}

// TestGroupsAreKeptByForms changes groups as a browser without scripts does.
func TestGroupsAreKeptByForms(t *testing.T) {
	n, admin := groupOffice(t)
	t.Run("a new colleague joins", func(t *testing.T) { colleagueJoins(t, admin) })
	t.Run("what is wrong stands beside its input, and what was typed stays", func(t *testing.T) { wrongGroups(t, admin) })
	t.Run("somebody else was quicker", func(t *testing.T) { quickerGroups(t, admin) })
	t.Run("a new group", func(t *testing.T) {
		form := url.Values{"zh": {"网络组"}, "en": {"Network"}, "name": {"net"}, "add": {"陈洁", "luo", ""}, "manager": {"罗海"}, "lines": {"FIRST", "SECOND"},
			"method": {"LEAST_LOADED"}, "accept": {"15"}}
		confirm(t, admin, "/admin/new/group", form, "新建处理组“网络组”（net）", "加入：陈洁、罗海")
		for _, want := range []string{"- name: net", "title: {zh: 网络组, en: Network}", "members: [chen, luo]", "manager: luo", "lines: [first, second]", "method: least_loaded", "accept_within: 15m"} {
			if got := ownText(t, admin); !strings.Contains(got, want) {
				t.Errorf("the text lacks %q:\n%s", want, got)
			}
		}
		if _, page := admin.get("/admin/groups"); !strings.Contains(page, "陈洁、罗海") || !strings.Contains(page, "最少在办优先") {
			t.Errorf("the list does not show the group: %s", page)
		}
	})
	t.Run("removing says what it means", func(t *testing.T) { removeGroups(t, admin) })
	t.Run("others only read", func(t *testing.T) {
		zhang := following(signedIn(t, n, "zhang", "made up by admin"))
		status, page := zhang.get("/admin/groups/desk")
		if status != http.StatusOK || strings.Contains(page, `name="members"`) || !strings.Contains(page, "张敏") {
			t.Errorf("an agent at a group: %d %s", status, page)
		}
		for _, path := range []string{"/admin/groups/desk", "/admin/new/group", "/admin/groups/desk/remove", "/admin/new/roster"} {
			if status, _ := zhang.send(path, url.Values{"do": {"apply"}, "zh": {"x"}}); status != http.StatusForbidden {
				t.Errorf("an agent changes %s: %d", path, status)
			}
		}
	})
}

func colleagueJoins(t *testing.T, admin *visitor) {
	_, page := admin.get("/admin/groups/desk")
	if !strings.Contains(page, `<option value="陈洁">`) || !strings.Contains(page, `value="zhang" checked`) {
		t.Fatalf("the form offers neither members nor colleagues: %s", page)
	}
	form := url.Values{"zh": {"服务台"}, "members": {"zhang"}, "add": {"陈洁"}, "method": {"ROUND_ROBIN"}, "over": {overOf(page)}}
	confirm(t, admin, "/admin/groups/desk", form, "加入：陈洁", `class="added"`)
	if want := strings.Replace(officeText, "[zhang] #", "[zhang, chen] #", 1); ownText(t, admin) != want {
		t.Errorf("the text is\n%s\nwant\n%s", ownText(t, admin), want)
	}
	form.Set("do", "check")
	form["members"], form["add"] = []string{"zhang", "chen"}, nil
	if _, page := admin.send("/admin/groups/desk", form); !strings.Contains(page, "没有变化") || strings.Contains(page, `value="apply"`) {
		t.Errorf("the same once more changes something: %s", page)
	}
}

func wrongGroups(t *testing.T, admin *visitor) {
	for field, c := range map[string]struct{ value, says string }{
		"add": {"王五", "“王五”不是本站点的人员"}, "manager": {"赵六", "“赵六”不是本站点的人员"}, "accept": {"soon", "“soon”不是"}, "zh": {"", "请填写名称"},
		"name": {"desk", "已有标识为“desk”的一项"}, "roster": {"gone", "gone"},
	} {
		form := url.Values{"zh": {"机房组"}, "name": {"room"}, "add": {"罗海"}, "en": {"Room"}}
		form.Set(field, c.value)
		status, page := admin.send("/admin/new/group", form)
		if status != http.StatusBadRequest || !strings.Contains(page, c.says) || !strings.Contains(page, "field-problem") || !strings.Contains(page, `value="Room"`) {
			t.Errorf("%s=%q: %d %s", field, c.value, status, between(page, "<main", "</main>"))
		}
	}
	form := url.Values{"zh": {"机房组"}, "add": {"nobody", "", ""}, "do": {"more"}}
	if status, page := admin.send("/admin/new/group", form); status != http.StatusOK || strings.Count(page, `name="add"`) < 4 || !strings.Contains(page, `value="nobody"`) {
		t.Errorf("asking for more places: %d %s", status, between(page, "<main", "</main>"))
	}
	if status, _ := admin.get("/admin/groups/none"); status != http.StatusNotFound {
		t.Errorf("a group that is not there: %d", status)
	}
}

// quickerGroups changes the policy between what somebody was shown and what that person confirms.
func quickerGroups(t *testing.T, admin *visitor) {
	form := url.Values{"zh": {"服务台"}, "members": {"zhang", "chen"}, "add": {"罗海"}, "method": {"ROUND_ROBIN"}}
	_, page := admin.send("/admin/groups/desk", form)
	form.Set("over", overOf(page))
	applies(t, admin, ownText(t, admin)+"\nurging: {cool_down: 7m}\n")
	form.Set("do", "apply")
	status, page := admin.send("/admin/groups/desk", form)
	if status != http.StatusConflict || !strings.Contains(page, "修改了本站点的制度") || !strings.Contains(page, "加入：罗海") {
		t.Fatalf("confirming over another version: %d %s", status, between(page, "<main", "</main>"))
	}
	if text := ownText(t, admin); strings.Contains(text, "luo") {
		t.Fatalf("it was applied all the same:\n%s", text)
	}
	form.Set("over", overOf(page))
	if status, _ := admin.send("/admin/groups/desk", form); status != http.StatusOK {
		t.Fatalf("confirming what was shown anew: %d", status)
	}
	if text := ownText(t, admin); !strings.Contains(text, "[zhang, chen, luo] # 组长在前") || !strings.Contains(text, "cool_down: 7m") {
		t.Errorf("something was lost:\n%s", text)
	}

	stale := url.Values{"source": {"# mine\n"}, "over": {form.Get("over")}}
	status, page = admin.send("/admin/policy/apply", stale)
	if status != http.StatusConflict || !strings.Contains(page, "修改了本站点的制度") || !strings.Contains(page, "# mine") || !strings.Contains(page, `class="taken"`) {
		t.Errorf("a text over another version: %d %s", status, between(page, "<main", "</main>"))
	}
}

func removeGroups(t *testing.T, admin *visitor) {
	status, page := admin.get("/admin/groups/desk/remove")
	if status != http.StatusOK || !strings.Contains(page, "仍有派单规则指向此组：all") || !strings.Contains(page, "dispatch[0].group") || strings.Contains(page, `value="apply"`) {
		t.Errorf("a group that a rule names can be removed: %d %s", status, between(page, "<main", "</main>"))
	}
	_, page = admin.get("/admin/groups/net/remove")
	if !strings.Contains(page, "该组的 2 名成员不再属于此组") || !strings.Contains(page, `value="apply"`) {
		t.Fatalf("removing does not say what it means: %s", between(page, "<main", "</main>"))
	}
	if status, page := admin.send("/admin/groups/net/remove", url.Values{"do": {"apply"}, "over": {overOf(page)}}); status != http.StatusOK || !strings.Contains(page, "制度已生效") {
		t.Errorf("removing: %d %s", status, page)
	}
	if text := ownText(t, admin); strings.Contains(text, "net") || !strings.Contains(text, "# 服务台") {
		t.Errorf("without the group the text is\n%s", text)
	}
	if status, _ := admin.get("/admin/groups/net/remove"); status != http.StatusNotFound {
		t.Errorf("removing what is not there: %d", status)
	}
}
