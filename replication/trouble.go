package replication

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// stallLimit is how long a write may take. After that the disk is taken for gone: another server with a disk that
// answers should lead.
const (
	stallLimit = 10 * time.Second
	stallSteps = 10
)

// trouble watches over one file or database of the disk. What it cannot recover from becomes the replica's fault.
type trouble struct {
	what  string // in messages
	path  string
	fault *fault

	once  sync.Once
	ended chan struct{} // closed by the first report
	cause error         // written before ended is closed, read after
}

func newTrouble(what, path string, fault *fault) *trouble {
	return &trouble{what: what, path: path, fault: fault, ended: make(chan struct{})}
}

// report ends the use of the file with a sentence about the cause, and returns it.
func (t *trouble) report(cause error) error {
	t.once.Do(func() {
		t.cause = fmt.Errorf("%s %s cannot be written (%w): see to the disk that holds it, then start the node again", t.what, t.path, oneLine{cause})
		close(t.ended)
		t.fault.report(t.cause)
	})
	return t.cause
}

// hasEnded tells whether something was reported. The database may hold its locks for ever then.
func (t *trouble) hasEnded() bool {
	select {
	case <-t.ended:
		return true
	default:
		return false
	}
}

// watch reports a write that takes longer than the limit. The returned function ends the watch. Time is counted in steps,
// so that a process that was frozen does not blame the disk for it.
func (t *trouble) watch() (stop func()) {
	var mu sync.Mutex // guards the three
	var timer *time.Timer
	steps, ended := 0, false
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(stallLimit/stallSteps, func() {
		mu.Lock()
		defer mu.Unlock()
		if steps++; ended {
			return
		}
		if steps == stallSteps {
			t.report(fmt.Errorf("the disk has not answered for %v", stallLimit))
			return
		}
		timer.Reset(stallLimit / stallSteps)
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
		timer.Stop()
	}
}

// survive turns a panic of the database with an error into a fault; it is deferred around writes. The database panics so
// where its write-ahead log refuses a write. Other panics are mistakes of the code.
func (t *trouble) survive(err *error) {
	p := recover()
	if p == nil {
		return
	}
	cause, ok := p.(error)
	if _, bug := p.(runtime.Error); bug || !ok {
		panic(p)
	}
	*err = t.report(cause)
}

// open opens a database. A fault meanwhile would keep it for ever, so it is waited for beside.
func (t *trouble) open(options *pebble.Options) (*pebble.DB, error) {
	type opened struct {
		db  *pebble.DB
		err error
	}
	done := make(chan opened, 1)
	go func() {
		db, err := pebble.Open(t.path, options)
		done <- opened{db, err}
	}()
	select {
	case o := <-done:
		return o.db, o.err
	case <-t.ended:
		return nil, t.cause
	}
}

// oneLine is an error without the stack traces that a database may add to its text.
type oneLine struct{ error }

func (e oneLine) Error() string {
	first, _, _ := strings.Cut(e.error.Error(), "\n")
	return first
}

func (e oneLine) Unwrap() error { return e.error }

var errClosed = errors.New("it is closed")
