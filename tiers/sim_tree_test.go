package tiers

import (
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// shut has the province close a city.
func (w *simWorld) shut() error {
	cities := []desk.SiteID{"330100", "330200", "330300"}
	city := cities[w.rng.IntN(len(cities))]
	province := w.living("330000")[0]
	if !province.led() || w.moves >= w.weather.moves {
		return nil
	}
	w.moves = w.weather.moves
	result, _, err := province.entry(&deskpb.Command{Kind: &deskpb.Command_PlaceSite{PlaceSite: &deskpb.PlaceSite{
		Step: deskpb.PlaceSite_CLOSE, Placement: &deskpb.Placement{Site: string(city), Actor: "li", Reason: "机构撤并"},
	}}})
	w.recorder.note("%s is closed: %s", city, result.GetRefusal().GetReason())
	return err
}

// checkTree holds what the sites know of each other, and the documents from above, against those who decided them.
func (w *simWorld) checkTree() {
	placements := func(s *simSite) []*deskpb.Placement { return simRead(s, (*store.Reader).Placements) }
	province := w.living("330000")[0]
	for _, s := range w.living("") {
		if !slices.EqualFunc(placements(s), placements(province), protoEqual) {
			w.recorder.violate(6, "%s has the placements %v, the province %v", s.name, placements(s), placements(province))
		}
		above := w.way(s.id)[1:]
		for _, publisher := range w.living("") {
			if publisher == s {
				continue
			}
			var want []*deskpb.Publication
			if slices.Contains(above, publisher) {
				want = simDocuments(publisher, publisher.id)
			}
			if got := simDocuments(s, publisher.id); !slices.EqualFunc(got, want, protoEqual) {
				w.recorder.violate(6, "of the documents of %s %s has %v, want %v", publisher.name, s.name, got, want)
			}
			w.checkDeliveries(publisher, s, want)
		}
	}
}

// checkDeliveries holds when a publisher knows which version of its documents a site has.
func (w *simWorld) checkDeliveries(publisher, s *simSite, documents []*deskpb.Publication) {
	for _, d := range documents {
		delivered := simRead(publisher, func(r *store.Reader) (*deskpb.Delivery, error) {
			return r.Delivery(publisher.id, d.Kind, d.Name, s.id)
		})
		if delivered.GetVersion() != d.Version {
			w.recorder.violate(6, "%s knows that %s has version %d of its document %s, and it has %d",
				publisher.name, s.name, delivered.GetVersion(), d.Name, d.Version)
		}
	}
}

// simDocuments lists what a site has of a publisher's documents.
func simDocuments(at *simSite, publisher desk.SiteID) []*deskpb.Publication {
	return simRead(at, func(r *store.Reader) ([]*deskpb.Publication, error) {
		heads, _, err := r.Publications(publisher, nil, math.MaxInt32)
		return heads, err
	})
}

func protoEqual[M proto.Message](a, b M) bool { return proto.Equal(a, b) }
