package replication

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// contacts remembers what the followers acknowledged last, as the leader's transport saw it. Moments are counted, not
// timed: an answer proves something about a moment only when its request was sent after it, however long it took.
type contacts struct {
	mu      sync.Mutex // guards all below
	now     uint64     // grows with every request sent and every question asked
	last    map[raft.ServerID]contact
	changed chan struct{} // closed by the next acknowledgement; nil when nobody waits
}

// contact is a follower's latest acknowledgement.
type contact struct {
	term  uint64
	sent  uint64    // when the latest acknowledged request was sent
	match uint64    // the follower's log equals the leader's of that term up to here
	at    time.Time // when the acknowledgement came
}

func newContacts() *contacts {
	return &contacts{last: make(map[raft.ServerID]contact)}
}

// tick returns a moment later than all before.
func (c *contacts) tick() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now++
	return c.now
}

// acknowledged records that a follower accepted the request that was sent at that moment.
func (c *contacts) acknowledged(id raft.ServerID, sent uint64, args *raft.AppendEntriesRequest) {
	match := args.PrevLogEntry
	if n := len(args.Entries); n > 0 {
		match = args.Entries[n-1].Index
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.last[id]
	if args.Term < known.term {
		return
	}
	if args.Term > known.term {
		known = contact{term: args.Term}
	}
	known.sent = max(known.sent, sent)
	known.match = max(known.match, match)
	known.at = time.Now()
	c.last[id] = known
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

func (c *contacts) get(id raft.ServerID) contact {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last[id]
}

// confirmed waits until a majority of the voters, self counted, has acknowledged a request of the term that was sent
// after the moment since. lost ends the wait: the term is over.
func (c *contacts) confirmed(ctx context.Context, voters []raft.ServerID, self raft.ServerID, term, since uint64, lost <-chan struct{}) error {
	for {
		enough, changed := c.count(voters, self, term, since)
		if enough {
			return nil
		}
		select {
		case <-changed:
		case <-lost:
			return fmt.Errorf("%w: the leader changed during a read", ErrNotLeader)
		case <-ctx.Done():
			return fmt.Errorf("%w: no majority answered a read in time", ErrNotLeader)
		}
	}
}

func (c *contacts) count(voters []raft.ServerID, self raft.ServerID, term, since uint64) (enough bool, changed <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	confirmed := 0
	for _, id := range voters {
		if known := c.last[id]; id == self || known.term == term && known.sent > since {
			confirmed++
		}
	}
	if confirmed > len(voters)/2 {
		return true, nil
	}
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	return false, c.changed
}
