package client

import (
	"context"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// maxPageSize is the largest page that a node gives.
const maxPageSize = 500

func (c *console) ticketCommand() *cobra.Command {
	reading := []*cobra.Command{c.create(), c.list(), c.show(), c.journal(), c.check(), c.macro(), c.allowed(), c.reveal()}
	return c.group("ticket", "工单: take, work and follow tickets",
		slices.Concat(reading, c.verbs(), c.handing(), c.relations(), c.afterwards())...)
}

func (c *console) create() *cobra.Command {
	t := &deskpb.Ticket{Requester: &deskpb.Requester{}}
	q := &apipb.CreateTicketRequest{Ticket: t}
	cmd := &cobra.Command{Use: "create", Short: "受理: open a ticket at this site", Args: takes()}
	requestIDFlag(cmd, &q.RequestId)
	ticketFlags(cmd.Flags(), t)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		var err error
		if t.Description, err = text(cmd.InOrStdin(), "the description", t.Description); err != nil {
			return err
		}
		nameRequest(&q.RequestId)
		ticket, err := node.tickets.CreateTicket(ctx, q)
		if err != nil {
			return err
		}
		if err := out.answer(ticket, func() string { return out.summary(ticket) }); err != nil || out.json {
			return err
		}
		return out.write(out.duplicates(ticket, duplicates(ctx, node, ticket)))
	})
	return cmd
}

// ticketFlags are what the author of a ticket may say, whose requester is not nil.
func ticketFlags(f *pflag.FlagSet, t *deskpb.Ticket) {
	requester := t.GetRequester()
	f.StringVar(&t.Title, "title", "", "what it is about, in a line")
	f.StringVar(&t.Description, "description", "", "the whole story; - reads standard input")
	f.StringVar(&t.Category, "category", "", "kind of problem")
	f.StringVar(&t.Application, "application", "", "the application that it is about")
	f.StringVar(&t.Group, "group", "", "group that shall work on it")
	f.StringVar(&t.Assignee, "assignee", "", "person who shall work on it, by user name")
	f.StringArrayVar(&t.Tags, "tag", nil, "a tag; may be given again")
	f.Int32Var(&t.Impact, "impact", 0, "1 high, 2 medium, 3 low")
	f.Int32Var(&t.Urgency, "urgency", 0, "1 high, 2 medium, 3 low")
	f.Int32Var(&t.Severity, "severity", 0, "fault level: 1 interrupted, 2 degraded, 3 minor")
	f.BoolVar(&t.Major, "major", false, "a major incident")
	f.StringVar(&t.Template, "template", "", "template of the policy that fills in what is not given")
	sortingFlags(f, t)
	channel := enumFlag(&t.Channel)
	f.Var(channel, "channel", "how it came in: "+channel.choices())
	f.StringVar(&requester.Id, "requester-id", "", "the requester's record at this site, which fills in the rest")
	f.StringVar(&requester.Name, "requester-name", "", "who reported it")
	f.StringVar(&requester.Unit, "requester-unit", "", "the requester's office")
	f.StringVar(&requester.Phone, "requester-phone", "", "the requester's telephone number")
	f.StringVar(&requester.Email, "requester-email", "", "the requester's mail address")
	f.StringVar(&requester.User, "requester-user", "", "the requester's user name at this site")
}

func (c *console) list() *cobra.Command {
	q := &apipb.ListTicketsRequest{}
	var limit int32
	var all, stale bool
	cmd := &cobra.Command{Use: "list", Short: "列表: a page of tickets, or many", Args: takes()}
	f := cmd.Flags()
	f.StringVar(&q.Filter, "filter", "", `which tickets, such as 'state = NEW AND priority <= 2'`)
	f.StringVar(&q.OrderBy, "order-by", "", `"updateTime desc" (default), "updateTime", "priority", "number" or "number desc"`)
	f.Int32Var(&q.PageSize, "page-size", 0, "tickets a page, 1 to 500 (50)")
	f.StringVar(&q.PageToken, "page-token", "", "where to go on: what the page before ended with")
	f.Int32Var(&limit, "limit", 0, "at most so many tickets, over as many pages as it takes")
	f.BoolVar(&all, "all", false, "every ticket, page after page")
	staleFlag(cmd, &stale)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		switch {
		case limit < 0:
			return Usage("--limit is %d: give a number above zero", limit)
		case limit > 0 && all:
			return Usage("--limit %d and --all contradict each other: leave one out", limit)
		}
		q.Consistency = consistency(stale)
		return listTickets(ctx, node, out, q, pages{limit: limit, all: all})
	})
	return cmd
}

// pages says how far a list goes: one page, or until the limit, or to the end.
type pages struct {
	limit int32 // 0 for none
	all   bool
}

// listTickets prints pages as they come.
func listTickets(ctx context.Context, node *connection, out *printer, q *apipb.ListTicketsRequest, p pages) error {
	list := out.ticketList()
	size, left := q.PageSize, p.limit
	for {
		if left > 0 {
			q.PageSize = min(left, maxPageSize)
			if size > 0 {
				q.PageSize = min(q.PageSize, size)
			}
		}
		page, err := node.tickets.ListTickets(ctx, q)
		if err != nil {
			return err
		}
		left -= int32(len(page.Tickets))
		last := page.NextPageToken == "" || !p.all && left <= 0
		if err := out.answer(page, func() string { return list.page(page, last) }); err != nil || last {
			return err
		}
		q.PageToken = page.NextPageToken
	}
}

func (c *console) show() *cobra.Command {
	var stale bool
	cmd := &cobra.Command{Use: "show NUMBER", Short: "查看: a ticket, where it has been, and its journal",
		Args: takes("NUMBER")}
	staleFlag(cmd, &stale)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		ticket, err := node.tickets.GetTicket(ctx, &apipb.GetTicketRequest{Number: args[0], Consistency: consistency(stale)})
		if err != nil {
			return err
		}
		var entries []*apipb.JournalEntry
		if !out.json {
			err = eachJournalPage(ctx, node, args[0], stale, func(page *apipb.ListJournalResponse) error {
				entries = append(entries, page.Entries...)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return out.answer(ticket, func() string { return out.ticket(ticket, entries) })
	})
	return cmd
}

func (c *console) journal() *cobra.Command {
	var stale bool
	cmd := &cobra.Command{Use: "journal NUMBER", Short: "流转记录: everything that happened to a ticket, oldest first",
		Args: takes("NUMBER")}
	staleFlag(cmd, &stale)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		var columns table
		return eachJournalPage(ctx, node, args[0], stale, func(page *apipb.ListJournalResponse) error {
			return out.answer(page, func() string { return out.journal(&columns, page.Entries) })
		})
	})
	return cmd
}

// eachJournalPage hands the pages of a ticket's journal over in order.
func eachJournalPage(ctx context.Context, node *connection, number string, stale bool,
	use func(*apipb.ListJournalResponse) error) error {
	q := &apipb.ListJournalRequest{Number: number, PageSize: maxPageSize, Consistency: consistency(stale)}
	for {
		page, err := node.tickets.ListJournal(ctx, q)
		if err != nil {
			return err
		}
		if err := use(page); err != nil || page.NextPageToken == "" {
			return err
		}
		q.PageToken = page.NextPageToken
	}
}

func staleFlag(cmd *cobra.Command, stale *bool) {
	cmd.Flags().BoolVar(stale, "stale", false, "take the answer of a node that may be behind")
}

// consistency is what a read asks for.
func consistency(stale bool) string {
	if stale {
		return "stale"
	}
	return ""
}
