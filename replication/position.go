package replication

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// position is how far the state machine has come in the log. Who waits for an index is woken by the entry that reaches it.
type position struct {
	mu      sync.Mutex // guards all below
	index   uint64     // never falls
	term    uint64     // of the entry at index; 0 before the first entry since the start
	mark    uint64     // index of the snapshot mark, 0 when there is none
	waiting []waiter
}

type waiter struct {
	index   uint64
	reached chan struct{}
}

// advance records that the entry's effect can be read.
func (p *position) advance(index, term uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.index = max(p.index, index)
	p.term = max(p.term, term)
	p.waiting = slices.DeleteFunc(p.waiting, func(w waiter) bool {
		if w.index > p.index {
			return false
		}
		close(w.reached)
		return true
	})
}

// setMark records where the snapshot mark is.
func (p *position) setMark(index uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mark = max(p.mark, index)
}

func (p *position) getMark() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mark
}

func (p *position) get() (index, term uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.index, p.term
}

// wait returns when the effect of the entry at index can be read, or with the context's error.
func (p *position) wait(ctx context.Context, index uint64) error {
	p.mu.Lock()
	if p.index >= index {
		p.mu.Unlock()
		return nil
	}
	w := waiter{index: index, reached: make(chan struct{})}
	p.waiting = append(p.waiting, w)
	p.mu.Unlock()
	select {
	case <-w.reached:
		return nil
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		p.waiting = slices.DeleteFunc(p.waiting, func(other waiter) bool { return other == w })
		return fmt.Errorf("wait for log entry %d, this node is at %d: %w", index, p.index, context.Cause(ctx))
	}
}
