package tiers

import (
	"cmp"
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
}

// board shows how the links of this node stand, and what an operator should read. Changes are logged once.
type board struct {
	log     *slog.Logger
	metrics *metrics
	started time.Time

	mu     sync.Mutex // guards links and alarms
	links  map[desk.SiteID]LinkStatus
	alarms map[desk.SiteID]alarm
}

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

func (b *board) list() []LinkStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.SortedFunc(maps.Values(b.links), func(x, y LinkStatus) int { return cmp.Compare(x.Peer, y.Peer) })
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

// calm ends the alarm about a peer.
func (b *board) calm(peer desk.SiteID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.alarms, peer)
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
