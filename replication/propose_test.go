package replication

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestEveryNodeTakesCommands(t *testing.T) {
	s := newCluster(t, 3)
	for i, n := range s.nodes {
		command := fmt.Sprintf("c%d", i)
		result, index, err := n.Propose(t.Context(), []byte(command))
		if err != nil {
			t.Fatalf("propose on %s: %v", n.self.ID, err)
		}
		if want := fmt.Sprintf("%s is number %d", command, i+1); string(result) != want {
			t.Errorf("result on %s is %q, want %q", n.self.ID, result, want)
		}
		if err := n.position.wait(t.Context(), index); err != nil {
			t.Fatal(err)
		}
		if got := n.machine.commands(); !slices.Contains(got, command) {
			t.Errorf("%s has reached index %d and does not hold %s: %v", n.self.ID, index, command, got)
		}
	}
}

func TestConcurrentCommandsShareEntries(t *testing.T) {
	s := newCluster(t, 1)
	n := s.nodes[0]
	n.propose("first") // what Raft writes for itself when a lead begins lies before it
	before, _ := n.machine.counts()
	release := n.machine.block()
	defer release()
	var wait sync.WaitGroup
	propose := func(command string) {
		wait.Go(func() {
			if got := n.propose(command); !strings.HasPrefix(got, command+" is ") {
				t.Errorf("command %s got the result of another: %q", command, got)
			}
		})
	}
	for i := range maxGroupsInFlight {
		last := n.raft.LastIndex()
		propose(fmt.Sprintf("entry-%d", i))
		s.eventually("a command alone gets its own entry", func() bool { return n.raft.LastIndex() > last })
	}
	const commands = 400
	for i := range commands {
		propose(fmt.Sprint(i))
	}
	s.eventually("the others wait while four entries are under way", func() bool { return n.queue.length() == commands })
	release()
	wait.Wait()
	if entries, _ := n.machine.counts(); entries-before != maxGroupsInFlight+1 {
		t.Errorf("%d commands that waited together took %d entries", commands, entries-before-maxGroupsInFlight)
	}
	if got := len(n.machine.commands()); got != 1+maxGroupsInFlight+commands {
		t.Errorf("%d commands were applied, %d proposed", got, 1+maxGroupsInFlight+commands)
	}
}

// Clients go on over the loss of two leaders; every acknowledged command is applied once, in the same order everywhere.
func TestAcknowledgedCommandsSurviveTheLossOfLeaders(t *testing.T) {
	s := newCluster(t, 3)
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex // guards acknowledged
	var acknowledged []string
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(acknowledged) }
	client := func(n *node, replica *Replica, name string) {
		for i := 0; ctx.Err() == nil; i++ {
			command := fmt.Sprintf("%s-%d", name, i)
			_, _, err := replica.Propose(ctx, []byte(command))
			if err == nil {
				mu.Lock()
				acknowledged = append(acknowledged, command)
				mu.Unlock()
			} else if !errors.Is(err, ErrUnknownOutcome) && !errors.Is(err, ErrNoQuorum) {
				t.Errorf("propose on %s: %v", n.self.ID, err)
			}
		}
	}
	var wait sync.WaitGroup
	for _, n := range s.nodes {
		for c := range 2 {
			wait.Go(func() { client(n, n.Replica, fmt.Sprintf("%s-%d", n.self.ID, c)) })
		}
	}
	for range 2 {
		s.further("clients are served", 50, count)
		lost := s.leader()
		lost.kill()
		s.further("the others serve", 50, count)
		lost.machine = lost.machine.crashed()
		lost.start()
	}
	cancel()
	wait.Wait()
	applied := s.converged()
	times := make(map[string]int)
	for _, command := range applied {
		times[command]++
	}
	for _, command := range acknowledged {
		if times[command] != 1 {
			t.Errorf("acknowledged command %s was applied %d times", command, times[command])
		}
	}
}

func TestOverloadIsRefusedAtOnce(t *testing.T) {
	s := newCluster(t, 1)
	n := s.nodes[0]
	release := n.machine.block()
	defer release()
	large := make([]byte, maxCommandBytes)
	var wait sync.WaitGroup
	overloaded := make(chan error, 1)
	for range maxWaitingBytes/maxCommandBytes + maxGroupsInFlight + 1 {
		wait.Go(func() {
			if err := n.proposeHere(t.Context(), large); err != nil {
				select {
				case overloaded <- err:
				default:
				}
			}
		})
	}
	select {
	case err := <-overloaded:
		if !errors.Is(err, ErrOverloaded) {
			t.Errorf("a full queue says %v", err)
		}
	case <-time.After(patience):
		t.Error("more than the bound is taken")
	}
	release()
	wait.Wait()
	n.propose("small again")
}

func TestACommandThatIsTooLargeIsRefused(t *testing.T) {
	n := newCluster(t, 1).nodes[0]
	_, _, err := n.Propose(t.Context(), make([]byte, maxCommandBytes+1))
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "1048577 bytes") {
		t.Errorf("a command over the limit: %v", err)
	}
}

func TestWithoutQuorumNothingIsAcknowledged(t *testing.T) {
	s := newCluster(t, 3)
	for _, n := range s.followers() {
		n.kill()
	}
	last := s.nodes[slices.IndexFunc(s.nodes, func(n *node) bool { return n.Replica != nil })]
	s.eventually("the last node gives up the lead", func() bool { leads, _, _ := last.Leading(); return !leads })
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, _, err := last.Propose(ctx, []byte("a")); !errors.Is(err, ErrNoQuorum) {
		t.Errorf("propose without a majority: %v", err)
	}
	if err := last.Barrier(ctx); !errors.Is(err, ErrNoQuorum) {
		t.Errorf("read without a majority: %v", err)
	}
	if got := last.machine.commands(); len(got) > 0 {
		t.Errorf("commands applied without a majority: %v", got)
	}
}

func TestACallerWhoLeavesKnowsWhatBecameOfTheCommand(t *testing.T) {
	r := &Replica{queue: newQueue()}
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	propose := func() {
		left <- r.enqueue(ctx, r.queue, []byte("a")).Err
	}
	go propose()
	group := r.queue.take()
	go propose()
	eventually(t, "the second command waits", func() bool { return r.queue.length() == 1 })
	cancel()
	errs := []error{<-left, <-left}
	for _, want := range []error{ErrUnknownOutcome, ErrNoQuorum} {
		if !slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, want) }) {
			t.Errorf("one command was under way, one waited; their callers got %v", errs)
		}
	}
	if r.queue.length() != 0 {
		t.Error("a command still waits after its caller has left")
	}
	deliver(group, ErrNotLeader) // nobody listens; it must not block
}

func TestAFaultOfTheStateMachineEndsTheReplica(t *testing.T) {
	s := newCluster(t, 3)
	broken := s.leader()
	broken.machine.breakDown()
	err := broken.proposeHere(t.Context(), []byte("a"))
	if !errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("a command whose entry cannot be applied: %v", err)
	}
	select {
	case err := <-broken.Fault():
		if !errors.Is(err, errDiskGone) || !strings.Contains(err.Error(), "apply log entry") {
			t.Errorf("fault: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("no fault is reported")
	}
	if _, err := (&fsm{fault: broken.fault}).Snapshot(); err == nil {
		t.Error("a snapshot is taken of a state that misses entries")
	}
	if _, _, err := broken.Propose(t.Context(), []byte("b")); !errors.Is(err, ErrNoQuorum) {
		t.Errorf("propose on a node that has stopped: %v", err)
	}
	s.eventually("another node leads", func() bool {
		return slices.ContainsFunc(s.nodes, func(n *node) bool { leads, _, _ := n.Leading(); return leads && n != broken })
	})
	broken.stop()
	s.leader().propose("c")
	if got := s.converged(); !slices.Contains(got, "a") || !slices.Contains(got, "c") {
		t.Errorf("the others hold %v; the committed entry belongs to them", got)
	}
}

func TestOutcomesOfPeersCalls(t *testing.T) {
	for _, c := range []struct {
		err, want error
		again     bool
	}{
		{fmt.Errorf("call: %w", ErrNotLeader), ErrNotLeader, true},
		{fmt.Errorf("call: %w", ErrUnreachable), ErrUnreachable, true},
		{fmt.Errorf("call: %w", ErrOverloaded), ErrOverloaded, false},
		{fmt.Errorf("call: %w", ErrRefused), ErrRefused, false},
		{fmt.Errorf("call: %w", ErrNoQuorum), ErrNoQuorum, false},
		{context.DeadlineExceeded, ErrUnknownOutcome, false},
		{errors.New("connection reset"), ErrUnknownOutcome, false},
	} {
		got := fromPeer(c.err)
		if !errors.Is(got, c.want) || passing(got) != c.again {
			t.Errorf("%v becomes %v, tried again: %v; want %v, %v", c.err, got, passing(got), c.want, c.again)
		}
	}
}
