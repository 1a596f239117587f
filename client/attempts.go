package client

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

const (
	firstPause = 100 * time.Millisecond // between two tries, when the node names none; doubles
	lastPause  = time.Second
	leastTry   = 100 * time.Millisecond // what must be left of the call's time for another try
)

// intercept gives every call its deadline and the token, repeats it within that time where this cannot do it twice, and
// turns its error into a Failure.
func (t target) intercept(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	ends := time.Now().Add(t.timeout)
	limited, cancel := context.WithDeadline(ctx, ends)
	defer cancel()
	if t.token != "" {
		limited = metadata.AppendToOutgoingContext(limited, "authorization", "Bearer "+t.token)
	}
	e := newExchange(t, method, request)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		var answerer peer.Peer
		err := invoke(limited, method, request, reply, conn, append(options, grpc.Peer(&answerer))...)
		if err == nil {
			return nil
		}
		e.failed(err, answerer.Addr != nil)
		wait, again := e.repetition(err, pause)
		if t.once || !again || time.Until(ends) < wait+leastTry || !rest(limited, wait) {
			return e.failure(err)
		}
	}
}

// rest waits; false when the context ended first.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// exchange is what is known about a call besides its error.
type exchange struct {
	server    string
	connected bool     // the last try was put on a connection; without it no node has seen that try
	met       bool     // some try was
	changes   bool     // the call is no read
	unsure    bool     // some try may have made the change although it failed
	requestID string   // of a change that can be repeated; empty for others
	secrets   []string // never shown
}

func newExchange(t target, method string, request any) *exchange {
	e := &exchange{server: t.server, changes: !reads(method), secrets: []string{t.token}}
	if change, ok := request.(interface{ GetRequestId() string }); ok {
		e.requestID = change.GetRequestId()
	}
	if secret, ok := request.(interface{ GetPassword() string }); ok {
		e.secrets = append(e.secrets, secret.GetPassword())
	}
	if secret, ok := request.(interface{ GetCurrentPassword() string }); ok {
		e.secrets = append(e.secrets, secret.GetCurrentPassword())
	}
	if secret, ok := request.(interface{ GetCode() string }); ok {
		e.secrets = append(e.secrets, secret.GetCode())
	}
	return e
}

// reads tells whether a method, by its full name, changes nothing.
func reads(method string) bool {
	name := method[strings.LastIndexByte(method, '/')+1:]
	return strings.HasPrefix(name, "Get") || strings.HasPrefix(name, "List") || strings.HasPrefix(name, "Diagnose")
}

// failed notes a try that ended with an error.
func (e *exchange) failed(err error, connected bool) {
	e.connected, e.met = connected, e.met || connected
	s := status.Convert(err)
	if connected && e.changes && outcomeUnknown(s.Code(), reasonOf(s)) {
		e.unsure = true
	}
}

// repetition tells whether the call should be made again, and after what pause: when the node says that nothing was
// done and that it is worth another try, or when a repetition cannot do it twice. A node that was never met is left
// alone, for its address may be wrong.
func (e *exchange) repetition(err error, pause time.Duration) (time.Duration, bool) {
	s, ok := status.FromError(err)
	if !ok {
		return 0, false
	}
	reason := reasonOf(s)
	pause = pause/2 + rand.N(pause/2)
	switch s.Code() {
	case codes.Unavailable, codes.ResourceExhausted:
		if reason == "DISK_FULL" || s.Code() == codes.ResourceExhausted && reason == "" {
			return 0, false
		}
		if told := retryDelay(s); told > 0 {
			pause = told
		}
		safe := reason != "" && reason != reasonOutcomeUnknown || !e.connected
		return pause, e.met && (safe || e.repeatable())
	case codes.DeadlineExceeded:
		return pause, e.repeatable()
	}
	return 0, false
}

// repeatable tells whether the call does nothing twice when it is made again.
func (e *exchange) repeatable() bool { return !e.changes || e.requestID != "" }

// retryDelay is the pause that a node asks for, 0 when it does not.
func retryDelay(s *status.Status) time.Duration {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}
