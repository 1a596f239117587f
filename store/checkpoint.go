package store

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// A stream of a checkpoint is a tar archive of the files of one database directory, without folders, and at last
// checksumFile: the SHA-256 over name, size and content of each file before it, in the order of the stream.
const (
	checksumFile = "CHECKSUM"
	tarBlock     = 512
	fileMode     = 0o640
)

// Checkpoint returns a consistent copy of the state as a stream with its exact size in bytes, and what it stands at. The
// copy shares files with the database until the stream is closed, which deletes it. The log waits while the copy is made,
// not while it is read.
func (s *Store) Checkpoint() (r io.ReadCloser, size int64, index, term uint64, configuration []byte, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.db == nil {
		return nil, 0, 0, 0, nil, ErrClosed
	}
	at, err := s.reader(s.db).standsAt()
	if err != nil {
		return nil, 0, 0, 0, nil, fmt.Errorf("checkpoint: %w", err)
	}
	stream, err := s.checkpoint()
	if err != nil {
		return nil, 0, 0, 0, nil, fmt.Errorf("checkpoint: %w", err)
	}
	return stream, stream.size(), at.index, at.term, at.configuration, nil
}

// checkpoint makes the copy and starts its stream. The caller holds writing.
func (s *Store) checkpoint() (_ *stream, err error) {
	if err := s.fault.err(); err != nil {
		return nil, err
	}
	defer s.survive(&err)
	name, err := s.directory.unused(checkpointPrefix)
	if err != nil {
		return nil, err
	}
	path := s.directory.join(name)
	if err := s.db.Checkpoint(path, pebble.WithFlushedWAL()); err != nil {
		return nil, explain(s.directory.join(s.name), err)
	}
	// The stream may outlive the store, and with it the watch on the directory's file system.
	stream, err := openStream(s.options.FS, path)
	if err != nil {
		return nil, errors.Join(err, s.options.FS.RemoveAll(path))
	}
	return stream, nil
}

// stream reads a checkpoint directory as an archive. A goroutine writes the archive into a pipe until it is read to the
// end or closed.
type stream struct {
	*io.PipeReader
	fs    vfs.FS
	path  string
	files []file
	done  chan struct{} // closed when the goroutine has ended
}

type file struct {
	name string
	size int64
}

func openStream(fs vfs.FS, path string) (*stream, error) {
	names, err := fs.List(path)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	reader, writer := io.Pipe()
	s := &stream{PipeReader: reader, fs: fs, path: path, done: make(chan struct{})}
	for _, name := range names {
		info, err := fs.Stat(fs.PathJoin(path, name))
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, file{name, info.Size()})
	}
	go func() {
		defer close(s.done)
		writer.CloseWithError(s.archive(writer))
	}()
	return s, nil
}

// size is what archive writes: a header and whole blocks for each file, the checksum, and two empty blocks.
func (s *stream) size() int64 {
	blocks := int64(4)
	for _, f := range s.files {
		blocks += 1 + (f.size+tarBlock-1)/tarBlock
	}
	return blocks * tarBlock
}

func (s *stream) archive(to io.Writer) error {
	sum := sha256.New()
	archive := tar.NewWriter(to)
	for _, f := range s.files {
		if err := s.add(archive, sum, f); err != nil {
			return fmt.Errorf("send %s: %w", s.fs.PathJoin(s.path, f.name), err)
		}
	}
	if err := archive.WriteHeader(header(file{checksumFile, sha256.Size})); err != nil {
		return err
	}
	if _, err := archive.Write(sum.Sum(nil)); err != nil {
		return err
	}
	return archive.Close()
}

func (s *stream) add(archive *tar.Writer, sum hash.Hash, f file) error {
	content, err := s.fs.Open(s.fs.PathJoin(s.path, f.name))
	if err != nil {
		return err
	}
	defer content.Close()
	if err := archive.WriteHeader(header(f)); err != nil {
		return err
	}
	describe(sum, f)
	_, err = io.CopyN(io.MultiWriter(archive, sum), content, f.size)
	return err
}

// header describes a file in one block, whatever its size.
func header(f file) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: f.size, Mode: fileMode, Format: tar.FormatGNU}
}

// describe puts a file's name and size into the checksum, before its content.
func describe(sum hash.Hash, f file) { fmt.Fprintf(sum, "%q %d\n", f.name, f.size) }

// Close ends the stream and deletes the checkpoint.
func (s *stream) Close() error {
	err := s.PipeReader.Close()
	<-s.done
	if err = errors.Join(err, s.fs.RemoveAll(s.path)); err != nil {
		return fmt.Errorf("close checkpoint %s: %w", s.path, err)
	}
	return nil
}
