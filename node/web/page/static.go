package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// static holds the files that browsers load, under addresses that change with their content, so that a browser asks for each once.
type static struct{ files map[string]staticFile }

type staticFile struct {
	content []byte
	packed  func() []byte // by gzip, when somebody asks for it; nil where that gains nothing
	kind    string
	stamp   string
}

func newStatic(from fs.FS) (*static, error) {
	s := &static{files: map[string]staticFile{}}
	err := fs.WalkDir(from, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		s.files[strings.TrimPrefix(name, "static/")] = newStaticFile(name, content)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the files for browsers: %w", err)
	}
	return s, nil
}

func newStaticFile(name string, content []byte) staticFile {
	sum := sha256.Sum256(content)
	return staticFile{
		content: content, stamp: hex.EncodeToString(sum[:6]), kind: kindOf(name),
		packed: sync.OnceValue(func() []byte { return pack(content) }),
	}
}

func pack(content []byte) []byte {
	var packed bytes.Buffer
	writer, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // the level is a valid one
	_, _ = writer.Write(content)                                    // a buffer takes everything
	_ = writer.Close()
	if packed.Len() >= len(content) {
		return nil
	}
	return packed.Bytes()
}

// kindOf is a file's media type, whatever the machine's own table says.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt", ".md":
		return "text/plain; charset=utf-8"
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

// path is the address of a file. A name that is not there is a fault of the template that asks for it.
func (s *static) path(name string) (string, error) {
	file, there := s.files[name]
	if !there {
		return "", fmt.Errorf("there is no file %q for browsers", name)
	}
	return "/static/" + file.stamp + "/" + name, nil
}

func (s *static) serve(w http.ResponseWriter, r *http.Request) {
	file, there := s.files[r.PathValue("name")]
	if !there {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", file.kind)
	header.Set("Vary", "Accept-Encoding")
	header.Set("Cache-Control", "no-cache")
	if r.PathValue("stamp") == file.stamp {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	content := file.content
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		if packed := file.packed(); packed != nil {
			header.Set("Content-Encoding", "gzip")
			content = packed
		}
	}
	header.Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content) // the visitor is gone when it fails
}
