package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/tierdesk/tierdesk/node/api"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/peers"
	"github.com/tierdesk/tierdesk/node/web"
	"github.com/tierdesk/tierdesk/node/web/page"
)

const (
	// maxBody bounds a request over HTTP, in bytes.
	maxBody = 1 << 20
	// maxMessage bounds a message over gRPC, in bytes: a command of at most 1 MiB, or items of a link, and the envelope.
	maxMessage = 2 << 20
	// window is how much may be on its way to this node and not yet read, on a connection and on each of its calls, in bytes.
	window = 1 << 20
	// messagePrefix stands before each message of gRPC, in bytes.
	messagePrefix = 5
	// maxHeaders bounds the headers of a request, over HTTP and over gRPC, in bytes.
	maxHeaders = 64 << 10
	// maxStreams bounds the calls at one time over one connection.
	maxStreams = 4096
	// streamWorkers answer calls one after the other; a call that finds none of them free gets a goroutine of its own.
	streamWorkers = 64
	// goneAfter is how long a connection may be silent before it is asked for a sign of life, and then until it is given up.
	goneAfter = 20 * time.Second
	// connectTime bounds the wait for a new connection's other end to introduce itself.
	connectTime = 10 * time.Second
	// drainTime bounds the wait for calls that were begun.
	drainTime = 3 * time.Second
)

// servers answer on the node's ports. The gRPC port serves programs, the nodes of the site and the links of children;
// the HTTP port serves pages, JSON, and the programs' gRPC too, so that one address is enough for them.
type servers struct {
	programs *api.Server
	grpc     *grpc.Server // on the gRPC port
	overWeb  *grpc.Server // behind the HTTP port: the API alone
	http     *http.Server
}

func (n *Node) newServers(programs *api.Server, pages *web.Pages) (*servers, error) {
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.MaxConcurrentStreams(maxStreams),
		// A goroutine that is used again has grown its stack already.
		grpc.NumStreamWorkers(streamWorkers),
		// A window of its own size keeps gRPC from measuring the line of a quiet link with a ping after every frame.
		grpc.InitialWindowSize(window),
		grpc.InitialConnWindowSize(window),
		// A connection whose other end never says what it wants must not keep the node from stopping.
		grpc.ConnectionTimeout(connectTime),
		// A caller that is gone without a word must not keep a stream, and with a backup the files it copies.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: goneAfter, Timeout: goneAfter}),
		// Nodes and links look every few seconds whether the other end is there.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	}
	if n.security.server != nil {
		options = append(options, grpc.Creds(n.security.server))
	}
	s := &servers{
		programs: programs, grpc: grpc.NewServer(options...), overWeb: grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage)),
	}
	err := peers.Register(s.grpc, peers.ServerOptions{
		Site: n.config.Site.ID, Replica: n.replica, Links: n.backend.ownLinks, Diagnose: n.backend.diagnosis,
		AskNeighbour: n.tiers.AskNeighbour, Presence: n.feed.heard, CallerSite: n.security.callerSite, Refused: n.refusedCall,
	})
	if err != nil {
		return nil, err
	}
	n.tiers.Register(s.grpc)
	programs.Register(s.grpc)
	programs.Register(s.overWeb)

	s.http = newHTTPServer(route(programs.Handler(), pages, s.overWeb, safety{n.log, n.security.expires}), n.security.http, n.log)
	return s, nil
}

// newHTTPServer makes a server that no caller can hold for long: a request's headers, its body and the reading of its answer have
// their time, and so has a connection on which nothing happens. Calls that take longer lift the deadlines by themselves.
func newHTTPServer(handler http.Handler, config *tls.Config, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(config == nil)
	return &http.Server{
		Handler:                      handler,
		TLSConfig:                    config,
		Protocols:                    protocols,
		ReadHeaderTimeout:            5 * time.Second,
		ReadTimeout:                  30 * time.Second,
		WriteTimeout:                 60 * time.Second,
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               maxHeaders,
		DisableGeneralOptionsHandler: true, // OPTIONS * is refused like any unknown path
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// route tells by its content type what is gRPC, by its path what is for programs; everything else is for people.
func route(programs, pages, overGRPC http.Handler, safe safety) http.Handler {
	files := programs                                      // which bounds them itself
	uploads := http.MaxBytesHandler(pages, page.MaxUpload) // whose time pages bound
	programs, pages = http.MaxBytesHandler(programs, maxBody), http.MaxBytesHandler(pages, maxBody)
	streams := overGRPC // of which gRPC bounds each message
	// One byte more than a message may have lets gRPC itself refuse it and name the limit.
	overGRPC = http.MaxBytesHandler(overGRPC, maxMessage+1+messagePrefix)
	answers := safe.around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case api.TakesFile(r):
			files.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/api/"), path == "/healthz", path == "/readyz", path == "/metrics":
			programs.ServeHTTP(w, r)
		case r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data"):
			uploads.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.ProtoMajor != 2 || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc"):
			answers.ServeHTTP(w, r)
		case streamed(w, r.URL.Path):
			streams.ServeHTTP(w, r)
		default:
			overGRPC.ServeHTTP(w, r)
		}
	})
}

// streamed lifts the deadlines of the connection for a call that takes as long as its other end does, and tells whether it
// is one that also sends more than one message.
func streamed(w http.ResponseWriter, path string) bool {
	connection := http.NewResponseController(w)
	switch path {
	case apipb.Recoveries_BackupSite_FullMethodName, apipb.Attachments_GetAttachment_FullMethodName:
		_ = connection.SetWriteDeadline(time.Time{})
	case apipb.Attachments_AddAttachment_FullMethodName:
		_ = errors.Join(connection.SetReadDeadline(time.Time{}), connection.SetWriteDeadline(time.Time{}))
		return true
	}
	return false
}

// start serves in goroutines of the node. A server that ends by itself is a fault of the node.
func (s *servers) start(n *Node) {
	n.running.Go(func() {
		if err := s.grpc.Serve(n.listeners.grpc); err != nil {
			n.fail(fmt.Errorf("serve gRPC at %s: %w", n.GRPCAddr(), err))
		}
	})
	n.running.Go(func() {
		serve := s.http.Serve
		if s.http.TLSConfig != nil {
			serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
		}
		if err := serve(n.listeners.http); !errors.Is(err, http.ErrServerClosed) {
			n.fail(fmt.Errorf("serve HTTP at %s: %w", n.HTTPAddr(), err))
		}
	})
}

// drainHTTP finishes the requests that were begun and cuts off what is not done in time.
func (s *servers) drainHTTP(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	s.programs.Drain()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close()
	}
	s.overWeb.Stop()
}

// drainGRPC does the same for gRPC. Streams of links end with the links, not here.
func (s *servers) drainGRPC(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		s.grpc.GracefulStop()
	}()
	select {
	case <-drained:
	case <-ctx.Done():
		s.grpc.Stop()
		<-drained
	}
}
