package node

import (
	"bytes"
	"cmp"
	"context"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/node/web"
)

// doorway is a page or a form of one, as browsers ask for it.
type doorway struct{ verb, path string } // "/t/{number}/{verb}"

// doorways are all pages.
func doorways(t testing.TB) (all []doorway) {
	t.Helper()
	for _, pattern := range web.Patterns() {
		verb, path, _ := strings.Cut(pattern, " ")
		all = append(all, doorway{verb, path})
	}
	if len(all) < 100 {
		t.Fatalf("only %d pages were found", len(all))
	}
	return all
}

// isOpen tells whether a page is for those who are not signed in too: the support site and signing in, and what says itself that nobody
// is signed in.
func (d doorway) isOpen() bool {
	return d.path == "/help" || strings.HasPrefix(d.path, "/help/") ||
		slices.Contains([]string{"/", "/{$}", "/sign-in", "/sign-out", "/password", "/theme"}, d.path)
}

// formFields are names that forms of the pages have.
var formFields = []string{"request", "etag", "seen", "title", "description", "text", "reason", "comment", "name", "phone", "unit", "requester.phone",
	"requester.name", "application", "category", "impact", "assignee", "group", "resolution.text", "resolution.code", "score", "satisfaction.score", "pick",
	"heir", "do", "back", "to", "filter", "order", "column", "source", "password", "again", "current", "code", "role", "groups", "lines", "limits", "type",
	"choose", "doing", "through", "fromRequester", "kind", "other", "into", "task", "action", "item", "after", "same", "related", "number", "q"}

// somewhere puts something in the place of each parameter of a path.
func (m *maker) somewhere(path string, sober bool) string {
	return regexp.MustCompile(`\{[^}]+\}`).ReplaceAllStringFunc(path, func(parameter string) string {
		switch {
		case parameter == "{$}":
			return ""
		case parameter == "{verb}" && sober:
			return pick(m.random, []string{"claim", "reply", "note", "resolve", "escalate", "urge", "classify", "cancel", "confirm", "rate", "addTask"})
		}
		value := cmp.Or(m.text(strings.Trim(parameter, "{}."), sober), "x") // an empty part is no address of the page
		return url.PathEscape(value[:min(len(value), 2000)])
	})
}

// form is what a browser sends, or what no browser would: fields, some with a file, or bytes.
func (m *maker) form(sober bool) (media string, body []byte) {
	fields := url.Values{}
	for range m.random.IntN(12) {
		name := pick(m.random, formFields)
		fields.Add(name, m.text(name[strings.LastIndexByte(name, '.')+1:], sober))
	}
	const plain = "application/x-www-form-urlencoded"
	switch {
	case !sober && m.random.IntN(4) == 0:
		return pick(m.random, []string{plain, "multipart/form-data; boundary=x", "multipart/form-data", "application/json", ""}),
			m.damaged([]byte("--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nx\r\n--x--" + fields.Encode()))
	case m.random.IntN(2) == 0:
		return plain, []byte(fields.Encode())
	}
	var sent bytes.Buffer
	sheet := multipart.NewWriter(&sent)
	for name, values := range fields {
		_ = sheet.WriteField(name, values[0]) // a buffer takes everything
	}
	if file, err := sheet.CreateFormFile("file", m.text("name", sober)); err == nil {
		_, _ = file.Write([]byte(m.text("text", sober)))
	}
	_ = sheet.Close()
	return sheet.FormDataContentType(), sent.Bytes()
}

// comesBy asks for a page past the network, with a browser's session.
func (b *besieged) comesBy(t testing.TB, who *stranger, verb, target string, body []byte, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), slowest)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, verb, "http://localhost"+target, bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%s %q: %v", verb, target, err)
	}
	request.RemoteAddr = "127.0.0.1:1"
	if who.token != "" {
		request.AddCookie(&http.Cookie{Name: "tierdesk_330000", Value: who.token})
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	began, answer := time.Now(), httptest.NewRecorder()
	b.node.servers.http.Handler.ServeHTTP(answer, request)
	if took := time.Since(began); took > slowest {
		t.Errorf("%s: %s %q took %v", who.name, verb, target, took)
	}
	return answer
}

// asksFor asks for a page, or sends a form of one, and judges the answer. It tells whether a form was taken.
func (b *besieged) asksFor(t testing.TB, who *stranger, to doorway) (taken bool) {
	t.Helper()
	sober := b.maker.random.IntN(2) == 0
	target, query := b.maker.somewhere(to.path, sober), url.Values{}
	for range b.maker.random.IntN(3) {
		name := pick(b.maker.random, formFields)
		query.Add(name, b.maker.text(name, sober))
	}
	if encoded := query.Encode(); encoded != "" && len(encoded) < 8000 {
		target += "?" + encoded
	}
	headers := []string{"Accept-Language", pick(b.maker.random, []string{"zh-CN", "en", ""}), "HX-Request", pick(b.maker.random, []string{"", "true"})}
	var body []byte
	if to.verb == http.MethodPost {
		media, sent := b.maker.form(sober)
		body, headers = sent, append(headers, "Content-Type", media)
	}
	answer := b.comesBy(t, who, to.verb, target, body, headers...)
	if answer.Code >= http.StatusInternalServerError || inside.MatchString(answer.Body.String()) {
		t.Errorf("%s: %s %.300q %v with %.1500q: %d %.600s", who.name, to.verb, target, headers, body, answer.Code, answer.Body)
	}
	back := answer.Header().Get("Location") + answer.Header().Get("HX-Redirect")
	if asked := strings.HasPrefix(back, "/sign-in"); asked || answer.Code == http.StatusUnauthorized {
		if to.path != "/sign-in" { // where a wrong password is answered so
			b.admit(t, who)
		}
		return false
	}
	return to.verb == http.MethodPost && back != ""
}

// TestPagesStandWhateverIsSent lets strangers of all kinds ask for every page and send every form, with sensible and with senseless
// fields: nothing breaks down, and nobody waits for ever.
func TestPagesStandWhateverIsSent(t *testing.T) {
	_, seed := siegeOf(t)
	b := besiege(t, seed)
	taken := 0
	for _, who := range slices.Backward(b.strangers) {
		for _, to := range doorways(t) {
			if b.asksFor(t, who, to) {
				taken++
			}
		}
	}
	b.mustStand(t)
	if taken < 20 {
		t.Errorf("only %d forms did what was asked: they do not get far enough to find anything", taken)
	}
}

// TestPagesAskWhoItIsAndWhereAFormComesFrom shows no page but the open ones to who is not signed in, and takes no form of another site
// from who is.
func TestPagesAskWhoItIsAndWhereAFormComesFrom(t *testing.T) {
	b := besiege(t, siegeSeed)
	nobody, administrator := b.strangers[0], b.strangers[5]
	for _, to := range doorways(t) {
		target := b.maker.somewhere(to.path, true)
		for _, script := range []string{"", "true"} {
			answer := b.comesBy(t, nobody, to.verb, target, nil, "HX-Request", script)
			sent := answer.Code == http.StatusSeeOther && strings.HasPrefix(answer.Header().Get("Location"), "/sign-in")
			if !to.isOpen() && !sent && answer.Code != http.StatusUnauthorized {
				t.Errorf("%s %s (by a script: %q) is answered %d at %q for who is not signed in", to.verb, to.path, script, answer.Code, answer.Header().Get("Location"))
			}
		}
		if to.verb != http.MethodPost {
			continue
		}
		for _, from := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			if answer := b.comesBy(t, administrator, to.verb, target, nil, from...); answer.Code != http.StatusForbidden {
				t.Errorf("a form of another site (%v) to %s is answered %d", from, to.path, answer.Code)
			}
		}
	}
}
