package replication

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
)

// leaders is a site whose leader can be frozen: a call to it does not come back by itself.
type leaders struct {
	peers
	mu     sync.Mutex // guards all below
	leader string
	frozen string
	calls  []int // commands in each call
}

func (l *leaders) address() (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leader == "" {
		return "", fmt.Errorf("%w: no leader is known", ErrNotLeader)
	}
	return l.leader, nil
}

func (l *leaders) set(leader, frozen string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leader, l.frozen = leader, frozen
}

func (l *leaders) Propose(ctx context.Context, address string, commands [][]byte, tell func(int, Outcome)) error {
	l.mu.Lock()
	l.calls = append(l.calls, len(commands))
	frozen := l.frozen == address
	l.mu.Unlock()
	if frozen {
		<-ctx.Done()
		return ctx.Err()
	}
	for i, command := range commands {
		if string(command) != "untold" {
			tell(i, Outcome{Result: fmt.Appendf(nil, "%s by %s", command, address), Index: 7})
		}
	}
	return nil
}

// takeAllWays sends one command after the other until every call that may be under way is.
func (l *leaders) takeAllWays(t *testing.T, send func()) {
	t.Helper()
	for way := range maxGroupsInFlight {
		send()
		eventually(t, "a command that comes alone takes a call", func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return len(l.calls) == way+1
		})
	}
}

func forward(t *testing.T, l *leaders) *Replica {
	r := &Replica{outbound: newQueue()}
	f := &forwarder{queue: r.outbound, peers: l, leader: l.address}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return r
}

// Whoever has commands with a leader that froze hears that their outcome is unknown as soon as another one leads, and the
// next commands go there.
func TestAFrozenLeaderHoldsNobody(t *testing.T) {
	l := &leaders{leader: "a:1", frozen: "a:1"}
	r := forward(t, l)
	var held []chan Outcome
	send := func() {
		done := make(chan Outcome, 1)
		held = append(held, done)
		go func() { done <- r.enqueue(t.Context(), r.outbound, []byte("x")) }()
	}
	l.takeAllWays(t, send)
	for range maxGroupsInFlight {
		send()
	}
	l.set("b:1", "a:1")
	unknown := 0
	for _, done := range held {
		switch o := <-done; {
		case o.Err == nil && string(o.Result) == "x by b:1":
		case errors.Is(o.Err, ErrUnknownOutcome):
			unknown++
		default:
			t.Errorf("a command ended with %q, %v", o.Result, o.Err)
		}
	}
	if unknown == 0 {
		t.Error("no command was with the frozen leader")
	}
	if o := r.enqueue(t.Context(), r.outbound, []byte("y")); o.Err != nil || string(o.Result) != "y by b:1" {
		t.Errorf("the next command: %q, %v", o.Result, o.Err)
	}
}

func TestWhatTheLeaderDoesNotTellIsUnknown(t *testing.T) {
	l := &leaders{leader: "a:1"}
	r := forward(t, l)
	if o := r.enqueue(t.Context(), r.outbound, []byte("untold")); !errors.Is(o.Err, ErrUnknownOutcome) {
		t.Errorf("a command that the leader says nothing of: %v", o.Err)
	}
	l.set("", "")
	if o := r.enqueue(t.Context(), r.outbound, []byte("x")); !errors.Is(o.Err, ErrNotLeader) {
		t.Errorf("a command while no leader is known: %v", o.Err)
	}
}

// Commands that come while calls are under way share the next call.
func TestCommandsThatWaitShareACall(t *testing.T) {
	l := &leaders{leader: "a:1", frozen: "a:1"}
	r := forward(t, l)
	const commands = 50
	var wait sync.WaitGroup
	send := func() { wait.Go(func() { r.enqueue(t.Context(), r.outbound, []byte("x")) }) }
	l.takeAllWays(t, send)
	for range commands - maxGroupsInFlight {
		send()
	}
	eventually(t, "the rest waits", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		under := 0
		for _, n := range l.calls {
			under += n
		}
		return len(l.calls) == maxGroupsInFlight && under+r.outbound.length() == commands
	})
	waiting := r.outbound.length()
	l.set("b:1", "")
	wait.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if waiting > 0 && !slices.Contains(l.calls[maxGroupsInFlight:], waiting) {
		t.Errorf("%d commands waited; the calls afterwards carried %d", waiting, l.calls[maxGroupsInFlight:])
	}
}
