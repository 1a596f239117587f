package machine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"testing"

	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// contentOf is a content of so many bytes and its hash.
func contentOf(size int) (content, sum []byte) {
	content = bytes.Repeat([]byte("财政软件"), size/12+1)[:size]
	hash := sha256.Sum256(content)
	return content, hash[:]
}

// chunk is the piece of a content that the index names.
func chunk(content, sum []byte, index int) *deskpb.PutChunk {
	return &deskpb.PutChunk{Sha256: sum, Size: int64(len(content)), Index: uint32(index),
		Content: content[index*desk.ChunkBytes : min((index+1)*desk.ChunkBytes, len(content))]}
}

func putChunk(c *deskpb.PutChunk) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_PutChunk{PutChunk: c}}
}

func (l *log) blob(t T, sum []byte) (blob *deskpb.Blob) {
	t.Helper()
	l.view(t, func(r *store.Reader) (err error) {
		blob, err = r.Blob(sum)
		return err
	})
	return blob
}

func TestPiecesThatAreRefused(t *testing.T) {
	content, sum := contentOf(3 * desk.ChunkBytes)
	for name, c := range map[string]struct {
		spoil  func(*deskpb.PutChunk)
		reason string
	}{
		"in order":             {func(*deskpb.PutChunk) {}, ""},
		"a piece too early":    {func(c *deskpb.PutChunk) { c.Index++ }, "CHUNK_OUT_OF_ORDER"},
		"a piece that is none": {func(c *deskpb.PutChunk) { c.Index = 3 }, "INVALID_FIELD"},
		"half a hash":          {func(c *deskpb.PutChunk) { c.Sha256 = c.Sha256[:16] }, "INVALID_FIELD"},
		"half a piece":         {func(c *deskpb.PutChunk) { c.Content = c.Content[1:] }, "INVALID_FIELD"},
		"more than a piece":    {func(c *deskpb.PutChunk) { c.Content = append(bytes.Clone(c.Content), 0) }, "INVALID_FIELD"},
		"another size":         {func(c *deskpb.PutChunk) { c.Size-- }, "INVALID_FIELD"},
		"nothing":              {func(c *deskpb.PutChunk) { c.Size = 0 }, "INVALID_FIELD"},
		"too much":             {func(c *deskpb.PutChunk) { c.Size = desk.MaxFile + 1 }, "INVALID_FIELD"},
	} {
		t.Run(name, func(t *testing.T) {
			l := founded(t)
			l.must(t, noon+1, putChunk(chunk(content, sum, 0)))
			before := l.blob(t, sum)
			piece := chunk(content, sum, 1)
			c.spoil(piece)
			result := l.apply(t, noon+2, putChunk(piece))[0]
			if got := result.GetRefusal().GetReason(); got != c.reason {
				t.Fatalf("the piece is refused with %q, want %q: %s", got, c.reason, result.GetRefusal().GetMessage())
			}
			after := l.blob(t, sum)
			if moved := after.Present != before.Present; moved != (c.reason == "") {
				t.Errorf("the content has %d pieces after %d", after.Present, before.Present)
			}
		})
	}
}

// Pieces may come again, and a leader may be killed between any two: whoever sends the file again from its beginning
// completes it, and it is stored once.
func TestAContentIsCompletedHoweverOftenItIsBegun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		content, sum := contentOf(rapid.IntRange(1, 4*desk.ChunkBytes).Draw(t, "size"))
		chunks := int(desk.Chunks(int64(len(content))))
		l := founded(t)
		for _, until := range append(rapid.SliceOfN(rapid.IntRange(0, chunks), 0, 4).Draw(t, "tries"), chunks) {
			for index := range until {
				if r := l.apply(t, noon, putChunk(chunk(content, sum, index)))[0].Refusal; r != nil {
					t.Fatalf("piece %d: %s", index, r.Message)
				}
			}
		}
		blob := l.blob(t, sum)
		if blob.GetComplete() == 0 || blob.Present != blob.Chunks {
			t.Fatalf("the content is %v, want it complete", blob)
		}
		got, err := io.ReadAll(store.OpenFile(blob, l.options.Store.View))
		if err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%d bytes are stored, %v, not the %d that were sent", len(got), err, len(content))
		}
	})
}

func TestAContentThatDoesNotFitItsHashIsForgotten(t *testing.T) {
	content, sum := contentOf(2*desk.ChunkBytes + 5)
	l := founded(t)
	spoilt := bytes.Clone(content)
	spoilt[desk.ChunkBytes] ^= 1
	for index := range 3 {
		l.must(t, noon, putChunk(chunk(spoilt, sum, index)))
	}
	if blob := l.blob(t, sum); blob != nil {
		t.Fatalf("%v is kept under a hash that it does not have", blob)
	}
	for index := range 3 {
		l.must(t, noon, putChunk(chunk(content, sum, index)))
	}
	if blob := l.blob(t, sum); blob.GetComplete() == 0 {
		t.Errorf("the right content was not taken afterwards: %v", blob)
	}
}

func TestOnlyOldContentsThatNoTicketNamesAreDropped(t *testing.T) {
	content, sum := contentOf(desk.ChunkBytes + 1)
	drop := &deskpb.Command{Kind: &deskpb.Command_DropBlob{DropBlob: &deskpb.DropBlob{Sha256: sum}}}
	day := OrphanAge.Microseconds()
	l := founded(t)
	l.must(t, noon+10, putChunk(chunk(content, sum, 0)), putChunk(chunk(content, sum, 1)))
	begun := l.blob(t, sum).Begun
	if got := l.one(t, begun+day-1, drop); got != "FILE_YOUNG" {
		t.Errorf("a content of less than a day: %q", got)
	}
	number := l.apply(t, begun+day, createCommand("带附件"))[0].GetTicket().GetNumber()
	l.must(t, begun+day+1, ticketCommand(&deskpb.TicketCommand{Number: number, Verb: &deskpb.TicketCommand_Attach{Attach: &deskpb.Attach{
		Attachment: &deskpb.Attachment{Name: "a.txt", Size: int64(len(content)), MediaType: "text/plain", Sha256: hex.EncodeToString(sum)},
	}}}))
	if got := l.one(t, begun+2*day, drop); got != "FILE_NAMED" {
		t.Errorf("a content that a ticket names: %q", got)
	}
	other, otherSum := contentOf(7)
	l.must(t, begun+2*day, putChunk(chunk(other, otherSum, 0)))
	begun = l.blob(t, otherSum).Begun
	drop.GetDropBlob().Sha256 = otherSum
	l.must(t, begun+day, drop, drop)
	if l.blob(t, otherSum) != nil || l.blob(t, sum) == nil {
		t.Error("the wrong content was dropped")
	}
}
