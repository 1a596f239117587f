package api

import (
	"context"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// verbRequest is what the requests of all verbs on an existing ticket have in common.
type verbRequest interface {
	write
	GetNumber() string
	GetEtag() string
}

// act proposes a verb on an existing ticket.
func (t *tickets) act(ctx context.Context, method string, r verbRequest, c *deskpb.TicketCommand) (*deskpb.Ticket, error) {
	if err := numberGiven(r.GetNumber()); err != nil {
		return nil, err
	}
	etag, err := etagOf(ctx, r.GetEtag())
	if err != nil {
		return nil, err
	}
	c.Number, c.Etag = r.GetNumber(), etag
	return t.propose(ctx, method, r, c)
}

func (t *tickets) AssignTicket(ctx context.Context, r *apipb.AssignTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "assign", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Assign{Assign: &deskpb.Assign{
		Assignee: r.GetAssignee(), Group: r.GetGroup(), Reason: r.GetReason(),
	}}})
}

func (t *tickets) StartTicket(ctx context.Context, r *apipb.StartTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "start", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Start{Start: &deskpb.Start{}}})
}

func (t *tickets) HoldTicket(ctx context.Context, r *apipb.HoldTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "hold", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Hold{Hold: &deskpb.Hold{
		Reason: r.GetReason(), Comment: r.GetComment(),
	}}})
}

func (t *tickets) ResumeTicket(ctx context.Context, r *apipb.ResumeTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "resume", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resume{Resume: &deskpb.Resume{Comment: r.GetComment()}}})
}

func (t *tickets) NoteTicket(ctx context.Context, r *apipb.NoteTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "note", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Note{Note: &deskpb.Note{Text: r.GetText()}}})
}

func (t *tickets) ReplyTicket(ctx context.Context, r *apipb.ReplyTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "reply", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reply{Reply: &deskpb.Reply{
		Text: r.GetText(), FromRequester: r.GetFromRequester(),
	}}})
}

func (t *tickets) EscalateTicket(ctx context.Context, r *apipb.EscalateTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "escalate", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Escalate{Escalate: &deskpb.Escalate{Reason: r.GetReason()}}})
}

func (t *tickets) WithdrawTicket(ctx context.Context, r *apipb.WithdrawTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "withdraw", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Withdraw{Withdraw: &deskpb.Withdraw{Reason: r.GetReason()}}})
}

func (t *tickets) ReturnTicket(ctx context.Context, r *apipb.ReturnTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "return", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Return{Return: &deskpb.Return{Reason: r.GetReason()}}})
}

func (t *tickets) ResolveTicket(ctx context.Context, r *apipb.ResolveTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "resolve", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resolve{Resolve: &deskpb.Resolve{Resolution: r.GetResolution()}}})
}

func (t *tickets) ConfirmTicket(ctx context.Context, r *apipb.ConfirmTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "confirm", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Confirm{Confirm: &deskpb.Confirm{Satisfaction: r.GetSatisfaction()}}})
}

func (t *tickets) CloseTicket(ctx context.Context, r *apipb.CloseTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "close", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Close{Close: &deskpb.Close{Comment: r.GetComment()}}})
}

func (t *tickets) ReopenTicket(ctx context.Context, r *apipb.ReopenTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "reopen", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reopen{Reopen: &deskpb.Reopen{Reason: r.GetReason()}}})
}

func (t *tickets) CancelTicket(ctx context.Context, r *apipb.CancelTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "cancel", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Cancel{Cancel: &deskpb.Cancel{Reason: r.GetReason()}}})
}

func (t *tickets) UrgeTicket(ctx context.Context, r *apipb.UrgeTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "urge", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Urge{Urge: &deskpb.Urge{Reason: r.GetReason()}}})
}
