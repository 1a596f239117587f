package node

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/node/api"
)

// safety is what answers over HTTP need besides what their handlers say.
type safety struct {
	log *slog.Logger
	// ends tells when the certificate ends that browsers are shown; it is asked over TLS only.
	ends func() time.Time
}

// around puts around every answer over HTTP what a browser must be told so that nothing of this site is shown inside another
// one, guessed to be what it is not, kept in a cache or told onwards by an address. Handlers may say more of an answer, such as which
// styles a page loads. A handler that panics is logged with its stack and answered without it.
func (s safety) around(next http.Handler) http.Handler {
	return api.Identified(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setSafeHeaders(w.Header())
		if r.TLS != nil {
			w.Header().Set("Strict-Transport-Security", strictTransport(time.Until(s.ends())))
		}
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler {
				panic(cause) // how a handler breaks the connection off
			}
			s.log.Error("request broke down", "request", api.RequestID(r.Context()), "method", r.Method, "path", spokenPath(r.URL.Path),
				"panic", cause, "stack", string(debug.Stack()))
			http.Error(w, "500 此页面出错，日志中有原因 The node could not do this; its log has the cause.", http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	}))
}

// spokenPath is a path without the secret of a link in it, which must not stand in a log.
func spokenPath(path string) string {
	for _, links := range []string{"/help/p/", "/help/s/", "/api/v1/portal/problems/", "/api/v1/survey/"} {
		if rest, ok := strings.CutPrefix(path, links); ok {
			_, what, deeper := strings.Cut(rest, "/")
			if path = links + "{token}"; deeper {
				path += "/" + what
			}
		}
	}
	return path
}

// setSafeHeaders sets what holds for every answer unless its handler says otherwise.
func setSafeHeaders(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// strictTransport has browsers come over TLS only, for at most a year, and no longer than the certificate counts: afterwards they would let
// nobody pass to an office whose certificate ended while it was cut off.
func strictTransport(left time.Duration) string {
	const longest = 365 * 24 * time.Hour
	return fmt.Sprintf("max-age=%d", int(max(0, min(left, longest)).Seconds()))
}
