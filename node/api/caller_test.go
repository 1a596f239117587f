package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// ending is what a call came to, in the words that gRPC and JSON share.
type ending struct {
	code    codes.Code
	reason  string
	message string
	answer  proto.Message // of a call that succeeded and is not a stream
}

func (e ending) String() string { return fmt.Sprintf("%s %s %q", e.code, e.reason, e.message) }

// transport makes any call of the API; the method is named as "Tickets/GetTicket".
type transport struct {
	name string
	call func(t testing.TB, token, method string, request proto.Message) ending
}

// transports are gRPC and JSON over HTTP.
func (a *testAPI) transports(t *testing.T) []transport {
	connection := a.dial(t)
	return []transport{
		{"gRPC", func(t testing.TB, token, method string, request proto.Message) ending {
			return overGRPC(t, connection, token, method, request)
		}},
		{"HTTP", a.overHTTP},
	}
}

// descriptorOf finds a method of the API.
func descriptorOf(t testing.TB, method string) protoreflect.MethodDescriptor {
	t.Helper()
	name := protoreflect.FullName("tierdesk.v1." + strings.ReplaceAll(method, "/", "."))
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		t.Fatalf("method %s: %v", method, err)
	}
	return found.(protoreflect.MethodDescriptor)
}

// answerOf makes an empty answer of a method.
func answerOf(t testing.TB, method protoreflect.MethodDescriptor) proto.Message {
	t.Helper()
	kind, err := protoregistry.GlobalTypes.FindMessageByName(method.Output().FullName())
	if err != nil {
		t.Fatal(err)
	}
	return kind.New().Interface()
}

func overGRPC(t testing.TB, connection *grpc.ClientConn, token, method string, request proto.Message) ending {
	t.Helper()
	descriptor := descriptorOf(t, method)
	answer, ctx := answerOf(t, descriptor), t.Context()
	if token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	var err error
	if descriptor.IsStreamingClient() || descriptor.IsStreamingServer() {
		err = streamed(ctx, connection, descriptor, request, answer)
	} else {
		err = connection.Invoke(ctx, fullName(descriptor), request, answer)
	}
	st := status.Convert(err)
	return ending{code: st.Code(), reason: reasonOf(st), message: st.Message(), answer: answer}
}

// streamed sends one message and reads until the stream ends.
func streamed(ctx context.Context, connection *grpc.ClientConn, method protoreflect.MethodDescriptor, request, answer proto.Message) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := connection.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, fullName(method))
	if err != nil {
		return err
	}
	// What the other end refuses before it has read all is told by the answer.
	if err := stream.SendMsg(request); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		if err := stream.RecvMsg(answer); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// overHTTP makes the call as the schema's annotations say it is made.
func (a *testAPI) overHTTP(t testing.TB, token, method string, request proto.Message) ending {
	t.Helper()
	verb, target, body := a.asHTTP(t, method, request)
	r := httptest.NewRequest(verb, target, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	recorder := httptest.NewRecorder()
	a.handler.ServeHTTP(recorder, r)
	if recorder.Code == http.StatusOK {
		answer := answerOf(t, descriptorOf(t, method))
		if !strings.HasSuffix(method, "/GetAttachment") {
			if err := protojson.Unmarshal(recorder.Body.Bytes(), answer); err != nil {
				t.Fatalf("%s answers %s: %v", method, recorder.Body, err)
			}
		}
		return ending{code: codes.OK, answer: answer}
	}
	got := answer{body: recorder.Body.String()}
	if err := json.Unmarshal(recorder.Body.Bytes(), &got.json); err != nil {
		t.Fatalf("%s answers %d %s: %v", method, recorder.Code, recorder.Body, err)
	}
	code, _ := got.json["code"].(float64)
	if ruleOf(codes.Code(code)).http != recorder.Code {
		t.Errorf("%s answers %d with the code %s", method, recorder.Code, codes.Code(code))
	}
	return ending{code: codes.Code(code), reason: got.reason(), message: got.text("message")}
}

// asHTTP says a call in HTTP: its method, its target and its body.
func (a *testAPI) asHTTP(t testing.TB, method string, request proto.Message) (verb, target, body string) {
	t.Helper()
	switch request := request.(type) {
	case *apipb.AddAttachmentRequest:
		added := request.GetAttachment()
		return http.MethodPost, "/api/v1/tickets/" + added.GetNumber() + "/attachments?name=" + url.QueryEscape(added.GetName()), string(request.GetData())
	case *apipb.GetAttachmentRequest:
		return http.MethodGet, "/api/v1/tickets/" + request.GetNumber() + "/attachments/" + request.GetId(), ""
	}
	descriptor := descriptorOf(t, method)
	route := a.server.routes.byRPC[fullName(descriptor)]
	encoded, err := protojson.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{}
	if err := json.Unmarshal(encoded, &fields); err != nil {
		t.Fatal(err)
	}
	target = intoPath(route.template, fields)
	switch {
	case route.query == nil:
		return route.method, target, asJSON(t, fields)
	case route.method == http.MethodPatch:
		inner := fields["user"]
		delete(fields, "user")
		body = asJSON(t, inner)
	}
	query := url.Values{}
	for name, value := range fields {
		query.Set(name, fmt.Sprint(value))
	}
	return route.method, target + "?" + query.Encode(), body
}

// intoPath puts fields into the places of a path, and takes them out of the fields.
func intoPath(template string, fields map[string]any) string {
	for {
		before, rest, found := strings.Cut(template, "{")
		if !found {
			return template
		}
		name, after, _ := strings.Cut(rest, "}")
		from := fields
		for outer, inner, nested := strings.Cut(name, "."); nested; outer, inner, nested = strings.Cut(name, ".") {
			from, name = from[outer].(map[string]any), inner
		}
		template = before + url.PathEscape(fmt.Sprint(from[name])) + after
		delete(from, name)
	}
}

func asJSON(t testing.TB, value any) string {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}
