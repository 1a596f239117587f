package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/machine"
	"github.com/tierdesk/tierdesk/tiers"
)

var errDown = errors.New("the line is down")

// far is a neighbour with one content, over a line that breaks.
type far struct {
	content string
	mu      sync.Mutex // guards below
	asked   int
	lasts   int // pieces that the line still carries
}

func (f *far) piece(_ context.Context, _ string, _ []byte, offset int64) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lasts == 0 {
		return nil, errDown
	}
	f.lasts--
	f.asked++
	return []byte(f.content[offset:min(offset+tiers.PieceBytes, int64(len(f.content)))]), nil
}

// attachmentOf is the attachment that names a content.
func attachmentOf(content string) (*deskpb.Attachment, []byte) {
	sum := sha256.Sum256([]byte(content))
	return &deskpb.Attachment{Name: "a", Site: "330106", Size: int64(len(content)), Sha256: hex.EncodeToString(sum[:])}, sum[:]
}

// However often the line breaks, and wherever, the file comes, and nearly every piece is asked for once: those of one window
// may be lost with each break.
func TestAFetchGoesOnWhereTheLineBroke(t *testing.T) {
	f, site := newFiles(t)
	rapid.Check(t, func(r *rapid.T) {
		size := rapid.IntRange(1, 20*tiers.PieceBytes).Draw(r, "size")
		source := &far{content: strings.Repeat("附", size)[:size]}
		f.piece = source.piece
		a, sum := attachmentOf(source.content)
		breaks := rapid.SliceOfN(rapid.IntRange(0, 8), 0, 5).Draw(r, "breaks")
		for _, source.lasts = range append(breaks, 1000) {
			site.mu.Lock()
			site.pieces = 0
			site.mu.Unlock()
			if err := f.bring(context.Background(), "n", a, sum); err != nil && !errors.Is(err, errDown) {
				r.Fatalf("the fetch ends with %v", err)
			} else if err == nil {
				break
			}
		}
		if want := int(desk.Chunks(int64(size))); site.pieces != want {
			r.Fatalf("%d pieces were stored, want %d", site.pieces, want)
		}
		pieces := (size + tiers.PieceBytes - 1) / tiers.PieceBytes
		if most := pieces + fetchWindow*len(breaks); source.asked > most {
			r.Fatalf("%d pieces were asked for, want at most %d for %d", source.asked, most, pieces)
		}
	})
}

func TestAContentThatWasChangedOnItsWayIsFetchedAnew(t *testing.T) {
	f, site := newFiles(t)
	source := &far{content: strings.Repeat("x", 3*tiers.PieceBytes), lasts: 1000}
	f.piece = source.piece
	a, sum := attachmentOf(source.content)
	source.content = "y" + source.content[1:]
	var refusal *desk.Refusal
	if err := f.bring(t.Context(), "n", a, sum); !errors.As(err, &refusal) || refusal.Reason != "FILE_CHANGED" || site.pieces > 0 {
		t.Fatalf("a changed content: %v, and %d pieces were stored", err, site.pieces)
	}
	source.content = "x" + source.content[1:]
	if err := f.bring(t.Context(), "n", a, sum); err != nil || site.pieces != 1 {
		t.Errorf("the right content afterwards: %v, and %d pieces were stored", err, site.pieces)
	}
}

// Many ask for one file, and it crosses the line once; more files than a node fetches at one time wait outside.
func TestFetchesAreSharedAndBounded(t *testing.T) {
	f, _ := newFiles(t)
	var asked atomic.Int32
	gate := make(chan struct{})
	content := strings.Repeat("z", tiers.PieceBytes)
	f.piece = func(ctx context.Context, _ string, _ []byte, _ int64) ([]byte, error) {
		asked.Add(1)
		select {
		case <-gate:
			return []byte(content), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	a, sum := attachmentOf(content)
	var first *download
	for range 5 {
		work, err := f.begin("n", a, sum)
		if err != nil {
			t.Fatal(err)
		}
		if first = firstOf(first, work); work != first {
			t.Fatal("a second fetch of one file was begun")
		}
	}
	for i := range mostFetches - 1 {
		other, otherSum := attachmentOf(strings.Repeat("o", i+1))
		if _, err := f.begin("n", other, otherSum); err != nil {
			t.Fatal(err)
		}
	}
	more, moreSum := attachmentOf("one more")
	if _, err := f.begin("n", more, moreSum); err == nil {
		t.Errorf("more than %d files are fetched at one time", mostFetches)
	}
	close(gate)
	select {
	case <-first.done:
	case <-time.After(patience):
		t.Fatal("the fetch does not end")
	}
	if first.err != nil {
		t.Error(first.err)
	}
}

func firstOf(known, next *download) *download {
	if known == nil {
		return next
	}
	return known
}

func TestWhoAsksForAFileThatTakesLongIsToldHowFarItIs(t *testing.T) {
	f, _ := newFiles(t)
	f.piece = func(ctx context.Context, _ string, _ []byte, _ int64) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	a, sum := attachmentOf(strings.Repeat("w", 3*tiers.PieceBytes))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	err := f.bring(gone, "n", a, sum)
	var refusal *desk.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != "FILE_UNDER_WAY" || !strings.Contains(refusal.Message, "0 of 48 KiB") {
		t.Errorf("bring: %v, want how far the file is", err)
	}
}

func TestAnInfectedFileIsNotFetchedAgainAndAgain(t *testing.T) {
	f, site := newFiles(t)
	f.scan = scanner{command: []string{"/bin/sh", "-c", "exit 1"}, patience: patience, log: f.log}
	now := time.Now()
	f.now = func() time.Time { return now }
	source := &far{content: strings.Repeat("v", tiers.PieceBytes), lasts: 1000}
	f.piece = source.piece
	a, sum := attachmentOf(source.content)
	for range 3 {
		if err := f.bring(t.Context(), "n", a, sum); !isInfected(err) {
			t.Fatalf("bring: %v, want it refused as infected", err)
		}
	}
	left, err := os.ReadDir(f.dir)
	if source.asked != 1 || site.pieces > 0 || err != nil || len(left) > 0 {
		t.Errorf("it came %d times, %d pieces are stored and %d files left, %v", source.asked, site.pieces, len(left), err)
	}
	now = now.Add(infectedPause)
	f.scan.command = nil
	if err := f.bring(t.Context(), "n", a, sum); err != nil {
		t.Errorf("after %s, with a scanner that lets it pass: %v", infectedPause, err)
	}
}

func TestWhatCameInPartIsDeletedAfterADay(t *testing.T) {
	f, _ := newFiles(t)
	path := filepath.Join(f.dir, "00.part")
	if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		age  time.Duration
		left bool
	}{{machine.OrphanAge - time.Minute, true}, {machine.OrphanAge + time.Minute, false}} {
		if err := f.tidySpool(time.Now().Add(c.age)); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); (err == nil) != c.left {
			t.Errorf("a part that is %s old: %v, want it left: %v", c.age, err, c.left)
		}
	}
}
