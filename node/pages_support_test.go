package node

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/store"
)

// look fetches a page and where it was found.
func (v *visitor) look(path string, partial bool) (status int, at, body string) {
	v.t.Helper()
	r, err := http.NewRequest(http.MethodGet, v.base+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	if partial {
		r.Header.Set("HX-Request", "true")
	}
	response, err := v.http.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return response.StatusCode, response.Request.URL.Path, string(text)
}

// post submits a form with a file and returns where it ends, with the page.
func (v *visitor) post(path string, fields map[string]string, file, content string) (status int, at, page string) {
	v.t.Helper()
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	for name, value := range fields {
		if err := writer.WriteField(name, value); err != nil {
			v.t.Fatal(err)
		}
	}
	if file != "" {
		part, err := writer.CreateFormFile("file", file)
		if err != nil {
			v.t.Fatal(err)
		}
		if _, err := part.Write([]byte(content)); err != nil {
			v.t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		v.t.Fatal(err)
	}
	response, err := v.http.Post(v.base+path, writer.FormDataContentType(), &form)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return response.StatusCode, response.Request.URL.Path, string(text)
}

// mustShow checks that a page says something, and leaves something else out.
func mustShow(t *testing.T, page, words string, but ...string) {
	t.Helper()
	if !strings.Contains(page, words) {
		t.Errorf("the page does not say %q:\n%s", words, page)
	}
	for _, other := range but {
		if strings.Contains(page, other) {
			t.Errorf("the page says %q", other)
		}
	}
}

// ticketNumber finds the number of a ticket on a page.
var ticketNumber = regexp.MustCompile(`\d{6}-\d{8}-\d{4}`)

// linkOfBefore makes a guest's link to a ticket whose time is over.
func linkOfBefore(t *testing.T, n *Node, number desk.TicketNumber) (token string) {
	t.Helper()
	err := n.backend.Read(t.Context(), true, func(r *store.Reader) error {
		site, err := r.Site()
		token = desk.GuestToken(site.GetSurveyKey(), number, n.clock.Now().Add(-time.Minute).UnixMicro())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestTheSupportSite follows a problem of a guest, and one of somebody with an account, from the report to the rating.
func TestTheSupportSite(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	admin := visit(t, n)
	admin.send("/sign-in", url.Values{"user": {"admin"}, "password": {password}})
	agent := func(number, verb string, body map[string]any) {
		t.Helper()
		admin.call("/api/v1/tickets/"+number+":"+verb, admin.token(), body)
	}
	admin.call("/api/v1/users", admin.token(), map[string]any{
		"user": map[string]any{"name": "liu", "role": "REQUESTER", "displayName": "刘洋", "unit": "预算科"}, "password": "another horse", "keepPassword": true,
	})

	t.Run("a guest", func(t *testing.T) {
		guest := visit(t, n)
		said := map[string]string{"request": "q1", "title": "票据打印错位", "description": "整体下移一行", "name": "王丽", "phone": "8002"}
		status, _, page := guest.post("/help/new", said, "", "")
		if status != http.StatusBadRequest {
			t.Errorf("an extension for a telephone number is answered %d", status)
		}
		mustShow(t, page, "至少 7 位数字")
		mustShow(t, page, "整体下移一行")
		said["phone"] = "138 1234 5678"
		_, at, page := guest.post("/help/new", said, "错位.txt", "一行")
		number := ticketNumber.FindString(page)
		if number == "" || !strings.HasPrefix(at, "/help/p/") {
			t.Fatalf("the report ends at %s: %s", at, page)
		}
		mustShow(t, page, "已收到您的问题")
		mustShow(t, page, "错位.txt")
		if _, _, file := guest.look(regexp.MustCompile(at+`/files/[^"]+`).FindString(page), false); file != "一行" {
			t.Errorf("the file comes back as %q", file)
		}
		seen := regexp.MustCompile(`part\?seen=(\w+)`).FindStringSubmatch(page)
		if status, _, _ := guest.look(at+"/part?seen="+seen[1], true); status != http.StatusNoContent {
			t.Errorf("a look that finds nothing new is answered %d", status)
		}
		agent(number, "note", map[string]any{"text": "内部的话"})
		agent(number, "reply", map[string]any{"text": "请重启打印机"})
		_, _, part := guest.look(at+"/part?seen="+seen[1], true)
		mustShow(t, part, "请重启打印机", "内部的话", "13812345678", "138 1234 5678", "<html")
		mustShow(t, part, `class="help-latest"`)
		agent(number, "resolve", map[string]any{"resolution": map[string]any{"code": "solved", "text": "已重装驱动"}})
		_, _, page = guest.post(at+"/confirm", map[string]string{"request": "q2"}, "", "")
		mustShow(t, page, "已办结", `class="help-latest"`)
		_, _, page = guest.post(at+"/rate", map[string]string{"request": "q3", "score": "5"}, "", "")
		mustShow(t, page, "感谢您的评价")

		status, _, page = guest.post("/help/find", map[string]string{"number": number, "phone": "13900000000"}, "", "")
		if status != http.StatusNotFound {
			t.Errorf("a wrong telephone number is answered %d", status)
		}
		mustShow(t, page, "没有找到相符的记录")
		if _, found, _ := guest.post("/help/find", map[string]string{"number": number, "phone": "13812345678"}, "", ""); !strings.HasPrefix(found, "/help/p/") {
			t.Errorf("the right pair leads to %s", found)
		}
		if _, lost, page := guest.look("/help/p/AAAA", false); lost != "/help/find" {
			t.Errorf("a link that was made up leads to %s: %s", lost, page)
		}
		if _, asked, _ := guest.look("/help/t/"+number, false); asked != "/help/find" {
			t.Errorf("without an account a ticket's page leads to %s", asked)
		}

		if _, found, _ := guest.post("/help/find", map[string]string{"number": strings.ReplaceAll(number, "-", "－"), "phone": "１３８１２３４５６７８"}, "", ""); !strings.HasPrefix(found, "/help/p/") {
			t.Errorf("a pair in wide letters leads to %s", found)
		}
		_, _, page = admin.look("/t/"+number, false)
		mustShow(t, page, "王丽（报告人）")
		_, at, page = guest.post("/help/new", map[string]string{"request": "q9", "title": "打不开", "name": "王丽", "phone": "13812345678"}, "", "")
		guest.post(at+"/reply", map[string]string{"request": "q10", "text": "重启过了"}, "", "")
		number = ticketNumber.FindString(page)
		_, _, page = admin.look("/t/"+number, false)
		mustShow(t, page, "重启过了")
	})

	t.Run("a guest whose link is over", func(t *testing.T) {
		guest := visit(t, n)
		_, at, page := guest.post("/help/new", map[string]string{"request": "q11", "title": "打不开", "name": "王丽", "phone": "13812345678"}, "", "")
		number := ticketNumber.FindString(page)
		over := "/help/p/" + linkOfBefore(t, n, desk.TicketNumber(number))
		if at == over {
			t.Fatal("the link is not another one")
		}
		_, found, page := guest.look(over, false)
		if found != "/help/find" {
			t.Errorf("a link that is over leads to %s", found)
		}
		mustShow(t, page, `value="`+number+`"`)
		mustShow(t, page, "链接已过期")
		status, _, page := guest.post(over+"/reply", map[string]string{"request": "q12", "text": "还是打不开"}, "", "")
		if status != http.StatusConflict {
			t.Errorf("words by a link that is over are answered %d", status)
		}
		mustShow(t, page, "还是打不开")
		mustShow(t, page, `value="`+number+`"`)
	})

	t.Run("an account", func(t *testing.T) {
		liu := visit(t, n)
		_, first := liu.send("/sign-in", url.Values{"user": {"liu"}, "password": {"another horse"}})
		mustShow(t, first, "您遇到了什么问题")
		_, at, page := liu.post("/help/new", map[string]string{"request": "q1", "title": "调剂单打不开", "phone": "0571-85000012"}, "", "")
		number := ticketNumber.FindString(page)
		if at != "/help/t/"+number {
			t.Fatalf("the report ends at %s", at)
		}
		_, _, found := liu.look("/help/answers?q="+url.QueryEscape("调剂单"), true)
		mustShow(t, found, "/help/t/"+number, "<html")
		_, _, page = liu.post(at+"/reply", map[string]string{"request": "q2", "text": "换一台也是"}, "截图.txt", "图")
		mustShow(t, page, "换一台也是")
		mustShow(t, page, "截图.txt")
		_, _, page = liu.post(at+"/urge", map[string]string{"request": "q3"}, "", "")
		mustShow(t, page, "已催办")
		status, _, page := liu.post(at+"/urge", map[string]string{"request": "q4"}, "", "")
		if status != http.StatusConflict {
			t.Errorf("urging at once again is answered %d", status)
		}
		mustShow(t, page, `role="alert"`)
		_, _, page = liu.look(at+"/cancel", false)
		mustShow(t, page, "撤销原因")
		_, _, page = liu.post(at+"/cancel", map[string]string{"request": "q5", "text": "已经好了"}, "", "")
		mustShow(t, page, "已撤单")
		_, _, mine := liu.look("/help/mine", false)
		mustShow(t, mine, "调剂单打不开", "票据打印错位")
	})

	t.Run("places without content", func(t *testing.T) {
		guest := visit(t, n)
		_, _, home := guest.look("/help", false)
		for _, place := range []string{"/help/faq", "/help/downloads", "/help/forum"} {
			if status, _, page := guest.look(place, false); status != http.StatusOK || !strings.Contains(page, "目前") {
				t.Errorf("%s is answered %d", place, status)
			}
			mustShow(t, home, `href="`+place+`"`)
		}
		if got := strings.Count(home, "筹备中"); got != 3 {
			t.Errorf("the first page says of %d places that they are being prepared, want 3", got)
		}
	})
}
