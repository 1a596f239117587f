package api

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
)

// guard registers services whose every method passes an interceptor first. The check is part of the service, not of
// the server, so it cannot be forgotten by whoever makes the server, and the server's other services never meet it.
type guard struct {
	registrar grpc.ServiceRegistrar
	intercept grpc.UnaryServerInterceptor
	// stream is what the calls pass that answer with a stream; nil where none is served.
	stream grpc.StreamServerInterceptor
	// admit takes a call of a method in before its message is decoded; nil: whoever calls has done so.
	admit func(ctx context.Context, method string, decode func(any) error) (admitted func(any) error, end func(), err error)
}

func (g guard) RegisterService(desc *grpc.ServiceDesc, service any) {
	guarded := *desc
	guarded.Methods = make([]grpc.MethodDesc, len(desc.Methods))
	for i, method := range desc.Methods {
		name := "/" + desc.ServiceName + "/" + method.MethodName
		guarded.Methods[i] = grpc.MethodDesc{MethodName: method.MethodName, Handler: g.limit(name, g.wrap(method.Handler))}
	}
	guarded.Streams = make([]grpc.StreamDesc, len(desc.Streams))
	for i, stream := range desc.Streams {
		guarded.Streams[i] = stream
		guarded.Streams[i].Handler = g.watch("/"+desc.ServiceName+"/"+stream.StreamName, stream.Handler)
	}
	g.registrar.RegisterService(&guarded, service)
}

// watch puts the guard's check before a call that answers with a stream.
func (g guard) watch(name string, next grpc.StreamHandler) grpc.StreamHandler {
	return func(service any, stream grpc.ServerStream) error {
		return g.stream(service, stream, &grpc.StreamServerInfo{FullMethod: name, IsServerStream: true}, next)
	}
}

// wrap puts the guard's interceptor inside the one that the server may bring.
func (g guard) wrap(next grpc.MethodHandler) grpc.MethodHandler {
	return func(service any, ctx context.Context, decode func(any) error, outer grpc.UnaryServerInterceptor) (any, error) {
		intercept := g.intercept
		if outer != nil {
			intercept = func(ctx context.Context, in any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
				return outer(ctx, in, info, func(ctx context.Context, in any) (any, error) {
					return g.intercept(ctx, in, info, handler)
				})
			}
		}
		return next(service, ctx, decode, intercept)
	}
}

// limit lets only admitted calls through.
func (g guard) limit(method string, next grpc.MethodHandler) grpc.MethodHandler {
	if g.admit == nil {
		return next
	}
	return func(service any, ctx context.Context, decode func(any) error, outer grpc.UnaryServerInterceptor) (any, error) {
		ctx = identified(ctx)
		admitted, end, err := g.admit(ctx, method, decode)
		if err != nil {
			return nil, err
		}
		defer end()
		return next(service, ctx, admitted, outer)
	}
}

// admit takes a gRPC call in, whose message counts once it is decoded: the server has bounded it before. Its errors are
// what the caller gets.
func (s *Server) admit(ctx context.Context, method string, decode func(any) error) (admitted func(any) error, end func(), err error) {
	refuse := func(err error) error {
		st := s.statusOf(ctx, method, nil, err)
		s.metrics.observe(method, st.Code(), 0)
		return st.Err()
	}
	call, err := s.intake.admit()
	if err != nil {
		return nil, nil, refuse(err)
	}
	admitted = func(into any) error {
		if err := decode(into); err != nil {
			return err
		}
		size := proto.Size(into.(proto.Message))
		if size > maxBody {
			return refuse(desk.Refuse(desk.InvalidArgument, "BODY_TOO_LARGE",
				"the message has %d bytes; at most %d are taken, so send less at once", size, maxBody))
		}
		if err := call.grow(size); err != nil {
			return refuse(err)
		}
		return nil
	}
	return admitted, call.end, nil
}
