package replication

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
)

// renewed is a new server of the site, not started, on a copy of a state that another group has made.
func (s *site) renewed(state memoryState) *node {
	s.t.Helper()
	n := s.add()
	n.machine = &memory{state: memoryState{Index: state.Index, Term: state.Term, Commands: slices.Clone(state.Commands)}}
	membership, err := Renew(Renewal{
		Dir: n.dir, Self: n.self, Index: state.Index, Term: state.Term, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := n.machine.SetMark(state.Index, state.Term, membership); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// A state that a group of three has made goes on in a group of one, which others join; nothing of what the three did
// afterwards comes back.
func TestAStateGoesOnInAGroupOfOne(t *testing.T) {
	s := newCluster(t, 3)
	leader := s.leader()
	leader.propose("before")
	kept := leader.machine.state
	leader.propose("after the backup")
	s.stopAll()

	alone := newSite(t, 1)
	n := alone.renewed(kept)
	n.start()
	if got := alone.leader(); got != n {
		t.Fatalf("%v leads", got)
	}
	status := n.Status()
	if len(status.Members) != 1 || status.Members[0].ID != n.self.ID || !status.Members[0].Voter {
		t.Errorf("the members are %v, want the restored server alone", status.Members)
	}
	if status.Term <= kept.Term {
		t.Errorf("the term is %d, want one after %d", status.Term, kept.Term)
	}
	n.propose("afterwards")
	n.stop()
	n.start()
	alone.leader()
	n.propose("after a restart")

	alone.join = []string{n.self.GRPC}
	alone.add().start()
	want := append(slices.Clone(kept.Commands), "afterwards", "after a restart")
	alone.eventually("the joiner has a vote", func() bool { return voters(n.Status()) == 2 })
	if got := alone.converged(); !slices.Equal(got, want) {
		t.Errorf("the group has %q, want %q", got, want)
	}
}

func TestOnlyAnEmptyDirectoryIsRenewed(t *testing.T) {
	n := newCluster(t, 1).nodes[0]
	n.propose("a")
	n.stop()
	_, err := Renew(Renewal{Dir: n.dir, Self: n.self, Index: 5, Term: 2, Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "there is a log of term") {
		t.Errorf("a log that has entries is renewed: %v", err)
	}
	if _, err := Renew(Renewal{Dir: t.TempDir(), Self: n.self, Logger: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("a group is renewed on no state")
	}
	n.start()
	n.propose("b")
}
