package store

import (
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/store/keys"
)

// Batch collects the writes of one log entry and reads them, on top of the state, before they are committed. It is used by
// one goroutine, the log's, which has one batch at a time and none while it restores. Errors of its methods are faults.
type Batch struct {
	*Reader
	store   *Store
	db      *pebble.DB
	pending *pending // nil after Commit or Discard
}

// NewBatch begins the batch of one log entry; Commit or Discard ends it. It must not be called after Close.
func (s *Store) NewBatch() *Batch {
	s.mu.RLock()
	defer s.mu.RUnlock()
	path := s.directory.join(s.name)
	p := &pending{
		base: committed{s.db, path}, kept: s.kept, keptPolicy: &s.policy, written: map[string]int{},
		drafts: drafts{site: s.options.Site, tickets: map[desk.TicketNumber]*draft{}, sums: newSums()},
	}
	return &Batch{Reader: &Reader{from: p, path: path}, store: s, db: s.db, pending: p}
}

// Commit makes the batch and the applied index durable together, in the order of the log (without waiting for the disk).
// The index must be greater than Applied. After an error nothing was applied.
func (b *Batch) Commit(index, term uint64) error {
	defer b.Discard()
	b.store.writing.Lock()
	defer b.store.writing.Unlock()
	if b.pending == nil || b.store.db != b.db {
		return fmt.Errorf("commit log entry %d: the batch has ended or its database was replaced", index)
	}
	if err := b.pending.finish(); err != nil {
		return fmt.Errorf("commit log entry %d: %w", index, err)
	}
	batch := b.db.NewBatchWithSize(b.pending.bytes + batchOverhead)
	defer batch.Close()
	if err := b.pending.flush(batch); err != nil {
		return fmt.Errorf("commit log entry %d: %w", index, err)
	}
	if err := b.store.commit(batch, index, term); err != nil {
		return err
	}
	b.pending.keep()
	if slices.ContainsFunc(b.pending.writes, func(w write) bool { return aboutPeople(w.key) }) {
		b.store.people.Add(1)
	}
	if b.pending.ownPolicy != nil {
		b.store.viewed.changed()
	}
	if slices.ContainsFunc(b.pending.writes, func(w write) bool { return aboutRoll(w.key) }) {
		b.store.roll.changed()
	}
	return nil
}

// batchOverhead is room for the standing and the batch's own header, in bytes.
const batchOverhead = 256

// Discard ends the batch without effect; after Commit it does nothing.
func (b *Batch) Discard() {
	if b.pending != nil {
		b.pending.close()
		b.pending = nil
	}
}

func (b *Batch) set(key keys.Key, value []byte) error {
	b.pending.put(write{key: key, value: value})
	return nil
}

func (b *Batch) delete(key keys.Key) error {
	b.pending.put(write{key: key, deleted: true})
	return nil
}

// put stores a message as bytes that are the same on every replica.
func (b *Batch) put(key keys.Key, m proto.Message) error {
	value, err := encode(key, m)
	if err != nil {
		return err
	}
	return b.set(key, value)
}

// encode gives the bytes of a message that every replica writes into a row.
func encode(key keys.Key, m proto.Message) ([]byte, error) {
	value, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %s for row %x: %w", m.ProtoReflect().Descriptor().Name(), []byte(key), err)
	}
	return value, nil
}
