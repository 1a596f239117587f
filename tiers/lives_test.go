package tiers

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

func reclaim() *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reclaim{Reclaim: &deskpb.Reclaim{Reason: "线路中断，先行处理"}}}
}

// types lists what happened to a ticket, in journal order.
func (o *office) types(number string) (types []deskpb.Event_Type) {
	for _, e := range o.journal(number) {
		types = append(types, e.Type)
	}
	return types
}

// The county takes a ticket from the city while its line is cut, and wants to hand it on at once. It waits until the city
// knows, so that the two never begin the same term.
func TestTicketTakenByOverrideIsHandedOnWhenItIsReleased(t *testing.T) {
	nodes := three(t, quick())
	middle, bottom := nodes[1], nodes[2]
	number := bottom.open(t, "专线中断")
	bottom.must(t, number, escalate())
	held(t, middle, number, "330100")
	whole(t, nodes...)
	bottom.line.set(true)
	bottom.must(t, number, reclaim())
	bottom.must(t, number, escalate())
	bottom.line.set(false)
	eventually(t, "the city has accepted it once more", func() bool {
		record := bottom.record(number)
		return holder(bottom.office, number) == "330100" && record.Ticket.CustodyTerm == 3 && record.Reclaim == 0
	})
	whole(t, nodes...)
	equalTickets(t, []string{number}, nodes...)
	types := bottom.types(number)
	released, sent := slices.Index(types, deskpb.Event_RELEASED), slices.Index(types, deskpb.Event_RECLAIMED)
	if released < sent || slices.Contains(types[released+1:], deskpb.Event_RELEASED) {
		t.Errorf("the ticket went through %v, want one release behind the override", types)
	}
}

// Tickets that wait for a release stay where they are, and keep no other from going.
func TestCourierPassesOverWhatIsNotReleased(t *testing.T) {
	low, middle := newOffice(t, county, wall), newOffice(t, city, wall)
	admit(t, low, middle)
	taken := low.open(t, "收回的工单")
	low.must(t, taken, escalate())
	depart(t, low, middle)
	low.must(t, taken, reclaim())
	low.must(t, taken, escalate())
	fresh := low.open(t, "新工单")
	low.must(t, fresh, escalate())
	may := read(low, func(r *store.Reader) ([]desk.TicketNumber, error) {
		queued, err := r.Handovers(deskpb.Handover_QUEUED, "330100", 10)
		if err != nil || len(queued) != 2 {
			t.Fatalf("%v wait for the city, %v; want both tickets", queued, err)
		}
		return mayBegin(r, queued)
	})
	if !slices.Equal(may, []desk.TicketNumber{desk.TicketNumber(fresh)}) {
		t.Errorf("%v may be handed over, want %s alone", may, fresh)
	}
}

// A number may be known before it is given out: a machine that was rolled back gives it out again. What came early belongs
// to the ticket.
func TestEventsThatCameEarlyBelongToTheTicketThatIsOpened(t *testing.T) {
	low, middle := newOffice(t, county, wall), newOffice(t, city, wall)
	admit(t, low, middle)
	twin := newOffice(t, county, wall)
	number := twin.open(t, "回滚前的工单")
	twin.must(t, number, begin())
	give(t, middle, low, remark(t, number, "330100", 77, 1), sealRaw(t, twin.journal(number)[1].Event))
	if again := low.open(t, "回滚后的工单"); again != number {
		t.Fatalf("the county opened %s, want %s", again, number)
	}
	events := low.journal(number)
	want, err := desk.Union(events)
	if err != nil {
		t.Fatal(err)
	}
	if got := low.record(number); len(events) < 2 || !proto.Equal(got, want) {
		t.Errorf("of %d events the ticket is\n%v\nwant\n%v", len(events), got, want)
	}
	if read(low, func(r *store.Reader) (bool, error) { return r.Unopened(desk.TicketNumber(number)) }) {
		t.Error("the ticket is noted as one that nobody has opened")
	}
}

// Whatever waited for a comparison is looked at when that is over, at a site that does not recover too: its neighbour did.
func TestSettledLinkIsLookedAtAgain(t *testing.T) {
	g := newLineage(t)
	g.low.reincarnate(t)
	admit(t, g.low, g.middle)
	g.middle.settle(t, g.low)
	if link := g.middle.link(g.low.id); g.middle.site().Recovering != 0 || link.Unsettled || !link.Revisit {
		t.Errorf("after the comparison the link is %v, want it settled and to be looked at again", link)
	}
}

// A site that was restored from before a move hears of the next one first: the office is its child no more, and nobody waits
// to be compared with it.
func TestRestoredSiteHearsOfTheNextMoveFirst(t *testing.T) {
	g := newLineage(t)
	g.middle.reincarnate(t)
	admit(t, g.middle, g.top)
	g.middle.settle(t, g.top)
	if g.middle.site().Recovering == 0 {
		t.Fatal("the city recovers no more although its county was not compared")
	}
	err := g.middle.log(func(b *store.Batch, at desk.Stamp) error {
		in, err := newInbound(b, "330000", at)
		if err != nil {
			return err
		}
		return in.heed(&deskpb.Placement{
			Site: "330106", From: "330200", Parent: "330300", Phase: deskpb.Placement_LEAVING, Version: 9, Former: []string{"330100"},
		}, in.peer)
	})
	if err != nil {
		t.Fatal(err)
	}
	if link := g.middle.link(g.low.id); link.PeerIncarnation != 0 {
		t.Errorf("the link with an office that left is %v", link)
	}
	if since := g.middle.site().Recovering; since != 0 {
		t.Errorf("the city still recovers, since %d", since)
	}
}

// A city that was away when the province closed it is told so when it calls, and says that it heard.
func TestClosingCityThatWasAwaySaysThatItHeard(t *testing.T) {
	middle := newOffice(t, city, wall)
	if err := middle.log(func(b *store.Batch, _ desk.Stamp) error { return b.PutSiteInfo(entry(province)) }); err != nil {
		t.Fatal(err)
	}
	middle.mustPlace(t, &deskpb.PlaceSite{Step: deskpb.PlaceSite_HEARD, Placement: &deskpb.Placement{
		Site: "330100", Parent: "330000", Phase: deskpb.Placement_CLOSING, Version: 9,
	}})
	heard := read(middle, func(r *store.Reader) (*deskpb.Delivery, error) {
		return r.Delivery("330000", placementKind, "330100", "330100")
	})
	if heard.GetVersion() != 9 {
		t.Errorf("the city told the province of version %d of its placement, want 9", heard.GetVersion())
	}
}

// Whether a frozen copy shall live is an operator's to say, whatever the neighbours' marks show.
func TestFrozenCopyBeginsNoNewLifeByItself(t *testing.T) {
	n := newNode(t, county, newOffice(t, county, wall))
	if err := n.tiers.freeze(t.Context(), county.Incarnation, "two copies of 330106 run"); err != nil {
		t.Fatal(err)
	}
	if err := n.tiers.answerCharge(t.Context(), &charge{reason: rolledBack, sentence: "330106 was rolled back"}); err != nil {
		t.Fatal(err)
	}
	if site := n.site(); site.Incarnation != county.Incarnation || site.Frozen == "" {
		t.Errorf("the copy is %v, want it frozen as it was", site)
	}
}

// What a city still has of an office that left it is taken from it, in case everybody else was rebuilt from nothing; nothing
// is given to it. Both ends agree on that.
func TestComparisonTakesWhatAFormerParentHas(t *testing.T) {
	g := newLineage(t)
	for _, o := range []*office{g.top, g.middle} {
		if err := o.log(func(b *store.Batch, _ desk.Stamp) error {
			if err := b.PutSiteInfo(entry(city2)); err != nil {
				return err
			}
			return b.PutPlacement(&deskpb.Placement{
				Site: "330106", Parent: "330000", Phase: deskpb.Placement_PLACED, Version: 9, Former: []string{"330100"},
			})
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, end := range []struct {
		at   *office
		peer desk.SiteID
	}{{g.top, "330100"}, {g.middle, "330000"}} {
		for number, want := range map[desk.TicketNumber]share{
			desk.TicketNumber(g.number): left, "330100-20261121-0001": common, "330200-20261121-0001": apart,
		} {
			got := read(end.at, func(r *store.Reader) (share, error) {
				about, err := newScope(r, end.peer)
				if err != nil {
					return apart, err
				}
				found, _, err := about.includes(number)
				return found, err
			})
			if got != want {
				t.Errorf("at %s the comparison with %s does %d with ticket %s, want %d", end.at.id, end.peer, got, number, want)
			}
		}
	}
	gift := g.offer(t, "330100")
	if len(gift.Events) != 0 || string(gift.Wanted[0].Events) != "12345678" {
		t.Errorf("of %d events the province gives %d and asks for %q, want none and what it lacks",
			len(g.top.journal(g.number)), len(gift.Events), gift.Wanted[0].Events)
	}
}

// A city learns how the hand-overs ended that it took part in, also in a life that began since and after the office has left it: what
// was sent aside reached its life before.
func TestComparisonGivesAFormerParentWhatItTookPartIn(t *testing.T) {
	g := newLineage(t)
	g.low.must(t, g.number, escalate())
	depart(t, g.low, g.middle)
	g.carry(t)
	events := len(g.top.journal(g.number))
	for city, want := range map[desk.SiteID]int{"330100": events, "330200": 0} {
		if gift := g.offer(t, city); len(gift.Events) != want {
			t.Errorf("the province gives %s %d events of a ticket that was handed over to 330100, want %d", city, len(gift.Events), want)
		}
	}
}

// offer is what the province gives a city that it has no ticket of the office in common with, and asks it for.
func (g lineage) offer(t *testing.T, city desk.SiteID) *linkpb.Gift {
	t.Helper()
	return read(g.top, func(r *store.Reader) (*linkpb.Gift, error) {
		var p parcel
		wanted, whole, err := offer(r, &linkpb.Holding{Ticket: g.number, Events: []byte("12345678")}, false, city, &p)
		if !whole {
			t.Error("an offer had no room in an empty parcel")
		}
		return &linkpb.Gift{Events: p.events, Wanted: []*linkpb.Holding{wanted}}, err
	})
}
