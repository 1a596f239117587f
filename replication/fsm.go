package replication

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// applied is the answer of the state machine to one entry of the log.
type applied struct {
	results Results
	err     error
}

var (
	errRepeated = errors.New("the entry was applied before")
	errFaulted  = errors.New("this node's state machine has stopped")
)

// fsm drives the state machine for Raft. Raft calls it from several goroutines; the state machine sees one call at a time.
type fsm struct {
	mu       sync.Mutex // serialises the calls of machine, Applied excepted
	machine  StateMachine
	position *position
	fault    *fault
	staged   *staging // where a snapshot comes from that Restore installs
	self     raft.ServerID
	seated   *atomic.Bool // set once this server has been a voter
}

var _ raft.BatchingFSM = (*fsm)(nil)

// ApplyBatch sees commands and membership entries only; the log has no other entries that change something.
func (f *fsm) ApplyBatch(logs []*raft.Log) []any {
	answers := make([]any, len(logs))
	for i, entry := range logs {
		answers[i] = f.apply(entry)
	}
	return answers
}

func (f *fsm) Apply(entry *raft.Log) any { return f.apply(entry) }

// apply commits one entry. After a fault nothing is applied and nothing acknowledged any more: the entry stays in the
// log for the next start.
func (f *fsm) apply(entry *raft.Log) applied {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault.isRaised() {
		return applied{err: errFaulted}
	}
	if entry.Index <= f.machine.Applied() {
		f.position.advance(entry.Index, entry.Term)
		return applied{err: errRepeated}
	}
	var answer applied
	switch entry.Type {
	case raft.LogCommand:
		answer.results, answer.err = f.machine.Apply(entry.Index, entry.Term, entry.Data)
	case raft.LogConfiguration:
		answer.err = f.machine.Configuration(entry.Index, entry.Term, packMembers(entry.Index, entry.Data))
		f.notice(entry.Data)
	}
	if answer.err != nil {
		answer.err = fmt.Errorf("apply log entry %d: %w", entry.Index, answer.err)
		f.fault.report(answer.err)
		return answer
	}
	f.position.advance(entry.Index, entry.Term)
	return answer
}

// notice remembers that this server has been a voter: if it is none later, it was taken out and does not ask to be let in.
func (f *fsm) notice(configuration []byte) {
	for _, s := range raft.DecodeConfiguration(configuration).Servers {
		if s.ID == f.self && s.Suffrage == raft.Voter {
			f.seated.Store(true)
		}
	}
}

// Snapshot costs nothing: the state is on disk already, Persist only marks how far. After a fault there is none, because
// Raft counts entries as applied that were not.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	if f.fault.isRaised() {
		return nil, errFaulted
	}
	return marking{f}, nil
}

// Restore replaces the state by a checkpoint that the leader sent, and marks it as what the log goes on from.
func (f *fsm) Restore(checkpoint io.ReadCloser) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.machine.Restore(checkpoint); err != nil {
		return fmt.Errorf("restore checkpoint: %w", err)
	}
	meta := f.staged.meta()
	if stands := f.machine.Applied(); stands != meta.Index {
		err := fmt.Errorf("restore checkpoint: it stands at log entry %d, the leader announced %d", stands, meta.Index)
		f.fault.report(err)
		return err
	}
	if err := f.mark(meta); err != nil {
		f.fault.report(err)
		return err
	}
	f.position.advance(meta.Index, meta.Term)
	return nil
}

// mark durably records that the log may be cut up to the snapshot's index. The caller holds mu.
func (f *fsm) mark(meta raft.SnapshotMeta) error {
	members := packMembers(meta.ConfigurationIndex, raft.EncodeConfiguration(meta.Configuration))
	if err := f.machine.SetMark(meta.Index, meta.Term, members); err != nil {
		return fmt.Errorf("set snapshot mark %d: %w", meta.Index, err)
	}
	f.position.setMark(meta.Index)
	return nil
}

// marking is a snapshot as Raft takes one: a mark.
type marking struct{ fsm *fsm }

// Persist writes the mark that the sink describes; the sink's data stay empty. A state that cannot be made durable is a
// fault.
func (m marking) Persist(sink raft.SnapshotSink) error {
	staged, ok := sink.(*stagedSink)
	if !ok {
		return fmt.Errorf("set snapshot mark: a sink of type %T", sink)
	}
	m.fsm.mu.Lock()
	defer m.fsm.mu.Unlock()
	if m.fsm.fault.isRaised() {
		return errFaulted
	}
	err := m.fsm.mark(staged.meta)
	if err != nil {
		m.fsm.fault.report(err)
	}
	return err
}

func (marking) Release() {}
