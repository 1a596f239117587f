package tiers

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// Receive applies items of a neighbour's stream together with the mark, each exactly once. A *desk.Refusal means that
// nothing was applied: the incarnation is fenced, items are missing before the first one, or the running hash does not
// fit. Items up to the mark are skipped. What fits the stream but not the rules is parked, and the mark goes on.
func Receive(b *store.Batch, c *deskpb.Receive, at desk.Stamp) error {
	peer := desk.SiteID(c.Peer)
	link, err := b.Link(peer)
	if err != nil {
		return fmt.Errorf("read the link with %s: %w", peer, err)
	}
	items, err := fresh(link, c)
	if err != nil || len(items) == 0 {
		return err
	}
	t, err := newTree(b.Reader)
	if err != nil {
		return err
	}
	in := inbound{b: b, peer: peer, at: at, tree: t, sequence: link.ReceivedSequence}
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
	link.ReceivedSequence, link.ReceivedHash, link.ReceivedTime = in.sequence, c.Hash, at.Time
	link.Parked += in.parked
	if err := b.PutLink(link); err != nil {
		return fmt.Errorf("write the link with %s: %w", peer, err)
	}
	return nil
}

// fresh checks that the items continue the stream and returns those behind the mark.
func fresh(link *deskpb.Link, c *deskpb.Receive) ([][]byte, error) {
	switch {
	case link.PeerIncarnation == 0:
		return nil, desk.Refuse(desk.FailedPrecondition, "PEER_UNKNOWN", "%s was never admitted here; open a link first", c.Peer)
	case link.PeerIncarnation != c.PeerIncarnation:
		return nil, peerChanged(link, c.PeerIncarnation)
	case c.First == 0 || len(c.Items) == 0:
		return nil, desk.Refuse(desk.InvalidArgument, "EMPTY_STREAM", "%s sent no items; a stream starts at item 1", c.Peer)
	case c.First > link.ReceivedSequence+1:
		return nil, desk.Refuse(desk.FailedPrecondition, "STREAM_GAP",
			"%s sent item %d, but %d is the next one; open the link again", c.Peer, c.First, link.ReceivedSequence+1)
	}
	known := link.ReceivedSequence + 1 - c.First
	if known >= uint64(len(c.Items)) {
		return nil, nil
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
	tree     tree   // its path is this site's at the beginning; the directory behind it is read anew
	sequence uint64 // of the item that is being applied
	parked   uint64 // items set aside by this command
}

func (in *inbound) apply(item []byte) error {
	var content deskpb.Item
	// The decoder's own words differ between builds; what is stored must not.
	if err := proto.Unmarshal(item, &content); err != nil {
		return in.park(item, "the bytes are not an item of the stream")
	}
	switch kind := content.Content.(type) {
	case *deskpb.Item_Event:
		return in.event(item, kind.Event)
	case *deskpb.Item_Site:
		return in.site(item, kind.Site)
	default:
		return in.park(item, "the kind of item is not known here; upgrade this site")
	}
}

// park sets an item aside, whole, with the reason that people read.
func (in *inbound) park(item []byte, reason string) error {
	in.parked++
	err := in.b.Park(&deskpb.Parked{
		Peer: string(in.peer), Sequence: in.sequence, Item: item, Reason: reason, Time: in.at.Time,
	})
	if err != nil {
		return fmt.Errorf("park it: %w", err)
	}
	return nil
}

// event stores an event that another site decided, relays it, and answers it where the rules demand that.
func (in *inbound) event(item, raw []byte) error {
	e, err := desk.Open(raw)
	if err != nil {
		return in.park(item, err.Error())
	}
	stored, err := in.b.Event(reference(e))
	if err != nil {
		return err
	}
	if bytes.Equal(stored, raw) {
		return nil
	}
	record, err := in.b.Ticket(desk.TicketNumber(e.Ticket))
	if err != nil {
		return err
	}
	objection, err := in.tree.admits(in.peer, record, e)
	if err != nil {
		return err
	}
	if objection != "" {
		return in.park(item, objection)
	}
	if ahead(record, e) {
		if err := in.park(item, fmt.Sprintf("event %s of ticket %s waits for earlier events or for an upgrade of this site",
			desk.EventName(e.Id), e.Ticket)); err != nil {
			return err
		}
		return in.relay(e.Path, func(peers []desk.SiteID) error { return sendWhole(in.b, peers, item) })
	}
	if objection := authority(record, e); objection != "" {
		return in.park(item, objection)
	}
	return in.fold(item, record, e)
}

// fold stores an admitted event with the record that it makes and with what the rules demand of this site in answer,
// or parks it when it does not fit. An event that leaves no room for the answer does not fit either: a neighbour's bytes
// never stop this site.
func (in *inbound) fold(item []byte, record *deskpb.Record, e desk.Sealed) error {
	next, err := desk.Fold(record, e)
	if err != nil {
		return in.park(item, err.Error())
	}
	here, err := Here(in.b.Reader)
	if err != nil {
		return err
	}
	answer, err := desk.React(here, next, in.at)
	if err != nil {
		return in.park(item, fmt.Sprintf("%s cannot answer event %s: %s", here.Site, desk.EventName(e.Id), err))
	}
	switch _, err := in.b.PutEvent(e); {
	case errors.Is(err, store.ErrConflict):
		return in.park(item, fmt.Sprintf("another event has the id %s", desk.EventName(e.Id)))
	case err != nil:
		return err
	}
	if err := in.b.PutTicket(next); err != nil {
		return err
	}
	if err := in.relay(next.Path, func(peers []desk.SiteID) error { return sendEvent(in.b, peers, e) }); err != nil {
		return err
	}
	if answer == nil {
		return nil
	}
	// It goes to every neighbour on the path, the sender included.
	return Record(in.b, here, answer)
}

// relay sends what came from the peer on to the other neighbours on the ticket's path.
func (in *inbound) relay(path []string, send func(peers []desk.SiteID) error) error {
	peers, err := in.tree.onward(path)
	if err != nil {
		return err
	}
	return send(slices.DeleteFunc(peers, func(peer desk.SiteID) bool { return peer == in.peer }))
}

// site stores a newer directory entry and relays it over the other links.
func (in *inbound) site(item []byte, info *deskpb.SiteInfo) error {
	objection, err := in.tree.admitsSite(in.peer, info)
	if err != nil {
		return err
	}
	if objection != "" {
		return in.park(item, objection)
	}
	old, err := in.b.SiteInfo(desk.SiteID(info.Id))
	if err != nil {
		return err
	}
	if old != nil && old.Version >= info.Version {
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
