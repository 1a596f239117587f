package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Call is one call of a client, 0 … Clients-1, with all its repetitions, or several that belong together. Different
// clients call at once. An error that carries a gRPC status is counted under its code.
type Call func(ctx context.Context, client int) (Outcome, error)

// Outcome is how a call went.
type Outcome struct {
	Kind    Kind         // the row of the report that it belongs to
	Retries []codes.Code // why it was repeated, once for each repetition
}

// Options says how much load and for how long. Duration or Count must be given; with both, the first to be reached ends
// the load.
type Options struct {
	Clients  int           // how many call at once
	Duration time.Duration // of the measurement, after the warm-up; 0: until Count
	Count    int64         // of calls, those of the warm-up included; 0: until Duration
	WarmUp   time.Duration // calls that begin in this time are made and not measured
	// Progress, when set, is called about once a second by one goroutine at a time.
	Progress func(Progress)
}

// Progress is what was done so far.
type Progress struct {
	Calls   int64 // ended well, those of the warm-up included
	Errors  int64
	Elapsed time.Duration // since the start, the warm-up included
}

func (o Options) validate() error {
	switch {
	case o.Clients < 1:
		return fmt.Errorf("load by %d clients: at least one is needed", o.Clients)
	case o.Duration < 0 || o.Count < 0 || o.WarmUp < 0:
		return errors.New("load: the duration, the count or the warm-up is below zero")
	case o.Duration == 0 && o.Count == 0:
		return errors.New("load: it would never end; give a duration or a count of calls")
	}
	return nil
}

// pause keeps a client whose call failed from asking again at once.
const pause = 10 * time.Millisecond

// Run has the clients call until the load is over, waits for the calls that are under way then, and reports. When the
// context ends before, calls under way are broken off, and the report of those that had ended comes with the context's
// error. A call that was refused in a way that repeating cannot mend ends the load with that error.
func Run(ctx context.Context, o Options, call Call) (*Report, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &run{options: o, call: call, began: time.Now(), tally: newTally(), stop: stop}
	r.from = r.began.Add(o.WarmUp)
	if o.Duration > 0 {
		r.until = r.from.Add(o.Duration)
	}
	var reporter sync.WaitGroup
	done := make(chan struct{})
	if o.Progress != nil {
		reporter.Go(func() { r.report(done) })
	}
	var clients sync.WaitGroup
	for client := range o.Clients {
		clients.Go(func() { r.work(ctx, client) })
	}
	clients.Wait()
	close(done)
	reporter.Wait()
	return r.tally.report(o.Clients, r.measured()), context.Cause(ctx)
}

// run is one load.
type run struct {
	options     Options
	call        Call
	began       time.Time
	from, until time.Time // what is measured; until is zero without a duration
	tally       *tally
	begun       atomic.Int64 // calls
	stop        context.CancelCauseFunc
}

// work is one client.
func (r *run) work(ctx context.Context, client int) {
	for ctx.Err() == nil {
		begin := time.Now()
		if r.over(begin) {
			return
		}
		outcome, err := r.call(ctx, client)
		end := time.Now()
		if err != nil && ctx.Err() != nil {
			return // broken off, which tells nothing of the site
		}
		r.tally.add(sample{
			outcome: outcome, err: err, took: end.Sub(begin),
			measured: !begin.Before(r.from),
			inTime:   !end.Before(r.from) && (r.until.IsZero() || !end.After(r.until)),
		})
		if err == nil {
			continue
		}
		if hopeless(err) {
			r.stop(err)
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// over tells whether no further call begins.
func (r *run) over(at time.Time) bool {
	if !r.until.IsZero() && !at.Before(r.until) {
		return true
	}
	return r.options.Count > 0 && r.begun.Add(1) > r.options.Count
}

// measured is how long was measured: the duration, or less when the count or the context ended the load before.
func (r *run) measured() time.Duration {
	elapsed := max(time.Since(r.from), 0)
	if r.options.Duration > 0 {
		return min(elapsed, r.options.Duration)
	}
	return elapsed
}

// report tells the progress until done is closed.
func (r *run) report(done <-chan struct{}) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			calls, failed := r.tally.progress()
			r.options.Progress(Progress{Calls: calls, Errors: failed, Elapsed: time.Since(r.began)})
		case <-done:
			return
		}
	}
}

// hopeless tells whether every further call would be refused alike.
func hopeless(err error) bool {
	switch status.Code(err) {
	case codes.Unauthenticated, codes.PermissionDenied, codes.InvalidArgument, codes.OutOfRange, codes.Unimplemented:
		return true
	}
	return false
}
