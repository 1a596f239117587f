package api

import (
	"context"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (t *tickets) ClassifyTicket(ctx context.Context, r *apipb.ClassifyTicketRequest) (*deskpb.Ticket, error) {
	if err := t.unmask(ctx, r); err != nil {
		return nil, err
	}
	return t.act(ctx, "classify", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Classify{Classify: &deskpb.Classify{
		Fields: r.GetFields(), Ticket: r.GetTicket(), Reason: r.GetReason(),
	}}})
}

func (t *tickets) ClaimTicket(ctx context.Context, r *apipb.ClaimTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "claim", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Claim{Claim: &deskpb.Claim{}}})
}

func (t *tickets) DeclineTicket(ctx context.Context, r *apipb.DeclineTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "decline", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Decline{Decline: &deskpb.Decline{Reason: r.GetReason()}}})
}

func (t *tickets) TransferTicket(ctx context.Context, r *apipb.TransferTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "transfer", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Transfer{Transfer: &deskpb.Transfer{
		Assignee: r.GetAssignee(), Group: r.GetGroup(), Reason: r.GetReason(),
	}}})
}

func (t *tickets) ArriveTicket(ctx context.Context, r *apipb.ArriveTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "arrive", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Arrive{Arrive: &deskpb.Arrive{Comment: r.GetComment()}}})
}

func (t *tickets) AddTask(ctx context.Context, r *apipb.AddTaskRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "addTask", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_AddTask{AddTask: &deskpb.AddTask{Task: r.GetTask()}}})
}

func (t *tickets) ChangeTask(ctx context.Context, r *apipb.ChangeTaskRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "changeTask", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_ChangeTask{ChangeTask: &deskpb.ChangeTask{
		Task: r.GetTask(), Action: r.GetAction(), Result: r.GetResult(),
	}}})
}

func (t *tickets) CheckTicket(ctx context.Context, r *apipb.CheckTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "check", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_CheckItem{CheckItem: &deskpb.CheckItem{
		Item: r.GetItem(), Done: r.GetDone(), Result: r.GetResult(),
	}}})
}

func (t *tickets) ReviewTicket(ctx context.Context, r *apipb.ReviewTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "review", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Review{Review: &deskpb.Review{Text: r.GetText()}}})
}

func (t *tickets) MergeTicket(ctx context.Context, r *apipb.MergeTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "merge", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Merge{Merge: &deskpb.Merge{
		Into: r.GetInto(), Reason: r.GetReason(),
	}}})
}

func (t *tickets) LinkTicket(ctx context.Context, r *apipb.LinkTicketRequest) (*deskpb.Ticket, error) {
	link := &deskpb.TicketLink{Kind: r.GetKind(), Number: r.GetOther()}
	return t.act(ctx, "link", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_LinkTickets{LinkTickets: &deskpb.LinkTickets{
		Link: link, Removed: r.GetRemoved(),
	}}})
}

func (t *tickets) CallBackTicket(ctx context.Context, r *apipb.CallBackTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "callBack", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_RecordCallBack{RecordCallBack: &deskpb.RecordCallBack{
		Outcome: r.GetOutcome(), Comment: r.GetComment(), Satisfaction: r.GetSatisfaction(),
	}}})
}

func (t *tickets) RateTicket(ctx context.Context, r *apipb.RateTicketRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "rate", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Rate{Rate: &deskpb.Rate{Satisfaction: r.GetSatisfaction()}}})
}

func (t *tickets) RunMacro(ctx context.Context, r *apipb.RunMacroRequest) (*deskpb.Ticket, error) {
	return t.act(ctx, "macro", r, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_RunMacro{RunMacro: &deskpb.RunMacro{Macro: r.GetMacro()}}})
}
