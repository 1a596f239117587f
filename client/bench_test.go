package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/load"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// working answers as a site does that opens tickets and knows one.
func working(made *atomic.Int64) answer {
	return func(_ context.Context, method string, _ proto.Message) (proto.Message, error) {
		switch method {
		case "CreateTicket":
			return &deskpb.Ticket{Number: fmt.Sprintf("330106-20261121-%04d", made.Add(1))}, nil
		case "ListTickets":
			return &apipb.ListTicketsResponse{Tickets: []*deskpb.Ticket{{Number: number}}}, nil
		}
		return nil, nil
	}
}

// methods counts the calls that a node saw.
func (f *fakeNode) methods() map[string]int {
	seen := make(map[string]int)
	for _, call := range f.seen() {
		seen[call.method]++
	}
	return seen
}

func TestBenchCreatesOnlyWhenAgreed(t *testing.T) {
	for _, kind := range []string{"create", "mixed"} {
		node := newFakeNode(t, nil)
		got := at(t, node).run("bench", "--kind", kind, "--count", "1")
		got.oneErrorLine(t, ExitUsage)
		if !strings.Contains(got.stderr, "--create-tickets") {
			t.Errorf("%s: %q does not tell how to agree", kind, got.stderr)
		}
		if calls := node.seen(); len(calls) != 0 {
			t.Errorf("%s: the node was called without consent: %v", kind, calls)
		}
	}
}

func TestBenchSpreadsAndReports(t *testing.T) {
	var made atomic.Int64
	first, second := newFakeNode(t, working(&made)), newFakeNode(t, working(&made))
	s := at(t, first)
	s.environ["TIERDESK_TOKEN"] = "the-token"
	out := s.done(t, "bench", "--kind", "create", "--create-tickets", "--server", first.address+","+second.address, "--clients", "4,2",
		"--duration", "1m", "--warm-up", "0s", "--count", "20", "--size", "300", "--connections", "1", "--json")
	var clients []int
	for line := range strings.Lines(out) {
		var r load.Report
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		clients = append(clients, r.Clients)
		row := r.Row(load.Create)
		if row.Calls != 20 || len(row.Errors) != 0 || row.Latency.Max <= 0 || row.Latency.P50 > row.Latency.Max {
			t.Errorf("report: %+v, want 20 calls with latencies and no errors", row)
		}
	}
	if !slices.Equal(clients, []int{4, 2}) {
		t.Errorf("loads of %v clients, want 4 and then 2", clients)
	}
	ids := make(map[string]bool)
	for _, node := range []*fakeNode{first, second} {
		if node.methods()["CreateTicket"] == 0 {
			t.Errorf("a node got no create: %v", node.methods())
		}
		for _, call := range node.seen() {
			if call.authorization != "Bearer the-token" {
				t.Errorf("%s came with authorization %q", call.method, call.authorization)
			}
			if q, ok := call.request.(*apipb.CreateTicketRequest); ok {
				ids[q.RequestId] = true
				if len(q.Ticket.Description) != 300 {
					t.Errorf("a description has %d bytes, want 300", len(q.Ticket.Description))
				}
			}
		}
	}
	if len(ids) != 40 {
		t.Errorf("%d different request ids in 40 creates", len(ids))
	}
}

// What a call had to be repeated for is in the report; a repetition nobody counts would make a site look slow.
func TestBenchCountsRepetitions(t *testing.T) {
	var made, refused atomic.Int64
	node := newFakeNode(t, func(ctx context.Context, method string, q proto.Message) (proto.Message, error) {
		if method == "CreateTicket" && refused.Add(1) <= 3 {
			return nil, refusal(t, codes.ResourceExhausted, "too many", "OVERLOADED", "")
		}
		return working(&made)(ctx, method, q)
	})
	out := at(t, node).done(t, "bench", "--kind", "create", "--create-tickets", "--clients", "1", "--warm-up", "0s", "--count", "5", "--json")
	var r load.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if row := r.Row(load.Create); row.Calls != 5 || row.Retries["ResourceExhausted"] != 3 || made.Load() != 5 {
		t.Errorf("%+v and %d tickets; want 5 calls with 3 repetitions", row, made.Load())
	}
}

func TestBenchShowsATable(t *testing.T) {
	var made atomic.Int64
	node := newFakeNode(t, working(&made))
	out := at(t, node).done(t, "bench", "--clients", "1,3", "--warm-up", "0s", "--count", "6")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "KIND") || !strings.HasPrefix(lines[1], "read") || !strings.HasPrefix(lines[2], "read") {
		t.Errorf("got:\n%swant a header and two rows of reads", out)
	}
	if node.methods()["CreateTicket"] != 0 || node.methods()["GetTicket"] != 12 {
		t.Errorf("calls %v, want 12 reads and no create", node.methods())
	}
}

func TestBenchFailures(t *testing.T) {
	refusing := func(method string, err error) answer {
		return func(_ context.Context, m string, _ proto.Message) (proto.Message, error) {
			if m == method {
				return nil, err
			}
			return working(new(atomic.Int64))(nil, m, nil)
		}
	}
	for _, c := range []struct {
		name  string
		reply answer
		args  string
		exit  int
		word  string
	}{
		{"not signed in", refusing("GetSite", refusal(t, codes.Unauthenticated, "x", "NO_TOKEN", "")), "", ExitRefused, "tierdesk token create"},
		{"nothing to read", always(nil, nil), "", ExitRefused, "create some first"},
		{"not allowed to create", refusing("CreateTicket", status.Error(codes.PermissionDenied, "not you")),
			"--kind create --create-tickets", ExitRefused, "not you"},
		{"no call is answered", refusing("GetTicket", status.Error(codes.Internal, "broken")), "", ExitUnreachable, "Internal 5"},
		{"unknown kind", nil, "--kind write", ExitUsage, "write"},
		{"no clients", nil, "--clients 0", ExitUsage, "--clients"},
		{"too many clients", nil, "--clients 1,99999", ExitUsage, "99999"},
		{"no duration", nil, "--duration 0s", ExitUsage, "--duration"},
		{"too much text", nil, "--size 70000", ExitUsage, "70000"},
		{"no connection", nil, "--connections 0", ExitUsage, "--connections"},
		{"an argument", nil, "all", ExitUsage, "takes none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			node := newFakeNode(t, c.reply)
			got := at(t, node).run(append(strings.Fields("bench --clients 1 --count 5 --warm-up 0s"), strings.Fields(c.args)...)...)
			got.oneErrorLine(t, c.exit)
			if !strings.Contains(got.stderr, c.word) {
				t.Errorf("%q does not say %q", got.stderr, c.word)
			}
		})
	}
}

func TestBenchProgressIsWiped(t *testing.T) {
	var watched bytes.Buffer
	b := &bench{console: &console{env: Environment{Getenv: func(string) string { return "en" }, Progress: &watched}}}
	b.progress(b.printer(nil), 16)(load.Progress{Calls: 7, Errors: 1, Elapsed: 3e9})
	if got := watched.String(); !strings.Contains(got, "16 clients: 3s, 7 calls done, 1 failed") || strings.Contains(got, "\n") {
		t.Errorf("progress %q, want one line that is written over", got)
	}
	b.wipe()
	if got := watched.String(); !strings.HasSuffix(got, clearLine) {
		t.Errorf("after the load %q, want the line cleared", got)
	}
	b.env.Progress = nil
	if b.progress(b.printer(nil), 16) != nil {
		t.Error("there is progress where nobody watches")
	}
}
