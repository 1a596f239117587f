package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// The rows of familyFile, each of a content and a ticket.
const (
	fileNamed  = 0x01 // the ticket names the content
	fileWanted = 0x02 // and it is held here, while the content is not
)

func blobKey(sha256 []byte) keys.Key { return keys.Build(familyBlob).Text(string(sha256)).Key() }

func chunkKey(sha256 []byte, index uint32) keys.Key {
	return keys.Build(familyChunk).Text(string(sha256)).Uint32(index).Key()
}

// filePrefix begins the rows of a kind that are about one content.
func filePrefix(kind byte, sha256 []byte) keys.Key {
	return keys.Build(familyFile).Byte(kind).Text(string(sha256)).Key()
}

// Blob returns how much is here of the content that a SHA-256 names, nil for nothing.
func (r *Reader) Blob(sha256 []byte) (*deskpb.Blob, error) {
	return load[deskpb.Blob](r, blobKey(sha256))
}

// Chunk returns one piece of a content, nil when it is not here.
func (r *Reader) Chunk(sha256 []byte, index uint32) ([]byte, error) {
	return r.get(chunkKey(sha256, index))
}

// Blobs returns a page of all contents, by hash, with the cursor for the next page, nil at the end. limit is at least 1.
func (r *Reader) Blobs(after []byte, limit int) ([]*deskpb.Blob, []byte, error) {
	var blobs []*deskpb.Blob
	next, err := r.page(family(familyBlob), after, false, limit, func(cursor, value []byte) error {
		blob, err := decode[deskpb.Blob](r, cursor, value)
		blobs = append(blobs, blob)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return blobs, next, nil
}

// FileNamed tells whether any ticket that this site knows names the content.
func (r *Reader) FileNamed(sha256 []byte) (named bool, err error) {
	err = r.scan(under(filePrefix(fileNamed, sha256)).first(1), func(_, _ []byte) (bool, error) {
		named = true
		return false, nil
	})
	return named, err
}

// WantedFile is a content that is not here in full although a ticket that is held here names it.
type WantedFile struct {
	SHA256 []byte
	Ticket desk.TicketNumber
}

// WantedFiles returns a page of what is wanted, with the cursor for the next page, nil at the end. limit is at least 1.
func (r *Reader) WantedFiles(after []byte, limit int) ([]WantedFile, []byte, error) {
	var wanted []WantedFile
	next, err := r.page(keys.Build(familyFile).Byte(fileWanted).Key(), after, false, limit, func(cursor, _ []byte) error {
		d := keys.Decode(cursor)
		sum, number := d.Text(), d.Text()
		wanted = append(wanted, WantedFile{SHA256: []byte(sum), Ticket: desk.TicketNumber(number)})
		if err := d.Done(); err != nil {
			return &corruptError{path: r.path, cause: err}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return wanted, next, nil
}

// PutBlob records how much of a content is here. Nobody wants what is complete any more.
func (b *Batch) PutBlob(blob *deskpb.Blob) error {
	if err := b.put(blobKey(blob.GetSha256()), blob); err != nil || blob.GetComplete() == 0 {
		return err
	}
	return b.deleteUnder(filePrefix(fileWanted, blob.GetSha256()))
}

// PutChunk stores one piece of a content.
func (b *Batch) PutChunk(sha256 []byte, index uint32, content []byte) error {
	return b.set(chunkKey(sha256, index), content)
}

// DeleteBlob deletes a content as far as it is here.
func (b *Batch) DeleteBlob(blob *deskpb.Blob) error {
	for index := range blob.GetPresent() {
		if err := b.delete(chunkKey(blob.GetSha256(), index)); err != nil {
			return err
		}
	}
	return b.delete(blobKey(blob.GetSha256()))
}

// nameFiles writes which contents a ticket names after a change, and which of them are wanted. Only rows that change are
// written.
func (b *Batch) nameFiles(before, after *deskpb.Record) error {
	t := after.GetTicket()
	held := t.GetCustodianSite() == b.pending.drafts.site && t.GetHandover().GetState() != deskpb.Handover_IN_TRANSIT
	for _, a := range t.GetAttachments() {
		sum, err := desk.ContentHash(a)
		if err != nil {
			continue // another site wrote it; nothing can be fetched by it
		}
		known := slices.ContainsFunc(before.GetTicket().GetAttachments(), func(b *deskpb.Attachment) bool { return b.GetId() == a.GetId() })
		if !known {
			if err := b.set(filePrefix(fileNamed, sum).Text(t.GetNumber()), nil); err != nil {
				return err
			}
		}
		if err := b.want(sum, t.GetNumber(), held); err != nil {
			return fmt.Errorf("note whether %s is wanted: %w", a.GetSha256(), err)
		}
	}
	return nil
}

// want notes whether a content has to be fetched for a ticket.
func (b *Batch) want(sha256 []byte, number string, held bool) error {
	blob, err := b.Blob(sha256)
	if err != nil {
		return err
	}
	row := filePrefix(fileWanted, sha256).Text(number)
	noted, err := b.get(row)
	wanted := held && blob.GetComplete() == 0
	switch {
	case err != nil || wanted == (noted != nil):
		return err
	case wanted:
		return b.set(row, nil)
	}
	return b.delete(row)
}

// FileContent reads a complete content piece by piece through views that its caller opens, so that no view lasts as long
// as its reader.
type FileContent struct {
	view   func(read func(*Reader) error) error
	sha256 []byte
	chunks uint32
	next   uint32
	rest   []byte
}

// errFileGone ends the reading of a content that was deleted meanwhile.
var errFileGone = errors.New("the content was deleted while it was read")

// OpenFile returns the content of a blob that is complete. It holds one piece at a time.
func OpenFile(blob *deskpb.Blob, view func(read func(*Reader) error) error) *FileContent {
	return &FileContent{view: view, sha256: bytes.Clone(blob.GetSha256()), chunks: blob.GetChunks()}
}

func (f *FileContent) Read(into []byte) (int, error) {
	if len(f.rest) == 0 {
		if f.next == f.chunks {
			return 0, io.EOF
		}
		err := f.view(func(r *Reader) (err error) {
			f.rest, err = r.Chunk(f.sha256, f.next)
			return err
		})
		switch {
		case err != nil:
			return 0, fmt.Errorf("read piece %d of content %x: %w", f.next, f.sha256, err)
		case len(f.rest) == 0:
			return 0, fmt.Errorf("read piece %d of content %x: %w", f.next, f.sha256, errFileGone)
		}
		f.next++
	}
	n := copy(into, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}
