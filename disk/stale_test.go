package disk

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tierdesk/tierdesk/disk/disktest"
)

// gauge tells what is left only when the test lets it.
type gauge struct {
	vfs.FS
	measured chan chan struct{} // gets, for each measurement that was made, what to close for it to be told
	open     chan struct{}      // closed: measurements are told at once
}

func (g *gauge) GetDiskUsage(path string) (vfs.DiskUsage, error) {
	usage, err := g.FS.GetDiskUsage(path)
	told := make(chan struct{})
	select {
	case g.measured <- told:
		<-told
	case <-g.open:
	}
	return usage, err
}

// What was measured before the reserve was given up says nothing of the room afterwards.
func TestAMeasurementFromBeforeTheReserveWasGivenUpDoesNotCount(t *testing.T) {
	quota := disktest.NewQuota(vfs.NewMem(), 16*mib)
	g := &gauge{FS: quota, measured: make(chan chan struct{}), open: make(chan struct{})}
	opened := make(chan *Disk)
	go func() { opened <- open(t, g) }()
	close(<-g.measured) // the first look, before anything else
	d := <-opened
	for made := false; !made; {
		told := <-g.measured
		room, _ := d.Room()
		made = ready(room)
		if made {
			quota.Take(100_000)
		}
		close(told)
	}

	close(<-g.measured) // now it is known how little is left
	old := <-g.measured
	written := make(chan error, 1)
	log := create(t, d.FS(), "000001.log", "pebble-wal")
	defer log.Close()
	go func() {
		_, err := log.Write(noise(300_000))
		written <- err
	}()
	close(<-g.measured) // by who gives the reserve up
	if err := <-written; err != nil || d.Spent() {
		t.Errorf("a write that the reserve has room for: %v, spent %v", err, d.Spent())
	}
	close(old)
	next := <-g.measured
	if d.Spent() {
		t.Error("the reserve counts as used up because of a measurement from before it was given up")
	}
	close(g.open)
	close(next)
}
