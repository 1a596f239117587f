package replication

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// A new node arrives after the log was cut: it gets the state as a stream, then the tail of the log, then its vote.
func TestANewNodeGetsTheStateAndBecomesAVoter(t *testing.T) {
	s := newSite(t, 1)
	s.pace.trailingLogs = 5
	first := s.add().start()
	s.leader()
	for i := range 50 {
		first.propose(fmt.Sprint(i))
	}
	if err := first.raft.Snapshot().Error(); err != nil {
		t.Fatal(err)
	}
	if index, err := first.disk.FirstIndex(); err != nil || index < 20 {
		t.Fatalf("the log still begins at %d, error %v", index, err)
	}
	s.join = []string{first.self.GRPC}
	second := s.add().start()
	s.eventually("the new node is a voter", func() bool { return voters(first.Status()) == 2 && voters(second.Status()) == 2 })
	if got := s.converged(); len(got) != 50 {
		t.Errorf("%d commands after the stream, 50 before", len(got))
	}
	if _, calls := second.machine.counts(); calls > 20 {
		t.Errorf("the new node applied %d entries one by one; the state should have come as a stream", calls)
	}
	if left := globAll(t, second.dir, stagedPattern); len(left) > 0 {
		t.Errorf("staged files are left: %v", left)
	}
	second.propose("by the new one")
	second.stop()
	second.machine = second.machine.crashed()
	second.start()
	if got := s.converged(); len(got) != 51 {
		t.Errorf("%d commands after the restart of the new node, want 51", len(got))
	}
}

func TestARestartReplaysOnlyTheTail(t *testing.T) {
	s := newCluster(t, 1)
	n := s.nodes[0]
	for i := range 20 {
		n.propose(fmt.Sprint(i))
	}
	if err := n.raft.Snapshot().Error(); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		n.propose(fmt.Sprint(20 + i))
	}
	n.kill() // an orderly end would mark them

	n.machine = n.machine.crashed() // loses the five behind the mark
	n.start()
	s.eventually("the tail is replayed", func() bool { return len(n.machine.commands()) == 25 })
	if entries, _ := n.machine.counts(); entries != 5 {
		t.Errorf("%d entries were applied again, 5 lay behind the mark", entries)
	}
	n.stop()

	n.machine.entries = 0 // as a state machine that lost nothing
	n.start()
	if err := n.Barrier(t.Context()); err != nil {
		t.Fatal(err)
	}
	if entries, _ := n.machine.counts(); entries != 0 {
		t.Errorf("%d entries were applied twice", entries)
	}
	if got := n.machine.commands(); len(got) != 25 {
		t.Errorf("%d commands after two restarts, want 25", len(got))
	}
}

func TestAWipedDiskIsANewServer(t *testing.T) {
	s := newCluster(t, 3)
	s.leader().propose("a")
	wiped := s.followers()[0]
	old := wiped.self.ID
	wiped.stop()
	wiped.self.ID, wiped.dir, wiped.machine = strings.TrimSuffix(old, "-a")+"-b", t.TempDir(), &memory{}
	wiped.start()
	s.eventually("it takes the place of the old one", func() bool {
		status := s.leader().Status()
		return voters(status) == 3 && !strings.Contains(sprintMembers(status), old)
	})
	if got := s.converged(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("after the wipe the group holds %v", got)
	}
}

func TestAdmit(t *testing.T) {
	s := newCluster(t, 2+1)
	leader, follower := s.leader(), s.followers()[0]
	stranger := Server{ID: "n9-a", Raft: freeAddress(t), GRPC: "n9:7400"}
	for _, c := range []struct {
		name string
		at   *node
		s    Server
		want error
	}{
		{"a voter again", leader, follower.self, nil},
		{"on a follower", follower, stranger, ErrNotLeader},
		{"without an address", leader, Server{ID: "n9-a"}, ErrRefused},
	} {
		if err := c.at.Admit(t.Context(), c.s); !errors.Is(err, c.want) {
			t.Errorf("admit %s: %v, want %v", c.name, err, c.want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := leader.Admit(ctx, stranger); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("admit a server that never answers: %v, want %v", err, context.DeadlineExceeded)
	}
	taken := Server{ID: "n8-a", Raft: follower.self.Raft, GRPC: "n8:7400"}
	if err := leader.Admit(t.Context(), taken); err == nil || !strings.Contains(err.Error(), follower.self.ID) {
		t.Errorf("admit a server at the address of a live one: %v", err)
	}
	if err := leader.Remove(t.Context(), stranger.ID); err != nil {
		t.Errorf("remove the one that never answered: %v", err)
	}
	if status := leader.Status(); len(status.Members) != 3 || voters(status) != 3 {
		t.Errorf("members in the end: %+v", status.Members)
	}
}

func TestAMemberMovesToAnotherAddress(t *testing.T) {
	s := newCluster(t, 3)
	moved := s.followers()[0]
	moved.stop()
	moved.self.Raft = freeAddress(t)
	moved.start()
	if err := s.leader().Admit(t.Context(), moved.self); err != nil {
		t.Fatal(err)
	}
	s.leader().propose("a")
	s.converged()
	if status := s.leader().Status(); voters(status) != 3 {
		t.Errorf("voters after a move: %+v", status.Members)
	}
}

func TestARemovedServerStaysOutAndSaysSo(t *testing.T) {
	s := newCluster(t, 3)
	leader, out := s.leader(), s.followers()[0]
	if err := leader.Remove(t.Context(), out.self.ID); err != nil {
		t.Fatal(err)
	}
	if err := leader.Remove(t.Context(), out.self.ID); !errors.Is(err, ErrRefused) {
		t.Errorf("remove it twice: %v", err)
	}
	leader.propose("a")
	s.eventually("it knows that it is out", func() bool { return out.Outside() == notMember })
	out.stop()
	out.start()
	s.eventually("it says so in its log", func() bool { return out.log.count(notMember) > 0 })
	if voters(leader.Status()) != 2 || leader.Outside() != "" {
		t.Errorf("after a removal the members are %+v and the leader is told %q", leader.Status().Members, leader.Outside())
	}
}

// A server that was taken out while it was down has a log in which it is a member. The others tell it.
func TestAServerRemovedWhileItWasDownIsTold(t *testing.T) {
	s := newCluster(t, 3)
	leader, out := s.leader(), s.followers()[0]
	out.stop()
	if err := leader.Remove(t.Context(), out.self.ID); err != nil {
		t.Fatal(err)
	}
	out.self.Raft = freeAddress(t) // the leader may still try to bring the entry to the old one
	out.start()
	s.eventually("it knows that it is out", func() bool { return out.Outside() == notMember })
	if status := leader.Status(); len(status.Members) != 2 {
		t.Errorf("it slipped back in: %+v", status.Members)
	}
}

func TestRemoveKeepsAMajorityThatAnswers(t *testing.T) {
	s := newCluster(t, 3)
	leader := s.leader()
	live, dead := s.followers()[0], s.followers()[1]
	dead.stop()
	s.eventually("the dead one counts as dead", func() bool { return !leader.answers(raft.ServerID(dead.self.ID)) })
	for _, n := range []*node{live, leader} {
		err := leader.Remove(t.Context(), n.self.ID)
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "start "+dead.self.ID) {
			t.Errorf("remove %s of three while %s is dead: %v", n.self.ID, dead.self.ID, err)
		}
	}
	if err := leader.Remove(t.Context(), dead.self.ID); err != nil {
		t.Errorf("remove the dead one of three: %v", err)
	}
	if err := leader.Remove(t.Context(), leader.self.ID); err != nil {
		t.Errorf("the leader removes itself: %v", err)
	}
	s.eventually("the last one leads", func() bool { leads, _, _ := live.Leading(); return leads })
	if err := live.Remove(t.Context(), live.self.ID); !errors.Is(err, ErrRefused) {
		t.Errorf("remove the only voter: %v", err)
	}
}

func TestRemoveSilent(t *testing.T) {
	s := newCluster(t, 3)
	leader := s.leader()
	silent := s.followers()[0]
	const limit = silence + time.Second
	removed := func() string {
		id, err := leader.RemoveSilent(t.Context(), limit)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	s.eventually("the leader leads for long enough", func() bool { return leader.leadership.lasts() > limit })
	if id := removed(); id != "" {
		t.Fatalf("%s answers and was taken out", id)
	}
	silent.stop()
	s.eventually("the silent one is taken out", func() bool { return removed() == silent.self.ID })
	if silentFor := time.Since(leader.transport.contacts.get(raft.ServerID(silent.self.ID)).at); silentFor < limit {
		t.Errorf("it was silent for %v only", silentFor)
	}
}

// Two silent voters of five may be cut off together and at work for themselves as far as the leader knows.
func TestRemoveSilentKeepsBothOfTwoSilentVoters(t *testing.T) {
	s := newCluster(t, 5)
	leader, followers := s.leader(), s.followers()
	followers[0].stop()
	followers[1].stop()
	const limit = silence + time.Second
	s.eventually("both are silent for long enough", func() bool {
		for _, n := range followers[:2] {
			if time.Since(leader.transport.contacts.get(raft.ServerID(n.self.ID)).at) < limit {
				return false
			}
		}
		return leader.leadership.lasts() > limit
	})
	if id, err := leader.RemoveSilent(t.Context(), limit); id != "" || err != nil {
		t.Errorf("%q was taken out, error %v", id, err)
	}
}

func TestTransferLeadership(t *testing.T) {
	s := newCluster(t, 3)
	leader, next := s.leader(), s.followers()[1]
	_, _, changed := leader.Leading()
	if err := leader.TransferLeadership(t.Context(), "n9-a"); !errors.Is(err, ErrRefused) {
		t.Errorf("transfer to a stranger: %v", err)
	}
	if err := next.TransferLeadership(t.Context(), ""); !errors.Is(err, ErrNotLeader) {
		t.Errorf("transfer by a follower: %v", err)
	}
	if err := leader.TransferLeadership(t.Context(), next.self.ID); err != nil {
		t.Fatal(err)
	}
	s.eventually("the chosen one leads", func() bool { leads, term, _ := next.Leading(); return leads && term > 0 })
	select {
	case <-changed:
	case <-time.After(patience):
		t.Error("the old leader's channel is not closed")
	}
}

// A planned stop of the leader costs no election timeout and leaves no caller without an answer.
func TestStopHandsOverTheLead(t *testing.T) {
	s := newSite(t, 1)
	s.pace.heartbeat, s.pace.lease = patience/3, patience/3
	leader := s.add().start() // it founds the site alone, which takes no election timeout
	s.leader()
	s.join = []string{leader.self.GRPC}
	for range 2 {
		s.add().start()
	}
	s.eventually("every node is a voter", func() bool { return voters(s.nodes[2].Status()) == 3 && voters(s.nodes[1].Status()) == 3 })
	leader.propose("before")
	done := make(chan error, 20)
	other := s.followers()[0]
	for i := range cap(done) {
		go func() {
			_, _, err := other.Propose(t.Context(), fmt.Append(nil, i))
			done <- err
		}()
	}
	began := time.Now()
	leader.stop()
	// On a machine that is too busy to hand over in time the node says so, and the others wait for their turn.
	tried := leader.log.count("leadership was not handed over") > 0
	for range cap(done) {
		if err := <-done; err != nil && !tried {
			t.Errorf("a command during the hand-over: %v", err)
		}
	}
	s.leader()
	if took := time.Since(began); took > s.pace.heartbeat && !tried {
		t.Errorf("the hand-over took %v, longer than an election timeout of %v", took, s.pace.heartbeat)
	}
}

func TestStopTwiceIsStopOnce(t *testing.T) {
	s := newCluster(t, 1)
	n := s.nodes[0]
	if err := n.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := n.Stop(t.Context()); err != nil {
		t.Errorf("the second time: %v", err)
	}
	select {
	case <-n.futures.idle:
	default:
		t.Error("after a stop in good order somebody still waits for Raft")
	}
	if _, _, err := n.Propose(t.Context(), []byte("a")); !errors.Is(err, ErrNoQuorum) {
		t.Errorf("propose after the stop: %v", err)
	}
	if err := n.Barrier(t.Context()); !errors.Is(err, ErrNoQuorum) {
		t.Errorf("barrier after the stop: %v", err)
	}
}
