package tiers

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// backup is a copy of the office's state.
func (o *office) backup(t *testing.T) []byte {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	stream, _, _, _, _, err := o.store.Checkpoint()
	if err != nil {
		t.Fatalf("back up %s: %v", o.id, err)
	}
	defer stream.Close()
	copied, err := io.ReadAll(stream)
	if err != nil {
		t.Fatalf("back up %s: %v", o.id, err)
	}
	return copied
}

// restore puts an earlier state back, as a machine that is rolled back does.
func (o *office) restore(t *testing.T, backup []byte) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.store.Restore(bytes.NewReader(backup)); err != nil {
		t.Fatalf("restore %s: %v", o.id, err)
	}
	o.index = o.store.Applied()
}

// hasty is quick with little patience for a history that is said to be wrong.
func hasty() pace {
	p := quick()
	p.certain, p.departed = 300*time.Millisecond, 300*time.Millisecond
	return p
}

// three is a province, a city and a county whose lines can be cut.
func three(t *testing.T, p pace) []*node {
	t.Helper()
	top := newNodeAt(t, p, province, newOffice(t, province, wall))
	middle := newNodeAt(t, p, city, newOffice(t, city, wall), top.address)
	bottom := newNodeAt(t, p, county, newOffice(t, county, wall), middle.address)
	nodes := []*node{top, middle, bottom}
	whole(t, nodes...)
	return nodes
}

// whole waits until nobody recovers, every link between the nodes is settled, and nothing waits.
func whole(t *testing.T, nodes ...*node) {
	t.Helper()
	missing := ""
	defer func() {
		if missing != "" {
			t.Log(missing)
		}
	}()
	eventually(t, "everybody has recovered and all links are settled", func() bool {
		missing = unfinished(nodes)
		return missing == ""
	})
}

// unfinished names something that is not at rest among the nodes, empty when everything is.
func unfinished(nodes []*node) string {
	for _, n := range nodes {
		if site := n.site(); site.Recovering != 0 || site.Frozen != "" {
			return fmt.Sprintf("%s recovers since %d, or is frozen because %q", n.id, site.Recovering, site.Frozen)
		}
		for _, l := range read(n.office, func(r *store.Reader) ([]*deskpb.Link, error) { return r.Links() }) {
			here := slices.ContainsFunc(nodes, func(other *node) bool { return string(other.id) == l.Peer })
			if here && (l.Unsettled || l.Revisit || l.AckedSequence != l.SentSequence) {
				return fmt.Sprintf("the link of %s is %v", n.id, l)
			}
		}
	}
	for _, n := range nodes[1:] {
		if link := n.status(desk.SiteID(n.site().Parent)); link.State != Up {
			return fmt.Sprintf("%s shows the link %+v", n.id, link)
		}
	}
	return ""
}

// cutAll cuts or mends every line.
func cutAll(cut bool, nodes ...*node) {
	for _, n := range nodes {
		n.line.set(cut)
	}
}

// equalTickets fails unless the nodes have the same record and the same events of each ticket.
func equalTickets(t *testing.T, numbers []string, nodes ...*node) {
	t.Helper()
	agree(t, numbers, nodes...)
	for _, number := range numbers {
		want := nodes[0].record(number)
		for _, n := range nodes[1:] {
			if got := n.record(number); !proto.Equal(want, got) {
				t.Errorf("ticket %s at %s:\n%v\nat %s:\n%v", number, nodes[0].id, want, n.id, got)
			}
		}
	}
	for _, n := range nodes {
		if parked := n.parked(); len(parked) != 0 {
			t.Errorf("%s parked %v", n.id, parked)
		}
	}
}

// work is what happens behind a backup: new tickets, an escalation that goes on, one that comes home.
func work(t *testing.T, nodes []*node, old string) (numbers []string) {
	t.Helper()
	top, middle, bottom := nodes[0], nodes[1], nodes[2]
	fresh := bottom.open(t, "备份之后的工单")
	bottom.must(t, fresh, escalate())
	eventually(t, "the city holds the new ticket", func() bool { return holder(middle.office, fresh) == "330100" })
	middle.must(t, fresh, escalate())
	eventually(t, "the province holds the new ticket", func() bool { return holder(top.office, fresh) == "330000" })
	bottom.must(t, old, note("备份之后的备注"))
	bottom.must(t, old, escalate())
	eventually(t, "the city holds the old ticket", func() bool { return holder(middle.office, old) == "330100" })
	middle.must(t, old, resolve())
	eventually(t, "the old ticket is home", func() bool { return holder(bottom.office, old) == "330106" })
	own := middle.open(t, "市级工单")
	whole(t, nodes...)
	return []string{fresh, old, own}
}

// A site that was restored from an old backup knows everything again that any neighbour knew, works at once, and never
// gives out a number twice.
func TestRestoredSiteKnowsWhatItsNeighboursKnow(t *testing.T) {
	for at, name := range []string{"province", "city", "county"} {
		t.Run(name, func(t *testing.T) {
			nodes := three(t, quick())
			old := nodes[2].open(t, "备份之前的工单")
			whole(t, nodes...)
			restored := nodes[at]
			backup := restored.backup(t)
			numbers := work(t, nodes, old)
			before := map[string]*deskpb.Record{}
			for _, number := range numbers {
				before[number] = nodes[1].record(number)
			}
			cutAll(true, nodes...)
			restored.restore(t, backup)
			if err := restored.tiers.Recover(t.Context(), "restored from a backup"); err != nil {
				t.Fatal(err)
			}
			fresh := restored.open(t, "恢复期间的工单")
			if parsed, err := desk.ParseNumber(desk.TicketNumber(fresh)); err != nil || parsed.Letters != restored.site().Letters {
				t.Errorf("the restored site opened ticket %s, want the letters %s", fresh, restored.site().Letters)
			}
			restored.must(t, fresh, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Start{Start: &deskpb.Start{}}})
			cutAll(false, nodes...)
			whole(t, nodes...)
			equalTickets(t, numbers[:2], nodes...)
			equalTickets(t, numbers[2:], nodes[:2]...)
			equalTickets(t, []string{fresh}, nodes[:at+1]...)
			for _, number := range numbers[:2] {
				if after := nodes[2].record(number); !proto.Equal(before[number], after) {
					t.Errorf("ticket %s changed in the recovery from\n%v\nto\n%v", number, before[number], after)
				}
			}
		})
	}
}

// A site that lost everything but its name gets back all that its neighbours have.
func TestSiteIsRebuiltFromNothing(t *testing.T) {
	nodes := three(t, quick())
	top, middle, bottom := nodes[0], nodes[1], nodes[2]
	old := bottom.open(t, "打印机故障")
	whole(t, nodes...)
	numbers := work(t, nodes, old)[:2]
	bottom.tiers.Stop()
	rebuilt := proto.CloneOf(county)
	rebuilt.Incarnation, rebuilt.Letters = NewIncarnation()
	rebuilt.Recovering = 1
	again := newNode(t, rebuilt, newOffice(t, rebuilt, wall), middle.address)
	whole(t, top, middle, again)
	equalTickets(t, numbers, top, middle, again)
	again.must(t, old, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Confirm{Confirm: &deskpb.Confirm{}}})
	equalTickets(t, numbers, top, middle, again)
}

// A machine that was rolled back, and does not know it, is told by its neighbours and recovers by itself.
func TestRolledBackMachineNoticesAndRecovers(t *testing.T) {
	for at, name := range []string{"province", "city", "county"} {
		t.Run(name, func(t *testing.T) {
			nodes := three(t, hasty())
			old := nodes[2].open(t, "备份之前的工单")
			whole(t, nodes...)
			backup := nodes[at].backup(t)
			numbers := work(t, nodes, old)
			cutAll(true, nodes...)
			nodes[at].restore(t, backup)
			before := nodes[at].site().Incarnation
			cutAll(false, nodes...)
			eventually(t, "the site has begun a new life", func() bool { return nodes[at].site().Incarnation != before })
			whole(t, nodes...)
			equalTickets(t, numbers[:2], nodes...)
		})
	}
}

// Two neighbours are restored at once; the third site has everything.
func TestTwoNeighboursRecoverAtOnce(t *testing.T) {
	for _, restored := range [][]int{{1, 2}, {0, 1}} {
		t.Run(fmt.Sprintf("sites %v", restored), func(t *testing.T) {
			nodes := three(t, quick())
			old := nodes[2].open(t, "备份之前的工单")
			whole(t, nodes...)
			backups := make([][]byte, len(nodes))
			for _, i := range restored {
				backups[i] = nodes[i].backup(t)
			}
			numbers := work(t, nodes, old)
			cutAll(true, nodes...)
			for _, i := range restored {
				nodes[i].restore(t, backups[i])
				if err := nodes[i].tiers.Recover(t.Context(), "restored"); err != nil {
					t.Fatal(err)
				}
			}
			// The restored ones meet first: what they learn later has to be relayed.
			nodes[1].line.set(false)
			eventually(t, "the province and the city have met", func() bool { return nodes[1].state("330000") == Up })
			cutAll(false, nodes...)
			whole(t, nodes...)
			equalTickets(t, numbers[:2], nodes...)
		})
	}
}

// The county forgets a decision, an operator takes the ticket there and works on it: one of both histories wins
// everywhere, the other is kept as work that does not count.
func TestForkLeavesOneTicketAndKeepsTheOtherWork(t *testing.T) {
	reclaim := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reclaim{Reclaim: &deskpb.Reclaim{Reason: "线路中断，先行处理"}}}
	for _, tt := range []struct {
		name   string
		behind func(t *testing.T, nodes []*node, number string)
		holder string
	}{
		{"the override wins over work in the same term", func(t *testing.T, nodes []*node, number string) {
			nodes[2].must(t, number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Start{Start: &deskpb.Start{}}})
		}, "330106"},
		{"the override loses to a hand-over", func(t *testing.T, nodes []*node, number string) {
			nodes[2].must(t, number, escalate())
			eventually(t, "the city holds the ticket", func() bool { return holder(nodes[1].office, number) == "330100" })
		}, "330100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nodes := three(t, quick())
			number := nodes[2].open(t, "专线中断")
			whole(t, nodes...)
			backup := nodes[2].backup(t)
			tt.behind(t, nodes, number)
			whole(t, nodes...)
			cutAll(true, nodes...)
			nodes[2].restore(t, backup)
			if err := nodes[2].tiers.Recover(t.Context(), "restored"); err != nil {
				t.Fatal(err)
			}
			if _, refusal, err := nodes[2].do(number, resolve()); err != nil || refusal.GetReason() != "UNSETTLED" {
				t.Fatalf("resolve an unsettled ticket: %v %v, want UNSETTLED", refusal, err)
			}
			nodes[2].must(t, number, reclaim)
			nodes[2].must(t, number, resolve())
			cutAll(false, nodes...)
			whole(t, nodes...)
			equalTickets(t, []string{number}, nodes...)
			record := nodes[0].record(number)
			if record.Superseded == 0 || record.Ticket.CustodianSite != tt.holder {
				t.Errorf("the ticket is with %s and has %d superseded events, want it with %s and some", record.Ticket.CustodianSite, record.Superseded, tt.holder)
			}
		})
	}
}

// A copy of a county beside the living one stops deciding; the living one never notices. Recovered, the copy becomes the
// one that lives and the other stops.
func TestCopyBesideTheOriginalIsFrozen(t *testing.T) {
	p := hasty()
	middle := newNodeAt(t, p, city, newOffice(t, city, wall))
	first := newNodeAt(t, p, county, newOffice(t, county, wall), middle.address)
	whole(t, middle, first)
	backup := first.backup(t)
	number := first.open(t, "原机上的工单")
	whole(t, middle, first)
	o := newGround(t, county, wall)
	o.restore(t, backup)
	copied := newNodeAt(t, p, county, o, middle.address)
	eventually(t, "the copy is frozen", func() bool { return copied.site().Frozen != "" })
	if !strings.Contains(copied.site().Frozen, "two copies of 330106 run") {
		t.Errorf("the copy is frozen because %q", copied.site().Frozen)
	}
	if _, refusal, err := copied.do("", create("副本上的工单")); err != nil || refusal.GetReason() != "FROZEN" {
		t.Errorf("open a ticket at the frozen copy: %v %v, want FROZEN", refusal, err)
	}
	if first.state(middle.id) != Up || first.site().Frozen != "" {
		t.Errorf("the original shows %+v", first.status(middle.id))
	}
	if err := copied.tiers.Recover(t.Context(), "this one shall live"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the original is frozen", func() bool { return first.site().Frozen != "" })
	whole(t, middle, copied)
	equalTickets(t, []string{number}, middle, copied)
}

// The line breaks at every step of a recovery; each stream begins the comparison anew, and at last nothing is missing.
func TestComparisonSurvivesACutAtEveryStep(t *testing.T) {
	nodes := three(t, quick())
	bottom := nodes[2]
	old := bottom.open(t, "备份之前的工单")
	whole(t, nodes...)
	backup := bottom.backup(t)
	numbers := work(t, nodes, old)[:2]
	for i := range 100 {
		numbers = append(numbers, bottom.open(t, fmt.Sprintf("工单 %d", i)))
	}
	whole(t, nodes...)
	cutAll(true, bottom)
	bottom.restore(t, backup)
	if err := bottom.tiers.Recover(t.Context(), "restored"); err != nil {
		t.Fatal(err)
	}
	cuts := int64(0)
	for reads := int64(1); bottom.site().Recovering != 0; reads++ {
		cuts = reads
		bottom.line.fuse.Store(reads)
		bottom.line.set(false)
		eventually(t, fmt.Sprintf("the line breaks after %d reads", reads), func() bool { return bottom.line.fuse.Load() <= 0 })
		bottom.line.set(true)
	}
	if cuts < 4 {
		t.Errorf("the county had recovered after %d cuts, want 4 or more in the middle of it", cuts)
	}
	bottom.line.set(false)
	whole(t, nodes...)
	equalTickets(t, numbers, nodes...)
}

// What a comparison holds against each other adds up, however the range is divided.
func TestPartsOfARangeAreTheWholeOfIt(t *testing.T) {
	for _, tickets := range []int{1, 64, 65, 1000, 5000} {
		c := census{from: "a", to: "z"}
		for i := range tickets {
			c.add(store.Holding{Number: desk.TicketNumber(fmt.Sprintf("b-%08d", i)), Events: uint32(i), Sum: []byte{byte(i)}})
		}
		parts := c.parts()
		var sum store.Sum
		count, at := uint32(0), c.from
		for _, part := range parts {
			if part.From != at {
				t.Errorf("with %d tickets a part begins at %q, want %q", tickets, part.From, at)
			}
			at = part.To
			count += part.Tickets
			sum.Add(part.Sum)
		}
		if at != c.to || count != uint32(tickets) || !slices.Equal(sum.Bytes(), c.sum.Bytes()) || len(parts) > maxParts {
			t.Errorf("%d tickets make %d parts up to %q with %d tickets and another sum", tickets, len(parts), at, count)
		}
	}
}
