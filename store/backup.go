package store

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// A backup is a tar archive: manifestFile, and behind it the members of a checkpoint with their checksum. The manifest is
// one line of JSON, and a second line with its SHA-256 in hexadecimal.
const (
	manifestFile  = "BACKUP"
	manifestLimit = 64 << 10 // bytes

	// backupFormat grows when an older program could not read a backup, apart from the state in it.
	backupFormat = 1
)

// Manifest says what a backup is of.
type Manifest struct {
	Format int    `json:"format"`
	Site   string `json:"site"`
	Name   string `json:"name"`
	Node   string `json:"node"` // that made it
	// Time is the latest moment that the state knows of, by the site's clock.
	Time time.Time `json:"time"`
	// Index and Term name the entry of the site's log that the state stands at.
	Index uint64 `json:"index"`
	Term  uint64 `json:"term"`
	// Bytes is the size of what follows the manifest.
	Bytes int64 `json:"bytes"`
}

// Backup returns a consistent copy of the state as a stream that says what it is of and carries a checksum, with its
// exact size in bytes. It costs what a Checkpoint costs: the stream must be closed. There is none of a site that is not
// founded.
func (s *Store) Backup() (r io.ReadCloser, size int64, m Manifest, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.db == nil {
		return nil, 0, Manifest{}, ErrClosed
	}
	reader := s.reader(s.db)
	at, err := reader.standsAt()
	if err != nil {
		return nil, 0, Manifest{}, fmt.Errorf("back up: %w", err)
	}
	site, err := reader.Site()
	if err == nil && site == nil {
		err = fmt.Errorf("site %s is not founded, so there is nothing yet", s.options.Site)
	}
	if err != nil {
		return nil, 0, Manifest{}, fmt.Errorf("back up: %w", err)
	}
	checkpoint, err := s.checkpoint()
	if err != nil {
		return nil, 0, Manifest{}, fmt.Errorf("back up: %w", err)
	}
	m = s.manifest(site, at, checkpoint.size())
	preface, err := m.member()
	if err != nil {
		return nil, 0, Manifest{}, errors.Join(fmt.Errorf("back up: %w", err), checkpoint.Close())
	}
	whole := io.MultiReader(bytes.NewReader(preface), checkpoint)
	return prefaced{whole, checkpoint}, int64(len(preface)) + m.Bytes, m, nil
}

// prefaced is a stream of a checkpoint with something before it.
type prefaced struct {
	io.Reader
	io.Closer
}

func (s *Store) manifest(site *deskpb.Site, at standing, size int64) Manifest {
	return Manifest{
		Format: backupFormat, Site: site.GetId(), Name: site.GetName(), Node: s.options.Node,
		Time: time.UnixMicro(site.GetClock()).UTC(), Index: at.index, Term: at.term, Bytes: size,
	}
}

// member encodes the manifest as the first member of an archive, in whole blocks.
func (m Manifest) member() ([]byte, error) {
	line, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(line)
	content := fmt.Appendf(nil, "%s\n%x\n", line, sum)
	var member bytes.Buffer
	archive := tar.NewWriter(&member)
	err = archive.WriteHeader(header(file{manifestFile, int64(len(content))}))
	if err == nil {
		_, err = archive.Write(content)
	}
	// Flush fills the last block; only Close would end the archive.
	if err := errors.Join(err, archive.Flush()); err != nil {
		return nil, err
	}
	return member.Bytes(), nil
}

// ReadManifest reads the beginning of a backup and leaves the reader at the checkpoint behind it.
func ReadManifest(r io.Reader) (m Manifest, err error) {
	none := errors.New("it is no backup: give a file that tierdesk backup wrote")
	head := make([]byte, tarBlock)
	if _, err := io.ReadFull(r, head); err != nil {
		return m, none
	}
	entry, err := tar.NewReader(bytes.NewReader(head)).Next()
	if err != nil || entry.Name != manifestFile || entry.Size <= 0 || entry.Size > manifestLimit {
		return m, none
	}
	content := make([]byte, (entry.Size+tarBlock-1)/tarBlock*tarBlock)
	if _, err := io.ReadFull(r, content); err != nil {
		return m, errors.New("the backup ends inside its first lines: copy it again, or take another one")
	}
	line, rest, _ := bytes.Cut(content[:entry.Size], []byte("\n"))
	sum := sha256.Sum256(line)
	if string(bytes.TrimSpace(rest)) != hex.EncodeToString(sum[:]) {
		return m, errors.New("the backup is damaged in its first lines: copy it again, or take another one")
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return m, fmt.Errorf("read the backup's first lines: %w", err)
	}
	if m.Format > backupFormat {
		return m, fmt.Errorf("the backup has format %d, this tierdesk knows formats up to %d: use the newer tierdesk that wrote it",
			m.Format, backupFormat)
	}
	return m, nil
}

// VerifyBackup reads a whole backup and checks it against its checksums.
func VerifyBackup(r io.Reader) (Manifest, error) {
	m, err := ReadManifest(r)
	if err != nil {
		return m, err
	}
	return m, readArchive(r, func(_ string, content io.Reader) error {
		_, err := io.Copy(io.Discard, content)
		return err
	})
}
