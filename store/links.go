package store

import (
	"bytes"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// Link returns an empty link (peer set) when there is none yet.
func (r *Reader) Link(peer desk.SiteID) (*deskpb.Link, error) {
	link, err := load[deskpb.Link](r, linkKey(peer))
	if link == nil && err == nil {
		link = &deskpb.Link{Peer: string(peer)}
	}
	return link, err
}

// Links returns all links, by peer.
func (r *Reader) Links() ([]*deskpb.Link, error) {
	return list[deskpb.Link](r, under(family(familyLink)))
}

// PutLink stores this site's end of a link.
func (b *Batch) PutLink(link *deskpb.Link) error {
	return b.put(linkKey(desk.SiteID(link.GetPeer())), link)
}

// OutboxItem is one item that waits for its acknowledgement, ready to be sent.
type OutboxItem struct {
	Sequence uint64
	Hash     []byte // running hash up to and with this item
	Item     []byte // an encoded deskpb.Item
}

// Outbox returns items behind the sequence after, at most limit and about maxBytes (at least one).
func (r *Reader) Outbox(peer desk.SiteID, after uint64, limit, maxBytes int) ([]OutboxItem, error) {
	var items []OutboxItem
	prefix := outboxKey(peer)
	waiting := under(prefix).behind(prefix.Uint64(after)).first(limit)
	err := r.scan(waiting, func(key, value []byte) (bool, error) {
		item, err := r.outboxItem(key[len(prefix):], value)
		if err != nil {
			return false, fmt.Errorf("outbox of peer %s: %w", peer, err)
		}
		maxBytes -= len(item.Item)
		if len(items) > 0 && maxBytes < 0 {
			return false, nil
		}
		items = append(items, item)
		return true, nil
	})
	return items, err
}

// outboxItem completes an entry with the event that it refers to.
func (r *Reader) outboxItem(cursor, value []byte) (OutboxItem, error) {
	d := keys.Decode(cursor)
	sequence := d.Uint64()
	if err := d.Done(); err != nil {
		return OutboxItem{}, &corruptError{path: r.path, cause: err}
	}
	entry, err := decode[deskpb.OutboxEntry](r, cursor, value)
	if err != nil {
		return OutboxItem{}, err
	}
	item := OutboxItem{Sequence: sequence, Hash: entry.GetHash(), Item: entry.GetItem()}
	if entry.GetEvent() == nil {
		return item, nil
	}
	raw, err := r.Event(entry.GetEvent())
	if err != nil {
		return OutboxItem{}, err
	}
	if raw == nil {
		return OutboxItem{}, &corruptError{path: r.path,
			cause: fmt.Errorf("item %d refers to an event of ticket %s that is not stored", sequence, entry.GetEvent().GetTicket())}
	}
	item.Item, err = proto.MarshalOptions{Deterministic: true}.Marshal(&deskpb.Item{Content: &deskpb.Item_Event{Event: raw}})
	return item, err
}

// OutboxHash returns the running hash at a sequence between the acknowledged and the sent one, both included; nil when it is
// not kept. The hash at sequence 0, before anything was acknowledged, is empty but not nil.
func (r *Reader) OutboxHash(peer desk.SiteID, sequence uint64) ([]byte, error) {
	link, err := r.Link(peer)
	if err != nil {
		return nil, err
	}
	if sequence == link.GetAckedSequence() {
		return append([]byte{}, link.GetAckedHash()...), nil
	}
	entry, err := load[deskpb.OutboxEntry](r, outboxKey(peer).Uint64(sequence))
	return entry.GetHash(), err
}

// PutOutbox appends an item to the stream towards the peer.
func (b *Batch) PutOutbox(peer desk.SiteID, sequence uint64, e *deskpb.OutboxEntry) error {
	return b.put(outboxKey(peer).Uint64(sequence), e)
}

// PruneOutbox deletes the items from one sequence to another, both included. Each is deleted by itself: a stream of small
// range deletions would slow down every scan until the next compaction.
func (b *Batch) PruneOutbox(peer desk.SiteID, from, to uint64) error {
	prefix := outboxKey(peer)
	return b.scan(between(prefix.Uint64(from), prefix.Uint64(to).Byte(0)), func(key, _ []byte) (bool, error) {
		return true, b.delete(bytes.Clone(key))
	})
}

// Parked returns items that were set aside, by peer and then in the order of their arrival, with the cursor for the next
// page, nil at the end. limit is at least 1.
func (r *Reader) Parked(after []byte, limit int) ([]*deskpb.Parked, []byte, error) {
	var parked []*deskpb.Parked
	next, err := r.page(family(familyParked), after, false, limit, func(cursor, value []byte) error {
		p, err := decode[deskpb.Parked](r, cursor, value)
		parked = append(parked, p)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return parked, next, nil
}

// ParkedItem returns one item that was set aside, nil when it is not there.
func (r *Reader) ParkedItem(key *deskpb.ParkedKey) (*deskpb.Parked, error) {
	return load[deskpb.Parked](r, parkedKey(&deskpb.Parked{Peer: key.GetPeer(), Time: key.GetTime(), Sequence: key.GetSequence()}))
}

// Park sets an item aside. Peer, time and sequence identify it: sequences begin again with a peer's next incarnation.
func (b *Batch) Park(p *deskpb.Parked) error {
	if p.GetPeer() == "" {
		return errors.New("park an item: it has no peer")
	}
	return b.put(parkedKey(p), p)
}

// DeleteParked deletes an item that Parked returned.
func (b *Batch) DeleteParked(p *deskpb.Parked) error { return b.delete(parkedKey(p)) }
