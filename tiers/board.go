package tiers

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tierdesk/tierdesk/desk"
)

// LinkState is UP, DOWN or CATCHING_UP.
type LinkState string

const (
	Up         LinkState = "UP"
	Down       LinkState = "DOWN"
	CatchingUp LinkState = "CATCHING_UP"
)

// LinkStatus is this node's view of one link it may carry.
type LinkStatus struct {
	Peer   desk.SiteID
	State  LinkState
	Since  time.Time
	Reason string // why it is down

	Rate           float64 // items acknowledged each second, over the last ten; 0 while nothing moves
	Sent, Received int64   // bytes that this node carried since it started

	Comparing          bool // both ends look for what one of them lacks
	Compared, Compares int  // tickets that were compared, of all that are to be
}

// board shows how the links of this node stand, and what an operator should read. Changes are logged once.
type board struct {
	log     *slog.Logger
	metrics *metrics
	started time.Time

	mu      sync.Mutex // guards everything below
	links   map[desk.SiteID]LinkStatus
	alarms  map[desk.SiteID]alarm
	streams map[desk.SiteID]*pulse       // of the streams that live
	carried map[desk.SiteID]*carriedLoad // by the streams that have ended
}

// carriedLoad counts bytes of frames.
type carriedLoad struct{ sent, received int64 }

// alarm is a sentence about a peer and when its cause was last seen.
type alarm struct {
	sentence string
	seen     time.Time
}

// alarmLasts is how long an alarm stays when its cause is not seen again. Whoever is refused tries again much sooner,
// perhaps at another node of the site.
const alarmLasts = time.Minute

func newBoard(log *slog.Logger, m *metrics) *board {
	return &board{
		log:     log,
		metrics: m,
		started: time.Now(),
		links:   make(map[desk.SiteID]LinkStatus),
		alarms:  make(map[desk.SiteID]alarm),
		streams: make(map[desk.SiteID]*pulse),
		carried: make(map[desk.SiteID]*carriedLoad),
	}
}

// show notes the state of a link. A link that was never seen in another state is down since the start.
func (b *board) show(peer desk.SiteID, state LinkState, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, known := b.links[peer]
	next := LinkStatus{Peer: peer, State: state, Since: time.Now(), Reason: reason}
	switch {
	case known && old.State == state:
		next.Since = old.Since
	case !known && state == Down:
		next.Since = b.started
	}
	if state != Down {
		next.Comparing, next.Compared, next.Compares = old.Comparing, old.Compared, old.Compares
	}
	b.links[peer] = next
	b.metrics.up(peer, state == Up)
	switch {
	case known && old.State == state && old.Reason == reason:
	case state == Down:
		b.log.Warn("link is down", "peer", string(peer), "reason", reason)
	default:
		b.log.Info("link changed", "peer", string(peer), "state", string(state))
	}
}

// forget removes a link that another node of the site carries from now on.
func (b *board) forget(peer desk.SiteID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.links, peer)
	delete(b.alarms, peer)
	b.metrics.forget(peer)
}

// turn replaces a link by that with another peer, which is down since now.
func (b *board) turn(from, to desk.SiteID) {
	b.forget(from)
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.links[to]; !known {
		b.links[to] = LinkStatus{Peer: to, State: Down, Since: time.Now()}
	}
}

// watch measures a stream until it is released.
func (b *board) watch(peer desk.SiteID, p *pulse) (release func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.streams[peer] = p
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		load := b.load(peer, p)
		b.carried[peer] = &load
		if b.streams[peer] == p {
			delete(b.streams, peer)
		}
	}
}

// load is what a stream and those before it carried; mu is held.
func (b *board) load(peer desk.SiteID, p *pulse) (sum carriedLoad) {
	if before := b.carried[peer]; before != nil {
		sum = *before
	}
	if p != nil {
		sum.sent += p.traffic.sent.Load()
		sum.received += p.traffic.received.Load()
	}
	return sum
}

// compare shows how far the comparison over a link is; comparing is false when it has come to its end.
func (b *board) compare(peer desk.SiteID, comparing bool, compared, compares int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if status, known := b.links[peer]; known {
		status.Comparing, status.Compared, status.Compares = comparing, compared, compares
		b.links[peer] = status
	}
}

func (b *board) list() []LinkStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]LinkStatus, 0, len(b.links))
	for _, peer := range slices.Sorted(maps.Keys(b.links)) {
		status, stream := b.links[peer], b.streams[peer]
		load := b.load(peer, stream)
		status.Sent, status.Received = load.sent, load.received
		if stream != nil {
			status.Rate = stream.rate(time.Now())
		}
		out = append(out, status)
	}
	return out
}

// alarm raises a sentence about a peer; it stays until calm, or until its cause was not seen for a while.
func (b *board) alarm(peer desk.SiteID, sentence string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.alarms[peer]
	if old.sentence != sentence || time.Since(old.seen) > alarmLasts {
		b.log.Error("link is refused", "peer", string(peer), "reason", sentence)
	}
	b.alarms[peer] = alarm{sentence: sentence, seen: time.Now()}
}

// calm ends the alarm about a peer whose stream has lived since then. One that was raised later is about somebody else.
func (b *board) calm(peer desk.SiteID, since time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.alarms[peer].seen.Before(since) {
		delete(b.alarms, peer)
	}
}

// alarmed lists the alarms that still hold, by peer.
func (b *board) alarmed() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]string, 0, len(b.alarms))
	for _, peer := range slices.Sorted(maps.Keys(b.alarms)) {
		if a := b.alarms[peer]; time.Since(a.seen) <= alarmLasts {
			out = append(out, a.sentence)
		}
	}
	return out
}
