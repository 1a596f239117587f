package tiers

import (
	"bytes"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// Receive applies items of a neighbour's stream together with the mark, each exactly once. A *desk.Refusal means that
// nothing was applied: the incarnation is fenced, items are missing before the first one, all are below the mark, or the running
// hash does not fit. Items up to the mark are skipped. What fits the stream but not the rules is parked, and the mark goes on.
func Receive(b *store.Batch, c *deskpb.Receive, at desk.Stamp) error {
	peer := desk.SiteID(c.Peer)
	link, err := living(b.Reader, c)
	if err != nil {
		return err
	}
	items, err := fresh(link, c)
	if err != nil || len(items) == 0 {
		return err
	}
	in, err := newInbound(b, peer, at)
	if err != nil {
		return err
	}
	in.sequence = link.ReceivedSequence
	for _, item := range items {
		in.sequence++
		if err := in.apply(item); err != nil {
			return fmt.Errorf("receive item %d from %s: %w", in.sequence, peer, err)
		}
	}
	// What the items caused here may have been sent back over this very link, so it is read again.
	if link, err = b.Link(peer); err != nil {
		return fmt.Errorf("read the link with %s: %w", peer, err)
	}
	if link.PeerIncarnation != 0 { // Otherwise one of the items was a placement that ended the link.
		link.ReceivedSequence, link.ReceivedHash, link.ReceivedTime = in.sequence, c.Hash, at.Time
	}
	link.Parked += in.parked
	if err := b.PutLink(link); err != nil {
		return fmt.Errorf("write the link with %s: %w", peer, err)
	}
	return nil
}

// overtaken is the reason of the refusal of items that all are below the mark. Nothing tells whether they are those that were
// received: they may be a copy's, which would take them for received once they were acknowledged.
const overtaken = "STREAM_OVERTAKEN"

// fresh checks that the items continue the stream, or end where it stands, and returns those behind the mark.
func fresh(link *deskpb.Link, c *deskpb.Receive) ([][]byte, error) {
	switch {
	case c.First == 0 || len(c.Items) == 0:
		return nil, desk.Refuse(desk.InvalidArgument, "EMPTY_STREAM", "%s sent no items; a stream starts at item 1", c.Peer)
	case c.First > link.ReceivedSequence+1:
		return nil, desk.Refuse(desk.FailedPrecondition, "STREAM_GAP",
			"%s sent item %d, but %d is the next one; open the link again", c.Peer, c.First, link.ReceivedSequence+1)
	}
	known := link.ReceivedSequence + 1 - c.First
	if desk.Broken(desk.StreamMark) {
		return c.Items, nil
	}
	if last := c.First - 1 + uint64(len(c.Items)); last < link.ReceivedSequence {
		return nil, desk.Refuse(desk.FailedPrecondition, overtaken,
			"%s sent up to item %d, but another stream of it brought %d; open the link again", c.Peer, last, link.ReceivedSequence)
	}
	items := c.Items[known:]
	hash := link.ReceivedHash
	for _, item := range items {
		hash = chain(hash, item)
	}
	if !bytes.Equal(hash, c.Hash) {
		return nil, desk.Refuse(desk.FailedPrecondition, "STREAM_MISMATCH",
			"the stream of %s does not continue what was received up to item %d; the site was copied or rolled back, recover it",
			c.Peer, link.ReceivedSequence)
	}
	return items, nil
}

// inbound applies the items of one Receive command, in order.
type inbound struct {
	b        *store.Batch
	peer     desk.SiteID
	at       desk.Stamp
	tree     tree      // its path is this site's at the beginning; the directory behind it is read anew where it changed
	here     desk.Here // for events: only other items change more of it than the sequence
	sequence uint64    // of the item that is being applied
	parked   uint64    // items set aside by this command

	again *deskpb.Parked // the item is not new: it was parked before; nil otherwise
}

func newInbound(b *store.Batch, peer desk.SiteID, at desk.Stamp) (inbound, error) {
	in := inbound{b: b, peer: peer, at: at}
	err := in.orient()
	in.tree.r, in.tree.path = b.Reader, in.here.Path
	return in, err
}

// orient reads anew what events are held against.
func (in *inbound) orient() (err error) {
	in.here, err = Here(in.b.Reader)
	in.tree.parents = map[desk.SiteID]parentage{}
	return err
}

func (in *inbound) apply(item []byte) error {
	var content deskpb.Item
	// The decoder's own words differ between builds; what is stored must not.
	if err := proto.Unmarshal(item, &content); err != nil {
		return in.park(item, "the bytes are not an item of the stream")
	}
	var err error
	switch kind := content.Content.(type) {
	case *deskpb.Item_Event:
		return in.event(item, kind.Event)
	case *deskpb.Item_Site:
		in.tree.parents = nil
		err = in.site(item, kind.Site)
	case *deskpb.Item_Publication, *deskpb.Item_Delivery, *deskpb.Item_Placement:
		in.tree.parents = nil
		err = in.notice(item, &content)
	default:
		return in.park(item, "the kind of item is not known here; upgrade this site")
	}
	if err != nil {
		return err
	}
	return in.orient()
}

// park sets an item aside, whole, with the reason that people read. One that was parked before keeps its place.
func (in *inbound) park(item []byte, reason string) error {
	in.parked++
	since := in.at.Time
	if in.again != nil {
		since = in.again.Time
	}
	err := in.b.Park(&deskpb.Parked{
		Peer: string(in.peer), Sequence: in.sequence, Item: item, Reason: reason, Time: since,
	})
	if err != nil {
		return fmt.Errorf("park it: %w", err)
	}
	return nil
}

// site stores a newer directory entry and relays it over the other links. What the parent tells of this site's own
// subtree is of use only to a site that knows nothing of it: the subtree tells it first hand.
func (in *inbound) site(item []byte, info *deskpb.SiteInfo) error {
	site := desk.SiteID(info.Id)
	where, _, err := in.tree.locate(site)
	if err != nil {
		return err
	}
	old, err := in.b.SiteInfo(site)
	if err != nil {
		return err
	}
	fromParent := in.peer == in.tree.parent()
	switch {
	case fromParent && where == self:
		return in.reissue(old, info)
	case fromParent && where == below && old != nil:
		return nil
	}
	objection, err := in.tree.admitsSite(in.peer, info)
	if err != nil {
		return err
	}
	left, err := in.tree.formerly(site, in.peer)
	if err != nil {
		return err
	}
	known := old != nil && old.Version >= info.Version
	switch {
	case objection != "" && !(left && known): // a neighbour that was restored does not know yet that the office has left it
		return in.park(item, objection)
	case known:
		return nil
	}
	peers, err := in.tree.neighbours()
	if err != nil {
		return err
	}
	if err := in.b.PutSiteInfo(info); err != nil {
		return err
	}
	return sendWhole(in.b, slices.DeleteFunc(peers, func(peer desk.SiteID) bool { return peer == in.peer }), item)
}

// reissue tells again what this site says of itself when the tree has a version of it that is not behind: this site was
// restored, and would not be believed.
func (in *inbound) reissue(own, seen *deskpb.SiteInfo) error {
	if own == nil || own.Version > seen.Version || proto.Equal(own, seen) {
		return nil
	}
	next := proto.CloneOf(own)
	next.Version = seen.Version + 1
	return publish(in.b, in.tree, next)
}
