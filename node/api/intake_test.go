package api

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// fill has calls over HTTP and gRPC wait in the site's log, each with a body of about size bytes, until the API holds so
// many calls. The result lets them end and waits for them.
func (a *testAPI) fill(t *testing.T, connection *grpc.ClientConn, calls, size int) (release func()) {
	t.Helper()
	hold := make(chan struct{})
	a.site.set(func() { a.site.hold = hold })
	text := strings.Repeat("a", size)
	ctx := signedIn(t)
	var running sync.WaitGroup
	for i := range calls {
		running.Go(func() {
			if i%2 == 0 {
				a.call("POST", "/api/v1/tickets", `{"ticket":{"title":"x","description":"`+text+`"}}`)
				return
			}
			_, _ = apipb.NewTicketsClient(connection).CreateTicket(ctx, &apipb.CreateTicketRequest{
				Ticket: &deskpb.Ticket{Title: "x", Description: text}}) // only that it waits matters
		})
	}
	deadline := time.Now().Add(30 * time.Second)
	for held := 0; held < calls; held, _ = a.server.intake.held() {
		if time.Now().After(deadline) {
			t.Fatalf("the API holds %d calls, want %d", held, calls)
		}
		time.Sleep(time.Millisecond)
	}
	return func() {
		a.site.set(func() { a.site.hold = nil })
		close(hold)
		running.Wait()
	}
}

// mustRefuse checks that a call is refused for certain, by HTTP and by gRPC, with a hint when to try again, while the
// node can still be looked at.
func (a *testAPI) mustRefuse(t *testing.T, connection *grpc.ClientConn, body string) {
	t.Helper()
	got := a.call("POST", "/api/v1/tickets", `{"ticket":{"title":"x","description":"`+body+`"}}`)
	if got.status != 429 || got.reason() != "OVERLOADED" || got.header.Get("Retry-After") != "1" || got.detail("RetryInfo", "retryDelay") != "1s" {
		t.Errorf("HTTP: %d %v %s, want 429 OVERLOADED with Retry-After", got.status, got.header, got.body)
	}
	_, err := apipb.NewTicketsClient(connection).CreateTicket(signedIn(t), &apipb.CreateTicketRequest{
		Ticket: &deskpb.Ticket{Title: "x", Description: body}})
	if st := status.Convert(err); st.Code() != codes.ResourceExhausted || retryAfter(st) != time.Second {
		t.Errorf("gRPC: %v, want ResourceExhausted with RetryInfo", err)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/api/openapi.json"} {
		if got := a.call("GET", path, ""); got.status != 200 {
			t.Errorf("GET %s of an overloaded node: %d", path, got.status)
		}
	}
}

func TestTooManyCallsAreRefusedEarly(t *testing.T) {
	a := newTestAPI(t)
	connection := a.dial(t)
	a.server.intake.mostCalls = 8
	release := a.fill(t, connection, 8, 10)
	a.mustRefuse(t, connection, "")
	if got := a.call("GET", "/api/v1/site", ""); got.status != 429 {
		t.Errorf("a read of an overloaded node: %d, want 429", got.status)
	}
	release()
	a.create("打印机卡纸")
	if calls, bytes := a.server.intake.held(); calls != 0 || bytes != 0 {
		t.Errorf("after the last call %d calls and %d bytes are held", calls, bytes)
	}
}

func TestTooManyBytesAreRefusedEarly(t *testing.T) {
	a := newTestAPI(t)
	connection := a.dial(t)
	a.server.intake.mostBytes = 50_000
	release := a.fill(t, connection, 4, 10_000)
	a.mustRefuse(t, connection, strings.Repeat("a", 20_000))
	if got := a.call("GET", "/api/v1/site", ""); got.status != 200 {
		t.Errorf("a read while only bodies are too many: %d, want 200", got.status)
	}
	release()
	if calls, bytes := a.server.intake.held(); calls != 0 || bytes != 0 {
		t.Errorf("after the last call %d calls and %d bytes are held", calls, bytes)
	}
}

// endless is a body that never ends; it counts what was read of it.
type endless struct{ read int }

func (e *endless) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = 'a'
	}
	e.read += len(into)
	return len(into), nil
}

// A body is refused where the room ends, not after all of it has come in.
func TestABodyIsCountedWhileItComesIn(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	a.server.intake.mostBytes = 100_000
	body := &endless{}
	request := httptest.NewRequest("POST", "/api/v1/tickets", body)
	recorder := httptest.NewRecorder()
	a.handler.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusTooManyRequests || body.read > 200_000 {
		t.Errorf("an endless body: %d after %d bytes, want 429 soon after 100000", recorder.Code, body.read)
	}
}

func TestDefaultsOfTheIntake(t *testing.T) {
	t.Parallel()
	i := newIntake()
	var admitted []*admission
	for range maxCalls {
		call, err := i.admit()
		if err != nil {
			t.Fatal(err)
		}
		admitted = append(admitted, call)
	}
	if _, err := i.admit(); err == nil {
		t.Errorf("call %d was taken in", maxCalls+1)
	}
	for n := range maxCallBytes / maxBody {
		if err := admitted[n].grow(maxBody); err != nil {
			t.Fatal(err)
		}
	}
	if err := admitted[0].grow(1); err == nil {
		t.Errorf("a byte over %d was taken in", maxCallBytes)
	}
	for _, call := range admitted {
		call.end()
	}
	if calls, bytes := i.held(); calls != 0 || bytes != 0 {
		t.Errorf("%d calls and %d bytes are held after all have ended", calls, bytes)
	}
}

func TestAMessageOverTheLimitNamesTheLimit(t *testing.T) {
	a := newTestAPI(t)
	const most = 2 << 20
	tickets := apipb.NewTicketsClient(a.dial(t, grpc.MaxRecvMsgSize(most)))
	for _, c := range []struct {
		bytes int
		code  codes.Code
		limit int
	}{
		{maxBody + 1, codes.InvalidArgument, maxBody},
		{most + 1, codes.ResourceExhausted, most}, // gRPC's own words
	} {
		_, err := tickets.NoteTicket(signedIn(t), &apipb.NoteTicketRequest{Number: "x", Text: strings.Repeat("a", c.bytes)})
		if st := status.Convert(err); st.Code() != c.code || !strings.Contains(st.Message(), fmt.Sprint(c.limit)) {
			t.Errorf("a message of %d bytes: %v, want %v with %d", c.bytes, err, c.code, c.limit)
		}
	}
}

func TestHeadIsGetWithoutTheBody(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	number := a.create("打印机卡纸")
	server := httptest.NewServer(a.handler)
	defer server.Close()
	for _, c := range []struct {
		path string
		want int
	}{
		{"/api/v1/tickets/" + number, 200}, {"/api/v1/site", 200}, {"/api/v1/tickets/none", 404},
		{"/api/v1/tickets/" + number + ":start", 405}, {"/api/v1/nothing", 404}, {"/healthz", 200},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, server.URL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer admin")
		answer, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if closed := answer.Body.Close(); err != nil || closed != nil {
			t.Fatal(err, closed)
		}
		if answer.StatusCode != c.want || len(body) > 0 {
			t.Errorf("HEAD %s: %d with %d bytes, want %d without any", c.path, answer.StatusCode, len(body), c.want)
		}
		if c.want == 200 && strings.Contains(c.path, "tickets") && answer.Header.Get("ETag") == "" {
			t.Errorf("HEAD %s has no ETag", c.path)
		}
	}
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	got := a.must("GET", "/api/v1/site:diagnose", "")
	checks, _ := got.json["checks"].([]any)
	if len(checks) != 1 {
		t.Fatalf("the checks are %s", got.body)
	}
	if check := checks[0].(map[string]any); check["node"] != "n1" || check["state"] != "WARNING" || check["remedy"] != "make room" {
		t.Errorf("the check is %v", check)
	}
	if got := a.call("GET", "/api/v1/site:diagnose", "", header{"Authorization", ""}); got.status != 401 {
		t.Errorf("a diagnosis without a token: %d, want 401", got.status)
	}
}

// held is what is under way.
func (i *intake) held() (calls, bytes int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.calls, i.bytes
}
