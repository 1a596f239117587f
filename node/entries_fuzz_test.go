package node

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// rawCodec sends bytes as they are, so that a fuzzer can send what is no message.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(value any) ([]byte, error) { return *value.(*[]byte), nil }

func (rawCodec) Unmarshal(data []byte, value any) error {
	*value.(*[]byte) = append([]byte(nil), data...)
	return nil
}

// FuzzGRPC sends bytes to a method, as one of the strangers.
func FuzzGRPC(f *testing.F) {
	b := besiege(f, siegeSeed)
	for i, to := range b.entrances {
		wire, err := proto.Marshal(b.maker.message(to.method.Input(), true, 0).Interface())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint16(i), uint8(i), wire)
		f.Add(uint16(i), uint8(5), b.maker.damaged(append(wire, 0xff)))
	}
	f.Fuzz(func(t *testing.T, method uint16, caller uint8, wire []byte) {
		to, who := b.entrances[int(method)%len(b.entrances)], b.strangers[int(caller)%len(b.strangers)]
		ctx, cancel := context.WithTimeout(who.as(t.Context()), slowest)
		defer cancel()
		desc := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
		stream, err := who.conn.NewStream(ctx, desc, to.name, grpc.ForceCodec(rawCodec{}))
		if err == nil {
			err = stream.SendMsg(&wire)
		}
		if err == nil {
			err = stream.CloseSend()
		}
		for err == nil {
			var answer []byte
			err = stream.RecvMsg(&answer)
		}
		code := status.Code(err)
		noMessage := strings.Contains(err.Error(), "failed to unmarshal the received message") // gRPC's own word for it, with its own code
		if err.Error() != "EOF" && code != codes.Unauthenticated && !noMessage {
			b.judge(t, who, to, code, 0, to.name+": "+err.Error())
		}
		if lines := brokeDown.FindString(b.log.String()); lines != "" {
			t.Fatalf("the node logged what broke down: %.3000s", lines)
		}
	})
}

// FuzzHTTP sends a request past the network, as one of the strangers.
func FuzzHTTP(f *testing.F) {
	b := besiege(f, siegeSeed)
	for i, to := range b.entrances {
		if to.path == "" {
			continue
		}
		body := b.maker.body(to, b.maker.message(to.method.Input(), true, 0), true)
		f.Add(to.verb, b.maker.path(to, true), uint8(i), "application/json", body)
	}
	f.Add("GET", "/", uint8(0), "", []byte(nil))
	f.Add("POST", "/sign-in", uint8(0), "application/x-www-form-urlencoded", []byte("user=admin&password=correct+horse"))
	f.Add("POST", "/api/v1/tickets/x/attachments?name=a.txt", uint8(5), "text/plain", []byte("文件"))
	f.Fuzz(func(t *testing.T, verb, target string, caller uint8, media string, body []byte) {
		request, err := http.NewRequestWithContext(t.Context(), verb, "http://localhost/"+strings.TrimPrefix(target, "/"), strings.NewReader(string(body)))
		if err != nil {
			return // no client could send it
		}
		request.RemoteAddr = "127.0.0.1:1"
		request.Header.Set("Content-Type", media)
		if who := b.strangers[int(caller)%len(b.strangers)]; who.token != "" {
			request.Header.Set("Authorization", "Bearer "+who.token)
		}
		began, answer := time.Now(), httptest.NewRecorder()
		b.node.servers.http.Handler.ServeHTTP(answer, request)
		if answer.Code >= 500 {
			t.Errorf("%s %q: %d %s", verb, target, answer.Code, answer.Body)
		}
		if took := time.Since(began); took > slowest {
			t.Errorf("%s %q took %v", verb, target, took)
		}
		if lines := brokeDown.FindString(b.log.String()); lines != "" {
			t.Fatalf("the node logged what broke down: %.3000s", lines)
		}
	})
}
