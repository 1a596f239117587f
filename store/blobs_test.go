package store

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// contentHash is a content hash that begins with zero bytes, which keys escape.
func contentHash(n byte) []byte { return append(make([]byte, desk.FileHash-1), n) }

func naming(number string, custodian string, hashes ...byte) *deskpb.Record {
	return ticket(number, func(k *deskpb.Ticket) {
		k.CustodianSite = custodian
		for _, n := range hashes {
			k.Attachments = append(k.Attachments, &deskpb.Attachment{Id: fmt.Sprint(n), Sha256: hex.EncodeToString(contentHash(n))})
		}
	})
}

func TestGoldenRowsOfFiles(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		return errors.Join(
			b.PutChunk(bytes.Repeat([]byte{0xAB}, desk.FileHash), 3, []byte("piece")),
			b.PutBlob(&deskpb.Blob{Sha256: bytes.Repeat([]byte{0xAB}, desk.FileHash)}),
			b.PutTicket(ticket("C-1", func(k *deskpb.Ticket) {
				k.CustodianSite = testSite
				k.Attachments = []*deskpb.Attachment{{Id: "1", Sha256: hex.EncodeToString(bytes.Repeat([]byte{0xAB}, desk.FileHash))}}
			})))
	})
	sum := hex.EncodeToString(bytes.Repeat([]byte{0xAB}, desk.FileHash)) + "0001"
	rows := map[string]bool{}
	view(t, s, func(r *Reader) error {
		return eachRow(r, func(key, _ []byte) { rows[hex.EncodeToString(key)] = true })
	})
	for _, want := range []string{"50" + sum, "51" + sum + "00000003", "5201" + sum + "432d310001", "5202" + sum + "432d310001"} {
		if !rows[want] {
			t.Errorf("there is no row %s", want)
		}
	}
}

func TestAContentIsReadPieceByPiece(t *testing.T) {
	s := openTest(t)
	content := bytes.Repeat([]byte("0123456789"), 2*desk.ChunkBytes/10)
	blob := &deskpb.Blob{Sha256: contentHash(1), Size: int64(len(content)), Chunks: desk.Chunks(int64(len(content))), Complete: 1}
	blob.Present = blob.Chunks
	commit(t, s, func(b *Batch) error {
		for i := range blob.Chunks {
			if err := b.PutChunk(blob.Sha256, i, content[i*desk.ChunkBytes:min(int(i+1)*desk.ChunkBytes, len(content))]); err != nil {
				return err
			}
		}
		return b.PutBlob(blob)
	})
	got, err := io.ReadAll(OpenFile(blob, s.View))
	if err != nil || !bytes.Equal(got, content) {
		t.Fatalf("%d bytes are read, %v, not the %d that were stored", len(got), err, len(content))
	}
	begun := OpenFile(blob, s.View)
	if _, err := begun.Read(make([]byte, desk.ChunkBytes)); err != nil {
		t.Fatal(err)
	}
	commit(t, s, func(b *Batch) error { return b.DeleteBlob(blob) })
	if _, err := io.ReadAll(begun); !errors.Is(err, errFileGone) {
		t.Errorf("a content that was deleted meanwhile is read with %v", err)
	}
	view(t, s, func(r *Reader) error {
		for i := range blob.Chunks {
			if left, err := r.Chunk(blob.Sha256, i); left != nil || err != nil {
				t.Errorf("piece %d is left, %v", i, err)
			}
		}
		left, err := r.Blob(blob.Sha256)
		if left != nil {
			t.Errorf("%v is left", left)
		}
		return err
	})
}

// Whatever becomes of tickets and contents, in one batch or in several: wanted is what a ticket that is held here names and
// that is not complete here; named is what any ticket names.
func TestExactlyTheMissingFilesOfTicketsHeldHereAreWanted(t *testing.T) {
	const tickets, contents = 3, 4
	rapid.Check(t, func(t *rapid.T) {
		s := mustOpen(t, options(vfs.NewMem()))
		defer mustClose(t, s)
		var names [tickets][]byte
		var held [tickets]bool
		var complete [contents]bool
		for range rapid.IntRange(1, 8).Draw(t, "batches") {
			commit(t, s, func(b *Batch) error {
				for range rapid.IntRange(1, 4).Draw(t, "changes") {
					n := rapid.IntRange(0, tickets-1).Draw(t, "ticket")
					file := rapid.IntRange(0, contents-1).Draw(t, "content")
					switch rapid.IntRange(0, 3).Draw(t, "change") {
					case 0:
						names[n] = append(slices.Clone(names[n]), byte(file))
					case 1:
						held[n] = !held[n]
					case 2:
						complete[file] = true
						if err := b.PutBlob(&deskpb.Blob{Sha256: contentHash(byte(file)), Complete: 1}); err != nil {
							return err
						}
						continue
					case 3:
						if complete[file] {
							continue
						}
						if err := b.PutBlob(&deskpb.Blob{Sha256: contentHash(byte(file)), Present: 1}); err != nil {
							return err
						}
						continue
					}
					custodian := "330100"
					if held[n] {
						custodian = testSite
					}
					if err := b.PutTicket(naming(fmt.Sprint("C-", n), custodian, names[n]...)); err != nil {
						return err
					}
				}
				return nil
			})
			var want []string
			for file := range contents {
				for n := range tickets {
					if held[n] && !complete[file] && slices.Contains(names[n], byte(file)) {
						want = append(want, fmt.Sprintf("%d of C-%d", file, n))
					}
				}
			}
			var got []string
			view(t, s, func(r *Reader) error {
				for cursor, more := []byte(nil), true; more; more = cursor != nil {
					var page []WantedFile
					var err error
					if page, cursor, err = r.WantedFiles(cursor, 2); err != nil {
						return err
					}
					for _, w := range page {
						got = append(got, fmt.Sprintf("%d of %s", w.SHA256[desk.FileHash-1], w.Ticket))
					}
				}
				for file := range contents {
					named, err := r.FileNamed(contentHash(byte(file)))
					any := slices.ContainsFunc(names[:], func(of []byte) bool { return slices.Contains(of, byte(file)) })
					if err != nil || named != any {
						t.Fatalf("content %d is named: %v, %v, want %v", file, named, err, any)
					}
				}
				return nil
			})
			if !slices.Equal(got, want) {
				t.Fatalf("wanted are %v, want %v", got, want)
			}
		}
	})
}
