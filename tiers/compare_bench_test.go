package tiers

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// BenchmarkCompareNearlyEqual compares a county and its city that both have 100,000 tickets, of which ten differ, over a
// link on this machine. It reports the time of one comparison and the bytes on the line.
func BenchmarkCompareNearlyEqual(b *testing.B) {
	const tickets, differing = 100_000, 10
	parent, child := newOffice(b, city, wall), newOffice(b, county, wall)
	admit(b, child, parent)
	for range tickets / 1000 {
		err := child.log(func(batch *store.Batch, at desk.Stamp) error {
			for range 1000 {
				c := create("无法登录")
				c.Actor = &deskpb.Actor{User: "li", Role: deskpb.User_AGENT}
				if _, err := Decide(batch, c, at); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for ship(b, child, parent) {
	}
	numbers := child.tickets()
	for b.Loop() {
		b.StopTimer()
		for i := range differing {
			if _, refusal, err := child.do(numbers[i*len(numbers)/differing], note("只有县里知道")); refusal != nil || err != nil {
				b.Fatalf("note: %v %v", refusal, err)
			}
		}
		incarnation, letters := NewIncarnation()
		result, err := child.Propose(b.Context(), &deskpb.Command{Kind: &deskpb.Command_Reincarnate{Reincarnate: &deskpb.Reincarnate{
			Before: child.site().Incarnation, Incarnation: incarnation, Letters: letters, Reason: "bench",
		}}})
		if err != nil || result.Refusal != nil {
			b.Fatalf("begin a new life: %v %v", result.GetRefusal(), err)
		}
		middle := newNodeAt(b, defaultPace(), city, parent)
		b.StartTimer()
		bottom := newNodeAt(b, defaultPace(), county, child, middle.address)
		eventually(b, "the county has recovered", func() bool { return child.site().Recovering == 0 })
		b.StopTimer()
		b.ReportMetric(float64(bottom.line.traffic.Load()), "bytes/op")
		bottom.tiers.Stop()
		middle.tiers.Stop()
		for _, i := range []int{0, tickets / differing} {
			if got, want := len(parent.journal(numbers[i])), len(child.journal(numbers[i])); got != want {
				b.Fatalf("ticket %s has %d events at the city, want %d", numbers[i], got, want)
			}
		}
		b.StartTimer()
	}
}
