package tiers

import (
	"context"
	"sync"
	"time"
)

// proof is when this site last showed that it has its majority. One worker of the node keeps it fresh while streams live
// here, however many they are.
type proof struct {
	mu      sync.Mutex // guards streams and last
	streams int
	last    time.Time
	wanted  signal // for the worker: a stream began
}

func newProof() *proof { return &proof{wanted: make(signal, 1)} }

// renew notes a proof.
func (p *proof) renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Now()
}

// age is how old the last proof is; before the first one, older than anything.
func (p *proof) age() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.last)
}

// need counts a stream in, for which the proof is kept fresh until release.
func (p *proof) need() (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams++
	p.wanted.raise()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.streams--
	}
}

func (p *proof) needed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.streams > 0
}

// keepProof asks for this site's majority twice as often as heartbeats vouch for it, while a stream lives, until Stop.
func (t *Tiers) keepProof() {
	ctx, cancel := t.life(context.Background())
	defer cancel(nil)
	for {
		for t.proof.needed() {
			// A failure needs no words: the proof grows old, and the peers are told.
			_ = t.barrier(ctx)
			if !pause(ctx, t.pace.beat/2) {
				return
			}
		}
		select {
		case <-t.proof.wanted:
		case <-ctx.Done():
			return
		}
	}
}
