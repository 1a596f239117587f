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

// mustBeTaken waits until so many places for files are taken.
func (a *testAPI) mustBeTaken(t *testing.T, places int, when string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for len(a.server.files.transfers) != places {
		if time.Now().After(deadline) {
			t.Fatalf("%s, %d places for files are taken, want %d", when, len(a.server.files.transfers), places)
		}
		time.Sleep(time.Millisecond) // between two looks
	}
}

// silentSenders begin to send so many files, and then say nothing more. The result is what each one is told in the end.
func silentSenders(ctx context.Context, t *testing.T, client apipb.AttachmentsClient, number string, senders int) (told func() []codes.Code) {
	t.Helper()
	var waits []func() codes.Code
	for range senders {
		silent, err := client.AddAttachment(ctx)
		if err != nil {
			t.Fatal(err)
		}
		_ = silent.Send(&apipb.AddAttachmentRequest{Attachment: &apipb.NewAttachment{Number: number, Name: "b.txt", Size: 10}, Data: []byte("abc")})
		waits = append(waits, func() codes.Code {
			var none any
			return status.Code(silent.RecvMsg(&none))
		})
	}
	return func() (all []codes.Code) {
		for _, wait := range waits {
			all = append(all, wait())
		}
		return all
	}
}

// TestWhoSaysNothingKeepsNoPlaceForFiles has callers take every place for a file and then send, or read, nothing more.
func TestWhoSaysNothingKeepsNoPlaceForFiles(t *testing.T) {
	a := newTestAPI(t)
	a.server.files.pause = time.Second
	number := a.create("打印机卡纸")
	large := bytes.Repeat([]byte("a"), 4<<20) // more than the windows of a connection hold
	id := a.attach(number, "name=a.txt", string(large))
	a.mustBeTaken(t, 0, "when the file is there")
	client := apipb.NewAttachmentsClient(a.dial(t))
	ctx, cancel := context.WithTimeout(signedIn(t), time.Minute)
	defer cancel()
	for _, code := range silentSenders(ctx, t, client, number, maxTransfers)() {
		if code != codes.InvalidArgument {
			t.Errorf("a caller who went silent is told %v, want InvalidArgument", code)
		}
	}
	a.mustBeTaken(t, 0, "when they went silent")
	deaf, err := client.GetAttachment(ctx, &apipb.GetAttachmentRequest{Number: number, Id: id})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deaf.Recv(); err != nil && status.Code(err) != codes.InvalidArgument { // on a busy machine it is given up before
		t.Fatal(err)
	}
	a.mustBeTaken(t, 0, "when a reader went silent")
}

// TestWhoMaySaySomethingKeepsAPlaceForFiles holds the senders of the test above to taking every place.
func TestWhoMaySaySomethingKeepsAPlaceForFiles(t *testing.T) {
	a := newTestAPI(t)
	a.server.files.pause = time.Hour
	number := a.create("打印机卡纸")
	ctx, leave := context.WithCancel(signedIn(t))
	told := silentSenders(ctx, t, apipb.NewAttachmentsClient(a.dial(t)), number, maxTransfers)
	a.mustBeTaken(t, maxTransfers, "while senders begin")
	leave()
	told()
	a.mustBeTaken(t, 0, "when they have left")
}
