package tiers

import (
	"errors"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/store"
)

// errNotFounded is a fault of the caller: the log refuses every command but the founding one before there is a site.
var errNotFounded = errors.New("the site is not founded yet")

// Here describes this site from the batch: identity, path by the directory, counters. The parent is on the path even
// when nothing else is known of it. Every error is a fault.
func Here(r *store.Reader) (desk.Here, error) {
	site, err := r.Site()
	if err != nil {
		return desk.Here{}, fmt.Errorf("describe the site: %w", err)
	}
	if site == nil {
		return desk.Here{}, fmt.Errorf("describe the site: %w", errNotFounded)
	}
	path, err := ancestry(r, desk.SiteID(site.Id), desk.SiteID(site.Parent))
	if err != nil {
		return desk.Here{}, fmt.Errorf("describe the site: %w", err)
	}
	return desk.Here{
		Site:        desk.SiteID(site.Id),
		Tier:        site.Tier,
		Path:        path,
		Incarnation: site.Incarnation,
		Letters:     site.Letters,
		Sequence:    site.EventSequence,
		Frozen:      site.Frozen,
		Recovering:  site.Recovering != 0,
	}, nil
}
