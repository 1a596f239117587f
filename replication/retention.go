package replication

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// catchUpTime is how long a server that got a checkpoint may take to catch up before its part of the log is let go.
const catchUpTime = 2 * time.Minute

// retention knows which entries other servers will need after the checkpoints that are sent to them. If those were cut
// meanwhile, a server whose checkpoint takes long would get one after the other and never catch up.
type retention struct {
	end     func() uint64              // the last index of the log
	matched func(raft.ServerID) uint64 // the index up to which the server's log equals this one's; set before the first hold

	mu   sync.Mutex // guards held
	held map[raft.ServerID]hold
}

// hold keeps the entry at which a checkpoint stands, which the next message refers to, and all behind it.
type hold struct {
	index uint64
	goal  uint64    // what the server's log must reach; 0 while the checkpoint is sent
	until time.Time // when it is let go all the same
}

// newRetention holds nothing. end returns the last index of the log.
func newRetention(end func() uint64) *retention {
	return &retention{end: end, held: make(map[raft.ServerID]hold)}
}

// begin keeps what the server needs after a checkpoint at the index, while it is sent.
func (r *retention) begin(id raft.ServerID, index uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held[id] = hold{index: index}
}

// finish keeps it until the server has caught up with the log as it ends now, or lets go when nothing was installed.
func (r *retention) finish(id raft.ServerID, installed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !installed {
		delete(r.held, id)
		return
	}
	r.held[id] = hold{index: r.held[id].index, goal: r.end(), until: time.Now().Add(catchUpTime)}
}

// lowest is the first index that must stay, 0 when none must.
func (r *retention) lowest() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lowest uint64
	for id, h := range r.held {
		if h.goal > 0 && (r.matched(id) >= h.goal || time.Now().After(h.until)) {
			delete(r.held, id)
			continue
		}
		if lowest == 0 || h.index < lowest {
			lowest = h.index
		}
	}
	return lowest
}
