package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// patience bounds how long one step waits for a line or a hand-over.
const patience = 30 * time.Second

// play is what the people of the path's three sites do, one act after the other. After the first act that fails, the
// others do nothing: err says what went wrong.
type play struct {
	*Demo
	county, city, province *site
	quiet                  bool // says nothing
	err                    error
}

// expect fails the play when something is otherwise than promised.
func (p *play) expect(ok bool, format string, args ...any) {
	if p.err == nil && !ok {
		p.err = fmt.Errorf(format, args...)
	}
}

// step says what was done, to which ticket or at which site, and how long it took.
func (p *play) step(began time.Time, about, format string, args ...any) {
	if p.quiet || p.err != nil {
		return
	}
	fmt.Fprintf(p.options.Out, "  ✓ %-20s %s (%s)\n", about, fmt.Sprintf(format, args...), since(began))
}

// request names a change, so that it has its effect once however often it is tried.
func request() string { return "demo-" + rand.Text() }

// by returns the tickets of a site as a member of its staff sees them; for anybody else, the first one.
func (s *site) by(user string) apipb.TicketsClient {
	if s.staff[user] == nil {
		user = staff[s.Tier][0].name
	}
	return s.staff[user].Nodes[0]
}

// holder returns who of a site's staff has a ticket; empty for nobody.
func (p *play) holder(ctx context.Context, s *site, number string) string {
	return p.ticket(ctx, s, number).GetAssignee()
}

// act has somebody of a site's staff change a ticket, and says so. Who is not named is the first of them.
func (p *play) act(s *site, user, number, say string, call func(apipb.TicketsClient) (*deskpb.Ticket, error)) *deskpb.Ticket {
	if p.err != nil {
		return nil
	}
	began := time.Now()
	ticket, err := call(s.by(user))
	if err != nil {
		p.err = fmt.Errorf("%s of %s at %s: %w", say, number, s.ID, err)
		return nil
	}
	p.step(began, ticket.GetNumber(), "%s %s", s.Name, say)
	return ticket
}

// refused has somebody try what must be refused, with a word of the reason, and says so.
func (p *play) refused(s *site, user, number, why, say string, call func(apipb.TicketsClient) (*deskpb.Ticket, error)) {
	if p.err != nil {
		return
	}
	began := time.Now()
	_, err := call(s.by(user))
	p.expect(err != nil && strings.Contains(err.Error(), why), "%s: %s at %s should be refused (%s), and the answer was: %v", say, number, s.ID, why, err)
	p.step(began, number, "%s %s", s.Name, say)
}

// create takes a call at the county and returns the ticket's number.
func (p *play) create(ctx context.Context, c call) string { return p.open(ctx, c.ticket()) }

// open is create for a ticket with more to it than a call.
func (p *play) open(ctx context.Context, ticket *deskpb.Ticket) string {
	return p.act(p.county, "", ticket.Title, "受理 · taken: "+ticket.Title, func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.CreateTicket(ctx, &apipb.CreateTicketRequest{Ticket: ticket, RequestId: request()})
	}).GetNumber()
}

func (p *play) start(ctx context.Context, s *site, number string) {
	p.act(s, p.holder(ctx, s, number), number, "开始处理 · started", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.StartTicket(ctx, &apipb.StartTicketRequest{Number: number, RequestId: request()})
	})
}

func (p *play) hold(ctx context.Context, s *site, number, reason, comment string) {
	p.act(s, p.holder(ctx, s, number), number, "挂起 · on hold: "+comment, func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.HoldTicket(ctx, &apipb.HoldTicketRequest{Number: number, Reason: reason, Comment: comment, RequestId: request()})
	})
}

func (p *play) reply(ctx context.Context, s *site, number, text string) {
	p.act(s, p.holder(ctx, s, number), number, "回复 · replied: "+text, func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.ReplyTicket(ctx, &apipb.ReplyTicketRequest{Number: number, Text: text, RequestId: request()})
	})
}

func (p *play) escalate(ctx context.Context, s *site, number, reason string) {
	p.act(s, p.holder(ctx, s, number), number, "升级 · escalated: "+reason, func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.EscalateTicket(ctx, &apipb.EscalateTicketRequest{Number: number, Reason: reason, RequestId: request()})
	})
}

// raise escalates a ticket and waits until the next site holds it.
func (p *play) raise(ctx context.Context, from, to *site, number, reason string) {
	p.escalate(ctx, from, number, reason)
	p.arrives(ctx, to, number)
}

func (p *play) resolve(ctx context.Context, s *site, number, text string) *deskpb.Ticket {
	return p.act(s, p.holder(ctx, s, number), number, "解决 · resolved: "+text, func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.ResolveTicket(ctx, &apipb.ResolveTicketRequest{Number: number, RequestId: request(),
			Resolution: &deskpb.Resolution{Code: "solved", Text: text}})
	})
}

// confirm has the requester say at the county that all is well.
func (p *play) confirm(ctx context.Context, number string, score int32) {
	ticket := p.act(p.county, "", number, "报告人确认，办结 · confirmed and closed", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.ConfirmTicket(ctx, &apipb.ConfirmTicketRequest{Number: number, RequestId: request(),
			Satisfaction: &deskpb.Satisfaction{Score: score, Comment: "处理及时"}})
	})
	p.expect(ticket.GetState() == deskpb.Ticket_CLOSED, "%s is %s after it was confirmed, not CLOSED", number, ticket.GetState())
}

func (p *play) link(ctx context.Context, child, parent string) {
	p.act(p.county, "", child, "挂到 · made part of "+parent, func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.LinkTicket(ctx, &apipb.LinkTicketRequest{Number: child, Kind: deskpb.TicketLink_CHILD_OF, Other: parent, RequestId: request()})
	})
}

func (p *play) merge(ctx context.Context, number, into string) {
	p.act(p.county, "", number, "合并到 · merged into "+into, func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.MergeTicket(ctx, &apipb.MergeTicketRequest{Number: number, Into: into, Reason: "同一故障", RequestId: request()})
	})
}

// attach adds a file to a ticket.
func (p *play) attach(ctx context.Context, s *site, number, name string, content []byte) {
	p.act(s, "", number, fmt.Sprintf("附件 · attached: %s (%d KiB)", name, len(content)>>10), func(apipb.TicketsClient) (*deskpb.Ticket, error) {
		stream, err := apipb.NewAttachmentsClient(s.staff[staff[s.Tier][0].name].Conn()).AddAttachment(ctx)
		if err != nil {
			return nil, err
		}
		about := &apipb.NewAttachment{Number: number, Name: name, Size: int64(len(content)), RequestId: request()}
		err = errors.Join(stream.Send(&apipb.AddAttachmentRequest{Attachment: about}), stream.Send(&apipb.AddAttachmentRequest{Data: content}))
		if err != nil && !errors.Is(err, io.EOF) { // the end of a stream is explained by its answer
			return nil, err
		}
		return stream.CloseAndRecv()
	})
}

// finds waits until a site gives out the one file of a ticket, and holds it against what was attached.
func (p *play) finds(ctx context.Context, s *site, number string, want []byte) {
	began := time.Now()
	files := apipb.NewAttachmentsClient(s.desk.Conn())
	p.until(ctx, "the file of "+number+" at "+s.ID, func() (bool, error) {
		all, err := files.ListAttachments(ctx, &apipb.ListAttachmentsRequest{Number: number})
		if err != nil || len(all.Attachments) != 1 || !all.Attachments[0].Here {
			return false, err
		}
		stream, err := files.GetAttachment(ctx, &apipb.GetAttachmentRequest{Number: number, Id: all.Attachments[0].Attachment.Id})
		if err != nil {
			return false, err
		}
		var got []byte
		for {
			part, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return false, err
			}
			got = append(got, part.GetData()...)
		}
		if !bytes.Equal(got, want) {
			return false, fmt.Errorf("the file of %s at %s has %d bytes that are not the %d that were attached", number, s.ID, len(got), len(want))
		}
		return true, nil
	})
	p.step(began, number, "附件已到 %s，内容一致 · the file is there, byte for byte", s.Name)
}

// arrives waits until the site holds the ticket and the hand-over is over.
func (p *play) arrives(ctx context.Context, s *site, number string) {
	began := time.Now()
	p.until(ctx, "the hand-over of "+number+" to "+s.ID, func() (bool, error) {
		ticket, err := s.desk.Nodes[0].GetTicket(ctx, &apipb.GetTicketRequest{Number: number})
		if err != nil {
			return false, nil // its first event may still be on the way
		}
		return ticket.CustodianSite == s.ID && ticket.Handover.GetState() == deskpb.Handover_NONE, nil
	})
	p.step(began, number, "已到 %s · arrived", s.Name)
}

// ticket reads a ticket at a site.
func (p *play) ticket(ctx context.Context, s *site, number string) *deskpb.Ticket {
	if p.err != nil {
		return nil
	}
	ticket, err := s.desk.Nodes[0].GetTicket(ctx, &apipb.GetTicketRequest{Number: number})
	p.err = err
	return ticket
}

// until asks again and again, for as long as patience lasts.
func (p *play) until(ctx context.Context, what string, done func() (bool, error)) {
	if p.err == nil {
		p.err = until(ctx, what, done)
	}
}

func until(ctx context.Context, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it took longer than %s", patience))
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}
