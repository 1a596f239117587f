package api

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
)

// TestErrorsOfTheForm walks through everything that can be wrong with a call before its content is looked at.
func TestErrorsOfTheForm(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	number := a.create("打印机卡纸")
	ticket := "/api/v1/tickets/" + number
	asJSON := header{"Content-Type", "application/json"}
	for _, c := range []struct {
		name         string
		method, path string
		body         string
		headers      []header
		status, code int
		reason       string
		field        string
		words        string // part of the message
	}{
		{name: "no token", method: "GET", path: ticket, headers: []header{{"Authorization", ""}},
			status: 401, code: 16, reason: "NO_TOKEN", words: "sign in"},
		{name: "unknown token", method: "GET", path: ticket, headers: []header{{"Authorization", "Bearer nobody"}},
			status: 401, code: 16, reason: "UNKNOWN_TOKEN"},
		{name: "another scheme", method: "GET", path: ticket, headers: []header{{"Authorization", "Basic YTpi"}},
			status: 401, code: 16, reason: "BAD_AUTHORIZATION", words: "Bearer <token>"},
		{name: "wrong password", method: "POST", path: "/api/v1/sessions", body: `{"user":"li","password":"no"}`,
			status: 401, code: 16, reason: "WRONG_PASSWORD"},
		{name: "no user", method: "POST", path: "/api/v1/sessions", body: `{"password":"no"}`,
			status: 400, code: 3, reason: "INVALID_FIELD", field: "user"},
		{name: "session of a hundred days", method: "POST", path: "/api/v1/sessions", body: `{"user":"li","password":"correct","ttl":"8640000s"}`,
			status: 400, code: 3, reason: "INVALID_FIELD", field: "ttl"},
		{name: "unknown path", method: "GET", path: "/api/v1/nothing",
			status: 404, code: 5, reason: "UNKNOWN_PATH", words: "openapi.json"},
		{name: "unknown verb", method: "POST", path: ticket + ":explode",
			status: 404, code: 5, reason: "UNKNOWN_PATH"},
		{name: "wrong method", method: "PUT", path: ticket,
			status: 405, code: 12, reason: "METHOD_NOT_ALLOWED", words: "use GET"},
		{name: "verb by GET", method: "GET", path: ticket + ":assign",
			status: 405, code: 12, reason: "METHOD_NOT_ALLOWED", words: "use POST"},
		{name: "readiness by POST", method: "POST", path: "/readyz",
			status: 405, code: 12, reason: "METHOD_NOT_ALLOWED"},
		{name: "unknown body field", method: "POST", path: "/api/v1/tickets", body: `{"ticket":{"title":"x","colour":"red"}}`,
			status: 400, code: 3, reason: "INVALID_FIELD", field: "ticket.colour"},
		{name: "body field of another type", method: "POST", path: "/api/v1/tickets", body: `{"ticket":{"impact":"large"}}`,
			status: 400, code: 3, reason: "INVALID_FIELD", field: "ticket.impact"},
		{name: "unknown enum value", method: "POST", path: "/api/v1/tickets", body: `{"ticket":{"title":"x","channel":"PIGEON"}}`,
			status: 400, code: 3, reason: "INVALID_FIELD", field: "ticket.channel"},
		{name: "list that is none", method: "POST", path: "/api/v1/tickets", body: `{"ticket":{"title":"x","tags":"vpn"}}`,
			status: 400, code: 3, reason: "INVALID_FIELD", field: "ticket.tags"},
		{name: "list with an element of another type", method: "POST", path: "/api/v1/tickets", body: "{\"ticket\":{\"title\":\"打印\",\n\"tags\":[\"网络\",1]}}",
			status: 400, code: 3, reason: "INVALID_FIELD", field: "ticket.tags[1]"},
		{name: "duration that is none", method: "POST", path: "/api/v1/sessions", body: `{"user":"li","password":"correct","ttl":"31d"}`,
			status: 400, code: 3, reason: "INVALID_FIELD", field: "ttl"},
		{name: "unknown body field of half a megabyte", method: "POST", path: ticket + ":note", body: `{"` + strings.Repeat("长", maxBody/6) + `":1}`,
			status: 400, code: 3, reason: "INVALID_FIELD", field: strings.Repeat("长", mostEcho)},
		{name: "field given twice", method: "POST", path: ticket + ":note", body: `{"text":"a","text":"b"}`,
			status: 400, code: 3, reason: "INVALID_FIELD", field: "text"},
		{name: "broken JSON", method: "POST", path: "/api/v1/tickets", body: `{"ticket":`,
			status: 400, code: 3, reason: "INVALID_REQUEST", words: "malformed"},
		{name: "something behind the JSON", method: "POST", path: ticket + ":note", body: `{"text":"a"} {"text":"b"}`,
			status: 400, code: 3, reason: "INVALID_REQUEST"},
		{name: "JSON that is not an object", method: "POST", path: ticket + ":note", body: `["text"]`,
			status: 400, code: 3, reason: "INVALID_REQUEST"},
		{name: "body that is not UTF-8", method: "POST", path: ticket + ":note", body: "{\"text\":\"\xb9\xa4\"}",
			status: 400, code: 3, reason: "NOT_UTF8"},
		{name: "body of more than a megabyte", method: "POST", path: ticket + ":note", body: `{"text":"` + strings.Repeat("a", maxBody) + `"}`,
			status: 413, code: 3, reason: "BODY_TOO_LARGE", words: "1048576"},
		{name: "plain text", method: "POST", path: ticket + ":note", body: `{"text":"a"}`, headers: []header{{"Content-Type", "text/plain"}},
			status: 415, code: 3, reason: "NOT_JSON", words: "application/json"},
		{name: "form", method: "POST", path: ticket + ":note", body: `text=a`, headers: []header{{"Content-Type", "application/x-www-form-urlencoded"}},
			status: 400, code: 3, reason: "INVALID_REQUEST", words: "malformed"},
		{name: "unknown query parameter", method: "GET", path: "/api/v1/tickets?sort=number",
			status: 400, code: 3, reason: "INVALID_FIELD", field: "sort", words: "known are"},
		{name: "query parameter in the schema's spelling", method: "GET", path: "/api/v1/tickets?page_size=10",
			status: 400, code: 3, reason: "INVALID_FIELD", field: "page_size"},
		{name: "query parameter where there are none", method: "POST", path: ticket + ":start?dry=1",
			status: 400, code: 3, reason: "INVALID_FIELD", field: "dry"},
		{name: "query parameter given twice", method: "GET", path: "/api/v1/tickets?pageSize=1&pageSize=2",
			status: 400, code: 3, reason: "INVALID_FIELD", field: "pageSize"},
		{name: "query that is not UTF-8", method: "GET", path: "/api/v1/tickets?filter=%B9%A4",
			status: 400, code: 3, reason: "INVALID_FIELD", field: "filter"},
		{name: "malformed query", method: "GET", path: "/api/v1/tickets?filter=%zz",
			status: 400, code: 3, reason: "INVALID_QUERY"},
		{name: "path that is not UTF-8", method: "GET", path: "/api/v1/tickets/%B9%A4",
			status: 400, code: 3, reason: "NOT_UTF8"},
		{name: "page size that is no number", method: "GET", path: "/api/v1/tickets?pageSize=many",
			status: 400, code: 3, reason: "INVALID_FIELD", field: "pageSize"},
		{name: "page size over the limit", method: "GET", path: "/api/v1/tickets?pageSize=501",
			status: 400, code: 3, reason: "INVALID_FIELD", field: "pageSize", words: "500"},
		{name: "negative page size", method: "GET", path: ticket + "/journal?pageSize=-1",
			status: 400, code: 3, reason: "INVALID_FIELD", field: "pageSize"},
		{name: "page token that is none", method: "GET", path: "/api/v1/tickets?pageToken=abc",
			status: 400, code: 3, reason: "INVALID_FIELD", field: "pageToken"},
		{name: "unknown order", method: "GET", path: "/api/v1/tickets?orderBy=colour",
			status: 400, code: 3, reason: "INVALID_FIELD", field: "orderBy", words: "updateTime desc"},
		{name: "unknown consistency", method: "GET", path: ticket + "?consistency=eventual",
			status: 400, code: 3, reason: "INVALID_FIELD", field: "consistency"},
		{name: "If-Match without quotes", method: "POST", path: ticket + ":start", headers: []header{{"If-Match", "abc"}},
			status: 400, code: 3, reason: "INVALID_FIELD", field: "If-Match"},
		{name: "If-Match of two etags", method: "POST", path: ticket + ":start", headers: []header{{"If-Match", `"a", "b"`}},
			status: 400, code: 3, reason: "INVALID_FIELD", field: "If-Match"},
		{name: "If-Match that is not ASCII", method: "POST", path: ticket + ":start", headers: []header{{"If-Match", "\"版本\""}},
			status: 400, code: 3, reason: "INVALID_FIELD", field: "If-Match"},
		{name: "token that is not ASCII", method: "GET", path: ticket, headers: []header{{"Authorization", "Bearer 令牌"}},
			status: 400, code: 3, reason: "INVALID_FIELD", field: "Authorization"},
		{name: "no ticket in create", method: "POST", path: "/api/v1/tickets", headers: []header{asJSON},
			status: 400, code: 3, reason: "INVALID_FIELD", field: "ticket"},
		{name: "user without a role", method: "POST", path: "/api/v1/users", body: `{"user":{"name":"wang"},"password":"long enough"}`,
			status: 400, code: 3, reason: "INVALID_FIELD", field: "user.role"},
		{name: "user of an unknown role", method: "POST", path: "/api/v1/users", body: `{"user":{"name":"wang","role":9},"password":"long enough"}`,
			status: 400, code: 3, reason: "INVALID_FIELD", field: "user.role"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := a.call(c.method, c.path, c.body, c.headers...)
			want := fmt.Sprintf("%d code %d reason %s field %q", c.status, c.code, c.reason, c.field)
			have := fmt.Sprintf("%d code %v reason %s field %q", got.status, got.json["code"], got.reason(), got.field())
			if have != want {
				t.Fatalf("%s %.80s:\n got %s\nwant %s\n%s", c.method, c.path, have, want, got.body)
			}
			if message := got.text("message"); !strings.Contains(message, c.words) || strings.Contains(message, "\n") || message == "" {
				t.Errorf("message %q, want one line with %q", message, c.words)
			}
			if c.status == 401 && !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("401 without WWW-Authenticate: Bearer")
			}
			if c.status == 405 && got.header.Get("Allow") == "" {
				t.Errorf("405 without Allow")
			}
		})
	}
}

// TestErrorsOfTheSite has the log answer with every kind of error.
func TestErrorsOfTheSite(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	for _, c := range []struct {
		err          error
		status, code int
		reason       string
		retry        bool
	}{
		{desk.RefuseField("title", "is too long"), 400, 3, "INVALID_FIELD", false},
		{desk.Refuse(desk.NotFound, "TICKET_NOT_FOUND", "unknown"), 404, 5, "TICKET_NOT_FOUND", false},
		{desk.Refuse(desk.AlreadyExists, "REQUEST_ID_REUSED", "used"), 409, 6, "REQUEST_ID_REUSED", false},
		{desk.Refuse(desk.PermissionDenied, "", "not yours"), 403, 7, "PERMISSION_DENIED", false},
		{desk.Refuse(desk.FailedPrecondition, "NOT_CUSTODIAN", "held by 330100"), 409, 9, "NOT_CUSTODIAN", false},
		{desk.Refuse(desk.Aborted, "STALE_ETAG", "changed meanwhile"), 409, 10, "STALE_ETAG", false},
		{fmt.Errorf("propose: %w", desk.Refuse(desk.Aborted, "STALE_ETAG", "wrapped")), 409, 10, "STALE_ETAG", false},
		{status.Error(codes.Unavailable, "no leader"), 503, 14, "UNAVAILABLE", true},
		{status.Error(codes.ResourceExhausted, "too many commands wait"), 429, 8, "OVERLOADED", true},
		{status.Error(codes.DeadlineExceeded, "no answer"), 504, 4, "OUTCOME_UNKNOWN", false},
		{fmt.Errorf("propose: %w", context.DeadlineExceeded), 504, 4, "OUTCOME_UNKNOWN", false},
		{context.Canceled, 499, 1, "OUTCOME_UNKNOWN", false},
		{errors.New("disk secret-path is broken"), 500, 13, "INTERNAL", false},
	} {
		a.site.set(func() { a.site.failWith = c.err })
		got := a.call("POST", "/api/v1/tickets", `{"ticket":{"title":"x"}}`)
		if got.status != c.status || got.json["code"] != float64(c.code) || got.reason() != c.reason {
			t.Errorf("error %v: got %d %s, want %d, code %d, reason %s", c.err, got.status, got.body, c.status, c.code, c.reason)
		}
		if retry := got.header.Get("Retry-After") != ""; retry != c.retry {
			t.Errorf("error %v: Retry-After present is %v, want %v", c.err, retry, c.retry)
		}
		if strings.Contains(got.body, "secret") {
			t.Errorf("a fault leaves the node with its cause: %s", got.body)
		}
	}
	if !strings.Contains(a.log.String(), "secret-path") {
		t.Errorf("the log does not have the fault's cause:\n%s", a.log)
	}
}

func TestAReadThatIsLateLosesNothing(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	late := a.server.statusOf(t.Context(), "/tierdesk.v1.Tickets/GetTicket", nil, context.DeadlineExceeded)
	if late.Code() != codes.DeadlineExceeded || strings.Contains(late.Message(), "unknown") {
		t.Errorf("a late read is answered %v", late)
	}
}

func TestAPanicIsAnsweredAndItsStackIsInTheLogAlone(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	a.site.set(func() { a.site.panics = true })
	got := a.call("POST", "/api/v1/tickets", `{"ticket":{"title":"x"}}`)
	if got.status != 500 || got.reason() != "INTERNAL" || strings.Contains(got.body, "hole") || strings.Contains(got.body, "goroutine") {
		t.Errorf("a panic is answered %d %s", got.status, got.body)
	}
	if log := a.log.String(); !strings.Contains(log, "the log has a hole") || !strings.Contains(log, "memorySite") {
		t.Errorf("the log has not the panic with its stack:\n%s", log)
	}
}
