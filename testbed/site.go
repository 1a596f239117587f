package testbed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// Site is the nodes n1, n2, … of one county as processes on loopback ports, below a city that is not there. Its methods
// may be called from several goroutines; those that start a process end the test when that fails, and belong into the
// goroutine that runs the test.
type Site struct {
	ID string

	t       testing.TB
	program Program
	dir     string

	mu            sync.Mutex // guards all below
	nodes         []*Process
	administrator *Caller // nil before somebody was needed
}

// Site starts a site of 1, 3 or 5 nodes that found it together. They end with the test.
func (p Program) Site(t testing.TB, id string, nodes int) *Site {
	t.Helper()
	s := &Site{ID: id, t: t, program: p, dir: t.TempDir()}
	t.Cleanup(s.dismiss)
	specs := make([]NodeSpec, nodes)
	for i := range specs {
		specs[i] = s.spec(i + 1)
	}
	for i := range specs {
		specs[i].BootstrapExpect = nodes
		if nodes > 1 {
			specs[i].Join = column(specs, func(n NodeSpec) string { return n.GRPC })
		}
		specs[i].GossipJoin = column(specs, func(n NodeSpec) string { return n.Gossip })
	}
	for _, spec := range specs {
		s.nodes = append(s.nodes, p.Serve(t, spec))
	}
	return s
}

// spec is the site's n-th node with addresses that are free.
func (s *Site) spec(n int) NodeSpec {
	s.t.Helper()
	free := FreeAddresses(s.t, 5)
	node := fmt.Sprintf("n%d", n)
	return NodeSpec{
		Site: s.ID, Name: "西湖区", Tier: "county", Parent: s.ID[:len(s.ID)-2] + "00",
		Node: node, Dir: filepath.Join(s.dir, node, "data"),
		HTTP: free[0], GRPC: free[1], Raft: free[2], Gossip: free[3], BootstrapExpect: 1, ParentAddresses: free[4:],
	}
}

func column(specs []NodeSpec, of func(NodeSpec) string) (all []string) {
	for _, spec := range specs {
		all = append(all, of(spec))
	}
	return all
}

// Joiner is a further node that asks to be taken in by the nodes there are. Nothing is started; the caller may change the
// specification before Add.
func (s *Site) Joiner() NodeSpec {
	s.t.Helper()
	present := s.Specs()
	spec := s.spec(len(present) + 1)
	spec.Join = column(present, func(n NodeSpec) string { return n.GRPC })
	spec.GossipJoin = column(present, func(n NodeSpec) string { return n.Gossip })
	return spec
}

// Add starts a further node.
func (s *Site) Add(spec NodeSpec) *Process {
	s.t.Helper()
	added := s.program.Serve(s.t, spec)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes = append(s.nodes, added)
	return added
}

// Processes are the latest processes of all nodes, running or not.
func (s *Site) Processes() []*Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.nodes)
}

// Process is the latest process of a node, nil when there is no such node.
func (s *Site) Process(node string) *Process {
	for _, p := range s.Processes() {
		if p.Spec.Node == node {
			return p
		}
	}
	return nil
}

// Specs are the nodes as they are configured, running or not.
func (s *Site) Specs() (specs []NodeSpec) {
	for _, p := range s.Processes() {
		specs = append(specs, p.Spec)
	}
	return specs
}

// Servers are the base URLs of all nodes, running or not.
func (s *Site) Servers() (urls []string) {
	for _, spec := range s.Specs() {
		urls = append(urls, spec.URL())
	}
	return urls
}

// Kill ends a node as a power cut does, and waits until it is gone.
func (s *Site) Kill(node string) { s.Process(node).Kill() }

// Restart starts a node that has ended again, on the same data.
func (s *Site) Restart(node string) *Process {
	s.t.Helper()
	return s.RestartAs(node, func(*NodeSpec) {})
}

// RestartAs starts a node that has ended again after its specification was changed.
func (s *Site) RestartAs(node string, change func(*NodeSpec)) *Process {
	s.t.Helper()
	ended := s.Process(node)
	spec := ended.Spec
	change(&spec)
	again := ended.restart(s.t, spec)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range s.nodes {
		if p.Spec.Node == node {
			s.nodes[i] = again
		}
	}
	return again
}

// Ready waits until every node that runs answers /readyz with 200.
func (s *Site) Ready(ctx context.Context) error {
	for _, p := range s.Processes() {
		if !p.Running() {
			continue
		}
		if err := p.Ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// SignIn opens a session of the administrator, at whichever node takes it, and returns a caller that every node honours. It waits for
// a node that serves, and tries no password a second time that was refused.
func (s *Site) SignIn(ctx context.Context) (*Caller, error) {
	anonymous := NewCaller("")
	defer anonymous.Close()
	var last error
	for {
		for _, server := range s.Servers() {
			var session struct{ Token string }
			answer := anonymous.Call(ctx, http.MethodPost, server, "/api/v1/sessions", map[string]string{"user": "admin", "password": Password})
			switch last = answer.Err(); answer.Outcome {
			case Done:
				err := answer.Decode(&session)
				return NewCaller(session.Token), err
			case Refused:
				return nil, fmt.Errorf("sign in at site %s: %w", s.ID, last)
			}
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return nil, errors.Join(fmt.Errorf("sign in at site %s: %w", s.ID, last), err)
		}
	}
}

// Standing is what a node says of its site.
type Standing struct {
	Leader       string // node id, "" when none is known
	Term         uint64 `json:",string"`
	AppliedIndex uint64 `json:",string"` // of the node that was asked
	Nodes        []struct {
		ID, ServerID, Role string
		Alive              bool
	}
	Alarms []string
}

// standingPatience bounds the wait for one node's answer, which itself waits half a second for the other nodes.
const standingPatience = 10 * time.Second

// Standing asks one node how the site stands. It works without a leader.
func (s *Site) Standing(ctx context.Context, node string) (Standing, error) {
	caller, err := s.Administrator(ctx)
	if err != nil {
		return Standing{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, standingPatience)
	defer cancel()
	var standing Standing
	answer := caller.Call(ctx, http.MethodGet, s.Process(node).Spec.URL(), "/api/v1/site", nil)
	if answer.Outcome != Done {
		return standing, fmt.Errorf("ask %s/%s how the site stands: %w", s.ID, node, answer.Err())
	}
	return standing, answer.Decode(&standing)
}

// Administrator is the site's own caller, signed in at the first use. It ends with the test.
func (s *Site) Administrator(ctx context.Context) (*Caller, error) {
	s.mu.Lock()
	known := s.administrator
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	caller, err := s.SignIn(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.administrator == nil {
		s.administrator = caller
	}
	return s.administrator, nil
}

func (s *Site) dismiss() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.administrator != nil {
		s.administrator.Close()
	}
}

// Leader waits until a node says that it leads, and returns the one of the highest term. A node that is frozen or cut
// off may still believe that it leads.
func (s *Site) Leader(ctx context.Context) (*Process, error) {
	for {
		if leader := s.leads(ctx); leader != nil {
			return leader, nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return nil, fmt.Errorf("no node of site %s says that it leads: %w", s.ID, err)
		}
	}
}

// leads asks all nodes that run at the same time.
func (s *Site) leads(ctx context.Context) (leader *Process) {
	var (
		mu    sync.Mutex // guards leader and term
		term  uint64
		asked sync.WaitGroup
	)
	for _, p := range s.Processes() {
		if !p.Running() {
			continue
		}
		asked.Go(func() {
			standing, err := s.Standing(ctx, p.Spec.Node)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && standing.Leader == p.Spec.Node && standing.Term >= term {
				leader, term = p, standing.Term
			}
		})
	}
	asked.Wait()
	return leader
}

// URL is where the node serves the JSON API.
func (s NodeSpec) URL() string { return "http://" + s.HTTP }

// pause waits, or returns why the context ended.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
