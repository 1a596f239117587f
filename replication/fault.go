package replication

import "sync"

// fault is the error that stops the replica for good; the first one counts.
type fault struct {
	once   sync.Once
	raised chan struct{} // closed by the first report
	errors chan error    // holds the first report until somebody takes it
}

func newFault() *fault {
	return &fault{raised: make(chan struct{}), errors: make(chan error, 1)}
}

func (f *fault) report(err error) {
	f.once.Do(func() {
		f.errors <- err
		close(f.raised)
	})
}

func (f *fault) isRaised() bool {
	select {
	case <-f.raised:
		return true
	default:
		return false
	}
}
