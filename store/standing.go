package store

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// standing is a point in the site's log, with the membership of the group as it was there.
type standing struct {
	index, term   uint64
	configuration []byte
}

const standingBytes = 16 // before the configuration

func (s standing) encode() []byte {
	value := binary.BigEndian.AppendUint64(make([]byte, 0, standingBytes+len(s.configuration)), s.index)
	value = binary.BigEndian.AppendUint64(value, s.term)
	return append(value, s.configuration...)
}

// standing reads one of the standings that are kept, the zero one when there is none.
func (r *Reader) standing(name byte) (standing, error) {
	value, err := r.get(metaKey(name))
	if value == nil || err != nil {
		return standing{}, err
	}
	if len(value) < standingBytes {
		return standing{}, &corruptError{path: r.path, cause: fmt.Errorf("standing %d has %d bytes", name, len(value))}
	}
	return standing{
		index:         binary.BigEndian.Uint64(value),
		term:          binary.BigEndian.Uint64(value[8:]),
		configuration: value[standingBytes:],
	}, nil
}

// standsAt tells up to where in the log the state goes: the greater of the last batch and the mark, because entries without
// effect may lie between them. The configuration is the latest one known there.
func (r *Reader) standsAt() (standing, error) {
	applied, err := r.standing(metaApplied)
	if err != nil {
		return standing{}, err
	}
	configuration, err := r.standing(metaConfiguration)
	if err != nil {
		return standing{}, err
	}
	mark, err := r.standing(metaMark)
	if err != nil {
		return standing{}, err
	}
	if mark.index >= configuration.index {
		configuration = mark
	}
	if mark.index > applied.index {
		applied = mark
	}
	return standing{applied.index, applied.term, configuration.configuration}, nil
}

// Applied is the index of the last log entry whose effect the store holds (commands and configurations), or of the
// snapshot mark if greater. A view opened afterwards sees at least that.
func (s *Store) Applied() uint64 { return s.applied.Load() }

// Configuration records a membership entry of the log at its index, as a batch of its own.
func (s *Store) Configuration(index, term uint64, configuration []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.db == nil {
		return ErrClosed
	}
	batch := s.db.NewBatch()
	defer batch.Close()
	if err := batch.Set(metaKey(metaConfiguration), standing{index, term, configuration}.encode(), nil); err != nil {
		return fmt.Errorf("record configuration at log entry %d: %w", index, err)
	}
	return s.commit(batch, index, term)
}

// Mark returns the snapshot mark: what the log may be cut up to. index is 0 when there is none.
func (s *Store) Mark() (index, term uint64, configuration []byte, err error) {
	var mark standing
	err = s.View(func(r *Reader) (err error) {
		mark, err = r.standing(metaMark)
		return err
	})
	return mark.index, mark.term, mark.configuration, err
}

// SetMark writes the snapshot mark durably, and with it everything applied before. A mark at or below the present one
// changes nothing: what it promises is durable already.
func (s *Store) SetMark(index, term uint64, configuration []byte) (err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.db == nil {
		return ErrClosed
	}
	if err := s.fault.err(); err != nil {
		return err
	}
	defer s.survive(&err)
	reader := s.reader(s.db)
	known, err := reader.standing(metaMark)
	if err != nil || index <= known.index {
		return err
	}
	err = s.db.Set(metaKey(metaMark), standing{index, term, configuration}.encode(), pebble.Sync)
	if err != nil {
		return fmt.Errorf("set snapshot mark %d: %w", index, explain(reader.path, err))
	}
	s.applied.Store(max(index, s.applied.Load()))
	return nil
}

// commit writes a batch and the applied index as one. The caller holds writing. The disk is not waited for: the log holds
// the entry until a mark has made it durable here.
func (s *Store) commit(batch *pebble.Batch, index, term uint64) (err error) {
	if err := s.fault.err(); err != nil {
		return err
	}
	defer s.survive(&err)
	if applied := s.applied.Load(); index <= applied {
		return fmt.Errorf("commit log entry %d: the store is at %d already", index, applied)
	}
	if err := batch.Set(metaKey(metaApplied), standing{index: index, term: term}.encode(), nil); err != nil {
		return fmt.Errorf("commit log entry %d: %w", index, err)
	}
	if err := batch.Set(metaKey(metaWork), workUpTo(index), nil); err != nil {
		return fmt.Errorf("commit log entry %d: %w", index, err)
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("commit log entry %d: %w", index, err)
	}
	s.applied.Store(index)
	return nil
}
