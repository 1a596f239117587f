package client

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) queueCommand() *cobra.Command {
	return c.group("queue", "队列: the open tickets that wait for you and your groups", c.listQueues(), c.showQueue())
}

func (c *console) listQueues() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "列表: the queues and how many tickets wait in each", Args: takes()}
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		known, err := node.queues.ListQueues(ctx, &apipb.ListQueuesRequest{})
		if err != nil {
			return err
		}
		return out.answer(known, func() string { return out.queues(known.GetQueues()) })
	})
	return cmd
}

func (p *printer) queues(queues []*apipb.Queue) string {
	if len(queues) == 0 {
		return p.say(phrase{"没有队列", "no queue is yours"}) + "\n"
	}
	rows := [][]string{p.header(phrase{"队列", "QUEUE"}, phrase{"编号", "ID"}, phrase{"工单数", "TICKETS"})}
	for _, queue := range queues {
		name, count := p.name(queue.GetKind()), fmt.Sprint(queue.GetCount())
		if queue.GetGroup() != "" {
			name += " " + queue.GetGroup()
		}
		if queue.GetMore() {
			count += "+"
		}
		rows = append(rows, []string{name, queue.GetId(), count})
	}
	return new(table).layOut(rows)
}

func (c *console) showQueue() *cobra.Command {
	q := &apipb.ListQueueTicketsRequest{}
	var all, stale bool
	cmd := &cobra.Command{Use: "show ID", Short: "查看: the tickets of a queue, what is due first comes first; of open, what was opened first", Args: takes("ID")}
	f := cmd.Flags()
	f.StringVar(&q.Site, "site", "", "of due-soon, overdue and open: the tickets of that office (this one)")
	f.Int32Var(&q.PageSize, "page-size", 0, "tickets a page, 1 to 500 (50)")
	f.StringVar(&q.PageToken, "page-token", "", "where to go on: what the page before ended with")
	f.BoolVar(&all, "all", false, "every ticket, page after page")
	staleFlag(cmd, &stale)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		q.Queue, q.Consistency = args[0], consistency(stale)
		list := out.ticketList()
		for {
			page, err := node.queues.ListQueueTickets(ctx, q)
			if err != nil {
				return err
			}
			last := page.GetNextPageToken() == "" || !all
			if err := out.answer(page, func() string { return list.page(page, last) }); err != nil || last {
				return err
			}
			q.PageToken = page.GetNextPageToken()
		}
	})
	return cmd
}

func (c *console) figuresCommand() *cobra.Command {
	q := &apipb.GetFiguresRequest{}
	cmd := &cobra.Command{Use: "figures", Short: "统计: how offices stand, and what they did on the last days", Args: takes()}
	c.callFlags(cmd.Flags())
	cmd.Flags().Int32Var(&q.Days, "days", 0, "how many days, today included, 1 to 31 (1)")
	cmd.Flags().StringArrayVar(&q.Sites, "site", nil, `an office, more than once for several, or "*" for all below too (this one)`)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		known, err := node.queues.GetFigures(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(known, func() string { return out.figures(known.GetOffices()) })
	})
	return cmd
}

// figures are two tables: how the offices stand, and their days.
func (p *printer) figures(offices []*apipb.OfficeFigures) string {
	now := [][]string{p.header(phrase{"站点", "OFFICE"}, phrase{"在办", "OPEN"}, phrase{"超时", "OVERDUE"}, phrase{"即将超时", "DUE SOON"},
		phrase{"待上送与上送中", "IN TRANSIT"}, phrase{"最久未结", "OLDEST"})}
	days := [][]string{p.header(phrase{"站点", "OFFICE"}, phrase{"日期", "DAY"}, phrase{"受理", "OPENED"}, phrase{"解决", "SOLVED"},
		phrase{"超时解决", "LATE"}, phrase{"一线解决", "FIRST LINE"}, phrase{"评价", "RATED"}, phrase{"平均分", "MEAN"})}
	for _, o := range offices {
		oldest := o.GetOldestNumber()
		if opened := p.when(o.GetOldestOpenTime()); opened != "" {
			oldest = opened + " " + oldest
		}
		now = append(now, []string{o.GetSite(), fmt.Sprint(o.GetOpen()), fmt.Sprint(o.GetOverdue()), fmt.Sprint(o.GetDueSoon()),
			fmt.Sprint(o.GetInTransit()), oldest})
		for _, d := range o.GetDays() {
			mean := ""
			if d.GetRated() > 0 {
				mean = fmt.Sprintf("%.1f", float64(d.GetScoreSum())/float64(d.GetRated()))
			}
			days = append(days, []string{o.GetSite(), d.GetDay(), fmt.Sprint(d.GetOpened()), fmt.Sprint(d.GetSolved()),
				fmt.Sprint(d.GetSolvedLate()), fmt.Sprint(d.GetSolvedFirstLine()), fmt.Sprint(d.GetRated()), mean})
		}
	}
	return new(table).layOut(now) + "\n" + new(table).layOut(days)
}
