package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// KeepFile stores a content as the site's log would, without a log.
func (s *memorySite) KeepFile(_ context.Context, content io.Reader, size int64) ([]byte, error) {
	all, err := io.ReadAll(content)
	if err != nil {
		return nil, err
	}
	if int64(len(all)) != size {
		return nil, desk.RefuseField("size", "%d bytes were announced and %d came", size, len(all))
	}
	sum := sha256.Sum256(all)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failWith != nil {
		return nil, s.failWith
	}
	b := s.store.NewBatch()
	defer b.Discard()
	blob := &deskpb.Blob{Sha256: sum[:], Size: size, Chunks: desk.Chunks(size), Present: desk.Chunks(size), Begun: s.clock, Complete: s.clock}
	for i := range blob.Chunks {
		if err := b.PutChunk(sum[:], i, all[i*desk.ChunkBytes:min((int64(i)+1)*desk.ChunkBytes, size)]); err != nil {
			return nil, err
		}
	}
	if err := b.PutBlob(blob); err != nil {
		return nil, err
	}
	return sum[:], b.Commit(s.store.Applied()+1, 1)
}

// FetchFile finds what is here, and fails with failWith otherwise.
func (s *memorySite) FetchFile(ctx context.Context, _ string, a *deskpb.Attachment) (blob *deskpb.Blob, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failWith != nil {
		return nil, s.failWith
	}
	sum, err := desk.ContentHash(a)
	if err != nil {
		return nil, err
	}
	err = s.Read(ctx, true, func(r *store.Reader) error {
		blob, err = r.Blob(sum)
		return err
	})
	return blob, err
}

// png is the beginning of a picture.
const png = "\x89PNG\r\n\x1a\n"

// attach adds a file to a ticket and returns its id.
func (a *testAPI) attach(number, query, content string) string {
	a.t.Helper()
	got := a.must("POST", "/api/v1/tickets/"+number+"/attachments?"+query, content)
	all := got.json["attachments"].([]any)
	return all[len(all)-1].(map[string]any)["id"].(string)
}

func TestAFileComesBackAsItWasAndIsStoredOnce(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	first, second := a.create("打印机"), a.create("另一张")
	content := png + strings.Repeat("像素", 100_000)
	id := a.attach(first, "name=%E6%8A%A5%E9%94%99.png&requestId=r1", content)
	if again := a.attach(first, "name=%E6%8A%A5%E9%94%99.png&requestId=r1", content); again != id {
		t.Errorf("the repeated request made attachment %s beside %s", again, id)
	}
	reused := a.call("POST", "/api/v1/tickets/"+first+"/attachments?name=%E6%8A%A5%E9%94%99.png&requestId=r1", content[:len(content)-1]+"!")
	if reused.status != http.StatusConflict || reused.reason() != "REQUEST_ID_REUSED" {
		t.Errorf("the same request id with another content: %d %s, want 409", reused.status, reused.body)
	}
	a.attach(second, "name=copy.png", content)
	got := a.must("GET", "/api/v1/tickets/"+first+"/attachments/"+id, "")
	if got.body != content {
		t.Errorf("%d bytes came back, not the %d that were sent", len(got.body), len(content))
	}
	if want := "inline; filename*=utf-8''%E6%8A%A5%E9%94%99.png"; got.header.Get("Content-Disposition") != want {
		t.Errorf("Content-Disposition is %q, want %q", got.header.Get("Content-Disposition"), want)
	}
	if head := a.must("HEAD", "/api/v1/tickets/"+first+"/attachments/"+id, ""); head.body != "" || head.header.Get("Content-Length") != fmt.Sprint(len(content)) {
		t.Errorf("HEAD answers %d bytes with the length %q", len(head.body), head.header.Get("Content-Length"))
	}
	listed := a.must("GET", "/api/v1/tickets/"+first+"/attachments", "")
	if all := listed.json["attachments"].([]any); len(all) != 1 || all[0].(map[string]any)["here"] != true {
		t.Errorf("the list is %s, want the one file, here", listed.body)
	}
	var blobs []*deskpb.Blob
	if err := a.site.store.View(func(r *store.Reader) (err error) {
		blobs, _, err = r.Blobs(nil, 10)
		return err
	}); err != nil || len(blobs) != 2 {
		t.Errorf("%d contents are stored, %v; want the one that both tickets name, and the one that was refused", len(blobs), err)
	}
}

// TestWhatABrowserCouldRunIsNeverShownInline goes by what the content is: the name is its author's.
func TestWhatABrowserCouldRunIsNeverShownInline(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	number := a.create("x")
	for _, c := range []struct{ what, content, media, disposition string }{
		{"a picture", png + "...", "image/png", "inline"},
		{"a photograph", "\xff\xd8\xff\xe0 JFIF", "image/jpeg", "inline"},
		{"plain text", "第一行\n第二行", "text/plain; charset=utf-8", "inline"},
		{"a page", "<!DOCTYPE html><html><script>alert(1)</script>", "text/html; charset=utf-8", "attachment"},
		{"a page behind white space", "\n\n  <HTML><body>", "text/html; charset=utf-8", "attachment"},
		{"a page behind text", "hello <script>alert(1)</script>", "text/html; charset=utf-8", "attachment"},
		{"a drawing", `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "image/svg+xml", "attachment"},
		{"a drawing with a prologue", `<?xml version="1.0"?><SVG onload="alert(1)"/>`, "image/svg+xml", "attachment"},
		{"a document", "%PDF-1.7", "application/pdf", "attachment"},
		{"an archive", "PK\x03\x04", "application/zip", "attachment"},
		{"anything else", "\x00\x01\x02", "application/octet-stream", "attachment"},
	} {
		t.Run(c.what, func(t *testing.T) {
			id := a.attach(number, "name=picture.png", c.content)
			h := a.must("GET", "/api/v1/tickets/"+number+"/attachments/"+id, "").header
			if got := h.Get("Content-Type"); got != c.media {
				t.Errorf("Content-Type is %q, want %q", got, c.media)
			}
			if got := h.Get("Content-Disposition"); got != c.disposition+"; filename=picture.png" {
				t.Errorf("Content-Disposition is %q, want %s", got, c.disposition)
			}
			if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
				t.Errorf("the headers %v let a browser guess, or run what it finds", h)
			}
		})
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	number := a.create("x")
	path := "/api/v1/tickets/" + number + "/attachments"
	sum := sha256.Sum256([]byte("content"))
	a.must("POST", path+"?name=a&sha256="+hex.EncodeToString(sum[:]), "content")
	for _, c := range []struct {
		what, method, path, body string
		headers                  []header
		status                   int
		reason                   string
	}{
		{"no name", "POST", path, "content", nil, 400, "INVALID_FIELD"},
		{"an unknown parameter", "POST", path + "?name=a&colour=red", "content", nil, 400, "INVALID_FIELD"},
		{"nothing in it", "POST", path + "?name=a", "", nil, 400, "INVALID_FIELD"},
		{"another hash", "POST", path + "?name=a&sha256=00", "content", nil, 400, "INVALID_FIELD"},
		{"an unknown ticket", "POST", "/api/v1/tickets/330106-20260101-9999/attachments?name=a", "content", nil, 404, "TICKET_NOT_FOUND"},
		{"nobody", "POST", path + "?name=a", "content", []header{{"Authorization", ""}}, 401, "NO_TOKEN"},
		{"a stale etag", "POST", path + "?name=a", "content", []header{{"If-Match", `"0123"`}}, 409, "STALE_ETAG"},
		{"another method", "PUT", path, "content", nil, 405, "METHOD_NOT_ALLOWED"},
		{"another method on one file", "DELETE", path + "/x", "", nil, 405, "METHOD_NOT_ALLOWED"},
		{"an unknown file", "GET", path + "/x", "", nil, 404, "ATTACHMENT_NOT_FOUND"},
		{"a file of nobody", "GET", path + "/x", "", []header{{"Authorization", ""}}, 401, "NO_TOKEN"},
		{"a path behind a file", "GET", path + "/x/y", "", nil, 404, "UNKNOWN_PATH"},
	} {
		if got := a.call(c.method, c.path, c.body, c.headers...); got.status != c.status || got.reason() != c.reason {
			t.Errorf("%s: %d %s, want %d %s", c.what, got.status, got.body, c.status, c.reason)
		}
	}
}

// unread fails the test when anybody reads it.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("a body was read that could have been refused by its length")
	return 0, io.EOF
}

func TestAFileIsRefusedByItsLengthBeforeItIsRead(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	number := a.create("x")
	for length, want := range map[int64]int{-1: http.StatusLengthRequired, desk.MaxFile + 1: http.StatusRequestEntityTooLarge} {
		r := httptest.NewRequest("POST", "/api/v1/tickets/"+number+"/attachments?name=a", unread{t})
		r.ContentLength = length
		r.Header.Set("Authorization", "Bearer admin")
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("a length of %d is answered %d %s, want %d", length, w.Code, w.Body, want)
		}
	}
}

func TestTransfersAreBounded(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	number := a.create("x")
	for range maxTransfers {
		leave, err := a.server.files.enter()
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
	}
	got := a.call("POST", "/api/v1/tickets/"+number+"/attachments?name=a", "content")
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("one file more than %d at a time: %d %s, want 429 and when to try again", maxTransfers, got.status, got.body)
	}
}

func TestAFileThatIsElsewhereIsSaidToBe(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	number := a.create("x")
	id := a.attach(number, "name=a.txt", "content")
	a.site.set(func() {
		a.site.failWith = desk.Refuse(desk.Unavailable, "FILE_ELSEWHERE", "the content is still at 330106, line down between 330000 and 330100")
	})
	got := a.call("GET", "/api/v1/tickets/"+number+"/attachments/"+id, "")
	if got.status != 503 || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "still at 330106, line down") {
		t.Errorf("the answer is %d %s with %v, want 503 with the words and Retry-After", got.status, got.body, got.header)
	}
}

func FuzzMediaTypeNeverShowsMarkupInline(f *testing.F) {
	for _, seed := range []string{"", "<svg", "text", "<html>", png, "a<ScRiPt>", "\xef\xbb\xbf<svg/>"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		media := mediaType(head)
		lower := bytes.ToLower(head[:min(len(head), sniffBytes)])
		markup := bytes.Contains(lower, []byte("<svg")) || bytes.Contains(lower, []byte("<html")) || bytes.Contains(lower, []byte("<script"))
		if markup && media == "text/plain" || strings.Contains(media, "svg") && shownInline(media) || strings.Contains(media, "html") && shownInline(media) {
			t.Errorf("%q is shown inline as %s", head, media)
		}
	})
}
