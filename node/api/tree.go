package api

import (
	"context"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// tree serves where the offices stand. Whether a move fits is decided by the log.
type tree struct {
	apipb.UnimplementedTreeServer
	backend Backend
}

func (t *tree) ListTree(ctx context.Context, _ *apipb.ListTreeRequest) (*apipb.ListTreeResponse, error) {
	answer := &apipb.ListTreeResponse{}
	err := t.backend.Read(ctx, false, func(r *store.Reader) error {
		places, err := tiers.Places(r)
		for _, place := range places {
			answer.Places = append(answer.Places, placeMessage(place))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (t *tree) MoveSite(ctx context.Context, r *apipb.MoveSiteRequest) (*apipb.Place, error) {
	if r.GetParent() == "" {
		return nil, desk.RefuseField("parent", "is missing; give the id of the site that the office moves to")
	}
	return t.place(ctx, &deskpb.PlaceSite{
		Step: deskpb.PlaceSite_MOVE, Now: r.GetNow(),
		Placement: &deskpb.Placement{Site: r.GetSite(), Parent: r.GetParent(), Reason: r.GetReason()},
	})
}

func (t *tree) CloseSite(ctx context.Context, r *apipb.CloseSiteRequest) (*apipb.Place, error) {
	return t.place(ctx, &deskpb.PlaceSite{
		Step: deskpb.PlaceSite_CLOSE, Now: r.GetNow(), Placement: &deskpb.Placement{Site: r.GetSite(), Reason: r.GetReason()},
	})
}

// maxPlaceReason bounds the reason of a placement, in bytes.
const maxPlaceReason = 4096

// place has the log decide a step and returns what it came to.
func (t *tree) place(ctx context.Context, step *deskpb.PlaceSite) (*apipb.Place, error) {
	if len(step.Placement.Reason) > maxPlaceReason {
		return nil, desk.RefuseField("reason", "it has %d bytes; at most %d are kept", len(step.Placement.Reason), maxPlaceReason)
	}
	step.Placement.Actor = callerOf(ctx).actor.GetUser()
	if _, err := t.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PlaceSite{PlaceSite: step}}); err != nil {
		return nil, err
	}
	var answer *apipb.Place
	err := t.backend.Read(ctx, false, func(r *store.Reader) error {
		info, err := r.SiteInfo(desk.SiteID(step.Placement.Site))
		if err != nil || info == nil {
			return fmt.Errorf("read the directory entry of %s after it was placed: %w", step.Placement.Site, err)
		}
		place, err := tiers.PlaceOf(r, info)
		answer = placeMessage(place)
		return err
	})
	return answer, err
}

func placeMessage(place tiers.Place) *apipb.Place {
	p := &apipb.Place{
		Site: place.Site.GetId(), Name: place.Site.GetName(), Tier: apipb.Site_Tier(place.Site.GetTier()),
		Parent: string(place.Parent), Phase: apipb.Place_PLACED,
		Holder: string(place.Holder), Tickets: int32(place.Remaining),
		Time: moment(place.Placement.GetTime()), Actor: place.Placement.GetActor(), Reason: place.Placement.GetReason(),
	}
	switch place.Placement.GetPhase() {
	case deskpb.Placement_LEAVING:
		p.Phase, p.NextParent = apipb.Place_LEAVING, place.Placement.GetParent()
	case deskpb.Placement_CLOSING:
		p.Phase = apipb.Place_CLOSING
	case deskpb.Placement_CLOSED:
		p.Phase = apipb.Place_CLOSED
	}
	if place.Following {
		p.Phase = apipb.Place_FOLLOWING
	}
	return p
}
