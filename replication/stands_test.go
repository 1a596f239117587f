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

// refusedStart fails the test unless the node refuses to start in one line that names its log and says all the words.
func refusedStart(t *testing.T, n *node, words ...string) {
	t.Helper()
	_, err := Start(n.options())
	if err == nil {
		t.Fatal("the node starts")
	}
	for _, word := range append(words, filepath.Join(n.dir, logFile), "move the data directory away") {
		if !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "\n") {
			t.Errorf("the error is %q, want one line with %q", err, word)
		}
	}
}

func TestAStateThatLostItsEndIsRefused(t *testing.T) {
	n, marked := cutLog(t)
	whole := n.machine
	n.machine = marked
	refusedStart(t, n, "begins at entry", "put the lost state back")
	n.machine = whole
	n.start()
	n.propose("with the right state")
}

// A log that ends before the state would be filled anew: the state machine would skip what it is given, and the callers
// would be told that it was done.
func TestALogThatIsOlderThanTheStateIsRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		older func(t *testing.T, n *node, old []byte)
		want  string
	}{
		{"an old copy", func(t *testing.T, n *node, old []byte) {
			if err := os.WriteFile(filepath.Join(n.dir, logFile), old, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "ends at entry"},
		{"it lost its end", func(t *testing.T, n *node, _ []byte) {
			d, err := openDisk(n.dir, newFault())
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			last, err := d.LastIndex()
			if err != nil {
				t.Fatal(err)
			}
			if err := d.DeleteRange(last-2, last); err != nil {
				t.Fatal(err)
			}
		}, "ends at entry"},
		{"removed after a mark", func(t *testing.T, n *node, _ []byte) {
			if err := n.machine.SetMark(n.machine.state.Index, n.machine.state.Term, n.machine.state.Configuration); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(n.dir, logFile)); err != nil {
				t.Fatal(err)
			}
		}, "knows terms up to 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newCluster(t, 1).nodes[0]
			n.propose("a")
			n.stop()
			old, err := os.ReadFile(filepath.Join(n.dir, logFile))
			if err != nil {
				t.Fatal(err)
			}
			n.start()
			n.site.leader()
			for range 10 {
				n.propose("b")
			}
			n.stop()
			c.older(t, n, old)
			refusedStart(t, n, c.want)
		})
	}
}
