package node

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestWhatGuestsAreTold looks at the support site as somebody without an account does who has a problem that others have too.
func TestWhatGuestsAreTold(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	admin, guest := visit(t, n), visit(t, n)
	admin.send("/sign-in", url.Values{"user": {"admin"}, "password": {password}})
	call := func(path string, body map[string]any) map[string]any {
		t.Helper()
		return admin.call("/api/v1/tickets"+path, admin.token(), body)
	}
	opened := func(ticket map[string]any) string {
		t.Helper()
		number, _ := call("", map[string]any{"ticket": ticket})["number"].(string)
		return number
	}
	admin.call("/api/v1/policy", admin.token(), map[string]any{
		"source": "applications: [{name: budget, title: 预算一体化}]\nportal: {guests: true, contacts: [{title: 服务台, phone: 0571-85060106}]}\n",
	})
	who := map[string]any{"name": "王丽", "phone": "138 1234 5678"}

	t.Run("a known fault", func(t *testing.T) {
		for _, path := range []string{"/help", "/help/new"} {
			_, _, page := guest.look(path, false)
			mustShow(t, page, "</html>", "已知故障")
		}
		opened(map[string]any{"title": "内部的说法", "application": "budget", "kind": "INCIDENT", "impact": 1, "urgency": 1, "major": true})
		for _, path := range []string{"/help", "/help/new"} {
			_, _, page := guest.look(path, false)
			mustShow(t, page, "已知故障", "内部的说法")
		}
	})

	t.Run("what is wrong is where the page opens", func(t *testing.T) {
		status, _, page := guest.post("/help/new", map[string]string{"request": "w1", "title": "打不开", "phone": "13812345678"}, "", "")
		if status != http.StatusBadRequest {
			t.Errorf("a report without a name is answered %d", status)
		}
		mustShow(t, page, `aria-describedby="name-wrong" autofocus`)
		if got := strings.Count(page, " autofocus"); got != 1 {
			t.Errorf("%d fields want the focus", got)
		}
	})

	t.Run("who finds nothing is told whom to call", func(t *testing.T) {
		_, _, page := guest.post("/help/find", map[string]string{"number": "330106-20260101-9999", "phone": "13900000000"}, "", "")
		mustShow(t, page, `aria-invalid="true"`)
		mustShow(t, page, `href="tel:057185060106"`)
	})

	t.Run("a problem that was merged", func(t *testing.T) {
		first, second := opened(map[string]any{"title": "打印下移", "requester": who}), opened(map[string]any{"title": "也下移", "requester": who})
		call("/"+second+":merge", map[string]any{"into": first})
		_, _, page := guest.post("/help/find", map[string]string{"number": second, "phone": "13812345678"}, "", "")
		mustShow(t, page, "已与同类问题合并", first)
	})

	t.Run("a survey", func(t *testing.T) {
		number := opened(map[string]any{"title": "票据打印错位", "requester": who})
		call("/"+number+":resolve", map[string]any{"resolution": map[string]any{"code": "solved", "text": "已重装驱动"}})
		link, _ := call("/"+number+":survey", map[string]any{})["page"].(string)
		_, _, page := guest.look(link, false)
		mustShow(t, page, "票据打印错位", number)
		status, _, page := guest.post(link, map[string]string{"comment": "来得很快"}, "", "")
		if status != http.StatusBadRequest {
			t.Errorf("an answer without a score is answered %d", status)
		}
		mustShow(t, page, "来得很快")
		_, at, page := guest.post(link, map[string]string{"comment": "来得很快", "score": "4"}, "", "")
		if at != link || strings.Count(page, `class="given"`) != 4 {
			t.Errorf("four stars end at %s with %d of them", at, strings.Count(page, `class="given"`))
		}
		mustShow(t, page, "感谢您的评价")
		if status, _, page := guest.look("/help/s/x", false); status != http.StatusNotFound || !strings.Contains(page, "评价链接无效") {
			t.Errorf("a link that nobody made is answered %d", status)
		}
	})
}
