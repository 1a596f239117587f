package client

import (
	"context"
	"crypto/rand"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// verb is a command that asks for one change of one ticket. Flags fill the request.
type verb[Q any] struct {
	name, short string
	request     Q
	// The request's fields that every verb has.
	number, etag, requestID *string
	call                    func(apipb.TicketsClient, context.Context, Q, ...grpc.CallOption) (*deskpb.Ticket, error)
	// reason and comment are fields that a flag fills; nil when the verb has none.
	reason, comment *string
	// argument is the field that a second argument TEXT fills; nil when there is none.
	argument *string
	// text is the field for which "-" means standard input; nil when there is none.
	text *string
}

func (v verb[Q]) command(c *console) *cobra.Command {
	use, arguments := v.name+" NUMBER", []string{"NUMBER"}
	if v.argument != nil {
		use, arguments = use+" TEXT", append(arguments, "TEXT")
	}
	cmd := &cobra.Command{Use: use, Short: v.short, Args: takes(arguments...)}
	f := cmd.Flags()
	f.StringVar(v.etag, "etag", "", "only if the ticket is still the one with this etag")
	requestIDFlag(cmd, v.requestID)
	if v.reason != nil {
		f.StringVar(v.reason, "reason", "", "why")
	}
	if v.comment != nil {
		f.StringVar(v.comment, "comment", "", "what to add in words")
	}
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		*v.number = args[0]
		if v.argument != nil {
			*v.argument = args[1]
		}
		if v.text != nil {
			var err error
			if *v.text, err = text(cmd.InOrStdin(), "the text", *v.text); err != nil {
				return err
			}
		}
		nameRequest(v.requestID)
		ticket, err := v.call(node.tickets, ctx, v.request)
		if err != nil {
			return err
		}
		return out.answer(ticket, func() string { return out.summary(ticket) })
	})
	return cmd
}

func requestIDFlag(cmd *cobra.Command, target *string) {
	cmd.Flags().StringVar(target, "request-id", "",
		"name of this change; repeating it with the same name does it once (a random one when not given)")
}

// nameRequest gives a change a random name when it has none, so that it can be repeated when its outcome is unknown.
func nameRequest(id *string) {
	if *id == "" {
		*id = rand.Text()
	}
}

// verbs are the commands that change a ticket.
func (c *console) verbs() []*cobra.Command {
	start := &apipb.StartTicketRequest{}
	resume := &apipb.ResumeTicketRequest{}
	note := &apipb.NoteTicketRequest{}
	closing := &apipb.CloseTicketRequest{}
	return append([]*cobra.Command{
		c.assign(),
		c.classify(),
		verb[*apipb.StartTicketRequest]{
			name: "start", short: "开始处理: begin the work; a ticket without an assignee becomes yours",
			request: start, number: &start.Number, etag: &start.Etag, requestID: &start.RequestId,
			call: apipb.TicketsClient.StartTicket,
		}.command(c),
		c.hold(),
		verb[*apipb.ResumeTicketRequest]{
			name: "resume", short: "恢复: end a hold",
			request: resume, number: &resume.Number, etag: &resume.Etag, requestID: &resume.RequestId,
			call: apipb.TicketsClient.ResumeTicket, comment: &resume.Comment,
		}.command(c),
		verb[*apipb.NoteTicketRequest]{
			name: "note", short: "备注: add an internal note; - as the text reads standard input",
			request: note, number: &note.Number, etag: &note.Etag, requestID: &note.RequestId,
			call: apipb.TicketsClient.NoteTicket, argument: &note.Text, text: &note.Text,
		}.command(c),
		c.reply(),
		c.arrive(),
		c.resolve(),
		c.confirm(),
		verb[*apipb.CloseTicketRequest]{
			name: "close", short: "办结: end a resolved ticket at its home site",
			request: closing, number: &closing.Number, etag: &closing.Etag, requestID: &closing.RequestId,
			call: apipb.TicketsClient.CloseTicket, comment: &closing.Comment,
		}.command(c),
	}, c.reasonedVerbs()...)
}

// reasonedVerbs are the verbs that say nothing but why.
func (c *console) reasonedVerbs() []*cobra.Command {
	escalate := &apipb.EscalateTicketRequest{}
	withdraw := &apipb.WithdrawTicketRequest{}
	giveBack := &apipb.ReturnTicketRequest{}
	reopen := &apipb.ReopenTicketRequest{}
	cancel := &apipb.CancelTicketRequest{}
	urge := &apipb.UrgeTicketRequest{}
	return []*cobra.Command{
		verb[*apipb.EscalateTicketRequest]{
			name: "escalate", short: "升级: hand the ticket to the next line; to another site it goes when the line is up",
			request: escalate, number: &escalate.Number, etag: &escalate.Etag, requestID: &escalate.RequestId,
			call: apipb.TicketsClient.EscalateTicket, reason: &escalate.Reason,
		}.command(c),
		verb[*apipb.WithdrawTicketRequest]{
			name: "withdraw", short: "撤回: take back an escalation that still waits",
			request: withdraw, number: &withdraw.Number, etag: &withdraw.Etag, requestID: &withdraw.RequestId,
			call: apipb.TicketsClient.WithdrawTicket, reason: &withdraw.Reason,
		}.command(c),
		verb[*apipb.ReturnTicketRequest]{
			name: "return", short: "退回: hand the ticket back to the line that escalated it",
			request: giveBack, number: &giveBack.Number, etag: &giveBack.Etag, requestID: &giveBack.RequestId,
			call: apipb.TicketsClient.ReturnTicket, reason: &giveBack.Reason,
		}.command(c),
		verb[*apipb.ReopenTicketRequest]{
			name: "reopen", short: "重开: take a resolved or closed ticket up again",
			request: reopen, number: &reopen.Number, etag: &reopen.Etag, requestID: &reopen.RequestId,
			call: apipb.TicketsClient.ReopenTicket, reason: &reopen.Reason,
		}.command(c),
		verb[*apipb.CancelTicketRequest]{
			name: "cancel", short: "撤单: end a ticket that needs no solution",
			request: cancel, number: &cancel.Number, etag: &cancel.Etag, requestID: &cancel.RequestId,
			call: apipb.TicketsClient.CancelTicket, reason: &cancel.Reason,
		}.command(c),
		verb[*apipb.UrgeTicketRequest]{
			name: "urge", short: "催办: ask whoever works on it to hurry",
			request: urge, number: &urge.Number, etag: &urge.Etag, requestID: &urge.RequestId,
			call: apipb.TicketsClient.UrgeTicket, reason: &urge.Reason,
		}.command(c),
	}
}

func (c *console) assign() *cobra.Command {
	q := &apipb.AssignTicketRequest{}
	cmd := verb[*apipb.AssignTicketRequest]{
		name: "assign", short: "派单: give the ticket to a person, a group, or both",
		request: q, number: &q.Number, etag: &q.Etag, requestID: &q.RequestId,
		call: apipb.TicketsClient.AssignTicket, reason: &q.Reason,
	}.command(c)
	cmd.Flags().StringVar(&q.Assignee, "assignee", "", "the person, by user name")
	cmd.Flags().StringVar(&q.Group, "group", "", "the group")
	return cmd
}

func (c *console) reply() *cobra.Command {
	q := &apipb.ReplyTicketRequest{}
	cmd := verb[*apipb.ReplyTicketRequest]{
		name: "reply", short: "回复: add a reply that the requester sees; - as the text reads standard input",
		request: q, number: &q.Number, etag: &q.Etag, requestID: &q.RequestId,
		call: apipb.TicketsClient.ReplyTicket, argument: &q.Text, text: &q.Text,
	}.command(c)
	cmd.Flags().BoolVar(&q.FromRequester, "from-requester", false, "the requester's own words: they end a hold that waits for them")
	return cmd
}

func (c *console) hold() *cobra.Command {
	q := &apipb.HoldTicketRequest{}
	return verb[*apipb.HoldTicketRequest]{
		name: "hold", short: "挂起: put the work off for a reason; most reasons stop the clock",
		request: q, number: &q.Number, etag: &q.Etag, requestID: &q.RequestId,
		call: apipb.TicketsClient.HoldTicket, reason: &q.Reason, comment: &q.Comment,
	}.command(c)
}

func (c *console) resolve() *cobra.Command {
	r := &deskpb.Resolution{}
	q := &apipb.ResolveTicketRequest{Resolution: r}
	cmd := verb[*apipb.ResolveTicketRequest]{
		name: "resolve", short: "解决: record the solution; the ticket goes home by itself",
		request: q, number: &q.Number, etag: &q.Etag, requestID: &q.RequestId,
		call: apipb.TicketsClient.ResolveTicket, text: &r.Text,
	}.command(c)
	cmd.Flags().StringVar(&r.Code, "code", "", "kind of solution")
	cmd.Flags().StringVar(&r.Text, "text", "", "the solution in words; - reads standard input")
	cmd.Flags().StringVar(&r.RootCause, "root-cause", "", "why it happened")
	return cmd
}

func (c *console) confirm() *cobra.Command {
	s := &deskpb.Satisfaction{}
	q := &apipb.ConfirmTicketRequest{Satisfaction: s}
	cmd := verb[*apipb.ConfirmTicketRequest]{
		name: "confirm", short: "确认: the requester is content; the ticket is closed",
		request: q, number: &q.Number, etag: &q.Etag, requestID: &q.RequestId,
		call: apipb.TicketsClient.ConfirmTicket, comment: &s.Comment,
	}.command(c)
	cmd.Flags().Int32Var(&s.Score, "score", 0, "satisfaction, 1 (bad) to 5 (good)")
	return cmd
}
