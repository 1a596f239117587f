package tiers

import (
	"context"
	"errors"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// errUnheard: the caller knows of a move that this site has not heard of. In a moment it will have.
var errUnheard = errors.New("the caller was placed anew and this site has not heard of it yet; dial again")

// movedError turns a caller away because the province placed it otherwise than its Hello says. It is nobody's mistake: the
// caller takes note and dials its parent.
type movedError struct{ placement *deskpb.Placement }

func (e *movedError) Error() string {
	p := e.placement
	if closes(p) {
		return fmt.Sprintf("%s was closed by the province", p.Site)
	}
	return fmt.Sprintf("%s stands below %s by the province's placement %d; dial that one", p.Site, standsBelow(p), p.Version)
}

// isMoved tells whether a call ended because the caller stands elsewhere.
func isMoved(err error) bool {
	var moved *movedError
	return errors.As(err, &moved)
}

// parent is the site above this one as its state has it now, the configured one until it is founded.
func (t *Tiers) parent() desk.SiteID {
	parent := t.o.Parent
	err := t.o.Site.View(func(r *store.Reader) error {
		site, err := r.Site()
		if site != nil {
			parent = desk.SiteID(site.Parent)
		}
		return err
	})
	if err != nil {
		t.o.Logger.Error("cannot read the site's parent", "error", err)
	}
	return parent
}

// placementVersion is the version of the place that the child's end of a link was given, zero for a site that stands where
// it was founded. The child is this site itself on the link with its parent.
func placementVersion(r *store.Reader, peer desk.SiteID) (uint64, error) {
	site, err := r.Site()
	if err != nil {
		return 0, err
	}
	child := peer
	if site != nil && desk.SiteID(site.Parent) == peer {
		child = desk.SiteID(site.Id)
	}
	placement, err := r.Placement(child)
	return placement.GetVersion(), err
}

// whereabouts holds a caller against its placement: a *movedError when it knows an older one, or stands below another
// site; errUnheard when it knows a newer one.
func (t *Tiers) whereabouts(h *linkpb.Hello) error {
	return t.o.Site.View(func(r *store.Reader) error {
		placement, err := r.Placement(desk.SiteID(h.Site))
		if err != nil {
			return fmt.Errorf("read the placement of %s: %w", h.Site, err)
		}
		switch {
		case h.PlacementVersion > placement.GetVersion():
			return errUnheard
		case placement == nil:
			return nil
		case h.PlacementVersion < placement.Version, standsBelow(placement) != t.o.SiteID:
			return &movedError{placement}
		}
		return nil
	})
}

// redirect ends a call that belongs elsewhere, or comes too soon, and tells the caller where it stands.
func (t *Tiers) redirect(ctx context.Context, w wire, err error) error {
	var moved *movedError
	if errors.As(err, &moved) {
		w.last(ctx, &linkpb.Refusal{Reason: "MOVED", Message: moved.Error(), Placement: moved.placement})
	}
	return err
}

// follow has the log take note of the placement in an answer, if that is what ended the call and it is news. It tells
// whether the parent has to be looked for anew.
func (t *Tiers) follow(ctx context.Context, err error) bool {
	var moved *movedError
	if !errors.As(err, &moved) || desk.SiteID(moved.placement.GetSite()) != t.o.SiteID {
		return false
	}
	known, readErr := t.ownPlacement()
	if readErr != nil || known >= moved.placement.Version {
		return false // another site answered where the parent was called
	}
	ctx, cancel := context.WithTimeout(ctx, t.pace.propose)
	defer cancel()
	result, err := t.o.Site.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PlaceSite{
		PlaceSite: &deskpb.PlaceSite{Placement: moved.placement, Step: deskpb.PlaceSite_HEARD},
	}})
	if err == nil {
		err = refusalOf(result)
	}
	if err != nil {
		t.o.Logger.Warn("cannot take note of this site's place", "placement", moved.Error(), "error", err)
		return false
	}
	t.o.Logger.Info("this site was placed", "placement", moved.Error())
	return true
}

func (t *Tiers) ownPlacement() (version uint64, err error) {
	err = t.o.Site.View(func(r *store.Reader) error {
		placement, err := r.Placement(t.o.SiteID)
		version = placement.GetVersion()
		return err
	})
	return version, err
}
