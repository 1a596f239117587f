package replication

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/hashicorp/raft"
)

// content is what a log holds: the terms of its entries from the first on.
type content struct {
	first uint64
	terms []uint64
}

func (c content) end() uint64 { return c.first + uint64(len(c.terms)) }

func (c content) equal(other content) bool {
	return slices.Equal(c.terms, other.terms) && (len(c.terms) == 0 || c.first == other.first)
}

func (c content) String() string {
	if len(c.terms) == 0 {
		return "no entries"
	}
	return fmt.Sprintf("entries %d to %d of terms %v", c.first, c.end()-1, c.terms)
}

// entryOf is the one of this index and term; what it holds follows from them. Some are larger than others.
func entryOf(index, term uint64) *raft.Log {
	size := 200
	if (index+term)%7 == 0 {
		size = 100 << 10
	}
	data := bytes.Repeat(fmt.Appendf(nil, "entry %d of term %d;", index, term), size/20)
	return &raft.Log{Index: index, Term: term, Data: data, Extensions: checksum(data)}
}

// outage is a disk as a power failure leaves it, and what the log on it may hold then.
type outage struct {
	disk    *vfs.MemFS
	before  string // the operation that it prevented
	allowed []content
}

// outages is a disk that loses its power, in other worlds, before some of its operations.
type outages struct {
	disk *vfs.MemFS

	mu      sync.Mutex // guards all below; the database works on the disk in the background too
	rng     *rand.Rand
	allowed []content // what was promised durably last, what followed, and what is being made
	seen    []outage
}

const (
	betweenOutages = 40 // operations on the disk, on average
	mostOutages    = 12 // of one run
)

func (o *outages) fs() vfs.FS {
	return errorfs.Wrap(o.disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && len(o.allowed) > 0 && len(o.seen) < mostOutages && o.rng.IntN(betweenOutages) == 0 {
			o.fail(fmt.Sprintf("operation %d on %s", op.Kind, op.Path), []int{0, 10, 50, 90, 100}[o.rng.IntN(5)])
		}
		return nil
	}))
}

// fail keeps the disk with a share of what was not synced. The caller holds mu.
func (o *outages) fail(before string, percent int) {
	o.seen = append(o.seen, outage{
		disk:    o.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: o.rng}),
		before:  fmt.Sprintf("%s, %d%% of the unsynced data kept", before, percent),
		allowed: slices.Clone(o.allowed),
	})
}

// make changes the log; next is what it holds then. From now on a failure leaves it so or as before, and after a durable
// change only so.
func (o *outages) make(t *testing.T, next content, durable bool, change func() error) {
	t.Helper()
	o.mu.Lock()
	o.allowed = append(o.allowed, next)
	o.mu.Unlock()
	if err := change(); err != nil {
		t.Fatal(err)
	}
	if durable {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.allowed = []content{next}
	}
}

func openTestLog(t *testing.T, fs vfs.FS) *entryLog {
	t.Helper()
	l, err := openLog(fs, "raft", nil, newFault(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l.holds.matched = func(raft.ServerID) uint64 { return 0 }
	return l
}

// The power fails at random moments of appends, cuts at both ends, flushes and compactions, and any part of what was not
// synced is lost. The log holds every append that was acknowledged, has no holes, and no entries that were cut at its end
// come back.
func TestALogSurvivesPowerFailures(t *testing.T) {
	outagesSeen := 0
	for seed := range uint64(12) {
		o := &outages{disk: vfs.NewCrashableMem(), rng: rand.New(rand.NewPCG(seed, 1))}
		l := openTestLog(t, o.fs())
		if err := l.claim("n1-a"); err != nil {
			t.Fatal(err)
		}
		workOnLog(t, o, l, rand.New(rand.NewPCG(seed, 2)))
		o.mu.Lock()
		o.fail("the end", 0)
		seen := o.seen
		o.mu.Unlock()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		for _, outage := range seen {
			checkAfterOutage(t, seed, outage)
		}
		outagesSeen += len(seen)
	}
	if outagesSeen < 100 {
		t.Errorf("the power failed only %d times", outagesSeen)
	}
}

// workOnLog does what Raft does to a log.
func workOnLog(t *testing.T, o *outages, l *entryLog, rng *rand.Rand) {
	t.Helper()
	now, term := content{first: 1}, uint64(1)
	o.make(t, now, true, func() error { return nil })
	for range 150 {
		switch n := uint64(len(now.terms)); {
		case n > 2 && rng.IntN(10) == 0: // others agreed on something else
			keep := rng.Uint64N(n)
			term++
			next := content{now.first, slices.Clone(now.terms[:keep])}
			o.make(t, next, true, func() error { return l.DeleteRange(now.first+keep, now.end()-1) })
			now = next
		case n > 5 && rng.IntN(8) == 0: // a snapshot was marked
			gone := 1 + rng.Uint64N(n-1)
			next := content{now.first + gone, slices.Clone(now.terms[gone:])}
			o.make(t, next, false, func() error { return l.DeleteRange(now.first, now.first+gone-1) })
			now = next
		case n > 0 && rng.IntN(30) == 0: // a checkpoint was installed
			next := content{first: now.end() + rng.Uint64N(100)}
			if err := l.expect(place{next.first - 1, term}); err != nil {
				t.Fatal(err)
			}
			o.make(t, next, true, func() error { return l.DeleteRange(now.first, now.end()-1) })
			now = next
		default:
			next, entries := content{now.first, slices.Clone(now.terms)}, []*raft.Log{}
			for range 1 + rng.IntN(4) {
				entries = append(entries, entryOf(next.end(), term))
				next.terms = append(next.terms, term)
			}
			o.make(t, next, true, func() error { return l.StoreLogs(entries) })
			now = next
		}
	}
}

func checkAfterOutage(t *testing.T, seed uint64, after outage) {
	t.Helper()
	l := openTestLog(t, after.disk)
	defer l.Close()
	found := content{first: l.first}
	for index := l.first; index > 0 && index <= l.last; index++ {
		var entry raft.Log
		if err := l.GetLog(index, &entry); err != nil {
			t.Fatalf("seed %d, before %s: %v", seed, after.before, err)
		}
		if !bytes.Equal(entry.Data, entryOf(index, entry.Term).Data) {
			t.Errorf("seed %d, before %s: entry %d holds something else", seed, after.before, index)
		}
		found.terms = append(found.terms, entry.Term)
	}
	if !slices.ContainsFunc(after.allowed, found.equal) {
		t.Errorf("seed %d, before %s: the log holds %v, allowed are %v", seed, after.before, found, after.allowed)
	}
	if rows := countEntries(t, l); rows != len(found.terms) {
		t.Errorf("seed %d, before %s: %d entries are stored, %d are found", seed, after.before, rows, len(found.terms))
	}
	if err := l.StoreLog(entryOf(max(found.end(), 1), 1000)); err != nil {
		t.Errorf("seed %d, before %s: the log does not go on: %v", seed, after.before, err)
	}
}

func countEntries(t *testing.T, l *entryLog) (rows int) {
	t.Helper()
	entries, err := l.db.NewIter(&pebble.IterOptions{LowerBound: entryKey(1)})
	if err != nil {
		t.Fatal(err)
	}
	for entries.First(); entries.Valid(); entries.Next() {
		rows++
	}
	if err := errors.Join(entries.Error(), entries.Close()); err != nil {
		t.Fatal(err)
	}
	return rows
}
