package machine

import (
	"bytes"
	"crypto/sha256"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// OrphanAge is how long a content stays that no ticket names: longer than anybody takes between sending a file and
// attaching it.
const OrphanAge = 24 * time.Hour

// putChunk stores the next piece of a content. Pieces come in order, so that what is here is always its beginning. With
// the last one the whole is held against its hash; what does not fit is forgotten, and may be sent anew.
func (t *turn) putChunk(c *deskpb.PutChunk) error {
	blob, err := t.b.Blob(c.Sha256)
	if err != nil {
		return err
	}
	if blob == nil {
		blob = &deskpb.Blob{Sha256: c.Sha256, Size: c.Size, Chunks: desk.Chunks(c.Size), Begun: t.at.Time}
	}
	if err := checkChunk(blob, c); err != nil {
		return err
	}
	if c.Index < blob.Present {
		return nil
	}
	if blob.Present+1 == blob.Chunks {
		fits, err := t.completes(blob, c.Content)
		if err != nil {
			return err
		}
		if !fits {
			return t.b.DeleteBlob(blob)
		}
		blob.Complete = t.at.Time
	}
	blob.Present++
	if err := t.b.PutChunk(c.Sha256, c.Index, c.Content); err != nil {
		return err
	}
	return t.b.PutBlob(blob)
}

// checkChunk refuses a piece that is none of the content, or that comes before one that is missing.
func checkChunk(blob *deskpb.Blob, c *deskpb.PutChunk) error {
	switch {
	case len(c.Sha256) != desk.FileHash:
		return desk.RefuseField("sha256", "it has %d bytes instead of %d", len(c.Sha256), desk.FileHash)
	case c.Size < 1 || c.Size > desk.MaxFile:
		return desk.RefuseField("size", "a file of %d bytes is not taken; it must have 1 to %d", c.Size, desk.MaxFile)
	case c.Size != blob.Size:
		return desk.RefuseField("size", "content %x has %d bytes, not %d", c.Sha256, blob.Size, c.Size)
	case c.Index >= blob.Chunks:
		return desk.RefuseField("index", "content %x has %d pieces, so there is no piece %d", c.Sha256, blob.Chunks, c.Index)
	case int64(len(c.Content)) != min(desk.ChunkBytes, c.Size-int64(c.Index)*desk.ChunkBytes):
		return desk.RefuseField("content", "piece %d of content %x has %d bytes; all have %d but the last one",
			c.Index, c.Sha256, len(c.Content), desk.ChunkBytes)
	case c.Index > blob.Present:
		return desk.Refuse(desk.FailedPrecondition, "CHUNK_OUT_OF_ORDER", "piece %d of content %x came before piece %d; send that one first",
			c.Index, c.Sha256, blob.Present)
	}
	return nil
}

// completes tells whether what is here of a content and its last piece have the hash that names it.
func (t *turn) completes(blob *deskpb.Blob, last []byte) (bool, error) {
	hash := sha256.New()
	for index := range blob.Present {
		content, err := t.b.Chunk(blob.Sha256, index)
		if err != nil {
			return false, err
		}
		hash.Write(content)
	}
	hash.Write(last)
	return bytes.Equal(hash.Sum(nil), blob.Sha256), nil
}

// dropBlob deletes a content that no ticket names and that was begun long ago. One that is not here is deleted already.
func (t *turn) dropBlob(c *deskpb.DropBlob) error {
	blob, err := t.b.Blob(c.Sha256)
	if blob == nil || err != nil {
		return err
	}
	named, err := t.b.FileNamed(c.Sha256)
	switch {
	case err != nil:
		return err
	case named:
		return desk.Refuse(desk.FailedPrecondition, "FILE_NAMED", "a ticket names content %x; it stays", c.Sha256)
	case t.at.Time-blob.Begun < OrphanAge.Microseconds():
		return desk.Refuse(desk.FailedPrecondition, "FILE_YOUNG", "content %x may still be attached; try again a day after it was sent", c.Sha256)
	}
	return t.b.DeleteBlob(blob)
}
