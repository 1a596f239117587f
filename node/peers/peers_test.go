package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/peers/peerpb"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/tiers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// replica answers what it is told to.
type replica struct {
	err     error
	hang    func() // not nil: it is told of a proposal, which is held until the caller gives up
	admits  []replication.Server
	removed string
	leads   string
}

func (r *replica) Greet(known []replication.Server) replication.Hello {
	return replication.Hello{Site: "330106", Self: replication.Server{ID: "n1-aa", Raft: "r:1", GRPC: "g:1"}, Founded: true, Known: known}
}

func (r *replica) Admit(_ context.Context, s replication.Server) error {
	r.admits = append(r.admits, s)
	return r.err
}

func (r *replica) ProposeHere(ctx context.Context, commands [][]byte, tell func(int, replication.Outcome) error) error {
	if r.hang != nil {
		r.hang()
		<-ctx.Done()
		return ctx.Err()
	}
	if r.err != nil {
		return r.err
	}
	for i, command := range commands {
		o := replication.Outcome{Result: append([]byte("did "), command...), Index: 42}
		if string(command) == "bad" {
			o = replication.Outcome{Err: fmt.Errorf("%w: bad", replication.ErrOverloaded)}
		}
		if err := tell(i, o); err != nil {
			return err
		}
	}
	return nil
}

// propose proposes one command.
func propose(ctx context.Context, c *Client, address, command string) (told replication.Outcome) {
	err := c.Propose(ctx, address, [][]byte{[]byte(command)}, func(_ int, o replication.Outcome) { told = o })
	if err != nil {
		return replication.Outcome{Err: err}
	}
	return told
}

func (r *replica) ReadIndex(context.Context) (uint64, error) { return 7, r.err }

func (r *replica) Remove(_ context.Context, serverID string) error {
	r.removed = serverID
	return r.err
}

func (r *replica) TransferLeadership(_ context.Context, serverID string) error {
	r.leads = serverID
	return r.err
}

// links is what the test's server knows, with times as the wire carries them.
var links = Links{
	Node: "n1", Applied: 9, Alarms: []string{"look here"},
	Links: []tiers.LinkStatus{{Peer: "330100", State: tiers.Down, Since: time.UnixMicro(5), Reason: "cut",
		Rate: 12.5, Sent: 1000, Received: 2000, Comparing: true, Compared: 3, Compares: 4}},
	Reach: []tiers.Reach{{Site: "330000", Alive: true, Since: time.UnixMicro(6)}},
}

// diagnosis is what the test's server finds.
var diagnosis = Diagnosis{
	Checks: []*apipb.Check{{Node: "n1", Name: "disk", State: apipb.Check_WARNING, Message: "little room", Remedy: "free some"}},
	Time:   time.UnixMicro(7), Applied: 9,
}

// serve runs a server of site 330106 until the test ends and returns its address.
func serve(t *testing.T, r *replica, callerSite func(context.Context) string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	err = Register(server, ServerOptions{Site: "330106", Replica: r, Links: func() Links { return links }, CallerSite: callerSite,
		Diagnose: func(context.Context) Diagnosis { return diagnosis }})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // a test may end before it began
			t.Errorf("serve: %v", err)
		}
	})
	return listener.Addr().String()
}

func dial(t *testing.T, site string) *Client {
	t.Helper()
	c, err := NewClient(ClientOptions{Site: site})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestCallsArriveWhole(t *testing.T) {
	r := &replica{}
	address, c, ctx := serve(t, r, nil), dial(t, "330106"), t.Context()
	me := replication.Server{ID: "n2-bb", Raft: "r:2", GRPC: "g:2"}

	hello, err := c.Hello(ctx, address, []replication.Server{me, {ID: "n0-cc"}})
	if want := r.Greet([]replication.Server{me, {ID: "n0-cc"}}); err != nil || !reflect.DeepEqual(hello, want) {
		t.Errorf("hello %+v, %v, want %+v", hello, err, want)
	}
	if err := c.Join(ctx, address, me); err != nil || !reflect.DeepEqual(r.admits, []replication.Server{me}) {
		t.Errorf("join %v admitted %v, want %v", err, r.admits, me)
	}
	if o := propose(ctx, c, address, "it"); o.Err != nil || string(o.Result) != "did it" || o.Index != 42 {
		t.Errorf("propose %q at %d, %v", o.Result, o.Index, o.Err)
	}
	if index, err := c.ReadIndex(ctx, address); err != nil || index != 7 {
		t.Errorf("read index %d, %v", index, err)
	}
	if got, err := c.Links(ctx, address); err != nil || !reflect.DeepEqual(got, links) {
		t.Errorf("links %+v, %v, want %+v", got, err, links)
	}
	if got, err := c.Diagnose(ctx, address); err != nil || len(got.Checks) != 1 || !proto.Equal(got.Checks[0], diagnosis.Checks[0]) ||
		!got.Time.Equal(diagnosis.Time) || got.Applied != diagnosis.Applied {
		t.Errorf("diagnosis %+v, %v, want %+v", got, err, diagnosis)
	}
	if err := c.Remove(ctx, address, "n3"); err != nil || r.removed != "n3" {
		t.Errorf("remove %v took out %q", err, r.removed)
	}
	if err := c.TransferLeadership(ctx, address, "n2"); err != nil || r.leads != "n2" {
		t.Errorf("transfer %v to %q", err, r.leads)
	}
}

// Each command of a call has its own outcome, also when their results fill several answers.
func TestCommandsShareACall(t *testing.T) {
	commands := [][]byte{[]byte("a"), []byte("bad"), bytes.Repeat([]byte("b"), outcomeBytes), bytes.Repeat([]byte("c"), 2*outcomeBytes), []byte("d")}
	told := map[int]replication.Outcome{}
	err := dial(t, "330106").Propose(t.Context(), serve(t, &replica{}, nil), commands, func(i int, o replication.Outcome) { told[i] = o })
	if err != nil || len(told) != len(commands) {
		t.Fatalf("%d of %d outcomes were told: %v", len(told), len(commands), err)
	}
	for i, command := range commands {
		o := told[i]
		if string(command) == "bad" {
			if !errors.Is(o.Err, replication.ErrOverloaded) {
				t.Errorf("the refused command: %v", o.Err)
			}
		} else if o.Err != nil || o.Index != 42 || string(o.Result) != "did "+string(command) {
			t.Errorf("command %d: a result of %d bytes at %d, %v", i, len(o.Result), o.Index, o.Err)
		}
	}
	many := make([][]byte, maxCommands+1)
	if err := dial(t, "330106").Propose(t.Context(), serve(t, &replica{}, nil), many, nil); !errors.Is(err, replication.ErrRefused) {
		t.Errorf("a call of %d commands: %v", len(many), err)
	}
}

func TestErrorsKeepTheirMeaning(t *testing.T) {
	for _, o := range outcomes() {
		t.Run(o.reason, func(t *testing.T) {
			r := &replica{err: fmt.Errorf("%w: because", o.err)}
			err := propose(t.Context(), dial(t, "330106"), serve(t, r, nil), "it").Err
			if !errors.Is(err, o.err) || !strings.Contains(err.Error(), "because") {
				t.Errorf("propose: %v, want %v with its cause", err, o.err)
			}
		})
	}
	t.Run("an error that nobody has named", func(t *testing.T) {
		err := propose(t.Context(), dial(t, "330106"), serve(t, &replica{err: errors.New("strange")}, nil), "it").Err
		if !errors.Is(err, replication.ErrUnknownOutcome) || !strings.Contains(err.Error(), "strange") {
			t.Errorf("propose: %v, want an unknown outcome", err)
		}
	})
}

func TestOnlyNodesOfTheSiteAreServed(t *testing.T) {
	calls := map[string]func(*Client, string) error{
		"hello":    func(c *Client, a string) error { _, err := c.Hello(t.Context(), a, nil); return err },
		"join":     func(c *Client, a string) error { return c.Join(t.Context(), a, replication.Server{}) },
		"propose":  func(c *Client, a string) error { return propose(t.Context(), c, a, "it").Err },
		"read":     func(c *Client, a string) error { _, err := c.ReadIndex(t.Context(), a); return err },
		"links":    func(c *Client, a string) error { _, err := c.Links(t.Context(), a); return err },
		"remove":   func(c *Client, a string) error { return c.Remove(t.Context(), a, "") },
		"transfer": func(c *Client, a string) error { return c.TransferLeadership(t.Context(), a, "") },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			err := call(dial(t, "330100"), serve(t, &replica{}, nil))
			if !errors.Is(err, replication.ErrRefused) || !strings.Contains(err.Error(), "this is a node of 330106, not of 330100") {
				t.Errorf("call by a node of 330100: %v", err)
			}
			certificate := func(context.Context) string { return "330200" }
			err = call(dial(t, "330106"), serve(t, &replica{}, certificate))
			if !errors.Is(err, replication.ErrRefused) || !strings.Contains(err.Error(), "not of 330200") {
				t.Errorf("call with a certificate of 330200: %v", err)
			}
			certificate = func(context.Context) string { return "" }
			err = call(dial(t, "330106"), serve(t, &replica{}, certificate))
			if !errors.Is(err, replication.ErrRefused) {
				t.Errorf("call without a certificate: %v", err)
			}
		})
	}
}

func TestWhatNeverLeftWasNotDone(t *testing.T) {
	c := dial(t, "330106")
	for what, address := range map[string]string{"a port that systems give to nobody": "127.0.0.1:1", "no address": ""} {
		if err := propose(t.Context(), c, address, "it").Err; !errors.Is(err, replication.ErrUnreachable) {
			t.Errorf("propose to %s: %v, want ErrUnreachable", what, err)
		}
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if err := propose(done, c, serve(t, &replica{}, nil), "it").Err; !errors.Is(err, replication.ErrUnreachable) {
		t.Errorf("propose with an ended context: %v, want ErrUnreachable", err)
	}
	c.Close()
	if err := propose(t.Context(), c, serve(t, &replica{}, nil), "it").Err; !errors.Is(err, replication.ErrUnreachable) {
		t.Errorf("propose by a closed client: %v, want ErrUnreachable", err)
	}
}

func TestWhatLeftWithoutAnAnswerIsUnknown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := propose(ctx, dial(t, "330106"), serve(t, &replica{hang: cancel}, nil), "it").Err
	if !errors.Is(err, replication.ErrUnknownOutcome) {
		t.Errorf("propose to a leader that does not answer: %v, want ErrUnknownOutcome", err)
	}
}

func TestLineThatBreaksDuringTheCallIsUnknown(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, arrived := grpc.NewServer(), make(chan struct{})
	peerpb.RegisterPeerServer(server, breaking{arrived: arrived})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	go func() {
		<-arrived
		server.Stop()
	}()
	err = propose(t.Context(), dial(t, "330106"), listener.Addr().String(), "it").Err
	if !errors.Is(err, replication.ErrUnknownOutcome) || errors.Is(err, replication.ErrUnreachable) {
		t.Errorf("propose over a line that broke: %v, want ErrUnknownOutcome", err)
	}
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
}

// breaking takes a command and never answers.
type breaking struct {
	peerpb.UnimplementedPeerServer
	arrived chan struct{}
}

func (b breaking) Propose(_ *peerpb.ProposeRequest, stream grpc.ServerStreamingServer[peerpb.ProposeResponse]) error {
	close(b.arrived)
	<-stream.Context().Done()
	return stream.Context().Err()
}

func TestGreetingWithTooManyServers(t *testing.T) {
	_, err := dial(t, "330106").Hello(t.Context(), serve(t, &replica{}, nil), make([]replication.Server, maxKnown+1))
	if err == nil || !strings.Contains(err.Error(), "65 servers") {
		t.Errorf("hello with 65 servers: %v", err)
	}
}

func TestConnectionsAreKeptAndBounded(t *testing.T) {
	c := dial(t, "330106").conns
	first, err := c.get("127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	for port := range 3 * maxConnections {
		if _, err := c.get(fmt.Sprintf("127.0.0.1:%d", 1000+port)); err != nil {
			t.Fatal(err)
		}
		if again, err := c.get("127.0.0.1:1"); err != nil || again != first {
			t.Fatalf("the connection in use was not kept: %v", err)
		}
		if len(c.cached) > maxConnections {
			t.Fatalf("%d connections are cached, want at most %d", len(c.cached), maxConnections)
		}
	}
}
