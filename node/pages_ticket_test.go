package node

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// see returns a page; a part of one where a script would ask for it.
func (v *visitor) see(path string, part bool) (status int, page string) {
	v.t.Helper()
	status, _, page = v.look(path, part)
	return status, page
}

// hidden is what a page's form for an address carries along.
func hidden(t *testing.T, page, action string) url.Values {
	t.Helper()
	_, form, found := strings.Cut(page, `action="`+action+`"`)
	if !found {
		t.Fatalf("the page has no form for %s:\n%s", action, page)
	}
	form, _, _ = strings.Cut(form, "</form>")
	values := url.Values{}
	for _, input := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
		values.Add(input[1], input[2])
	}
	return values
}

// with adds what somebody types into a form.
func with(form url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// want fails unless a page answers with a status and has some words.
func want(t *testing.T, what string, status, wanted int, page string, words ...string) {
	t.Helper()
	if status != wanted {
		t.Fatalf("%s: %d, not %d:\n%s", what, status, wanted, page)
	}
	for _, word := range words {
		if !strings.Contains(page, word) {
			t.Errorf("%s: the page does not say %q:\n%s", what, word, page)
		}
	}
}

// staffAt has somebody sign in whom the administrator has made.
func staffAt(t *testing.T, n *Node, admin *visitor, name, display, role string) *visitor {
	t.Helper()
	admin.call("/api/v1/users", admin.token(), map[string]any{
		"user": map[string]any{"name": name, "displayName": display, "role": role}, "password": "made up for " + name, "keepPassword": true,
	})
	v := visit(t, n)
	if status, page := v.send("/sign-in", url.Values{"user": {name}, "password": {"made up for " + name}}); status >= http.StatusInternalServerError {
		t.Fatalf("%s cannot sign in: %d %s", name, status, page)
	}
	return v
}

// TestATicketsLifeAtItsPage takes a ticket from its beginning to its end by the forms of its page, without a script.
func TestATicketsLifeAtItsPage(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	admin := visit(t, n)
	admin.send("/sign-in", url.Values{"user": {"admin"}, "password": {password}})
	zhang, li := staffAt(t, n, admin, "zhang", "张敏", "AGENT"), staffAt(t, n, admin, "li", "李强", "AGENT")
	ticket := zhang.call("/api/v1/tickets", zhang.token(), map[string]any{"ticket": map[string]any{
		"title": "缴款码无法生成", "description": "开票时提示超时。", "channel": "PHONE", "requester": map[string]any{"name": "许晴", "phone": "0571-85000019"},
	}})
	number := ticket["number"].(string)
	at := "/t/" + number

	status, page := zhang.see(at, false)
	want(t, "the new ticket", status, http.StatusOK, page, "缴款码无法生成", "开票时提示超时。", "许晴", "新建", `aria-current="step"`, `data-live-ticket="`+number+`"`)
	t.Run("every form opens", func(t *testing.T) {
		forms := regexp.MustCompile(`hx-get="(`+at+`/[a-zA-Z]+)"`).FindAllStringSubmatch(page, -1)
		if len(forms) < 8 {
			t.Fatalf("the page offers %d forms only: %v", len(forms), forms)
		}
		for _, form := range forms {
			if strings.HasSuffix(form[1], "/presence") || strings.HasSuffix(form[1], "/part") {
				continue
			}
			status, part := zhang.see(form[1], true)
			want(t, form[1], status, http.StatusOK, part, "panel-title")
			if strings.Contains(part, "<html") {
				t.Errorf("%s is a whole page for a script", form[1])
			}
			if key := regexp.MustCompile(`>[^<]*\b(t\.[a-zA-Z.-]+)[^<]*<`).FindStringSubmatch(part); key != nil {
				t.Errorf("%s has no word for %s", form[1], key[1])
			}
		}
	})

	shown := at + "/part?shown=" + regexp.MustCompile(`data-shown="([^"]+)"`).FindStringSubmatch(page)[1]
	if status, part := zhang.see(shown, true); status != http.StatusNoContent {
		t.Errorf("a page that shows what is so is told it again: %d %s", status, part)
	}
	status, page = zhang.send(at+"/claim", hidden(t, page, at+"/claim"))
	want(t, "taking it", status, http.StatusOK, page, "已认领", "张敏")
	status, part := zhang.see(shown, true)
	want(t, "the part after a change", status, http.StatusOK, part, `hx-swap-oob="true"`, "已派单")
	_, form := li.see(at+"/transfer", true)
	late := hidden(t, form, at+"/transfer")
	status, page = zhang.send(at+"/start", hidden(t, page, at+"/start"))
	want(t, "beginning", status, http.StatusOK, page, "处理中")
	t.Run("who was overtaken sees what changed, and loses nothing", func(t *testing.T) {
		status, part := li.see(at+"/part?seen="+url.QueryEscape(late.Get("seen")), true)
		want(t, "the part while a form is open", status, http.StatusOK, part, `hx-swap-oob="true"`, "张敏刚刚修改了此工单")
		status, page := li.send(at+"/transfer", with(late, "assignee", "li", "reason", "我熟悉这个系统"))
		want(t, "a stale form", status, http.StatusConflict, page, "其间的变化", "处理中", "我熟悉这个系统", "仍然提交")
		again := hidden(t, page, at+"/transfer")
		if again.Get("etag") == late.Get("etag") {
			t.Fatal("the form that is shown again would conflict again")
		}
		status, page = li.send(at+"/transfer", with(again, "assignee", "li", "reason", "我熟悉这个系统"))
		want(t, "the form once more", status, http.StatusOK, page, "已转单", "李强", "我熟悉这个系统")
	})
	t.Run("files come with a reply", func(t *testing.T) {
		status, _, page := li.post(at+"/reply", map[string]string{"text": "请重启客户端再试。", "request": "r-1"}, "截图.png", pixel)
		want(t, "the reply", status, http.StatusOK, page, "回复已发送", "请重启客户端再试。", "截图.png")
		status, page = li.send(at+"/reply", url.Values{"text": {"重启之后好了。"}, "fromRequester": {"1"}, "request": {"r-2"}})
		want(t, "the requester's answer", status, http.StatusOK, page, "重启之后好了。", "李强登记")
		file := regexp.MustCompile(at + `/files/[^"]+`).FindString(page)
		if status, content := li.see(file, false); status != http.StatusOK || content != pixel {
			t.Errorf("the file %s: %d, %d bytes", file, status, len(content))
		}
		if status, page := li.see(at+"/files/none", false); status != http.StatusNotFound || !strings.Contains(page, "<html") {
			t.Errorf("a file that is not there: %d %s", status, page)
		}
	})
	t.Run("contact data are shown for a reason", func(t *testing.T) {
		status, page := li.send(at+"/revealRequester", url.Values{"reason": {""}})
		want(t, "without a reason", status, http.StatusBadRequest, page, "panel-title")
		status, page = li.send(at+"/revealRequester", url.Values{"reason": {"回电"}})
		want(t, "with a reason", status, http.StatusOK, page, "查看联系方式", "tel:0571-85000019")
	})

	_, page = li.see(at+"/resolve", false)
	resolve := hidden(t, page, at+"/resolve")
	status, page = li.send(at+"/resolve", with(resolve, "resolution.rootCause", "连接池耗尽"))
	want(t, "a solution without words", status, http.StatusBadRequest, page, "请填写此项", "连接池耗尽")
	status, page = li.send(at+"/resolve", with(resolve, "resolution.code", "solved", "resolution.text", "重启缴款码服务。"))
	want(t, "solving", status, http.StatusOK, page, "已解决", "重启缴款码服务。", "连接池耗尽")
	_, page = li.see(at+"/confirm", false)
	status, page = li.send(at+"/confirm", with(hidden(t, page, at+"/confirm"), "satisfaction.score", "5"))
	want(t, "confirming", status, http.StatusOK, page, "已办结", "5 非常满意")
	if status, page = li.see(at+"/resolve", false); status != http.StatusConflict {
		t.Errorf("a verb that does not fit the state: %d %s", status, page)
	}
	if status, page = li.see(at+"/reclassifyAll", false); status != http.StatusNotFound {
		t.Errorf("a verb that is none: %d %s", status, page)
	}
}

// TestTheTicketPageIsForStaff sends requesters to their own pages, and shows who is not signed in nothing.
func TestTheTicketPageIsForStaff(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	admin := visit(t, n)
	admin.send("/sign-in", url.Values{"user": {"admin"}, "password": {password}})
	liu := staffAt(t, n, admin, "liu", "刘洋", "REQUESTER")
	number := liu.call("/api/v1/tickets", liu.token(), map[string]any{"ticket": map[string]any{"title": "打不开年报"}})["number"].(string)
	liu.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := liu.http.Get(liu.base + "/t/" + number)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if to := response.Header.Get("Location"); to != "/help/t/"+number {
		t.Errorf("a requester is sent to %q", to)
	}
	if status, page := liu.see("/t/"+number+"/note", false); status != http.StatusNotFound {
		t.Errorf("a requester gets a form of the desk: %d %s", status, page)
	}
	if _, page := visit(t, n).see("/t/"+number, false); strings.Contains(page, "打不开年报") {
		t.Error("who is not signed in sees a ticket")
	}
}

// pixel is a picture.
const pixel = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
