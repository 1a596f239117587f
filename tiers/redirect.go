package tiers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// errUnheard: the caller knows of a move that this site has not heard of. In a moment it will have.
var errUnheard = errors.New("the caller was placed anew and this site has not heard of it yet; dial again")

// movedError turns a caller away because the province placed it otherwise than its Hello says. It is nobody's mistake: the
// caller takes note and dials its parent.
type movedError struct {
	placement   *deskpb.Placement
	site        desk.SiteID // that says so
	incarnation uint64      // of that site
}

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

// placementBetween is the place that the child's end of a link was given, nil for a site that stands where it was founded. The
// child is this site itself on the link with its parent.
func placementBetween(r *store.Reader, peer desk.SiteID) (*deskpb.Placement, error) {
	site, err := r.Site()
	if err != nil {
		return nil, err
	}
	child := peer
	if site != nil && desk.SiteID(site.Parent) == peer {
		child = desk.SiteID(site.Id)
	}
	return r.Placement(child)
}

// whereabouts holds a caller against its placement: a *movedError when it knows an older one, or stands below another
// site; errUnheard when it knows a newer one.
func (t *Tiers) whereabouts(h *linkpb.Hello) error {
	return t.o.Site.View(func(r *store.Reader) error {
		placement, err := r.Placement(desk.SiteID(h.Site))
		if err != nil {
			return fmt.Errorf("read the placement of %s: %w", h.Site, err)
		}
		site, err := r.Site()
		if err != nil {
			return err
		}
		switch {
		case h.PlacementVersion > placement.GetVersion():
			return errUnheard
		case placement == nil:
			return nil
		case h.PlacementVersion < placement.Version, standsBelow(placement) != t.o.SiteID:
			return &movedError{placement: placement, site: t.o.SiteID, incarnation: site.GetIncarnation()}
		}
		return nil
	})
}

// redirect ends a call that belongs elsewhere, or comes too soon, and tells the caller where it stands. What the caller knows
// of that and this site does not may be lost to everybody else, so that the log takes note of it.
func (t *Tiers) redirect(ctx context.Context, w wire, h *linkpb.Hello, err error) error {
	var moved *movedError
	switch {
	case errors.As(err, &moved):
		w.last(ctx, &linkpb.Refusal{
			Reason: "MOVED", Message: moved.Error(), Placement: moved.placement, Site: string(moved.site), Incarnation: moved.incarnation,
		})
	case errors.Is(err, errUnheard) && h.Placement.GetSite() == h.Site && t.listens(desk.SiteID(h.Site)):
		if heard := t.hearPlacement(ctx, h.Placement); heard != nil {
			t.o.Logger.Warn("cannot pass on where a child stands", "child", h.Site, "error", heard)
		}
	}
	return err
}

// deaf is for how long a child's word on its place is not taken to the log again.
const deaf = time.Minute

// maxHeard bounds the children whose word is remembered.
const maxHeard = 1000

// listens tells whether a child's word on its own place is taken to the log now, and notes that it is.
func (t *Tiers) listens(child desk.SiteID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.heard, func(_ desk.SiteID, at time.Time) bool { return time.Since(at) >= deaf })
	if _, lately := t.heard[child]; lately || len(t.heard) >= maxHeard {
		return false
	}
	t.heard[child] = time.Now()
	return true
}

// hearPlacement has the log take note of what a neighbour said of a placement.
func (t *Tiers) hearPlacement(ctx context.Context, p *deskpb.Placement) error {
	ctx, cancel := context.WithTimeout(ctx, t.pace.propose)
	defer cancel()
	result, err := t.o.Site.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PlaceSite{
		PlaceSite: &deskpb.PlaceSite{Placement: p, Step: deskpb.PlaceSite_HEARD},
	}})
	if err != nil {
		return fmt.Errorf("take note of a placement of %s: %w", p.Site, err)
	}
	return refusalOf(result)
}

// follow has the log take note of the placement in an answer, if that is what ended the call and it is news. It tells
// whether the parent has to be looked for anew.
func (t *Tiers) follow(ctx context.Context, err error) bool {
	var moved *movedError
	if !errors.As(err, &moved) || desk.SiteID(moved.placement.GetSite()) != t.o.SiteID {
		return false
	}
	if news, err := t.isNews(moved); err != nil || !news {
		return false // another site answered where the parent was called, or one that does not live any more
	}
	if err := t.hearPlacement(ctx, moved.placement); err != nil {
		t.o.Logger.Warn("cannot take note of this site's place", "placement", moved.Error(), "error", err)
		return false
	}
	t.o.Logger.Info("this site was placed", "placement", moved.Error())
	return true
}

// isNews tells whether a placement of this site is later than the known one and told by a life that was not fenced here.
func (t *Tiers) isNews(moved *movedError) (news bool, err error) {
	err = t.o.Site.View(func(r *store.Reader) error {
		placement, err := r.Placement(t.o.SiteID)
		if err != nil {
			return err
		}
		link, err := r.Link(moved.site)
		news = moved.placement.Version > placement.GetVersion() && !fenced(link, moved.incarnation)
		return err
	})
	return news, err
}
