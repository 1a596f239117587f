package api

import (
	"context"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// How long a call may take: when its caller says nothing, and at most.
const (
	defaultDeadline = 10 * time.Second
	longestDeadline = 30 * time.Second
)

// intercept is what every call of the API goes through: it is measured, gets a deadline, must carry a token of somebody who may,
// and its error leaves as a gRPC status with details. A panic is logged with its stack and answered like any other fault.
func (s *Server) intercept(ctx context.Context, in any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	begin := time.Now()
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	out, err := s.call(ctx, in, info, handler)
	if err != nil {
		err = s.statusOf(ctx, info.FullMethod, in, err).Err()
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
	err = s.authorised(ctx, info.FullMethod, in, func(ctx context.Context) (err error) {
		out, err = handler(ctx, in)
		return err
	})
	return out, err
}

// withDeadline bounds the call's time.
func withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := defaultDeadline
	if _, ok := ctx.Deadline(); ok {
		limit = longestDeadline
	}
	return context.WithTimeout(ctx, limit)
}

// firstMetadata returns the first value of the call's metadata under the key, "" when there is none.
func firstMetadata(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}
