package replication

import (
	"context"
	"sync"
	"time"
)

// flightTime bounds one shared call, so that one that hangs does not hold up the next.
const flightTime = 2 * time.Second

// shared runs one call on behalf of many. Who asks joins the call that starts next, never one that is under way: its
// answer might be older than the question.
type shared struct {
	call  func(ctx context.Context) (uint64, error)
	spawn func(task func(ctx context.Context)) bool

	mu     sync.Mutex // guards next, flying
	next   *flight    // nil when nobody waits for it
	flying bool
}

type flight struct {
	landed chan struct{} // closed when index and err are set
	index  uint64
	err    error
}

// do returns the answer of a call that began after do was called.
func (s *shared) do(ctx context.Context) (uint64, error) {
	f, ok := s.join()
	if !ok {
		return 0, errStopping
	}
	select {
	case <-f.landed:
		return f.index, f.err
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// join returns the flight that starts next, starting the flying when nobody does it. false: the replica stops.
func (s *shared) join() (*flight, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = &flight{landed: make(chan struct{})}
	}
	f := s.next
	if !s.flying {
		s.flying = s.spawn(s.fly)
	}
	return f, s.flying
}

// fly makes calls until nobody waits.
func (s *shared) fly(ctx context.Context) {
	for {
		s.mu.Lock()
		f := s.next
		s.next = nil
		s.flying = f != nil
		s.mu.Unlock()
		if f == nil {
			return
		}
		bounded, cancel := context.WithTimeout(ctx, flightTime)
		f.index, f.err = s.call(bounded)
		cancel()
		close(f.landed)
	}
}
