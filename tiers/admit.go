package tiers

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// AdmitPeer accepts a neighbour's incarnation at the first meeting; every other incarnation of it is fenced from then
// on. A child that is new here is sent what the directory knows outside of its own subtree. The parent needs nothing of
// the kind: the outbox towards it holds everything since this site was founded.
func AdmitPeer(b *store.Batch, c *deskpb.AdmitPeer) error {
	peer := desk.SiteID(c.Peer)
	t, err := newTree(b.Reader)
	if err != nil {
		return err
	}
	if peer == t.self() || !peer.Valid() || c.Incarnation == 0 {
		return desk.Refuse(desk.InvalidArgument, "INVALID_PEER",
			"%q with incarnation %016x cannot be a neighbour of %s", c.Peer, c.Incarnation, t.self())
	}
	link, err := b.Link(peer)
	if err != nil {
		return fmt.Errorf("read the link with %s: %w", peer, err)
	}
	if link.PeerIncarnation == c.Incarnation {
		return nil
	}
	if link.PeerIncarnation != 0 {
		return peerChanged(link, c.Incarnation)
	}
	link.PeerIncarnation = c.Incarnation
	if err := b.PutLink(link); err != nil {
		return fmt.Errorf("write the link with %s: %w", peer, err)
	}
	if peer == t.parent() {
		return nil
	}
	return sendDirectory(b, t, peer)
}

// peerChanged refuses a neighbour that is not the one that was met before.
func peerChanged(link *deskpb.Link, incarnation uint64) *desk.Refusal {
	return desk.Refuse(desk.FailedPrecondition, "PEER_CHANGED",
		"%s has come back as another incarnation; %016x was accepted and %016x is refused until the site is recovered",
		link.Peer, link.PeerIncarnation, incarnation)
}

// sendDirectory sends every entry that is not of the child's own subtree.
func sendDirectory(b *store.Batch, t tree, child desk.SiteID) error {
	infos, err := b.Directory()
	if err != nil {
		return fmt.Errorf("read the directory: %w", err)
	}
	for _, info := range infos {
		_, through, err := t.locate(desk.SiteID(info.Id))
		if err != nil {
			return err
		}
		if through == child {
			continue
		}
		if err := sendSite(b, []desk.SiteID{child}, info); err != nil {
			return err
		}
	}
	return nil
}

// Publish stores this site's own directory entry and sends it over all links. The version is counted here and grows only
// when the entry says something new.
func Publish(b *store.Batch, info *deskpb.SiteInfo) error {
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
	next.Version++
	peers, err := t.neighbours()
	if err != nil {
		return err
	}
	if err := b.PutSiteInfo(next); err != nil {
		return fmt.Errorf("publish the directory entry of %s: %w", info.Id, err)
	}
	return sendSite(b, peers, next)
}
