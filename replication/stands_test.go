package replication

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cutLog is a site of one node that has marked its state, cut its log and gone on; it is stopped. The machine is what
// it was at the mark.
func cutLog(t *testing.T) (n *node, marked *memory) {
	t.Helper()
	s := newCluster(t, 1)
	n = s.nodes[0]
	n.stop()
	s.pace.trailingLogs = 5
	n.start()
	s.leader()
	for i := range 20 {
		n.propose(fmt.Sprint(i))
	}
	marked = &memory{}
	*marked = memory{state: n.machine.state}
	for round := range 2 {
		if err := n.raft.Snapshot().Error(); err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			n.propose(fmt.Sprint(round, i))
		}
	}
	n.stop()
	return n, marked
}

// refusedStart fails the test unless the node refuses to start in one line that names the file and says all the words.
func refusedStart(t *testing.T, n *node, file string, words ...string) {
	t.Helper()
	_, err := Start(n.options())
	if err == nil {
		t.Fatal("the node starts")
	}
	for _, word := range append(words, filepath.Join(n.dir, file), "move the data directory away") {
		if !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "\n") {
			t.Errorf("the error is %q, want one line with %q", err, word)
		}
	}
}

func TestAStateThatLostItsEndIsRefused(t *testing.T) {
	n, marked := cutLog(t)
	whole := n.machine
	n.machine = marked
	refusedStart(t, n, logDirectory, "begins at entry", "put the lost state back")
	n.machine = whole
	n.start()
	n.propose("with the right state")
}

// marked sets the mark where the state stands, as a snapshot does.
func (n *node) marked(t *testing.T) {
	t.Helper()
	if err := n.machine.SetMark(n.machine.state.Index, n.machine.state.Term, n.machine.state.Configuration); err != nil {
		t.Fatal(err)
	}
}

// copyOf copies a file or directory of the node's beside its directory.
func copyOf(t *testing.T, n *node, name string) string {
	t.Helper()
	to := t.TempDir()
	from := filepath.Join(n.dir, name)
	info, err := os.Stat(from)
	if err == nil && info.IsDir() {
		err = os.CopyFS(filepath.Join(to, name), os.DirFS(from))
	} else if err == nil {
		var content []byte
		if content, err = os.ReadFile(from); err == nil {
			err = os.WriteFile(filepath.Join(to, name), content, 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(to, name)
}

// A log that ends before the state would be filled anew: the state machine would skip what it is given, and the callers
// would be told that it was done. A term that is forgotten would let this server vote twice.
func TestALogOrTermThatIsOlderThanTheStateIsRefused(t *testing.T) {
	back := func(name string) func(*testing.T, *node, map[string]string) {
		return func(t *testing.T, n *node, old map[string]string) {
			t.Helper()
			path := filepath.Join(n.dir, name)
			remove(t, path)
			if err := os.Rename(old[name], path); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name  string
		file  string
		older func(t *testing.T, n *node, old map[string]string)
		want  string
	}{
		{"an old copy of the log", logDirectory, back(logDirectory), "ends at entry"},
		{"an old copy of the log, the state at its mark", logDirectory, func(t *testing.T, n *node, old map[string]string) {
			n.marked(t)
			back(logDirectory)(t, n, old)
		}, "ends at entry"},
		{"an old copy of the term", ballotFile, back(ballotFile), "knows terms up to"},
		{"the log lost its end", logDirectory, func(t *testing.T, n *node, _ map[string]string) {
			d := openTestDisk(t, n.dir, newFault())
			defer d.Close()
			_, last := d.ends()
			if err := d.DeleteRange(last-2, last); err != nil {
				t.Fatal(err)
			}
		}, "ends at entry"},
		{"the log is empty", logDirectory, func(t *testing.T, n *node, _ map[string]string) {
			d := openTestDisk(t, n.dir, newFault())
			defer d.Close()
			if err := d.DeleteRange(d.first, d.last); err != nil {
				t.Fatal(err)
			}
		}, "is empty while the state is at log entry"},
		{"both removed after a mark", ballotFile, func(t *testing.T, n *node, _ map[string]string) {
			n.marked(t)
			remove(t, filepath.Join(n.dir, logDirectory))
			remove(t, filepath.Join(n.dir, ballotFile))
		}, "knows terms up to 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newCluster(t, 1).nodes[0]
			n.propose("a")
			n.stop()
			old := map[string]string{logDirectory: copyOf(t, n, logDirectory), ballotFile: copyOf(t, n, ballotFile)}
			n.start()
			n.site.leader()
			for range 10 {
				n.propose("b")
			}
			n.stop()
			c.older(t, n, old)
			refusedStart(t, n, c.file, c.want)
		})
	}
}

// The place that a checkpoint takes is in the log before the state is replaced. A crash may leave any step of it undone.
func TestACheckpointMayTakeTheLogsPlaceAtAnyMoment(t *testing.T) {
	for _, c := range []struct {
		name     string
		low      uint64 // of the log
		high     uint64
		expected place
		at       state
		first    uint64 // of the log after the start
		want     string // in the refusal
	}{
		{"expected, the state is still the old one", 1, 10, place{50, 4}, state{mark: 5, markTerm: 3, applied: 9}, 1, ""},
		{"expected, a fresh server", 0, 0, place{50, 4}, state{}, 0, ""},
		{"installed, the log still ends before it", 1, 10, place{50, 3}, state{50, 3, 50}, 0, ""},
		{"installed, the log is of another history", 1, 60, place{50, 4}, state{50, 4, 50}, 0, ""},
		{"installed, the log has it", 1, 60, place{50, 3}, state{50, 3, 50}, 1, ""},
		{"installed, the log was emptied", 0, 0, place{50, 3}, state{50, 3, 50}, 0, ""},
		{"installed, the log went on", 51, 60, place{50, 3}, state{50, 3, 55}, 51, ""},
		{"the log ends before the state and expected nothing", 1, 10, place{}, state{50, 3, 50}, 0, "ends at entry 10"},
		{"the log expected another checkpoint", 1, 10, place{40, 3}, state{50, 3, 50}, 0, "ends at entry 10"},
		{"the log is of another history and expected nothing", 1, 60, place{}, state{50, 2, 55}, 0, "has an entry 50 of term 3"},
		{"the state went on and the log lost that", 0, 0, place{50, 3}, state{50, 3, 55}, 0, "is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := openTestDisk(t, t.TempDir(), newFault())
			if err := d.ballot.SetUint64([]byte(currentTerm), 4); err != nil {
				t.Fatal(err)
			}
			if c.low > 0 {
				storeEntries(t, d.entryLog, c.low, c.high, 3)
			}
			if err := d.expect(c.expected); err != nil {
				t.Fatal(err)
			}
			err := d.stands(c.at)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("the start says %v, want %q", err, c.want)
				}
				return
			}
			if first, _ := d.ends(); err != nil || first != c.first {
				t.Errorf("the log begins at %d, want %d: %v", first, c.first, err)
			}
		})
	}
}
