package tiers

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// maxAhead is how far the version of a placement from below may be ahead of this site's time, in microseconds.
const maxAhead = 24 * 3_600_000_000

// fromBelow takes a placement that a site below knows and this one does not. A site that recovers has forgotten it, and
// takes it. Otherwise it was written in the name of the province by a life of it that was lost since, such as a copy: it is
// passed up, and the province decides anew where the office stands, so that no site is left alone with what it heard.
func (in *inbound) fromBelow(seen, own *deskpb.Placement) error {
	site, err := in.b.Site()
	if err != nil {
		return fmt.Errorf("read the site: %w", err)
	}
	top := in.tree.parent() == ""
	switch {
	case site.GetFrozen() != "":
		return nil
	case site.GetRecovering() == 0 && top:
		return in.overrule(seen, own)
	case site.GetRecovering() != 0:
		// The child may have passed on what it does not go by itself.
		if err := in.heed(seen, ""); err != nil || top {
			return err
		}
	}
	// The parent may have forgotten it too.
	return sendItem(in.b, []desk.SiteID{in.tree.parent()}, &deskpb.Item{Content: &deskpb.Item_Placement{Placement: seen}})
}

// overrule says again where an office stands, under a version that is later than what others have seen.
func (in *inbound) overrule(seen, own *deskpb.Placement) error {
	where, _, err := in.tree.locate(desk.SiteID(seen.Site))
	if err != nil || where != below {
		return err
	}
	next := proto.CloneOf(own)
	if next == nil {
		parent, _, err := in.tree.parentOf(desk.SiteID(seen.Site))
		if err != nil {
			return err
		}
		next = &deskpb.Placement{Site: seen.Site, Parent: string(parent), Phase: deskpb.Placement_PLACED}
	}
	next.Version, next.Time = laterVersion(seen.Version, in.at), in.at.Time
	if err := place(in.b, in.tree, next, in.at); err != nil {
		return err
	}
	if in.tree, err = newTree(in.b.Reader); err != nil {
		return err
	}
	return in.tree.spread(in.b, next, "")
}
