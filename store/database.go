package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"
)

// format is the version of the layout of keys and values. It grows when an older program could not read the state or
// would damage it; a new key family alone does not need that.
const format = 1

// makeDatabase makes the first database and then names it in CURRENT, so that a crash leaves a whole one or none.
func (s *Store) makeDatabase() (name string, err error) {
	if name, err = s.directory.unused(databasePrefix); err != nil {
		return "", err
	}
	db, err := s.openPebble(s.directory.join(name), s.options.pebble(s.directory.fs))
	if err != nil {
		return "", err
	}
	if err := errors.Join(s.describe(db), db.Close()); err != nil {
		return "", err
	}
	return name, s.directory.setCurrent(name)
}

// describe writes into a new database what it is.
func (s *Store) describe(db *pebble.DB) error {
	batch := db.NewBatch()
	defer batch.Close()
	if err := batch.Set(metaKey(metaFormat), binary.BigEndian.AppendUint32(nil, format), nil); err != nil {
		return err
	}
	if err := batch.Set(metaKey(metaSite), []byte(s.options.Site), nil); err != nil {
		return err
	}
	return batch.Commit(pebble.Sync)
}

// openDatabase opens a database of the data directory, checks that it is this site's and in a format known here, and builds rows
// that the program which wrote it did not know.
func (s *Store) openDatabase(name string) (*pebble.DB, error) {
	path := s.directory.join(name)
	if _, err := s.directory.fs.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, &corruptError{path: path, cause: errors.New("it is missing")}
	}
	options := s.options.pebble(s.directory.fs)
	options.EventListener = s.stalls.beside(options.EventListener)
	options.ErrorIfNotExists = true
	db, err := s.openPebble(path, options)
	if fault := s.fault.err(); fault != nil {
		return nil, fault
	}
	if err != nil {
		return nil, explainOpen(path, err)
	}
	if err := s.check(newReader(db, path)); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := s.buildWork(db, path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (s *Store) check(r *Reader) error {
	version, err := r.get(metaKey(metaFormat))
	if err != nil {
		return err
	}
	if len(version) != 4 {
		return &corruptError{path: r.path, cause: errors.New("it does not say its format")}
	}
	if found := binary.BigEndian.Uint32(version); found > format {
		return fmt.Errorf("database %s has format %d, this tierdesk knows formats up to %d: run the newer tierdesk that wrote it",
			r.path, found, format)
	}
	site, err := r.get(metaKey(metaSite))
	if err != nil {
		return err
	}
	if string(site) != s.options.Site {
		return fmt.Errorf("database %s is the state of site %s, not of site %s: use the data of this site", r.path, site, s.options.Site)
	}
	return nil
}
