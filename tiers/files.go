package tiers

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

const (
	// PieceBytes is how much of a file one answer brings. It divides a chunk, and is little enough not to silence a thin line
	// for long.
	PieceBytes = 16 << 10
	// maxWants bounds the questions about files that wait for their answer, over one stream and one way: ticket work never
	// has more than that before it on the line.
	maxWants = 4
)

// Piece asks the sites of a ticket's path for a piece of a file that is not here. Who is asked asks on, so that the content
// may be anywhere on the path. A *desk.Refusal says where the content is and why it does not come now.
func (t *Tiers) Piece(ctx context.Context, w *linkpb.Want) ([]byte, error) {
	sought, err := t.seek(w, "")
	if err != nil {
		return nil, err
	}
	piece := t.askOnward(ctx, sought, w)
	if piece.Absent != "" {
		return nil, desk.Refuse(desk.Unavailable, "FILE_ELSEWHERE", "%s", piece.Absent)
	}
	return piece.Content, nil
}

// AskNeighbour puts a question about a file to a neighbour over the stream that lives at this node; nil when none does.
func (t *Tiers) AskNeighbour(ctx context.Context, peer desk.SiteID, w *linkpb.Want) *linkpb.Piece {
	s := t.lines.with(peer)
	if s == nil {
		return nil
	}
	return s.ask(ctx, w)
}

// sought is where to look for a content.
type sought struct {
	blob   *deskpb.Blob  // as far as it is here, nil for nothing
	origin desk.SiteID   // where it was added
	ways   []desk.SiteID // the neighbours on the ticket's path, the one towards the origin first
}

// seek finds out what is known here of the content that a neighbour asks for, this site itself for "". A content is looked
// for only under a ticket that names it and that the asking site is on the path of.
func (t *Tiers) seek(w *linkpb.Want, asker desk.SiteID) (found sought, err error) {
	err = t.o.Site.View(func(r *store.Reader) error {
		record, err := r.Ticket(desk.TicketNumber(w.Ticket))
		if err != nil {
			return err
		}
		i := slices.IndexFunc(record.GetTicket().GetAttachments(), func(a *deskpb.Attachment) bool {
			return a.Sha256 == fmt.Sprintf("%x", w.Sha256)
		})
		if i < 0 {
			return desk.Refuse(desk.NotFound, "FILE_UNKNOWN", "%s knows no ticket %.64q with the file %x", t.o.SiteID, w.Ticket, w.Sha256)
		}
		here, err := newTree(r)
		if err != nil {
			return err
		}
		if found.ways, err = here.onward(record.Path); err != nil {
			return err
		}
		if asker != "" && !slices.Contains(found.ways, asker) {
			return desk.Refuse(desk.PermissionDenied, "FILE_OFF_PATH", "%s is not on the path of ticket %s", asker, w.Ticket)
		}
		found.ways = slices.DeleteFunc(found.ways, func(way desk.SiteID) bool { return way == asker })
		found.origin = desk.SiteID(record.Ticket.Attachments[i].Site)
		if _, child, err := here.locate(found.origin); err != nil {
			return err
		} else if i := slices.Index(found.ways, child); i > 0 {
			slices.Reverse(found.ways) // onward has the parent first, and no more than one child
		}
		found.blob, err = r.Blob(w.Sha256)
		return err
	})
	if err != nil {
		return sought{}, fmt.Errorf("look for a file of ticket %.64q: %w", w.Ticket, err)
	}
	return found, nil
}

// askOnward asks one neighbour after the other. The answer of the first, which stands towards the origin, says most of
// why there is nothing.
func (t *Tiers) askOnward(ctx context.Context, from sought, w *linkpb.Want) *linkpb.Piece {
	none := &linkpb.Piece{Absent: fmt.Sprintf("%s does not have the content any more, nor does any site behind it", t.o.SiteID)}
	for i, way := range from.ways {
		piece := t.AskNeighbour(ctx, way, w)
		if piece == nil {
			piece = t.o.AskOthers(ctx, way, w)
		}
		if piece == nil {
			piece = &linkpb.Piece{Absent: fmt.Sprintf("the content is still at %s, line down between %s and %s; it comes when the line is up",
				from.origin, t.o.SiteID, way)}
		}
		if piece.Absent == "" {
			return piece
		}
		if i == 0 {
			none = piece
		}
	}
	return none
}

// answerWant answers a neighbour: with this site's own content, or that of a site behind it.
func (t *Tiers) answerWant(ctx context.Context, asker desk.SiteID, w *linkpb.Want) *linkpb.Piece {
	found, err := t.seek(w, asker)
	if err == nil && found.blob.GetComplete() == 0 && w.Offset == 0 {
		// Another node of this site may have what this one does not have yet.
		if err = t.barrier(ctx); err == nil {
			found, err = t.seek(w, asker)
		}
	}
	if err != nil {
		return &linkpb.Piece{Absent: err.Error()}
	}
	if found.blob.GetComplete() == 0 {
		return t.askOnward(ctx, found, w)
	}
	content, err := t.readPiece(found.blob, w.Offset)
	if err != nil {
		return &linkpb.Piece{Absent: err.Error()}
	}
	return &linkpb.Piece{Content: content}
}

// readPiece reads a piece of a content that is here.
func (t *Tiers) readPiece(blob *deskpb.Blob, offset int64) (content []byte, err error) {
	if offset < 0 || offset >= blob.Size || offset%PieceBytes != 0 {
		return nil, fmt.Errorf("there is no piece at byte %d of a file of %d", offset, blob.Size)
	}
	err = t.o.Site.View(func(r *store.Reader) error {
		chunk, err := r.Chunk(blob.Sha256, uint32(offset/desk.ChunkBytes))
		if within := offset % desk.ChunkBytes; err == nil && within < int64(len(chunk)) {
			content = chunk[within:min(within+PieceBytes, int64(len(chunk)))]
		}
		return err
	})
	if err == nil && len(content) == 0 {
		err = fmt.Errorf("byte %d of content %x is not at %s any more", offset, blob.Sha256, t.o.SiteID)
	}
	return content, err
}

// lines are the streams that live at this node, by neighbour.
type lines struct {
	mu   sync.Mutex // guards live
	live map[desk.SiteID]*session
}

func (l *lines) with(peer desk.SiteID) *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.live[peer]
}

// join makes a session the way to its neighbour until the returned function is called.
func (l *lines) join(s *session) (leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live[s.peer] = s
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.live[s.peer] == s {
			delete(l.live, s.peer)
		}
	}
}

// wants are the questions about files that cross one stream, in both directions.
type wants struct {
	slots chan struct{}     // a token for each own question under way
	asked chan *linkpb.Want // the peer's, for answerWants
	held  atomic.Int32      // the peer's that wait for their answer
	ended chan struct{}     // closed when the stream has ended

	mu      sync.Mutex // guards last and waiting
	last    uint64
	waiting map[uint64]chan *linkpb.Piece // own questions under way; each channel takes one answer
}

func newWants() *wants {
	return &wants{
		slots: make(chan struct{}, maxWants), asked: make(chan *linkpb.Want, maxWants), ended: make(chan struct{}),
		waiting: make(map[uint64]chan *linkpb.Piece),
	}
}

// begin numbers a question, which has a token.
func (w *wants) begin() (id uint64, answer <-chan *linkpb.Piece) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last++
	waiting := make(chan *linkpb.Piece, 1)
	w.waiting[w.last] = waiting
	return w.last, waiting
}

// end gives the token of a question back: it was answered, or never sent. Who asked may have gone, but the peer counts the
// question until it has answered.
func (w *wants) end(id uint64, answer *linkpb.Piece) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if waiting := w.waiting[id]; waiting != nil {
		delete(w.waiting, id)
		waiting <- answer
		<-w.slots
	}
}

// noteWant takes a question of the peer. One that keeps to the bound never fills the queue.
func (s *session) noteWant(w *linkpb.Want) error {
	if s.wants.held.Add(1) > maxWants {
		return fmt.Errorf("%s asked for more than %d pieces of files without waiting for an answer", s.peer, maxWants)
	}
	s.wants.asked <- w
	return nil
}

// ask puts a question to the peer and waits for the answer, which says why when there is no content.
func (s *session) ask(ctx context.Context, w *linkpb.Want) *linkpb.Piece {
	ctx, cancel := context.WithTimeout(ctx, s.t.pace.piece)
	defer cancel()
	absent := func(why string) *linkpb.Piece {
		return &linkpb.Piece{Absent: fmt.Sprintf("the content is still behind %s, and the line between %s and it %s", s.peer, s.t.o.SiteID, why)}
	}
	if !s.up.Load() {
		return absent("is catching up; it comes after the tickets")
	}
	select {
	case s.wants.slots <- struct{}{}:
	case <-s.wants.ended:
		return nil
	case <-ctx.Done():
		return absent("is busy; try again")
	}
	id, answer := s.wants.begin()
	question := &linkpb.Want{Id: id, Ticket: w.Ticket, Sha256: w.Sha256, Offset: w.Offset}
	select {
	case s.wire.out <- &linkpb.Frame{Content: &linkpb.Frame_Want{Want: question}}:
	case <-s.wants.ended:
		return nil
	case <-ctx.Done():
		s.wants.end(id, nil)
		return absent("is busy; try again")
	}
	select {
	case piece := <-answer:
		return &linkpb.Piece{Content: piece.Content, Absent: piece.Absent}
	case <-s.wants.ended:
		return nil
	case <-ctx.Done():
		return absent(fmt.Sprintf("brought no answer within %s; try again", s.t.pace.piece))
	}
}

// answerWants answers the peer's questions side by side: one that has to be asked on waits for another line.
func (s *session) answerWants(ctx context.Context) error {
	defer close(s.wants.ended)
	var answering sync.WaitGroup
	defer answering.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case w := <-s.wants.asked:
			answering.Go(func() {
				piece := s.t.answerWant(ctx, s.peer, w)
				piece.Id = w.Id
				// The peer may ask again as soon as it has read the answer.
				s.wants.held.Add(-1)
				s.wire.send(ctx, &linkpb.Frame{Content: &linkpb.Frame_Piece{Piece: piece}})
			})
		}
	}
}
