package replication

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/hashicorp/raft"
)

const (
	logDirectory = "log" // in the replica's directory
	logName      = "the Raft log"
)

// Keys that are no entries: eight zero bytes, as no entry has index 0, and one more.
var (
	ownerKey = append(entryKey(0), 1) // the id of the server whose log it is
	baseKey  = append(entryKey(0), 2) // index and term of the checkpoint that was last about to take the log's place
)

// place is an index of the log and the term of the entry that has it.
type place struct{ index, term uint64 }

// entryLog is Raft's log in a database of its own. Its entries have no gaps. What StoreLogs has returned from is on the
// disk, at the price of one sync. A failed write is a fault: Raft would go on with a log that it cannot write.
type entryLog struct {
	*trouble
	disk     vfs.FS
	db       *pebble.DB
	holds    *retention
	mostHeld uint64                    // bytes of log kept for servers that got a checkpoint
	room     func() error              // why this disk takes no more log, nil when it has room; may be nil
	raft     atomic.Pointer[raft.Raft] // nil until Raft has started
	logger   *slog.Logger
	appended atomic.Int64 // bytes since the log was opened

	writing sync.Mutex // makes writes follow each other
	severed bool       // entries at the end were cut and none appended since; guarded by writing

	mu          sync.RWMutex // guards all below; readers hold it while they use the database
	first, last uint64       // 0 when there are no entries
	base        place
	owner       string // "" until the log belongs to a server
	closed      bool
}

// openLog opens or makes the log in dir on that file system. room may be nil.
func openLog(disk vfs.FS, dir string, room func() error, fault *fault, logger *slog.Logger) (*entryLog, error) {
	trouble := newTrouble(logName, filepath.Join(dir, logDirectory), fault)
	l := &entryLog{trouble: trouble, disk: disk, mostHeld: maxHeldBytes, room: room, logger: logger}
	l.holds = newRetention(func() uint64 { _, last := l.ends(); return last })
	var err error
	if l.db, err = trouble.open(logOptions(disk, logLogger{logger, trouble}, logEvents(logger, trouble))); err != nil {
		return nil, explainLog(l.path, err)
	}
	if err := l.load(); err != nil {
		return nil, errors.Join(explainLog(l.path, err), l.db.Close())
	}
	return l, nil
}

// load reads what is kept in memory. It looks at both ends of the log, however long it is.
func (l *entryLog) load() error {
	owner, err := l.get(ownerKey)
	if err != nil {
		return err
	}
	base, err := l.get(baseKey)
	if err != nil {
		return err
	}
	if len(base) != 0 && len(base) != 2*indexBytes {
		return damage{fmt.Errorf("the place of the last checkpoint has %d bytes", len(base))}
	}
	l.owner = string(owner)
	if len(base) > 0 {
		l.base = place{binary.BigEndian.Uint64(base), binary.BigEndian.Uint64(base[indexBytes:])}
	}
	entries, err := l.db.NewIter(&pebble.IterOptions{LowerBound: entryKey(1)})
	if err != nil {
		return err
	}
	if entries.First() {
		l.first = binary.BigEndian.Uint64(entries.Key())
	}
	if entries.Last() {
		l.last = binary.BigEndian.Uint64(entries.Key())
	}
	return errors.Join(entries.Error(), entries.Close())
}

// get returns a copy of the value, nil when there is none.
func (l *entryLog) get(key []byte) ([]byte, error) {
	value, release, err := l.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return bytes.Clone(value), release.Close()
}

// set writes a value durably.
func (l *entryLog) set(key, value []byte) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	batch := l.db.NewBatch()
	defer batch.Close()
	if err := batch.Set(key, value, nil); err != nil {
		return l.report(err)
	}
	return l.commit(batch, pebble.Sync)
}

// claim gives an empty log to a server for ever.
func (l *entryLog) claim(owner string) error {
	if err := l.set(ownerKey, []byte(owner)); err != nil {
		return err
	}
	// In the write-ahead log that a new database begins with, damage looks like an end. The next one is better.
	if err := l.db.Flush(); err != nil {
		return l.report(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owner = owner
	return nil
}

// expect records durably that a checkpoint is about to take the place of the log. Only then may a state begin where the
// log ends before it.
func (l *entryLog) expect(at place) error {
	value := binary.BigEndian.AppendUint64(entryKey(at.index), at.term)
	if err := l.set(baseKey, value); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.base = at
	return nil
}

// IsMonotonic makes Raft empty the log when a checkpoint is installed: the entries before it may be of another history,
// and this server would send them if it led later.
func (l *entryLog) IsMonotonic() bool { return true }

// FirstIndex is the index of the first entry, 0 when there are none.
func (l *entryLog) FirstIndex() (uint64, error) {
	first, _ := l.ends()
	return first, nil
}

// LastIndex is the index of the last entry, 0 when there are none.
func (l *entryLog) LastIndex() (uint64, error) {
	_, last := l.ends()
	return last, nil
}

func (l *entryLog) ends() (first, last uint64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.first, l.last
}

// GetLog reads an entry and verifies its checksums, so that a leader never passes damage on. raft.ErrLogNotFound is no
// fault; an entry that is missing among the others is.
func (l *entryLog) GetLog(index uint64, entry *raft.Log) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.last == 0 || index < l.first || index > l.last {
		return raft.ErrLogNotFound
	}
	if l.closed {
		return fmt.Errorf("read the Raft log %s: %w", l.path, errClosed)
	}
	if err := l.read(index, entry); err != nil {
		err = explainLog(l.path, damage{fmt.Errorf("entry %d: %w", index, err)})
		l.fault.report(err)
		return err
	}
	return nil
}

func (l *entryLog) read(index uint64, entry *raft.Log) error {
	value, release, err := l.db.Get(entryKey(index))
	if err != nil {
		return err
	}
	defer release.Close()
	if err := decodeEntry(index, value, entry); err != nil {
		return err
	}
	if entry.Type == raft.LogCommand && !bytes.Equal(entry.Extensions, checksum(entry.Data)) {
		return errChecksum
	}
	return nil
}

// StoreLog appends one entry durably.
func (l *entryLog) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

// StoreLogs appends the entries durably, all or none. It refuses what a follower has no room for, which is no fault.
func (l *entryLog) StoreLogs(entries []*raft.Log) error {
	if len(entries) == 0 {
		return nil
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := l.refusal(entries[0].Index); err != nil {
		return fmt.Errorf("write the Raft log %s: %w", l.path, err)
	}
	if err := l.append(entries); err != nil {
		return err
	}
	l.severed = false
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == 0 {
		l.first = entries[0].Index
	}
	l.last = entries[len(entries)-1].Index
	return nil
}

// append writes the entries as one batch. The caller holds writing.
func (l *entryLog) append(entries []*raft.Log) error {
	if l.hasEnded() {
		return l.cause
	}
	_, last := l.ends()
	due := entries[0].Index
	if last > 0 {
		due = last + 1
	}
	batch := l.db.NewBatch()
	defer batch.Close()
	for i, entry := range entries {
		if entry.Index != due+uint64(i) {
			return l.report(fmt.Errorf("entry %d comes where entry %d is due", entry.Index, due+uint64(i)))
		}
		put := batch.SetDeferred(indexBytes, entrySize(entry))
		binary.BigEndian.PutUint64(put.Key, entry.Index)
		appendEntry(put.Value[:0], entry)
		if err := put.Finish(); err != nil {
			return l.report(err)
		}
	}
	if err := l.commit(batch, pebble.Sync); err != nil {
		return err
	}
	l.appended.Add(int64(batch.Len()))
	return nil
}

// refusal tells why an append that begins at the index is not even tried. A follower may refuse: Raft's appendEntries
// returns from a failed StoreLogs before it moves its idea of the log's end, answers that it did not succeed, and the
// leader tries again after a pause. It must not refuse in two cases. Where conflicting entries were cut just before,
// appendEntries still takes them for there, and would look for them in vain at every further try. And a first entry that
// is refused while a group is founded leaves a term behind that keeps Raft from founding for ever. A leader has no choice:
// others may have the entry.
func (l *entryLog) refusal(index uint64) error {
	serves := l.raft.Load()
	if l.room == nil || l.severed || index == 1 || serves == nil || serves.State() == raft.Leader {
		return nil
	}
	return l.room()
}

// commit makes a batch take effect and waits for the disk as the options say. The caller holds writing.
func (l *entryLog) commit(batch *pebble.Batch, options *pebble.WriteOptions) (err error) {
	if l.hasEnded() {
		return l.cause
	}
	defer l.survive(&err)
	defer l.watch()()
	if err := batch.Commit(options); err != nil {
		return l.report(err)
	}
	return nil
}

// Close ends the use of the log. After a fault of its own the files stay as they are, because the database may never
// give its locks back; the process must end.
func (l *entryLog) Close() error {
	if l.hasEnded() {
		return nil
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	if err := l.db.Close(); err != nil {
		return fmt.Errorf("close the Raft log %s: %w", l.path, err)
	}
	return nil
}

// explainLog says what is wrong with the log at the path and what to do.
func explainLog(path string, err error) error {
	var found damage
	if errors.As(err, &found) || pebble.IsCorruptionError(err) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the Raft log %s is damaged (%w): %s", path, oneLine{err}, rejoin)
	}
	return fmt.Errorf("open the Raft log %s: %w", path, oneLine{err})
}
