package replication

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

func TestABarrierOnAnyNodeSeesWhatWasAcknowledged(t *testing.T) {
	s := newCluster(t, 3)
	for i := range 30 {
		command := fmt.Sprint(i)
		s.nodes[i%3].propose(command)
		for _, n := range s.nodes {
			if err := n.Barrier(t.Context()); err != nil {
				t.Fatalf("barrier on %s: %v", n.self.ID, err)
			}
			if got := n.machine.commands(); !slices.Contains(got, command) {
				t.Fatalf("after a barrier %s does not hold the acknowledged command %s", n.self.ID, command)
			}
		}
	}
}

// Writers count up; readers behind a barrier must never see less than was acknowledged before they asked, while the
// lead moves twice.
func TestReadsNeverGoBackWhileTheLeadMoves(t *testing.T) {
	s := newCluster(t, 3)
	ctx, cancel := context.WithCancel(t.Context())
	var acknowledged, reads atomic.Int64
	var wait sync.WaitGroup
	wait.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			if _, _, err := s.nodes[i%3].Propose(ctx, []byte("+1")); err == nil {
				acknowledged.Add(1)
			}
		}
	})
	for _, n := range s.nodes {
		wait.Go(func() {
			for ctx.Err() == nil {
				least := acknowledged.Load()
				if n.Barrier(ctx) != nil {
					continue
				}
				reads.Add(1)
				if got := int64(len(n.machine.commands())); got < least {
					t.Errorf("%s reads %d commands behind a barrier, %d were acknowledged before", n.self.ID, got, least)
				}
			}
		})
	}
	for range 2 {
		s.further("reads and writes go on", 100, func() int { return int(reads.Load()) })
		leader := s.leader()
		if err := leader.TransferLeadership(t.Context(), s.followers()[0].self.ID); err != nil {
			t.Logf("the lead stays: %v", err)
		}
	}
	cancel()
	wait.Wait()
}

func TestTheFirstReadOfATermAppliesEarlierTermsFirst(t *testing.T) {
	s := newCluster(t, 1)
	n := s.nodes[0]
	n.propose("a")
	n.stop()
	n.machine = n.machine.crashed()
	n.machine.gate = make(chan struct{})
	n.start()
	s.leader()
	early, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := n.Barrier(early); err == nil {
		t.Error("a new leader serves reads before it has applied what was acknowledged under the last one")
	}
	close(n.machine.gate)
	if err := n.Barrier(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := n.machine.commands(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("after a restart a barrier shows %v", got)
	}
}

// A follower may apply an entry before the leader does. Who has read it there finds it at the leader as well.
func TestTheLeaderNeverShowsLessThanAFollowerDid(t *testing.T) {
	s := newCluster(t, 3)
	leader, followers := s.leader(), s.followers()
	leader.propose("a") // something of the leader's term is applied
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	release := leader.machine.block()
	defer release()
	proposed := make(chan error, 1)
	go func() {
		_, _, err := followers[0].Propose(ctx, []byte("b"))
		proposed <- err
	}()
	s.eventually("a follower has applied it", func() bool { return slices.Contains(followers[1].machine.commands(), "b") })
	if err := followers[1].Barrier(ctx); err != nil {
		t.Fatalf("barrier on the follower: %v", err)
	}
	early, stop := context.WithTimeout(ctx, 200*time.Millisecond)
	defer stop()
	if err := leader.Barrier(early); err == nil {
		t.Errorf("the leader answers a later read with %v", leader.machine.commands())
	}
	release()
	if err := leader.Barrier(ctx); err != nil {
		t.Fatalf("barrier on the leader: %v", err)
	}
	if got := leader.machine.commands(); !slices.Contains(got, "b") {
		t.Errorf("behind a barrier the leader holds %v", got)
	}
	if err := <-proposed; err != nil {
		t.Errorf("propose: %v", err)
	}
}

func TestASharedCallNeverAnswersWhoCameAfterItBegan(t *testing.T) {
	var calls atomic.Uint64
	began, release := make(chan struct{}, 10), make(chan struct{})
	s := &shared{
		call: func(context.Context) (uint64, error) {
			n := calls.Add(1)
			began <- struct{}{}
			<-release
			return n, nil
		},
	}
	var tasks sync.WaitGroup
	s.spawn = func(task func(context.Context)) bool { tasks.Go(func() { task(t.Context()) }); return true }
	answers := make(chan uint64, 10)
	ask := func() {
		index, err := s.do(t.Context())
		if err != nil {
			t.Error(err)
		}
		answers <- index
	}
	go ask()
	<-began
	for range 5 {
		go ask()
	}
	eventually(t, "the late ones wait for the next call", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.next != nil })
	release <- struct{}{}
	if first := <-answers; first != 1 {
		t.Errorf("the first asker got the answer of call %d", first)
	}
	close(release)
	for range 5 {
		if index := <-answers; index < 2 {
			t.Errorf("one who came during call 1 got its answer")
		}
	}
	tasks.Wait()
	if n := calls.Load(); n > 6 {
		t.Errorf("six askers cost %d calls", n)
	}
}

func TestOnlyAnswersToLaterRequestsConfirmALeader(t *testing.T) {
	c := newContacts()
	voters := []raft.ServerID{"a", "b", "c"}
	stale := c.tick()
	since := c.tick()
	c.acknowledged("b", stale, &raft.AppendEntriesRequest{Term: 7})
	c.acknowledged("nonvoter", c.tick(), &raft.AppendEntriesRequest{Term: 7})
	c.acknowledged("c", c.tick(), &raft.AppendEntriesRequest{Term: 6})
	if enough, _ := c.count(voters, "a", 7, since); enough {
		t.Error("an old answer, a nonvoter and an older term confirm a leader")
	}
	done := make(chan error, 1)
	go func() { done <- c.confirmed(t.Context(), voters, "a", 7, since, nil) }()
	c.acknowledged("b", c.tick(), &raft.AppendEntriesRequest{Term: 7})
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("an answer to a later request does not confirm the leader")
	}
}

func TestWaitingForAnIndexEndsWithTheContext(t *testing.T) {
	p := &position{index: 3}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.wait(ctx, 4); err == nil {
		t.Error("an index that is not reached was waited for in vain, without an error")
	}
	if len(p.waiting) != 0 {
		t.Error("who has left still waits")
	}
	if err := p.wait(ctx, 3); err != nil {
		t.Errorf("an index that is reached: %v", err)
	}
}
