package replication

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tierdesk/tierdesk/testbed"
)

// TestMain finds goroutines that are left. Raft leaves some futures of a server without an answer when a fault ends it;
// their waits end with the process.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/hashicorp/raft.(*deferError).Error"))
}

const patience = 30 * time.Second // for what must happen; a test that passes waits for milliseconds

// quick is a pace at which a group elects a leader in about a second, and keeps it on a busy machine.
func quick() pace {
	return pace{
		heartbeat: 800 * time.Millisecond, lease: 800 * time.Millisecond, commit: 5 * time.Millisecond,
		greet: 20 * time.Millisecond, markCheck: 20 * time.Millisecond, markEntries: 1 << 30, trailingLogs: 1 << 20,
	}
}

// site is a group of nodes in this process whose peers call each other directly.
type site struct {
	t      *testing.T
	id     string
	pace   pace
	expect int
	join   []string
	nodes  []*node

	mu   sync.Mutex          // guards live, cut
	live map[string]*Replica // by grpc address
	cut  map[string]bool     // grpc addresses that nobody reaches
}

type node struct {
	*Replica
	site    *site
	self    Server
	dir     string
	machine *memory
	log     *lines
}

func newSite(t *testing.T, expect int) *site {
	s := &site{t: t, id: "330106", pace: quick(), expect: expect, live: make(map[string]*Replica), cut: make(map[string]bool)}
	t.Cleanup(s.stopAll)
	return s
}

// steady is for how long the nodes of a cluster bear with a silence of each other: a disk that others use takes a second, and
// more, for a sync.
const steady = 4 * time.Second

// newCluster returns a founded site of so many nodes. The first one founds it alone, which takes no election, and takes the
// others in; it leads.
func newCluster(t *testing.T, size int, changes ...func(*pace)) *site {
	t.Helper()
	s := newSite(t, 1)
	for _, change := range changes {
		change(&s.pace)
	}
	if size == 1 {
		s.pace.heartbeat, s.pace.lease = 50*time.Millisecond, 50*time.Millisecond // nobody can be late
	} else {
		s.pace.heartbeat, s.pace.lease = steady, steady
	}
	s.add().start()
	s.leader()
	if s.expect = size; size > 1 {
		for i := range size {
			s.join = append(s.join, fmt.Sprintf("n%d:7400", i+1))
		}
	}
	for range size - 1 {
		s.add().start()
	}
	s.eventually("every node is a voter", func() bool {
		return !slices.ContainsFunc(s.nodes, func(n *node) bool { return voters(n.Status()) != size })
	})
	return s
}

// add makes a node with an empty directory; it is not started.
func (s *site) add() *node {
	name := fmt.Sprintf("n%d", len(s.nodes)+1)
	n := &node{
		site: s, dir: filepath.Join(s.t.TempDir(), name), machine: &memory{}, log: &lines{},
		self: Server{ID: name + "-a", Raft: freeAddress(s.t), GRPC: name + ":7400"},
	}
	s.nodes = append(s.nodes, n)
	return n
}

// freeAddress is a loopback address that nobody else is given while a node that keeps it is down.
func freeAddress(t *testing.T) string {
	t.Helper()
	return testbed.FreeAddresses(t, 1)[0]
}

func (n *node) options() Options {
	n.site.t.Helper()
	l, err := net.Listen("tcp", n.self.Raft)
	if err != nil {
		n.site.t.Fatal(err)
	}
	pace := n.site.pace
	return Options{
		Site: n.site.id, Self: n.self, Dir: n.dir, Listener: l, BootstrapExpect: n.site.expect, Join: n.site.join,
		Machine: n.machine, Peers: peers{n.site}, Group: group,
		Logger: slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelInfo})), pace: &pace,
	}
}

func (n *node) start() *node {
	n.site.t.Helper()
	r, err := Start(n.options())
	if err != nil {
		n.site.t.Fatalf("start %s: %v", n.self.ID, err)
	}
	n.Replica = r
	n.site.mu.Lock()
	defer n.site.mu.Unlock()
	n.site.live[n.self.GRPC] = r
	return n
}

// stop ends the node in good order.
func (n *node) stop() {
	n.site.t.Helper()
	if n.Replica == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		n.site.t.Errorf("stop %s: %v", n.self.ID, err)
	}
	n.forget()
}

// kill ends the node without any hand-over.
func (n *node) kill() {
	n.fault.report(errDiskGone)
	n.stop()
}

func (n *node) forget() {
	n.site.mu.Lock()
	defer n.site.mu.Unlock()
	delete(n.site.live, n.self.GRPC)
	n.Replica = nil
}

func (s *site) stopAll() {
	var wait sync.WaitGroup
	for _, n := range s.nodes {
		wait.Go(n.stop)
	}
	wait.Wait()
	if s.t.Failed() && os.Getenv("TIERDESK_TEST_LOG") != "" {
		for _, n := range s.nodes {
			s.t.Logf("%s:\n%s", n.self.ID, n.log)
		}
	}
}

// leader returns the node that leads once there is one.
func (s *site) leader() *node {
	s.t.Helper()
	var found *node
	s.eventually("there is a leader", func() bool {
		for _, n := range s.nodes {
			if n.Replica == nil {
				continue
			}
			if leading, _, _ := n.Leading(); leading {
				found = n
				return true
			}
		}
		return false
	})
	return found
}

func (s *site) followers() []*node {
	leader := s.leader()
	return slices.DeleteFunc(slices.Clone(s.nodes), func(n *node) bool { return n == leader || n.Replica == nil })
}

func (s *site) eventually(what string, condition func() bool) {
	s.t.Helper()
	eventually(s.t, what, condition)
}

// further waits until a count has grown by so much. How fast it grows is the machine's affair; it must not stand still.
func (s *site) further(what string, by int, count func() int) {
	s.t.Helper()
	for goal := count() + by; count() < goal; {
		last := count()
		s.eventually(what, func() bool { return count() > last })
	}
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not happen within %v that %s", patience, what)
		}
	}
}

// propose fails the test when the command is not applied.
func (n *node) propose(command string) string {
	n.site.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	result, _, err := n.Propose(ctx, []byte(command))
	if err != nil {
		n.site.t.Fatalf("propose %s on %s: %v", command, n.self.ID, err)
	}
	return string(result)
}

// converged waits until all running nodes hold the same commands and returns them.
func (s *site) converged() []string {
	s.t.Helper()
	var want []string
	s.eventually("all nodes hold the same commands", func() bool {
		want = s.leader().machine.commands()
		for _, n := range s.nodes {
			if n.Replica != nil && !slices.Equal(n.machine.commands(), want) {
				return false
			}
		}
		return true
	})
	return want
}

func voters(s Status) int {
	voters := 0
	for _, m := range s.Members {
		if m.Voter {
			voters++
		}
	}
	return voters
}

// peers calls the replicas of the site directly.
type peers struct{ site *site }

func (p peers) at(address string) (*Replica, error) {
	p.site.mu.Lock()
	defer p.site.mu.Unlock()
	r, ok := p.site.live[address]
	if !ok || p.site.cut[address] {
		return nil, fmt.Errorf("call %s: %w", address, ErrUnreachable)
	}
	return r, nil
}

func (p peers) Hello(_ context.Context, address string, known []Server) (Hello, error) {
	r, err := p.at(address)
	if err != nil {
		return Hello{}, err
	}
	return r.Greet(known), nil
}

func (p peers) Join(ctx context.Context, address string, self Server) error {
	r, err := p.at(address)
	if err != nil {
		return err
	}
	return r.Admit(ctx, self)
}

func (p peers) Propose(ctx context.Context, address string, commands [][]byte, tell func(i int, o Outcome)) error {
	r, err := p.at(address)
	if err != nil {
		return err
	}
	return r.ProposeHere(ctx, commands, func(i int, o Outcome) error {
		tell(i, o)
		return nil
	})
}

// proposeHere is ProposeHere for one command.
func (n *node) proposeHere(ctx context.Context, command []byte) error {
	var told Outcome
	err := n.ProposeHere(ctx, [][]byte{command}, func(_ int, o Outcome) error {
		told = o
		return nil
	})
	return errors.Join(err, told.Err)
}

func (p peers) ReadIndex(ctx context.Context, address string) (uint64, error) {
	r, err := p.at(address)
	if err != nil {
		return 0, err
	}
	return r.ReadIndex(ctx)
}

// lines is a log that can be searched while it is written.
type lines struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

var _ io.Writer = (*lines)(nil)

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.buf.Bytes(), []byte(text))
}
