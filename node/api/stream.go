package api

import (
	"context"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// interceptStream is what every call that answers with a stream goes through: it is counted among those under way and
// measured, must carry a token, and its error leaves as a gRPC status with details. It has no deadline but its caller's.
func (s *Server) interceptStream(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	begin := time.Now()
	err := s.callStream(service, stream, handler)
	if err != nil {
		err = s.statusOf(info.FullMethod, nil, err).Err()
	}
	s.metrics.observe(info.FullMethod, status.Code(err), time.Since(begin))
	return err
}

// callStream authorises the caller and runs the method; a panic in either becomes an error.
func (s *Server) callStream(service any, stream grpc.ServerStream, handler grpc.StreamHandler) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &panicError{cause: cause, stack: debug.Stack()}
		}
	}()
	call, err := s.intake.admit()
	if err != nil {
		return err
	}
	defer call.end()
	ctx, err := s.authenticate(stream.Context())
	if err != nil {
		return err
	}
	return handler(service, authenticated{stream, ctx})
}

// authenticated is a stream whose context says who calls.
type authenticated struct {
	grpc.ServerStream
	ctx context.Context
}

func (a authenticated) Context() context.Context { return a.ctx }
