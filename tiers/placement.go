package tiers

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// standsBelow is the parent of a placed site: until its tickets are handed over, the one that it leaves.
func standsBelow(p *deskpb.Placement) desk.SiteID {
	if p.Phase == deskpb.Placement_LEAVING {
		return desk.SiteID(p.From)
	}
	return desk.SiteID(p.Parent)
}

// closes tells whether a site opens nothing any more and is about to be nobody's parent.
func closes(p *deskpb.Placement) bool {
	return p.GetPhase() == deskpb.Placement_CLOSING || p.GetPhase() == deskpb.Placement_CLOSED
}

// PlaceSite carries a decision of the province on the place of an office one step on, or takes note of one that a
// neighbour told. A *desk.Refusal says why an operator's wish does not fit the tree. A step that was made already changes
// nothing.
func PlaceSite(b *store.Batch, c *deskpb.PlaceSite, at desk.Stamp) error {
	t, err := newTree(b.Reader)
	if err != nil {
		return err
	}
	old, err := b.Placement(desk.SiteID(c.Placement.GetSite()))
	if err != nil {
		return fmt.Errorf("read the placement of %s: %w", c.Placement.GetSite(), err)
	}
	if c.Step == deskpb.PlaceSite_HEARD {
		return t.heardPlacement(b, c.Placement, old, at)
	}
	if t.parent() != "" {
		return desk.Refuse(desk.FailedPrecondition, "NOT_THE_PROVINCE", "%s has the parent %s; offices are moved and closed at the province", t.self(), t.parent())
	}
	if err := notFrozen(b.Reader); err != nil {
		return err
	}
	var next *deskpb.Placement
	switch c.Step {
	case deskpb.PlaceSite_MOVE:
		next, err = t.move(c, old)
	case deskpb.PlaceSite_CLOSE:
		next, err = t.close(c, old)
	case deskpb.PlaceSite_FINISH:
		next = finished(c.Placement, old)
	default:
		return desk.RefuseField("step", "%s is none that this version of the program knows", c.Step)
	}
	if next == nil || err != nil {
		return err
	}
	next.Version, next.Time = laterVersion(old.GetVersion(), at), at.Time
	next.Former = formerParents(old, next)
	if err := place(b, t, next, at); err != nil {
		return err
	}
	return t.spread(b, next, "")
}

// heardPlacement takes what a site that was called says of this one, or a caller of itself.
func (t tree) heardPlacement(b *store.Batch, p, old *deskpb.Placement, at desk.Stamp) error {
	if objection := doubtsPlacement(p); objection != "" {
		return desk.Refuse(desk.InvalidArgument, "INVALID_PLACEMENT", "%s", objection)
	}
	if old.GetVersion() >= p.Version {
		return nil
	}
	in, err := newInbound(b, "", at)
	if err != nil {
		return err
	}
	if desk.SiteID(p.Site) == t.self() {
		return in.heed(p, "")
	}
	if p.Version > uint64(at.Time)+maxAhead {
		return desk.Refuse(desk.InvalidArgument, "INVALID_PLACEMENT", "the placement of %s has a version from the future, %d", p.Site, p.Version)
	}
	return in.fromBelow(p, old)
}

// move weighs an operator's wish to put a site below another parent.
func (t tree) move(c *deskpb.PlaceSite, old *deskpb.Placement) (*deskpb.Placement, error) {
	wish := c.Placement
	info, present, err := t.placeable(wish.GetSite())
	if err != nil {
		return nil, err
	}
	parent, err := t.r.SiteInfo(desk.SiteID(wish.GetParent()))
	if err != nil {
		return nil, fmt.Errorf("read the directory entry of %s: %w", wish.GetParent(), err)
	}
	placed, err := t.r.Placement(desk.SiteID(wish.GetParent()))
	if err != nil {
		return nil, fmt.Errorf("read the placement of %s: %w", wish.GetParent(), err)
	}
	switch {
	case parent == nil:
		return nil, desk.RefuseField("parent", "site %q is not known at %s; start it first", wish.GetParent(), t.self())
	case parent.Tier <= info.Tier:
		return nil, desk.RefuseField("parent", "%s is of tier %s and cannot stand above %s, a %s", parent.Id, parent.Tier, info.Id, info.Tier)
	case closes(placed):
		return nil, desk.RefuseField("parent", "%s is closed; move the office elsewhere", parent.Id)
	case desk.SiteID(wish.Parent) == present && !closes(old) && old.GetPhase() != deskpb.Placement_LEAVING:
		return nil, desk.Refuse(desk.FailedPrecondition, "ALREADY_THERE", "%s stands below %s already", info.Id, present)
	case old.GetPhase() == deskpb.Placement_LEAVING && !c.Now:
		return nil, desk.Refuse(desk.FailedPrecondition, "MOVE_UNDER_WAY",
			"%s is on its way from %s to %s; wait until it is there, or repeat it with now (--now) if %s is lost", info.Id, old.From, old.Parent, old.From)
	}
	next := &deskpb.Placement{Site: info.Id, Parent: parent.Id, Phase: deskpb.Placement_PLACED, Actor: wish.Actor, Reason: wish.Reason}
	if string(present) != parent.Id {
		next.From = string(present)
	}
	if next.From != "" && present != t.self() && !c.Now {
		next.Phase = deskpb.Placement_LEAVING
	}
	return next, nil
}

// close weighs an operator's wish to close a city.
func (t tree) close(c *deskpb.PlaceSite, old *deskpb.Placement) (*deskpb.Placement, error) {
	info, present, err := t.placeable(c.Placement.GetSite())
	switch {
	case err != nil:
		return nil, err
	case info.Tier != deskpb.Site_CITY || present != t.self():
		return nil, desk.RefuseField("site", "%s is a %s below %s; cities of this province are closed, a county is moved", info.Id, info.Tier, present)
	case old.GetPhase() == deskpb.Placement_CLOSED:
		return nil, desk.Refuse(desk.FailedPrecondition, "ALREADY_CLOSED", "%s was closed by %s; move it to %s to open it again", info.Id, old.Actor, t.self())
	case old.GetPhase() == deskpb.Placement_CLOSING && !c.Now:
		return nil, desk.Refuse(desk.FailedPrecondition, "CLOSE_UNDER_WAY", "%s is being closed; wait until it is, or repeat it with now (--now) if it is lost", info.Id)
	}
	next := &deskpb.Placement{
		Site: info.Id, Parent: string(t.self()), Phase: deskpb.Placement_CLOSING, Actor: c.Placement.Actor, Reason: c.Placement.Reason,
	}
	if c.Now {
		next.Phase = deskpb.Placement_CLOSED
	}
	return next, nil
}

// placeable returns a site below this one and its present parent, or refuses.
func (t tree) placeable(site string) (info *deskpb.SiteInfo, parent desk.SiteID, err error) {
	if info, err = t.r.SiteInfo(desk.SiteID(site)); err != nil {
		return nil, "", fmt.Errorf("read the directory entry of %s: %w", site, err)
	}
	where, _, err := t.locate(desk.SiteID(site))
	if err != nil {
		return nil, "", err
	}
	if info == nil || where != below {
		return nil, "", desk.RefuseField("site", "%q is not an office below %s; list the tree", site, t.self())
	}
	parent, _, err = t.parentOf(desk.SiteID(site))
	return info, parent, err
}

// finished is the placement after the last step of the version that was asked for, nil when it is not the present one.
func finished(asked, old *deskpb.Placement) *deskpb.Placement {
	if old == nil || old.Version != asked.GetVersion() {
		return nil
	}
	next := proto.CloneOf(old)
	switch old.Phase {
	case deskpb.Placement_LEAVING:
		next.Phase = deskpb.Placement_PLACED
	case deskpb.Placement_CLOSING:
		next.Phase = deskpb.Placement_CLOSED
	default:
		return nil
	}
	return next
}

// formerParents adds the parent that a placement leaves.
func formerParents(old, next *deskpb.Placement) []string {
	former := slices.Clone(old.GetFormer())
	if next.Phase == deskpb.Placement_PLACED && next.From != "" && !slices.Contains(former, next.From) {
		former = append(former, next.From)
	}
	return former
}

// place stores a placement and does what it means for this site: a child that stands elsewhere now is a neighbour no more,
// and when it is this site that was placed, it turns to its parent. Both ends of a link begin it anew with each place that
// the province gives, so that they never disagree on how far an earlier one was.
func place(b *store.Batch, t tree, p *deskpb.Placement, at desk.Stamp) error {
	site := desk.SiteID(p.Site)
	var before desk.SiteID
	if site != t.self() && !slices.Contains(t.path, site) {
		var err error
		if before, _, err = t.parentOf(site); err != nil {
			return err
		}
	}
	if err := b.PutPlacement(p); err != nil {
		return fmt.Errorf("write the placement of %s: %w", p.Site, err)
	}
	// A site that was restored hears of a move that is under way without having heard of the one before.
	placed, stands := p.Phase == deskpb.Placement_PLACED, standsBelow(p)
	missed := p.Phase == deskpb.Placement_LEAVING && stands != t.self()
	switch {
	case site == t.self() && (placed || missed && stands != t.parent()):
		return t.turnTo(b, stands, at)
	case before == t.self() && (placed || missed), placed && stands == t.self():
		if err := leave(b, site); err != nil {
			return err
		}
		if err := endRecovery(b); err != nil {
			return err
		}
	}
	if !placed {
		return nil
	}
	// What this site has of the office's tickets goes to the new parent by comparison. That may be more than the office has
	// when this site was its parent: what waited for it has just been dropped.
	if where, child, err := t.locate(site); err != nil || where != below {
		return err
	} else {
		return compareAnew(b, child)
	}
}

// turnTo makes a site the parent of this one. The stream towards it begins anew, with this site's own directory entry;
// documents of sites that are not above this one any more go.
func (t tree) turnTo(b *store.Batch, parent desk.SiteID, at desk.Stamp) error {
	site, err := b.Site()
	if err != nil {
		return fmt.Errorf("read the site: %w", err)
	}
	for _, peer := range []desk.SiteID{desk.SiteID(site.Parent), parent} {
		if err := leave(b, peer); err != nil {
			return err
		}
	}
	site.Parent = string(parent)
	if err := b.PutSite(site); err != nil {
		return fmt.Errorf("write the site: %w", err)
	}
	now, err := newTree(b.Reader)
	if err != nil {
		return err
	}
	for _, above := range t.path[1:] {
		if slices.Contains(now.path, above) {
			continue
		}
		if err := b.DeletePublications(above); err != nil {
			return fmt.Errorf("delete the publications of %s: %w", above, err)
		}
	}
	info, err := b.SiteInfo(t.self())
	if err != nil {
		return fmt.Errorf("read the directory entry of %s: %w", t.self(), err)
	}
	if info == nil {
		info = &deskpb.SiteInfo{Id: site.Id, Name: site.Name, Tier: site.Tier, Incarnation: site.Incarnation, Letters: site.Letters}
	}
	info.Parent = string(parent)
	return Publish(b, info, at)
}

// leave ends a link: nothing waits for the peer any more, and it is met anew should it come back. Its fenced lives stay
// fenced.
func leave(b *store.Batch, peer desk.SiteID) error {
	link, err := b.Link(peer)
	if err != nil {
		return fmt.Errorf("read the link with %s: %w", peer, err)
	}
	if err := beginStream(b, link); err != nil {
		return err
	}
	link.PeerIncarnation, link.PeerLetters, link.Unsettled = 0, "", false
	if err := b.PutLink(link); err != nil {
		return fmt.Errorf("write the link with %s: %w", peer, err)
	}
	return nil
}

// compareAnew has the tickets of a child's offices compared again.
func compareAnew(b *store.Batch, child desk.SiteID) error {
	link, err := b.Link(child)
	if err != nil {
		return fmt.Errorf("read the link with %s: %w", child, err)
	}
	if link.PeerIncarnation == 0 {
		return nil // it is compared when it is met
	}
	link.Unsettled = true
	link.Joined++
	if err := b.PutLink(link); err != nil {
		return fmt.Errorf("write the link with %s: %w", child, err)
	}
	return nil
}

// spread sends a placement to all children but the one that it came from.
func (t tree) spread(b *store.Batch, p *deskpb.Placement, from desk.SiteID) error {
	children, err := t.children()
	if err != nil {
		return err
	}
	children = slices.DeleteFunc(children, func(child desk.SiteID) bool { return child == from })
	return sendItem(b, children, &deskpb.Item{Content: &deskpb.Item_Placement{Placement: p}})
}

// placement takes what the province decided.
func (in *inbound) placement(item []byte, p *deskpb.Placement) error {
	if objection := doubtsPlacement(p); objection != "" {
		return in.park(item, objection)
	}
	old, err := in.b.Placement(desk.SiteID(p.Site))
	if err != nil {
		return err
	}
	if old.GetVersion() >= p.Version {
		return nil
	}
	if in.peer == in.tree.parent() {
		return in.heed(p, in.peer)
	}
	if p.Version > uint64(in.at.Time)+maxAhead || in.again != nil {
		return in.park(item, fmt.Sprintf("the placement of %s came from the child %s; placements come from the province", p.Site, in.peer))
	}
	return in.fromBelow(p, old)
}

// heed does what a placement that is news here asks for, and passes it on to all children but one that has it. A site that has
// something to hand over says that it heard.
func (in *inbound) heed(p *deskpb.Placement, from desk.SiteID) (err error) {
	if err := place(in.b, in.tree, p, in.at); err != nil {
		return err
	}
	if in.tree, err = newTree(in.b.Reader); err != nil {
		return err
	}
	if err := in.tree.spread(in.b, p, from); err != nil {
		return err
	}
	if !in.tree.handsOver(p) {
		return nil
	}
	return in.delivered(in.tree.path[len(in.tree.path)-1], placementKind, p.Site, p.Version)
}

// handsOver tells whether this site has to give tickets away before the placement can be finished.
func (t tree) handsOver(p *deskpb.Placement) bool {
	switch p.Phase {
	case deskpb.Placement_LEAVING:
		return desk.SiteID(p.From) == t.self()
	case deskpb.Placement_CLOSING:
		return desk.SiteID(p.Site) == t.self()
	default:
		return false
	}
}

// doubtsPlacement returns why no province can have written a placement, empty when one may.
func doubtsPlacement(p *deskpb.Placement) string {
	site, parent := desk.SiteID(p.GetSite()), desk.SiteID(p.GetParent())
	leaving := p.GetPhase() == deskpb.Placement_LEAVING
	switch {
	case !site.Valid() || !parent.Valid() || site == parent || leaving && !desk.SiteID(p.From).Valid():
		return fmt.Sprintf("the placement of %.40q below %.40q, leaving %.40q, cannot be one", p.GetSite(), p.GetParent(), p.GetFrom())
	case p.Phase < deskpb.Placement_LEAVING || p.Phase > deskpb.Placement_CLOSING:
		return fmt.Sprintf("the placement of %s is in phase %d, which is not known here; upgrade this site", p.Site, p.Phase)
	case p.Version == 0:
		return fmt.Sprintf("the placement of %s has no version", p.Site)
	}
	return ""
}

// sendPlacements sends every placement to a child that is new here, or to a parent that took another incarnation and may
// have forgotten some.
func sendPlacements(b *store.Batch, peer desk.SiteID) error {
	placements, err := b.Placements()
	if err != nil {
		return fmt.Errorf("read the placements: %w", err)
	}
	for _, p := range placements {
		if err := sendItem(b, []desk.SiteID{peer}, &deskpb.Item{Content: &deskpb.Item_Placement{Placement: p}}); err != nil {
			return err
		}
	}
	return nil
}

// mayOpen refuses a new ticket at a site that is closed.
func mayOpen(r *store.Reader, site desk.SiteID) error {
	p, err := r.Placement(site)
	if err != nil {
		return fmt.Errorf("read the placement of %s: %w", site, err)
	}
	if closes(p) {
		return desk.Refuse(desk.FailedPrecondition, "SITE_CLOSED", "%s was closed by the province; take the call at another office", site)
	}
	return nil
}
