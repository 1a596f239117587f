package node

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// atNoon is a zone where it is about noon, so that a day in it does not end while a test counts what came today.
func atNoon() string {
	east := 12 - time.Now().UTC().Hour()
	return fmt.Sprintf("Etc/GMT%+d", -east) // whose sign says how far west it is
}

// TestALeaderLooksAtTheOffices follows two tickets on the wall and on the leader's page, from their opening to the end of the leader's
// session.
func TestALeaderLooksAtTheOffices(t *testing.T) {
	c := configuration(t, "n1")
	c.Site.TimeZone = atNoon()
	n := start(t, c)
	awaitReady(t, n)
	admin := signedIn(t, n, "admin", password)
	ma := hire(t, admin, n, map[string]any{"name": "ma", "displayName": "马局", "role": "LEADER"})
	ma.http.CheckRedirect = nil
	chen := hire(t, admin, n, map[string]any{"name": "chen", "displayName": "陈洁", "role": "REQUESTER"})

	ma.mustSee("/wall", "近一天没有工单流转", "今日受理 / 解决", `<span class="number">0 / 0</span>`, `class="count"`, ">0</text>", "没有未办结工单")
	ma.mustSee("/leader", "没有超时工单", "各站点都没有未办结工单")

	solved, open := admin.open("打印机不响应"), admin.open("缴款码无法生成")
	admin.call("/api/v1/tickets/"+solved+":start", admin.token(), map[string]any{})
	admin.call("/api/v1/tickets/"+solved+":resolve", admin.token(), map[string]any{"resolution": map[string]any{"code": "solved", "text": "已重启打印服务"}})

	part := ma.mustSee("/wall/part", `<span class="number">2 / 1</span>`, `<span class="number">100%</span>`, ">1</text>")
	if strings.Contains(part, "缴款码") || strings.Contains(part, open+"\"") {
		t.Error("the wall, which stands in a room, tells what a ticket is about")
	}
	if _, ticker, _ := strings.Cut(part, `id="wall-moves"`); strings.Count(ticker, "<li") != 3 || !strings.Contains(ticker, `data-kind="RESOLVED"`) {
		t.Errorf("the wall tells of what just happened %s; want two tickets opened and one solved", ticker)
	}
	ma.mustSee("/leader", open, "<td class=\"num\" data-label=\"今日受理 / 解决\">2 / 1</td>")
	list := ma.mustSee("/leader/offices/"+n.config.Site.ID+"?queue=open", "缴款码无法生成", `href="/t/`+open)
	if strings.Contains(list, solved) {
		t.Error("a solved ticket is among the open ones")
	}

	for _, path := range []string{"/wall", "/wall/part", "/leader", "/leader/offices/" + n.config.Site.ID} {
		if status, page := chen.get(path); status != http.StatusForbidden || strings.Contains(page, open) {
			t.Errorf("who reports problems sees %s: %d %s", path, status, page)
		}
	}

	ma.send("/sign-out", url.Values{})
	r, err := http.NewRequest(http.MethodGet, ma.base+"/wall/part", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("HX-Request", "true")
	response, err := ma.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("the wall after its session: status %d, want 401, by which its script knows", response.StatusCode)
	}
}
