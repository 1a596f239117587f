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

// Two copies of a county are connected to two nodes of their city. What the second one writes has the numbers of what came from
// the first one, and reaches the city all the same.
func TestWhatACopyWritesUnderNumbersOfItsDoubleArrives(t *testing.T) {
	p := hasty()
	middle := newOffice(t, city, wall)
	first, second := newNodeAt(t, p, city, middle), newNodeAt(t, p, city, middle)
	a := newNodeAt(t, p, county, newOffice(t, county, wall), first.address)
	number := a.open(t, "分开之前的工单")
	whole(t, first, a)
	o := newGround(t, county, wall)
	o.restore(t, a.backup(t))
	b := newNodeAt(t, p, county, o, second.address)
	whole(t, second, b)
	last := func(n *node) []byte { return n.journal(number)[1].Raw }
	a.must(t, number, note("第一份副本的备注"))
	eventually(t, "the city has what the first copy wrote", func() bool { return middle.stores(last(a)) })
	a.line.set(true)
	b.must(t, number, note("第二份副本的备注"))
	wrote := last(b)
	eventually(t, "the city has what the second copy wrote", func() bool { return middle.stores(wrote) })
	whole(t, second, b)
	equalTickets(t, []string{number}, second, b)
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
