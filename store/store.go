package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// ErrClosed is returned by every use of a store after Close.
var ErrClosed = errors.New("the store is closed")

// Store is one node's state on disk. Its methods are safe for concurrent use; there is one writer, the log.
type Store struct {
	options   Options
	directory *directory
	serverID  string
	applied   atomic.Uint64
	people    atomic.Uint64 // see PeopleVersion
	fault     *fault
	stalls    stalls

	// writing is held while the state changes, or must not change. It comes before mu, and db and name change only with
	// both held, so that a holder of either may read them.
	writing sync.Mutex
	// mu guards db and name. Views hold it shared for as long as they read.
	mu   sync.RWMutex
	db   *pebble.DB // nil after Close
	kept kept       // of db
	name string     // directory of db in the data directory

	policy policyMemo // of db; only batches use it, one after the other
	viewed policyView
	roll   rollView
}

// Open opens or makes the store. It refuses a directory that another process uses, that belongs to another site or node,
// or that a newer tierdesk wrote.
func Open(o Options) (*Store, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	dir, err := lockDirectory(o)
	if err != nil {
		return nil, err
	}
	s := &Store{options: o, directory: dir, fault: newFault(), kept: kept{}}
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open data directory %s: %w", o.Dir, err), dir.close())
	}
	return s, nil
}

func (s *Store) open() error {
	left, err := s.directory.read(restoringFile)
	if err != nil {
		return err
	}
	if left != nil {
		return errRestoring
	}
	known, err := s.directory.identity()
	if err != nil {
		return err
	}
	if known != nil && (known.Site != s.options.Site || known.Node != s.options.Node) {
		return fmt.Errorf("it belongs to node %s of site %s, not to node %s of site %s: correct the configuration or choose another directory",
			known.Node, known.Site, s.options.Node, s.options.Site)
	}
	if s.name, err = s.directory.current(); err != nil {
		return err
	}
	if s.name == "" && known != nil {
		return &corruptError{path: s.directory.join(currentFile), cause: errors.New("it is missing")}
	}
	if s.name == "" {
		if s.name, err = s.makeDatabase(); err != nil {
			return fmt.Errorf("make the first database: %w", err)
		}
	}
	db, err := s.openDatabase(s.name)
	if err != nil {
		return err
	}
	if err := s.adopt(db, known); err != nil {
		return errors.Join(err, db.Close())
	}
	if err := s.directory.clean(s.name); err != nil {
		return errors.Join(fmt.Errorf("delete what a crash left behind: %w", err), db.Close())
	}
	s.db = db
	return nil
}

// adopt takes over the standing of the open database and the identity, which a directory gets when its first database
// is whole.
func (s *Store) adopt(db *pebble.DB, known *identity) error {
	at, err := s.reader(db).standsAt()
	if err != nil {
		return err
	}
	if known == nil && at.index > 0 {
		return &corruptError{path: s.directory.join(identityFile), cause: errors.New("it is missing")}
	}
	if known == nil {
		if known, err = s.directory.own(s.options.Site, s.options.Node); err != nil {
			return fmt.Errorf("write %s: %w", identityFile, err)
		}
	}
	s.serverID = known.Node + "-" + known.ID
	s.applied.Store(at.index)
	return nil
}

// ServerID is the node id and a random id minted with the data directory: a wiped disk is another Raft server.
func (s *Store) ServerID() string { return s.serverID }

// Close waits for views, makes everything durable and gives the directory free. It must not be called while a batch is
// open. Streams of checkpoints stay readable and are closed by their readers. A second Close returns ErrClosed. After a
// fault it returns that at once and closes nothing, because the database may never give its locks back.
func (s *Store) Close() error {
	if err := s.fault.err(); err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return ErrClosed
	}
	err := errors.Join(s.db.Close(), s.directory.close())
	s.db = nil
	if err != nil {
		return fmt.Errorf("close data directory %s: %w", s.directory.path, err)
	}
	return nil
}

// View calls read with a consistent view of the state. The reader must not be kept. A view never waits for the log and the
// log never for a view, but Restore waits for all views: read must not open another one.
func (s *Store) View(read func(*Reader) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.db == nil {
		return ErrClosed
	}
	policy, roll := s.viewed.open(), s.roll.open()
	snapshot := s.db.NewSnapshot()
	defer snapshot.Close()
	reader := s.reader(snapshot)
	reader.policy, reader.roll = policy, roll
	return read(reader)
}

// reader reads from what belongs to the current database. The caller holds writing or mu.
func (s *Store) reader(from pebble.Reader) *Reader {
	return newReader(from, s.directory.join(s.name))
}
