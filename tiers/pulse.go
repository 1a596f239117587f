package tiers

import (
	"sync"
	"time"
)

const (
	// pulseSpan is the time over which the rate of a stream is taken.
	pulseSpan = 10 * time.Second
	// pulseStep is the least time between two samples of it.
	pulseStep = 250 * time.Millisecond
)

// pulse measures one stream while it lives: what it carried, and how fast acknowledgements come.
type pulse struct {
	traffic *traffic

	mu      sync.Mutex // guards samples
	samples []sample   // oldest first; the second one is not older than pulseSpan, as of the last note
}

// sample is how far the stream was acknowledged at a time.
type sample struct {
	at    time.Time
	acked uint64
}

// note takes a sample, unless there was one a moment ago.
func (p *pulse) note(now time.Time, acked uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.samples); n > 0 && now.Sub(p.samples[n-1].at) < pulseStep {
		return
	}
	p.samples = append(p.samples, sample{now, acked})
	for len(p.samples) > 2 && now.Sub(p.samples[1].at) > pulseSpan {
		p.samples = p.samples[1:]
	}
}

// rate is how many items were acknowledged each second over the last seconds, as of the acknowledgement that came last.
func (p *pulse) rate(now time.Time) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.samples) > 1 && now.Sub(p.samples[1].at) > pulseSpan {
		p.samples = p.samples[1:]
	}
	if len(p.samples) < 2 {
		return 0
	}
	first, last := p.samples[0], p.samples[len(p.samples)-1]
	return float64(last.acked-first.acked) / min(now.Sub(first.at), pulseSpan).Seconds()
}
