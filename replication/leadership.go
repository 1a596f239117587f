package replication

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// leadership is what the rest of the node is told about who leads.
type leadership struct {
	mu      sync.Mutex // guards all below
	leading bool
	term    uint64
	since   time.Time     // when leading or term changed last
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
	l.leading, l.term, l.since = leading, term, time.Now()
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *leadership) get() (leading bool, term uint64, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leading, l.term, l.changed
}

// lasts is how long this node has led without a break, 0 when it does not lead.
func (l *leadership) lasts() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.leading {
		return 0
	}
	return time.Since(l.since)
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

const (
	looksPerTimeout = 20 // how often a follower looks whether its leader is silent
	turnsPerTimeout = 6  // what lies between the turns of two followers
)

// callElections begins each election when it is due. Left alone, Raft looks for its leader at random moments, and a
// follower that gave its leader up loses its election while another has not: together up to three timeouts. Here every
// follower gives a silent leader up after exactly one timeout and its turn, so that the second one finds a vote waiting.
// Who is the only voter has nobody to wait for.
func (r *Replica) callElections(ctx context.Context, p *pace) {
	look := time.NewTicker(p.heartbeat / looksPerTimeout)
	defer look.Stop()
	quiet := time.Now() // nothing but a dead leader explains a silence since then
	for {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
		contact := r.raft.LastContact()
		if contact.After(quiet) {
			quiet = contact
		}
		if r.raft.State() != raft.Follower {
			quiet = time.Now()
			continue
		}
		if !contact.IsZero() && time.Since(quiet) < p.heartbeat {
			continue
		}
		if wait, votes := r.turn(p); votes && time.Since(quiet) >= wait {
			r.callElection(p)
			quiet = time.Now()
		}
	}
}

// turn is the silence after which this server calls an election: no two voters of the group have the same. votes is
// false when it has no vote.
func (r *Replica) turn(p *pace) (silence time.Duration, votes bool) {
	voters := r.voters()
	_, leader := r.raft.LeaderWithID()
	if len(voters) > 1 {
		voters = slices.DeleteFunc(voters, func(id raft.ServerID) bool { return id == leader && string(id) != r.self.ID })
		slices.Sort(voters)
		silence = p.heartbeat
	}
	place := slices.Index(voters, raft.ServerID(r.self.ID))
	return silence + time.Duration(place)*p.heartbeat/turnsPerTimeout, place >= 0
}

// callElection makes Raft look at once whether its leader is silent. Raft does so when its timeout gets shorter; the
// timeout ends as it was.
func (r *Replica) callElection(p *pace) {
	for _, timeout := range []time.Duration{p.heartbeat + timeoutStep, p.heartbeat} {
		err := r.set(func(c *raft.ReloadableConfig) { c.HeartbeatTimeout = timeout })
		if err != nil {
			r.logger.Warn("an election waits for Raft's own timer", "error", err)
		}
	}
}

// set changes a setting of the running Raft.
func (r *Replica) set(change func(*raft.ReloadableConfig)) error {
	r.setting.Lock()
	defer r.setting.Unlock()
	settings := r.raft.ReloadableConfig()
	change(&settings)
	return r.raft.ReloadConfig(settings)
}
