package store

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Restore replaces the whole state by a stream that Checkpoint made, atomically: after a crash the directory holds the old
// state or the new one. A stream that is cut, damaged, of another site or of a newer format is refused and changes nothing.
// The node's identity stays. The snapshot mark becomes what the stream stands at, because the log holds nothing before it.
func (s *Store) Restore(r io.Reader) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.db == nil {
		return ErrClosed
	}
	name, err := s.directory.unused(databasePrefix)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	db, at, err := s.receive(name, r)
	if err != nil {
		return errors.Join(fmt.Errorf("restore: %w", err), s.directory.fs.RemoveAll(s.directory.join(name)))
	}
	// From here on the new directory stays, even after an error: CURRENT may name it.
	if err := s.directory.setCurrent(name); err != nil {
		return errors.Join(fmt.Errorf("restore: make %s the current database: %w", name, err), db.Close())
	}
	s.swap(name, db, at)
	return nil
}

// receive unpacks, checks and opens a database, and sets its mark. After an error it is closed.
func (s *Store) receive(name string, r io.Reader) (*pebble.DB, standing, error) {
	if err := s.unpack(name, r); err != nil {
		return nil, standing{}, err
	}
	db, err := s.openDatabase(name)
	if err != nil {
		return nil, standing{}, err
	}
	reader := newReader(db, s.directory.join(name))
	at, err := reader.standsAt()
	if err == nil {
		err = db.Set(metaKey(metaMark), at.encode(), pebble.Sync)
	}
	if err != nil {
		return nil, standing{}, errors.Join(err, db.Close())
	}
	return db, at, nil
}

// swap puts the new database in the place of the old one, waits for the views of the old one and deletes it. The caller
// holds writing.
func (s *Store) swap(name string, db *pebble.DB, at standing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, oldPath := s.db, s.directory.join(s.name)
	s.db, s.name = db, name
	s.kept, s.policy = kept{}, policyMemo{}
	s.applied.Store(at.index)
	s.people.Add(1)
	s.viewed.changed()
	s.roll.changed()
	if err := errors.Join(old.Close(), s.directory.fs.RemoveAll(oldPath)); err != nil {
		s.options.Logger.Warn("the database before a restore could not be deleted; the next start deletes it",
			"directory", oldPath, "error", err)
	}
}

// unpack writes the files of a stream into a new directory, durably, and checks the stream against its checksum.
func (s *Store) unpack(name string, r io.Reader) error {
	fs, path := s.directory.fs, s.directory.join(name)
	if err := fs.MkdirAll(path, directoryMode); err != nil {
		return err
	}
	err := readArchive(r, func(name string, content io.Reader) error {
		return writeFile(fs, fs.PathJoin(path, name), content)
	})
	if err != nil {
		return err
	}
	return errors.Join(syncDirectory(fs, path), s.directory.sync())
}

// readArchive hands out the files of a stream and checks the stream against its checksum.
func readArchive(r io.Reader, take func(name string, content io.Reader) error) error {
	sum := sha256.New()
	for archive := tar.NewReader(r); ; {
		entry, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return errors.New("the checkpoint ends before its checksum: send it again")
		}
		if errors.Is(err, tar.ErrHeader) {
			return errors.New("the checkpoint does not fit its checksum, not even its list of files: send it again")
		}
		if err != nil {
			return fmt.Errorf("read the checkpoint: %w", err)
		}
		if entry.Name == checksumFile {
			return verify(archive, sum)
		}
		if entry.Name != path.Base(entry.Name) || entry.Typeflag != tar.TypeReg {
			return fmt.Errorf("the checkpoint contains %q, which is not a plain file: send one that tierdesk made", entry.Name)
		}
		describe(sum, file{entry.Name, entry.Size})
		err = take(entry.Name, io.TeeReader(archive, sum))
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("the checkpoint ends inside its file %s: send it again", entry.Name)
		}
		if err != nil {
			return fmt.Errorf("write %s of the checkpoint: %w", entry.Name, err)
		}
	}
}

// verify compares the checksum with what was received and reads the archive to its end.
func verify(archive *tar.Reader, received hash.Hash) error {
	want, err := io.ReadAll(io.LimitReader(archive, sha256.Size+1))
	if err != nil {
		return fmt.Errorf("read the checkpoint's checksum: %w", err)
	}
	if !bytes.Equal(want, received.Sum(nil)) {
		return errors.New("the checkpoint does not fit its checksum: send it again")
	}
	if _, err := archive.Next(); !errors.Is(err, io.EOF) {
		return errors.New("the checkpoint does not end behind its checksum: send it again")
	}
	return nil
}

func writeFile(fs vfs.FS, path string, content io.Reader) error {
	to, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, content)
	if err == nil {
		err = to.Sync()
	}
	return errors.Join(err, to.Close())
}
