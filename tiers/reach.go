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

// Beats tells which of two nodes' words on one site holds: a stream that lives proves more than one that has ended, and
// of two equal words the later one. The nodes' clocks may differ, so time alone decides nothing.
func (r Reach) Beats(other Reach) bool {
	if r.Alive != other.Alive {
		return r.Alive
	}
	return r.Since.After(other.Since)
}

// maxReach bounds each half of the table; no tree has as many sites.
const maxReach = 10_000

// reachEntry is what is known of one site.
type reachEntry struct {
	Reach
	via     desk.SiteID // the neighbour that told it here; empty when another node of this site heard it
	seen    time.Time   // when another node of this site last said so
	version uint64      // of the table when the entry last changed
}

// reachTable gathers what neighbours tell about the sites on their side and passes it on to the other sides.
// Invariant: no site behind a neighbour whose stream has ended is alive in heard.
type reachTable struct {
	mu      sync.Mutex // guards everything below
	version uint64
	heard   map[desk.SiteID]*reachEntry // over the streams of this node
	others  map[desk.SiteID]*reachEntry // over those of the site's other nodes
}

func newReachTable() *reachTable {
	return &reachTable{heard: make(map[desk.SiteID]*reachEntry), others: make(map[desk.SiteID]*reachEntry)}
}

// set notes an entry; mu is held. A site beyond the bound is left out.
func (t *reachTable) set(half map[desk.SiteID]*reachEntry, next reachEntry) {
	old := half[next.Site]
	switch {
	case old == nil && len(half) >= maxReach:
		return
	case old != nil && old.via == next.via && old.Alive == next.Alive && old.Since.Equal(next.Since):
		old.seen = next.seen
		return
	}
	t.version++
	next.version = t.version
	half[next.Site] = &next
}

// connected notes that the stream with a neighbour lives.
func (t *reachTable) connected(peer desk.SiteID, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(t.heard, reachEntry{Reach: Reach{Site: peer, Alive: true, Since: now}, via: peer})
}

// disconnected notes that the stream with a neighbour has ended: nothing behind it can be reached since now.
func (t *reachTable) disconnected(peer desk.SiteID, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for site, e := range t.heard {
		if e.via == peer && e.Alive {
			t.set(t.heard, reachEntry{Reach: Reach{Site: site, Since: now}, via: peer})
		}
	}
}

// hear notes what a neighbour tells about one site behind it.
func (t *reachTable) hear(via desk.SiteID, r *linkpb.Reach) {
	t.mu.Lock()
	defer t.mu.Unlock()
	reach := Reach{Site: desk.SiteID(r.Site), Alive: r.Alive, Since: time.UnixMicro(r.Since)}
	t.set(t.heard, reachEntry{Reach: reach, via: via})
}

// living tells whether a stream lives here.
func (t *reachTable) living() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for site, e := range t.heard {
		if e.via == site && e.Alive {
			return true
		}
	}
	return false
}

// merge notes what the site's other nodes heard. What none of them says any more is out of reach when that lasts: a
// single answer may be late.
func (t *reachTable) merge(others []Reach, now time.Time, patience time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	best := make(map[desk.SiteID]Reach, len(others))
	for _, r := range others {
		if known, there := best[r.Site]; !there || r.Beats(known) {
			best[r.Site] = r
		}
	}
	for _, r := range best {
		t.set(t.others, reachEntry{Reach: r, seen: now})
	}
	for site, e := range t.others {
		if e.Alive && now.Sub(e.seen) > patience {
			t.set(t.others, reachEntry{Reach: Reach{Site: site, Since: e.seen}, seen: now})
		}
	}
}

// news returns what changed behind a version of the table that the peer did not tell itself, with the version now.
func (t *reachTable) news(peer desk.SiteID, after uint64) ([]*linkpb.Reach, uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []*linkpb.Reach
	tell := func(e *reachEntry, version uint64) {
		if version > after && e.via != peer && e.Site != peer {
			out = append(out, &linkpb.Reach{Site: string(e.Site), Alive: e.Alive, Since: e.Since.UnixMicro()})
		}
	}
	for site, e := range t.heard {
		other := t.others[site]
		if other == nil {
			tell(e, e.version)
			continue
		}
		// A change of either may have changed which of the two holds.
		version := max(e.version, other.version)
		if other.Beats(e.Reach) {
			e = other
		}
		tell(e, version)
	}
	for site, e := range t.others {
		if t.heard[site] == nil {
			tell(e, e.version)
		}
	}
	return out, t.version
}

// list returns what this node heard itself.
func (t *reachTable) list() []Reach {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]Reach, 0, len(t.heard))
	for e := range maps.Values(t.heard) {
		out = append(out, e.Reach)
	}
	slices.SortFunc(out, func(x, y Reach) int { return cmp.Compare(x.Site, y.Site) })
	return out
}
