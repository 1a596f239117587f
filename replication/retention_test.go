package replication

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

// slow is a state machine that installs a checkpoint only when it is let.
type slow struct {
	*memory
	began chan struct{} // gets a value for each checkpoint
	gate  chan struct{}
}

func (s *slow) Restore(r io.Reader) error {
	s.began <- struct{}{}
	<-s.gate
	return s.memory.Restore(r)
}

// A log that is cut as short as it may be, under writes, while a follower installs its checkpoint: what it needs next
// must be there when it is done, or it would get one checkpoint after the other.
func TestAFollowerCatchesUpAfterOneCheckpoint(t *testing.T) {
	s := newSite(t, 1)
	s.pace.trailingLogs = 2
	leader := s.add().start()
	s.leader()
	work := func(what string) {
		for i := range 30 {
			leader.propose(fmt.Sprint(what, i))
		}
		if err := leader.raft.Snapshot().Error(); err != nil {
			t.Fatal(err)
		}
	}
	work("before the follower ")
	s.join = []string{leader.self.GRPC}
	follower := s.add()
	machine := &slow{memory: follower.machine, began: make(chan struct{}, 100), gate: make(chan struct{})}
	o := follower.options()
	o.Machine = machine
	r, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	follower.Replica = r
	s.mu.Lock()
	s.live[follower.self.GRPC] = r
	s.mu.Unlock()
	<-machine.began
	for range 3 {
		work("during the checkpoint ")
	}
	first, last := leader.disk.ends()
	if last-first < 90 {
		t.Errorf("the log is cut to the entries %d to %d while a follower needs them", first, last)
	}
	close(machine.gate)
	s.converged()
	if more := len(machine.began); more > 0 {
		t.Errorf("the follower got %d more checkpoints", more)
	}
	s.eventually("the log is cut again", func() bool {
		work("after the checkpoint ")
		first, last := leader.disk.ends()
		return last-first < 20
	})
}

// What the log held before may be of another history, so nothing of it stays; and the log knows where it goes on.
func TestACheckpointTakesTheLogsPlace(t *testing.T) {
	s := newCluster(t, 3, func(p *pace) { p.trailingLogs = 2 })
	leader := s.leader()
	leader.propose("a")
	s.converged()
	behind := s.followers()[0]
	behind.stop()
	for i := range 30 {
		leader.propose(fmt.Sprint("b", i))
	}
	if err := leader.raft.Snapshot().Error(); err != nil {
		t.Fatal(err)
	}
	cut, _ := leader.disk.ends()
	behind.start()
	leader.propose("c")
	s.converged()
	leader.propose("behind the checkpoint")
	s.converged()
	if first, _ := behind.disk.ends(); first <= cut || behind.disk.base.index != first-1 {
		t.Errorf("the log begins at %d and expected a checkpoint at %d; the leader's was cut to %d before that", first, behind.disk.base.index, cut)
	}
}

func TestWhatIsHeldIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end, matched := uint64(100), uint64(0)
		r := newRetention(func() uint64 { return end })
		r.matched = func(raft.ServerID) uint64 { return matched }
		held := func(want uint64, when string) {
			t.Helper()
			if got := r.lowest(); got != want {
				t.Errorf("%s the entries from %d on are held, want %d", when, got, want)
			}
		}
		held(0, "at first")
		r.begin("n2", 50)
		r.begin("n3", 60)
		time.Sleep(time.Hour)
		held(50, "while checkpoints are sent")
		r.finish("n2", false)
		held(60, "after a checkpoint that was not installed")
		r.finish("n3", true)
		matched = 99
		held(60, "while the server is behind")
		matched = 100
		held(0, "when it has caught up")
		r.begin("n2", 70)
		r.finish("n2", true)
		matched = 70
		time.Sleep(catchUpTime)
		held(70, "just in time")
		time.Sleep(time.Second)
		held(0, "when it took too long")
	})
}

func TestTooMuchLogIsNotHeld(t *testing.T) {
	d := openTestDisk(t, t.TempDir(), newFault())
	d.mostHeld = 4 << 20
	d.holds.matched = func(raft.ServerID) uint64 { return 0 }
	d.holds.begin("n2", 10)
	store := func(low, high uint64) {
		data := noise(64 << 10)
		for index := low; index <= high; index++ {
			if err := d.StoreLog(&raft.Log{Index: index, Term: 1, Type: raft.LogNoop, Data: data}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct{ entries, first uint64 }{{30, 10}, {1000, 21}} {
		_, last := d.ends()
		store(last+1, c.entries)
		if err := errors.Join(d.db.Flush(), d.DeleteRange(1, 20)); err != nil {
			t.Fatal(err)
		}
		if first, _ := d.ends(); first != c.first {
			t.Errorf("with %d entries the log begins at %d, want %d", c.entries, first, c.first)
		}
	}
}

// The directory gives back what is cut, also when nothing is written afterwards.
func TestACutLogGivesItsRoomBack(t *testing.T) {
	dir := t.TempDir()
	d := openTestDisk(t, dir, newFault())
	data := noise(256 << 10)
	const entries, kept = 500, 40
	for index := uint64(1); index <= entries; index++ {
		if err := d.StoreLog(&raft.Log{Index: index, Term: 1, Type: raft.LogNoop, Data: data}); err != nil {
			t.Fatal(err)
		}
		if index%100 == 0 {
			if err := d.DeleteRange(1, index-kept); err != nil {
				t.Fatal(err)
			}
		}
	}
	// What is left, with the files of the write-ahead log that are used in turn.
	const bound = kept*(256<<10) + (logMemTables+3)*logMemTable
	eventually(t, "the directory is small", func() bool { return d.size() < bound })
}

// noise is data that cannot be compressed.
func noise(size int) []byte {
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data) // it never fails
	return data
}

func TestStorageIsMeasured(t *testing.T) {
	n := newCluster(t, 1).nodes[0]
	n.propose(strings.Repeat("x", 100<<10))
	s := n.Storage()
	info, err := os.Stat(filepath.Join(n.dir, ballotFile))
	if err != nil {
		t.Fatal(err)
	}
	_, last := n.disk.ends()
	if s.First != 1 || s.Last != last || s.LogBytes < 100<<10 || s.StableBytes != info.Size() || s.StableFreeBytes <= 0 || s.StableFreeBytes >= s.StableBytes {
		t.Errorf("the storage is %+v; the log ends at %d, the file of term and vote has %d bytes", s, last, info.Size())
	}
}
