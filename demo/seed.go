package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// Seed gives all sites people and policies, and the county customers and a day's tickets. A kept directory gets its
// tickets once: what an interrupted first start left is what it shows.
func (d *Demo) Seed(ctx context.Context) error {
	path, err := d.options.Tree.path()
	if err != nil {
		return err
	}
	if err := d.seedPeople(ctx, path); err != nil {
		return err
	}
	if err := d.seedPolicies(ctx); err != nil {
		return err
	}
	p := d.on(path)
	if err := seedCustomers(ctx, p.county); err != nil {
		return err
	}
	mark, err := os.OpenFile(filepath.Join(d.dir, "seeded"), os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err := errors.Join(err, mark.Close()); err != nil {
		return fmt.Errorf("note that the samples are made: %w", err)
	}
	p.quiet = true
	for _, sample := range []struct {
		name string
		make func(context.Context)
	}{
		{"tickets on their way", p.seedJourneys},
		{"tickets at the county", p.seedDesk},
		{"tickets that people sign", p.seedSignatures},
		{"a major incident", p.seedOutage},
		{"an inspection", p.seedInspection},
		{"tickets that wait", p.seedWaiting},
	} {
		if sample.make(ctx); p.err != nil {
			return fmt.Errorf("the samples, %s: %w", sample.name, p.err)
		}
	}
	return nil
}

// on returns what the people of a path do.
func (d *Demo) on(path [3]SiteSpec) *play {
	return &play{Demo: d, county: d.site(path[0].ID), city: d.site(path[1].ID), province: d.site(path[2].ID)}
}

// seedJourneys shows a ticket with a file at the province, another one that was merged into it, and one that waits for a
// vendor at the city.
func (p *play) seedJourneys(ctx context.Context) {
	code := p.create(ctx, call{"非税缴款码无法生成", "执收单位开票时提示缴款码服务超时，窗口改为手工登记。", "业务事件", "非税收入收缴系统",
		"许晴", "区自然资源和规划局（执收单位）", "0571-85000019", 1, 2, deskpb.Ticket_PHONE})
	again := p.create(ctx, call{"开票时缴款码超时", "与上午报的是同一现象，另一台电脑。", "业务事件", "非税收入收缴系统",
		"许晴", "区自然资源和规划局（执收单位）", "0571-85000019", 2, 2, deskpb.Ticket_PHONE})
	p.attach(ctx, p.county, code, "缴款码超时.png", screenshot())
	p.merge(ctx, again, code)
	p.raise(ctx, p.county, p.city, code, "全区执收单位受影响")
	p.raise(ctx, p.city, p.province, code, "缴款码服务由省级统一提供")
	p.start(ctx, p.province, code)

	slow := p.create(ctx, call{"集中支付回单查询很慢", "查询当月回单超过一分钟，其他页面正常。", "系统管理", "国库集中支付系统",
		"高远", "区交通运输局（预算单位）", "0571-85000020", 2, 2, deskpb.Ticket_APPLICATION})
	p.raise(ctx, p.county, p.city, slow, "县级无法查看数据库负载")
	p.start(ctx, p.city, slow)
	p.hold(ctx, p.city, slow, "waiting-vendor", "等待数据库厂商出具分析")
}

// seedDesk shows a day of the first line: solved by a macro, closed and due for a call-back, opened by its requester and
// urged, and an alert whose time is nearly over.
func (p *play) seedDesk(ctx context.Context) {
	password := p.create(ctx, call{"忘记登录密码", "新任会计忘记初始密码，已核对身份。", "操作事件/登录密码", "预算一体化系统",
		"罗兰", "区文化和旅游局（预算单位）", "0571-85000021", 3, 3, deskpb.Ticket_PHONE})
	p.start(ctx, p.county, password)
	p.act(p.county, "", password, "宏 · macro", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.RunMacro(ctx, &apipb.RunMacroRequest{Number: password, Macro: "password-reset", RequestId: request()})
	})

	printed := p.create(ctx, printerCall)
	p.start(ctx, p.county, printed)
	p.resolve(ctx, p.county, printed, "校准打印机进纸位置，重打八张票据，均正常。")
	p.confirm(ctx, printed, 4)

	wish := p.reported(ctx, wishCall)
	p.act(p.county, countyManager, wish, "催办 · urged", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.UrgeTicket(ctx, &apipb.UrgeTicketRequest{Number: wish, Reason: "月底对账前需要答复", RequestId: request()})
	})

	p.create(ctx, call{"凌晨备份任务失败", "监控告警：数据库备份任务 02:00 失败，磁盘空间不足。", "系统管理/服务器", "监控平台",
		"监控平台", "区财政局信息中心", "", 2, 2, deskpb.Ticket_MONITORING})
}

// seedSignatures shows a resolution that waits for the leader's approval, and a co-signing that one of two has signed.
func (p *play) seedSignatures(ctx context.Context) {
	correction := p.open(ctx, correction())
	p.start(ctx, p.county, correction)
	p.resolve(ctx, p.county, correction, "已按原始凭证更正金额。")

	rules := p.create(ctx, call{"统一两家单位的项目库口径", "教育局与卫健局对同一项目的分类不一致，汇总表对不上。", "业务事件/政策咨询", "预算一体化系统",
		"刘洋", "区财政局预算科", "0571-85000012", 3, 2, deskpb.Ticket_EMAIL})
	p.start(ctx, p.county, rules)
	p.act(p.county, "", rules, "会签 · co-signing", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.AddTask(ctx, &apipb.AddTaskRequest{Number: rules, RequestId: request(), Task: &deskpb.Task{
			Kind: deskpb.Task_COSIGN, Title: "口径调整会签", Mandatory: true, Ordered: true,
			Signers: []*deskpb.Signer{{User: "chenjie"}, {User: countyManager}},
		}})
	})
	p.sign(ctx, "chenjie", rules, 1, "同意按教育局口径")
}

// sign has somebody at the county agree to a task.
func (p *play) sign(ctx context.Context, user, number string, task uint32, words string) {
	p.act(p.county, user, number, "同意 · agreed: "+words, func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.ChangeTask(ctx, &apipb.ChangeTaskRequest{Number: number, Task: task, Action: deskpb.ChangeTask_AGREE, Result: words, RequestId: request()})
	})
}

// seedOutage shows a major incident at the province whose parts are at the county and at the city.
func (p *play) seedOutage(ctx context.Context) {
	whole, parts := p.openOutage(ctx)
	p.raise(ctx, p.county, p.city, parts[1], "需要核对市级前置机")
	p.start(ctx, p.province, whole)
	p.reply(ctx, p.province, whole, "已定位到缴款网关，正在切换备用节点，三十分钟内再次通报。")
}

// seedInspection shows an inspection that is half done.
func (p *play) seedInspection(ctx context.Context) {
	number := p.open(ctx, &deskpb.Ticket{
		Title: "机房补检", Template: "machine-room", Group: "机房值守组", Channel: deskpb.Ticket_WALK_IN,
		Requester: &deskpb.Requester{Name: "罗海", Unit: "区财政局信息中心"},
	})
	p.start(ctx, p.county, number)
	for item, found := range []string{"23 ℃，湿度 45 %", "市电正常，UPS 负载 31 %"} {
		p.act(p.county, "", number, "检查 · checked: "+found, func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
			return t.CheckTicket(ctx, &apipb.CheckTicketRequest{Number: number, Item: uint32(item), Done: true, Result: found, RequestId: request()})
		})
	}
}

// seedWaiting shows a ticket that waits for its requester, and one that a customer had earlier and was content with.
func (p *play) seedWaiting(ctx context.Context) {
	asked := p.create(ctx, call{"工资发放明细与到账不符", "两名教师的实发数与到账数相差一个月的补贴。", "数据问题", "国库集中支付系统",
		"赵敏", "区第一中学（预算单位）", "0571-85000014", 2, 2, deskpb.Ticket_PORTAL})
	p.start(ctx, p.county, asked)
	p.reply(ctx, p.county, asked, "请提供两位教师的工资明细截图，以便核对补贴项目。")
	p.hold(ctx, p.county, asked, "waiting-requester", "等待工资明细截图")

	earlier := p.create(ctx, call{"项目库导出提示超时", "导出全年项目库时提示超时，分季度导出正常。", "操作事件", "预算一体化系统",
		"刘洋", "区财政局预算科", "0571-85000012", 3, 3, deskpb.Ticket_PHONE})
	p.start(ctx, p.county, earlier)
	p.resolve(ctx, p.county, earlier, "已放宽导出时限，重新导出成功。")
	p.confirm(ctx, earlier, 5)
}
