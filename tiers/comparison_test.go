package tiers

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// The leader of either end changes again and again in the middle of a comparison. Commands that had no outcome are proposed
// again, each new stream begins the comparison anew, and at last nothing is missing.
func TestComparisonSurvivesNewLeaders(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(nodes []*node, term uint64)
	}{
		{"of the child", func(nodes []*node, term uint64) {
			nodes[2].lead(false, term)
			nodes[2].line.set(true)
			nodes[2].lead(true, term)
		}},
		{"of the parent", func(nodes []*node, term uint64) {
			nodes[1].loseMajority(true)
			nodes[1].lead(false, term)
			nodes[2].line.set(true)
			nodes[1].lead(true, term)
			nodes[1].loseMajority(false)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nodes, numbers := leftBehind(t)
			bottom, changes := nodes[2], 0
			for term := uint64(2); bottom.site().Recovering != 0 && changes < 6; term++ {
				before := bottom.line.traffic.Load()
				bottom.line.set(false)
				eventually(t, "the comparison is under way", func() bool {
					return bottom.line.traffic.Load() > before+int64(term)*1000 || bottom.site().Recovering == 0
				})
				if bottom.site().Recovering != 0 {
					changes++
				}
				tt.change(nodes, term)
			}
			if changes < 2 {
				t.Errorf("the leader changed %d times in the middle of the comparison, want 2 or more", changes)
			}
			bottom.line.set(false)
			whole(t, nodes...)
			equalTickets(t, numbers, nodes...)
		})
	}
}

// leftBehind is a tree whose county was restored from a backup that is older than many of its tickets, and that has others
// which nobody else knows. Its line is cut.
func leftBehind(t *testing.T) (nodes []*node, numbers []string) {
	t.Helper()
	const each = 150
	nodes = three(t, quick())
	bottom := nodes[2]
	backup := bottom.backup(t)
	for i := range each {
		numbers = append(numbers, bottom.open(t, fmt.Sprintf("备份之后的工单 %d", i)))
	}
	whole(t, nodes...)
	cutAll(true, bottom)
	bottom.restore(t, backup)
	if err := bottom.tiers.Recover(t.Context(), "restored"); err != nil {
		t.Fatal(err)
	}
	for i := range each {
		numbers = append(numbers, bottom.open(t, fmt.Sprintf("断线期间的工单 %d", i)))
	}
	return nodes, numbers
}

// sizes are how many things of a kind were seen, and how many bytes the largest has.
type sizes struct {
	mu             sync.Mutex // guards everything below
	count, largest int
}

func (s *sizes) see(bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count, s.largest = s.count+1, max(s.largest, bytes)
}

// weighed is an office that notes how many bytes of events a Unite command carries.
type weighed struct {
	*office
	unites *sizes
}

func (w weighed) Propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error) {
	if unite := c.GetUnite(); unite != nil {
		bytes := 0
		for _, raw := range unite.Events {
			bytes += len(raw)
		}
		w.unites.see(bytes)
	}
	return w.office.Propose(ctx, c)
}

// facing is one end of a comparison without a network: what it sends waits in out.
func facing(t *testing.T, o *office, peer *deskpb.Site, dials bool, unites *sizes) (s *session, out chan *linkpb.Frame) {
	t.Helper()
	out = make(chan *linkpb.Frame)
	ends := &Tiers{o: Options{Site: weighed{o, unites}, SiteID: o.id}, pace: quick(), proof: newProof()}
	ends.o.complete()
	ends.board = newBoard(ends.o.Logger, newMetrics(nil))
	s = newSession(ends, wire{out: out, traffic: &traffic{}}, &linkpb.Hello{Site: peer.Id, Incarnation: peer.Incarnation})
	s.own, s.dials = o.site().Incarnation, dials
	return s, out
}

// A county that lost everything gets its tickets back in frames and commands that are bounded, however many there are.
func TestRebuildingACountyTakesBoundedFrames(t *testing.T) {
	const (
		tickets   = rebuiltTickets
		long      = 40                         // of them have journals of 64 KiB
		maxFrame  = giftBytes + 2*holdingBytes // events, and names of events that are wanted
		batchSize = 1000
	)
	middle, lost := newOffice(t, city, wall), newOffice(t, county, wall)
	admit(t, lost, middle)
	for range tickets / batchSize {
		if err := lost.log(func(b *store.Batch, at desk.Stamp) error {
			for range batchSize {
				c := create("无法登录")
				c.Actor = &deskpb.Actor{User: "li", Role: deskpb.User_AGENT}
				if _, err := Decide(b, c, at); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, number := range lost.tickets()[:long] {
		for range 8 {
			lost.must(t, number, note(strings.Repeat("巡检记录，", 540)))
		}
	}
	for ship(t, lost, middle) {
	}
	rebuilt := proto.CloneOf(county)
	rebuilt.Incarnation, rebuilt.Letters = NewIncarnation()
	rebuilt.Recovering = 1
	low := newOffice(t, rebuilt, wall)
	admit(t, low, middle)

	var frames, unites sizes
	asks, questions := facing(t, low, city, true, &unites)
	answers, replies := facing(t, middle, rebuilt, false, &unites)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel()
	for _, way := range []struct {
		from chan *linkpb.Frame
		to   chan *linkpb.Frame
	}{{questions, answers.mail}, {replies, asks.mail}} {
		workers.Go(func() {
			for ctx.Err() == nil {
				select {
				case frame := <-way.from:
					frames.see(proto.Size(frame))
					way.to <- frame // at most maxAsked wait, for which there is room
				case <-ctx.Done():
				}
			}
		})
	}
	workers.Go(func() {
		if err := answers.answerQuestions(ctx); err != nil {
			t.Errorf("answer: %v", err)
		}
	})
	if err := (&comparison{session: asks}).run(ctx); err != nil {
		t.Fatalf("compare: %v", err)
	}
	if got := len(low.tickets()); got != tickets {
		t.Errorf("the rebuilt county has %d tickets, want %d", got, tickets)
	}
	if frames.largest > maxFrame || unites.largest > giftBytes {
		t.Errorf("the largest frame has %d bytes, the largest command %d of events; want at most %d and %d",
			frames.largest, unites.largest, maxFrame, giftBytes)
	}
	if unites.largest < giftBytes/2 {
		t.Errorf("the largest command has %d bytes of events, too few for journals of 64 KiB", unites.largest)
	}
	if most := tickets / 32; unites.count > most || frames.count > 3*most {
		t.Errorf("it took %d commands and %d frames, want at most %d and %d", unites.count, frames.count, most, 3*most)
	}
}

// A province that lost everything does not take a ticket as settled before it was compared with the child on the way to the
// ticket's home, whether it knows of that child already or not.
func TestTicketOfAChildThatWasNeverMetIsNotSettled(t *testing.T) {
	rebuilt := proto.CloneOf(province)
	rebuilt.Incarnation, rebuilt.Letters = NewIncarnation()
	rebuilt.Recovering = 1
	top, met, missing := newOffice(t, rebuilt, wall), newOffice(t, city, wall), newOffice(t, city2, wall)
	admit(t, top, met)
	ship(t, met, top)
	top.settle(t, met)
	number := missing.open(t, "宁波的工单")
	// It came by a way that is closed now.
	events := missing.journal(number)
	record, err := desk.Union(events)
	if err != nil {
		t.Fatal(err)
	}
	if err := top.log(func(b *store.Batch, _ desk.Stamp) error {
		for _, e := range events {
			if err := b.AddEvent(e); err != nil {
				return err
			}
		}
		return putTicket(b, desk.TicketNumber(number), record)
	}); err != nil {
		t.Fatal(err)
	}
	settled := func() bool {
		return read(top, func(r *store.Reader) (bool, error) {
			t, err := newTree(r)
			if err != nil {
				return false, err
			}
			return newView(r, t).Settled(record)
		})
	}
	for _, step := range []struct {
		name string
		do   func()
		want bool
	}{
		{"nothing is known of its city", func() {}, false},
		{"the directory names its city", func() {
			if err := top.log(func(b *store.Batch, _ desk.Stamp) error { return b.PutSiteInfo(entry(city2)) }); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"its city was met", func() { admit(t, top, missing); ship(t, missing, top) }, false},
		{"its city was compared", func() { top.settle(t, missing) }, true},
	} {
		step.do()
		if got := settled(); got != step.want {
			t.Errorf("when %s the ticket is settled: %t, want %t", step.name, got, step.want)
		}
	}
	if top.site().Recovering != 0 {
		t.Error("the province still recovers although both cities were compared")
	}
}

// The province and the city are restored to different moments, and the county works all the time: on its own while nobody
// is there, and while the others recover. In the end all have everything, and what was escalated has arrived.
func TestTwoSitesRecoverWhileTheCountyWorks(t *testing.T) {
	nodes := three(t, quick())
	top, middle, bottom := nodes[0], nodes[1], nodes[2]
	old := bottom.open(t, "第一份备份之前的工单")
	whole(t, nodes...)
	first := top.backup(t)
	numbers := work(t, nodes, old)[:2]
	second := middle.backup(t)
	between := bottom.open(t, "第二份备份之后的工单")
	bottom.must(t, between, escalate())
	eventually(t, "the city holds the ticket", func() bool { return holder(middle.office, between) == "330100" })
	middle.must(t, between, escalate())
	held(t, top, between, "330000")
	whole(t, nodes...)

	cutAll(true, nodes...)
	top.restore(t, first)
	middle.restore(t, second)
	var escalated []string
	add := func(i int) {
		number := bottom.open(t, fmt.Sprintf("恢复期间的工单 %d", i))
		bottom.must(t, number, escalate())
		escalated = append(escalated, number)
	}
	add(0)
	for _, n := range []*node{middle, top} {
		if err := n.tiers.Recover(t.Context(), "restored"); err != nil {
			t.Fatal(err)
		}
	}
	cutAll(false, nodes...)
	// It does not wait for the others: every moment of their recovery is met by new work.
	eventually(t, "the city and the province have recovered", func() bool {
		add(len(escalated))
		return middle.site().Recovering == 0 && top.site().Recovering == 0
	})
	for _, number := range escalated {
		held(t, middle, number, "330100")
	}
	whole(t, nodes...)
	equalTickets(t, append(append(numbers, between), escalated...), nodes...)
	if by := holder(top.office, between); by != "330000" {
		t.Errorf("the ticket that the province accepted before is with %q", by)
	}
}
