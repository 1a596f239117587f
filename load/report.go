package load

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Report is what a load found.
type Report struct {
	Clients int     `json:"clients"`
	Seconds float64 `json:"seconds"` // how long was measured
	Done    int64   `json:"done"`    // calls that ended well, those of the warm-up included
	Rows    []Row   `json:"rows"`    // one a kind of call, in the order of their names
}

// Row is about the calls of one kind. Latencies are those of calls that began after the warm-up and ended well, from
// the first attempt to the answer, with three significant digits; a call that failed has none.
type Row struct {
	Kind    Kind             `json:"kind"`
	Calls   int64            `json:"calls"`   // ended well, begun after the warm-up
	Rate    float64          `json:"rate"`    // calls that ended well while it was measured, a second
	Latency Latency          `json:"latency"` // zero without a call
	Retries map[string]int64 `json:"retries"` // repetitions by the gRPC code of what caused them, warm-up included
	Errors  map[string]int64 `json:"errors"`  // calls that failed in the end by their gRPC code, warm-up included
}

// Latency is a distribution in milliseconds.
type Latency struct {
	Mean float64 `json:"meanMs"`
	P50  float64 `json:"p50Ms"`
	P90  float64 `json:"p90Ms"`
	P99  float64 `json:"p99Ms"`
	P999 float64 `json:"p999Ms"`
	Max  float64 `json:"maxMs"`
}

// Row returns the row of a kind; an empty one when there was no such call.
func (r *Report) Row(kind Kind) Row {
	for _, row := range r.Rows {
		if row.Kind == kind {
			return row
		}
	}
	return Row{Kind: kind}
}

// What a histogram of latencies holds: microseconds up to ten minutes, with three significant digits.
const (
	longestMicros     = int64(10 * time.Minute / time.Microsecond)
	significantDigits = 3
)

// sample is one call that has ended.
type sample struct {
	outcome  Outcome
	err      error
	took     time.Duration
	measured bool // it began after the warm-up
	inTime   bool // it ended while it was measured
}

// tally adds samples up.
type tally struct {
	mu     sync.Mutex // guards all below
	kinds  map[Kind]*kindTally
	calls  int64 // ended well
	failed int64
}

type kindTally struct {
	latency         *hdrhistogram.Histogram // of microseconds
	inTime          int64
	retries, errors map[string]int64
}

func newTally() *tally { return &tally{kinds: make(map[Kind]*kindTally)} }

func (t *tally) add(s sample) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.kinds[s.outcome.Kind]
	if k == nil {
		k = &kindTally{
			latency: hdrhistogram.New(1, longestMicros, significantDigits),
			retries: make(map[string]int64), errors: make(map[string]int64),
		}
		t.kinds[s.outcome.Kind] = k
	}
	for _, code := range s.outcome.Retries {
		k.retries[code.String()]++
	}
	if s.err != nil {
		t.failed++
		k.errors[codeOf(s.err).String()]++
		return
	}
	t.calls++
	if s.inTime {
		k.inTime++
	}
	if s.measured {
		// A value within the bounds is always recorded.
		_ = k.latency.RecordValue(min(s.took.Microseconds(), longestMicros))
	}
}

// codeOf is the code under which an error is counted.
func codeOf(err error) codes.Code {
	if s, ok := status.FromError(err); ok {
		return s.Code()
	}
	return status.FromContextError(err).Code()
}

func (t *tally) progress() (calls, failed int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls, t.failed
}

func (t *tally) report(clients int, measured time.Duration) *Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &Report{Clients: clients, Seconds: measured.Seconds(), Done: t.calls}
	for kind, k := range t.kinds {
		row := Row{Kind: kind, Calls: k.latency.TotalCount(), Latency: latencyOf(k.latency),
			Retries: maps.Clone(k.retries), Errors: maps.Clone(k.errors)}
		if measured > 0 {
			row.Rate = float64(k.inTime) / measured.Seconds()
		}
		r.Rows = append(r.Rows, row)
	}
	slices.SortFunc(r.Rows, func(a, b Row) int { return cmp.Compare(a.Kind, b.Kind) })
	return r
}

func latencyOf(h *hdrhistogram.Histogram) Latency {
	const microsInMilli = 1000
	at := func(quantile float64) float64 { return float64(h.ValueAtQuantile(quantile)) / microsInMilli }
	return Latency{Mean: h.Mean() / microsInMilli, P50: at(50), P90: at(90), P99: at(99), P999: at(99.9),
		Max: float64(h.Max()) / microsInMilli}
}
