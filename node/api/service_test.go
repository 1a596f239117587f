package api

import (
	"context"
	"encoding/json"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dial serves the API over gRPC in memory and connects to it.
func (a *testAPI) dial(t *testing.T, options ...grpc.ServerOption) *grpc.ClientConn {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	server := grpc.NewServer(options...)
	a.server.Register(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	connection, err := grpc.NewClient("passthrough:api", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := connection.Close(); err != nil {
			t.Errorf("close the connection: %v", err)
		}
		server.Stop()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return connection
}

func signedIn(t *testing.T) context.Context {
	return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer admin")
}

// TestGRPC calls the same services without the gateway.
func TestGRPC(t *testing.T) {
	a := newTestAPI(t)
	outer := 0
	connection := a.dial(t, grpc.UnaryInterceptor(
		func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			outer++
			return handler(ctx, in)
		}))
	tickets := apipb.NewTicketsClient(connection)
	if _, err := tickets.GetTicket(t.Context(), &apipb.GetTicketRequest{Number: "x"}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("a call without a token: %v", err)
	}
	session, err := apipb.NewSessionsClient(connection).CreateSession(t.Context(), &apipb.CreateSessionRequest{User: "admin", Password: "correct"})
	if err != nil || session.GetToken() != "admin" {
		t.Fatalf("sign in: %v %v", session, err)
	}
	ctx := signedIn(t)
	made, err := tickets.CreateTicket(ctx, &apipb.CreateTicketRequest{Ticket: &deskpb.Ticket{Title: "打印机卡纸"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tickets.StartTicket(ctx, &apipb.StartTicketRequest{Number: made.GetNumber(), Etag: "stale"}); status.Code(err) != codes.Aborted {
		t.Errorf("a stale etag: %v", err)
	}
	if outer != 4 {
		t.Errorf("the server's own interceptor saw %d calls, want 4", outer)
	}
	refused := func(what, words string, err error) {
		t.Helper()
		if st := status.Convert(err); st.Code() != codes.InvalidArgument || !strings.Contains(st.Message(), words) {
			t.Errorf("%s: %v, want InvalidArgument with %q", what, err, words)
		}
	}
	_, err = tickets.GetTicket(ctx, &apipb.GetTicketRequest{})
	refused("a ticket without a number", "number", err)
	_, err = tickets.ListJournal(ctx, &apipb.ListJournalRequest{})
	refused("a journal without a number", "number", err)
	_, err = tickets.NoteTicket(ctx, &apipb.NoteTicketRequest{Text: "x"})
	refused("a note without a number", "number", err)
	_, err = tickets.NoteTicket(ctx, &apipb.NoteTicketRequest{Number: made.GetNumber(), Text: strings.Repeat("x", maxCommand)})
	refused("a note of half a megabyte", "524288", err)
	_, err = tickets.NoteTicket(ctx, &apipb.NoteTicketRequest{Number: made.GetNumber(), Text: strings.Repeat("x", desk.MaxText+1)})
	if err == nil {
		t.Error("a note over the limit of a text was taken")
	}
}

func TestHealthAndReflectionNeedNoToken(t *testing.T) {
	a := newTestAPI(t)
	connection := a.dial(t)
	checker := grpc_health_v1.NewHealthClient(connection)
	check := func() grpc_health_v1.HealthCheckResponse_ServingStatus {
		answer, err := checker.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return answer.GetStatus()
	}
	if got := check(); got != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("a ready node is %v", got)
	}
	a.site.set(func() { a.site.reasons = []string{"no leader"} })
	if got := check(); got != grpc_health_v1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("a node without a leader is %v", got)
	}
	stream, err := grpc_reflection_v1.NewServerReflectionClient(connection).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	request := &grpc_reflection_v1.ServerReflectionRequest{
		MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{},
	}
	if err := stream.Send(request); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil || !strings.Contains(answer.String(), "tierdesk.v1.Tickets") {
		t.Errorf("reflection lists %v %v", answer, err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Error(err)
	}
}

// TestHealthIsWatched follows a node that loses its leader and then stops.
func TestHealthIsWatched(t *testing.T) {
	a := newTestAPI(t)
	checker := grpc_health_v1.NewHealthClient(a.dial(t))
	if _, err := checker.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "nobody"}); status.Code(err) != codes.NotFound {
		t.Errorf("a service that is not there: %v", err)
	}
	list, err := checker.List(t.Context(), &grpc_health_v1.HealthListRequest{})
	if err != nil || len(list.GetStatuses()) != len(healthNames()) {
		t.Errorf("list: %v %v", list, err)
	}
	watch := func(service string) func(want grpc_health_v1.HealthCheckResponse_ServingStatus) {
		stream, err := checker.Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: service})
		if err != nil {
			t.Fatal(err)
		}
		return func(want grpc_health_v1.HealthCheckResponse_ServingStatus) {
			t.Helper()
			answer, err := stream.Recv()
			if want == grpc_health_v1.HealthCheckResponse_UNKNOWN {
				if status.Code(err) != codes.Unavailable {
					t.Errorf("the end of watching %q: %v %v", service, answer, err)
				}
			} else if err != nil || answer.GetStatus() != want {
				t.Errorf("watching %q: %v %v, want %v", service, answer, err, want)
			}
		}
	}
	node, tickets, nobody := watch(""), watch("tierdesk.v1.Tickets"), watch("nobody")
	node(grpc_health_v1.HealthCheckResponse_SERVING)
	tickets(grpc_health_v1.HealthCheckResponse_SERVING)
	nobody(grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN)
	a.site.set(func() { a.site.reasons = []string{"no leader"} })
	node(grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	a.site.set(func() { a.site.reasons = nil })
	node(grpc_health_v1.HealthCheckResponse_SERVING)
	a.server.Drain()
	a.server.Drain() // a second one does nothing
	node(grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	node(grpc_health_v1.HealthCheckResponse_UNKNOWN)
	nobody(grpc_health_v1.HealthCheckResponse_UNKNOWN)
}

func TestEveryCallHasADeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		left := func(ctx context.Context) time.Duration {
			bounded, cancel := withDeadline(ctx)
			defer cancel()
			until, ok := bounded.Deadline()
			if !ok {
				t.Fatal("the call has no deadline")
			}
			return time.Until(until)
		}
		short, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		long, cancelLong := context.WithTimeout(t.Context(), time.Hour)
		defer cancelLong()
		got := []time.Duration{left(t.Context()), left(short), left(long)}
		if want := []time.Duration{10 * time.Second, 3 * time.Second, 30 * time.Second}; !slices.Equal(got, want) {
			t.Errorf("without, with a short, with a long deadline a call gets %v, want %v", got, want)
		}
	})
}

func TestSitesAndUsers(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	site := a.must("GET", "/api/v1/site", "")
	if site.json["term"] != "3" || site.json["appliedIndex"] != "42" || site.text("leader") != "n1" || site.text("site.tier") != "COUNTY" {
		t.Errorf("the site is %s", site.body)
	}
	link := site.json["links"].([]any)[0].(map[string]any)
	if link["peer"] != "330100" || link["direction"] != "PARENT" || link["state"] != "UP" || link["pending"] != 2.0 {
		t.Errorf("the link is %v", link)
	}
	if sites, _ := a.must("GET", "/api/v1/sites", "").json["sites"].([]any); len(sites) != 1 {
		t.Errorf("the sites are %v", sites)
	}
	if parked := a.must("GET", "/api/v1/site/parked", ""); len(parked.json["items"].([]any)) != 0 {
		t.Errorf("set aside is %s", parked.body)
	}

	agent := header{"Authorization", "Bearer li"}
	for path, body := range map[string]string{
		"/api/v1/site:transferLeadership": `{"node":"n2"}`,
		"/api/v1/site:removeNode":         `{"node":"n2"}`,
		"/api/v1/users":                   `{"user":{"name":"wang","role":"AGENT"},"password":"long enough"}`,
	} {
		if got := a.call("POST", path, body, agent); got.status != 403 || got.reason() != "PERMISSION_DENIED" {
			t.Errorf("an agent's POST %s: %d %s", path, got.status, got.body)
		}
		a.must("POST", path, body)
	}
	if !slices.Equal(a.site.removed, []string{"n2"}) {
		t.Errorf("removed nodes are %v, want n2 once", a.site.removed)
	}
	first := a.must("GET", "/api/v1/users?pageSize=2", "")
	second := a.must("GET", "/api/v1/users?pageSize=2&pageToken="+first.text("nextPageToken"), "")
	if strings.Contains(first.body+second.body, "hash") {
		t.Errorf("a password's hash is shown: %s %s", first.body, second.body)
	}
	if len(first.json["users"].([]any)) != 2 || len(second.json["users"].([]any)) != 1 || second.text("nextPageToken") != "" {
		t.Errorf("the users in pages of two: %s then %s", first.body, second.body)
	}
	a.must("POST", "/api/v1/users/wang:setPassword", `{"password":"long enough"}`)
	a.must("DELETE", "/api/v1/users/wang", "")
	session := a.must("POST", "/api/v1/sessions", `{"user":"li","password":"correct","ttl":"60s"}`, header{"Authorization", ""})
	if session.text("token") != "li" || session.text("expireTime") == "" {
		t.Errorf("the session is %s", session.body)
	}
	a.must("DELETE", "/api/v1/sessions/current", "", agent)
}

func TestOperatorsEndpoints(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	a.create("x")
	open := header{"Authorization", ""}
	if got := a.must("GET", "/healthz", "", open); got.text("version") != "test" {
		t.Errorf("healthz says %s", got.body)
	}
	if got := a.must("GET", "/readyz", "", open); got.text("status") != "ready" {
		t.Errorf("readyz says %s", got.body)
	}
	a.site.set(func() { a.site.reasons = []string{"the site has no leader"} })
	got := a.call("GET", "/readyz", "", open)
	if reasons, _ := got.json["reasons"].([]any); got.status != 503 || len(reasons) != 1 || reasons[0] != "the site has no leader" {
		t.Errorf("readyz without a leader: %d %s", got.status, got.body)
	}
	metrics := a.must("GET", "/metrics", "", open)
	if !strings.Contains(metrics.body, `tierdesk_api_calls_total{code="OK",method="CreateTicket"} 1`) {
		t.Errorf("the metrics do not count the call:\n%s", metrics.body)
	}
}

// TestTheDocumentAndTheRoutesAgree compares /api/openapi.json with the calls that are served.
func TestTheDocumentAndTheRoutesAgree(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	var description struct {
		OpenAPI string
		Paths   map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(a.must("GET", "/api/openapi.json", "", header{"Authorization", ""}).body), &description); err != nil {
		t.Fatal(err)
	}
	var described, served []string
	for path, methods := range description.Paths {
		for method := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	for _, r := range a.server.routes.all {
		served = append(served, r.method+" "+r.template)
		// A call that the gateway does not know would be 404 or 405.
		path := strings.NewReplacer("{number}", "330106-20260101-0001", "{name}", "nobody").Replace(r.template)
		if got := a.call(r.method, path, ""); got.status == 405 || got.reason() == "UNKNOWN_PATH" || got.reason() == "UNIMPLEMENTED" {
			t.Errorf("%s %s is not served: %s", r.method, path, got.body)
		}
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described:\n%s\nserved:\n%s", strings.Join(described, "\n"), strings.Join(served, "\n"))
	}
	if !strings.HasPrefix(description.OpenAPI, "3.") {
		t.Errorf("the document says OpenAPI %q", description.OpenAPI)
	}
}

// FuzzBody: no body breaks a call down.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"ticket":{"title":"x"},"requestId":"r"}`, `{"text":"a"}`, `{"resolution":{"code":"FIXED"}}`, `{"satisfaction":{"score":9}}`,
		`{`, `null`, `[]`, `"x"`, `{"ticket":null}`, "\xff", `{"ticket":{"openTime":"never"}}`, `{"ticket":{"tags":["a",1]}}`,
		`{"text":"\ud800"}`, `{"ticket":{"impact":1e9}}`, `{"number":"other"}`, strings.Repeat("[", 10000),
	} {
		for call := range uint8(4) {
			f.Add(call, seed)
		}
	}
	a := newTestAPI(f)
	number := a.create("x")
	paths := []string{
		"/api/v1/tickets", "/api/v1/tickets/" + number + ":note", "/api/v1/tickets/" + number + ":resolve", "/api/v1/tickets/" + number + ":confirm",
	}
	f.Fuzz(func(t *testing.T, call uint8, body string) {
		within := *a
		within.t = t
		got := within.call("POST", paths[int(call)%len(paths)], body)
		if got.status >= 500 || got.json == nil {
			t.Errorf("body %q: %d %s", body, got.status, got.body)
		}
	})
}
