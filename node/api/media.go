package api

import (
	"bytes"
	"mime"
	"net/http"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
)

// sniffBytes is how much of a file's beginning tells its type.
const sniffBytes = 1024

// mediaType tells what a file is by its first bytes, never by its name. What a browser could take for a page or a program
// although it looks like plain text is named as such.
func mediaType(head []byte) string {
	media, _, err := mime.ParseMediaType(http.DetectContentType(head))
	if err != nil {
		return "application/octet-stream"
	}
	if media != "text/plain" && media != "text/xml" {
		return media
	}
	lower := bytes.ToLower(head[:min(len(head), sniffBytes)])
	switch {
	case bytes.Contains(lower, []byte("<svg")):
		return "image/svg+xml"
	case bytes.Contains(lower, []byte("<html")), bytes.Contains(lower, []byte("<script")), bytes.Contains(lower, []byte("<!doctype html")):
		return "text/html"
	}
	return media
}

// shownInline tells whether a browser may show a file of the type instead of saving it: pictures of pixels, and plain text.
func shownInline(media string) bool {
	return slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "text/plain"}, media)
}

// setFileHeaders says what a file is, so that no browser runs anything in it with the rights of this site.
func setFileHeaders(h http.Header, name string, head []byte) {
	media, disposition := mediaType(head), "attachment"
	if shownInline(media) {
		disposition = "inline"
	}
	if media == "text/plain" || media == "text/html" {
		media += "; charset=utf-8"
	}
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": desk.FileName(name)}))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	h.Set("Cache-Control", "no-store")
}
