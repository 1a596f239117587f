package api

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
)

// document is the OpenAPI description, generated from the schema.
//
//go:embed openapi.json
var document []byte

// Handler serves /api/, /healthz, /readyz and /metrics. Everything else is answered 404 in the API's form. Only a bearer token
// says who calls: a cookie never does, and a call that a browser sends with cookies for a page of another origin is refused
// before anything of it is looked at.
func (s *Server) Handler() http.Handler {
	metrics := promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{})
	var origins http.CrossOriginProtection
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["Cookie"]) > 0 && origins.Check(r) != nil {
			writeError(w, http.StatusForbidden, refusalStatus(desk.Refuse(desk.PermissionDenied, "CROSS_ORIGIN",
				"a page of another origin sent this call with cookies; call from a program, with a token")))
			return
		}
		switch r.URL.Path {
		case "/healthz":
			readOnly(w, r, s.serveHealthz)
		case "/readyz":
			readOnly(w, r, s.serveReadyz)
		case "/metrics":
			readOnly(w, r, metrics.ServeHTTP)
		case "/api/openapi.json":
			readOnly(w, r, serveDocument)
		default:
			s.serveJSON(w, r)
		}
	})
}

// readOnly lets GET and HEAD through.
func readOnly(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuseMethod(w, r, []string{http.MethodGet})
		return
	}
	next(w, r)
}

// serveHealthz says that the process serves requests at all.
func (s *Server) serveHealthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"status": "ok", "version": s.version})
}

// serveReadyz says whether the node can do its work, and if not, why.
func (s *Server) serveReadyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := withDeadline(r.Context())
	defer cancel()
	if reasons := s.backend.Ready(ctx); len(reasons) > 0 {
		w.Header().Set("Retry-After", "1")
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"status": "not ready", "reasons": reasons})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"status": "ready", "reasons": []string{}})
}

func serveDocument(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(document) // the caller is gone when it fails
}

func writeJSON(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(value) // the caller is gone when it fails
}

// serveJSON checks the form of a call and hands it to the gateway. HEAD is GET whose body is not sent.
func (s *Server) serveJSON(w http.ResponseWriter, r *http.Request) {
	r = withOrigin(r)
	if s.serveFile(w, r) {
		return
	}
	if r.Method == http.MethodHead {
		inner := *r
		inner.Method = http.MethodGet
		w, r = headersOnly{w}, &inner
	}
	found, others := s.routes.find(r.Method, r.URL.Path)
	switch {
	case found != nil:
	case len(others) > 0:
		refuseMethod(w, r, others)
		return
	default:
		writeError(w, http.StatusNotFound, refusalStatus(desk.Refuse(desk.NotFound, "UNKNOWN_PATH",
			"there is nothing at %.200q; /api/openapi.json lists the calls", r.URL.Path)))
		return
	}
	taken, end, err := s.intake.count(r)
	if err != nil {
		s.refuse(w, r, found, err)
		return
	}
	defer end()
	r = taken
	if err := cmp.Or(checkHeaders(r), checkQuery(found, r)); err != nil {
		writeError(w, http.StatusBadRequest, refusalStatus(err))
		return
	}
	if problem := takeBody(w, r); problem != nil {
		writeError(w, problem.http, refusalStatus(problem.refusal))
		return
	}
	r.Header.Set("Content-Type", "application/json") // every body that is taken is, whatever the header said
	s.gateway.ServeHTTP(w, r)
}

// headersOnly is an answer without its body.
type headersOnly struct{ http.ResponseWriter }

func (h headersOnly) Write(body []byte) (int, error) { return len(body), nil }

// refuse answers a call that was not taken in.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, found *route, err error) {
	st := s.statusOf(r.Context(), found.rpc, nil, err)
	s.metrics.observe(found.rpc, st.Code(), 0)
	writeError(w, ruleOf(st.Code()).http, st)
}

func refuseMethod(w http.ResponseWriter, r *http.Request, allowed []string) {
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(slices.Clone(allowed), http.MethodHead)
	}
	methods := strings.Join(allowed, ", ")
	w.Header().Set("Allow", methods)
	writeError(w, http.StatusMethodNotAllowed, detailed(codes.Unimplemented,
		fmt.Sprintf("%.20s is not possible here; use %s", r.Method, methods), errorInfo("METHOD_NOT_ALLOWED")))
}

// writeError answers with a status as JSON. The HTTP code stands beside it because HTTP knows kinds of bad requests that
// gRPC does not.
func writeError(w http.ResponseWriter, code int, st *status.Status) {
	header := w.Header()
	switch {
	case code == http.StatusUnauthorized:
		header.Set("WWW-Authenticate", `Bearer realm="tierdesk"`)
	case retryAfter(st) > 0:
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(retryAfter(st).Seconds()))))
	}
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	body, err := jsonMarshaler().Marshal(withRequestID(st, header.Get(requestHeader)).Proto())
	if err != nil {
		code = http.StatusInternalServerError
		body = []byte(`{"code":13,"message":"the error could not be written as JSON","details":[]}`)
	}
	w.WriteHeader(code)
	_, _ = w.Write(body) // the caller is gone when it fails
}
