package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/machine"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/store"
)

const (
	// spoolDirectory is where in the data directory files lie until they are whole, checked, and in the log. It is emptied at
	// the start.
	spoolDirectory = "spool"
	// busyPause is waited before a piece is proposed again to a log that is overloaded: ticket work goes first.
	busyPause = 100 * time.Millisecond
	// sweepPause lies between two looks of the leader for contents that no ticket names.
	sweepPause = time.Hour
	// sweepPage is how many contents one view looks at.
	sweepPage = 256
)

// fileSite is the replicated site as files use it.
type fileSite interface {
	Propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error)
	Barrier(ctx context.Context) error
	View(read func(*store.Reader) error) error
	Leading() (leading bool, term uint64, changed <-chan struct{})
}

// files takes the contents of attachments in and gives them to the site's log. A content is spooled in a file first, so that
// its hash is known before its first piece is stored, nothing that a scanner refuses is ever stored, and no more than one
// piece of it is in memory.
type files struct {
	site  fileSite
	room  func() error // why this node takes no commands, nil when it does
	dir   string       // of the spool
	scan  scanner
	log   *slog.Logger
	now   func() time.Time                                                                   // the site's time
	piece func(ctx context.Context, number string, sum []byte, offset int64) ([]byte, error) // of a file at another site

	// turn is held while a piece is in the log's hands: a node has one at a time, so that a site has few.
	turn chan struct{}

	life    context.Context // ends with the node
	running *sync.WaitGroup // the node's goroutines

	mu       sync.Mutex           // guards fetching and infected
	fetching map[string]*download // by hash
	infected map[string]time.Time // when the scanner refused a content of another site, by hash
}

// openFiles empties the spool.
func (n *Node) openFiles(life context.Context) error {
	dir := filepath.Join(n.config.Node.DataDir, spoolDirectory)
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return fmt.Errorf("empty the spool of attachments: %w", err)
	}
	n.files = &files{
		site: n.site(), room: n.room, dir: dir, scan: scanner{command: n.config.Attachments.ScanCommand, patience: scanPatience, log: n.log},
		log: n.log, now: n.clock.Now, piece: n.pieceOf, turn: make(chan struct{}, 1), life: life, running: &n.running,
		fetching: map[string]*download{}, infected: map[string]time.Time{},
	}
	return nil
}

// KeepFile takes a content in, whole: it is read to its end, scanned and stored in the log, unless it is there already. It
// returns its hash.
func (b *backend) KeepFile(ctx context.Context, content io.Reader, size int64) ([]byte, error) {
	sum, err := b.node.files.keep(ctx, content, size)
	if err != nil {
		return nil, explainFile(err)
	}
	return sum, nil
}

// explainFile gives an error of the log its code and leaves a refusal as it is.
func explainFile(err error) error {
	var refusal *desk.Refusal
	if errors.As(err, &refusal) {
		return err
	}
	return statusOf(err)
}

func (f *files) keep(ctx context.Context, content io.Reader, size int64) (sum []byte, err error) {
	if size < 1 || size > desk.MaxFile {
		return nil, desk.RefuseField("size", "a file of %d bytes is not taken; it must have 1 to %d", size, desk.MaxFile)
	}
	if err := f.room(); err != nil {
		return nil, err
	}
	spooled, err := os.CreateTemp(f.dir, "in-*")
	if err != nil {
		return nil, fmt.Errorf("spool an attachment: %w", err)
	}
	defer func() { err = errors.Join(err, spooled.Close(), os.Remove(spooled.Name())) }()
	hash := sha256.New()
	got, err := io.Copy(io.MultiWriter(spooled, hash), io.LimitReader(content, size+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("spool an attachment: %w", err)
	case got != size:
		return nil, desk.RefuseField("size", "%d bytes were announced and %s came; send the file again", size, arrived(got, size))
	}
	sum = hash.Sum(nil)
	return sum, f.store(ctx, spooled, sum, size)
}

// arrived says how many bytes came instead of those that were announced.
func arrived(got, size int64) string {
	if got > size {
		return "more"
	}
	return fmt.Sprint(got)
}

// store has a spooled content scanned and put into the log, as far as it is not there.
func (f *files) store(ctx context.Context, spooled *os.File, sum []byte, size int64) error {
	if err := f.scan.check(ctx, spooled); err != nil {
		return err
	}
	blob, err := f.blob(sum)
	if err != nil || blob.GetComplete() != 0 {
		return err
	}
	piece := make([]byte, desk.ChunkBytes)
	for index := blob.GetPresent(); index < desk.Chunks(size); index++ {
		offset := int64(index) * desk.ChunkBytes
		piece = piece[:min(desk.ChunkBytes, size-offset)]
		if _, err := spooled.ReadAt(piece, offset); err != nil {
			return fmt.Errorf("read the spooled attachment %x: %w", sum, err)
		}
		if err := f.put(ctx, &deskpb.PutChunk{Sha256: sum, Size: size, Index: index, Content: piece}); err != nil {
			return fmt.Errorf("store piece %d of attachment %x: %w", index, sum, err)
		}
	}
	return nil
}

// put has the log take one piece, and lets other work go first while the log has too much of it.
func (f *files) put(ctx context.Context, c *deskpb.PutChunk) error {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		result, err := f.site.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PutChunk{PutChunk: c}})
		if !errors.Is(err, replication.ErrOverloaded) {
			return errors.Join(err, refused(result))
		}
		if !sleep(ctx, busyPause) {
			return err
		}
	}
}

// refused returns the refusal of a result as an error, nil when there is none.
func refused(result *deskpb.Result) error {
	if r := result.GetRefusal(); r != nil {
		return &desk.Refusal{Code: desk.Code(r.Code), Message: r.Message, Field: r.Field, Reason: r.Reason}
	}
	return nil
}

// blob reads how much of a content this node's state has, nil for nothing.
func (f *files) blob(sum []byte) (blob *deskpb.Blob, err error) {
	err = f.site.View(func(r *store.Reader) error {
		blob, err = r.Blob(sum)
		return err
	})
	return blob, err
}

// sweep tidies the spool and has the leader delete contents that no ticket names, again and again until the context ends.
func (f *files) sweep(ctx context.Context) {
	for sleep(ctx, sweepPause) {
		if err := f.tidySpool(f.now()); err != nil {
			f.log.Warn("the spool of attachments was not tidied", "error", err)
		}
		if leading, _, _ := f.site.Leading(); !leading {
			continue
		}
		if dropped, err := f.dropOrphans(ctx, f.now()); err != nil {
			f.log.Warn("contents that no ticket names were not deleted", "error", err)
		} else if dropped > 0 {
			f.log.Info("deleted contents that no ticket names", "contents", dropped)
		}
	}
}

// tidySpool deletes what came in part and was not gone on with for long.
func (f *files) tidySpool(now time.Time) error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		about, err := entry.Info()
		if err == nil && now.Sub(about.ModTime()) > machine.OrphanAge {
			err = os.Remove(filepath.Join(f.dir, entry.Name()))
		}
		if !errors.Is(err, fs.ErrNotExist) { // what was finished meanwhile is gone
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// dropOrphans asks the log to delete what was begun long enough ago and is named by no ticket. The log looks again.
func (f *files) dropOrphans(ctx context.Context, now time.Time) (dropped int, err error) {
	for cursor, more := []byte(nil), true; more; more = cursor != nil {
		var orphans [][]byte
		err := f.site.View(func(r *store.Reader) error {
			page, next, err := r.Blobs(cursor, sweepPage)
			cursor = next
			for _, blob := range page {
				if err != nil || now.UnixMicro()-blob.Begun < machine.OrphanAge.Microseconds() {
					continue
				}
				var named bool
				if named, err = r.FileNamed(blob.Sha256); !named {
					orphans = append(orphans, blob.Sha256)
				}
			}
			return err
		})
		if err != nil {
			return dropped, fmt.Errorf("look for contents that no ticket names: %w", err)
		}
		for _, sum := range orphans {
			result, err := f.site.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_DropBlob{DropBlob: &deskpb.DropBlob{Sha256: sum}}})
			if err != nil {
				return dropped, fmt.Errorf("delete content %s: %w", hex.EncodeToString(sum), err)
			}
			if result.GetRefusal() == nil {
				dropped++
			}
		}
	}
	return dropped, nil
}

// sleep waits; false when the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
