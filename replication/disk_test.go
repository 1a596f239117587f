package replication

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
)

func globAll(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestALogInUseIsSaidToBeInUse(t *testing.T) {
	s := newCluster(t, 1)
	second := s.nodes[0].options
	busy := s.nodes[0].self.Raft
	s.nodes[0].self.Raft = freeAddress(t)
	o := second()
	s.nodes[0].self.Raft = busy
	_, err := Start(o)
	if err == nil || !strings.Contains(err.Error(), "raft.db: it is in use by another node") {
		t.Errorf("a second node on the same directory: %v", err)
	}
}

func TestADamagedLogIsNamed(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, path string)
		want   string
	}{
		{"not a database", func(t *testing.T, path string) { overwrite(t, path, 0, strings.Repeat("x", 3*os.Getpagesize())) }, "is damaged"},
		{"cut in half", func(t *testing.T, path string) {
			if err := os.Truncate(path, int64(2*os.Getpagesize())); err != nil {
				t.Fatal(err)
			}
		}, "is damaged"},
		{"pages overwritten", func(t *testing.T, path string) {
			overwrite(t, path, int64(2*os.Getpagesize()), strings.Repeat("x", 20*os.Getpagesize()))
		}, "is damaged"},
		{"an entry's bytes changed", changeEntry, "entry 3: its checksum does not fit"},
		{"removed", func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, "is empty while the state is at log entry"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newCluster(t, 1)
			n := s.nodes[0]
			for range 20 {
				n.propose("command")
			}
			n.stop()
			path := filepath.Join(n.dir, logFile)
			c.damage(t, path)
			_, err := Start(n.options())
			if err == nil {
				t.Fatal("the node starts")
			}
			for _, part := range []string{path, c.want, "move the data directory away"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error %q does not say %q", err, part)
				}
			}
		})
	}
}

func overwrite(t *testing.T, path string, at int64, with string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(with), at); err != nil {
		t.Fatal(err)
	}
}

// changeEntry changes a command where the file's own structure does not show it.
func changeEntry(t *testing.T, path string) {
	d, err := openDisk(filepath.Dir(path), newFault())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var entry raft.Log
	if err := d.GetLog(3, &entry); err != nil {
		t.Fatal(err)
	}
	entry.Data[len(entry.Data)/2] ^= 1
	if err := d.StoreLogs([]*raft.Log{&entry}); err != nil {
		t.Fatal(err)
	}
}

func TestALogThatBeginsBehindTheStateIsRefused(t *testing.T) {
	d, err := openDisk(t.TempDir(), newFault())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.StoreLog(&raft.Log{Index: 100, Term: 1}); err != nil {
		t.Fatal(err)
	}
	if err := d.stands(true, state{mark: 99, applied: 99}); err != nil {
		t.Errorf("log from 100, state at 99: %v", err)
	}
	if err := d.stands(true, state{mark: 98, applied: 98}); err == nil || !strings.Contains(err.Error(), "begins at entry 100") {
		t.Errorf("log from 100, state at 98: %v", err)
	}
}

func TestAFailedWriteIsAFault(t *testing.T) {
	f := newFault()
	d, err := openDisk(t.TempDir(), f)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.StoreLog(&raft.Log{Index: 1, Term: 1}); err == nil {
		t.Error("a write to a closed log succeeds")
	}
	if !f.isRaised() {
		t.Error("a log that cannot be written is no fault")
	}
}
