package client

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) noticesCommand() *cobra.Command {
	list := c.listNotices()
	notices := c.group("notices", "通知: what you were told of tickets; alone it lists them", list, c.readNotices())
	notices.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return NeedsCommand(cmd, args)
		}
		return list.RunE(cmd, args)
	}
	return notices
}

func (c *console) listNotices() *cobra.Command {
	q := &apipb.ListNoticesRequest{}
	cmd := &cobra.Command{Use: "list", Short: "列表: a page of your notices, the latest first", Args: takes()}
	cmd.Flags().BoolVar(&q.Unread, "unread", false, "only those that you have not read yet")
	cmd.Flags().Int32Var(&q.PageSize, "page-size", 0, "notices a page, 1 to 500 (50)")
	cmd.Flags().StringVar(&q.PageToken, "page-token", "", "where to go on: what the page before ended with")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		page, err := node.notices.ListNotices(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(page, func() string { return out.notices(page) })
	})
	return cmd
}

func (p *printer) notices(page *apipb.ListNoticesResponse) string {
	if len(page.GetNotices()) == 0 {
		return p.say(phrase{"没有通知", "there are no notices"}) + "\n"
	}
	rows := [][]string{p.header(phrase{"时间", "TIME"}, phrase{"已读", "READ"}, phrase{"工单", "TICKET"}, phrase{"事项", "WHAT"},
		phrase{"标题", "TITLE"}, phrase{"内容", "TEXT"})}
	for _, n := range page.GetNotices() {
		rows = append(rows, []string{p.when(n.GetTime()), p.yes(n.GetRead()), n.GetTicket(), p.nameOf("Event", n.GetKind()),
			n.GetTitle(), n.GetText()})
	}
	end := fmt.Sprintf(p.say(phrase{"未读 %d 条\n", "%d not read yet\n"}), page.GetUnread())
	if token := page.GetNextPageToken(); token != "" {
		end += fmt.Sprintf(p.say(phrase{"下一页：--page-token %s\n", "next page: --page-token %s\n"}), token)
	}
	return new(table).layOut(rows) + end
}

func (c *console) readNotices() *cobra.Command {
	var through string
	cmd := &cobra.Command{Use: "read", Short: "已读: note that you have read your notices", Args: takes()}
	cmd.Flags().StringVar(&through, "through", "", "only up to this time, such as "+timeExample)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		at, err := c.moment("through", through)
		if err != nil {
			return err
		}
		done, err := node.notices.MarkNoticesRead(ctx, &apipb.MarkNoticesReadRequest{Through: at})
		if err != nil {
			return err
		}
		return out.answer(done, func() string { return out.say(phrase{"已标为已读", "marked as read"}) + "\n" })
	})
	return cmd
}
