package replication

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	ballotFile   = "vote.db" // in the replica's directory
	ballotName   = "the file of term and vote"
	currentTerm  = "CurrentTerm" // the key under which Raft keeps its term
	ballotOwner  = "Owner"       // the key of the id of the server whose vote it is
	lockPatience = time.Second   // for another process to let go of the file
)

// ballot is the term that this server is in and the vote that it gave, in one bbolt file. A write that fails is a fault.
type ballot struct {
	*trouble
	db *raftboltdb.BoltStore
	// stuck is never closed outside of tests: a term that cannot be written makes Raft panic, so its caller is kept until
	// the process ends with a better word.
	stuck chan struct{}
}

// openBallot opens or makes the file in dir.
func openBallot(dir string, fault *fault) (*ballot, error) {
	path := filepath.Join(dir, ballotFile)
	if err := probe(path); err != nil {
		return nil, explainBallot(path, err)
	}
	db, err := raftboltdb.New(raftboltdb.Options{Path: path, BoltOptions: &bbolt.Options{
		Timeout: lockPatience, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType,
	}})
	if err != nil {
		return nil, explainBallot(path, err)
	}
	return &ballot{trouble: newTrouble(ballotName, path, fault), db: db, stuck: make(chan struct{})}, nil
}

// probe walks an existing file once, because bbolt answers damage that it meets later with a panic.
func probe(path string) (err error) {
	if info, err := os.Stat(path); errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = damage{fmt.Errorf("%v", r)}
		}
	}()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: lockPatience})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, bucket *bbolt.Bucket) error {
			return bucket.ForEach(func(_, _ []byte) error { return nil })
		})
	})
}

// explainBallot says what is wrong with the file at the path and what to do.
func explainBallot(path string, err error) error {
	var found damage
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("open %s %s: it is in use by another node; stop that one or give this one its own data directory", ballotName, path)
	case errors.As(err, &found), errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrInvalidMapping):
		return fmt.Errorf("%s %s is damaged (%w): %s", ballotName, path, err, rejoin)
	default:
		return fmt.Errorf("open %s %s: %w", ballotName, path, err)
	}
}

// Set writes a value durably; Raft keeps whom it voted for so.
func (b *ballot) Set(key, value []byte) error {
	return b.write(func() error { return b.db.Set(key, value) })
}

// SetUint64 writes a number durably; Raft keeps terms so.
func (b *ballot) SetUint64(key []byte, value uint64) error {
	err := b.write(func() error { return b.db.SetUint64(key, value) })
	if err != nil && string(key) == currentTerm {
		<-b.stuck
	}
	return err
}

func (b *ballot) write(set func() error) error {
	if b.hasEnded() {
		return b.cause
	}
	defer b.watch()()
	if err := set(); err != nil {
		return b.report(err)
	}
	return nil
}

// Get returns the value of the key. The text of the error for a missing one is what Raft looks for.
func (b *ballot) Get(key []byte) ([]byte, error) { return b.db.Get(key) }

// GetUint64 returns the number of the key, with the same error.
func (b *ballot) GetUint64(key []byte) (uint64, error) { return b.db.GetUint64(key) }

// known returns the owner and the term, "" and 0 in a file that is empty.
func (b *ballot) known() (owner string, term uint64, err error) {
	id, err := b.db.Get([]byte(ballotOwner))
	if err != nil && !errors.Is(err, raftboltdb.ErrKeyNotFound) {
		return "", 0, explainBallot(b.path, err)
	}
	term, err = b.db.GetUint64([]byte(currentTerm))
	if err != nil && !errors.Is(err, raftboltdb.ErrKeyNotFound) {
		return "", 0, explainBallot(b.path, err)
	}
	return string(id), term, nil
}

// size is what the file takes and how much of that holds nothing, in bytes.
func (b *ballot) size() (all, free int64) {
	info, err := os.Stat(b.path)
	if err != nil {
		return 0, 0
	}
	pages := b.db.Stats()
	return info.Size(), int64(pages.FreePageN+pages.PendingPageN) * int64(os.Getpagesize())
}

// Close ends the use of the file. After a fault of its own it stays as it is: a write may still hang in it.
func (b *ballot) Close() error {
	if b.hasEnded() {
		return nil
	}
	if err := b.db.Close(); err != nil {
		return fmt.Errorf("close %s %s: %w", ballotName, b.path, err)
	}
	return nil
}
