package replication

import (
	"context"
	"sync"

	"github.com/hashicorp/raft"
)

// leadership is what the rest of the node is told about who leads.
type leadership struct {
	mu      sync.Mutex // guards all below
	leading bool
	term    uint64
	changed chan struct{} // closed when leading or term changes
}

func newLeadership() *leadership {
	return &leadership{changed: make(chan struct{})}
}

func (l *leadership) set(leading bool, term uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leading == leading && l.term == term {
		return
	}
	l.leading, l.term = leading, term
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *leadership) get() (leading bool, term uint64, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leading, l.term, l.changed
}

// Leading tells whether this node leads, with the term that it leads in, 0 when it does not; the channel is closed when
// that changes.
func (r *Replica) Leading() (leading bool, term uint64, changed <-chan struct{}) {
	return r.leadership.get()
}

// leads tells whether this node leads at this moment, and in which term: terms only grow, so the state read between two
// equal ones belongs to it. After a fault it does not lead, whatever Raft still believes.
func (r *Replica) leads() (term uint64, leads bool) {
	for {
		term := r.raft.CurrentTerm()
		state := r.raft.State()
		if r.raft.CurrentTerm() == term {
			return term, state == raft.Leader && !r.fault.isRaised()
		}
	}
}

// followLeadership keeps leadership up to date. Raft's channel holds the latest change only and never blocks Raft.
func (r *Replica) followLeadership(ctx context.Context) {
	defer r.leadership.set(false, 0)
	for {
		select {
		case <-r.raft.LeaderCh():
			term, leads := r.leads()
			if !leads {
				term = 0
			}
			r.leadership.set(leads, term)
		case <-ctx.Done():
			return
		}
	}
}
