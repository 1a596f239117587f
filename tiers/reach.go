package tiers

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// Reach tells whether a site of the tree can be reached, as far as this node heard over its links.
type Reach struct {
	Site  desk.SiteID
	Alive bool
	Since time.Time
}

// maxReach bounds the table; no tree has as many sites.
const maxReach = 10_000

// reachEntry is what is known of one site, and from which neighbour.
type reachEntry struct {
	Reach
	via     desk.SiteID
	version uint64 // of the table when the entry last changed
}

// reachTable gathers what neighbours tell about the sites on their side and passes it on to the other sides.
// Invariant: no site behind a neighbour whose stream has ended is alive.
type reachTable struct {
	mu      sync.Mutex // guards everything below
	version uint64
	entries map[desk.SiteID]*reachEntry
}

func newReachTable() *reachTable {
	return &reachTable{entries: make(map[desk.SiteID]*reachEntry)}
}

// set notes an entry; mu is held. A site beyond the bound is left out.
func (t *reachTable) set(site, via desk.SiteID, alive bool, since time.Time) {
	old := t.entries[site]
	switch {
	case old == nil && len(t.entries) >= maxReach:
		return
	case old != nil && old.via == via && old.Alive == alive && old.Since.Equal(since):
		return
	}
	t.version++
	t.entries[site] = &reachEntry{Reach: Reach{Site: site, Alive: alive, Since: since}, via: via, version: t.version}
}

// connected notes that the stream with a neighbour lives.
func (t *reachTable) connected(peer desk.SiteID, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(peer, peer, true, now)
}

// disconnected notes that the stream with a neighbour has ended: nothing behind it can be reached since now.
func (t *reachTable) disconnected(peer desk.SiteID, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for site, e := range t.entries {
		if e.via == peer && e.Alive {
			t.set(site, peer, false, now)
		}
	}
}

// heard notes what a neighbour tells about one site behind it.
func (t *reachTable) heard(via desk.SiteID, r *linkpb.Reach) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(desk.SiteID(r.Site), via, r.Alive, time.UnixMicro(r.Since))
}

// news returns what changed behind a version of the table that the peer did not tell itself, with the version now.
func (t *reachTable) news(peer desk.SiteID, after uint64) ([]*linkpb.Reach, uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []*linkpb.Reach
	for site, e := range t.entries {
		if e.via != peer && e.version > after {
			out = append(out, &linkpb.Reach{Site: string(site), Alive: e.Alive, Since: e.Since.UnixMicro()})
		}
	}
	return out, t.version
}

func (t *reachTable) list() []Reach {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]Reach, 0, len(t.entries))
	for e := range maps.Values(t.entries) {
		out = append(out, e.Reach)
	}
	slices.SortFunc(out, func(x, y Reach) int { return cmp.Compare(x.Site, y.Site) })
	return out
}
