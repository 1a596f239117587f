package tiers

import (
	"crypto/sha256"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// hashSize is the length of a link's running hash in bytes.
const hashSize = 16

// chain continues the running hash of a stream by one encoded item. The hash of the empty stream is empty.
func chain(previous, item []byte) []byte {
	h := sha256.New()
	h.Write(previous)
	h.Write(item)
	return h.Sum(nil)[:hashSize]
}

// encodeItem gives the one encoding of an item that both ends hash.
func encodeItem(item *deskpb.Item) ([]byte, error) {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(item)
	if err != nil {
		return nil, fmt.Errorf("encode an item of the stream: %w", err)
	}
	return raw, nil
}

// reference names a stored event.
func reference(e desk.Sealed) *deskpb.EventRef {
	return &deskpb.EventRef{
		Ticket:      e.Ticket,
		Time:        e.Time,
		Site:        e.Id.Site,
		Incarnation: e.Id.Incarnation,
		Sequence:    e.Id.Sequence,
	}
}

// sendEvent appends an event of the journal to the outboxes of the peers. The journal keeps its bytes.
func sendEvent(b *store.Batch, peers []desk.SiteID, e desk.Sealed) error {
	if len(peers) == 0 {
		return nil
	}
	item, err := encodeItem(&deskpb.Item{Content: &deskpb.Item_Event{Event: e.Raw}})
	if err != nil {
		return err
	}
	for _, peer := range peers {
		if err := enqueue(b, peer, &deskpb.OutboxEntry{Event: reference(e)}, item); err != nil {
			return err
		}
	}
	return nil
}

// sendWhole appends an encoded item that is stored nowhere else to the outboxes of the peers.
func sendWhole(b *store.Batch, peers []desk.SiteID, item []byte) error {
	for _, peer := range peers {
		if err := enqueue(b, peer, &deskpb.OutboxEntry{Item: item}, item); err != nil {
			return err
		}
	}
	return nil
}

// sendSite appends a directory entry to the outboxes of the peers.
func sendSite(b *store.Batch, peers []desk.SiteID, info *deskpb.SiteInfo) error {
	item, err := encodeItem(&deskpb.Item{Content: &deskpb.Item_Site{Site: info}})
	if err != nil {
		return err
	}
	return sendWhole(b, peers, item)
}

// enqueue gives the entry the next sequence of the stream towards the peer.
// Invariant: the outbox holds every sequence in (acked, sent], each with the running hash up to it.
func enqueue(b *store.Batch, peer desk.SiteID, entry *deskpb.OutboxEntry, item []byte) error {
	link, err := b.Link(peer)
	if err != nil {
		return fmt.Errorf("read the link with %s: %w", peer, err)
	}
	link.SentSequence++
	link.SentHash = chain(link.SentHash, item)
	entry.Hash = link.SentHash
	if err := b.PutOutbox(peer, link.SentSequence, entry); err != nil {
		return fmt.Errorf("write item %d to the outbox of %s: %w", link.SentSequence, peer, err)
	}
	if err := b.PutLink(link); err != nil {
		return fmt.Errorf("write the link with %s: %w", peer, err)
	}
	return nil
}

// hashAt returns the running hash of what was sent at a sequence in [acked, sent]. A missing one is a fault of the store.
func hashAt(r *store.Reader, link *deskpb.Link, sequence uint64) ([]byte, error) {
	hash, err := r.OutboxHash(desk.SiteID(link.Peer), sequence)
	if err == nil && hash == nil {
		err = fmt.Errorf("the outbox has no item %d although only %d are acknowledged", sequence, link.AckedSequence)
	}
	if err != nil {
		return nil, fmt.Errorf("read the running hash towards %s: %w", link.Peer, err)
	}
	return hash, nil
}

// Acknowledge prunes the outbox up to what the peer has on its disks. An older acknowledgement changes nothing; one of
// what was never sent is refused.
func Acknowledge(b *store.Batch, c *deskpb.Acknowledge, _ desk.Stamp) error {
	peer := desk.SiteID(c.Peer)
	link, err := living(b.Reader, c)
	if err != nil {
		return err
	}
	if c.Sequence > link.SentSequence {
		return desk.Refuse(desk.FailedPrecondition, "NEVER_SENT",
			"%s acknowledges item %d, but only %d were sent to it; recover the site that was rolled back",
			peer, c.Sequence, link.SentSequence)
	}
	if c.Sequence <= link.AckedSequence {
		return nil
	}
	hash, err := hashAt(b.Reader, link, c.Sequence)
	if err != nil {
		return err
	}
	if err := b.PruneOutbox(peer, link.AckedSequence+1, c.Sequence); err != nil {
		return fmt.Errorf("prune the outbox of %s up to %d: %w", peer, c.Sequence, err)
	}
	link.AckedSequence, link.AckedHash, link.AckedTime = c.Sequence, hash, c.Time
	if err := b.PutLink(link); err != nil {
		return fmt.Errorf("write the link with %s: %w", peer, err)
	}
	return nil
}
