package replication

import (
	"strings"
	"testing"
	"time"
)

// The mark follows the work without anybody asking, by entries and by bytes, and the log before it is cut.
func TestTheLogIsKeptShort(t *testing.T) {
	for _, c := range []struct {
		name    string
		entries uint64
		command string
	}{
		{"by entries", 10, "a"},
		{"by bytes", 1 << 30, strings.Repeat("a", maxCommandBytes/2)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newCluster(t, 1)
			n := s.nodes[0]
			n.stop()
			s.pace.markEntries, s.pace.trailingLogs = c.entries, 5
			n.start()
			s.leader()
			mark := func() uint64 {
				index, _, _, err := n.machine.Mark()
				if err != nil {
					t.Fatal(err)
				}
				return index
			}
			began, start := mark(), time.Now()
			short := func() bool {
				storage := n.Storage()
				return mark() > began && storage.Last-storage.First < mark() && storage.First > began
			}
			const many = 500 // commands, more than any mark waits for
			for proposed := 0; !short(); proposed++ {
				if proposed > many && time.Since(start) > patience {
					t.Fatalf("after %d commands no mark is set, or the log is not cut", proposed)
				}
				n.propose(c.command)
			}
		})
	}
}

// Entries before the mark are kept up to the bound in bytes, and never fewer than a server that was away for a moment may
// lack.
func TestTheTrailIsBoundInBytes(t *testing.T) {
	s := newCluster(t, 1)
	n := s.nodes[0]
	p := office
	for _, c := range []struct {
		what           string
		bytes          int64
		entries, trail uint64
	}{
		{"nothing was appended yet", 0, 0, s.pace.trailingLogs},
		{"small entries", 1 << 20, 1 << 10, p.trailingLogs},
		{"entries of 128 KiB", 128 << 20, 1 << 10, 2048},
		{"the largest entries", 1 << 30, 1 << 10, leastTrailing},
	} {
		n.boundTrail(c.bytes, c.entries, &p)
		if got := n.raft.ReloadableConfig().TrailingLogs; got != c.trail {
			t.Errorf("%s: %d entries are kept, want %d", c.what, got, c.trail)
		}
	}
}

// An orderly end leaves nothing that the next start must read.
func TestAnOrderlyEndSetsTheMark(t *testing.T) {
	s := newCluster(t, 1)
	n := s.nodes[0]
	for range 5 {
		n.propose("a")
	}
	n.stop()
	if mark, _, _, err := n.machine.Mark(); err != nil || mark != n.machine.Applied() {
		t.Errorf("the mark is %d, %v; the state is at %d", mark, err, n.machine.Applied())
	}
}
