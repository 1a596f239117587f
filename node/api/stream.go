package api

import (
	"context"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
)

// interceptStream is what every call that answers with a stream goes through: it is counted among those under way and
// measured, must carry a token, and its error leaves as a gRPC status with details. It has no deadline but its caller's.
func (s *Server) interceptStream(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	begin := time.Now()
	ctx := identified(stream.Context())
	err := s.callStream(service, authenticated{stream, ctx}, info.FullMethod, handler)
	if err != nil {
		err = s.statusOf(ctx, info.FullMethod, nil, err).Err()
	}
	s.metrics.observe(info.FullMethod, status.Code(err), time.Since(begin))
	return err
}

// callStream authorises the caller and runs the method; a panic in either becomes an error.
func (s *Server) callStream(service any, stream grpc.ServerStream, method string, handler grpc.StreamHandler) (err error) {
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
	return s.authorised(stream.Context(), method, nil, func(ctx context.Context) error {
		return handler(service, authenticated{stream, ctx})
	})
}

// authenticated is a stream whose context says who calls.
type authenticated struct {
	grpc.ServerStream
	ctx context.Context
}

func (a authenticated) Context() context.Context { return a.ctx }

// RecvMsg takes a message that is not what the method takes for a mistake of the caller, whom gRPC has told so already.
func (a authenticated) RecvMsg(into any) error {
	err := a.ServerStream.RecvMsg(into)
	if status.Code(err) == codes.Internal {
		return desk.Refuse(desk.InvalidArgument, "MALFORMED_MESSAGE", "the message is not of the form that the method takes")
	}
	return err
}
