package disk

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"go.uber.org/goleak"

	"github.com/tierdesk/tierdesk/disk/disktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	mib      = 1 << 20
	dir      = "/data"
	patience = 30 * time.Second
)

// open makes a disk with a reserve of 1 MiB that looks often.
func open(t *testing.T, fs vfs.FS) *Disk {
	t.Helper()
	d, err := Open(Options{Dir: dir, FS: fs, Reserve: mib, poll: 2 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// await waits until the room is as it should be.
func await(t *testing.T, d *Disk, what string, is func(Room) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		room, _ := d.Room()
		if is(room) {
			return
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("%s: not after %v: %+v", what, patience, room)
		}
	}
}

func ready(r Room) bool { return r.State == OK && r.Reserve == mib }

// create makes a file of a category in the data directory.
func create(t *testing.T, fs vfs.FS, name string, category vfs.DiskWriteCategory) vfs.File {
	t.Helper()
	f, err := fs.Create(fs.PathJoin(dir, name), category)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func content(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(fs.PathJoin(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func noise(bytes int) []byte {
	p := make([]byte, bytes)
	rand.Read(p)
	return p
}

func TestFullDiskGivesTheReserveUpAndMakesItAgain(t *testing.T) {
	quota := disktest.NewQuota(vfs.NewMem(), 16*mib)
	d := open(t, quota)
	await(t, d, "the reserve is made", ready)

	quota.Take(3 * mib / 2)
	if room, _ := d.Room(); room.State == Full {
		t.Fatalf("the room is %+v although nothing was written", room)
	}
	quota.Take(mib / 2)
	await(t, d, "the disk is low", func(r Room) bool { return r.State == Low && r.Reserve == mib && r.Needed == 2*mib })

	log := create(t, d.FS(), "000001.log", "pebble-wal")
	var want []byte
	for range 10 { // the third one fits in part
		p := noise(100_000)
		if n, err := log.Write(bytes.Clone(p)); n != len(p) || err != nil {
			t.Fatalf("write: %d, %v", n, err)
		}
		want = append(want, p...)
	}
	if err := errors.Join(log.Sync(), log.Close()); err != nil {
		t.Fatal(err)
	}
	if got := content(t, d.FS(), "000001.log"); !bytes.Equal(got, want) {
		t.Fatalf("the file has %d bytes, want the %d that were written", len(got), len(want))
	}
	if room, _ := d.Room(); room.State != Full || room.Reserve != 0 || d.Spent() {
		t.Errorf("the room is %+v, spent %v; want it full and not spent", room, d.Spent())
	}
	if _, err := quota.Stat(d.path); err == nil {
		t.Error("the reserve is still there")
	}

	quota.Give()
	await(t, d, "the disk has room again", ready)
	if info, err := quota.Stat(d.path); err != nil || info.Size() != mib {
		t.Errorf("the reserve is %v, %v, want a file of 1 MiB", info, err)
	}
}

func TestManyWritersFindTheFullDiskAtOnce(t *testing.T) {
	quota := disktest.NewQuota(vfs.NewMem(), 16*mib)
	const each, pieces, writing = 1000, 50, 16
	var given atomic.Int32
	d := open(t, errorfs.Wrap(quota, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpRemove && strings.HasSuffix(op.Path, reserveFile) {
			given.Add(1)
			for began := time.Now(); quota.Short() < writing && time.Since(began) < patience; {
				time.Sleep(time.Millisecond) // until all have met the full disk
			}
		}
		return nil
	})))
	await(t, d, "the reserve is made", ready)
	quota.Take(0)
	var writers sync.WaitGroup
	for i := range writing {
		file := create(t, d.FS(), fmt.Sprintf("%06d.log", i), "pebble-wal")
		writers.Go(func() {
			defer file.Close()
			for range pieces {
				if n, err := file.Write(bytes.Repeat([]byte{byte(i)}, each)); n != each || err != nil {
					t.Errorf("writer %d: %d, %v", i, n, err)
				}
			}
		})
	}
	writers.Wait()
	for i := range writing {
		if got := content(t, quota, fmt.Sprintf("%06d.log", i)); !bytes.Equal(got, bytes.Repeat([]byte{byte(i)}, each*pieces)) {
			t.Errorf("file %d has %d bytes or wrong ones", i, len(got))
		}
	}
	if given.Load() != 1 {
		t.Errorf("the reserve was given up %d times", given.Load())
	}
}

func TestSpentReserveIsAnErrorAndTold(t *testing.T) {
	quota := disktest.NewQuota(vfs.NewMem(), 16*mib)
	d := open(t, quota)
	await(t, d, "the reserve is made", ready)
	quota.Take(0)
	log := create(t, d.FS(), "000001.log", "pebble-wal")
	defer log.Close()
	n, err := log.Write(noise(2 * mib))
	if n != mib || !noRoom(err) || !d.Spent() {
		t.Errorf("a write of 2 MiB on the reserve: %d, %v, spent %v", n, err, d.Spent())
	}
	quota.Give()
	await(t, d, "the disk has room again", ready)
	if d.Spent() {
		t.Error("a disk with room is spent")
	}
}

// A user's quota shows in no measurement: only writes find it.
func TestQuotaOfTheUserIsAFullDisk(t *testing.T) {
	var over atomic.Bool
	d := open(t, errorfs.Wrap(disktest.NewQuota(vfs.NewMem(), 16*mib), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if over.Load() && (op.Kind == errorfs.OpFileWrite || op.Kind == errorfs.OpFileWriteAt) {
			return syscall.EDQUOT
		}
		return nil
	})))
	await(t, d, "the reserve is made", ready)
	over.Store(true)
	log := create(t, d.FS(), "000001.log", "pebble-wal")
	defer log.Close()
	if _, err := log.Write(noise(10)); !errors.Is(err, syscall.EDQUOT) {
		t.Errorf("write: %v, want EDQUOT", err)
	}
	if room, _ := d.Room(); room.State != Full || !d.Spent() {
		t.Errorf("the room is %+v, spent %v", room, d.Spent())
	}
	over.Store(false)
	await(t, d, "the disk has room again", ready)
}

func TestCompactionsAndCopiesLeaveTheReserve(t *testing.T) {
	quota := disktest.NewQuota(vfs.NewMem(), 16*mib)
	d := open(t, quota)
	await(t, d, "the reserve is made", ready)
	quota.Take(mib / 4)
	for _, category := range []vfs.DiskWriteCategory{"pebble-compaction", vfs.WriteCategoryUnspecified} {
		f := create(t, d.FS(), "big", category)
		if _, err := f.Write(noise(2 * mib)); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("write 2 MiB of %s: %v, want ENOSPC", category, err)
		}
		if err := errors.Join(f.Close(), d.FS().Remove(d.FS().PathJoin(dir, "big"))); err != nil {
			t.Error(err)
		}
	}
	if room, _ := d.Room(); room.State != Low || room.Reserve != mib {
		t.Errorf("the room is %+v, want the reserve untouched", room)
	}
	if _, err := d.FS().Create(d.FS().PathJoin(dir, "next"), "pebble-compaction"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the next compaction: %v, want that it rests", err)
	}
}

func TestFailedSyncIsNotTriedAgain(t *testing.T) {
	var syncs atomic.Int32
	quota := disktest.NewQuota(vfs.NewMem(), 16*mib)
	d := open(t, errorfs.Wrap(quota, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData) && strings.HasSuffix(op.Path, ".log") {
			syncs.Add(1)
			return syscall.ENOSPC
		}
		return nil
	})))
	await(t, d, "the reserve is made", ready)
	quota.Take(2*mib + mib/2) // too little to make the reserve again
	log := create(t, d.FS(), "000001.log", "pebble-wal")
	defer log.Close()
	if err := log.SyncData(); !errors.Is(err, syscall.ENOSPC) || syncs.Load() != 1 {
		t.Errorf("sync: %v after %d tries, want the error of the first", err, syncs.Load())
	}
	if room, _ := d.Room(); room.Reserve != 0 {
		t.Errorf("the room is %+v, want the reserve given up for the next start", room)
	}
}

func TestReserveOfAnEarlierRunIsTakenOver(t *testing.T) {
	quota := disktest.NewQuota(vfs.NewMem(), 16*mib)
	first := open(t, quota)
	await(t, first, "the reserve is made", ready)
	first.Close()
	quota.Take(mib / 2)
	second := open(t, quota)
	if room, _ := second.Room(); room.State != Low || room.Reserve != mib {
		t.Errorf("the room of the next run is %+v, want the reserve held", room)
	}
	second.Close()

	if err := quota.Remove(second.path); err != nil {
		t.Fatal(err)
	}
	quota.Take(0)
	third := open(t, quota)
	if room, _ := third.Room(); room.State != Full || room.Reserve != 0 || !third.Spent() {
		t.Errorf("the room of a full disk without a reserve is %+v", room)
	}
}

func TestDeletedReserveIsMadeAgain(t *testing.T) {
	quota := disktest.NewQuota(vfs.NewMem(), 16*mib)
	d := open(t, quota)
	await(t, d, "the reserve is made", ready)
	if err := quota.Remove(d.path); err != nil {
		t.Fatal(err)
	}
	await(t, d, "the reserve is there again", func(r Room) bool {
		_, err := quota.Stat(d.path)
		return err == nil && ready(r)
	})
}

// On the real file system the reserve occupies what it says, also when nothing was written to it.
func TestReserveOccupiesItsSize(t *testing.T) {
	d, err := Open(Options{Dir: t.TempDir(), Reserve: 3 * mib})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	await(t, d, "the reserve is made", func(r Room) bool { return r.Reserve == 3*mib })
	info, err := vfs.Default.Stat(d.path)
	if err != nil || info.Size() != 3*mib || hollow(info) {
		t.Errorf("the reserve is %v, %v; want 3 MiB without holes", info, err)
	}
	room, _ := d.Room()
	if room.Free == 0 || room.Total < room.Free {
		t.Errorf("the room is %+v", room)
	}
}

func TestReserveFitsTheVolume(t *testing.T) {
	for _, c := range []struct {
		total uint64
		want  int64
	}{{0, 64 * mib}, {1 << 40, 64 * mib}, {300 * mib, 15 * mib}, {4 * mib, mib}} {
		if got := (Options{}).reserveOf(c.total); got != c.want {
			t.Errorf("on %d bytes the reserve is %d, want %d", c.total, got, c.want)
		}
	}
}
