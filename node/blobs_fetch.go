package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/peers"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

const (
	// mostFetches bounds the files that this node fetches at one time.
	mostFetches = 4
	// fetchWindow is how many pieces of one file are asked for at one time.
	fetchWindow = 4
	// fetchPatience is how long somebody who asks for a file waits for it to come from another site.
	fetchPatience = 20 * time.Second
	// fetchPause lies between two looks of the leader for files to fetch, fetchRetry between two tries at one that did not come.
	fetchPause = 2 * time.Second
	fetchRetry = 15 * time.Second
	// infectedPause is how long a content is not fetched again that the scanner refused, mostInfected how many are remembered.
	infectedPause = time.Hour
	mostInfected  = 1000
	// fetchPage is how many wanted files one look takes.
	fetchPage = 64
)

// download is one file on its way from another site. It goes on when those who asked for it have gone.
type download struct {
	got  atomic.Int64  // bytes that are here
	done chan struct{} // closed at the end
	err  error         // why it did not come; written before done is closed
}

// FetchFile makes the content of a ticket's attachment complete at this node. It waits a while for one that is at another
// site, and says where it is when it cannot come, or not so soon.
func (b *backend) FetchFile(ctx context.Context, number string, a *deskpb.Attachment) (*deskpb.Blob, error) {
	f := b.node.files
	sum, err := desk.ContentHash(a)
	if err != nil {
		return nil, desk.Refuse(desk.NotFound, "FILE_UNKNOWN", "attachment %s of ticket %s names no content", a.GetId(), number)
	}
	blob, err := f.blob(sum)
	if err == nil && blob.GetComplete() == 0 {
		// Another node of this site may have what this one does not have yet.
		if err = b.site.Barrier(ctx); err == nil {
			blob, err = f.blob(sum)
		}
	}
	if err == nil && blob.GetComplete() == 0 {
		if err = f.bring(ctx, number, a, sum); err == nil {
			blob, err = f.blob(sum)
		}
	}
	if err != nil {
		return nil, explainFile(err)
	}
	return blob, nil
}

// bring fetches a file and waits for it.
func (f *files) bring(ctx context.Context, number string, a *deskpb.Attachment, sum []byte) error {
	work, err := f.begin(number, a, sum)
	if err != nil {
		return err
	}
	patience := time.NewTimer(fetchPatience)
	defer patience.Stop()
	select {
	case <-work.done:
		return work.err
	case <-patience.C:
	case <-ctx.Done():
	}
	return desk.Refuse(desk.Unavailable, "FILE_UNDER_WAY", "%d of %d KiB of %q are here, the rest is on its way from %s; try again in a moment",
		work.got.Load()>>10, a.GetSize()>>10, desk.FileName(a.GetName()), a.GetSite())
}

// begin starts a fetch, or finds the one that is under way.
func (f *files) begin(number string, a *deskpb.Attachment, sum []byte) (*download, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if work := f.fetching[a.GetSha256()]; work != nil {
		return work, nil
	}
	if at, known := f.infected[a.GetSha256()]; known && f.now().Sub(at) < infectedPause {
		return nil, refuseInfected()
	}
	if len(f.fetching) >= mostFetches {
		return nil, desk.Refuse(desk.Unavailable, "FILE_WAITS", "%q is still at %s, and %d files are on their way before it; try again in a moment",
			desk.FileName(a.GetName()), a.GetSite(), len(f.fetching))
	}
	if f.life.Err() != nil {
		return nil, desk.Refuse(desk.Unavailable, "STOPPING", "this node stops; ask another one")
	}
	work := &download{done: make(chan struct{})}
	f.fetching[a.GetSha256()] = work
	f.running.Go(func() {
		defer close(work.done)
		work.err = f.fetch(f.life, work, number, sum, a.GetSize())
		f.end(a.GetSha256(), work.err)
	})
	return work, nil
}

// end notes that a fetch has ended, and for a while that its content is refused, so that it does not come again and again.
func (f *files) end(sum string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.fetching, sum)
	if !isInfected(err) {
		return
	}
	if len(f.infected) >= mostInfected {
		clear(f.infected)
	}
	f.infected[sum] = f.now()
}

// fetch brings the content of a file into the log. What came before the line broke stays in the spool, and the next try
// goes on behind it.
func (f *files) fetch(ctx context.Context, work *download, number string, sum []byte, size int64) (err error) {
	if size < 1 || size > desk.MaxFile {
		return desk.Refuse(desk.InvalidArgument, "FILE_TOO_LARGE", "a file of %d bytes is not fetched; at most %d are taken", size, desk.MaxFile)
	}
	if err := f.room(); err != nil {
		return err
	}
	path := filepath.Join(f.dir, hex.EncodeToString(sum)+".part")
	spooled, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("spool attachment %x: %w", sum, err)
	}
	defer func() {
		if err = errors.Join(err, spooled.Close()); err != nil && work.got.Load() == 0 {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	came, err := spooled.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("spool attachment %x: %w", sum, err)
	}
	for came -= came % tiers.PieceBytes; came < size; {
		came, err = f.gather(ctx, spooled, number, sum, came, size)
		work.got.Store(came)
		if err != nil {
			return err
		}
	}
	if err := fits(spooled, sum, size); err != nil {
		work.got.Store(0)
		return err
	}
	if err := f.store(ctx, spooled, sum, size); err != nil {
		if isInfected(err) {
			work.got.Store(0)
		}
		return err
	}
	if err := f.site.Barrier(ctx); err != nil {
		return err
	}
	return os.Remove(path)
}

// gather asks for the next pieces side by side, and spools those that come without a gap. It returns up to where the
// content is there now.
func (f *files) gather(ctx context.Context, spooled *os.File, number string, sum []byte, came, size int64) (int64, error) {
	var pieces [fetchWindow][]byte
	var failures [fetchWindow]error
	var asking sync.WaitGroup
	for i := range pieces {
		offset := came + int64(i)*tiers.PieceBytes
		if offset >= size {
			break
		}
		asking.Go(func() {
			piece, err := f.piece(ctx, number, sum, offset)
			if want := min(tiers.PieceBytes, size-offset); err == nil && int64(len(piece)) != want {
				err = fmt.Errorf("the piece of attachment %x at byte %d has %d bytes instead of %d", sum, offset, len(piece), want)
			}
			pieces[i], failures[i] = piece, err
		})
	}
	asking.Wait()
	for i, piece := range pieces {
		if failures[i] != nil {
			return came, failures[i]
		}
		if _, err := spooled.WriteAt(piece, came); err != nil {
			return came, fmt.Errorf("spool attachment %x: %w", sum, err)
		}
		came += int64(len(piece))
	}
	return came, nil
}

// fits refuses a content that came from another site and does not have the hash that names it.
func fits(spooled *os.File, sum []byte, size int64) error {
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(spooled, 0, size)); err != nil {
		return fmt.Errorf("read the spooled attachment %x: %w", sum, err)
	}
	if got := hash.Sum(nil); !bytes.Equal(got, sum) {
		return desk.Refuse(desk.Unavailable, "FILE_CHANGED", "what came as content %x has the hash %x; it is fetched anew at the next try", sum, got)
	}
	return nil
}

// fetchWanted has the leader fetch the files of tickets that came here, one after the other, until the context ends.
func (f *files) fetchWanted(ctx context.Context) {
	tried := map[string]time.Time{} // when a file was last tried that did not come, by hash; for what is still wanted
	for sleep(ctx, fetchPause) {
		if leading, _, _ := f.site.Leading(); !leading {
			clear(tried)
			continue
		}
		if err := f.fetchRound(ctx, tried, time.Now()); err != nil {
			f.log.Warn("cannot look for files to fetch", "error", err)
		}
	}
}

// fetchRound tries what is wanted and was not tried a moment ago.
func (f *files) fetchRound(ctx context.Context, tried map[string]time.Time, now time.Time) error {
	for cursor, more := []byte(nil), true; more && ctx.Err() == nil; more = cursor != nil {
		var wanted []store.WantedFile
		err := f.site.View(func(r *store.Reader) (err error) {
			wanted, cursor, err = r.WantedFiles(cursor, fetchPage)
			return err
		})
		if err != nil {
			return err
		}
		for _, w := range wanted {
			if now.Sub(tried[string(w.SHA256)]) < fetchRetry {
				continue
			}
			tried[string(w.SHA256)] = now
			if err := f.fetchOne(ctx, w); err != nil {
				f.log.Debug("a file did not come", "ticket", string(w.Ticket), "sha256", hex.EncodeToString(w.SHA256), "error", err)
				continue
			}
			delete(tried, string(w.SHA256))
		}
	}
	if len(tried) > mostTried {
		clear(tried)
	}
	return nil
}

// mostTried bounds what is remembered of files that did not come.
const mostTried = 10_000

// fetchOne fetches a wanted file, however long it takes.
func (f *files) fetchOne(ctx context.Context, w store.WantedFile) error {
	var attachment *deskpb.Attachment
	err := f.site.View(func(r *store.Reader) error {
		record, err := r.Ticket(w.Ticket)
		for _, a := range record.GetTicket().GetAttachments() {
			if a.GetSha256() == hex.EncodeToString(w.SHA256) {
				attachment = a
			}
		}
		return err
	})
	if attachment == nil || err != nil {
		return err
	}
	work, err := f.begin(string(w.Ticket), attachment, w.SHA256)
	if err != nil {
		return err
	}
	select {
	case <-work.done:
		return work.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pieceOf asks the sites of a ticket's path for a piece of a file.
func (n *Node) pieceOf(ctx context.Context, number string, sum []byte, offset int64) ([]byte, error) {
	return n.tiers.Piece(ctx, &linkpb.Want{Ticket: number, Sha256: sum, Offset: offset})
}

// askElsewhere has another node of the site put a question about a file to a neighbour; nil when none carries the link.
// The others are not waited for once one has answered.
func (n *Node) askElsewhere(ctx context.Context, peer desk.SiteID, w *linkpb.Want) (piece *linkpb.Piece) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := askOthers(ctx, n, func(ctx context.Context, address string) (*linkpb.Piece, error) {
		piece, err := n.peers.AskNeighbour(ctx, address, peers.FileQuestion{Peer: peer, Want: w})
		if piece != nil {
			cancel()
		}
		return piece, err
	})
	for _, answer := range answers {
		if answer.err == nil && answer.said != nil && (piece == nil || piece.Absent != "") {
			piece = answer.said
		}
	}
	return piece
}
