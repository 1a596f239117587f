package replication

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	logFile      = "raft.db"
	currentTerm  = "CurrentTerm"    // the key under which Raft keeps its term
	lockPatience = time.Second      // for another process to let go of the file
	stallLimit   = 30 * time.Second // a disk that takes longer for one write is a fault
	cachedLogs   = 128              // entries kept in memory for the followers
	mappedBytes  = 64 << 20         // growing the map stops all writes for a moment
)

// disk is the durable log with term and vote, in one bbolt file. Every error of it is a fault: Raft would go on with a
// log that it cannot write, and keep its followers from electing another leader.
type disk struct {
	*raftboltdb.BoltStore
	path  string
	fault *fault
}

// openDisk opens or makes the log in dir.
func openDisk(dir string, fault *fault) (*disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the log's directory: %w", err)
	}
	path := filepath.Join(dir, logFile)
	if err := probe(path); err != nil {
		return nil, explain(path, err)
	}
	store, err := raftboltdb.New(raftboltdb.Options{Path: path, BoltOptions: &bbolt.Options{
		Timeout: lockPatience, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, InitialMmapSize: mappedBytes,
	}})
	if err != nil {
		return nil, explain(path, err)
	}
	return &disk{BoltStore: store, path: path, fault: fault}, nil
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

// damage marks an error that comes from wrong bytes in the file.
type damage struct{ error }

// explain says what is wrong with the log file and what to do.
func explain(path string, err error) error {
	var found damage
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("open the Raft log %s: it is in use by another node; stop that one or give this one its own data directory", path)
	case errors.As(err, &found), errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrInvalidMapping):
		return fmt.Errorf("the Raft log %s is damaged (%w): remove this server from its site, move the data directory away and let the node join anew", path, err)
	default:
		return fmt.Errorf("open the Raft log %s: %w", path, err)
	}
}

// state is where the state machine stands.
type state struct{ mark, markTerm, applied uint64 }

// stands checks that log and state machine belong together: the log must go on where the state ends, and must have been
// there when the state was made. A log that is shorter would be filled with other entries under the same indexes, which
// the state machine would take for those that it has.
func (d *disk) stands(hasState bool, at state) error {
	first, firstErr := d.FirstIndex()
	last, lastErr := d.LastIndex()
	term, termErr := d.GetUint64([]byte(currentTerm))
	if errors.Is(termErr, raftboltdb.ErrKeyNotFound) {
		termErr = nil
	}
	if err := errors.Join(firstErr, lastErr, termErr); err != nil {
		return explain(d.path, err)
	}
	switch {
	case !hasState && at.applied > 0:
		return fmt.Errorf("the Raft log %s is empty while the state is at log entry %d: put the lost file back, or move the data directory away and let the node join anew", d.path, at.applied)
	case term < at.markTerm:
		return fmt.Errorf("the Raft log %s knows terms up to %d while the state is of term %d, so it is not the one that belongs to it: put the right file back, or move the data directory away and let the node join anew", d.path, term, at.markTerm)
	case at.applied > max(last, at.mark):
		return fmt.Errorf("the Raft log %s ends at entry %d while the state is at log entry %d, so it lost its end or is an old copy: put the right file back, or move the data directory away and let the node join anew", d.path, last, at.applied)
	case first > at.mark+1:
		return fmt.Errorf("the Raft log %s begins at entry %d while the state is durable up to %d only: put the lost state back, or move the data directory away and let the node join anew", d.path, first, at.mark)
	}
	return nil
}

func (d *disk) StoreLog(entry *raft.Log) error { return d.StoreLogs([]*raft.Log{entry}) }

func (d *disk) StoreLogs(entries []*raft.Log) error {
	stalled := time.AfterFunc(stallLimit, func() {
		d.fault.report(fmt.Errorf("write the Raft log %s: the disk has not answered for %v", d.path, stallLimit))
	})
	defer stalled.Stop()
	err := d.BoltStore.StoreLogs(entries)
	if err != nil {
		d.fault.report(fmt.Errorf("write the Raft log %s: %w", d.path, err))
	}
	return err
}

// GetLog reads an entry and verifies its checksum, so that a leader never passes damage on. raft.ErrLogNotFound is no fault.
func (d *disk) GetLog(index uint64, entry *raft.Log) error {
	err := d.BoltStore.GetLog(index, entry)
	if errors.Is(err, raft.ErrLogNotFound) {
		return err
	}
	if err == nil && entry.Type == raft.LogCommand && !bytes.Equal(entry.Extensions, checksum(entry.Data)) {
		err = errChecksum
	}
	if err != nil {
		err = explain(d.path, damage{fmt.Errorf("entry %d: %w", index, err)})
		d.fault.report(err)
	}
	return err
}
