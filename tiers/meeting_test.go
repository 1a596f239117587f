package tiers

import (
	"context"
	"errors"
	"sync"
	"testing"

	"google.golang.org/grpc/peer"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// An office is placed elsewhere between its call to the city and the city's log: the city, which was restored, waits for
// no comparison with it, and the office reaches its new parent.
func TestOfficePlacedElsewhereWhileItIsMetIsNotWaitedFor(t *testing.T) {
	g := newRegion(t)
	g.county.line.set(true)
	g.county.parents.Store([]string{g.old.address})
	var once sync.Once
	place := func(c *deskpb.Command) {
		if c.GetAdmitPeer().GetPeer() != string(g.county.id) {
			return
		}
		once.Do(func() {
			move := moving(string(g.county.id), string(g.top.id))
			move.Now = true
			g.top.mustPlace(t, move)
			g.county.parents.Store([]string{g.old.address, g.top.address})
			eventually(t, "the city hears where the office stands", func() bool { return g.old.placement(string(g.county.id)) != nil })
		})
	}
	g.old.foresees.Store(&place)
	g.old.reincarnate(t)
	g.county.reincarnate(t)
	g.county.line.set(false)

	eventually(t, "the office stands below the province", func() bool { return g.county.parent(t) == string(g.top.id) })
	whole(t, g.all()...)
	if link := g.old.link(g.county.id); link.PeerIncarnation != 0 || link.SentSequence != 0 {
		t.Errorf("the city keeps the link with the office that left it: %v", link)
	}
}

// Neither end accepts the other when the child was placed since they met, be it below the same parent.
func TestAdmissionIsOfThePlaceThatHolds(t *testing.T) {
	below := func(parent string, version uint64) *deskpb.Placement {
		return &deskpb.Placement{Site: county.Id, Parent: parent, Phase: deskpb.Placement_PLACED, Version: version, Former: []string{city.Id}}
	}
	for _, tt := range []struct {
		name   string
		places []*deskpb.Placement // in their order
		met    uint64              // the version under which both ends met
		admits bool
	}{
		{"an office where it was founded", nil, 0, true},
		{"an office that stands below the province now", []*deskpb.Placement{below(province.Id, 7)}, 0, false},
		{"that office, by its present placement", []*deskpb.Placement{below(province.Id, 7)}, 7, false},
		{"an office that was placed here since", []*deskpb.Placement{below(city.Id, 8)}, 7, false},
		{"an office that was placed here", []*deskpb.Placement{below(city.Id, 8)}, 8, true},
		{"an office that came back", []*deskpb.Placement{below(province.Id, 7), below(city.Id, 8)}, 8, true},
		{"an office that was not heard of before", []*deskpb.Placement{below(city.Id, 7)}, 9, false},
	} {
		for _, end := range []struct{ here, there *deskpb.Site }{{city, county}, {county, city}} {
			t.Run(tt.name+" at "+end.here.Id, func(t *testing.T) {
				o := newOffice(t, end.here, wall)
				o.reincarnate(t)
				for _, p := range tt.places {
					o.mustPlace(t, &deskpb.PlaceSite{Step: deskpb.PlaceSite_HEARD, Placement: p})
				}
				before := o.site().Recovering
				result, err := o.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_AdmitPeer{AdmitPeer: &deskpb.AdmitPeer{
					Peer: end.there.Id, Incarnation: end.there.Incarnation, Child: county.Id, PlacementVersion: tt.met,
				}}})
				if err != nil {
					t.Fatal(err)
				}
				reason, admitted := result.GetRefusal().GetReason(), o.link(desk.SiteID(end.there.Id)).PeerIncarnation != 0
				if admitted != tt.admits || (reason == placedAnew) == tt.admits {
					t.Errorf("admitted: %v, refusal %q; want it admitted: %v", admitted, reason, tt.admits)
				}
				if !admitted && o.site().Recovering != before {
					t.Errorf("it recovers since %d because of a neighbour that it did not accept", o.site().Recovering)
				}
			})
		}
	}
}

// The marks of two ends that do not know the same place of the child are held against each other by neither: nobody was
// rolled back, and a new call fits.
func TestMeetingUnderAnotherPlaceBlamesNobody(t *testing.T) {
	child, parent := pair(t)
	ship(t, child, parent)
	ship(t, parent, child)
	placement := &deskpb.Placement{Site: county.Id, Parent: city.Id, Phase: deskpb.Placement_PLACED, Version: 7}
	tell := func(o *office) {
		if err := o.log(func(b *store.Batch, _ desk.Stamp) error { return b.PutPlacement(placement) }); err != nil {
			t.Errorf("place %s at %s: %v", placement.Site, o.id, err)
		}
	}
	tell(parent)

	upper := newNode(t, city, parent)
	for _, h := range []*linkpb.Hello{
		{Site: county.Id, Parent: city.Id, Incarnation: county.Incarnation, PeerIncarnation: city.Incarnation, ReceivedSequence: 99},
		{Site: county.Id, Parent: city.Id, Incarnation: county.Incarnation, PeerIncarnation: city.Incarnation, ReceivedSequence: 99, PlacementVersion: 8},
	} {
		if _, err := upper.tiers.meet(t.Context(), h); !errors.Is(err, errPlaced) || isRefusal(err) {
			t.Errorf("the parent meets its child under placement %d: %v, want %v", h.PlacementVersion, err, errPlaced)
		}
	}

	lower := newNode(t, county, child)
	w := wire{in: make(chan *linkpb.Frame, 1), out: make(chan *linkpb.Frame), traffic: &traffic{}}
	go func() {
		<-w.out // the child's Hello, before it hears where it was placed
		tell(child)
		w.in <- &linkpb.Frame{Content: &linkpb.Frame_Hello{Hello: &linkpb.Hello{
			Site: city.Id, Tier: city.Tier, Schema: desk.Schema, Incarnation: city.Incarnation, PlacementVersion: placement.Version,
		}}}
	}()
	ctx := peer.NewContext(t.Context(), &peer.Peer{})
	if _, _, err := lower.tiers.introduce(ctx, w, called{ctx: ctx}, 1); !errors.Is(err, errPlaced) || isRefusal(err) {
		t.Errorf("the parent answers its child under another placement: %v, want %v", err, errPlaced)
	}
}

// called is the end of a call of which only the context is looked at.
type called struct {
	stream
	ctx context.Context
}

func (c called) Context() context.Context { return c.ctx }
