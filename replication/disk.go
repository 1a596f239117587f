package replication

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/hashicorp/raft"
)

// What to do about a disk that does not fit.
const (
	rejoin  = "remove this server from its site, move the data directory away and let the node join anew"
	putBack = "put the right one back, or move the data directory away and let the node join anew"
)

// damage marks an error that comes from wrong bytes in a file.
type damage struct{ error }

// disk is what Raft must not forget: the log, and beside it the term with the vote.
type disk struct {
	*entryLog
	ballot *ballot
}

var (
	_ raft.MonotonicLogStore = (*disk)(nil)
	_ raft.StableStore       = (*disk)(nil)
)

// openDisk opens or makes both, for the server of the options alone.
func openDisk(o Options, fault *fault) (*disk, error) {
	fs := o.FS
	if fs == nil {
		fs = vfs.Default
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the Raft log: %w", err)
	}
	// The ballot first: it can tell that another process has the directory open.
	ballot, err := openBallot(o.Dir, fault)
	if err != nil {
		return nil, err
	}
	if err := syncDirectories(o.Dir); err != nil {
		return nil, errors.Join(err, ballot.Close())
	}
	log, err := openLog(fs, o.Dir, o.Room, fault, o.Logger)
	if err != nil {
		return nil, errors.Join(err, ballot.Close())
	}
	d := &disk{entryLog: log, ballot: ballot}
	if err := d.claim(o.Self.ID); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// syncDirectories makes the entries of a new directory and of what is in it durable.
func syncDirectories(dir string) error {
	for _, path := range []string{dir, filepath.Dir(dir)} {
		handle, err := vfs.Default.OpenDir(path)
		if err == nil {
			err = errors.Join(handle.Sync(), handle.Close())
		}
		if err != nil {
			return fmt.Errorf("make the directory of the Raft log: %w", err)
		}
	}
	return nil
}

// claim checks that log and ballot are this server's, both of them, and makes them so when both are new. The ballot is
// claimed first; a term is only written when both are, so a log without an owner beside a term is one that was lost.
func (d *disk) claim(self string) error {
	owner, term, err := d.ballot.known()
	if err != nil {
		return err
	}
	logOwner := d.owner
	if owner == "" && logOwner == "" && term == 0 && d.last == 0 {
		if err := d.ballot.Set([]byte(ballotOwner), []byte(self)); err != nil {
			return err
		}
		owner = self
	}
	switch {
	case owner == "":
		return fmt.Errorf("%s %s is missing or empty while the Raft log %s is there: %s", ballotName, d.ballot.path, d.entryLog.path, putBack)
	case owner != self:
		return fmt.Errorf("%s %s belongs to server %s, this is server %s: %s", ballotName, d.ballot.path, owner, self, putBack)
	case logOwner == self:
		return nil
	case logOwner != "":
		return fmt.Errorf("the Raft log %s belongs to server %s, this is server %s: %s", d.entryLog.path, logOwner, self, putBack)
	case term > 0 || d.last > 0:
		return fmt.Errorf("the Raft log %s is missing or empty while %s %s is there: %s", d.entryLog.path, ballotName, d.ballot.path, putBack)
	default:
		return d.entryLog.claim(self)
	}
}

// state is where the state machine stands.
type state struct{ mark, markTerm, applied uint64 }

// stands checks that log, term and state machine belong together: the log must go on where the state ends, and must have
// been there when the state was made. A log that is shorter would be filled with other entries under the same indexes,
// which the state machine would take for those that it has. A log whose place a checkpoint had taken when the node
// stopped is emptied, as Raft would have done.
func (d *disk) stands(at state) error {
	_, term, err := d.ballot.known()
	if err != nil {
		return err
	}
	log := d.entryLog
	newest, err := log.termOf(log.last)
	if err != nil {
		return err
	}
	marked, err := log.termOf(at.mark)
	if err != nil {
		return err
	}
	replaced := log.base == place{at.mark, at.markTerm} && at.applied == at.mark && at.mark > 0
	other := marked > 0 && marked != at.markTerm // an entry of another history at the mark
	switch {
	case term < max(at.markTerm, newest):
		return fmt.Errorf("%s %s knows terms up to %d while log and state are of term %d, so it is not the one that belongs to them: %s", ballotName, d.ballot.path, term, max(at.markTerm, newest), putBack)
	case replaced && log.last > 0 && (log.last < at.mark || other):
		return log.DeleteRange(log.first, log.last)
	case other:
		return fmt.Errorf("the Raft log %s has an entry %d of term %d where the state is of term %d, so it is not the one that belongs to it: %s", log.path, at.mark, marked, at.markTerm, putBack)
	case log.last == 0 && at.applied > 0 && !replaced:
		return fmt.Errorf("the Raft log %s is empty while the state is at log entry %d: %s", log.path, at.applied, putBack)
	case log.last < at.applied && !replaced:
		return fmt.Errorf("the Raft log %s ends at entry %d while the state is at log entry %d, so it lost its end or is an old copy: %s", log.path, log.last, at.applied, putBack)
	case log.first > at.mark+1:
		return fmt.Errorf("the Raft log %s begins at entry %d while the state is durable up to %d only: put the lost state back, or move the data directory away and let the node join anew", log.path, log.first, at.mark)
	}
	return nil
}

// termOf is the term of the entry at the index, 0 when the log does not have it.
func (l *entryLog) termOf(index uint64) (uint64, error) {
	var entry raft.Log
	err := l.GetLog(index, &entry)
	if errors.Is(err, raft.ErrLogNotFound) {
		return 0, nil
	}
	return entry.Term, err
}

func (d *disk) Set(key, value []byte) error           { return d.ballot.Set(key, value) }
func (d *disk) Get(key []byte) ([]byte, error)        { return d.ballot.Get(key) }
func (d *disk) SetUint64(key []byte, to uint64) error { return d.ballot.SetUint64(key, to) }
func (d *disk) GetUint64(key []byte) (uint64, error)  { return d.ballot.GetUint64(key) }

// Close ends the use of both.
func (d *disk) Close() error { return errors.Join(d.entryLog.Close(), d.ballot.Close()) }
