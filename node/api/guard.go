package api

import (
	"context"

	"google.golang.org/grpc"
)

// guard registers services whose every method passes an interceptor first. The check is part of the service, not of
// the server, so it cannot be forgotten by whoever makes the server, and the server's other services never meet it.
type guard struct {
	registrar grpc.ServiceRegistrar
	intercept grpc.UnaryServerInterceptor
}

func (g guard) RegisterService(desc *grpc.ServiceDesc, service any) {
	guarded := *desc
	guarded.Methods = make([]grpc.MethodDesc, len(desc.Methods))
	for i, method := range desc.Methods {
		guarded.Methods[i] = grpc.MethodDesc{MethodName: method.MethodName, Handler: g.wrap(method.Handler)}
	}
	g.registrar.RegisterService(&guarded, service)
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
