package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// sendBytes is how many bytes of a file one message carries.
const sendBytes = 64 << 10

func (c *console) attachmentCommand() *cobra.Command {
	return c.group("attachment", "附件: files of a ticket", c.addAttachment(), c.getAttachment(), c.listAttachments())
}

func (c *console) addAttachment() *cobra.Command {
	q := &apipb.NewAttachment{}
	cmd := &cobra.Command{Use: "add NUMBER FILE", Short: "添加: attach a file of at most 20 MiB to a ticket", Args: takes("NUMBER", "FILE")}
	cmd.Flags().StringVar(&q.Name, "name", "", "what the file is called (the name of FILE)")
	cmd.Flags().StringVar(&q.Etag, "etag", "", "only if the ticket is still the one with this etag")
	requestIDFlag(cmd, &q.RequestId)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		file, err := os.Open(args[1])
		if err != nil {
			return Usage("FILE cannot be read: %v", err)
		}
		defer file.Close()
		about, err := file.Stat()
		switch {
		case err != nil:
			return Usage("FILE cannot be read: %v", err)
		case !about.Mode().IsRegular():
			return Usage("FILE %s is no plain file: put it into an archive", args[1])
		case about.Size() < 1 || about.Size() > desk.MaxFile:
			return Usage("FILE %s has %d bytes: it must have 1 to %d", args[1], about.Size(), desk.MaxFile)
		}
		q.Number, q.Size = args[0], about.Size()
		if q.Name == "" {
			q.Name = filepath.Base(args[1])
		}
		nameRequest(&q.RequestId)
		content := WithProgress(file, q.Size, out.say(phrase{"发送", "send"}), c.env.Progress)
		ticket, err := node.attach(ctx, c.completed(defaultServer), q, content)
		if err != nil {
			return err
		}
		return out.answer(ticket, func() string { return out.summary(ticket) })
	})
	return cmd
}

func (c *console) getAttachment() *cobra.Command {
	var path string
	cmd := &cobra.Command{Use: "get NUMBER ID", Short: "下载: write a file of a ticket to the disk; its ID is in the list", Args: takes("NUMBER", "ID")}
	cmd.Flags().StringVarP(&path, "output", "o", "", "where to write it (its own name, here); - is standard output")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		stream, err := node.openAttachment(ctx, c.completed(defaultServer), &apipb.GetAttachmentRequest{Number: args[0], Id: args[1]})
		if err != nil {
			return err
		}
		defer stream.end()
		content := WithProgress(stream, stream.about.GetSize(), out.say(phrase{"接收", "receive"}), c.env.Progress)
		if path == "-" {
			_, err := io.Copy(cmd.OutOrStdout(), content)
			return err
		}
		if path == "" {
			path = desk.FileName(stream.about.GetName())
		}
		if err := writeNew(path, content); err != nil {
			return err
		}
		return out.answer(stream.about, func() string {
			return fmt.Sprintf(out.say(phrase{"已保存 %s，%d 字节\n", "saved %s, %d bytes\n"}), oneLine(path), stream.about.GetSize())
		})
	})
	return cmd
}

// writeNew writes a file that is not there yet, whole or not at all.
func writeNew(path string, content io.Reader) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Usage("the file cannot be written: %v; name another with --output", err)
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	_, err = io.Copy(file, content)
	return err
}

func (c *console) listAttachments() *cobra.Command {
	var stale bool
	cmd := &cobra.Command{Use: "list NUMBER", Short: "列表: the files of a ticket, and whether their content is at this site", Args: takes("NUMBER")}
	staleFlag(cmd, &stale)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		all, err := node.attachments.ListAttachments(ctx, &apipb.ListAttachmentsRequest{Number: args[0], Consistency: consistency(stale)})
		if err != nil {
			return err
		}
		return out.answer(all, func() string { return out.attachments(all.GetAttachments()) })
	})
	return cmd
}

func (p *printer) attachments(all []*apipb.ListedAttachment) string {
	rows := [][]string{p.header(phrase{"编号", "ID"}, phrase{"名称", "NAME"}, phrase{"字节", "BYTES"}, phrase{"类型", "TYPE"},
		phrase{"站点", "SITE"}, phrase{"上传人", "BY"}, phrase{"时间", "TIME"}, phrase{"本站", "HERE"})}
	for _, listed := range all {
		a, here := listed.GetAttachment(), p.say(phrase{"否", "no"})
		if listed.GetHere() {
			here = p.say(phrase{"是", "yes"})
		}
		rows = append(rows, []string{a.GetId(), oneLine(a.GetName()), fmt.Sprint(a.GetSize()), oneLine(a.GetMediaType()), a.GetSite(),
			oneLine(a.GetActor()), p.when(a.GetTime()), here})
	}
	return new(table).layOut(rows)
}

// files are a ticket's attachments, one a line; empty when it has none.
func (p *printer) files(t *deskpb.Ticket) string {
	var rows [][]string
	for _, a := range t.GetAttachments() {
		rows = append(rows, []string{a.GetName(), fmt.Sprintf(p.say(phrase{"%d 字节", "%d bytes"}), a.GetSize()), a.GetMediaType(), a.GetSite(),
			a.GetActor(), p.when(a.GetTime()), a.GetId()})
	}
	return new(table).layOut(rows)
}

// attach sends a file. A stream is not repeated by itself: the request id lets its caller do so.
func (c *connection) attach(ctx context.Context, t target, q *apipb.NewAttachment, content io.Reader) (*deskpb.Ticket, error) {
	e := newExchange(t, apipb.Attachments_AddAttachment_FullMethodName, q)
	ctx, patience := newPatience(signed(ctx, t), t.timeout)
	defer patience.end()
	stream, err := c.attachments.AddAttachment(ctx)
	if err != nil {
		return nil, patience.explain(e, ctx, err)
	}
	message := &apipb.AddAttachmentRequest{Attachment: q}
	piece := make([]byte, sendBytes)
	for {
		n, err := io.ReadFull(content, piece)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("read the file: %w", err)
		}
		message.Data = piece[:n]
		patience.renew()
		if sent := stream.Send(message); sent != nil || err != nil {
			break // the node's answer says why it takes no more
		}
		message = &apipb.AddAttachmentRequest{}
	}
	patience.renew()
	ticket, err := stream.CloseAndRecv()
	if err != nil {
		return nil, patience.explain(e, stream.Context(), err)
	}
	return ticket, nil
}

// attachmentStream is a file as it arrives, held against its hash at the end. Each of its messages must come within the call's time.
type attachmentStream struct {
	about *deskpb.Attachment

	messages apipb.Attachments_GetAttachmentClient
	exchange *exchange
	patience *patience
	left     []byte // of the last message
	hash     hash.Hash
}

// openAttachment begins to receive a file. Who gets a stream ends it.
func (c *connection) openAttachment(ctx context.Context, t target, q *apipb.GetAttachmentRequest) (*attachmentStream, error) {
	// A file that is at another site is waited for, and the node says when it takes too long.
	ctx, patience := newPatience(signed(ctx, t), max(t.timeout, fetchTime))
	s := &attachmentStream{hash: sha256.New(), exchange: newExchange(t, apipb.Attachments_GetAttachment_FullMethodName, q), patience: patience}
	var err error
	if s.messages, err = c.attachments.GetAttachment(ctx, q); err != nil {
		s.end()
		return nil, patience.explain(s.exchange, ctx, err)
	}
	first, err := s.receive()
	if err != nil {
		s.end()
		return nil, err
	}
	s.about = first.GetAttachment()
	return s, nil
}

// fetchTime is longer than a node waits for a file to come from another site.
const fetchTime = 30 * time.Second

func (s *attachmentStream) end() { s.patience.end() }

// receive waits for the next message. io.EOF comes as it is, every other error as a Failure.
func (s *attachmentStream) receive() (*apipb.GetAttachmentResponse, error) {
	s.patience.renew()
	message, err := s.messages.Recv()
	switch {
	case err == nil:
		return message, nil
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	}
	return nil, s.patience.explain(s.exchange, s.messages.Context(), err)
}

func (s *attachmentStream) Read(into []byte) (int, error) {
	for len(s.left) == 0 {
		message, err := s.receive()
		if errors.Is(err, io.EOF) && hex.EncodeToString(s.hash.Sum(nil)) != s.about.GetSha256() {
			return 0, &Failure{Code: ExitFailed, Line: fmt.Sprintf("what came of %s is not what was attached; try again", oneLine(s.about.GetName()))}
		}
		if err != nil {
			return 0, err
		}
		s.left = message.GetData()
		s.hash.Write(s.left)
	}
	n := copy(into, s.left)
	s.left = s.left[n:]
	return n, nil
}

// signed says in a call who makes it.
func signed(ctx context.Context, t target) context.Context {
	if t.token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+t.token)
}

// patience bounds the silence of a stream, not the stream.
type patience struct {
	cancel context.CancelCauseFunc
	timer  *time.Timer
	limit  time.Duration
	late   *Failure
}

func newPatience(ctx context.Context, limit time.Duration) (context.Context, *patience) {
	p := &patience{limit: limit, late: &Failure{Code: ExitUnreachable,
		Line: fmt.Sprintf("nothing moved for %s; try again, or wait longer with --timeout", limit)}}
	ctx, p.cancel = context.WithCancelCause(ctx)
	p.timer = time.AfterFunc(limit, func() { p.cancel(p.late) })
	return ctx, p
}

// renew begins the wait anew: something has moved.
func (p *patience) renew() { p.timer.Reset(p.limit) }

func (p *patience) end() {
	p.timer.Stop()
	p.cancel(nil)
}

// explain turns the error of a stream into a Failure.
func (p *patience) explain(e *exchange, ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), p.late) {
		return p.late
	}
	_, met := peer.FromContext(ctx)
	e.failed(err, met)
	return e.failure(err)
}
