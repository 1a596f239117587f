package disk

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tierdesk/tierdesk/disk/disktest"
)

func TestWatchReportsWhatOutlastsItsLooks(t *testing.T) {
	w := newWatch(10 * time.Second)
	first, second := w.begin("writing", "a.log"), w.begin("syncing", "b.log")
	for range stallTicks {
		w.look()
	}
	w.end(first)
	third := w.begin("syncing", "c.log")
	select {
	case err := <-w.faults:
		t.Fatalf("a fault after %d looks: %v", stallTicks, err)
	default:
	}
	w.look()
	select {
	case err := <-w.faults:
		for _, part := range []string{"syncing b.log", "10s", "start the node again"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("the fault is %q, want %q in it", err, part)
			}
		}
	default:
		t.Fatal("no fault")
	}
	w.end(second)
	w.end(third)
	if len(w.flights) != 0 {
		t.Errorf("%d operations are under way", len(w.flights))
	}
}

func TestStalledSyncIsAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quota := disktest.NewQuota(vfs.NewMem(), 16*mib)
		d, err := Open(Options{Dir: dir, FS: quota, Reserve: mib, stall: 200 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		await(t, d, "the reserve is made", ready)
		log := create(t, d.FS(), "000001.log", "pebble-wal")
		release := quota.Stall()
		defer release()
		synced := make(chan error, 1)
		go func() { synced <- log.Sync() }()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		select {
		case err := <-d.Fault():
			if !strings.Contains(err.Error(), "syncing") || !strings.Contains(err.Error(), "000001.log") {
				t.Errorf("the fault is %q, want the operation and the file", err)
			}
		case <-ctx.Done():
			t.Fatal("no fault")
		}
		release()
		if err := <-synced; err != nil {
			t.Error(err)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A disk that does not answer at the start must not keep the start waiting.
func TestOpenGivesUpOnAStalledDisk(t *testing.T) {
	held := make(chan struct{})
	fs := silent{FS: vfs.NewMem(), held: held}
	defer close(held)
	_, err := Open(Options{Dir: dir, FS: fs, stall: 100 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "stalled") {
		t.Errorf("open: %v, want that the disk has stalled", err)
	}
}

// silent never tells how full it is.
type silent struct {
	vfs.FS
	held chan struct{}
}

func (s silent) GetDiskUsage(string) (vfs.DiskUsage, error) {
	<-s.held
	return vfs.DiskUsage{}, vfs.ErrUnsupported
}

func BenchmarkWatch(b *testing.B) {
	w := newWatch(stallLimit)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w.end(w.begin("writing", "a.log"))
		}
	})
}
