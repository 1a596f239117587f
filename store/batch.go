package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/store/keys"
)

// Batch collects the writes of one log entry and reads them, on top of the state, before they are committed. It is used by
// one goroutine, the log's, which has one batch at a time and none while it restores. Errors of its methods are faults.
type Batch struct {
	*Reader
	store *Store
	db    *pebble.DB
	batch *pebble.Batch // nil after Commit or Discard
}

// NewBatch begins the batch of one log entry; Commit or Discard ends it. It must not be called after Close.
func (s *Store) NewBatch() *Batch {
	s.mu.RLock()
	defer s.mu.RUnlock()
	batch := s.db.NewIndexedBatch()
	return &Batch{Reader: s.reader(batch), store: s, db: s.db, batch: batch}
}

// Commit makes the batch and the applied index durable together, in the order of the log (without waiting for the disk).
// The index must be greater than Applied. After an error nothing was applied.
func (b *Batch) Commit(index, term uint64) error {
	defer b.Discard()
	b.store.writing.Lock()
	defer b.store.writing.Unlock()
	if b.batch == nil || b.store.db != b.db {
		return fmt.Errorf("commit log entry %d: the batch has ended or its database was replaced", index)
	}
	return b.store.commit(b.batch, index, term)
}

// Discard ends the batch without effect; after Commit it does nothing.
func (b *Batch) Discard() {
	if b.batch == nil {
		return
	}
	// Closing a batch only gives back its memory.
	_ = b.batch.Close()
	b.batch = nil
}

func (b *Batch) set(key keys.Key, value []byte) error {
	if err := b.batch.Set(key, value, nil); err != nil {
		return fmt.Errorf("write row %x: %w", []byte(key), err)
	}
	return nil
}

func (b *Batch) delete(key keys.Key) error {
	if err := b.batch.Delete(key, nil); err != nil {
		return fmt.Errorf("delete row %x: %w", []byte(key), err)
	}
	return nil
}

// put stores a message as bytes that are the same on every replica.
func (b *Batch) put(key keys.Key, m proto.Message) error {
	value, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode %s for row %x: %w", m.ProtoReflect().Descriptor().Name(), []byte(key), err)
	}
	return b.set(key, value)
}
