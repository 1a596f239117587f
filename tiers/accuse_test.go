package tiers

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
)

// A site that draws letters which one of its lives had before is told so, draws others and comes in.
func TestUsedLettersAreDrawnAnew(t *testing.T) {
	middle := newNode(t, city, newOffice(t, city, wall))
	first := newNode(t, county, newOffice(t, county, wall), middle.address)
	number := first.open(t, "打印机故障")
	whole(t, middle, first)
	if err := first.tiers.Recover(t.Context(), "restored"); err != nil {
		t.Fatal(err)
	}
	whole(t, middle, first)
	used := first.site().Letters
	first.tiers.Stop()

	rebuilt := proto.CloneOf(county)
	rebuilt.Incarnation, _ = NewIncarnation()
	rebuilt.Letters, rebuilt.Recovering = used, 1
	again := newNode(t, rebuilt, newOffice(t, rebuilt, wall), middle.address)
	eventually(t, "the rebuilt county has drawn other letters", func() bool { return again.site().Letters != used })
	whole(t, middle, again)
	equalTickets(t, []string{number}, middle, again)
	if got, want := middle.link(again.id).PeerLetters, again.site().Letters; got != want {
		t.Errorf("the city accepted the letters %s, want %s", got, want)
	}
}

// The marks of one child prove that its parent was rolled back, whatever the others say: the parent begins a new life, and
// people are told by whom it was accused.
func TestParentBelievesTheMarksOfOneChild(t *testing.T) {
	p := hasty()
	top := newNodeAt(t, p, province, newOffice(t, province, wall))
	first := newNodeAt(t, p, city, newOffice(t, city, wall), top.address)
	second := newNodeAt(t, p, city2, newOffice(t, city2, wall), top.address)
	nodes := []*node{top, first, second}
	whole(t, nodes...)
	backup, before := top.backup(t), top.site().Incarnation
	numbers := []string{first.open(t, "杭州的工单"), second.open(t, "宁波的工单")}
	whole(t, nodes...)
	cutAll(true, nodes...)
	top.restore(t, backup)

	first.line.set(false)
	eventually(t, "an alarm of the province names the city that accuses it", func() bool {
		return slices.ContainsFunc(top.tiers.Alarms(), func(alarm string) bool { return strings.Contains(alarm, string(first.id)) })
	})
	eventually(t, "the province has begun a new life", func() bool { return top.site().Incarnation != before })
	second.line.set(false)
	whole(t, nodes...)
	equalTickets(t, numbers[:1], top, first)
	equalTickets(t, numbers[1:], top, second)
}

// A child that was believed is not believed again for an hour, so that one whose own history is broken does not keep its
// parent recovering; another child is believed meanwhile.
func TestChildIsBelievedOnceAnHour(t *testing.T) {
	b, now := newBench(), time.Unix(1795248000, 0)
	if !b.trusts("330101", now) {
		t.Error("a child that was never believed is not believed")
	}
	b.answered("330101", now)
	for child, at := range map[desk.SiteID]time.Duration{"330101": credit, "330102": time.Minute} {
		if !b.trusts(child, now.Add(at)) {
			t.Errorf("%s is not believed %s later", child, at)
		}
	}
	if b.trusts("330101", now.Add(credit-time.Second)) {
		t.Error("a child is believed twice within an hour")
	}
}

// A charge stands as long as it is raised again and again; another charge of the same child begins anew.
func TestChargesStandWhileTheyAreRaised(t *testing.T) {
	b, now := newBench(), time.Unix(1795248000, 0)
	for i, tt := range []struct {
		child, reason string
		after         time.Duration
		stood         time.Duration
		children      int
	}{
		{"330101", rolledBack, 0, 0, 1},
		{"330101", rolledBack, 3 * time.Second, 3 * time.Second, 1},
		{"330102", rolledBack, time.Second, 0, 2},
		{"330101", rolledBack, 2 * time.Second, 6 * time.Second, 2},
		{"330101", "PEER_FENCED", time.Second, 0, 1},
		{"330101", "PEER_FENCED", alarmLasts + time.Second, 0, 1},
	} {
		now = now.Add(tt.after)
		stood, children := b.hear(desk.SiteID(tt.child), charge{reason: tt.reason}, now)
		if stood != tt.stood || children != tt.children {
			t.Errorf("step %d: the charge has stood for %s and is raised by %d, want %s and %d", i, stood, children, tt.stood, tt.children)
		}
	}
}
