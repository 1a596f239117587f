package node

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestRostersAreKeptByForms changes rosters as a browser without scripts does.
func TestRostersAreKeptByForms(t *testing.T) {
	_, admin := groupOffice(t)
	night := func() url.Values {
		return url.Values{
			"zh": {"机房班表"}, "name": {"room"}, "calendar": {"office"}, "shifts": {"2"},
			"s0.days": {"1", "2", "3", "4", "5"}, "s0.from": {"8：30"}, "s0.to": {"1800"}, "s0.people": {"张敏", ""},
			"s1.days": {"1", "2", "3", "4", "5", "6", "7"}, "s1.from": {"18:00"}, "s1.to": {"08:30"}, "s1.people": {"陈洁", "luo"},
			"s1.turns": {"yes"}, "s1.monday": {"2026-11-30"},
		}
	}
	t.Run("a night shift with turns by week", func(t *testing.T) {
		confirm(t, admin, "/admin/new/roster", night(), "周一至周五 08:30–18:00 张敏", "每天 18:00–次日 08:30 陈洁、罗海（自 2026-11-30 起逐周轮换）")
		text := ownText(t, admin)
		for _, want := range []string{"days: [mon, tue, wed, thu, fri]", "people: [chen, luo], turns_from: 2026-11-30", "calendar: office", "# 派单"} {
			if !strings.Contains(text, want) {
				t.Errorf("the text lacks %q:\n%s", want, text)
			}
		}
		_, page := admin.get("/admin/rosters/room")
		if days := strings.Count(page, `<th scope="row">`); days != 14 || !strings.Contains(page, "18:00–次日 08:30") {
			t.Errorf("it is shown who is on duty on %d days, want 14: %s", days, between(page, "<main", "</main>"))
		}
	})
	t.Run("shifts come and go by buttons", func(t *testing.T) { shiftButtons(t, admin, night()) })
	t.Run("what is wrong stands beside its input", func(t *testing.T) {
		for field, c := range map[string]struct{ value, says string }{
			"s1.from": {"25:00", "“25:00”不是时刻"}, "s1.to": {"18:00", "开始与结束不能相同"}, "s1.people": {"王五", "“王五”不是本站点的人员"},
			"s1.monday": {"2026-12-02", "2026-12-02 不是星期一；可选 2026-11-30 或 2026-12-07"}, "s0.days": {"9", "请至少选一天"}, "zh": {"", "请填写名称"},
			"calendar": {"none", "none"}, "name": {"a/b", "标识不能"},
		} {
			form := night()
			form.Set("en", "Machine room")
			if field != "name" {
				form.Set("name", "other")
			}
			form.Set(field, c.value)
			status, page := admin.send("/admin/new/roster", form)
			if status != http.StatusBadRequest || !strings.Contains(page, c.says) || !strings.Contains(page, `value="Machine room"`) || !strings.Contains(page, "field-problem") {
				t.Errorf("%s=%q: %d %s", field, c.value, status, between(page, "<main", "</main>"))
			}
		}
	})
	t.Run("a roster that a group follows stays", func(t *testing.T) {
		confirm(t, admin, "/admin/groups/desk", url.Values{"zh": {"服务台"}, "members": {"zhang"}, "method": {"ROUND_ROBIN"}, "roster": {"room"}}, "值班表：无 → 机房班表")
		status, page := admin.get("/admin/rosters/room/remove")
		if status != http.StatusOK || !strings.Contains(page, "仍有处理组选用此值班表：服务台。") || strings.Contains(page, `value="apply"`) {
			t.Errorf("removing: %d %s", status, between(page, "<main", "</main>"))
		}
	})
}

// shiftButtons adds a shift, makes room for people, and takes a shift away; what was typed stays, and nothing is complained about yet.
func shiftButtons(t *testing.T, admin *visitor, form url.Values) {
	before := ownText(t, admin)
	form.Set("do", "add")
	form.Set("s0.from", "half past")
	status, page := admin.send("/admin/rosters/room", form)
	if status != http.StatusOK || !strings.Contains(page, "第 3 班") || !strings.Contains(page, `value="half past"`) || strings.Contains(page, "field-problem") {
		t.Errorf("a shift more: %d %s", status, between(page, "<main", "</main>"))
	}
	form.Set("do", "more-1")
	if _, page := admin.send("/admin/rosters/room", form); strings.Count(page, `name="s1.people"`) < 5 || !strings.Contains(page, `value="陈洁"`) {
		t.Errorf("room for more people: %s", between(page, "<main", "</main>"))
	}
	form.Set("do", "drop-0")
	if _, page := admin.send("/admin/rosters/room", form); strings.Contains(page, "第 2 班") || !strings.Contains(page, `name="s0.people" class="form-control" value="陈洁"`) {
		t.Errorf("a shift less: %s", between(page, "<main", "</main>"))
	}
	if text := ownText(t, admin); text != before {
		t.Errorf("a button has changed the policy:\n%s", text)
	}
}
