package client

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// relations are the commands that concern a ticket and others, and major incidents.
func (c *console) relations() []*cobra.Command {
	review := &apipb.ReviewTicketRequest{}
	return []*cobra.Command{
		c.taskCommand(), c.link(), c.merge(), c.split(), c.similar(), c.repeats(), c.major(),
		verb[*apipb.ReviewTicketRequest]{
			name: "review", short: "复盘: write down what was learnt from a major incident; - as the text reads standard input",
			request: review, number: &review.Number, etag: &review.Etag, requestID: &review.RequestId,
			call: apipb.TicketsClient.ReviewTicket, argument: &review.Text, text: &review.Text,
		}.command(c),
	}
}

func (c *console) link() *cobra.Command {
	q := &apipb.LinkTicketRequest{}
	kind := enumFlag(&q.Kind)
	cmd := &cobra.Command{Use: "link NUMBER KIND OTHER", Args: takes("NUMBER", "KIND", "OTHER"),
		Short: "关联: say that a ticket is related, child-of, parent-of, caused-by or cause-of another one"}
	cmd.Flags().BoolVar(&q.Removed, "remove", false, "take the link back")
	return c.changes(cmd, &q.Etag, &q.RequestId, func(ctx context.Context, node apipb.TicketsClient, args []string) (*deskpb.Ticket, error) {
		if err := kind.Set(args[1]); err != nil {
			return nil, Usage("KIND is %s: use related, child-of, parent-of, caused-by or cause-of", args[1])
		}
		q.Number, q.Other = args[0], args[2]
		return node.LinkTicket(ctx, q)
	})
}

func (c *console) merge() *cobra.Command {
	q := &apipb.MergeTicketRequest{}
	cmd := &cobra.Command{Use: "merge NUMBER INTO", Short: "合并: end a ticket because another one says the same; its number keeps resolving",
		Args: takes("NUMBER", "INTO")}
	cmd.Flags().StringVar(&q.Reason, "reason", "", "why")
	return c.changes(cmd, &q.Etag, &q.RequestId, func(ctx context.Context, node apipb.TicketsClient, args []string) (*deskpb.Ticket, error) {
		q.Number, q.Into = args[0], args[1]
		return node.MergeTicket(ctx, q)
	})
}

func (c *console) split() *cobra.Command {
	q := &apipb.SplitTicketRequest{}
	cmd := &cobra.Command{Use: "split NUMBER", Short: "拆分: open another ticket for a part of this one", Args: takes("NUMBER")}
	f := cmd.Flags()
	f.StringVar(&q.Title, "title", "", "what the part is about, in a line (as on the ticket)")
	f.StringVar(&q.Description, "description", "", "its story; - reads standard input (as on the ticket)")
	return c.changes(cmd, &q.Etag, &q.RequestId, func(ctx context.Context, node apipb.TicketsClient, args []string) (*deskpb.Ticket, error) {
		var err error
		if q.Description, err = text(cmd.InOrStdin(), "the description", q.Description); err != nil {
			return nil, err
		}
		q.Number = args[0]
		return node.SplitTicket(ctx, q)
	})
}

func (c *console) major() *cobra.Command {
	t := &deskpb.Ticket{}
	q := &apipb.ClassifyTicketRequest{Ticket: t}
	var over bool
	cmd := &cobra.Command{Use: "major NUMBER", Short: "重大故障: declare a major incident, which every site above hears of at once",
		Args: takes("NUMBER")}
	f := cmd.Flags()
	f.StringVar(&t.Coordinator, "coordinator", "", "who leads the work, by user name")
	f.StringVar(&q.Reason, "reason", "", "why")
	f.BoolVar(&over, "not", false, "it is none after all")
	return c.changes(cmd, &q.Etag, &q.RequestId, func(ctx context.Context, node apipb.TicketsClient, args []string) (*deskpb.Ticket, error) {
		q.Number, q.Fields, t.Major = args[0], []string{"major"}, !over
		if f.Changed("coordinator") {
			q.Fields = append(q.Fields, "coordinator")
		}
		return node.ClassifyTicket(ctx, q)
	})
}

func (c *console) similar() *cobra.Command {
	q := &apipb.FindSimilarTicketsRequest{}
	cmd := &cobra.Command{Use: "similar TITLE", Short: "相似工单: open tickets that may be about the same", Args: takes("TITLE")}
	f := cmd.Flags()
	f.StringVar(&q.Application, "application", "", "among those about the application")
	f.StringVar(&q.Category, "category", "", "without an application: among those of the category")
	f.Int32Var(&q.PageSize, "page-size", 0, "how many, 1 to 20 (5)")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		q.Title = args[0]
		found, err := node.tickets.FindSimilarTickets(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(found, func() string { return out.similar(found) })
	})
	return cmd
}

func (c *console) repeats() *cobra.Command {
	q := &apipb.CountRepeatsRequest{}
	cmd := &cobra.Command{Use: "repeats NUMBER", Short: "重复故障: how often the application had such a fault before",
		Args: takes("NUMBER")}
	cmd.Flags().Int32Var(&q.Days, "days", 0, "how far to look back, 1 to 366 (90)")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		q.Number = args[0]
		counted, err := node.tickets.CountRepeats(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(counted, func() string { return out.repeats(counted) })
	})
	return cmd
}

func (p *printer) similar(found *apipb.FindSimilarTicketsResponse) string {
	if len(found.GetTickets()) == 0 {
		return p.say(phrase{"没有相似的未结工单", "no open ticket is like it"}) + "\n"
	}
	rows := [][]string{p.header(phrase{"相似度", "LIKENESS"}, phrase{"工单", "NUMBER"}, phrase{"状态", "STATE"}, phrase{"标题", "TITLE"})}
	for _, s := range found.GetTickets() {
		rows = append(rows, []string{fmt.Sprintf("%d%%", s.GetLikeness()), s.GetTicket().GetNumber(), p.state(s.GetTicket()), s.GetTicket().GetTitle()})
	}
	return new(table).layOut(rows)
}

func (p *printer) repeats(r *apipb.CountRepeatsResponse) string {
	what := strings.TrimSpace(r.GetApplication() + " " + r.GetCategory())
	words := phrase{"此前 %[2]d 天内 %[1]s 同类故障 %[3]d 次", "%[1]s: %[3]d such faults in the %[2]d days before"}
	return oneLine(fmt.Sprintf(p.say(words), what, r.GetDays(), r.GetCount())) + "\n" + indent(strings.Join(r.GetNumbers(), "\n"))
}

// relations are the other tickets that a ticket has to do with, one a line; empty when there are none.
func (p *printer) relations(t *deskpb.Ticket) string {
	var rows [][]string
	for _, link := range t.GetLinks() {
		rows = append(rows, []string{p.name(link.GetKind()), link.GetNumber()})
	}
	return new(table).layOut(rows)
}
