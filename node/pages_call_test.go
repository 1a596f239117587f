package node

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// callTaker is somebody who takes calls down at the pages.
type callTaker struct{ *visitor }

// file is one that is sent with a form.
type file struct{ name, content string }

// fill sends the form of a new call with files, and returns where the browser goes then, or the form that is shown again.
func (c callTaker) fill(fields url.Values, files ...file) (status int, to, page string) {
	c.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, values := range fields {
		if err := form.WriteField(name, values[0]); err != nil {
			c.t.Fatal(err)
		}
	}
	for _, f := range files {
		part, err := form.CreateFormFile("file", f.name)
		if err != nil {
			c.t.Fatal(err)
		}
		if _, err := io.WriteString(part, f.content); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		c.t.Fatal(err)
	}
	response, err := c.http.Post(c.base+"/desk/new", form.FormDataContentType(), &body)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Location"), string(text)
}

// opens sends a form that must be taken and returns the number of the ticket.
func (c callTaker) opens(what string, fields url.Values, files ...file) string {
	c.t.Helper()
	status, to, page := c.fill(fields, files...)
	if status != http.StatusSeeOther || !strings.HasPrefix(to, "/t/") {
		c.t.Fatalf("%s: %d to %q %s", what, status, to, page)
	}
	return between(to, "/t/", "?")
}

// asks is a call of the JSON API that reads.
func (c callTaker) asks(path string) (answer map[string]any) {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodGet, c.base+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token())
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: %d %v %v", path, response.StatusCode, answer, err)
	}
	return answer
}

func (c callTaker) ticket(number string) map[string]any { return c.asks("/api/v1/tickets/" + number) }

// printer is a call as it is typed.
func printer(request string) url.Values {
	return url.Values{
		"request": {request}, "requester.phone": {"0571-85000012"}, "requester.name": {"刘洋"}, "requester.unit": {"预算科"}, "register": {"yes"},
		"application": {"国库集中支付系统"}, "title": {"打印凭证报错"}, "description": {"点打印后提示\r\n找不到模板"}, "urgency": {"1"},
	}
}

// TestCallsAreTakenDownAtThePages goes through a morning of somebody at the telephone.
func TestCallsAreTakenDownAtThePages(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	admin := signedIn(t, n, "admin", password)
	li := callTaker{hire(t, admin, n, map[string]any{"name": "li", "role": "AGENT"})}
	first := ""
	t.Run("a call with a screenshot", func(t *testing.T) { first = checkCall(t, li) })
	t.Run("what is missing is told beside its field", func(t *testing.T) { checkMissing(t, li) })
	t.Run("who calls is found", func(t *testing.T) { checkCaller(t, li) })
	t.Run("the same problem again", func(t *testing.T) { checkSame(t, li, first) })
	t.Run("a file that is refused", func(t *testing.T) { checkRefusedFile(t, li) })
	t.Run("who reports problems", func(t *testing.T) {
		liu := hire(t, admin, n, map[string]any{"name": "liu", "role": "REQUESTER"})
		if status, _ := liu.get("/desk/new"); status != http.StatusSeeOther {
			t.Errorf("a requester is shown the form of the desk: %d", status)
		}
	})
}

func checkCall(t *testing.T, li callTaker) string {
	status, page := li.get("/desk/new")
	if request := between(page, `name="request" value="`, `"`); status != http.StatusOK || len(request) < 20 {
		t.Fatalf("the form: %d, request %q", status, request)
	}
	shot := file{"截图.png", "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 2<<20)} // more than other forms may have
	number := li.opens("the first call", printer("R1"), shot)
	ticket := li.ticket(number)
	requester := ticket["requester"].(map[string]any)
	attachments, _ := ticket["attachments"].([]any)
	if ticket["title"] != "打印凭证报错" || ticket["description"] != "点打印后提示\n找不到模板" || ticket["urgency"] != 1.0 || ticket["channel"] != "PHONE" ||
		requester["name"] != "刘洋" || requester["id"] == "" || requester["id"] == nil {
		t.Errorf("the ticket is %v", ticket)
	}
	if len(attachments) != 1 || attachments[0].(map[string]any)["name"] != "截图.png" {
		t.Errorf("the ticket has the files %v", attachments)
	}
	if again := li.opens("the same form again", printer("R1"), shot); again != number {
		t.Errorf("a form that is sent twice opens %s and %s", number, again)
	}
	if files, _ := li.ticket(number)["attachments"].([]any); len(files) != 1 {
		t.Errorf("a form that is sent twice attaches %d files", len(files))
	}
	next := printer("R2")
	next.Set("after", "another")
	if status, to, page := li.fill(next); status != http.StatusSeeOther || !strings.HasPrefix(to, "/desk/new?done=new-opened&last=330106-") {
		t.Errorf("saving and taking the next: %d %q %s", status, to, page)
	} else if _, page := li.get(to); !strings.Contains(page, `href="/t/330106-`) {
		t.Errorf("the next form does not lead to the ticket before: %s", page)
	}
	if known := li.asks("/api/v1/requesters?search=0571-85000012")["requesters"].([]any); len(known) != 1 {
		t.Errorf("the requester was written down %d times", len(known))
	}
	return number
}

func checkMissing(t *testing.T, li callTaker) {
	fields := printer("R3")
	fields.Set("title", " ")
	fields.Set("requester.phone", "0571-85000099")
	fields.Set("requester.name", "无名氏")
	status, _, page := li.fill(fields, file{"a.txt", "a"})
	if status != http.StatusBadRequest || !strings.Contains(between(page, `id="f-title"`, "</div>"), "请填写此项") {
		t.Errorf("a call without a title: %d %s", status, page)
	}
	for _, typed := range []string{"请重新选择附件", "无名氏", "0571-85000099", "国库集中支付系统", "点打印后提示", `name="request" value="R3"`} {
		if !strings.Contains(page, typed) {
			t.Errorf("%q is lost", typed)
		}
	}
	if known, _ := li.asks("/api/v1/requesters?search=0571-85000099")["requesters"].([]any); len(known) > 0 {
		t.Errorf("a call that was refused wrote down %v", known)
	}
	status, _, page = li.fill(url.Values{"title": {strings.Repeat("长", 201)}, "request": {"R4"}})
	if status != http.StatusBadRequest || !strings.Contains(between(page, `id="f-title"`, "</div>"), "field-problem") {
		t.Errorf("a long title: %d %s", status, page)
	}
}

func checkCaller(t *testing.T, li callTaker) {
	for _, search := range []string{"057185", "刘", "预算"} {
		if _, page := li.get("/desk/new/people?search=" + url.QueryEscape(search)); !strings.Contains(page, `data-name="刘洋"`) {
			t.Errorf("by %q is found %q", search, page)
		}
	}
	if _, page := li.get("/desk/new/people?search="); strings.TrimSpace(page) != "" {
		t.Errorf("by nothing is found %q", page)
	}
	_, page := li.get("/desk/new/people?search=057185")
	id := between(page, `data-id="`, `"`)
	if _, page := li.get("/desk/new/known?id=" + id); !strings.Contains(page, "打印凭证报错") {
		t.Errorf("what is known of the requester: %s", page)
	}
	if status, page := li.get("/desk/new/known?id=nobody"); status != http.StatusOK || strings.TrimSpace(page) != "" {
		t.Errorf("what is known of nobody: %d %s", status, page)
	}
	if _, page := li.get("/desk/new?requester=" + id); !strings.Contains(page, `value="刘洋"`) || !strings.Contains(page, `value="`+id+`"`) {
		t.Errorf("the form for a requester: %s", page)
	}
}

func checkSame(t *testing.T, li callTaker, first string) {
	if _, page := li.send("/desk/new/beside", url.Values{"title": {"打印凭证又报错"}}); !strings.Contains(page, first) || !strings.Contains(page, "优先级") {
		t.Errorf("beside a title that is like another one: %s", page)
	}
	if status, page := li.send("/desk/new/beside", url.Values{"impact": {"99"}}); status != http.StatusOK {
		t.Errorf("beside a form that cannot be opened: %d %s", status, page)
	}
	fields := printer("R5")
	fields.Set("same", first)
	fields.Set("requester.name", "陈静")
	if got := li.opens("the same problem", fields); got != first {
		t.Errorf("the same problem went to %s, want %s", got, first)
	}
	journal := li.asks("/api/v1/tickets/" + first + "/journal")["entries"].([]any)
	if !slices.ContainsFunc(journal, func(e any) bool {
		text, _ := e.(map[string]any)["text"].(string)
		return strings.Contains(text, "陈静") && strings.Contains(text, "找不到模板")
	}) {
		t.Errorf("the journal says nothing of the second call: %v", journal)
	}
	fields = printer("R6")
	fields.Set("related", first)
	number := li.opens("a related problem", fields)
	links, _ := li.ticket(number)["links"].([]any)
	if number == first || len(links) != 1 || links[0].(map[string]any)["number"] != first {
		t.Errorf("the related ticket %s has the links %v", number, links)
	}
	fields = printer("R7")
	fields.Set("same", "330106-20200101-0001")
	if status, _, page := li.fill(fields); status != http.StatusNotFound || !strings.Contains(page, "打印凭证报错") {
		t.Errorf("the same as a ticket that is not there: %d %s", status, page)
	}
}

func checkRefusedFile(t *testing.T, li callTaker) {
	number := li.opens("a call with an empty file", printer("R8"), file{"空.log", ""}, file{"b.log", "b"})
	if files, _ := li.ticket(number)["attachments"].([]any); len(files) != 1 {
		t.Errorf("the ticket has the files %v", files)
	}
	if _, page := li.get("/desk/new"); !strings.Contains(page, "附件“空.log”没有添加：文件是空的。") {
		t.Errorf("the next page does not tell of the file: %s", between(page, `id="messages"`, "<main"))
	}
}
