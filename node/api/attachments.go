package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"google.golang.org/grpc"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

const (
	// maxTransfers bounds the files that go in and out of a node at one time.
	maxTransfers = 8
	// transferBytes is how many bytes of a file one message carries.
	transferBytes = 64 << 10
)

// attachments serves the files of tickets. No more than one piece of a file is in memory for each transfer.
type attachments struct {
	apipb.UnimplementedAttachmentsServer
	backend   Backend
	tickets   *tickets
	transfers chan struct{} // a token for each file under way
	pause     time.Duration // how long the other end of a stream may be silent
}

func newAttachments(backend Backend, t *tickets) *attachments {
	return &attachments{backend: backend, tickets: t, transfers: make(chan struct{}, maxTransfers), pause: transferPause}
}

// enter counts a transfer in; who gets no error calls leave.
func (a *attachments) enter() (leave func(), err error) {
	select {
	case a.transfers <- struct{}{}:
		return func() { <-a.transfers }, nil
	default:
		return nil, desk.Refuse(desk.ResourceExhausted, "OVERLOADED",
			"the node has %d files under way and takes no more now; nothing was done, try again in a moment", maxTransfers)
	}
}

// add takes a file in and attaches it. What would be refused anyway is refused before its content is read.
func (a *attachments) add(ctx context.Context, q *apipb.NewAttachment, content io.Reader) (*deskpb.Ticket, error) {
	if err := numberGiven(q.GetNumber()); err != nil {
		return nil, err
	}
	if q.GetName() == "" {
		return nil, desk.RefuseField("name", "is missing; give the file's name")
	}
	if size := q.GetSize(); size < 1 || size > desk.MaxFile {
		return nil, desk.RefuseField("size", "a file of %d bytes is not taken; it must have 1 to %d", size, desk.MaxFile)
	}
	leave, err := a.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	err = a.backend.Read(ctx, false, func(r *store.Reader) error {
		_, _, err := a.tickets.find(ctx, r, q.GetNumber())
		return err
	})
	if err != nil {
		return nil, err
	}
	head := &headReader{Reader: content}
	sum, err := a.backend.KeepFile(ctx, head, q.GetSize())
	if err != nil {
		return nil, err
	}
	got := hex.EncodeToString(sum)
	if q.GetSha256() != "" && q.GetSha256() != got {
		return nil, desk.RefuseField("sha256", "what came has the hash %s, not %.64q; send the file again", got, q.GetSha256())
	}
	q.Sha256 = got // a repeated request has the same content
	return a.tickets.act(ctx, "attach", q, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Attach{Attach: &deskpb.Attach{
		Attachment: &deskpb.Attachment{
			Name: desk.FileName(q.GetName()), Size: q.GetSize(), MediaType: mediaType(head.head), Sha256: got, Internal: q.GetInternal(),
		},
	}}})
}

// headReader remembers the beginning of what is read.
type headReader struct {
	io.Reader
	head []byte
}

func (h *headReader) Read(into []byte) (int, error) {
	n, err := h.Reader.Read(into)
	if missing := sniffBytes - len(h.head); missing > 0 {
		h.head = append(h.head, into[:min(n, missing)]...)
	}
	return n, err
}

// open finds a file and makes its content complete here.
func (a *attachments) open(ctx context.Context, number, id string) (*deskpb.Attachment, io.Reader, error) {
	if err := numberGiven(number); err != nil {
		return nil, nil, err
	}
	var found *deskpb.Attachment
	err := a.backend.Read(ctx, false, func(r *store.Reader) error {
		record, sight, err := a.tickets.find(ctx, r, number)
		if err != nil {
			return err
		}
		all := sight.files(record.GetTicket())
		i := slices.IndexFunc(all, func(known *deskpb.Attachment) bool { return known.GetId() == id })
		if i < 0 {
			return desk.Refuse(desk.NotFound, "ATTACHMENT_NOT_FOUND", "ticket %s has no attachment %.100q; list them", number, id)
		}
		found = all[i]
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	blob, err := a.backend.FetchFile(ctx, number, found)
	if err != nil {
		return nil, nil, err
	}
	view := func(read func(*store.Reader) error) error { return a.backend.Read(ctx, true, read) }
	return found, store.OpenFile(blob, view), nil
}

// patiently waits for the other end of a stream, so that nobody holds one of the few places for files by saying nothing. A wait that
// is given up ends with the stream, and that with its method.
func patiently[T any](pause time.Duration, wait func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	ended := make(chan outcome, 1)
	go func() {
		value, err := wait()
		ended <- outcome{value, err}
	}()
	select {
	case o := <-ended:
		return o.value, o.err
	case <-time.After(pause):
		var none T
		return none, desk.Refuse(desk.InvalidArgument, "BODY_CUT_OFF", "the other end was silent for %v, so the file was given up; send it again", pause)
	}
}

func (a *attachments) AddAttachment(stream grpc.ClientStreamingServer[apipb.AddAttachmentRequest, deskpb.Ticket]) error {
	first, err := patiently(a.pause, stream.Recv)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if first.GetAttachment() == nil {
		return desk.RefuseField("attachment", "is missing from the first message; say what is added")
	}
	ticket, err := a.add(stream.Context(), first.GetAttachment(), &messages{stream: stream, pause: a.pause, rest: first.GetData()})
	if err != nil {
		return err
	}
	return stream.SendAndClose(ticket)
}

// messages reads the bytes that the messages of a stream carry.
type messages struct {
	stream grpc.ClientStreamingServer[apipb.AddAttachmentRequest, deskpb.Ticket]
	pause  time.Duration
	rest   []byte // of the last message
}

func (m *messages) Read(into []byte) (int, error) {
	for len(m.rest) == 0 {
		next, err := patiently(m.pause, m.stream.Recv)
		if err != nil {
			return 0, err
		}
		m.rest = next.GetData()
	}
	n := copy(into, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

func (a *attachments) GetAttachment(q *apipb.GetAttachmentRequest, stream grpc.ServerStreamingServer[apipb.GetAttachmentResponse]) error {
	leave, err := a.enter()
	if err != nil {
		return err
	}
	defer leave()
	found, content, err := a.open(stream.Context(), q.GetNumber(), q.GetId())
	if err != nil {
		return err
	}
	send := func(answer *apipb.GetAttachmentResponse) error {
		_, err := patiently(a.pause, func() (any, error) { return nil, stream.Send(answer) })
		return err
	}
	if err := send(&apipb.GetAttachmentResponse{Attachment: found}); err != nil {
		return err
	}
	piece := make([]byte, transferBytes)
	for {
		n, err := content.Read(piece)
		if n > 0 {
			if err := send(&apipb.GetAttachmentResponse{Data: piece[:n]}); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read attachment %s: %w", q.GetId(), err)
		}
	}
}

func (a *attachments) ListAttachments(ctx context.Context, q *apipb.ListAttachmentsRequest) (*apipb.ListAttachmentsResponse, error) {
	if err := numberGiven(q.GetNumber()); err != nil {
		return nil, err
	}
	stale, err := staleAllowed(q.GetConsistency())
	if err != nil {
		return nil, err
	}
	answer := &apipb.ListAttachmentsResponse{}
	err = a.backend.Read(ctx, stale, func(r *store.Reader) error {
		record, sight, err := a.tickets.find(ctx, r, q.GetNumber())
		if err != nil {
			return err
		}
		for _, known := range sight.files(record.GetTicket()) {
			listed := &apipb.ListedAttachment{Attachment: known}
			if sum, err := desk.ContentHash(known); err == nil {
				blob, err := r.Blob(sum)
				if err != nil {
					return fmt.Errorf("read attachment %s: %w", known.GetId(), err)
				}
				listed.Here = blob.GetComplete() != 0
			}
			answer.Attachments = append(answer.Attachments, listed)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}
