package replication

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/raft"
)

var errFull = errors.New("3 MiB are left")

// crowded is the room of a disk that can be filled.
type crowded struct{ full atomic.Bool }

func (c *crowded) room() error {
	if c.full.Load() {
		return errFull
	}
	return nil
}

// startCrowded starts a node whose disk can be filled.
func startCrowded(t *testing.T, n *node) *crowded {
	t.Helper()
	c := &crowded{}
	o := n.options()
	o.Room = c.room
	r, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	n.Replica = r
	n.site.mu.Lock()
	defer n.site.mu.Unlock()
	n.site.live[n.self.GRPC] = r
	return c
}

func TestAFollowerWithoutRoomTakesNothingAndCatchesUpLater(t *testing.T) {
	s := newCluster(t, 3)
	full := s.followers()[0]
	full.stop()
	disk := startCrowded(t, full)
	s.leader().propose("a")
	s.converged()
	_, before := full.disk.ends()
	disk.full.Store(true)
	for i := range 20 {
		s.leader().propose(fmt.Sprint("while it is full ", i))
	}
	if _, last := full.disk.ends(); last != before {
		t.Errorf("the log of the full node went on from %d to %d", before, last)
	}
	disk.full.Store(false)
	s.leader().propose("b")
	if got := s.converged(); len(got) != 22 || full.fault.isRaised() {
		t.Errorf("in the end there are %d commands, a fault is %v", len(got), full.fault.isRaised())
	}
}

func TestALeaderWithoutRoomGoesOn(t *testing.T) {
	s := newCluster(t, 1)
	n := s.nodes[0]
	n.stop()
	disk := startCrowded(t, n)
	s.leader()
	disk.full.Store(true)
	_, before := n.disk.ends()
	if err := n.raft.Barrier(patience).Error(); err != nil {
		t.Errorf("an entry without room: %v", err)
	}
	if _, last := n.disk.ends(); last <= before {
		t.Errorf("the log still ends at %d", last)
	}
}

// A site that is founded on a full disk must not be left with a term and without an entry.
func TestAFoundationIsNotRefused(t *testing.T) {
	s := newSite(t, 1)
	n := s.add()
	disk := startCrowded(t, n)
	disk.full.Store(true)
	s.leader()
	disk.full.Store(false)
	n.propose("a")
}

// After a cut of conflicting entries Raft takes them for there until an append succeeds.
func TestAnAppendAfterACutIsNotRefused(t *testing.T) {
	s := newCluster(t, 3)
	n := s.followers()[0]
	n.stop()
	disk := startCrowded(t, n)
	s.leader().propose("a")
	s.converged()
	l := openTestDisk(t, t.TempDir(), newFault())
	l.entryLog.room = disk.room
	l.raft.Store(n.raft)
	storeEntries(t, l.entryLog, 1, 5, 1)
	disk.full.Store(true)
	if err := l.StoreLog(entryOf(6, 1)); !errors.Is(err, errFull) {
		t.Errorf("without room: %v", err)
	}
	if err := l.DeleteRange(4, 5); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		index uint64
		want  error
	}{{4, nil}, {5, errFull}} {
		if err := l.StoreLogs([]*raft.Log{entryOf(c.index, 2)}); !errors.Is(err, c.want) {
			t.Errorf("entry %d: %v, want %v", c.index, err, c.want)
		}
	}
	disk.full.Store(false)
}
