package load

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// takes is a call of so long a time.
func takes(d time.Duration) Call {
	return func(ctx context.Context, _ int) (Outcome, error) {
		select {
		case <-time.After(d):
			return Outcome{Kind: Read}, nil
		case <-ctx.Done():
			return Outcome{Kind: Read}, ctx.Err()
		}
	}
}

func TestClosedLoopMeasuresAfterTheWarmUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := Run(t.Context(), Options{Clients: 4, Duration: 10 * time.Second, WarmUp: 2 * time.Second}, takes(100*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		row := r.Row(Read)
		if r.Clients != 4 || r.Seconds != 10 || row.Calls != 400 || r.Done != 480 {
			t.Errorf("%d clients, %v s, %d calls, %d with the warm-up; want 4, 10, 400, 480", r.Clients, r.Seconds, row.Calls, r.Done)
		}
		if row.Rate < 40 || row.Rate > 40.4 {
			t.Errorf("rate %v, want 40 calls a second", row.Rate)
		}
		for name, ms := range map[string]float64{"mean": row.Latency.Mean, "p50": row.Latency.P50, "p99": row.Latency.P99, "max": row.Latency.Max} {
			if ms < 99.9 || ms > 100.1 {
				t.Errorf("%s is %v ms, want 100", name, ms)
			}
		}
	})
}

// A call that begins while it is measured counts with all the time it takes; the rate takes only what ended in time.
func TestASlowCallIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		r, err := Run(t.Context(), Options{Clients: 1, Duration: 10 * time.Second}, func(ctx context.Context, client int) (Outcome, error) {
			if calls.Add(1) == 10 {
				return takes(time.Minute)(ctx, client)
			}
			return takes(time.Second)(ctx, client)
		})
		if err != nil {
			t.Fatal(err)
		}
		row := r.Row(Read)
		if row.Calls != 10 || row.Rate != 0.9 || row.Latency.Max < 59_900 || row.Latency.P50 > 1001 {
			t.Errorf("%+v, want 10 calls, 0.9 a second, the longest of a minute", row)
		}
	})
}

func TestQuantiles(t *testing.T) {
	all := newTally()
	for ms := 1; ms <= 1000; ms++ {
		all.add(sample{outcome: Outcome{Kind: Read}, took: time.Duration(ms) * time.Millisecond, measured: true})
	}
	l := all.report(1, time.Second).Row(Read).Latency
	for name, c := range map[string]struct{ got, want float64 }{
		"mean": {l.Mean, 500.5}, "p50": {l.P50, 500}, "p90": {l.P90, 900}, "p99": {l.P99, 990}, "p99.9": {l.P999, 999}, "max": {l.Max, 1000},
	} {
		if c.got < c.want*0.999 || c.got > c.want*1.001 {
			t.Errorf("%s of 1 … 1000 ms is %v, want %v", name, c.got, c.want)
		}
	}
}

func TestCountEndsALoad(t *testing.T) {
	var begun atomic.Int64
	r, err := Run(t.Context(), Options{Clients: 8, Count: 100}, func(context.Context, int) (Outcome, error) {
		begun.Add(1)
		return Outcome{Kind: Create}, nil
	})
	if err != nil || begun.Load() != 100 || r.Row(Create).Calls != 100 {
		t.Errorf("%d calls begun, %d reported, %v; want 100", begun.Load(), r.Row(Create).Calls, err)
	}
}

func TestRowsAreByKindAndCode(t *testing.T) {
	var n atomic.Int64
	r, err := Run(t.Context(), Options{Clients: 1, Count: 4}, func(context.Context, int) (Outcome, error) {
		switch n.Add(1) {
		case 1:
			return Outcome{Kind: Read}, status.Error(codes.Internal, "broken")
		case 2:
			return Outcome{Kind: Create, Retries: []codes.Code{codes.Unavailable, codes.Unavailable, codes.ResourceExhausted}}, nil
		case 3:
			return Outcome{Kind: Create}, context.DeadlineExceeded
		default:
			return Outcome{Kind: Read}, nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	create, read := r.Row(Create), r.Row(Read)
	if len(r.Rows) != 2 || r.Rows[0].Kind != Create || create.Calls != 1 || read.Calls != 1 {
		t.Errorf("rows %+v, want one of creates and one of reads with a call each", r.Rows)
	}
	if create.Retries["Unavailable"] != 2 || create.Retries["ResourceExhausted"] != 1 || create.Errors["DeadlineExceeded"] != 1 ||
		read.Errors["Internal"] != 1 {
		t.Errorf("creates: retries %v errors %v, reads: errors %v", create.Retries, create.Errors, read.Errors)
	}
	if list := r.Row(List); list.Calls != 0 || list.Kind != List {
		t.Errorf("a kind without a call: %+v", list)
	}
}

func TestAHopelessRefusalEndsALoad(t *testing.T) {
	refusal := status.Error(codes.PermissionDenied, "not you")
	r, err := Run(t.Context(), Options{Clients: 4, Count: 100}, func(context.Context, int) (Outcome, error) {
		return Outcome{Kind: Read}, refusal
	})
	if !errors.Is(err, refusal) || r.Row(Read).Errors["PermissionDenied"] > 4 || r.Row(Read).Errors["PermissionDenied"] == 0 {
		t.Errorf("error %v with %+v, want the refusal", err, r)
	}
}

// Calls that are broken off when the load is interrupted are neither calls nor errors.
func TestInterruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		r, err := Run(ctx, Options{Clients: 2, Duration: time.Hour}, takes(time.Second))
		if row := r.Row(Read); !errors.Is(err, context.DeadlineExceeded) || row.Calls != 6 || len(row.Errors) != 0 || r.Seconds != 3.5 {
			t.Errorf("%v with %+v over %v s, want the deadline with 6 calls over 3.5 s", err, row, r.Seconds)
		}
	})
}

func TestProgressIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []Progress
		_, err := Run(t.Context(), Options{Clients: 2, Duration: 3500 * time.Millisecond, Progress: func(p Progress) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, p)
		}}, takes(300*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		if len(told) != 3 || told[1].Calls != 12 || told[2].Elapsed != 3*time.Second {
			t.Errorf("told %+v, want three times, 12 calls the second time", told)
		}
	})
}

func TestOptionsThatCannotBe(t *testing.T) {
	for _, o := range []Options{{}, {Clients: 1}, {Clients: 0, Count: 1}, {Clients: 1, Duration: -1}, {Clients: 1, Count: 1, WarmUp: -1}} {
		if _, err := Run(t.Context(), o, takes(0)); err == nil {
			t.Errorf("Run(%+v) began", o)
		}
	}
}
