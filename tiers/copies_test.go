package tiers

import (
	"testing"
	"time"
)

// accusedFor is how long a child has told a node without a break that its history is wrong.
func (n *node) accusedFor(child *node) time.Duration {
	b := n.tiers.bench
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.charges[child.id]; c != nil {
		return c.seen.Sub(c.since)
	}
	return 0
}

// turn has a child dial another node of its parent.
func (n *node) turn(parent *node) {
	n.parents.Store([]string{parent.address})
	n.line.set(true)
	n.line.set(false)
}

// A province does not believe one of its two children that another copy of it lives, however long it says so: people are
// told. When the second one says the same it decides nothing any more.
func TestParentBelievesTwoOfItsChildrenThatItIsACopy(t *testing.T) {
	p := hasty()
	top := newNodeAt(t, p, province, newOffice(t, province, wall))
	first := newNodeAt(t, p, city, newOffice(t, city, wall), top.address)
	second := newNodeAt(t, p, city2, newOffice(t, city2, wall), top.address)
	whole(t, top, first, second)
	o := newGround(t, province, wall)
	o.restore(t, top.backup(t))
	copied := newNodeAt(t, p, province, o)
	if err := copied.tiers.Recover(t.Context(), "this one shall live"); err != nil {
		t.Fatal(err)
	}
	first.turn(copied)
	second.turn(copied)
	whole(t, copied, first, second)

	first.turn(top)
	eventually(t, "the first city has accused the province for long enough", func() bool { return top.accusedFor(first) > 2*p.certain })
	if frozen := top.site().Frozen; frozen != "" {
		t.Fatalf("the province is frozen at the word of one of its two children: %s", frozen)
	}
	if alarms := top.tiers.Alarms(); len(alarms) == 0 {
		t.Error("the province raises no alarm although a child says that another copy of it lives")
	}
	second.turn(top)
	eventually(t, "the province is frozen", func() bool { return top.site().Frozen != "" })
	first.turn(copied)
	second.turn(copied)
	whole(t, copied, first, second)
}
