package node

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const deskPolicy = `
groups:
  - {name: 网络组, title: {zh: 网络组, en: Network}, members: [li, wang], method: manual}
call_backs: {percent: 100, after: 1s, calendar: 7x24, attempts: 3, welcome_days: [3, 8, 15], vip_months: 1, visit_months: 3, dissatisfied_score: 2}
`

var (
	pickValue  = regexp.MustCompile(`name="pick" value="([^"]+)"`)
	queueCount = regexp.MustCompile(`id="queue-([^"]+)"[^>]*>(?s:.*?)</a>`)
)

// deskOf starts a node with two people at a desk, each with a browser that follows where it is led.
func deskOf(t *testing.T) (n *Node, admin, li, wang *visitor) {
	c := configuration(t, "n1")
	c.Site.TimeZone = atNoon()
	n = start(t, c)
	awaitReady(t, n)
	admin = signedIn(t, n, "admin", password)
	admin.call("/api/v1/policy", admin.token(), map[string]any{"source": deskPolicy})
	li = hire(t, admin, n, map[string]any{"name": "li", "displayName": "李工", "role": "AGENT"})
	wang = hire(t, admin, n, map[string]any{"name": "wang", "displayName": "王芳", "role": "DISPATCHER"})
	for _, v := range []*visitor{admin, li, wang} {
		v.http.CheckRedirect = nil
	}
	return n, admin, li, wang
}

// open opens a ticket and returns its number.
func (v *visitor) open(title string) string {
	v.t.Helper()
	return v.call("/api/v1/tickets", v.token(), map[string]any{"ticket": map[string]any{
		"title": title, "application": "预算一体化系统", "requester": map[string]any{"name": "刘洋", "unit": "财政局", "phone": "0571-85000012"},
	}})["number"].(string)
}

// mustSee fetches a page that holds some texts.
func (v *visitor) mustSee(path string, texts ...string) string {
	v.t.Helper()
	status, page := v.get(path)
	if status != http.StatusOK {
		v.t.Fatalf("%s: %d %s", path, status, page)
	}
	for _, text := range texts {
		if !strings.Contains(page, text) {
			v.t.Fatalf("%s does not say %q: %s", path, text, page)
		}
	}
	return page
}

// picks are what the form of many tickets sends for each of a page, in order.
func picks(page string) (values []string) {
	for _, found := range pickValue.FindAllStringSubmatch(page, -1) {
		values = append(values, html.UnescapeString(found[1]))
	}
	return values
}

// counted tells which queues a page counts something in.
func counted(page string) string {
	var queues []string
	for _, found := range queueCount.FindAllStringSubmatch(page, -1) {
		if count := regexp.MustCompile(`(\d+\+?)</span></a>`).FindStringSubmatch(found[0]); count != nil && count[1] != "0" {
			queues = append(queues, found[1]+" "+count[1])
		}
	}
	return strings.Join(queues, ", ")
}

// TestADayAtTheDesk takes tickets from a queue, gives them to others many at a time, and is told of each that was refused.
func TestADayAtTheDesk(t *testing.T) {
	_, _, li, wang := deskOf(t)
	first, second, third := li.open("打印机不出纸"), li.open("<b>登录</b> 很慢"), li.open("发票金额录入错误")

	page := li.mustSee("/desk", first, "打印机不出纸", "&lt;b&gt;登录&lt;/b&gt; 很慢", "未分派", "刘洋", "财政局", "预算一体化系统")
	if got, want := counted(page), "unassigned 3, open 3"; got != want {
		t.Errorf("the queues count %s, want %s", got, want)
	}
	li.mustSee("/desk?queue=overdue", "没有超时工单", "请优先处理")
	li.mustSee("/desk?queue=unassigned&pick=all", `checked aria-label="选择 `+first)

	chosen := picks(page)
	claim := url.Values{"pick": chosen[:2], "do": {"claim"}, "request": {"one"}, "back": {"/desk?queue=unassigned"}}
	status, page := li.send("/desk/bulk", claim)
	if status != http.StatusOK || !strings.Contains(page, "所选工单已全部处理") || counted(page) != "mine 2, unassigned 1, open 3" {
		t.Fatalf("taking two tickets: %d, queues %s: %s", status, counted(page), page)
	}
	if page := li.mustSee("/desk", "我的工单"); len(picks(page)) != 2 {
		t.Errorf("the day goes on with %d tickets of li's own, want 2", len(picks(page)))
	}
	if status, page := li.send("/desk/bulk", claim); status != http.StatusOK || !strings.Contains(page, "所选工单已全部处理") {
		t.Errorf("the same form again: %d %s", status, page)
	}

	all := picks(wang.mustSee("/desk?queue=open", first, second, third))
	give := url.Values{"pick": all, "do": {"assign"}, "heir": {"网络组|wang"}, "request": {"two"}, "back": {"/desk?queue=open"}}
	status, page = wang.send("/desk/bulk", give)
	if status != http.StatusConflict || !strings.Contains(page, "已完成 1 张，2 张未能处理") || strings.Count(page, "转单请填写原因") != 2 {
		t.Fatalf("giving tickets of somebody away without a reason: %d %s", status, page)
	}
	if !strings.Contains(page, `value="网络组|wang" selected`) || strings.Count(page, " checked ") != 2 {
		t.Errorf("who was chosen and what was refused is not chosen any more: %s", page)
	}
	give["pick"] = slices.DeleteFunc(picks(page), func(pick string) bool { return strings.HasPrefix(pick, third) })
	give.Set("reason", "李工 休假")
	give.Set("request", "three")
	if status, page := wang.send("/desk/bulk", give); status != http.StatusOK || !strings.Contains(page, "所选工单已全部处理") || strings.Count(page, ">王芳<") < 3 {
		t.Fatalf("with a reason: %d %s", status, page)
	}
	give["pick"], give["request"], give["heir"] = []string{first + " stale"}, []string{"four"}, []string{"网络组|li"}
	if status, page := wang.send("/desk/bulk", give); status != http.StatusConflict || !strings.Contains(page, "1 张未能处理") {
		t.Errorf("a ticket that has changed since it was chosen: %d %s", status, page)
	}
	if status, page := wang.send("/desk/bulk", url.Values{"do": {"claim"}}); status != http.StatusBadRequest || !strings.Contains(page, "没有选择") {
		t.Errorf("a form without tickets: %d %s", status, page)
	}
	status, page = wang.send("/desk/bulk", url.Values{"do": {"assign"}, "pick": all[:2], "reason": {"病假"}, "back": {"/desk?queue=open"}})
	if status != http.StatusBadRequest || !strings.Contains(page, "没有选择") || strings.Count(page, " checked ") != 2 || !strings.Contains(page, `value="病假"`) {
		t.Errorf("a form without anybody keeps neither what was chosen nor what was written: %d %s", status, page)
	}
	if part := wang.part("/desk/part?queue=mine"); strings.Contains(part, "<html") || !strings.Contains(part, `hx-swap-oob="true"`) || !strings.Contains(part, first) {
		t.Errorf("the part that changes by itself is %s", part)
	}
}

// part fetches a part of a page, as a script does.
func (v *visitor) part(path string) string {
	v.t.Helper()
	_, page := v.see(path, true)
	return page
}

// TestListsAsOneWantsThem filters all tickets, keeps the filter and the columns, and looks for tickets and people.
func TestListsAsOneWantsThem(t *testing.T) {
	n, admin, li, _ := deskOf(t)
	first := li.open("打印机不出纸")
	li.open(`发票 "红字" \ 错误`)

	li.mustSee("/desk?queue=all", "打印机不出纸", "红字", "最近更新在前")
	title := "/desk/filter?" + url.Values{"text": {`"红字" \`}, "state": {"unsolved"}}.Encode()
	if page := li.mustSee(title, "未解决", "标题包含：&#34;红字&#34;", "去掉此条件"); strings.Contains(page, first) {
		t.Errorf("the filter lets another title through: %s", page)
	}
	li.mustSee("/desk/filter?state=CLOSED", "没有符合条件的工单")
	if status, page := li.get("/desk?queue=all&filter=colour+%3D+red"); status != http.StatusBadRequest || !strings.Contains(page, "没有字段“colour”") || !strings.Contains(page, `value="colour = red"`) {
		t.Errorf("a filter of an unknown field: %d %s", status, page)
	}

	keep := url.Values{"do": {"keep"}, "name": {"打印问题"}, "filter": {`title : "打印"`}}
	if status, page := li.send("/desk/filters", keep); status != http.StatusOK || !strings.Contains(page, "筛选已保存") || !strings.Contains(page, first) {
		t.Fatalf("keeping a filter: %d %s", status, page)
	}
	li.mustSee("/desk?queue=mine", "我的筛选", "打印问题")
	keep.Set("do", "forget")
	if status, page := li.send("/desk/filters", keep); status != http.StatusOK || strings.Contains(page, "我的筛选") {
		t.Errorf("forgetting it: %d %s", status, page)
	}
	if status, page := li.send("/desk/columns", url.Values{"column": {"number", "line", "nonsense"}, "back": {"/desk?queue=all"}}); status != http.StatusOK ||
		!strings.Contains(page, `<th scope="col" class="c-line">`) || strings.Contains(page, `<th scope="col" class="c-application">`) {
		t.Errorf("choosing columns: %d %s", status, page)
	}

	admin.call("/api/v1/requesters", admin.token(), map[string]any{"requester": map[string]any{
		"name": "刘洋", "unit": "财政局", "phones": []string{"0571-85000012"}, "class": "new",
		"since": time.Now().AddDate(0, 0, -3).Add(time.Second).UTC().Format(time.RFC3339Nano),
	}})
	li.mustSee("/desk/search?q=0571-850000", "刘洋", "财政局", "0571-85000012")
	li.mustSee("/desk/search?q="+url.QueryEscape("打印"), "标题相符的工单", first)
	li.mustSee("/desk/search?q=0001", "今天的工单", first)
	li.mustSee("/desk/search?q="+url.QueryEscape("没有这样的词"), "没有找到与“没有这样的词”相符的工单或报告人")
	led := signedIn(t, n, "li", "chosen by li")
	if status, page := led.get("/desk/search?q=" + first); status != http.StatusSeeOther || !strings.Contains(page, `href="/t/`+first+`"`) {
		t.Errorf("a whole number leads to %d %s", status, page)
	}

	var due string
	eventually(t, "a new customer has to be called", func() string {
		due = li.mustSee("/desk?queue=call-backs")
		if !strings.Contains(due, "新客户回访") {
			return due
		}
		return ""
	})
	id := regexp.MustCompile(`name="requester" value="([^"]+)"`).FindStringSubmatch(due)[1]
	said := url.Values{"requester": {id}, "kind": {"WELCOME"}, "outcome": {"CONTENT"}, "score": {"5"}, "comment": {"使用正常"}}
	if status, page := li.send("/desk/call", said); status != http.StatusOK || !strings.Contains(page, "回访已记录") || strings.Contains(page, "新客户回访") {
		t.Errorf("recording a call: %d %s", status, page)
	}
	li.mustSee("/desk/keys", "键盘快捷键", "<kbd>j</kbd>")
	li.mustSee("/desk/queues", "未分派", "全部工单")
}

// TestTheDeskIsForItsPeople leads requesters to their own pages, and offers no calls to those who look on.
func TestTheDeskIsForItsPeople(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	admin := signedIn(t, n, "admin", password)
	liu := hire(t, admin, n, map[string]any{"name": "liu", "role": "REQUESTER"})
	fang, zhang := hire(t, admin, n, map[string]any{"name": "fang", "role": "LEADER"}), hire(t, admin, n, map[string]any{"name": "zhang", "role": "AGENT"})
	for _, path := range []string{"/desk", "/desk?queue=all", "/desk/search?q=x", "/desk/queues"} {
		if page := fang.mustSee(path); strings.Contains(page, "/desk/new") {
			t.Errorf("%s offers a leader to open a ticket: %s", path, page)
		}
		zhang.mustSee(path, "/desk/new")
	}
	if status, page := fang.get("/desk/new"); status != http.StatusForbidden {
		t.Errorf("a leader gets the form of a call: %d %s", status, page)
	}
	for _, path := range []string{"/desk", "/desk?queue=all", "/desk/search?q=x", "/desk/part"} {
		if status, page := liu.get(path); status != http.StatusSeeOther || !strings.Contains(page, `href="/help"`) {
			t.Errorf("%s leads a requester to %d %s", path, status, page)
		}
	}
}
