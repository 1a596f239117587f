package trial

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tierdesk/tierdesk/testbed"
)

var rounds = flag.Int("rounds", 0, "how many times a trial strikes its site; 0: a few, for every run of the tests")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// roundsOr is how many rounds the command line asks for.
func roundsOr(usual int) int { return cmp.Or(*rounds, usual) }

const (
	// patience bounds every wait for a site that should work.
	patience = 60 * time.Second
	// perRound bounds a whole trial, times its rounds.
	perRound = 30 * time.Second
)

// ready waits until all nodes that run can serve.
func ready(ctx context.Context, t *testing.T, site *testbed.Site) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := site.Ready(ctx); err != nil {
		t.Fatal(err)
	}
}

// complaints are what a trial found. Report shows some, so that the first ones can be read.
type complaints []string

func (c *complaints) add(format string, args ...any) { *c = append(*c, fmt.Sprintf(format, args...)) }

func (c complaints) report(t *testing.T) {
	t.Helper()
	const most = 10
	for _, complaint := range c[:min(most, len(c))] {
		t.Error(complaint)
	}
	if len(c) > most {
		t.Errorf("… and %d more", len(c)-most)
	}
}

// sleep lets a disturbance last, or an interval pass; nothing is concluded from it.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// worker is one client of a site. It picks a node anew for every attempt.
type worker struct {
	caller  *testbed.Caller
	servers []string
	// attempt bounds one attempt; it is drawn anew for each.
	attempt func() time.Duration
	// leaveOpen is how often, of 1, a write of unknown outcome is not repeated.
	leaveOpen float64
	// prefer is the index of a server that gets half of all calls; negative: none.
	prefer func() int
}

func (w *worker) server() string {
	if i := w.prefer(); i >= 0 && rand.IntN(2) == 0 {
		return w.servers[i]
	}
	return w.servers[rand.IntN(len(w.servers))]
}

// try makes one attempt at one server.
func (w *worker) try(ctx context.Context, wait time.Duration, method, server, path string, body any) testbed.Answer {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return w.caller.Call(ctx, method, server, path, body)
}

// withoutID is how long a write without a request id waits: long enough to hear from a node what it may have had to try
// again.
const withoutID = 8 * time.Second

// giveUp is how often, of 1, a write that was certainly not done is not tried again.
const giveUp = 0.05

// result is what a worker knows in the end about a write.
type result struct {
	testbed.Answer
	// repeated: an earlier attempt may be the one that took effect.
	repeated bool
	// latest is when the attempt was made that was answered.
	latest time.Time
}

// write makes a change, at another node each time, until its outcome is known or it is left open; without a request id an
// unknown outcome stays open always. What an attempt does not know stays unknown unless a later one is done or refused:
// then the site has decided.
func (w *worker) write(ctx context.Context, path string, body map[string]any) result {
	_, named := body["requestId"]
	open := false
	for {
		began, wait := time.Now(), w.attempt()
		if !named {
			wait = withoutID
		}
		answer := w.try(ctx, wait, http.MethodPost, w.server(), path, body)
		switch answer.Outcome {
		case testbed.Done, testbed.Refused:
			return result{answer, open, began}
		case testbed.Unknown:
			open = true
			if !named || rand.Float64() < w.leaveOpen {
				return result{answer, open, began}
			}
		case testbed.NotDone:
			if !open && rand.Float64() < giveUp {
				return result{answer, false, began}
			}
		}
		sleep(ctx, rand.N(40*time.Millisecond))
		if ctx.Err() != nil {
			if open {
				answer.Outcome = testbed.Unknown
			}
			return result{answer, open, began}
		}
	}
}

// tally counts what was done, so that a trial can wait for work to go on.
type tally struct {
	mu      sync.Mutex // guards all below
	done    int
	changed chan struct{} // closed by the next one
}

func newTally() *tally { return &tally{changed: make(chan struct{})} }

func (c *tally) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *tally) get() (int, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done, c.changed
}

// further waits until so many more were done. A site that does nothing at all for too long is reported; how much it does in a
// second is the machine's affair.
func (c *tally) further(ctx context.Context, t *testing.T, more int) {
	t.Helper()
	first, changed := c.get()
	idle := time.NewTimer(patience)
	defer idle.Stop()
	for now := first; now < first+more; now, changed = c.get() {
		idle.Reset(patience)
		select {
		case <-changed:
		case <-idle.C:
			t.Fatalf("the site did %d of %d things and then nothing for %s", now-first, more, patience)
		case <-ctx.Done():
			t.Fatalf("the site did %d of %d things until the trial ended: %v", now-first, more, context.Cause(ctx))
		}
	}
}
