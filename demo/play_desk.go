package demo

import (
	"context"
	"path"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// dispatched plays how a call finds the person who works on it, and how its clock stands still while the requester is
// asked.
func (p *play) dispatched(ctx context.Context) {
	number := p.create(ctx, signatureCall)
	first := p.given(ctx, number, "")
	p.act(p.county, first, number, first+" 拒单 · declined: 正在大厅处理窗口故障", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.DeclineTicket(ctx, &apipb.DeclineTicketRequest{Number: number, Reason: "正在大厅处理窗口故障", RequestId: request()})
	})
	second := p.given(ctx, number, first)
	p.act(p.county, second, number, second+" 认领 · claimed", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.ClaimTicket(ctx, &apipb.ClaimTicketRequest{Number: number, RequestId: request()})
	})
	p.start(ctx, p.county, number)
	p.hold(ctx, p.county, number, "waiting-requester", "请报告人提供浏览器版本")
	if p.err == nil {
		p.err = pass(ctx, time.Second) // what a clock leaves out is counted in seconds
	}
	answered := p.act(p.county, "", number, "报告人答复 · the requester answered: 版本 131", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.ReplyTicket(ctx, &apipb.ReplyTicketRequest{Number: number, Text: "版本 131", FromRequester: true, RequestId: request()})
	})
	p.expect(answered.GetState() == deskpb.Ticket_IN_PROGRESS, "%s is %s after the requester answered, not IN_PROGRESS", number, answered.GetState())
	p.explained(ctx, number)
	p.resolve(ctx, p.county, number, "在可信站点中加入签章服务地址后正常加载。")
	p.confirm(ctx, number, 5)
}

// pass waits until so much time has passed.
func pass(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// given checks that the rules gave a ticket of the county to a group and one of its members, who is not before, and
// returns the member.
func (p *play) given(ctx context.Context, number, before string) string {
	began := time.Now()
	ticket := p.ticket(ctx, p.county, number)
	group, person := ticket.GetGroup(), ticket.GetAssignee()
	p.expect(group != "" && person != "" && person != before, "%s went to group %q and %q by the rules, after %q", number, group, person, before)
	p.step(began, number, "自动派单 · dispatched to %s / %s", group, person)
	return person
}

// explained checks that the end-to-end resolution clock of a ticket stood still while the requester was asked and counts
// again, and says so.
func (p *play) explained(ctx context.Context, number string) {
	if p.err != nil {
		return
	}
	began := time.Now()
	told, err := p.county.by("").ExplainSla(ctx, &apipb.ExplainSlaRequest{Number: number})
	if p.err = err; err != nil {
		return
	}
	for _, clock := range told.Clocks {
		if clock.Clock.Metric != deskpb.Sla_RESOLUTION || clock.Clock.Tier != "" {
			continue
		}
		var paused time.Duration
		for _, stretch := range clock.Stretches {
			if stretch.State == desk.StretchPaused {
				paused += stretch.To.AsTime().Sub(stretch.From.AsTime())
			}
		}
		p.expect(paused >= time.Second && clock.Clock.State == deskpb.Sla_RUNNING,
			"the resolution clock of %s is %s after it stood still for %s; it should run again after a second", number, clock.Clock.State, paused)
		p.step(began, number, "解决时限：停表 %s，顺延到 %s · the clock stood still, and its time moved",
			paused, clock.Clock.DueTime.AsTime().In(chinaTime).Format("01-02 15:04:05"))
		return
	}
	p.expect(false, "%s has no resolution clock", number)
}

// approved plays a correction of data, which the policy of the county has the leader approve.
func (p *play) approved(ctx context.Context) {
	number := p.open(ctx, correction())
	p.start(ctx, p.county, number)
	resolve := func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.ResolveTicket(ctx, &apipb.ResolveTicketRequest{Number: number, RequestId: request(),
			Resolution: &deskpb.Resolution{Code: "data-corrected", Text: "已按原始凭证更正金额。"}})
	}
	asked := p.act(p.county, "", number, "解决前先送审批 · sent for approval", resolve)
	p.expect(asked.GetState() == deskpb.Ticket_IN_PROGRESS && len(asked.GetTasks()) == 1,
		"%s is %s with %d tasks after a resolution that needs an approval", number, asked.GetState(), len(asked.GetTasks()))
	p.refused(p.county, "", number, "needs approval", "未批不能解决 · not resolved before that", resolve)
	p.sign(ctx, countyLeader, number, 1, "凭证已核对")
	solved := p.act(p.county, "", number, "批准后解决 · approved and resolved", resolve)
	p.expect(solved.GetState() == deskpb.Ticket_RESOLVED, "%s is %s after it was approved and resolved", number, solved.GetState())
	p.confirm(ctx, number, 5)
}

// merged plays two calls about the same: what is said about the one that was merged is written down on the other.
func (p *play) merged(ctx context.Context) {
	first, again := p.create(ctx, outageParts[0]), p.create(ctx, repeatCall)
	began := time.Now()
	if p.err == nil {
		similar, err := p.county.by("").FindSimilarTickets(ctx, &apipb.FindSimilarTicketsRequest{Title: repeatCall.title, Application: repeatCall.application})
		p.err = err
		p.expect(len(similar.GetTickets()) > 0, "no open ticket is like %q", repeatCall.title)
	}
	p.step(began, again, "找到相似工单 · a ticket like it is open")
	p.merge(ctx, again, first)
	noted := p.act(p.county, "", again, "原单号仍可用 · the old number still works", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.NoteTicket(ctx, &apipb.NoteTicketRequest{Number: again, Text: "报告人来电补充：两台电脑均如此", RequestId: request()})
	})
	p.expect(noted.GetNumber() == first, "a note on %s, merged into %s, was written on %s", again, first, noted.GetNumber())
	p.resolve(ctx, p.county, first, "缴款码服务已恢复。")
	p.confirm(ctx, first, 5)
}

// openOutage opens a major incident at the county, with two parts there, and takes it up to the province.
func (p *play) openOutage(ctx context.Context) (whole string, parts []string) {
	ticket := outageCall.ticket()
	ticket.Kind, ticket.Severity, ticket.Major, ticket.Coordinator = deskpb.Ticket_INCIDENT, 1, true, countyManager
	whole = p.open(ctx, ticket)
	for _, c := range outageParts {
		part := p.create(ctx, c)
		p.link(ctx, part, whole)
		parts = append(parts, part)
	}
	p.raise(ctx, p.county, p.city, whole, "全区中断，县级无法恢复")
	p.raise(ctx, p.city, p.province, whole, "缴款网关由省级运行")
	return whole, parts
}

// outage plays a major incident that the province resolves, with one part at the county and one at the city.
func (p *play) outage(ctx context.Context) {
	whole, parts := p.openOutage(ctx)
	p.raise(ctx, p.county, p.city, parts[1], "需要核对市级前置机")
	p.start(ctx, p.province, whole)
	p.reply(ctx, p.province, whole, "已切换备用节点，正在核对补缴数据。")
	p.act(p.province, "", whole, "解决 · resolved: 切换到备用缴款网关", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.ResolveTicket(ctx, &apipb.ResolveTicketRequest{Number: whole, RequestId: request(),
			Resolution: &deskpb.Resolution{Code: "recovered", Text: "切换到备用缴款网关，补缴数据已核对。", RootCause: "主网关证书过期"}})
	})
	for _, number := range append(parts, whole) {
		began := time.Now()
		p.until(ctx, number+" to be resolved and at home", func() (bool, error) {
			ticket, err := p.county.by("").GetTicket(ctx, &apipb.GetTicketRequest{Number: number})
			return ticket.GetState() == deskpb.Ticket_RESOLVED && ticket.GetCustodianSite() == p.county.ID &&
				ticket.GetHandover().GetState() == deskpb.Handover_NONE, err
		})
		p.step(began, number, "已解决，回到 %s · resolved and home", p.county.Name)
	}
	end := func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.CloseTicket(ctx, &apipb.CloseTicketRequest{Number: whole, RequestId: request()})
	}
	p.refused(p.county, countyManager, whole, "review", "未复盘不能办结 · not closed without a review", end)
	p.act(p.county, countyManager, whole, "复盘 · reviewed: 证书到期前三十天预警", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.ReviewTicket(ctx, &apipb.ReviewTicketRequest{Number: whole, Text: "证书到期前三十天预警", RequestId: request()})
	})
	p.act(p.county, countyManager, whole, "办结 · closed", end)
	for _, number := range parts {
		p.confirm(ctx, number, 4)
	}
}

// calledBack plays a customer who is not content when the desk calls back, and one who rates by a link afterwards.
func (p *play) calledBack(ctx context.Context) {
	number := p.create(ctx, lineCalls[0])
	p.resolve(ctx, p.county, number, "已更新证书。")
	p.confirm(ctx, number, 4)
	began := time.Now()
	p.until(ctx, "the call-back of "+number+" to be due", func() (bool, error) {
		due, err := apipb.NewCallBacksClient(p.county.desk.Conn()).ListCallBacks(ctx, &apipb.ListCallBacksRequest{PageSize: 500})
		for _, one := range due.GetCalls() {
			if one.GetTicket().GetNumber() == number {
				return true, nil
			}
		}
		return false, err
	})
	p.step(began, number, "回访到期 · a call-back is due")
	reopened := p.call(ctx, number, "回访：不满意，重开 · dissatisfied, reopened", deskpb.CallBack_DISSATISFIED, "第二天又提示过期")
	p.expect(reopened.GetState() != deskpb.Ticket_CLOSED && reopened.GetReopenCount() == 1,
		"%s is %s and was reopened %d times after the call-back", number, reopened.GetState(), reopened.GetReopenCount())
	p.resolve(ctx, p.county, number, "证书更新后需要重启签章服务，已设为自动重启。")
	p.act(p.county, "", number, "办结 · closed", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.CloseTicket(ctx, &apipb.CloseTicketRequest{Number: number, RequestId: request()})
	})
	p.call(ctx, number, "回访：满意 · content", deskpb.CallBack_CONTENT, "")
	p.rates(ctx, number)
}

// call records how a call-back went.
func (p *play) call(ctx context.Context, number, say string, outcome deskpb.CallBack_Outcome, comment string) *deskpb.Ticket {
	return p.act(p.county, "chenjie", number, say, func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.CallBackTicket(ctx, &apipb.CallBackTicketRequest{Number: number, Outcome: outcome, Comment: comment, RequestId: request()})
	})
}

// rates has the requester rate the service by a link, without signing in, and checks that the ticket says so.
func (p *play) rates(ctx context.Context, number string) {
	if p.err != nil {
		return
	}
	began := time.Now()
	surveys := apipb.NewSurveysClient(p.county.desk.Conn())
	link, err := surveys.CreateSurvey(ctx, &apipb.CreateSurveyRequest{Number: number})
	if err == nil {
		_, err = surveys.AnswerSurvey(ctx, &apipb.AnswerSurveyRequest{
			Token: path.Base(link.Url), Satisfaction: &deskpb.Satisfaction{Score: 5, Comment: "这次彻底好了"},
		})
	}
	if p.err = err; err != nil {
		return
	}
	ticket := p.ticket(ctx, p.county, number)
	p.expect(ticket.GetSatisfaction().GetScore() == 5 && ticket.GetState() == deskpb.Ticket_CLOSED,
		"%s is %s with the score %d after the requester gave 5", number, ticket.GetState(), ticket.GetSatisfaction().GetScore())
	p.step(began, number, "报告人评分 5 分 · the requester gave 5")
}
