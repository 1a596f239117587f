package replication

import (
	"fmt"
	"slices"
	"sync"
)

// proposal is one command on its way into the log. Its outcome is delivered at most once.
type proposal struct {
	command []byte
	done    chan Outcome // holds one
}

func newProposal(command []byte) *proposal {
	return &proposal{command: command, done: make(chan Outcome, 1)}
}

// queue holds the commands that wait for the next group, in the order of their arrival, within the bounds.
type queue struct {
	mu      sync.Mutex // guards all below
	arrived sync.Cond  // signalled when waiting grows or closed is set
	waiting []*proposal
	held    budget // of the waiting ones
	closed  bool
}

func newQueue() *queue {
	q := &queue{}
	q.arrived.L = &q.mu
	return q
}

// push appends the proposal, or returns ErrOverloaded or errStopping at once.
func (q *queue) push(p *proposal) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return errStopping
	}
	if !q.held.take(len(p.command)) {
		return fmt.Errorf("%w: %d commands are ahead", ErrOverloaded, len(q.waiting))
	}
	q.waiting = append(q.waiting, p)
	q.arrived.Signal()
	return nil
}

// withdraw takes a proposal back; false when it has left the queue, so that its outcome is no longer the caller's choice.
func (q *queue) withdraw(p *proposal) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, p)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	q.held.give(len(p.command))
	return true
}

// wait returns when there are proposals; false when the queue is closed.
func (q *queue) wait() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 && !q.closed {
		q.arrived.Wait()
	}
	return !q.closed
}

// take waits for proposals and removes the next group: as many as fit one entry, at least one. It returns none
// when the queue is closed and empty.
func (q *queue) take() []*proposal {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 && !q.closed {
		q.arrived.Wait()
	}
	var n, bytes int
	for n < len(q.waiting) && n < maxGroupCommands {
		size := len(q.waiting[n].command)
		if n > 0 && bytes+size > maxGroupBytes {
			break
		}
		q.held.give(size)
		n, bytes = n+1, bytes+size
	}
	group := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	return group
}

// close refuses what comes from now on; what waits is still taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.arrived.Broadcast()
}

func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}
