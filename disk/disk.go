package disk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Disk is the disk of one node's data directory. Its methods are safe for concurrent use.
type Disk struct {
	options Options
	fs      vfs.FS // what FS wraps
	path    string // of the reserve
	watch   *watch
	size    int64 // of the reserve, in bytes

	cancel context.CancelFunc
	tasks  sync.WaitGroup
	poke   chan struct{} // holds one; asks for a look at the free space at once

	// making is held while the reserve is made or given up, so that who meets a full disk meanwhile waits for the end.
	// It comes before mu.
	making sync.Mutex

	mu      sync.Mutex // guards all below
	room    Room
	known   bool          // room.Free and room.Total were measured
	gone    uint64        // how often the reserve was given up
	spent   bool          // an operation that the databases need had no room although the reserve was given up
	rested  time.Time     // until then no compaction begins
	changed chan struct{} // closed when room.State changes

	// Only the goroutine that measures uses these.
	told    State     // the last state that was logged
	retry   time.Time // no earlier is the reserve tried again
	unsized string    // the last error of a measurement that was logged
}

// State says how much room a disk has.
type State int

const (
	// OK: work may be taken in.
	OK State = iota
	// Low: nearly full; work should be refused, the reserve is untouched.
	Low
	// Full: the reserve is not there; what is left is for what was taken in before.
	Full
)

// String returns the state in a word.
func (s State) String() string {
	switch s {
	case OK:
		return "ok"
	case Low:
		return "low"
	default:
		return "full"
	}
}

// Room is what a disk has left, in bytes.
type Room struct {
	State   State
	Free    uint64 // for this process; 0 when it cannot be measured
	Total   uint64 // size of the volume; 0 when it cannot be measured
	Reserve uint64 // held beside Free; 0 when it was given up
	Needed  uint64 // of Free, before a state other than OK becomes OK
}

const (
	// retryPolls is how many looks at the free space lie between two tries to make the reserve.
	retryPolls = 5
	// lastMoment bounds the wait of Close.
	lastMoment = time.Second
)

// Open looks at the data directory, which it makes when it is missing, and takes over the reserve that an earlier run
// left. Without one the reserve is made in the background. On a disk that does not answer it gives up after 10 s.
func Open(o Options) (*Disk, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	d := &Disk{
		options: o, fs: o.FS, path: o.FS.PathJoin(o.Dir, reserveFile), watch: newWatch(o.stall),
		poke: make(chan struct{}, 1), changed: make(chan struct{}),
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	d.tasks.Go(func() { d.watch.run(ctx) })
	ready := make(chan error, 1)
	go func() { ready <- d.open() }()
	select {
	case err = <-ready:
	case err = <-d.watch.faults:
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	d.tasks.Go(func() { d.run(ctx) })
	return d, nil
}

// open makes the directory, measures for the first time and looks for the reserve.
func (d *Disk) open() error {
	if err := d.once("making", d.options.Dir, func() error { return d.fs.MkdirAll(d.options.Dir, 0o700) }); err != nil {
		return fmt.Errorf("make the data directory (node.data_dir): %w", err)
	}
	usage, err := d.measure()
	if err != nil && !errors.Is(err, vfs.ErrUnsupported) {
		return err
	}
	d.size = d.options.reserveOf(usage.TotalBytes)
	held := d.holdsReserve()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known = err == nil
	d.room.Free, d.room.Total = usage.AvailBytes, usage.TotalBytes
	if held {
		d.room.Reserve = uint64(d.size)
	}
	d.judge()
	return nil
}

// Close stops the measuring and the watch. The reserve stays for the next run. On a disk that has stalled it does not wait
// long for what can only end with the process.
func (d *Disk) Close() {
	d.cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.tasks.Wait()
	}()
	select {
	case <-ended:
	case <-time.After(lastMoment):
	}
}

// FS returns the file system for the databases. What they cannot do without is tried again when there was no room for
// it, after the reserve was given up. Syncs are not: one that follows a failed sync says nothing about what was lost.
func (d *Disk) FS() vfs.FS { return &fileSystem{FS: d.fs, disk: d} }

// Fault delivers the error after which the disk counts as stalled: an operation has not returned for 10 s. The process
// must end then, because who waits for the disk may wait for ever.
func (d *Disk) Fault() <-chan error { return d.watch.faults }

// Room returns what is left, and a channel that is closed when the state changes.
func (d *Disk) Room() (Room, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.room, d.changed
}

// Spent tells whether the disk has no room even for what was taken in before: the reserve was given up and most of it is
// used.
func (d *Disk) Spent() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.room.State == Full && (d.spent || d.known && d.room.Free < uint64(d.size)/4)
}

// run measures until the context ends.
func (d *Disk) run(ctx context.Context) {
	tick := time.NewTicker(d.options.poll)
	defer tick.Stop()
	for {
		d.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-d.poke:
		}
	}
}

// look measures, makes the reserve when there is room for it, and logs what has changed.
func (d *Disk) look(ctx context.Context) {
	began := d.generation()
	usage, err := d.measure()
	there := d.holdsReserve()
	d.mu.Lock()
	if d.gone != began { // the reserve was given up meanwhile: what was seen before that is no longer so
		d.mu.Unlock()
		d.lookSoon()
		return
	}
	if d.known = err == nil; d.known {
		d.room.Free, d.room.Total = usage.AvailBytes, usage.TotalBytes
	}
	if !there { // somebody may have deleted it
		d.room.Reserve = 0
	}
	d.judge()
	wanted := d.room.Reserve == 0 && (!d.known || d.room.Free >= d.leastToMake())
	d.mu.Unlock()
	if wanted && !time.Now().Before(d.retry) {
		if err := d.makeReserve(ctx); err != nil {
			d.retry = time.Now().Add(retryPolls * d.options.poll)
			d.options.Logger.Warn("the reserve cannot be made; it is tried again", "file", d.path, "error", err)
		}
	}
	d.tell(err)
}

// measure asks the file system what is left. Its error wraps vfs.ErrUnsupported where that cannot be known.
func (d *Disk) measure() (usage vfs.DiskUsage, err error) {
	flight := d.watch.begin("measuring", d.options.Dir)
	defer d.watch.end(flight)
	if usage, err = d.fs.GetDiskUsage(d.options.Dir); err != nil {
		return usage, fmt.Errorf("look at the disk of %s: %w", d.options.Dir, err)
	}
	return usage, nil
}

// leastToMake is how much must be free before the reserve is made: itself and what makes the state OK beside it.
func (d *Disk) leastToMake() uint64 { return 3 * uint64(d.size) }

// judge derives the state from what is known. Between two thresholds the state stays as it is. It needs mu held.
func (d *Disk) judge() {
	size := uint64(d.size)
	state := d.room.State
	switch {
	case d.room.Reserve == 0:
		d.room.Needed = d.leastToMake()
		// Before the first try to make the reserve nothing is wrong, if there is room for it.
		if d.gone > 0 || d.spent || d.known && d.room.Free < d.leastToMake() {
			state = Full
		}
	default:
		d.room.Needed = 2 * size
		switch {
		case d.known && d.room.Free < size:
			state = Low
		case !d.known || d.room.Free >= 2*size:
			state = OK
		case state == Full:
			state = Low
		}
	}
	if state != d.room.State {
		d.room.State = state
		close(d.changed)
		d.changed = make(chan struct{})
	}
}

// tell logs a change of the state, and an error of measuring, once.
func (d *Disk) tell(measured error) {
	if measured != nil && !errors.Is(measured, vfs.ErrUnsupported) && measured.Error() != d.unsized {
		d.unsized = measured.Error()
		d.options.Logger.Warn("the free space is not known", "error", measured)
	}
	room, _ := d.Room()
	if room.State == d.told {
		return
	}
	d.told = room.State
	about := []any{"directory", d.options.Dir, "free MiB", room.Free >> 20, "needed MiB", room.Needed >> 20}
	switch room.State {
	case OK:
		d.options.Logger.Info("the disk has room again", about...)
	case Low:
		d.options.Logger.Warn("the disk is nearly full: no work is taken in until space is freed", about...)
	case Full:
		d.options.Logger.Error("the disk is full and its reserve is not there: no work is taken in until space is freed", about...)
	}
}

// do watches an operation and tries it again when it met a full disk and the reserve could be given up for it.
func (d *Disk) do(operation, path string, action func() error) error {
	seen := d.generation()
	err := d.once(operation, path, action)
	if !noRoom(err) {
		return err
	}
	if d.giveUp(seen) {
		if err = d.once(operation, path, action); !noRoom(err) {
			return err
		}
	}
	d.exhausted()
	return err
}

// once watches an operation.
func (d *Disk) once(operation, path string, action func() error) error {
	flight := d.watch.begin(operation, path)
	defer d.watch.end(flight)
	return action()
}

func (d *Disk) generation() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.gone
}

// exhausted records that something that is needed found no room.
func (d *Disk) exhausted() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spent = true
	d.judge()
	d.lookSoon()
}

// lookSoon has the free space measured at once.
func (d *Disk) lookSoon() {
	select {
	case d.poke <- struct{}{}:
	default: // it is asked for already
	}
}

// noRoom tells whether an error means that the disk is full, or what the user may take of it.
func noRoom(err error) bool {
	return err != nil && (vfs.IsNoSpaceError(err) || errors.Is(err, syscall.EDQUOT))
}
