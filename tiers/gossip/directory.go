package gossip

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxMembers bounds how many nodes are known, living and remembered together.
	maxMembers = 4096
	// maxAddresses bounds what is offered for one site.
	maxAddresses = 16
	// alarmKept is how long an alarm outlives the last sight of its cause.
	alarmKept = 10 * time.Minute
)

// directory is all that was heard over the pools of a node and in its earlier runs. A node of the site at the centre of
// one pool is in two pools under one name; it lives while it lives in either. Pools call it with their own locks held,
// so it never blocks and never calls them.
type directory struct {
	self string

	mu      sync.Mutex // guards entries, alarms and waiters
	entries map[string]*entry
	alarms  map[string]alarm
	waiters map[string]chan struct{} // by site: closed when a node of it comes to life

	changed chan struct{} // has one element when there is something new to write down
}

// entry is one node, by its name "<site>/<node>".
type entry struct {
	Member                 // Alive is not used: see living
	gossip string          // host:port of its gossip
	seen   time.Time       // last known alive; of a living one, when it came
	living map[string]bool // labels of the pools where it is alive
}

type alarm struct {
	text string
	seen time.Time
}

func newDirectory(self Member) *directory {
	return &directory{
		self:    self.member(),
		entries: map[string]*entry{},
		alarms:  map[string]alarm{},
		waiters: map[string]chan struct{}{},
		changed: make(chan struct{}, 1),
	}
}

// admits tells whether there is room for the name.
func (d *directory) admits(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.entries[name] != nil || len(d.entries) < maxMembers || d.oldestGone() != "" {
		return nil
	}
	return fmt.Errorf("%d members live already, no more are taken", maxMembers)
}

// heard records that m lives in a pool, with what it announces there.
func (d *directory) heard(label string, m Member, gossip string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.place(m.member())
	if e == nil {
		return
	}
	if waiter := d.waiters[m.Site]; waiter != nil && len(e.living) == 0 {
		close(waiter)
		delete(d.waiters, m.Site)
	}
	e.Member, e.gossip, e.seen, e.living[label] = m, gossip, now, true
	d.note()
}

// coming returns a channel that is closed when the next node of a site comes to life.
func (d *directory) coming(site string) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiters[site] == nil {
		d.waiters[site] = make(chan struct{})
	}
	return d.waiters[site]
}

// left records that a member left a pool or died there. A name that lives nowhere is not doubled any more.
func (d *directory) left(label, name string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.entries[name]
	if e == nil || !e.living[label] {
		return
	}
	delete(e.living, label)
	e.seen = now
	if len(e.living) == 0 {
		delete(d.alarms, name)
	}
	d.note()
}

// doubled raises the alarm of a name that is announced from two addresses at once. It stays silent when the one known
// is dead: that is a node that came back at another address and waits for its name.
func (d *directory) doubled(label, name, one, other string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.entries[name]; e == nil || !e.living[label] {
		return
	}
	d.alarms[name] = alarm{fmt.Sprintf("node %s is running twice: at %s and at %s; stop one", name, one, other), now}
}

// sentences returns the alarms seen within alarmKept, in order of the names.
func (d *directory) sentences(now time.Time) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.alarms, func(_ string, a alarm) bool { return now.Sub(a.seen) > alarmKept })
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(d.alarms)) {
		texts = append(texts, d.alarms[name].text)
	}
	return texts
}

// members returns every node heard of, in order of site and node.
func (d *directory) members() []Member {
	d.mu.Lock()
	defer d.mu.Unlock()
	var members []Member
	for _, e := range d.entries {
		m := e.Member
		m.Alive = len(e.living) > 0
		members = append(members, m)
	}
	slices.SortFunc(members, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Node, b.Node))
	})
	return members
}

// addresses returns the grpc addresses of a site, best first.
func (d *directory) addresses(site string) []string {
	return d.best(site, func(e *entry) string { return e.GRPC })
}

// gossips returns the gossip addresses of a site, best first.
func (d *directory) gossips(site string) []string {
	return d.best(site, func(e *entry) string { return e.gossip })
}

// best lists a field of a site's nodes: living ones first, then the latest seen; each value once, at most maxAddresses.
func (d *directory) best(site string, field func(*entry) string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var nodes []*entry
	for _, e := range d.entries {
		if e.Site == site {
			nodes = append(nodes, e)
		}
	}
	slices.SortFunc(nodes, func(a, b *entry) int {
		return cmp.Or(
			cmp.Compare(min(len(b.living), 1), min(len(a.living), 1)),
			b.seen.Compare(a.seen),
			cmp.Compare(a.Node, b.Node))
	})
	var values []string
	for _, e := range nodes {
		if v := field(e); v != "" && !slices.Contains(values, v) && len(values) < maxAddresses {
			values = append(values, v)
		}
	}
	return values
}

// siteAt returns the site of the living node whose gossip has one of the addresses, "" for none.
func (d *directory) siteAt(gossip []string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.entries {
		if len(e.living) > 0 && slices.Contains(gossip, e.gossip) {
			return e.Site
		}
	}
	return ""
}

// seen tells whether a node of the site other than this one lives.
func (d *directory) seen(site string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, e := range d.entries {
		if e.Site == site && name != d.self && len(e.living) > 0 {
			return true
		}
	}
	return false
}

// lacking names the neighbours that announce keys, but not this one: those that live, or while none does, those of an
// earlier run.
func (d *directory) lacking(fingerprint string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var living, remembered []string
	for _, name := range slices.Sorted(maps.Keys(d.entries)) {
		e := d.entries[name]
		if name == d.self || e.Keys == "" || slices.Contains(strings.Fields(e.Keys), fingerprint) {
			continue
		}
		if remembered = append(remembered, name); len(e.living) > 0 {
			living = append(living, name)
		}
	}
	if d.alone() {
		return remembered
	}
	return living
}

// alone tells whether no other node lives. The caller holds mu.
func (d *directory) alone() bool {
	for name, e := range d.entries {
		if name != d.self && len(e.living) > 0 {
			return false
		}
	}
	return true
}

// lost returns the gossip addresses of the nodes of the sites below a site, when none of them lives.
func (d *directory) lost(parent string) (gossips []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(d.entries)) {
		switch e := d.entries[name]; {
		case e.Parent != parent:
		case len(e.living) > 0:
			return nil
		case e.gossip != "":
			gossips = append(gossips, e.gossip)
		}
	}
	return gossips
}

// place returns the entry of a name, made if need be at the cost of the oldest one that is gone; nil when there is no
// room. The caller holds mu.
func (d *directory) place(name string) *entry {
	if e := d.entries[name]; e != nil {
		return e
	}
	if len(d.entries) >= maxMembers {
		oldest := d.oldestGone()
		if oldest == "" {
			return nil
		}
		delete(d.entries, oldest)
	}
	e := &entry{living: map[string]bool{}}
	d.entries[name] = e
	return e
}

// oldestGone returns the name that has not lived for the longest time, "" when all live. The caller holds mu.
func (d *directory) oldestGone() string {
	oldest := ""
	for name, e := range d.entries {
		if len(e.living) == 0 && (oldest == "" || e.seen.Before(d.entries[oldest].seen)) {
			oldest = name
		}
	}
	return oldest
}

func (d *directory) note() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}
