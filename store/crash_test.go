package store

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// crash is the disk as a power failure at one moment leaves it, and what the store had promised by then.
type crash struct {
	disk   *vfs.MemFS
	lost   string // how much of the unsynced data, for messages
	before string // the operation that the power failure prevented

	applied, mark uint64 // as the store had reported them
}

// crashes is a disk on which the power fails, in other worlds, before some of its operations.
type crashes struct {
	disk *vfs.MemFS

	// mu guards what follows; the database works on the disk in the background too.
	mu    sync.Mutex
	rng   *rand.Rand
	often int   // the power fails before one in so many operations
	kept  []int // what may be kept of the unsynced data and directory entries, in percent
	seen  []crash
	ended bool

	applied, mark uint64
}

func newCrashes(seed uint64, often int, kept []int) *crashes {
	return &crashes{disk: vfs.NewCrashableMem(), rng: rand.New(rand.NewPCG(seed, 1)), often: often, kept: kept}
}

// anyPart lets each unsynced block and directory entry be kept or lost by itself. While the database replaces its
// manifest it trusts the file system to keep the order of two new entries of one directory, as journaling ones do;
// allOrNothing respects that.
var (
	anyPart      = []int{0, 10, 50, 90, 100}
	allOrNothing = []int{0, 100}
)

func (c *crashes) fs() vfs.FS {
	return errorfs.Wrap(c.disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			c.maybe(fmt.Sprintf("operation %d on %s", op.Kind, op.Path))
		}
		return nil
	}))
}

func (c *crashes) maybe(before string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended && c.rng.IntN(c.often) == 0 {
		c.fail(before, c.kept[c.rng.IntN(len(c.kept))])
	}
}

// fail takes the disk with a share of the unsynced data. The caller holds mu.
func (c *crashes) fail(before string, percent int) {
	clone := c.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: c.rng})
	c.seen = append(c.seen, crash{
		disk: clone, lost: fmt.Sprintf("%d%% of the unsynced data kept", percent), before: before, applied: c.applied, mark: c.mark,
	})
}

// begin forgets the crashes so far.
func (c *crashes) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = nil
}

// end fails the power a last time, keeping only what was synced, and returns the crashes.
func (c *crashes) end(before string) []crash {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail(before, 0)
	c.ended = true
	return c.seen
}

func (c *crashes) reported(applied, mark uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.applied, c.mark = applied, mark
}

// fingerprint identifies the state, without the mark.
func fingerprint(t tb, s *Store) [sha256.Size]byte {
	t.Helper()
	all := sha256.New()
	view(t, s, func(r *Reader) error {
		return eachRow(r, func(key, value []byte) { fmt.Fprintf(all, "%d %s%d %s", len(key), key, len(value), value) })
	})
	return [sha256.Size]byte(all.Sum(nil))
}

// checkTidy fails when the directory holds a second database or a checkpoint.
func checkTidy(t *testing.T, fs vfs.FS) {
	t.Helper()
	names, err := fs.List(testDir)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, temporary) })
	if len(names) != 4 || names[0] != currentFile || names[1] != identityFile || names[2] != lockFile || !strings.HasPrefix(names[3], databasePrefix) {
		t.Errorf("the directory holds %v, want %s, %s, %s and one database", names, currentFile, identityFile, lockFile)
	}
}

func TestACrashLeavesAnExactPrefixOfTheLog(t *testing.T) {
	total, lostSome := 0, 0
	for seed := range uint64(15) {
		c := newCrashes(seed, 25, anyPart)
		history, seen := playLog(t, c, seed)
		for _, crash := range seen {
			s := mustOpen(t, options(crash.disk))
			if s.Applied() < crash.mark {
				t.Errorf("seed %d, before %s, %s: applied index %d is below the mark %d", seed, crash.before, crash.lost, s.Applied(), crash.mark)
			}
			applied, _ := standings(t, s)
			if want, known := history[applied]; !known || fingerprint(t, s) != want {
				t.Errorf("seed %d, before %s, %s: the state says that it is the one after entry %d, and is not", seed, crash.before, crash.lost, applied)
			}
			if applied < crash.applied {
				lostSome++
			}
			mustClose(t, s)
			total++
		}
	}
	if total < 80 || lostSome < total/10 {
		t.Errorf("the power failed %d times and %d times something was lost: too few to mean something", total, lostSome)
	}
}

// standings returns the index of the last batch and the mark.
func standings(t *testing.T, s *Store) (applied, mark uint64) {
	t.Helper()
	view(t, s, func(r *Reader) error {
		last, err := r.standing(metaApplied)
		marked, markErr := r.standing(metaMark)
		applied, mark = last.index, marked.index
		return errors.Join(err, markErr)
	})
	return applied, mark
}

// playLog applies random entries, marks and flushes, and returns the state after each entry and the crashes meanwhile.
func playLog(t *testing.T, c *crashes, seed uint64) (map[uint64][sha256.Size]byte, []crash) {
	rng := rand.New(rand.NewPCG(seed, 2))
	s := mustOpen(t, options(c.fs()))
	history := map[uint64][sha256.Size]byte{0: fingerprint(t, s)}
	for range 60 {
		index := s.Applied() + 1 + rng.Uint64N(2)
		var err error
		switch action := rng.IntN(10); {
		case action < 6:
			putEntry(t, s, rng, index)
		case action == 6:
			err = s.Configuration(index, 1, fmt.Appendf(nil, "members at %d", index))
		case action == 7:
			err = s.SetMark(index, 1, []byte("members at the mark"))
		case action == 8:
			_, err = s.db.AsyncFlush()
		case action == 9:
			err = s.SetMark(s.Applied(), 1, nil)
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		applied, mark := standings(t, s)
		history[applied] = fingerprint(t, s)
		c.reported(applied, mark)
	}
	seen := c.end("the end")
	mustClose(t, s)
	return history, seen
}

// putEntry commits tickets with their events; some entries are so large that the log of the database is rotated.
func putEntry(t *testing.T, s *Store, rng *rand.Rand, index uint64) {
	t.Helper()
	b := s.NewBatch()
	defer b.Discard()
	for range 1 + rng.IntN(3) {
		number := fmt.Sprintf("330106-20261121-%04d", rng.IntN(20))
		text := strings.Repeat("说", rng.IntN(100))
		if rng.IntN(8) == 0 {
			text = strings.Repeat("明", 20_000)
		}
		record := ticket(number, func(k *deskpb.Ticket) { k.Description, k.UpdateTime = text, at(int64(index)) })
		if err := b.PutTicket(record); err != nil {
			t.Fatal(err)
		}
		if err := b.AddEvent(event(t, number, int64(index), rng.Uint64(), text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Commit(index, 1); err != nil {
		t.Fatal(err)
	}
}

func TestACrashInARestoreLeavesTheOldStateOrTheNew(t *testing.T) {
	newer := mustOpen(t, options(vfs.NewMem()))
	commitTickets(t, newer, 30)
	newState, newStand := fingerprint(t, newer), newer.Applied()
	stream := checkpointBytes(t, newer)
	mustClose(t, newer)

	for seed := range uint64(5) {
		c := newCrashes(seed, 1, anyPart)
		s := mustOpen(t, options(c.fs()))
		commitTickets(t, s, 3)
		if err := s.SetMark(s.Applied(), 1, nil); err != nil {
			t.Fatal(err)
		}
		oldState, oldStand, id := fingerprint(t, s), s.Applied(), s.ServerID()
		c.begin()
		if err := s.Restore(bytes.NewReader(stream)); err != nil {
			t.Fatal(err)
		}
		seen := c.end("the restore returned")
		for i, crash := range seen {
			reopened := mustOpen(t, options(crash.disk))
			got, stand := fingerprint(t, reopened), reopened.Applied()
			isOld, isNew := got == oldState && stand == oldStand, got == newState && stand == newStand
			if last := i == len(seen)-1; !isOld && !isNew || last && !isNew {
				t.Errorf("before %s, %s: the state is the old one: %t, the new one: %t, and stands at %d", crash.before, crash.lost, isOld, isNew, stand)
			}
			if mark, _, _, err := reopened.Mark(); isNew && mark != newStand || err != nil {
				t.Errorf("before %s, %s: the mark of the new state is %d, %v, want %d", crash.before, crash.lost, mark, err, newStand)
			}
			if reopened.ServerID() != id {
				t.Errorf("before %s: server id %s, want %s", crash.before, reopened.ServerID(), id)
			}
			mustClose(t, reopened)
			checkTidy(t, crash.disk)
		}
		mustClose(t, s)
	}
}

func TestACrashWhileADirectoryIsMadeIsHarmless(t *testing.T) {
	for seed := range uint64(8) {
		c := newCrashes(seed, 1, allOrNothing)
		s := mustOpen(t, options(c.fs()))
		id := s.ServerID()
		seen := c.end("the open returned")
		for i, crash := range seen {
			reopened := mustOpen(t, options(crash.disk))
			if reopened.Applied() != 0 {
				t.Errorf("before %s, %s: applied index %d, want 0", crash.before, crash.lost, reopened.Applied())
			}
			if last := i == len(seen)-1; last && reopened.ServerID() != id {
				t.Errorf("the server id %s was lost after the open returned: it is %s", id, reopened.ServerID())
			}
			mustClose(t, reopened)
			checkTidy(t, crash.disk)
		}
		mustClose(t, s)
	}
}

func TestACrashWhileAStoreIsReopenedLosesNothing(t *testing.T) {
	for seed := range uint64(4) {
		c := newCrashes(seed, 1, allOrNothing)
		s := mustOpen(t, options(c.fs()))
		commitTickets(t, s, 10)
		want, stand := fingerprint(t, s), s.Applied()
		mustClose(t, s)
		c.begin()
		s = mustOpen(t, options(c.fs()))
		for _, crash := range c.end("the open returned") {
			reopened := mustOpen(t, options(crash.disk))
			if fingerprint(t, reopened) != want || reopened.Applied() != stand {
				t.Errorf("before %s, %s: the state is another, at %d instead of %d", crash.before, crash.lost, reopened.Applied(), stand)
			}
			mustClose(t, reopened)
		}
		mustClose(t, s)
	}
}

func TestACrashDuringACheckpointLeavesNothingBehind(t *testing.T) {
	c := newCrashes(1, 1, anyPart)
	s := mustOpen(t, options(c.fs()))
	commitTickets(t, s, 3)
	c.begin()
	stream, _, _, _, _, err := s.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, stream); err != nil {
		t.Fatal(err)
	}
	seen := c.end("the stream was closed")
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	for _, crash := range seen {
		mustClose(t, mustOpen(t, options(crash.disk)))
		checkTidy(t, crash.disk)
	}
	mustClose(t, s)
	checkTidy(t, c.disk)
}

func commitTickets(t *testing.T, s *Store, count int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(s.Applied(), 3))
	for range count {
		putEntry(t, s, rng, s.Applied()+1)
	}
}

func checkpointBytes(t *testing.T, s *Store) []byte {
	t.Helper()
	stream, size, _, _, _, err := s.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(stream)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	if int64(len(content)) != size {
		t.Errorf("the stream has %d bytes, %d were announced", len(content), size)
	}
	return content
}
