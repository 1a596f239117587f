package client

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) callBackCommand() *cobra.Command {
	return c.group("callback", "回访: the contacts after the fact that are due", c.listCallBacks(), c.recordCustomerCall())
}

func (c *console) listCallBacks() *cobra.Command {
	q := &apipb.ListCallBacksRequest{PageSize: maxPageSize}
	var due string
	cmd := &cobra.Command{Use: "list", Short: "列表: who is to be called back, the earliest first", Args: takes()}
	cmd.Flags().StringVar(&due, "due", "", "what is due by that time, such as "+timeExample+" (now)")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) (err error) {
		if q.Due, err = c.moment("due", due); err != nil {
			return err
		}
		columns, first := &table{}, true
		for {
			page, err := node.callBacks.ListCallBacks(ctx, q)
			if err != nil {
				return err
			}
			err = out.answer(page, func() string {
				if first && len(page.GetCalls()) == 0 {
					return out.say(phrase{"没有到期的回访", "no call-back is due"}) + "\n"
				}
				return out.callBacks(columns, page.GetCalls(), first)
			})
			if err != nil || page.GetNextPageToken() == "" {
				return err
			}
			q.PageToken, first = page.GetNextPageToken(), false
		}
	})
	return cmd
}

// callBacks is a page of the work list, the first one under a header.
func (p *printer) callBacks(columns *table, calls []*apipb.DueCall, first bool) string {
	var rows [][]string
	if first {
		rows = append(rows, p.header(phrase{"到期", "DUE"}, phrase{"事由", "ABOUT"}, phrase{"报告人", "REQUESTER"}, phrase{"电话", "PHONE"},
			phrase{"次数", "ATTEMPTS"}, phrase{"标题", "TITLE"}))
	}
	for _, call := range calls {
		row := []string{p.when(call.GetDueTime()), call.GetTicket().GetNumber(), call.GetTicket().GetRequester().GetName(),
			call.GetTicket().GetRequester().GetPhone(), fmt.Sprint(call.GetTicket().GetCallBack().GetAttempts()), call.GetTicket().GetTitle()}
		if r := call.GetRequester(); r != nil {
			row = []string{p.when(call.GetDueTime()), r.GetId(), r.GetName(), strings.Join(r.GetPhones(), ", "),
				fmt.Sprint(attemptsOf(call)), p.name(call.GetKind())}
		}
		rows = append(rows, row)
	}
	return columns.layOut(rows)
}

// callBack says when the requester is called back, or how that went.
func (p *printer) callBack(call *deskpb.CallBack) string {
	var words []string
	if due := p.when(call.GetDueTime()); due != "" && !call.GetDone() {
		words = append(words, fmt.Sprintf(p.say(phrase{"%s 到期", "due %s"}), due))
	}
	if outcome := p.name(call.GetOutcome()); outcome != "" {
		words = append(words, outcome, p.when(call.GetTime()), call.GetActor(), call.GetComment())
	}
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), "  ")
}

// attemptsOf is how often a customer was not reached by the call-back that is due.
func attemptsOf(due *apipb.DueCall) uint32 {
	for _, call := range due.GetRequester().GetCalls() {
		if call.GetKind() == due.GetKind() && call.GetDoneTime() == nil {
			return call.GetAttempts()
		}
	}
	return 0
}

func (c *console) recordCustomerCall() *cobra.Command {
	q := &apipb.RecordCustomerCallRequest{}
	var score int32
	cmd := &cobra.Command{Use: "record REQUESTER", Short: "记录: how a customer's call-back went; for a ticket's see ticket call-back",
		Args: takes("REQUESTER")}
	kind, outcome := enumFlag(&q.Kind), enumFlag(&q.Outcome)
	cmd.Flags().Var(kind, "kind", "which call-back: "+kind.choices())
	cmd.Flags().Var(outcome, "outcome", "how it went: "+outcome.choices())
	cmd.Flags().StringVar(&q.Comment, "comment", "", "what was said")
	cmd.Flags().Int32Var(&score, "score", 0, "satisfaction, 1 (bad) to 5 (good)")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		switch q.Requester = args[0]; {
		case q.Kind == deskpb.CustomerCall_KIND_UNSPECIFIED:
			return Usage("--kind is missing: say which call-back: %s", kind.choices())
		case q.Outcome == deskpb.CallBack_OUTCOME_UNSPECIFIED:
			return Usage("--outcome is missing: say how it went: %s", outcome.choices())
		}
		if score != 0 {
			q.Satisfaction = &deskpb.Satisfaction{Score: score}
		}
		after, err := node.callBacks.RecordCustomerCall(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(after, func() string { return out.requester(after, nil) })
	})
	return cmd
}

// afterwards are the ticket commands for the time after the fact.
func (c *console) afterwards() []*cobra.Command {
	return []*cobra.Command{c.callBack(), c.rate(), c.survey()}
}

func (c *console) callBack() *cobra.Command {
	q := &apipb.CallBackTicketRequest{}
	var score int32
	cmd := verb[*apipb.CallBackTicketRequest]{
		name: "call-back", short: "回访: record how the call-back after the ticket went",
		request: q, number: &q.Number, etag: &q.Etag, requestID: &q.RequestId, comment: &q.Comment,
		call: apipb.TicketsClient.CallBackTicket,
	}.command(c)
	outcome := enumFlag(&q.Outcome)
	cmd.Flags().Var(outcome, "outcome", "how it went: "+outcome.choices())
	cmd.Flags().Int32Var(&score, "score", 0, "satisfaction, 1 (bad) to 5 (good)")
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if q.Outcome == deskpb.CallBack_OUTCOME_UNSPECIFIED {
			return Usage("--outcome is missing: say how it went: %s", outcome.choices())
		}
		if score != 0 {
			q.Satisfaction = &deskpb.Satisfaction{Score: score}
		}
		return run(cmd, args)
	}
	return cmd
}

func (c *console) rate() *cobra.Command {
	s := &deskpb.Satisfaction{}
	q := &apipb.RateTicketRequest{Satisfaction: s}
	cmd := verb[*apipb.RateTicketRequest]{
		name: "rate", short: "评价: record what the requester thinks of the service",
		request: q, number: &q.Number, etag: &q.Etag, requestID: &q.RequestId, comment: &s.Comment,
		call: apipb.TicketsClient.RateTicket,
	}.command(c)
	cmd.Flags().Int32Var(&s.Score, "score", 0, "satisfaction, 1 (bad) to 5 (good)")
	return cmd
}

func (c *console) survey() *cobra.Command {
	return &cobra.Command{Use: "survey NUMBER", Short: "评价链接: make a short-lived link by which the requester rates the service",
		Args: takes("NUMBER"),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
			made, err := node.surveys.CreateSurvey(ctx, &apipb.CreateSurveyRequest{Number: args[0]})
			if err != nil {
				return err
			}
			return out.answer(made, func() string {
				return fmt.Sprintf(out.say(phrase{"%s\n有效期至 %s\n", "%s\ngood until %s\n"}), made.GetUrl(), out.when(made.GetExpireTime()))
			})
		})}
}

// chineseAfterNames are those of call-backs and requesters.
func chineseAfterNames() map[string]string {
	return map[string]string{
		"CallBack.CONTENT":      "满意",
		"CallBack.DISSATISFIED": "不满意",
		"CallBack.NOT_REACHED":  "未接通",

		"Customer.PERSON": "个人",
		"Customer.UNIT":   "单位",

		"CustomerCall.WELCOME": "新客户回访",
		"CustomerCall.REGULAR": "VIP 例行回访",
		"CustomerCall.VISIT":   "VIP 上门回访",

		"Event.CALLED_BACK": "回访",
		"Event.RATED":       "评价",
	}
}
