package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tierdesk/tierdesk/disk/disktest"
)

// pair is a log whose writes are synced and a state whose writes are not, as a node has them.
type pair struct{ log, state *pebble.DB }

func openPair(t *testing.T, fs vfs.FS) pair {
	t.Helper()
	open := func(name string) *pebble.DB {
		db, err := pebble.Open(fs.PathJoin(dir, name), &pebble.Options{
			FS: fs, MemTableSize: 256 << 10, Logger: quiet{t}, FormatMajorVersion: pebble.FormatTableFormatV6,
		})
		if err != nil {
			t.Fatalf("open %s: %v", name, err)
		}
		return db
	}
	return pair{open("log"), open("state")}
}

// quiet fails the test where the database would end the process.
type quiet struct{ t *testing.T }

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (q quiet) Fatalf(format string, args ...any) {
	q.t.Errorf(format, args...)
	select {}
}

func (p pair) close(t *testing.T) {
	t.Helper()
	if err := errors.Join(p.log.Close(), p.state.Close()); err != nil {
		t.Fatal(err)
	}
}

// write writes an entry to both.
func (p pair) write(entry uint64, value []byte) error {
	key := binary.BigEndian.AppendUint64(nil, entry)
	return errors.Join(p.log.Set(key, value, pebble.Sync), p.state.Set(key, value, pebble.NoSync))
}

func (p pair) check(t *testing.T, values map[uint64][]byte) {
	t.Helper()
	for entry, want := range values {
		key := binary.BigEndian.AppendUint64(nil, entry)
		for name, db := range map[string]*pebble.DB{"log": p.log, "state": p.state} {
			got, closer, err := db.Get(key)
			if err != nil || string(got) != string(want) {
				t.Fatalf("%s, entry %d of %d: %d bytes, %v", name, entry, len(values), len(got), err)
			}
			_ = closer.Close()
		}
	}
}

// Somebody else takes all the room at once, in the middle of the work. What was taken in is written, nothing is taken in
// until there is room, and then the work goes on without a new start.
func TestDatabasesOutliveAFullDisk(t *testing.T) {
	quota := disktest.NewQuota(vfs.NewMem(), 128*mib)
	d, err := Open(Options{
		Dir: dir, FS: quota, Reserve: 8 * mib, poll: 2 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	held := func(r Room) bool { return r.State == OK && r.Reserve == 8*mib }
	await(t, d, "the reserve is made", held)
	p := openPair(t, d.FS())
	random := rand.New(rand.NewPCG(1, 2))
	source := rand.NewChaCha8([32]byte{})
	written := map[uint64][]byte{}
	var next uint64
	entry := func() {
		next++
		value := make([]byte, 1+random.IntN(32<<10))
		_, _ = source.Read(value)
		if err := p.write(next, value); err != nil {
			t.Fatalf("entry %d: %v", next, err)
		}
		written[next] = value
	}
	for round := range 3 {
		for range 60 {
			entry()
		}
		quota.Take(0)
		for range 30 { // on the way when the disk filled up
			entry()
		}
		await(t, d, fmt.Sprintf("round %d: the disk is not ok", round), func(r Room) bool { return r.State != OK })
		p.check(t, written)
		quota.Give()
		await(t, d, fmt.Sprintf("round %d: the disk has room again", round), held)
	}
	p.close(t)
	p = openPair(t, d.FS())
	p.check(t, written)
	quota.Take(0)
	p.close(t)
	p = openPair(t, d.FS()) // on a full disk, with the help of the reserve
	p.check(t, written)
	p.close(t)
}

// A start on a spent disk fails or waits, and works when there is room.
func TestSpentDiskLosesNothing(t *testing.T) {
	quota := disktest.NewQuota(vfs.NewMem(), 32*mib)
	d := open(t, quota)
	await(t, d, "the reserve is made", ready)
	p := openPair(t, d.FS())
	values := map[uint64][]byte{}
	for entry := range uint64(50) {
		values[entry] = noise(100)
		if err := p.write(entry, values[entry]); err != nil {
			t.Fatal(err)
		}
	}
	p.close(t)
	quota.Take(0)
	filler := create(t, d.FS(), "000009.log", "pebble-wal")
	defer filler.Close()
	if _, err := filler.Write(noise(2 * mib)); !noRoom(err) || !d.Spent() {
		t.Fatalf("fill the disk: %v, spent %v", err, d.Spent())
	}
	path := d.FS().PathJoin(dir, "log")
	ended := make(chan error, 1)
	go func() {
		db, err := pebble.Open(path, &pebble.Options{FS: d.FS(), Logger: quiet{t}, FormatMajorVersion: pebble.FormatTableFormatV6})
		if err == nil {
			err = db.Close()
		}
		ended <- err
	}()
	select {
	case err := <-ended:
		if !noRoom(err) {
			t.Errorf("open on a spent disk: %v", err)
		}
		ended <- nil
	case <-time.After(100 * time.Millisecond): // it waits for its flush
	}
	quota.Give()
	await(t, d, "the disk has room again", ready)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("open when there is room again: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the database still waits although there is room")
	}
	p = openPair(t, d.FS())
	p.check(t, values)
	p.close(t)
}
