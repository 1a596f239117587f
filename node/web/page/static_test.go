package page

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// load gets a file for browsers.
func load(t *testing.T, target, encoding string) *http.Response {
	t.Helper()
	mux := http.NewServeMux()
	newKit(t).AddStatic(mux)
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("Accept-Encoding", encoding)
	recorder := httptest.NewRecorder()
	mux.ServeHTTP(recorder, r)
	return recorder.Result()
}

func TestFilesAreLoadedOnce(t *testing.T) {
	t.Parallel()
	path, err := newKit(t).static.path("style.css")
	if err != nil {
		t.Fatal(err)
	}
	plain := load(t, path, "")
	content, err := io.ReadAll(plain.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := plain.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" || plain.Header.Get("Content-Encoding") != "" {
		t.Errorf("the file is sent with %v", plain.Header)
	}
	packed := load(t, path, "gzip, br")
	if packed.Header.Get("Content-Encoding") != "gzip" || packed.Header.Get("Vary") != "Accept-Encoding" {
		t.Fatalf("the packed file is sent with %v", packed.Header)
	}
	reader, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(reader)
	if err != nil || string(unpacked) != string(content) {
		t.Errorf("the packed file differs from the plain one: %v", err)
	}
	if got := load(t, "/static/000000000000/style.css", "").Header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("a file under the stamp of another one may be kept: %q", got)
	}
	if got := load(t, "/static/000000000000/nothing.css", "").StatusCode; got != http.StatusNotFound {
		t.Errorf("a file that is not there: %d", got)
	}
	if _, err := newKit(t).static.path("nothing.css"); err == nil {
		t.Error("a template may name a file that is not there")
	}
}

func TestTheStyleSheetIsForEverybody(t *testing.T) {
	t.Parallel()
	content, err := fs.ReadFile(files, "static/style.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range []string{`[data-bs-theme="dark"]`, ":focus-visible", "max-width", "tabular-nums", "prefers-reduced-motion", "Noto Sans CJK SC"} {
		if !strings.Contains(string(content), rule) {
			t.Errorf("the style sheet has no %s", rule)
		}
	}
}

// TestVendoredFilesAreThoseThatWereTaken holds the files of others against their sums, and asks for the licence of each.
func TestVendoredFilesAreThoseThatWereTaken(t *testing.T) {
	t.Parallel()
	vendor, err := fs.Sub(files, "static/vendor")
	if err != nil {
		t.Fatal(err)
	}
	list, err := fs.ReadFile(vendor, "SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(list)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sums[strings.TrimPrefix(name, "./")] = sum
	}
	licences := map[string]string{"tabler.css": "tabler", "icons.svg": "tabler-icons", "htmx.js": "htmx", "echarts.js": "echarts"}
	err = fs.WalkDir(vendor, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || name == "SHA256SUMS" {
			return err
		}
		content, err := fs.ReadFile(vendor, name)
		if err != nil {
			return err
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != sums[name] {
			t.Errorf("%s is not the file of SHA256SUMS", name)
		}
		delete(sums, name)
		if !strings.HasPrefix(name, "licenses/") && name != "README.md" {
			if licence, err := fs.ReadFile(vendor, "licenses/"+licences[name]+".txt"); err != nil || len(licence) < 100 {
				t.Errorf("%s comes without its licence: %v", name, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range sums {
		t.Errorf("SHA256SUMS names %s, which is not there", name)
	}
}
