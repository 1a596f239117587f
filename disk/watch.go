package disk

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// stallTicks is how many looks an operation may outlast.
const stallTicks = 10

// watch notices operations that never return. It counts its own looks instead of reading a clock, so that a process which
// was frozen as a whole does not take the time that it missed for a fault of the disk.
type watch struct {
	limit  time.Duration
	once   sync.Once  // the first fault counts
	faults chan error // holds it until somebody takes it

	mu      sync.Mutex // guards all below
	flights []*flight  // under way, in no order
	landed  []*flight  // for the next ones
}

// flight is an operation under way.
type flight struct {
	operation, path string
	place           int // in flights
	looks           int // that it has outlasted
}

func newWatch(limit time.Duration) *watch {
	return &watch{limit: limit, faults: make(chan error, 1)}
}

// begin watches an operation until end is called with what it returned.
func (w *watch) begin(operation, path string) *flight {
	w.mu.Lock()
	defer w.mu.Unlock()
	var f *flight
	if last := len(w.landed) - 1; last >= 0 {
		f, w.landed = w.landed[last], w.landed[:last]
	} else {
		f = &flight{}
	}
	*f = flight{operation: operation, path: path, place: len(w.flights)}
	w.flights = append(w.flights, f)
	return f
}

func (w *watch) end(f *flight) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := len(w.flights) - 1
	w.flights[f.place] = w.flights[last]
	w.flights[f.place].place = f.place
	w.flights = w.flights[:last]
	w.landed = append(w.landed, f)
}

// run looks until the context ends.
func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(w.limit / stallTicks)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.look()
		}
	}
}

// look makes every operation under way a look older and reports the first one that is too old.
func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.flights {
		if f.looks++; f.looks > stallTicks {
			w.report(fmt.Errorf("the disk has stalled: %s %s has not returned for %v; see to the disk, then start the node again",
				f.operation, f.path, w.limit))
		}
	}
}

func (w *watch) report(err error) {
	w.once.Do(func() { w.faults <- err })
}
