package replication

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/hashicorp/raft"
)

const (
	liveSnapshot  = "live" // the id of the state machine's own, always current state
	stagedPattern = "install-*.tmp"
)

// snapshots shows Raft the state machine as its one snapshot. Taking a snapshot sets a mark; sending one streams a
// checkpoint made at that moment, described by its own index; receiving one stages the stream in a file until it is
// restored.
type snapshots struct {
	fsm    *fsm
	staged *staging
	log    *entryLog
}

var _ raft.SnapshotStore = (*snapshots)(nil)

func (s *snapshots) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, _ raft.Transport) (raft.SnapshotSink, error) {
	return &stagedSink{staged: s.staged, meta: raft.SnapshotMeta{
		Version: version, ID: fmt.Sprintf("staged-%d-%d", term, index), Index: index, Term: term,
		Configuration: configuration, ConfigurationIndex: configurationIndex,
	}}, nil
}

// List returns the mark, from which Raft goes on at a start and which tells it that there is something to send.
func (s *snapshots) List() ([]*raft.SnapshotMeta, error) {
	s.fsm.mu.Lock()
	defer s.fsm.mu.Unlock()
	index, term, members, err := s.fsm.machine.Mark()
	if err != nil {
		return nil, fmt.Errorf("read the snapshot mark: %w", err)
	}
	if index == 0 {
		return nil, nil
	}
	meta, err := describe(index, term, members, 0)
	if err != nil {
		return nil, fmt.Errorf("read the snapshot mark %d: %w", index, err)
	}
	return []*raft.SnapshotMeta{meta}, nil
}

func (s *snapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	if id != liveSnapshot {
		return s.openStaged(id)
	}
	s.fsm.mu.Lock()
	defer s.fsm.mu.Unlock()
	r, size, index, term, members, err := s.fsm.machine.Checkpoint()
	if err != nil {
		return nil, nil, fmt.Errorf("make a checkpoint: %w", err)
	}
	meta, err := describe(index, term, members, size)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make a checkpoint at %d: %w", index, err), r.Close())
	}
	return meta, r, nil
}

// openStaged opens the received snapshot that Raft is about to restore. The log learns of it first: a crash may leave the
// restored state beside entries that end before it.
func (s *snapshots) openStaged(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	meta, r, err := s.staged.open(id)
	if err != nil {
		return nil, nil, err
	}
	if err := s.log.expect(place{meta.Index, meta.Term}); err != nil {
		return nil, nil, errors.Join(err, r.Close())
	}
	return meta, r, nil
}

func describe(index, term uint64, members []byte, size int64) (*raft.SnapshotMeta, error) {
	configurationIndex, configuration, err := unpackMembers(members)
	if err != nil {
		return nil, err
	}
	return &raft.SnapshotMeta{
		Version: 1, ID: liveSnapshot, Index: index, Term: term, Size: size,
		Configuration: configuration, ConfigurationIndex: configurationIndex,
	}, nil
}

// staging keeps the one received snapshot that is complete and not yet restored.
type staging struct {
	dir string

	mu      sync.Mutex // guards arrived, path
	arrived raft.SnapshotMeta
	path    string
}

// clear removes what an earlier run left.
func (s *staging) clear() error {
	left, err := filepath.Glob(filepath.Join(s.dir, stagedPattern))
	if err != nil {
		return fmt.Errorf("look for staged snapshots: %w", err)
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove a staged snapshot: %w", err)
		}
	}
	return nil
}

func (s *staging) put(meta raft.SnapshotMeta, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrived, s.path = meta, path
}

// meta describes the snapshot that was opened last.
func (s *staging) meta() raft.SnapshotMeta {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arrived
}

// open returns the staged snapshot; its file is gone when the reader is closed.
func (s *staging) open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.arrived.ID != id {
		return nil, nil, fmt.Errorf("open snapshot %s: it is not staged here", id)
	}
	file, err := os.Open(s.path)
	if err != nil {
		return nil, nil, fmt.Errorf("open snapshot %s: %w", id, err)
	}
	meta := s.arrived
	return &meta, removedOnClose{file}, nil
}

type removedOnClose struct{ *os.File }

func (f removedOnClose) Close() error {
	return errors.Join(f.File.Close(), os.Remove(f.Name()))
}

// stagedSink takes a snapshot in. It has a file only when something is written: a mark has no data.
type stagedSink struct {
	staged *staging
	meta   raft.SnapshotMeta
	file   *os.File
}

func (s *stagedSink) ID() string { return s.meta.ID }

func (s *stagedSink) Write(p []byte) (int, error) {
	if s.file == nil {
		file, err := os.CreateTemp(s.staged.dir, stagedPattern)
		if err != nil {
			return 0, fmt.Errorf("stage a snapshot: %w", err)
		}
		s.file = file
	}
	n, err := s.file.Write(p)
	s.meta.Size += int64(n)
	return n, err
}

func (s *stagedSink) Close() error {
	if s.file == nil {
		return nil
	}
	if err := s.file.Close(); err != nil {
		return errors.Join(fmt.Errorf("stage a snapshot: %w", err), os.Remove(s.file.Name()))
	}
	s.staged.put(s.meta, s.file.Name())
	return nil
}

func (s *stagedSink) Cancel() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}
