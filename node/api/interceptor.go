package api

import (
	"context"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// How long a call may take: when its caller says nothing, and at most.
const (
	defaultDeadline = 10 * time.Second
	longestDeadline = 30 * time.Second
)

// intercept is what every call of the API goes through: it is measured, gets a deadline, must carry a token, and its
// error leaves as a gRPC status with details. A panic is logged with its stack and answered like any other fault.
func (s *Server) intercept(ctx context.Context, in any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	begin := time.Now()
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	out, err := s.call(ctx, in, info, handler)
	if err != nil {
		err = s.statusOf(info.FullMethod, in, err).Err()
	}
	s.metrics.observe(info.FullMethod, status.Code(err), time.Since(begin))
	return out, err
}

// call authorises the caller and runs the method; a panic in either becomes an error.
func (s *Server) call(ctx context.Context, in any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (out any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			out, err = nil, &panicError{cause: cause, stack: debug.Stack()}
		}
	}()
	if !openToAll(info.FullMethod) {
		if ctx, err = s.authenticate(ctx); err != nil {
			return nil, err
		}
	}
	return handler(ctx, in)
}

// openToAll tells whether a method is for callers who are not signed in: they bring a password, or the secret of a link.
func openToAll(method string) bool {
	switch method {
	case apipb.Sessions_CreateSession_FullMethodName, apipb.Surveys_GetSurvey_FullMethodName, apipb.Surveys_AnswerSurvey_FullMethodName:
		return true
	default:
		return false
	}
}

// withDeadline bounds the call's time.
func withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := defaultDeadline
	if _, ok := ctx.Deadline(); ok {
		limit = longestDeadline
	}
	return context.WithTimeout(ctx, limit)
}

// caller is who makes the call.
type caller struct {
	actor *deskpb.Actor
	token string
}

type callerKey struct{}

// callerOf returns the caller of an authenticated call.
func callerOf(ctx context.Context) caller {
	return ctx.Value(callerKey{}).(caller)
}

// authenticate finds out whose token the call carries. The refusal's message tells what to do.
func (s *Server) authenticate(ctx context.Context) (context.Context, error) {
	value := firstMetadata(ctx, "authorization")
	if value == "" {
		return nil, desk.Refuse(desk.Unauthenticated, "NO_TOKEN",
			"the call carries no token; sign in by POST /api/v1/sessions and send its token as Authorization: Bearer <token>")
	}
	scheme, token, _ := strings.Cut(value, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, desk.Refuse(desk.Unauthenticated, "BAD_AUTHORIZATION",
			"the Authorization header is not of the form: Bearer <token>")
	}
	actor, err := s.people.Authenticate(ctx, token)
	if err != nil {
		return nil, err
	}
	return context.WithValue(ctx, callerKey{}, caller{actor: actor, token: token}), nil
}

// firstMetadata returns the first value of the call's metadata under the key, "" when there is none.
func firstMetadata(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}
