package tiers

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// AdmitPeer accepts a neighbour's incarnation: at the first meeting any, later only one that begins a new life under
// letters of its own. It fences the one before for ever. Both directions of the stream begin anew then, and what both know
// is compared; at a first meeting the outbox that was written since this site was founded stays. A *desk.Refusal says why
// that incarnation cannot be accepted, or, as placedAnew, that the child was placed since both ends met.
func AdmitPeer(b *store.Batch, c *deskpb.AdmitPeer, at desk.Stamp) error {
	peer := desk.SiteID(c.Peer)
	t, err := newTree(b.Reader)
	if err != nil {
		return err
	}
	if peer == t.self() || !peer.Valid() || c.Incarnation == 0 {
		return desk.Refuse(desk.InvalidArgument, "INVALID_PEER",
			"%q with incarnation %016x cannot be a neighbour of %s", c.Peer, c.Incarnation, t.self())
	}
	if still, err := t.stillPlaced(c); err != nil {
		return err
	} else if !still {
		return desk.Refuse(desk.FailedPrecondition, placedAnew, "%s was placed anew since %s and %s met; open the link again", c.Child, t.self(), peer)
	}
	link, err := b.Link(peer)
	if err != nil {
		return fmt.Errorf("read the link with %s: %w", peer, err)
	}
	if link.PeerIncarnation == c.Incarnation {
		return nil
	}
	if err := admissible(link, c); err != nil {
		return err
	}
	if link.PeerIncarnation == 0 {
		if err := meetAgain(b, at); err != nil {
			return err
		}
	} else {
		link.Fenced = append(link.Fenced, &deskpb.Incarnation{Id: link.PeerIncarnation, Letters: link.PeerLetters})
		if err := beginStream(b, link); err != nil {
			return err
		}
	}
	link.PeerIncarnation, link.PeerLetters, link.Unsettled = c.Incarnation, c.Letters, true
	if err := b.PutLink(link); err != nil {
		return fmt.Errorf("write the link with %s: %w", peer, err)
	}
	return open(b, t, peer)
}

// placedAnew is the reason of the refusal to admit a neighbour that was met under a place which the child has no more.
const placedAnew = "PLACED_ANEW"

// stillPlaced tells whether the child of a meeting stands as both ends said. One that left meanwhile never calls here again:
// once admitted, it would be kept items for, and waited for in a recovery, for ever. Of one that was placed below the same
// parent again, the marks that both ends told are of the place before.
func (t tree) stillPlaced(c *deskpb.AdmitPeer) (bool, error) {
	child := desk.SiteID(c.Child)
	if child == "" {
		return true, nil
	}
	placement, err := t.r.Placement(child)
	if err != nil {
		return false, fmt.Errorf("read the placement of %s: %w", child, err)
	}
	stands := placement == nil || standsBelow(placement) == t.self() // a child that was never placed is believed
	if child == t.self() {
		stands = t.parent() == desk.SiteID(c.Peer)
	}
	return stands && placement.GetVersion() == c.PlacementVersion, nil
}

// admissible refuses an incarnation that was fenced, and one that comes later without being a proper new life.
func admissible(link *deskpb.Link, c *deskpb.AdmitPeer) error {
	if desk.Broken(desk.Fence) {
		return nil
	}
	if fenced(link, c.Incarnation) {
		return peerFenced(link, c.Incarnation)
	}
	if link.PeerIncarnation == 0 {
		return nil
	}
	if c.Letters == "" {
		return desk.Refuse(desk.FailedPrecondition, "PEER_REFOUNDED",
			"%s was founded anew under a name that is known; start it with recover: true, or give it another name", c.Peer)
	}
	used := c.Letters == link.PeerLetters || slices.ContainsFunc(link.Fenced, func(past *deskpb.Incarnation) bool {
		return past.Letters == c.Letters
	})
	if used {
		return desk.Refuse(desk.FailedPrecondition, "LETTERS_USED",
			"ticket numbers of %s had the letters %s in a life before; draw others", c.Peer, c.Letters)
	}
	return nil
}

// fenced tells whether an incarnation of the neighbour was accepted once and is past.
func fenced(link *deskpb.Link, incarnation uint64) bool {
	return slices.ContainsFunc(link.Fenced, func(past *deskpb.Incarnation) bool { return past.Id == incarnation })
}

func peerFenced(link *deskpb.Link, incarnation uint64) *desk.Refusal {
	return desk.Refuse(desk.FailedPrecondition, "PEER_FENCED",
		"%s lives on as incarnation %016x, and %016x is a copy from before; stop that one, or run tierdesk site recover on it to make it the one that lives",
		link.Peer, link.PeerIncarnation, incarnation)
}

// meetAgain has a site in a later life recover while it meets a neighbour that it does not know: it may have known it
// before.
func meetAgain(b *store.Batch, at desk.Stamp) error {
	site, err := b.Site()
	if err != nil {
		return fmt.Errorf("read the site: %w", err)
	}
	if site.Letters == "" || site.Recovering != 0 {
		return nil
	}
	site.Recovering = at.Time
	if err := b.PutSite(site); err != nil {
		return fmt.Errorf("write the site: %w", err)
	}
	return nil
}

// open sends a neighbour whose stream begins what it has to know besides tickets. Whatever it knows already it skips. The
// entry of its own comes with the rest: a neighbour that was restored learns by it how far it was.
func open(b *store.Batch, t tree, peer desk.SiteID) error {
	infos, err := b.Directory()
	if err != nil {
		return fmt.Errorf("read the directory: %w", err)
	}
	for _, info := range infos {
		where, _, err := t.locate(desk.SiteID(info.Id))
		if err != nil {
			return err
		}
		if peer == t.parent() && where != self && where != below {
			continue
		}
		if err := sendSite(b, []desk.SiteID{peer}, info); err != nil {
			return err
		}
	}
	if err := sendPlacements(b, peer); err != nil {
		return err
	}
	if peer != t.parent() {
		return sendPublications(b, peer)
	}
	if err := sendDeliveries(b, t, peer); err != nil {
		return err
	}
	return returnPublications(b, t.self(), peer)
}

// Publish stores this site's own directory entry and sends it over all links. The version is counted here and grows only
// when the entry says something new: it is the site's time in microseconds, and more than any version before, so that a
// site whose state was restored is ahead of what it said before.
func Publish(b *store.Batch, info *deskpb.SiteInfo, at desk.Stamp) error {
	t, err := newTree(b.Reader)
	if err != nil {
		return err
	}
	if desk.SiteID(info.Id) != t.self() {
		return fmt.Errorf("publish the directory entry of %s: only %s itself writes it", info.Id, info.Id)
	}
	old, err := b.SiteInfo(t.self())
	if err != nil {
		return fmt.Errorf("read the directory entry of %s: %w", info.Id, err)
	}
	next := proto.CloneOf(info)
	next.Version = old.GetVersion()
	if old != nil && proto.Equal(old, next) {
		return nil
	}
	next.Version = max(next.Version+1, uint64(max(at.Time, 0)))
	return publish(b, t, next)
}

// publish stores a version of this site's own entry and sends it over all links.
func publish(b *store.Batch, t tree, info *deskpb.SiteInfo) error {
	peers, err := t.neighbours()
	if err != nil {
		return err
	}
	if err := b.PutSiteInfo(info); err != nil {
		return fmt.Errorf("publish the directory entry of %s: %w", info.Id, err)
	}
	return sendSite(b, peers, info)
}
