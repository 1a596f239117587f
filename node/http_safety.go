package node

import (
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/tierdesk/tierdesk/node/api"
)

// safely puts around every answer over HTTP what a browser must be told so that nothing of this site is shown inside another
// one, guessed to be what it is not, kept in a cache or told onwards by an address. Handlers may say more of an answer, such as which
// styles a page loads. A handler that panics is logged with its stack and answered without it.
func safely(log *slog.Logger, next http.Handler) http.Handler {
	return api.Identified(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setSafeHeaders(w.Header(), r.TLS != nil)
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler {
				panic(cause) // how a handler breaks the connection off
			}
			log.Error("request broke down", "request", api.RequestID(r.Context()), "method", r.Method, "path", r.URL.Path,
				"panic", cause, "stack", string(debug.Stack()))
			http.Error(w, "500 此页面出错，日志中有原因 The node could not do this; its log has the cause.", http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	}))
}

// setSafeHeaders sets what holds for every answer unless its handler says otherwise.
func setSafeHeaders(h http.Header, encrypted bool) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if encrypted {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
