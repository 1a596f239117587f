package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/peers/peerpb"
)

// fetch makes a request over HTTP and returns the status and the body.
func fetch(t *testing.T, method, url, token string, body any) (int, string) {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, Timeout: patience}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestHTTPPortServesJSONAndPages(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	base := "http://" + n.HTTPAddr()

	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/metrics": "go_goroutines", "/api/openapi.json": "openapi", "/": "<html"} {
		eventually(t, "GET "+path, func() string { // the proof of a majority for /readyz may be late
			if code, body := fetch(t, http.MethodGet, base+path, "", nil); code != http.StatusOK || !strings.Contains(body, want) {
				return fmt.Sprintf("%d %.200s, want 200 and %q", code, body, want)
			}
			return ""
		})
	}
	code, body := fetch(t, http.MethodPost, base+"/api/v1/sessions", "", map[string]string{"user": "admin", "password": password})
	if code != http.StatusOK {
		t.Fatalf("sign in: %d %s", code, body)
	}
	var session struct{ Token string }
	if err := json.Unmarshal([]byte(body), &session); err != nil {
		t.Fatal(err)
	}
	code, body = fetch(t, http.MethodPost, base+"/api/v1/tickets", session.Token, map[string]any{"ticket": map[string]any{"title": "报表打不开"}})
	if code != http.StatusOK || !strings.Contains(body, "报表打不开") {
		t.Errorf("create: %d %s", code, body)
	}
	if code, _ = fetch(t, http.MethodPost, base+"/api/v1/tickets", session.Token, strings.Repeat("x", maxBody)); code != http.StatusRequestEntityTooLarge {
		t.Errorf("a body over 1 MiB: %d, want 413", code)
	}
}

// connect dials gRPC without TLS until the test ends.
func connect(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestBothPortsServePrograms(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	for name, address := range map[string]string{"grpc": n.GRPCAddr(), "http": n.HTTPAddr()} {
		t.Run(name, func(t *testing.T) {
			conn := connect(t, address)
			session, err := apipb.NewSessionsClient(conn).CreateSession(t.Context(), &apipb.CreateSessionRequest{User: "admin", Password: password})
			if err != nil || session.Token == "" {
				t.Fatalf("sign in: %v, %v", session, err)
			}
			_, err = apipb.NewSitesClient(conn).GetSite(t.Context(), &apipb.GetSiteRequest{})
			if status.Code(err) != codes.Unauthenticated {
				t.Errorf("a call without a token: %v, want Unauthenticated", err)
			}
			health, err := grpc_health_v1.NewHealthClient(conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
			if err != nil || health.Status != grpc_health_v1.HealthCheckResponse_SERVING {
				t.Errorf("health: %v, %v", health, err)
			}
		})
	}
}

func TestHTTPPortDoesNotServeNodes(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	_, err := peerpb.NewPeerClient(connect(t, n.HTTPAddr())).Hello(t.Context(), &peerpb.HelloRequest{Site: "330106"})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("hello at the HTTP port: %v, want Unimplemented", err)
	}
	if _, err := peerpb.NewPeerClient(connect(t, n.GRPCAddr())).Hello(t.Context(), &peerpb.HelloRequest{Site: "330106"}); err != nil {
		t.Errorf("hello at the gRPC port: %v", err)
	}
}

func TestStoppingNodeIsNotReady(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	stop(t, n)
	if reasons := n.backend.Ready(context.Background()); len(reasons) != 1 || reasons[0] != "the node is stopping" {
		t.Errorf("reasons %q, want that the node is stopping", reasons)
	}
	if err := n.Stop(context.Background()); err != nil {
		t.Errorf("second stop: %v", err)
	}
}
