package store

import (
	"fmt"
	"runtime"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// fault is what the database cannot recover from, such as a write-ahead log that cannot be written: going on would break
// the order of that log. The first one counts. Nothing may be written afterwards and the process must end; the Raft log
// still has what was acknowledged.
type fault struct {
	once   sync.Once
	raised chan struct{} // closed by the first report
	errors chan error    // holds the first report until somebody takes it
	first  error         // written before raised is closed, read after
}

func newFault() *fault {
	return &fault{raised: make(chan struct{}), errors: make(chan error, 1)}
}

// report keeps the first fault of the database at the path.
func (f *fault) report(path string, cause error) {
	f.once.Do(func() {
		f.first = fmt.Errorf("database %s cannot go on (%s): see to the disk that holds it, then start the node again", path, firstLine(cause))
		close(f.raised) // first, so that whoever gets the error finds the fault raised
		f.errors <- f.first
	})
}

// err is the first fault, nil while there is none.
func (f *fault) err() error {
	select {
	case <-f.raised:
		return f.first
	default:
		return nil
	}
}

// Fault delivers the error after which the database cannot go on. The process must end then: who uses the store may
// wait for ever, and Close leaves the files as they are.
func (s *Store) Fault() <-chan error { return s.fault.errors }

// survive turns a panic of the database with an error into a fault; it is deferred around writes. The database panics
// so, instead of returning the error, where its log refuses a write. Other panics are mistakes of the code.
func (s *Store) survive(err *error) {
	p := recover()
	if p == nil {
		return
	}
	cause, ok := p.(error)
	if _, bug := p.(runtime.Error); bug || !ok {
		panic(p)
	}
	s.fault.report(s.directory.join(s.name), cause)
	*err = s.fault.err()
}

// openPebble opens a database. A fault meanwhile would block it, so it is waited for beside.
func (s *Store) openPebble(path string, options *pebble.Options) (*pebble.DB, error) {
	options.Logger = logger{s.options.Logger, path, s.fault}
	type opened struct {
		db  *pebble.DB
		err error
	}
	done := make(chan opened, 1)
	go func() {
		db, err := pebble.Open(path, options)
		done <- opened{db, err}
	}()
	select {
	case o := <-done:
		return o.db, o.err
	case <-s.fault.raised:
		return nil, s.fault.err()
	}
}
