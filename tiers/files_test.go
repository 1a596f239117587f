package tiers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// fileOf is a content of a little more than a chunk, with its hash.
func fileOf(word string) (content, sum []byte) {
	content = bytes.Repeat([]byte(word), (desk.ChunkBytes+PieceBytes+5)/len(word))
	hash := sha256.Sum256(content)
	return content, hash[:]
}

// keep stores a content at an office.
func (o *office) keep(t *testing.T, content, sum []byte) {
	t.Helper()
	size := int64(len(content))
	blob := &deskpb.Blob{Sha256: sum, Size: size, Chunks: desk.Chunks(size), Present: desk.Chunks(size), Begun: 1, Complete: 1}
	err := o.log(func(b *store.Batch, _ desk.Stamp) error {
		for i := range int(blob.Chunks) {
			if err := b.PutChunk(sum, uint32(i), content[i*desk.ChunkBytes:min((i+1)*desk.ChunkBytes, len(content))]); err != nil {
				return err
			}
		}
		return b.PutBlob(blob)
	})
	if err != nil {
		t.Fatalf("keep a file at %s: %v", o.id, err)
	}
}

func attach(content, sum []byte) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Attach{Attach: &deskpb.Attach{Attachment: &deskpb.Attachment{
		Name: "报错.txt", Size: int64(len(content)), MediaType: "text/plain", Sha256: hex.EncodeToString(sum),
	}}}}
}

// fetched asks for all pieces of a file, one after the other.
func (n *node) fetched(ctx context.Context, number string, sum []byte, size int) (content []byte, err error) {
	for len(content) < size {
		piece, err := n.tiers.Piece(ctx, &linkpb.Want{Ticket: number, Sha256: sum, Offset: int64(len(content))})
		if err != nil {
			return content, err
		}
		content = append(content, piece...)
	}
	return content, nil
}

// knows waits until an office knows that a ticket has a file.
func (o *office) knows(t *testing.T, number string) {
	t.Helper()
	eventually(t, string(o.id)+" knows of the file", func() bool {
		return len(o.record(number).GetTicket().GetAttachments()) > 0
	})
}

func TestAFileIsAskedForAlongThePathAndItsAbsenceIsExplained(t *testing.T) {
	top, middle, bottom := chainOfThree(t)
	content, sum := fileOf("附件")
	bottom.keep(t, content, sum)
	number := bottom.open(t, "带附件")
	bottom.must(t, number, attach(content, sum))
	bottom.must(t, number, escalate())
	top.knows(t, number)

	got, err := top.fetched(t.Context(), number, sum, len(content))
	if err != nil || !bytes.Equal(got, content) {
		t.Fatalf("%d bytes come through %s, %v, want the %d of %s", len(got), middle.id, err, len(content), bottom.id)
	}

	bottom.line.set(true)
	eventually(t, "the line is known to be down", func() bool { return middle.state(bottom.id) == Down })
	var refusal *desk.Refusal
	_, err = top.fetched(t.Context(), number, sum, len(content))
	if !errors.As(err, &refusal) || refusal.Code != desk.Unavailable || !strings.Contains(refusal.Message, "still at 330106, line down between 330100 and 330106") {
		t.Errorf("with the line cut: %v, want that the content is still at 330106, line down", err)
	}

	bottom.line.set(false)
	eventually(t, "the line is up again", func() bool { return middle.state(bottom.id) == Up })
	got, err = top.fetched(t.Context(), number, sum, len(content))
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("after the line has healed: %d bytes, %v", len(got), err)
	}
}

// A site that lost its file gets it from wherever the path has it, up or down.
func TestAFileThatItsOriginLostComesFromAnotherSite(t *testing.T) {
	top, _, bottom := chainOfThree(t)
	content, sum := fileOf("恢复")
	bottom.keep(t, content, sum)
	number := bottom.open(t, "带附件")
	bottom.must(t, number, attach(content, sum))
	top.knows(t, number)
	top.keep(t, content, sum)
	err := bottom.log(func(b *store.Batch, _ desk.Stamp) error {
		blob, err := b.Blob(sum)
		if err != nil {
			return err
		}
		return b.DeleteBlob(blob)
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := bottom.fetched(t.Context(), number, sum, len(content))
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes come back from the province, %v", len(got), err)
	}
}

func TestOnlyFilesOfTheAskersTicketsAreGiven(t *testing.T) {
	middle := newNode(t, city, newOffice(t, city, wall))
	one := newNode(t, county, newOffice(t, county, wall), middle.address)
	other := newNode(t, county2, newOffice(t, county2, wall), middle.address)
	eventually(t, "all links are up", func() bool {
		return one.state(middle.id) == Up && other.state(middle.id) == Up && middle.state(one.id) == Up && middle.state(other.id) == Up
	})
	content, sum := fileOf("机密")
	one.keep(t, content, sum)
	number := one.open(t, "别人的工单")
	one.must(t, number, attach(content, sum))
	middle.knows(t, number)
	middle.keep(t, content, sum)
	own := other.open(t, "自己的工单")
	another, anotherSum := fileOf("公开")
	other.keep(t, another, anotherSum)
	other.must(t, own, attach(another, anotherSum))
	middle.knows(t, own)

	for what, want := range map[string]*linkpb.Want{
		"a ticket of another county":      {Ticket: number, Sha256: sum},
		"a ticket that names other files": {Ticket: own, Sha256: sum},
		"a ticket that does not exist":    {Ticket: "330108-20260101-0001", Sha256: sum},
	} {
		piece := other.tiers.AskNeighbour(t.Context(), middle.id, want)
		if piece == nil || piece.Absent == "" || len(piece.Content) > 0 {
			t.Errorf("%s: %v, want no content and the reason", what, piece)
		}
	}
	for what, offset := range map[string]int64{"between pieces": 5, "before the file": -PieceBytes, "behind the file": 1 << 30} {
		piece := one.tiers.AskNeighbour(t.Context(), middle.id, &linkpb.Want{Ticket: number, Sha256: sum, Offset: offset})
		if piece == nil || piece.Absent == "" {
			t.Errorf("%s: %v, want the reason why there is nothing", what, piece)
		}
	}
}

// Many ask at once, some of them leave: what waits for an answer stays bounded, and the stream lives.
func TestQuestionsAboutFilesAreBoundedAndDoNotEndTheStream(t *testing.T) {
	middle := newNode(t, city, newOffice(t, city, wall))
	bottom := newNode(t, county, newOffice(t, county, wall), middle.address)
	eventually(t, "the link is up", func() bool { return middle.state(bottom.id) == Up && bottom.state(middle.id) == Up })
	content, sum := fileOf("许多")
	bottom.keep(t, content, sum)
	number := bottom.open(t, "带附件")
	bottom.must(t, number, attach(content, sum))
	middle.knows(t, number)
	stream := middle.tiers.lines.with(bottom.id)

	var asking sync.WaitGroup
	for i := range 200 {
		asking.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%3 == 0 {
				cancel() // gone before, or while, the question is under way
			}
			piece, err := middle.tiers.Piece(ctx, &linkpb.Want{Ticket: number, Sha256: sum, Offset: int64(i%5) * PieceBytes})
			if err == nil && !bytes.HasPrefix(content[i%5*PieceBytes:], piece) {
				t.Errorf("question %d was answered with another piece", i)
			}
			if err != nil && i%3 != 0 {
				t.Errorf("question %d: %v", i, err)
			}
		})
	}
	asking.Wait()
	eventually(t, "every question has its answer", func() bool {
		return len(stream.wants.slots) == 0 && middle.tiers.lines.with(bottom.id) == stream
	})
}

func TestAPeerThatAsksWithoutWaitingIsHungUpOn(t *testing.T) {
	s := &session{peer: "330106", wants: newWants()}
	for i := range maxWants {
		if err := s.noteWant(&linkpb.Want{Id: uint64(i)}); err != nil {
			t.Fatalf("question %d: %v", i, err)
		}
	}
	if err := s.noteWant(&linkpb.Want{}); err == nil {
		t.Errorf("more than %d questions were taken", maxWants)
	}
}

func TestANodeWithoutTheLinkAsksTheOthers(t *testing.T) {
	asked := make(chan desk.SiteID, 1)
	o := newOffice(t, county, wall)
	content, sum := fileOf("别处")
	number := o.open(t, "带附件")
	o.keep(t, content, sum)
	o.must(t, number, attach(content, sum))
	tiers, err := start(Options{
		Site: o, SiteID: o.id, Tier: deskpb.Site_COUNTY, Parent: "330100",
		ParentAddresses: func() []string { return nil },
		AskOthers: func(_ context.Context, peer desk.SiteID, w *linkpb.Want) *linkpb.Piece {
			asked <- peer
			return &linkpb.Piece{Content: fmt.Appendf(nil, "byte %d", w.Offset)}
		},
	}, quick())
	if err != nil {
		t.Fatal(err)
	}
	defer tiers.Stop()
	piece, err := tiers.Piece(t.Context(), &linkpb.Want{Ticket: number, Sha256: sum, Offset: PieceBytes})
	if err != nil || string(piece) != fmt.Sprint("byte ", PieceBytes) {
		t.Errorf("%q, %v, want the answer that another node got", piece, err)
	}
	select {
	case peer := <-asked:
		if peer != "330100" {
			t.Errorf("the others were asked about %s", peer)
		}
	case <-time.After(patience):
		t.Error("nobody was asked")
	}
}
