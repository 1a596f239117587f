package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/verify"
)

// Play takes calls, escalates, cuts and heals the line between county and city, and does what a desk does all day: dispatch,
// approve, merge, resolve a major incident, call back. At the end it compares all sites. It says each step on Out and returns
// an error when anything went otherwise than promised.
func (d *Demo) Play(ctx context.Context) error {
	path, err := d.options.Tree.path()
	if err != nil {
		return err
	}
	p := d.on(path)
	for _, scene := range []struct {
		name string
		run  func(context.Context)
	}{
		{"电话受理，当场解决 · a call taken at the county and solved there", p.solvedAtOnce},
		{"逐级升级到省三线，解决后回县确认办结 · escalated to the province, solved, confirmed and closed at home", p.upAndHome},
		{"县市链路中断：照常受理，升级排队，撤回一单，恢复后带附件自动上送 · the county-city line cut and healed", p.cutAndHeal},
		{"派单、拒单、认领，等报告人时停表 · dispatched, declined, claimed; the clock stands still for the requester", p.dispatched},
		{"数据更正先审批 · a correction waits for the leader's approval", p.approved},
		{"重复工单合并 · a duplicate is merged", p.merged},
		{"重大故障：父工单在省里解决，各级的子工单随之解决 · a major incident is resolved, with its parts wherever they are", p.outage},
		{"回访不满意，重开再办；报告人凭链接评分 · a call-back reopens; the requester rates by a link", p.calledBack},
		{"各见其所见，各行其所权 · everybody sees and does what is theirs", p.permitted},
		{"猜密码被限速并留痕；各级审计链完整，上级留存检查点 · guessing is slowed down and told; the audit logs are whole", p.audited},
	} {
		fmt.Fprintf(d.options.Out, "\n%s\n", scene.name)
		if scene.run(ctx); p.err != nil {
			return fmt.Errorf("%s: %w", scene.name, p.err)
		}
	}
	return p.compare(ctx)
}

func (p *play) solvedAtOnce(ctx context.Context) {
	number := p.create(ctx, printerCall)
	p.start(ctx, p.county, number)
	p.resolve(ctx, p.county, number, "校准打印机进纸位置，重打八张票据，均正常。")
	p.confirm(ctx, number, 5)
}

func (p *play) upAndHome(ctx context.Context) {
	number := p.create(ctx, budgetCall)
	p.raise(ctx, p.county, p.city, number, "本区多家单位受影响，县级无权限查看指标库")
	p.start(ctx, p.city, number)
	p.raise(ctx, p.city, p.province, number, "指标下达程序疑有缺陷，需要开发人员")
	p.start(ctx, p.province, number)
	p.resolve(ctx, p.province, number, "补丁已发布：追加指标按执行年度过滤有误，数据已重推。")
	p.arrives(ctx, p.county, number)
	p.confirm(ctx, number, 5)
}

func (p *play) cutAndHeal(ctx context.Context) {
	began := time.Now()
	p.county.line.Cut()
	p.linkIs(ctx, apipb.LinkStatus_DOWN)
	p.step(began, p.county.ID, "与 %s 的链路已断开，本站业务不受影响 · the line is down", p.city.Name)
	var numbers []string
	for _, c := range lineCalls {
		numbers = append(numbers, p.create(ctx, c))
	}
	queued, withdrawn, file := numbers[1], numbers[2], serverLog()
	p.attach(ctx, p.county, queued, "支付日志.txt", file)
	for _, number := range []string{queued, withdrawn} {
		p.escalate(ctx, p.county, number, "需要市级二线处理")
		p.waitsForLine(ctx, number)
	}
	p.act(p.county, "", withdrawn, "撤回升级 · withdrawn", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.WithdrawTicket(ctx, &apipb.WithdrawTicketRequest{Number: withdrawn, Reason: "已在本地找到办法", RequestId: request()})
	})
	p.resolve(ctx, p.county, withdrawn, "导出模板版本过旧，更换后合计正确。")
	began = time.Now()
	p.county.line.Heal()
	p.linkIs(ctx, apipb.LinkStatus_UP)
	p.step(began, p.county.ID, "链路已恢复 · the line is up")
	p.arrives(ctx, p.city, queued)
	p.finds(ctx, p.city, queued, file)
	p.start(ctx, p.city, queued)
	p.resolve(ctx, p.city, queued, "退回原因字段被截断，已补录并通知单位重新提交。")
	p.arrives(ctx, p.county, queued)
	p.confirm(ctx, queued, 5)
	p.confirm(ctx, withdrawn, 5)
}

// waitsForLine checks that an escalation made without a line is queued, and shows it.
func (p *play) waitsForLine(ctx context.Context, number string) {
	began := time.Now()
	ticket := p.ticket(ctx, p.county, number)
	p.expect(ticket.GetHandover().GetState() == deskpb.Handover_QUEUED && ticket.GetCustodianSite() == p.county.ID,
		"%s should wait for the line at %s, but its hand-over is %s and %s holds it",
		number, p.county.ID, ticket.GetHandover().GetState(), ticket.GetCustodianSite())
	p.step(began, number, "待上送 %s · queued", ticket.GetHandover().GetToSite())
}

// linkIs waits until the county sees its link to the city in the state.
func (p *play) linkIs(ctx context.Context, want apipb.LinkStatus_State) {
	p.until(ctx, fmt.Sprintf("the link of %s with %s to be %s", p.county.ID, p.city.ID, want), func() (bool, error) {
		overview, err := p.county.desk.Sites.GetSite(ctx, &apipb.GetSiteRequest{})
		if err != nil {
			return false, err
		}
		for _, link := range overview.Links {
			if link.Peer == p.city.ID {
				return link.State == want, nil
			}
		}
		return false, nil
	})
}

// compare waits for rest and holds every site's tickets and journals against each other.
func (p *play) compare(ctx context.Context) error {
	report, err := verify.CompareAtRest(ctx, p.verifySites(), patience)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.options.Out, "\n对账：逐单、逐条流转记录 · compared ticket by ticket, journal by journal\n%s", report)
	if !report.Agree() {
		return fmt.Errorf("the sites do not agree: %s", report.Problems[0])
	}
	return nil
}
