package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/store"
)

// wire is a line that a test cuts: every connection over it ends, and none begins, until it is mended.
type wire struct {
	mu    sync.Mutex // guards cut and conns
	cut   bool
	conns []net.Conn
}

func (w *wire) dial(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return nil, errors.Join(errors.New("the line is cut"), conn.Close())
	}
	w.conns = append(w.conns, conn)
	return conn, nil
}

func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	if cut {
		for _, conn := range w.conns {
			_ = conn.Close()
		}
		w.conns = nil
	}
}

// attach posts a file to a ticket and returns the attachment.
func attach(t *testing.T, n *Node, number, name, content string) *deskpb.Attachment {
	t.Helper()
	status, _, body := ask(t, n, http.MethodPost, "/api/v1/tickets/"+number+"/attachments?name="+url.QueryEscape(name), tokenOf(t, n), content)
	var ticket struct {
		Attachments []struct{ ID, SHA256, Site string }
	}
	if err := json.Unmarshal([]byte(body), &ticket); status != http.StatusOK || err != nil {
		t.Fatalf("attach %s: %d %s", name, status, body)
	}
	last := ticket.Attachments[len(ticket.Attachments)-1]
	return &deskpb.Attachment{Id: last.ID, Sha256: last.SHA256, Site: last.Site}
}

// downloadFile asks for a file; what comes must have its hash.
func downloadFile(t *testing.T, n *Node, number string, a *deskpb.Attachment) (status int, header http.Header, body string) {
	t.Helper()
	status, header, body = ask(t, n, http.MethodGet, "/api/v1/tickets/"+number+"/attachments/"+a.Id, tokenOf(t, n), "")
	if sum := sha256.Sum256([]byte(body)); status == http.StatusOK && hex.EncodeToString(sum[:]) != a.Sha256 {
		t.Errorf("%s gives %d bytes of another content", n.config.Site.ID, len(body))
	}
	return status, header, body
}

// awaitFiles waits until a node knows a ticket with so many files.
func awaitFiles(t *testing.T, n *Node, number string, count int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s knows of %d files", n.config.Site.ID, count), func() string {
		got := -1
		if err := n.backend.site.View(func(r *store.Reader) error {
			record, err := r.Ticket(desk.TicketNumber(number))
			got = len(record.GetTicket().GetAttachments())
			return err
		}); err != nil {
			return err.Error()
		}
		if got != count {
			return fmt.Sprintf("it knows of %d", got)
		}
		return ""
	})
}

// has tells whether a node's state has a content in full.
func has(n *Node, sum string) bool {
	raw, _ := hex.DecodeString(sum)
	blob, err := n.files.blob(raw)
	return err == nil && blob.GetComplete() != 0
}

// fileOf is a content of more than one chunk that differs with the word.
func fileOf(word string) string { return strings.Repeat(word, (desk.ChunkBytes+20_000)/len(word)) }

func TestFilesFollowTheirTicketAlongThePath(t *testing.T) {
	province := configuration(t, "n1")
	province.Site = config.Site{ID: "330000", Name: "浙江省", Tier: config.Province}
	province.Attachments.ScanCommand = []string{"/bin/sh", "-c", "if grep -q VIRUS; then exit 1; fi"}
	top := start(t, province)
	middle := cityConfiguration(t)
	middle.Link.ParentAddresses = []string{top.GRPCAddr()}
	city := start(t, middle)
	bottom := configuration(t, "n1")
	bottom.Link.ParentAddresses = []string{city.GRPCAddr()}
	line := &wire{}
	o := options(bottom)
	o.Dial = line.dial
	county, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, county) })
	awaitReady(t, top, city, county)
	awaitLink(t, city, "330106", apipb.LinkStatus_UP)
	awaitLink(t, top, "330100", apipb.LinkStatus_UP)

	admin := administratorOf(t, county)
	number := create(t, county, admin, "报表打不开")
	picture, clean := attach(t, county, number, "报错.png", "\x89PNG\r\n\x1a\n"+fileOf("像素")), attach(t, county, number, "日志.txt", fileOf("日志"))
	infected := attach(t, county, number, "setup.exe", fileOf("VIRUS"))
	awaitFiles(t, top, number, 3)

	line.set(true)
	awaitLink(t, city, "330106", apipb.LinkStatus_DOWN)
	status, header, body := downloadFile(t, top, number, picture)
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" ||
		!strings.Contains(body, "still at 330106, line down between 330100 and 330106") {
		t.Errorf("with the line cut: %d %s %v, want 503 that says where the file is, with Retry-After", status, body, header)
	}
	if has(top, picture.Sha256) || has(city, picture.Sha256) {
		t.Error("the file is above the county before anybody could have fetched it")
	}
	escalate(t, county, admin, number)
	line.set(false)
	awaitLink(t, city, "330106", apipb.LinkStatus_UP)
	eventually(t, "the province gives the file", func() string {
		if status, _, body := downloadFile(t, top, number, picture); status != http.StatusOK {
			return fmt.Sprint(status, " ", body)
		}
		return ""
	})

	// Custody came to the city, and the files come behind it although nobody asks.
	awaitCustodian(t, city, number, "330100")
	eventually(t, "the city has fetched the files of its ticket", func() string {
		if !has(city, picture.Sha256) || !has(city, clean.Sha256) || !has(city, infected.Sha256) {
			return "some are missing"
		}
		return ""
	})
	if has(top, clean.Sha256) {
		t.Error("the province fetched a file that nobody there asked for")
	}
	if status, _, body := downloadFile(t, top, number, infected); status != http.StatusBadRequest || !strings.Contains(body, "INFECTED") || has(top, infected.Sha256) {
		t.Errorf("a file that the province's scanner refuses: %d %s, stored: %v", status, body, has(top, infected.Sha256))
	}
	eventually(t, "nothing is left in the city's spool", func() string {
		left, err := filepath.Glob(filepath.Join(city.config.Node.DataDir, spoolDirectory, "*"))
		if err != nil || len(left) > 0 {
			return fmt.Sprint(left, err)
		}
		return ""
	})
}

// A child's link lives at one node of its parent: the others ask over it.
func TestEveryNodeOfASiteReachesTheFilesOfItsNeighbours(t *testing.T) {
	city, addresses := group(t, cityConfiguration(t).Site, nil)
	c := configuration(t, "n1")
	c.Link.ParentAddresses = addresses
	county := start(t, c)
	awaitReady(t, county)
	awaitLink(t, county, "330100", apipb.LinkStatus_UP)
	number := create(t, county, administratorOf(t, county), "报表打不开")
	for i, n := range city {
		a := attach(t, county, number, "日志.txt", fileOf(n.config.Node.ID))
		awaitFiles(t, n, number, i+1)
		eventually(t, n.config.Node.ID+" gives the file", func() string {
			if status, _, body := downloadFile(t, n, number, a); status != http.StatusOK {
				return fmt.Sprint(status, " ", body)
			}
			return ""
		})
	}
}

func TestTheLargestFileGoesInAndOut(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	number := create(t, n, administratorOf(t, n), "录像")
	content := strings.Repeat("0123456789abcdef", desk.MaxFile/16)
	a := attach(t, n, number, "录像.bin", content)
	if status, _, body := downloadFile(t, n, number, a); status != http.StatusOK || len(body) != len(content) {
		t.Errorf("%d with %d bytes, want the %d", status, len(body), len(content))
	}
	status, _, body := ask(t, n, http.MethodPost, "/api/v1/tickets/"+number+"/attachments?name=a", tokenOf(t, n), content+"x")
	if status != http.StatusRequestEntityTooLarge {
		t.Errorf("one byte more: %d %s, want 413", status, body)
	}
}

// quietSite is a site whose log takes every piece and keeps none.
type quietSite struct {
	store    *store.Store
	takes    time.Duration // for each piece
	inFlight atomic.Int32
	busy     atomic.Int32 // how often the log still says that it is overloaded
	mu       sync.Mutex   // guards below
	pieces   int
	most     int32 // pieces at one time
	longest  int   // bytes of a piece
}

func (s *quietSite) Propose(_ context.Context, c *deskpb.Command) (*deskpb.Result, error) {
	defer s.inFlight.Add(-1)
	now := s.inFlight.Add(1)
	if s.busy.Add(-1) >= 0 {
		return nil, fmt.Errorf("too much waits: %w", replication.ErrOverloaded)
	}
	time.Sleep(s.takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pieces++
	s.most, s.longest = max(s.most, now), max(s.longest, len(c.GetPutChunk().GetContent()))
	return &deskpb.Result{}, nil
}

func (s *quietSite) Barrier(context.Context) error             { return nil }
func (s *quietSite) View(read func(*store.Reader) error) error { return s.store.View(read) }
func (s *quietSite) Leading() (bool, uint64, <-chan struct{})  { return true, 1, nil }

// newFiles takes files in for a quietSite.
func newFiles(t *testing.T) (*files, *quietSite) {
	t.Helper()
	opened, err := store.Open(store.Options{Dir: "data", FS: vfs.NewMem(), Site: "330106", Node: "n1", CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	site, dir := &quietSite{store: opened}, t.TempDir() // which outlives the fetches
	life, cancel := context.WithCancel(context.Background())
	running := &sync.WaitGroup{}
	t.Cleanup(func() { cancel(); running.Wait() })
	return &files{
		site: site, room: func() error { return nil }, dir: dir, log: slog.New(slog.DiscardHandler), now: time.Now,
		turn: make(chan struct{}, 1), life: life, running: running, fetching: map[string]*download{}, infected: map[string]time.Time{},
	}, site
}

// zeros is a content of so many bytes that is nowhere in memory.
func zeros(size int64) io.Reader { return io.LimitReader(zero{}, size) }

type zero struct{}

func (zero) Read(into []byte) (int, error) { clear(into); return len(into), nil }

// The bound is on all that is ever allocated, so it does not depend on when memory is given back.
func TestAFileOf20MBIsTakenInWithOnePieceInMemory(t *testing.T) {
	f, site := newFiles(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sum, err := f.keep(t.Context(), zeros(desk.MaxFile), desk.MaxFile)
	runtime.ReadMemStats(&after)
	hash := sha256.New()
	if _, copied := io.Copy(hash, zeros(desk.MaxFile)); err != nil || copied != nil || !bytes.Equal(sum, hash.Sum(nil)) {
		t.Fatalf("keep: %x, %v, %v", sum, err, copied)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 2<<20 {
		t.Errorf("%d KiB were allocated for a file of %d", allocated>>10, desk.MaxFile>>10)
	}
	if site.pieces != desk.MaxFile/desk.ChunkBytes || site.longest != desk.ChunkBytes {
		t.Errorf("%d pieces of up to %d bytes were proposed", site.pieces, site.longest)
	}
}

func TestANodeHasOnePieceInTheLogsHandsAndWaitsWhileItIsBusy(t *testing.T) {
	f, site := newFiles(t)
	site.takes = time.Millisecond
	site.busy.Store(3)
	var sending sync.WaitGroup
	for range 4 {
		sending.Go(func() {
			if _, err := f.keep(t.Context(), zeros(4*desk.ChunkBytes), 4*desk.ChunkBytes); err != nil {
				t.Error(err)
			}
		})
	}
	sending.Wait()
	if site.most != 1 || site.pieces != 16 {
		t.Errorf("%d pieces were proposed, %d at one time; want 16, one by one", site.pieces, site.most)
	}
}

func TestAFileThatIsNotTakenLeavesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		content io.Reader
		size    int64
		scan    []string
		room    error
		want    string
	}{
		"shorter than announced": {content: zeros(5), size: 6, want: "6 bytes were announced and 5 came"},
		"longer than announced":  {content: zeros(7), size: 6, want: "6 bytes were announced and more came"},
		"empty":                  {content: zeros(0), size: 0, want: "0 bytes is not taken"},
		"too large":              {content: zero{}, size: desk.MaxFile + 1, want: "is not taken"},
		"broken off":             {content: io.MultiReader(zeros(5), broken{}), size: 6, want: "the caller left"},
		"no room":                {content: zero{}, size: 6, room: errors.New("no room"), want: "no room"},
		"infected":               {content: zeros(6), size: 6, scan: []string{"/bin/sh", "-c", "exit 1"}, want: "virus scanner"},
		"not scanned":            {content: zeros(6), size: 6, scan: []string{"/bin/sh", "-c", "exit 2"}, want: "could not be checked"},
	} {
		t.Run(name, func(t *testing.T) {
			f, site := newFiles(t)
			f.room = func() error { return c.room }
			f.scan = scanner{command: c.scan, patience: patience, log: f.log}
			if _, err := f.keep(t.Context(), c.content, c.size); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("keep: %v, want %q", err, c.want)
			}
			left, err := os.ReadDir(f.dir)
			if err != nil || len(left) > 0 || site.pieces > 0 {
				t.Errorf("%d files are left in the spool, %v, and %d pieces went to the log", len(left), err, site.pieces)
			}
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the caller left") }

func TestTheScannerReadsTheWholeFileAndOnlyACleanOnePasses(t *testing.T) {
	content := fileOf("clean") + "END"
	for name, c := range map[string]struct {
		command []string
		reason  string
	}{
		"none":                 {nil, ""},
		"it reads to the end":  {[]string{"/bin/sh", "-c", "grep -q END"}, ""},
		"infected":             {[]string{"/bin/sh", "-c", "cat >/dev/null; exit 1"}, "INFECTED"},
		"it does not read":     {[]string{"/bin/sh", "-c", "exit 0"}, ""},
		"it fails":             {[]string{"/bin/sh", "-c", "exit 3"}, "NOT_SCANNED"},
		"it is killed":         {[]string{"/bin/sh", "-c", "kill -9 $$"}, "NOT_SCANNED"},
		"it is not there":      {[]string{"/nowhere/scanner"}, "NOT_SCANNED"},
		"it takes for ever":    {[]string{"/bin/sh", "-c", "exec sleep 1000"}, "NOT_SCANNED"},
		"its child stays open": {[]string{"/bin/sh", "-c", "sleep 3 & exec sleep 1000"}, "NOT_SCANNED"},
	} {
		t.Run(name, func(t *testing.T) {
			s := scanner{command: c.command, patience: patience, log: slog.New(slog.DiscardHandler)}
			if strings.Contains(name, "ever") || strings.Contains(name, "child") {
				s.patience = 200 * time.Millisecond
			}
			file := strings.NewReader(content)
			if _, err := file.Seek(0, io.SeekEnd); err != nil {
				t.Fatal(err)
			}
			err := s.check(t.Context(), file)
			var refusal *desk.Refusal
			if c.reason == "" && err != nil || c.reason != "" && (!errors.As(err, &refusal) || refusal.Reason != c.reason) {
				t.Errorf("check: %v, want %q", err, c.reason)
			}
		})
	}
}
