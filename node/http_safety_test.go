package node

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// exchanged is an answer over HTTP that was read to its end.
type exchanged struct {
	status int
	header http.Header
	body   string
}

// reason is the machine-readable reason of an error, "" when the answer is none.
func (e exchanged) reason() string {
	return e.detail("ErrorInfo", "reason")
}

// detail is a field of an error's detail.
func (e exchanged) detail(kind, field string) string {
	var problem struct {
		Details []map[string]any `json:"details"`
	}
	if json.Unmarshal([]byte(e.body), &problem) != nil {
		return ""
	}
	for _, detail := range problem.Details {
		if name, _ := detail["@type"].(string); strings.HasSuffix(name, "."+kind) {
			value, _ := detail[field].(string)
			return value
		}
	}
	return ""
}

// overHTTP sends a request to a node and reads the answer.
func overHTTP(t *testing.T, n *Node, method, path, body string, headers ...string) exchanged {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+n.HTTPAddr()+path, strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	direct := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       patience,
	}
	answer, err := direct.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%s %s: read the answer: %v", method, path, err)
	}
	return exchanged{answer.StatusCode, answer.Header, string(read)}
}

// sessionOf signs in over HTTP.
func sessionOf(t *testing.T, n *Node, user, password string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"user": user, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	got := overHTTP(t, n, "POST", "/api/v1/sessions", string(body))
	var session struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal([]byte(got.body), &session); err != nil || session.Token == "" {
		t.Fatalf("sign %s in: %d %s", user, got.status, got.body)
	}
	return session.Token
}

// routesOf are all paths and methods that a node's API document names, with something in the place of each parameter.
func routesOf(t *testing.T, n *Node) (routes []struct{ method, path string }) {
	t.Helper()
	var document struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(overHTTP(t, n, "GET", "/api/openapi.json", "").body), &document); err != nil {
		t.Fatal(err)
	}
	for path, methods := range document.Paths {
		for strings.Contains(path, "{") {
			before, rest, _ := strings.Cut(path, "{")
			_, after, _ := strings.Cut(rest, "}")
			path = before + "x1" + after
		}
		for method := range methods {
			routes = append(routes, struct{ method, path string }{strings.ToUpper(method), path})
		}
	}
	if len(routes) < 80 {
		t.Fatalf("the document names %d calls: it was not read as it should", len(routes))
	}
	return routes
}

// TestEveryAnswerOverHTTPIsSafeToShow walks over all calls of the API, the pages and what is neither.
func TestEveryAnswerOverHTTPIsSafeToShow(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	token := sessionOf(t, n, "admin", password)
	routes := routesOf(t, n)
	style := regexp.MustCompile(`/static/[^"]+/style\.css`).FindString(overHTTP(t, n, "GET", "/sign-in", "").body)
	if style == "" {
		t.Fatal("the page for signing in loads no style")
	}
	for _, path := range []string{"/", "/sign-in", "/sign-out", style, "/static/x1/style.css", "/nothing", "/../etc/passwd", "/api/v1/nothing", "/api/",
		"/healthz", "/readyz", "/metrics", "/api/openapi.json", "/debug/pprof/", "/api/v1/tickets/x1/attachments/x2"} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
			routes = append(routes, struct{ method, path string }{method, path})
		}
	}
	for _, route := range routes {
		for _, authorization := range []string{"", "Bearer " + token} {
			if authorization != "" && strings.HasPrefix(route.path, "/api/v1/sessions") {
				continue // it would end the session
			}
			got := overHTTP(t, n, route.method, route.path, "", "Authorization", authorization, "X-Request-Id", "walk-7")
			got.mustBeSafe(t, route.method+" "+route.path, isPage(route.path))
		}
	}
}

// inside is what only the program's own stack or source positions look like.
var inside = regexp.MustCompile(`goroutine \d+ \[|\.go:\d+`)

// isPage tells whether a path is one of the pages, which is everything that is neither the API nor for those who watch the node.
func isPage(path string) bool {
	return !strings.HasPrefix(path, "/api/") && path != "/healthz" && path != "/readyz" && path != "/metrics"
}

// mustBeSafe checks an answer to a request with the id walk-7. Pages load scripts and styles of this site and nothing else; only the
// files that they load may be kept in a cache. Pages tell their address to their own site: without it a browser names no origin for a form
// that it sends, and on an office network without TLS nothing else tells a form of this site from one of another. To other sites no page
// tells where somebody comes from.
func (e exchanged) mustBeSafe(t *testing.T, name string, page bool) {
	t.Helper()
	referrer := "no-referrer"
	if page {
		referrer = "same-origin"
	}
	if e.status >= 500 && e.status != http.StatusNotImplemented {
		t.Errorf("%s: %d %s, want no fault", name, e.status, e.body)
	}
	for header, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": referrer, "X-Request-Id": "walk-7",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Access-Control-Allow-Origin": "", "Strict-Transport-Security": "", "Server": "",
	} {
		if have := e.header.Get(header); have != want {
			t.Errorf("%s: header %s is %q, want %q", name, header, have, want)
		}
	}
	policy := e.header.Get("Content-Security-Policy")
	scripts := strings.Contains(policy, "script") && !(page && strings.Contains(policy, "script-src 'self';"))
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || scripts ||
		strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || strings.Contains(policy, "*") {
		t.Errorf("%s: Content-Security-Policy %q lets something in", name, policy)
	}
	static := e.status == http.StatusOK && strings.Contains(name, " /static/")
	if cached := e.header.Get("Cache-Control"); !static && cached != "no-store" {
		t.Errorf("%s: Cache-Control %q, want no-store", name, cached)
	}
	if shown := inside.FindString(e.body); shown != "" {
		t.Errorf("%s: the answer shows the inside of the program: %s", name, shown)
	}
}

// TestACookieIsNoToken has the console's session cookie do nothing at the API.
func TestACookieIsNoToken(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	token := sessionOf(t, n, "admin", password)
	cookie := "tierdesk_330106=" + token
	if got := overHTTP(t, n, "GET", "/desk", "", "Cookie", cookie); !strings.Contains(got.body, "sign-out") {
		t.Fatalf("the cookie does not even open the page: %d %s", got.status, got.body)
	}
	for _, c := range []struct {
		name, method, path string
		headers            []string
		status             int
		reason             string
	}{
		{"read", "GET", "/api/v1/tickets", nil, 401, "NO_TOKEN"},
		{"write", "POST", "/api/v1/tickets", nil, 401, "NO_TOKEN"},
		{"token in the address", "GET", "/api/v1/tickets?access_token=" + token, nil, 400, "INVALID_FIELD"},
		{"from another origin", "POST", "/api/v1/tickets", []string{"Sec-Fetch-Site", "cross-site"}, 403, "CROSS_ORIGIN"},
		{"from another origin of the same site", "POST", "/api/v1/tickets", []string{"Sec-Fetch-Site", "same-site"}, 403, "CROSS_ORIGIN"},
		{"from another origin by an old browser", "POST", "/api/v1/tickets", []string{"Origin", "https://evil.example"}, 403, "CROSS_ORIGIN"},
		{"from another origin with a token beside it", "DELETE", "/api/v1/sessions/current",
			[]string{"Sec-Fetch-Site", "cross-site", "Authorization", "Bearer " + token}, 403, "CROSS_ORIGIN"},
		{"a page's form", "POST", "/sign-out", []string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := overHTTP(t, n, c.method, c.path, "", append(c.headers, "Cookie", cookie)...)
			if got.status != c.status || got.reason() != c.reason {
				t.Errorf("%d %s, want %d with reason %q", got.status, got.body, c.status, c.reason)
			}
			if strings.Contains(got.body, token) {
				t.Errorf("the answer repeats the token")
			}
		})
	}
	if got := overHTTP(t, n, "GET", "/api/v1/site", "", "Authorization", "Bearer "+token); got.status != 200 {
		t.Errorf("the session was ended: %d %s", got.status, got.body)
	}
}

func TestRequestIDs(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	for brought, kept := range map[string]bool{
		"abc-123_X.9": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "": false, "two words": false, "a\tb": false, "工单": false, `"`: false,
	} {
		for _, path := range []string{"/", "/healthz", "/api/v1/tickets", "/api/v1/nothing"} {
			got := overHTTP(t, n, "GET", path, "", "X-Request-Id", brought)
			id := got.header.Get("X-Request-Id")
			if (id == brought) != kept || len(id) < 3 {
				t.Errorf("GET %s with X-Request-Id %q: answered %q, want it kept: %t", path, brought, id, kept)
			}
			if named := got.detail("RequestInfo", "requestId"); got.status >= 400 && named != id {
				t.Errorf("GET %s: the error names the request %q, the header %q", path, named, id)
			}
		}
	}
}

func TestTheLogOfABreakdownHasNoSecretOfALink(t *testing.T) {
	for path, want := range map[string]string{
		"/t/330106-20261122-0001":                 "/t/330106-20261122-0001",
		"/help/p/s3cret":                          "/help/p/{token}",
		"/help/p/s3cret/files/7":                  "/help/p/{token}/files/7",
		"/api/v1/portal/problems/s3cret:act":      "/api/v1/portal/problems/{token}",
		"/api/v1/portal/problems/s3/attachments/": "/api/v1/portal/problems/{token}/attachments/",
		"/api/v1/survey/s3cret":                   "/api/v1/survey/{token}",
		"/help/s/s3cret":                          "/help/s/{token}",
	} {
		if got := spokenPath(path); got != want {
			t.Errorf("%s is logged as %s, want %s", path, got, want)
		}
	}
}

// TestAPageThatPanicsShowsNoStack keeps the stack for the log.
func TestAPageThatPanicsShowsNoStack(t *testing.T) {
	var log bytes.Buffer
	broken := safety{log: slog.New(slog.NewTextHandler(&log, nil))}.around(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a hole in the floor") }))
	answer := httptest.NewRecorder()
	request := httptest.NewRequest("GET", "/", nil)
	request.Header.Set("X-Request-Id", "r-1")
	broken.ServeHTTP(answer, request)
	if body := answer.Body.String(); answer.Code != 500 || strings.Contains(body, "hole") || strings.Contains(body, "goroutine") {
		t.Errorf("answered %d %q, want 500 without the cause", answer.Code, body)
	}
	if told := log.String(); !strings.Contains(told, "a hole in the floor") || !strings.Contains(told, "request=r-1") || !strings.Contains(told, "http_safety_test.go") {
		t.Errorf("the log has not the cause, the request and the stack: %s", told)
	}
}

// Browsers stay with TLS for as long as the certificate counts: of one that has ended they have to be able to let people pass.
func TestOverTLSBrowsersAreToldToStayThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		for _, c := range []struct {
			encrypted bool
			left      time.Duration
			want      string
		}{
			{false, 90 * day, ""}, {true, 90 * day, "max-age=7776000"}, {true, 1000 * day, "max-age=31536000"}, {true, -day, "max-age=0"},
		} {
			request, answer := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
			if c.encrypted {
				request.TLS = &tls.ConnectionState{}
			}
			ends := func() time.Time { return time.Now().Add(c.left) }
			safety{slog.New(slog.DiscardHandler), ends}.around(http.NotFoundHandler()).ServeHTTP(answer, request)
			if told := answer.Header().Get("Strict-Transport-Security"); told != c.want {
				t.Errorf("over TLS: %t, with %v left, Strict-Transport-Security: %q, want %q", c.encrypted, c.left, told, c.want)
			}
		}
	})
}

// TestCallersThatDribbleAreCutOff opens connections that send a byte now and then. They end by the server's time, and others are served
// meanwhile.
func TestCallersThatDribbleAreCutOff(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	const callers = 200
	served := n.servers.http
	if served.ReadHeaderTimeout > 10*time.Second || served.ReadHeaderTimeout == 0 || served.ReadTimeout == 0 || served.ReadTimeout > time.Minute ||
		served.WriteTimeout == 0 || served.IdleTimeout == 0 || served.MaxHeaderBytes > 1<<20 || served.MaxHeaderBytes == 0 {
		t.Fatalf("the server's times and sizes are not bounded: %+v", served)
	}
	began := time.Now()
	var running sync.WaitGroup
	for range callers {
		running.Go(func() {
			dribble(t, n.HTTPAddr(), "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		})
	}
	for time.Since(began) < served.ReadHeaderTimeout-time.Second {
		if got := overHTTP(t, n, "GET", "/sign-in", ""); got.status != 200 {
			t.Errorf("while %d callers dribble, the node answers %d %s", callers, got.status, got.body)
		}
		time.Sleep(100 * time.Millisecond) // between two looks
	}
	running.Wait()
}

// TestABodyThatDribblesIsCutOff shortens the server's time to see it kept.
func TestABodyThatDribblesIsCutOff(t *testing.T) {
	read := make(chan error, 1)
	server := newHTTPServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		read <- err
	}), nil, slog.New(slog.DiscardHandler))
	server.ReadTimeout = 300 * time.Millisecond
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	dribble(t, listener.Addr().String(), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
	if err := <-read; err == nil {
		t.Errorf("the body ended in order, want an error after about %v", server.ReadTimeout)
	}
	_ = server.Close()
	<-ended
}

// dribble sends a beginning, then a byte now and then, until the other end does not take it any more.
func dribble(t *testing.T, address, beginning string) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	defer connection.Close()
	deadline := time.Now().Add(2 * patience) // more than the server's time
	_ = connection.SetDeadline(deadline)
	_, err = io.WriteString(connection, beginning)
	for err == nil {
		time.Sleep(50 * time.Millisecond) // a slow hand
		_, err = connection.Write([]byte("a"))
	}
	if !time.Now().Before(deadline) {
		t.Errorf("a caller that dribbles was not cut off in %v", 2*patience)
	}
}
