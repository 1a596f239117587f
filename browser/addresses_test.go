package browser

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/node/web"
)

// looked is a page that somebody looks at.
type looked struct {
	office, user string // the user is empty for a visitor
	// path names a ticket by its title in braces, the link of a visitor who reported a problem as {link}, and the session of the browser
	// as {session}.
	path    string
	refused bool // the answer is a page that says why not
}

// everyPage lists a page of every kind with somebody who may see it.
func everyPage() (pages []looked) {
	for _, by := range []struct {
		office, user   string
		paths, refused []string
	}{
		{county, "", []string{
			"/sign-in", "/help", "/help?q=打印", "/help/new", "/help/find", "/help/find?over=1", "/help/mine", "/help/faq", "/help/downloads",
			"/help/forum", "/help/p/{link}", "/help/p/{link}?sent=1", "/help/p/{link}/cancel", "/help/p/{link}/reopen",
		}, []string{"/nowhere"}},
		{county, "liuyang", []string{
			"/", "/help/new", "/help/mine", "/help/t/{希望增加按科目汇总的查询}", "/help/t/{希望增加按科目汇总的查询}/cancel", "/me",
			"/notices", "/password", "/t/{希望增加按科目汇总的查询}",
		}, []string{"/help/t/330106-20200101-9999", "/help/s/not-a-link"}},
		{county, "zhangmin", deskPages, []string{"/admin/people", "/t/330106-20200101-9999", "/nowhere", "/t/{忘记登录密码}/escalate"}},
		{county, "luohai", formPages, nil},
		{county, "chenjie", []string{"/t/{缴款码打不开}/decline"}, nil},
		{city, "liqiang", []string{"/t/{集中支付回单查询很慢}", "/t/{集中支付回单查询很慢}/resume", "/t/{集中支付回单查询很慢}/return", "/desk?queue=waiting"}, nil},
		{province, "wangwei", []string{"/t/{非税收缴全区中断}", "/t/{非税收缴全区中断}/review", "/t/{非税缴款码无法生成}"}, nil},
		{county, "fangwei", []string{"/leader", "/leader/offices/330106", "/leader/offices/330106?queue=overdue", "/wall"}, nil},
		{province, "zhaoheng", []string{"/leader", "/leader/offices/330100", "/wall"}, nil},
		{county, "dingyi", []string{"/admin/audit", "/admin/audit/verify", "/admin/audit/checkpoints"}, nil},
		{county, "admin", []string{
			"/admin/site", "/admin/site/diagnosis", "/admin/site/transfer", "/admin/site/nodes/n2/remove", "/admin/site/retry", "/admin/tree",
			"/admin/people", "/admin/new/person", "/admin/people/zhangmin", "/admin/people/zhangmin/delete", "/admin/people/zhangmin/sign-out",
			"/admin/people/zhangmin/second-factor", "/admin/people/zhangmin/disable",
			"/admin/people/admin/sessions/{session}/end", "/admin/duty", "/admin/groups", "/admin/new/group", "/admin/groups/机房值守组",
			"/admin/groups/机房值守组/remove", "/admin/rosters", "/admin/new/roster", "/admin/rosters/机房班表", "/admin/rosters/机房班表/remove", "/admin/policy", "/admin/policy/calendars/office", "/admin/policy/edit", "/admin/policy/history", "/admin/policy/history/{version}",
			"/admin/publications", "/admin/publications/330106/policy/policy", "/admin/publications/330106/policy/policy/remove", "/admin/backups",
			"/me", "/me/sessions", "/me/sessions/end-others", "/me/tokens", "/me/second-factor",
		}, []string{"/admin/people/zhangmin/tokens/none/end"}},
		{province, "admin", []string{
			"/admin/site", "/admin/tree", "/admin/tree/330106/move", "/admin/tree/330106/close", "/admin/audit/denials/330100/1",
			"/admin/audit/checkpoints?site=330100",
		}, nil},
	} {
		for _, path := range by.paths {
			pages = append(pages, looked{by.office, by.user, path, false})
		}
		for _, path := range by.refused {
			pages = append(pages, looked{by.office, by.user, path, true})
		}
	}
	return pages
}

// deskPages are where an agent works.
var deskPages = []string{
	"/desk", "/desk?queue=call-backs", "/desk?queue=in-transit", "/desk?queue=all&pick=all", "/desk/queues", "/desk/keys", "/desk/search",
	"/desk/search?q=缴款码", "/desk/new", "/t/{非税缴款码无法生成}", "/t/{忘记登录密码}", "/t/{非税票据打印错位}", "/t/{开票时缴款码超时}", "/t/{机房补检}",
	"/t/{统一两家单位的项目库口径}", "/t/{凌晨备份任务失败}", "/notices", "/password",
}

// formPages are the forms of the verbs, each at a ticket with which it is possible.
var formPages = []string{
	"/t/{希望增加按科目汇总的查询}/start", "/t/{希望增加按科目汇总的查询}/resolve", "/t/{希望增加按科目汇总的查询}/hold", "/t/{希望增加按科目汇总的查询}/arrive",
	"/t/{希望增加按科目汇总的查询}/escalate", "/t/{希望增加按科目汇总的查询}/assign", "/t/{希望增加按科目汇总的查询}/transfer", "/t/{希望增加按科目汇总的查询}/urge",
	"/t/{希望增加按科目汇总的查询}/cancel", "/t/{希望增加按科目汇总的查询}/classify", "/t/{希望增加按科目汇总的查询}/addTask", "/t/{希望增加按科目汇总的查询}/link",
	"/t/{希望增加按科目汇总的查询}/split", "/t/{希望增加按科目汇总的查询}/merge", "/t/{希望增加按科目汇总的查询}/macro", "/t/{希望增加按科目汇总的查询}/reply",
	"/t/{希望增加按科目汇总的查询}/note", "/t/{希望增加按科目汇总的查询}/revealRequester", "/t/{凌晨备份任务失败}/claim", "/t/{非税缴款码无法生成}/withdraw",
	"/t/{忘记登录密码}/confirm", "/t/{忘记登录密码}/close", "/t/{忘记登录密码}/callBack", "/t/{忘记登录密码}/rate", "/t/{忘记登录密码}/reopen",
	"/t/{统一两家单位的项目库口径}/changeTask", "/t/{机房补检}/check",
}

// noPages are what no browser shows by itself, with what it is instead.
var noPages = map[string]string{
	"GET /live":                       "a stream",
	"GET /part/line":                  "a part of every page",
	"GET /part/notices":               "a part of every page",
	"GET /desk/part":                  "a part of /desk",
	"GET /desk/filter":                "leads to /desk",
	"GET /desk/new/people":            "a part of /desk/new",
	"GET /desk/new/known":             "a part of /desk/new",
	"GET /desk/new/fields":            "a part of /desk/new",
	"GET /t/{number}/part":            "a part of a ticket's page",
	"GET /t/{number}/clocks":          "a part of a ticket's page",
	"GET /t/{number}/presence":        "a part of a ticket's page",
	"GET /t/{number}/files/{id}":      "a file",
	"GET /help/answers":               "a part of /help",
	"GET /help/t/{number}/part":       "a part of a problem's page",
	"GET /help/t/{number}/files/{id}": "a file",
	"GET /help/p/{token}/part":        "a part of a problem's page",
	"GET /help/p/{token}/files/{id}":  "a file",
	"GET /wall/part":                  "a part of /wall",
	"GET /admin":                      "leads to the first page of the room",
	"GET /admin/policy/yaml":          "a file",

	"GET /admin/policy/history/{version}/yaml": "a file",
}

// TestEveryPageIsLookedAt finds pages that nobody looks at: every pattern that is served is that of a page in the list, or no page.
func TestEveryPageIsLookedAt(t *testing.T) {
	mux, missing := http.NewServeMux(), map[string]bool{}
	for _, pattern := range web.Patterns() {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
		if strings.HasPrefix(pattern, "GET ") && noPages[pattern] == "" {
			missing[pattern] = true
		}
		if noPages[pattern] != "" && !strings.HasPrefix(pattern, "GET ") {
			t.Errorf("%s is in the list of what is no page, and nobody asks for it as one", pattern)
		}
	}
	for _, page := range everyPage() {
		path := strings.NewReplacer("{", "", "}", "").Replace(page.path)
		_, pattern := mux.Handler(httptest.NewRequest(http.MethodGet, path, nil))
		if noPages[pattern] != "" {
			t.Errorf("%s is looked at and is %s", page.path, noPages[pattern])
		}
		delete(missing, pattern)
	}
	for pattern := range missing {
		t.Errorf("nobody looks at %s; add a page to everyPage with somebody who may see it", pattern)
	}
}

// TestTheFormOfEveryVerbIsLookedAt finds verbs whose form nobody looks at.
func TestTheFormOfEveryVerbIsLookedAt(t *testing.T) {
	seen := map[string]bool{}
	for _, page := range everyPage() {
		if parts := strings.Split(page.path, "/"); len(parts) == 4 && parts[1] == "t" {
			seen[parts[3]] = true
		}
	}
	verbs := 0
	for key := range catalogue(t) {
		if verb, is := strings.CutPrefix(key, "t.verb."); is {
			verbs++
			if !seen[verb] {
				t.Errorf("nobody looks at the form of %s; add one to everyPage", verb)
			}
		}
	}
	if verbs < 20 {
		t.Errorf("only %d verbs have words; the words are elsewhere", verbs)
	}
}

// named is a part of a path that stands for something of the running tree.
var named = regexp.MustCompile(`\{[^}]*\}`)

// find is the path of a page in the running tree.
func (p *person) find(page looked) string {
	p.t.Helper()
	return named.ReplaceAllStringFunc(page.path, func(name string) string {
		switch name {
		case "{link}":
			return p.link()
		case "{session}":
			return p.session()
		case "{version}":
			return p.version()
		}
		number, err := offices(p.t).Ticket(p.t.Context(), page.office, strings.Trim(name, "{}"))
		if err != nil {
			p.t.Fatal(err)
		}
		return number
	})
}

// session is the id of a session of the administrator.
func (p *person) session() (id string) {
	p.t.Helper()
	p.open("/admin/people/admin")
	p.value(`document.querySelector("a[href*='/sessions/']").href.split("/").slice(-2)[0]`, &id)
	return id
}

// version is one of the office's own policy.
func (p *person) version() (version string) {
	p.t.Helper()
	p.open("/admin/policy/history")
	p.value(`document.querySelector("a[href*='/policy/history/']").href.split("/").slice(-1)[0]`, &version)
	return version
}

// link is the secret by which a visitor follows a problem, who reports one unless it was done before.
func (p *person) link() string {
	p.t.Helper()
	if p.secret == "" {
		p.open("/help/new")
		p.write("#title", "单位信息维护后没有生效")
		p.write("#name", "周敏")
		p.write("#phone", "0571-85009997")
		p.sends(".help-send button")
		p.until("it was taken", `location.pathname.startsWith("/help/p/")`)
		p.secret = strings.TrimPrefix(p.path(), "/help/p/")
	}
	return p.secret
}
