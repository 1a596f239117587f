package replication

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
)

// A server without fellow voters has nobody to wait for, after its founding and after every start.
func TestTheOnlyVoterLeadsAtOnce(t *testing.T) {
	s := newSite(t, 1)
	s.pace.heartbeat, s.pace.lease = patience, patience // a start that waited for it would fail the test
	n := s.add()
	for range 3 {
		n.start()
		n.propose("a")
		if got := n.raft.ReloadableConfig().HeartbeatTimeout; got != s.pace.heartbeat {
			t.Errorf("the follower's timeout is %v after an election, want %v", got, s.pace.heartbeat)
		}
		n.stop()
	}
}

// Once it has fellows a server waits for its leader like everybody else, and no two have the same turn.
func TestEveryVoterHasItsOwnTurn(t *testing.T) {
	s := newCluster(t, 3)
	leader := s.leader()
	turns := map[time.Duration]bool{}
	for _, n := range s.followers() {
		s.eventually("it knows the leader", func() bool { return n.Status().Leader == leader.self.ID })
		turn, votes := n.turn(&s.pace)
		if !votes || turn < s.pace.heartbeat || turn >= s.pace.heartbeat*4/3 {
			t.Errorf("%s calls an election after %v, it votes: %v", n.self.ID, turn, votes)
		}
		turns[turn] = true
	}
	if len(turns) != 2 {
		t.Errorf("two followers have the turns %v", turns)
	}
	joiner := s.add()
	s.join = []string{leader.self.GRPC}
	joiner.start()
	s.eventually("the fourth one waits too", func() bool {
		turn, votes := joiner.turn(&s.pace)
		return votes && turn >= s.pace.heartbeat
	})
}

// stride is a step of the time that strides counts.
const stride = 10 * time.Millisecond

// strides returns a clock that stands still while the process is not let run. Next to the timers of a process that waits for its
// turn on a busy machine, the clock on the wall proves nothing.
func strides(t *testing.T) (clock func() time.Duration) {
	t.Helper()
	var taken atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			time.Sleep(stride)
			taken.Add(1)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return func() time.Duration { return time.Duration(taken.Load()) * stride }
}

// Raft's own timers find a dead leader after one to three timeouts, and half of the time after more than one and three
// quarters; here it is one and a turn.
func TestADeadLeaderIsReplacedAfterOneTimeout(t *testing.T) {
	s := newSite(t, 3)
	s.pace.heartbeat, s.pace.lease = 3*time.Second, 3*time.Second
	clock := strides(t)
	s.join = []string{"n1:7400", "n2:7400", "n3:7400"}
	for range 3 {
		s.add().start()
	}
	for range 2 {
		leader := s.leader()
		leader.propose("a")
		s.converged()
		began := clock()
		leader.kill()
		s.leader()
		if took := clock() - began; took > s.pace.heartbeat*7/4 {
			t.Errorf("the next leader came after %v with a timeout of %v", took, s.pace.heartbeat)
		}
		leader.machine = leader.machine.crashed()
		leader.start()
		s.converged()
	}
}
