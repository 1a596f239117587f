package replication

import "io"

// StateMachine is what the log drives. Its calls never overlap, except that Applied may be called at any time and that
// the reader of a checkpoint is read while later entries are applied.
type StateMachine interface {
	// Apply decides and commits one entry as one batch. It returns one result per command of the entry; an entry may
	// have no commands. An error is a fault of disk or code: the node stops.
	Apply(index, term uint64, entry []byte) (Results, error)
	// Configuration records a membership entry at its index. The bytes mean something to this package alone.
	Configuration(index, term uint64, configuration []byte) error
	// Applied is the index of the last entry applied (commands, configurations), or of the snapshot mark if greater.
	Applied() uint64
	// Mark and SetMark read and durably write the snapshot mark; index 0 means none. SetMark makes everything that was
	// applied before it durable as well.
	Mark() (index, term uint64, configuration []byte, err error)
	SetMark(index, term uint64, configuration []byte) error
	// Checkpoint streams a consistent copy with its exact size; index, term and configuration are those of the copy.
	// Restore replaces the state by one, atomically, and durably marks it at the copy's index: the log here may end before.
	Checkpoint() (r io.ReadCloser, size int64, index, term uint64, configuration []byte, err error)
	Restore(r io.Reader) error
}

// Results are what the commands of one entry came to, in their order. They are encoded only where callers wait for them,
// beside the entries that are applied meanwhile.
type Results interface {
	Len() int
	Encode(i int) ([]byte, error)
}
