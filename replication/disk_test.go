package replication

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
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
	if err == nil || !strings.Contains(err.Error(), "vote.db: it is in use by another node") {
		t.Errorf("a second node on the same directory: %v", err)
	}
}

func TestDamageIsNamed(t *testing.T) {
	page := os.Getpagesize()
	for _, c := range []struct {
		name   string
		file   string // in the replica's directory
		damage func(t *testing.T, path string)
		want   string
	}{
		{"a ballot that is no database", ballotFile, func(t *testing.T, path string) { overwrite(t, path, 0, strings.Repeat("x", 3*page)) }, "is damaged"},
		{"half a ballot", ballotFile, func(t *testing.T, path string) { truncate(t, path, int64(2*page)) }, "is damaged"},
		{"pages of the ballot overwritten", ballotFile, func(t *testing.T, path string) { overwrite(t, path, int64(2*page), strings.Repeat("x", 5*page)) }, "is damaged"},
		{"no ballot", ballotFile, remove, "is missing or empty while the Raft log"},
		{"an entry's bytes changed", logDirectory, changeEntry, "entry 3: its checksum does not fit"},
		{"an entry lost", logDirectory, loseEntry, "entry 3: "},
		{"a hole in the write-ahead log", logDirectory, func(t *testing.T, path string) {
			logs := globAll(t, path, "*.log")
			overwrite(t, logs[len(logs)-1], 40<<10, "xxxx")
		}, "is damaged"},
		{"a table lost", logDirectory, func(t *testing.T, path string) { remove(t, globAll(t, path, "*.sst")[0]) }, "is damaged"},
		{"no log", logDirectory, remove, "is missing or empty while the file of term and vote"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newCluster(t, 1)
			n := s.nodes[0]
			for range 20 {
				n.propose(strings.Repeat("command ", 1<<10))
			}
			n.kill() // an orderly end leaves nothing that a start would read
			path := filepath.Join(n.dir, c.file)
			c.damage(t, path)
			_, err := Start(n.options())
			if err == nil {
				t.Fatal("the node starts")
			}
			for _, part := range []string{path, c.want, "move the data directory away"} {
				if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
					t.Errorf("the error is %q, want one line with %q", err, part)
				}
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// openTestDisk opens the disk of a server by itself.
func openTestDisk(t testing.TB, dir string, fault *fault) *disk {
	t.Helper()
	d, err := openDisk(Options{Dir: dir, Self: Server{ID: "n1-a"}, Logger: slog.New(slog.DiscardHandler)}, fault)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
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

// changeEntry changes a command where the database's own checksums do not show it.
func changeEntry(t *testing.T, path string) {
	d := openTestDisk(t, filepath.Dir(path), newFault())
	defer d.Close()
	value, err := d.get(entryKey(3))
	if err != nil {
		t.Fatal(err)
	}
	value[len(value)/2] ^= 1
	if err := d.set(entryKey(3), value); err != nil {
		t.Fatal(err)
	}
}

func loseEntry(t *testing.T, path string) {
	d := openTestDisk(t, filepath.Dir(path), newFault())
	defer d.Close()
	if err := d.db.Delete(entryKey(3), pebble.Sync); err != nil {
		t.Fatal(err)
	}
}

func TestALogThatBeginsBehindTheStateIsRefused(t *testing.T) {
	d := openTestDisk(t, t.TempDir(), newFault())
	if err := errors.Join(d.StoreLog(&raft.Log{Index: 100, Term: 1, Type: raft.LogNoop}), d.ballot.SetUint64([]byte(currentTerm), 1)); err != nil {
		t.Fatal(err)
	}
	if err := d.stands(state{mark: 99, markTerm: 1, applied: 99}); err != nil {
		t.Errorf("log from 100, state at 99: %v", err)
	}
	if err := d.stands(state{mark: 98, markTerm: 1, applied: 98}); err == nil || !strings.Contains(err.Error(), "begins at entry 100") {
		t.Errorf("log from 100, state at 98: %v", err)
	}
}

func TestTheDiskOfAnotherServerIsRefused(t *testing.T) {
	dir := t.TempDir()
	openTestDisk(t, dir, newFault()).Close()
	_, err := openDisk(Options{Dir: dir, Self: Server{ID: "n1-b"}, Logger: slog.New(slog.DiscardHandler)}, newFault())
	if err == nil || !strings.Contains(err.Error(), "belongs to server n1-a, this is server n1-b") {
		t.Errorf("the disk of n1-a opened for n1-b: %v", err)
	}
}

// A process that ends between its two claims goes on with them at its next start.
func TestADiskThatIsHalfClaimedIsClaimed(t *testing.T) {
	dir := t.TempDir()
	b, err := openBallot(dir, newFault())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Set([]byte(ballotOwner), []byte("n1-a")), b.Close()); err != nil {
		t.Fatal(err)
	}
	if d := openTestDisk(t, dir, newFault()); d.owner != "n1-a" {
		t.Errorf("the log belongs to %q", d.owner)
	}
}

func TestAFailedWriteOfTheTermIsAFault(t *testing.T) {
	f := newFault()
	d := openTestDisk(t, t.TempDir(), f)
	if err := d.ballot.db.Close(); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- d.ballot.SetUint64([]byte(currentTerm), 2) }()
	<-f.raised
	select {
	case err := <-written:
		t.Errorf("Raft is told %v and panics", err)
	default:
	}
	close(d.ballot.stuck)
	if err := <-written; err == nil || !strings.Contains(err.Error(), "vote.db cannot be written") {
		t.Errorf("a term written to a closed file: %v", err)
	}
}

func TestOnlyTheEndsOfALogAreCut(t *testing.T) {
	f := newFault()
	d := openTestDisk(t, t.TempDir(), f)
	storeEntries(t, d.entryLog, 1, 10, 1)
	for _, c := range []struct{ low, high, first, last uint64 }{
		{0, 0, 1, 10}, {11, 20, 1, 10}, {0, 3, 4, 10}, {9, 30, 4, 8}, {4, 8, 0, 0}, {1, 100, 0, 0},
	} {
		if err := d.DeleteRange(c.low, c.high); err != nil {
			t.Errorf("cut %d to %d: %v", c.low, c.high, err)
		}
		first, last := d.ends()
		if first != c.first || last != c.last {
			t.Errorf("after cutting %d to %d the log is %d to %d, want %d to %d", c.low, c.high, first, last, c.first, c.last)
		}
		var entry raft.Log
		for _, gone := range []uint64{c.first - 1, c.last + 1} {
			if err := d.GetLog(gone, &entry); !errors.Is(err, raft.ErrLogNotFound) {
				t.Errorf("after cutting %d to %d, entry %d: %v", c.low, c.high, gone, err)
			}
		}
	}
	storeEntries(t, d.entryLog, 20, 30, 2)
	if err := d.DeleteRange(22, 25); err == nil || !f.isRaised() {
		t.Errorf("a hole is cut: %v", err)
	}
	if err := d.db.Close(); err != nil { // after a fault Close does not
		t.Error(err)
	}
}

func TestAnEntryOutOfTurnIsAFault(t *testing.T) {
	f := newFault()
	d := openTestDisk(t, t.TempDir(), f)
	storeEntries(t, d.entryLog, 1, 3, 1)
	if err := d.StoreLog(&raft.Log{Index: 5, Term: 1}); err == nil || !f.isRaised() {
		t.Errorf("entry 5 after entry 3: %v", err)
	}
	if err := d.db.Close(); err != nil { // after a fault Close does not
		t.Error(err)
	}
}

// storeEntries appends one entry after the other.
func storeEntries(t testing.TB, l *entryLog, low, high, term uint64) {
	t.Helper()
	for index := low; index <= high; index++ {
		data := fmt.Appendf(nil, "%d of %d", index, term)
		if err := l.StoreLog(&raft.Log{Index: index, Term: term, Data: data, Extensions: checksum(data)}); err != nil {
			t.Fatal(err)
		}
	}
}
