package client

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) roundCommand() *cobra.Command {
	return c.group("round", "巡检: inspection rounds, whose tickets the site opens by itself", c.listRounds(), c.roundReport())
}

func (c *console) listRounds() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "列表: the rounds of the policy and when they are due", Args: takes(),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
			known, err := node.rounds.ListRounds(ctx, &apipb.ListRoundsRequest{})
			if err != nil {
				return err
			}
			return out.answer(known, func() string { return out.rounds(known.GetRounds()) })
		})}
}

func (p *printer) rounds(all []*apipb.InspectionRound) string {
	if len(all) == 0 {
		return p.say(phrase{"没有巡检计划", "the policy has no rounds"}) + "\n"
	}
	rows := [][]string{p.header(phrase{"名称", "NAME"}, phrase{"标题", "TITLE"}, phrase{"周期", "EVERY"}, phrase{"处理组", "GROUP"},
		phrase{"下次到期", "DUE"}, phrase{"已开至", "OPENED UP TO"})}
	for _, r := range all {
		rows = append(rows, []string{r.GetRound().GetName(), p.say(phrase{r.GetRound().GetTitle().GetZh(), r.GetRound().GetTitle().GetEn()}), p.every(r.GetRound()), r.GetRound().GetGroup(),
			p.when(r.GetDueTime()), p.when(r.GetOpenedTime())})
	}
	return new(table).layOut(rows)
}

// every says how often a round comes.
func (p *printer) every(r *deskpb.Round) string {
	unit := map[deskpb.Round_Unit]phrase{
		deskpb.Round_DAYS:   {"每 %d 天", "%d days"},
		deskpb.Round_WEEKS:  {"每 %d 周", "%d weeks"},
		deskpb.Round_MONTHS: {"每 %d 月", "%d months"},
	}[r.GetUnit()]
	return fmt.Sprintf(p.say(unit), r.GetEvery())
}

func (c *console) roundReport() *cobra.Command {
	q := &apipb.GetRoundReportRequest{}
	cmd := &cobra.Command{Use: "report NAME", Short: "报告: what was found on a round, the latest first", Args: takes("NAME")}
	cmd.Flags().Int32Var(&q.PageSize, "page-size", 0, "tickets a page, 1 to 100 (12)")
	cmd.Flags().StringVar(&q.PageToken, "page-token", "", "where to go on: what the page before ended with")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		q.Name = args[0]
		report, err := node.rounds.GetRoundReport(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(report, func() string { return out.roundReport(report) })
	})
	return cmd
}

// roundReport has a row for each item of each ticket's checklist; the ticket stands in the first of them.
func (p *printer) roundReport(report *apipb.RoundReport) string {
	if len(report.GetFindings()) == 0 {
		return p.say(phrase{"没有记录", "nothing was found yet"}) + "\n"
	}
	rows := [][]string{p.header(phrase{"工单", "NUMBER"}, phrase{"开单", "OPENED"}, phrase{"状态", "STATE"}, phrase{"检查项", "ITEM"},
		phrase{"完成", "DONE"}, phrase{"结果", "FOUND"})}
	for _, f := range report.GetFindings() {
		head := []string{f.GetNumber(), p.when(f.GetOpenTime()), p.name(f.GetState())}
		if len(f.GetItems()) == 0 {
			rows = append(rows, append(head, "", "", f.GetResolution().GetText()))
		}
		for _, item := range f.GetItems() {
			rows = append(rows, append(head, item.GetText(), p.tick(item), p.found(item)))
			head = []string{"", "", ""}
		}
	}
	out := new(table).layOut(rows)
	if report.GetNextPageToken() != "" {
		out += p.say(phrase{"还有更多：", "more: "}) + "--page-token " + oneLine(report.GetNextPageToken()) + "\n"
	}
	return out
}
