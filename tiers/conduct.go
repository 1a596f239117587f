package tiers

import (
	"context"
	"errors"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// conduct takes placements on at the province: the offices below a city that closes move here, and what is handed over is
// finished. Elsewhere it does nothing.
func (m *mover) conduct(ctx context.Context, placements []*deskpb.Placement) error {
	for _, p := range placements {
		var steps []*deskpb.PlaceSite
		err := m.t.o.Site.View(func(r *store.Reader) error {
			t, err := newTree(r)
			if err != nil || t.parent() != "" {
				return err
			}
			steps, err = t.nextSteps(p)
			return err
		})
		if err != nil {
			return fmt.Errorf("see how far the placement of %s is: %w", p.Site, err)
		}
		for _, step := range steps {
			err := m.propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PlaceSite{PlaceSite: step}})
			var refusal *desk.Refusal
			if errors.As(err, &refusal) {
				m.t.o.Logger.Warn("an office is not placed", "site", step.Placement.Site, "step", step.Step.String(), "reason", refusal.Message)
			} else if err != nil {
				return fmt.Errorf("place %s: %w", step.Placement.Site, err)
			}
		}
	}
	return nil
}

// nextSteps lists what the province decides next on a placement.
func (t tree) nextSteps(p *deskpb.Placement) (steps []*deskpb.PlaceSite, err error) {
	if closes(p) {
		offices, err := t.officesOf(desk.SiteID(p.Site))
		if err != nil {
			return nil, err
		}
		for _, office := range offices {
			placed, err := t.r.Placement(office)
			if err != nil {
				return nil, err
			}
			if now := p.Phase == deskpb.Placement_CLOSED; now || placed.GetPhase() != deskpb.Placement_LEAVING {
				steps = append(steps, &deskpb.PlaceSite{Step: deskpb.PlaceSite_MOVE, Now: now, Placement: &deskpb.Placement{
					Site: string(office), Parent: string(t.self()), Actor: p.Actor, Reason: p.Reason,
				}})
			}
		}
		if len(offices) > 0 {
			return steps, nil
		}
	}
	holder := holderOf(p)
	if holder == "" {
		return nil, nil
	}
	heard, err := t.r.Delivery(t.self(), placementKind, p.Site, holder)
	if err != nil || heard.GetVersion() < p.Version {
		return nil, err
	}
	left, err := remaining(t.r, p, 1)
	if err != nil || left > 0 {
		return nil, err
	}
	return []*deskpb.PlaceSite{{
		Step: deskpb.PlaceSite_FINISH, Placement: &deskpb.Placement{Site: p.Site, Version: p.Version},
	}}, nil
}

// officesOf lists the sites that stand below another one.
func (t tree) officesOf(parent desk.SiteID) (offices []desk.SiteID, err error) {
	directory, err := t.r.Directory()
	if err != nil {
		return nil, err
	}
	for _, info := range directory {
		above, _, err := recordedParent(t.r, desk.SiteID(info.Id))
		if err != nil {
			return nil, err
		}
		if above == parent {
			offices = append(offices, desk.SiteID(info.Id))
		}
	}
	return offices, nil
}

// holderOf is the site that has to hand tickets over before a placement can be finished, empty when none has.
func holderOf(p *deskpb.Placement) desk.SiteID {
	switch p.GetPhase() {
	case deskpb.Placement_LEAVING:
		return desk.SiteID(p.From)
	case deskpb.Placement_CLOSING:
		return desk.SiteID(p.Site)
	default:
		return ""
	}
}

// remaining counts the tickets that still have to be handed over before a placement can be finished, as this site knows
// them, up to a limit.
func remaining(r *store.Reader, p *deskpb.Placement, limit int) (count int, err error) {
	holder := holderOf(p)
	if holder == "" {
		return 0, nil
	}
	for after, more := desk.TicketNumber(""), true; more; more = after != "" && count < limit {
		after, err = r.TicketsOf(desk.SiteID(p.Site), after, lookedAt, func(record *deskpb.Record) (bool, error) {
			own := p.Phase == deskpb.Placement_CLOSING
			if desk.SiteID(record.Ticket.CustodianSite) == holder && (!own || isOpen(record)) {
				count++
			}
			return count < limit, nil
		})
		if err != nil {
			return 0, fmt.Errorf("count the tickets of %s at %s: %w", p.Site, holder, err)
		}
	}
	return count, nil
}

// Place is where an office stands in the tree.
type Place struct {
	Site   *deskpb.SiteInfo
	Parent desk.SiteID // empty for the province
	// Placement is what the province decided last, nil for an office that stands where it was founded.
	Placement *deskpb.Placement
	// Following: the office was placed and has not reached its parent yet.
	Following bool
	// Holder is the site that hands tickets over before the placement is finished, and Remaining how many it still holds,
	// as far as this site knows; empty when no move is under way.
	Holder    desk.SiteID
	Remaining int
}

// mostRemaining bounds the count of tickets that people are shown.
const mostRemaining = 100_000

// Places lists every known site with its place, by id.
func Places(r *store.Reader) ([]Place, error) {
	directory, err := r.Directory()
	if err != nil {
		return nil, fmt.Errorf("read the directory: %w", err)
	}
	places := make([]Place, 0, len(directory))
	for _, info := range directory {
		place, err := PlaceOf(r, info)
		if err != nil {
			return nil, err
		}
		places = append(places, place)
	}
	return places, nil
}

// PlaceOf tells where one site of the directory stands.
func PlaceOf(r *store.Reader, info *deskpb.SiteInfo) (Place, error) {
	site := desk.SiteID(info.Id)
	placement, err := r.Placement(site)
	if err != nil {
		return Place{}, fmt.Errorf("read the placement of %s: %w", site, err)
	}
	place := Place{Site: info, Parent: desk.SiteID(info.Parent), Placement: placement}
	if placement == nil {
		return place, nil
	}
	place.Parent, place.Holder = standsBelow(placement), holderOf(placement)
	place.Following = placement.Phase == deskpb.Placement_PLACED && info.Parent != placement.Parent
	place.Remaining, err = remaining(r, placement, mostRemaining)
	return place, err
}
