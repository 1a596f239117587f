package api

import (
	"context"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// guest is somebody who has the link to a ticket.
type guest struct {
	number  desk.TicketNumber
	token   string
	expires int64 // microseconds since 1970
}

// admit opens the secret of a link. The context that it returns carries the guest as the caller.
func (p *portal) admit(ctx context.Context, token string) (context.Context, guest, error) {
	key, err := p.key(ctx)
	if err != nil {
		return nil, guest{}, err
	}
	number, expires, err := desk.OpenGuest(key, token, p.clock().UnixMicro())
	if err != nil {
		return nil, guest{}, err
	}
	ctx = withCaller(ctx, caller{actor: desk.Guest(number, originOf(ctx).address)})
	return ctx, guest{number: number, token: token, expires: expires}, nil
}

func (p *portal) GetProblem(ctx context.Context, r *apipb.GetProblemRequest) (*apipb.Problem, error) {
	ctx, who, err := p.admit(ctx, r.GetToken())
	if err != nil {
		return nil, err
	}
	return p.shown(ctx, who)
}

// shown is the problem that a guest's link is for.
func (p *portal) shown(ctx context.Context, who guest) (*apipb.Problem, error) {
	problem, err := p.problem(ctx, string(who.number))
	if err != nil {
		return nil, err
	}
	problem.Token, problem.ExpireTime = who.token, moment(who.expires)
	return problem, nil
}

func (p *portal) FollowProblem(ctx context.Context, r *apipb.FollowProblemRequest) (*apipb.Problem, error) {
	if err := numberGiven(r.GetNumber()); err != nil {
		return nil, err
	}
	return p.problem(ctx, r.GetNumber())
}

// ActOnProblem carries out what the guest asks for. A problem that is reopened too late is followed by another one, to which the answer
// has the link.
func (p *portal) ActOnProblem(ctx context.Context, r *apipb.ActOnProblemRequest) (*apipb.Problem, error) {
	ctx, who, err := p.admit(ctx, r.GetToken())
	if err != nil {
		return nil, err
	}
	if wait := p.limits.acts.take(string(who.number), p.clock()); wait > 0 {
		return nil, tooMany("TOO_MANY_ACTS", "too much was said about this problem in a short time", wait)
	}
	id, err := guestRequest(string(who.number), r.GetRequestId())
	if err != nil {
		return nil, err
	}
	ticket, err := p.act(ctx, who, id, r)
	if err != nil {
		return nil, err
	}
	if next := desk.TicketNumber(ticket.GetNumber()); next != who.number {
		opened, err := p.opened(ctx, next)
		if err != nil {
			return nil, err
		}
		if ctx, who, err = p.admit(ctx, opened.GetToken()); err != nil {
			return nil, err
		}
	}
	return p.shown(ctx, who)
}

func (p *portal) act(ctx context.Context, who guest, id string, r *apipb.ActOnProblemRequest) (*deskpb.Ticket, error) {
	number, text := string(who.number), r.GetText()
	switch r.GetVerb() {
	case apipb.ActOnProblemRequest_REPLY:
		return p.tickets.ReplyTicket(ctx, &apipb.ReplyTicketRequest{Number: number, RequestId: id, Text: text})
	case apipb.ActOnProblemRequest_URGE:
		return p.tickets.UrgeTicket(ctx, &apipb.UrgeTicketRequest{Number: number, RequestId: id, Reason: text})
	case apipb.ActOnProblemRequest_CONFIRM:
		return p.tickets.ConfirmTicket(ctx, &apipb.ConfirmTicketRequest{Number: number, RequestId: id, Satisfaction: r.GetSatisfaction()})
	case apipb.ActOnProblemRequest_REOPEN:
		return p.tickets.ReopenTicket(ctx, &apipb.ReopenTicketRequest{Number: number, RequestId: id, Reason: text})
	case apipb.ActOnProblemRequest_CANCEL:
		return p.tickets.CancelTicket(ctx, &apipb.CancelTicketRequest{Number: number, RequestId: id, Reason: text})
	case apipb.ActOnProblemRequest_RATE:
		return p.tickets.RateTicket(ctx, &apipb.RateTicketRequest{Number: number, RequestId: id, Satisfaction: r.GetSatisfaction()})
	}
	return nil, desk.RefuseField("verb", "%s is unknown; use REPLY, URGE, CONFIRM, REOPEN, CANCEL or RATE", r.GetVerb())
}

// takesFile makes what a guest adds a file of the guest's ticket, with a request id among those of guests, and uses up a share of the
// files that a node takes from them.
func (p *portal) takesFile(ctx context.Context, q *apipb.NewAttachment) (err error) {
	shares := []share{{p.limits.files, networkOf(originOf(ctx).address)}, {p.limits.filesAll, ""}}
	if wait := takeAll(shares, p.clock()); wait > 0 {
		return tooMany("TOO_MANY_UPLOADS", "too many files were sent from this address", wait)
	}
	q.Number = callerOf(ctx).actor.GetTicket()
	q.RequestId, err = guestRequest(q.Number, q.GetRequestId())
	return err
}

// problem shows a ticket that the caller sees as its requester sees it.
func (p *portal) problem(ctx context.Context, number string) (shown *apipb.Problem, err error) {
	err = p.backend.Read(ctx, false, func(reader *store.Reader) error {
		record, sight, err := p.tickets.find(ctx, reader, number)
		if err != nil {
			return err
		}
		events, err := reader.Events(desk.TicketNumber(number))
		if err != nil {
			return err
		}
		journal, err := desk.Journal(events)
		if err != nil {
			return fmt.Errorf("render the journal of ticket %s: %w", number, err)
		}
		t := &telling{reader: reader, sight: sight, ticket: record.GetTicket(), names: map[string]string{}}
		shown, err = t.problem(record, journal)
		return err
	})
	return shown, err
}
