package api

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// inProcess is the connection between the JSON gateway and the services of the same process: a call is a function call
// that passes the same guard as one from the network, with the caller's deadline and metadata. Nothing is encoded, no
// goroutine runs. It carries unary calls only; the API has no others. The caller must not change what is in an answer: it may be what
// other calls are answered with too, such as the policy.
type inProcess struct {
	methods map[string]boundMethod // by full name, "/package.Service/Method"
}

type boundMethod struct {
	service any
	handler grpc.MethodHandler
}

func newInProcess() *inProcess {
	return &inProcess{methods: make(map[string]boundMethod)}
}

// RegisterService makes the service reachable. It must not be called any more once calls are made.
func (p *inProcess) RegisterService(desc *grpc.ServiceDesc, service any) {
	for _, method := range desc.Methods {
		p.methods["/"+desc.ServiceName+"/"+method.MethodName] = boundMethod{service: service, handler: method.Handler}
	}
}

func (p *inProcess) Invoke(ctx context.Context, name string, in, out any, _ ...grpc.CallOption) error {
	method, ok := p.methods[name]
	if !ok {
		return status.Errorf(codes.Unimplemented, "method %s is not served", name)
	}
	sent, _ := metadata.FromOutgoingContext(ctx)
	ctx = metadata.NewIncomingContext(ctx, sent)
	decode := func(into any) error {
		proto.Merge(into.(proto.Message), in.(proto.Message))
		return nil
	}
	answer, err := method.handler(method.service, ctx, decode, nil)
	if err != nil {
		return err
	}
	hand(out.(proto.Message).ProtoReflect(), answer.(proto.Message).ProtoReflect())
	return nil
}

// hand has an empty message hold what another one of its type holds, without a copy of what that consists of.
func hand(to, from protoreflect.Message) {
	from.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		to.Set(field, value)
		return true
	})
}

func (p *inProcess) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unimplemented, "the API has no streams")
}
