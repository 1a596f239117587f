package tiers

import (
	"errors"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// A machine that was rolled back is not found out by its marks when they were begun anew since. An event of its present
// life that a neighbour sends, and that it does not have, finds it out, over the stream as by a comparison.
func TestEventOfThePresentLifeThatIsNotStoredShowsARollBack(t *testing.T) {
	for _, c := range []struct {
		name        string
		incarnation uint64
		frozen      string
		renewed     bool
	}{
		{"its own", county.Incarnation, "", true},
		{"of a life before", 77, "", false},
		{"its own, at a frozen copy", county.Incarnation, "two copies of 330106 run", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			child, parent := pair(t)
			n := newNode(t, county, child)
			number := child.tickets()[0]
			if c.frozen != "" {
				if err := n.tiers.freeze(t.Context(), county.Incarnation, c.frozen); err != nil {
					t.Fatal(err)
				}
			}
			theirs := &linkpb.Hello{Site: string(parent.id), Incarnation: city.Incarnation}
			s := newSession(n.tiers, wire{}, theirs)
			s.begin(&linkpb.Hello{Incarnation: county.Incarnation}, theirs)
			item := func(raw []byte) []byte {
				encoded, err := encodeItem(&deskpb.Item{Content: &deskpb.Item_Event{Event: raw}})
				if err != nil {
					t.Fatal(err)
				}
				return encoded
			}
			known := child.journal(number)[0].Raw
			lost := remark(t, number, "330106", c.incarnation, 500)
			err := s.remembers(t.Context(), s.echoes([][]byte{item(known), {0xff}, item(lost)}))
			if renewed := child.site().Incarnation != county.Incarnation; renewed != c.renewed || errors.Is(err, errAgain) != c.renewed {
				t.Errorf("it begins a new life: %v, and the stream ends with %v", renewed, err)
			}
		})
	}
}

// A comparison that began before an office was placed below the neighbour has not looked at that office's tickets.
func TestComparisonFromBeforeAPlacementSettlesNothing(t *testing.T) {
	g := newLineage(t)
	err := g.top.log(func(b *store.Batch, _ desk.Stamp) error { return compareAnew(b, g.middle.id) })
	if err != nil {
		t.Fatal(err)
	}
	settle := &deskpb.Settle{Peer: "330100", PeerIncarnation: city.Incarnation, Incarnation: province.Incarnation}
	for _, joined := range []uint32{0, 1} {
		settle.Joined = joined
		result, err := g.top.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_Settle{Settle: settle}})
		if err != nil {
			t.Fatal(err)
		}
		late := joined == 0
		if refused := result.GetRefusal().GetReason() == compareAgain; refused != late || g.top.link("330100").Unsettled != late {
			t.Errorf("a comparison after %d placements: %v, unsettled %v", joined, result.Refusal, g.top.link("330100").Unsettled)
		}
	}
}

// A life that was fenced here is not believed where this site stands.
func TestFencedLifeDoesNotPlaceItsChild(t *testing.T) {
	child, parent := pair(t)
	n := newNode(t, county, child)
	if err := child.log(func(b *store.Batch, at desk.Stamp) error {
		return AdmitPeer(b, &deskpb.AdmitPeer{Peer: "330100", Incarnation: 99, Letters: "K7Q"}, at)
	}); err != nil {
		t.Fatal(err)
	}
	placement := &deskpb.Placement{Site: "330106", Parent: "330200", Phase: deskpb.Placement_PLACED, Version: 9}
	for _, incarnation := range []uint64{city.Incarnation, 99} {
		follows := n.tiers.follow(t.Context(), &movedError{placement: placement, site: parent.id, incarnation: incarnation})
		if want := incarnation == 99; follows != want {
			t.Errorf("the word of incarnation %x: it follows: %v, want %v", incarnation, follows, want)
		}
	}
}
