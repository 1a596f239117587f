package api

import (
	"bytes"
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// TestWhoSaysNothingKeepsNoPlaceForFiles has callers take every place for a file and then send, or read, nothing more.
func TestWhoSaysNothingKeepsNoPlaceForFiles(t *testing.T) {
	a := newTestAPI(t)
	a.server.files.pause = 200 * time.Millisecond
	number := a.create("打印机卡纸")
	large := bytes.Repeat([]byte("a"), 4<<20) // more than the windows of a connection hold
	id := a.attach(number, "name=a.txt", string(large))
	mustBeTaken := func(places int, when string) {
		t.Helper()
		deadline := time.Now().Add(10 * time.Second)
		for len(a.server.files.transfers) != places {
			if time.Now().After(deadline) {
				t.Fatalf("%s, %d places for files are taken, want %d", when, len(a.server.files.transfers), places)
			}
			time.Sleep(time.Millisecond) // between two looks
		}
	}
	mustBeTaken(0, "when the file is there")
	client := apipb.NewAttachmentsClient(a.dial(t))
	ctx, cancel := context.WithTimeout(signedIn(t), 15*time.Second)
	defer cancel()
	for range maxTransfers {
		silent, err := client.AddAttachment(ctx)
		if err != nil {
			t.Fatal(err)
		}
		err = silent.Send(&apipb.AddAttachmentRequest{Attachment: &apipb.NewAttachment{Number: number, Name: "b.txt", Size: 10}, Data: []byte("abc")})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			var none any
			if err := silent.RecvMsg(&none); status.Code(err) != codes.InvalidArgument {
				t.Errorf("a caller who went silent is told %v, want InvalidArgument", err)
			}
		}()
	}
	mustBeTaken(maxTransfers, "while senders begin")
	mustBeTaken(0, "when they went silent")
	deaf, err := client.GetAttachment(ctx, &apipb.GetAttachmentRequest{Number: number, Id: id})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deaf.Recv(); err != nil {
		t.Fatal(err)
	}
	mustBeTaken(0, "when a reader went silent")
}
