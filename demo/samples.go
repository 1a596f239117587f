package demo

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
)

// person is a sample user.
type person struct {
	name, display string
	role          apipb.User_Role
}

// staff of an office by its tier: first line everywhere, second line in cities, third line in the province.
var staff = map[config.Tier][]person{
	config.County: {
		{"zhangmin", "张敏（一线）", apipb.User_AGENT},
		{"chenjie", "陈洁（一线）", apipb.User_AGENT},
	},
	config.City: {
		{"liqiang", "李强（二线）", apipb.User_AGENT},
		{"zhoufang", "周芳（事件经理）", apipb.User_INCIDENT_MANAGER},
	},
	config.Province: {
		{"wangwei", "王伟（三线）", apipb.User_AGENT},
		{"sunlei", "孙磊（事件经理）", apipb.User_INCIDENT_MANAGER},
	},
}

// call is a sample problem as the first line writes it down.
type call struct {
	title, description, category, application string
	requester, unit, phone                    string
	impact, urgency                           int32
	channel                                   deskpb.Ticket_Channel
}

func (c call) ticket() *deskpb.Ticket {
	return &deskpb.Ticket{
		Title: c.title, Description: c.description, Category: c.category, Application: c.application,
		Requester: &deskpb.Requester{Name: c.requester, Unit: c.unit, Phone: c.phone},
		Impact:    c.impact, Urgency: c.urgency, Channel: c.channel,
	}
}

// reach is how far a sample ticket has come.
type reach int

const (
	taken reach = iota
	started
	solved
	atCity
	atProvince
)

// Samples of a county's day in a province-wide finance system.
var (
	printerCall = call{"非税票据打印错位", "窗口打印的非税收入票据整体下移一行，已排队八人。", "操作事件", "非税收入收缴系统",
		"王丽", "区市场监督管理局（执收单位）", "0571-85000011", 2, 1, deskpb.Ticket_PHONE}
	budgetCall = call{"预算指标下达后单位看不到", "市局已下达追加指标，本区三家预算单位均查询不到。", "数据问题", "预算一体化系统",
		"刘洋", "区财政局预算科", "0571-85000012", 1, 1, deskpb.Ticket_APPLICATION}
	lineCalls = []call{
		{"登录提示证书过期", "插入 USB Key 后提示证书已过期，无法签章。", "用户处理", "国库集中支付系统",
			"陈静", "区教育局（预算单位）", "0571-85000013", 3, 2, deskpb.Ticket_PHONE},
		{"支付申请退回原因不明", "三笔支付申请被退回，界面没有显示退回原因。", "业务事件", "国库集中支付系统",
			"赵敏", "区第一中学（预算单位）", "0571-85000014", 2, 2, deskpb.Ticket_PORTAL},
		{"报表导出后金额为零", "部门决算报表导出到表格后，合计列全部为零。", "程序BUG", "部门决算系统",
			"孙悦", "区卫生健康局", "0571-85000015", 2, 1, deskpb.Ticket_PHONE},
		{"新增人员无法选择岗位", "工资模块新增人员时岗位下拉框为空。", "系统管理", "工资统发系统",
			"吴涛", "区人力资源和社会保障局", "0571-85000016", 3, 3, deskpb.Ticket_WALK_IN},
		{"窗口电脑打开系统白屏", "前台两台电脑打开缴费页面白屏，换浏览器后正常。", "操作事件", "非税收入收缴系统",
			"郑爽", "区民政局（执收单位）", "0571-85000017", 3, 2, deskpb.Ticket_PHONE},
	}
	// What a fresh demo shows, and how far each has come.
	seedCalls = []struct {
		call
		reach reach
	}{
		{call{"非税缴款码无法生成", "执收单位开票时提示缴款码服务超时，窗口改为手工登记。", "业务事件", "非税收入收缴系统",
			"许晴", "区自然资源和规划局（执收单位）", "0571-85000019", 1, 2, deskpb.Ticket_PHONE}, atProvince},
		{call{"集中支付回单查询很慢", "查询当月回单超过一分钟，其他页面正常。", "系统管理", "国库集中支付系统",
			"高远", "区交通运输局（预算单位）", "0571-85000020", 2, 2, deskpb.Ticket_APPLICATION}, atCity},
		{call{"忘记登录密码", "新任会计忘记初始密码，已核对身份。", "用户处理", "预算一体化系统",
			"罗兰", "区文化和旅游局（预算单位）", "0571-85000021", 3, 3, deskpb.Ticket_PHONE}, solved},
		{call{"希望增加按科目汇总的查询", "月底对账需要按经济科目汇总，目前只能逐条查询。", "新需求", "预算一体化系统",
			"何琳", "区审计局", "0571-85000018", 3, 3, deskpb.Ticket_PORTAL}, taken},
		{call{"凌晨备份任务失败", "监控告警：数据库备份任务 02:00 失败，磁盘空间不足。", "系统管理", "预算一体化系统",
			"监控平台", "区财政局信息中心", "", 2, 2, deskpb.Ticket_MONITORING}, started},
	}
)

// seed makes sample people at every site and sample tickets at the county. Running it again changes nothing.
func (d *Demo) seed(ctx context.Context) error {
	for _, s := range d.sites {
		for _, p := range staff[s.Tier] {
			_, err := s.desk.Users.CreateUser(ctx, &apipb.CreateUserRequest{
				User: &apipb.User{Name: p.name, DisplayName: p.display, Role: p.role}, Password: d.password,
			})
			if err != nil && status.Code(err) != codes.AlreadyExists {
				return fmt.Errorf("make the user %s at %s: %w", p.name, s.ID, err)
			}
		}
	}
	path, err := d.options.Tree.path()
	if err != nil {
		return err
	}
	for i, sample := range seedCalls {
		if err := d.seedTicket(ctx, path, sample.call, sample.reach, fmt.Sprintf("demo-seed-%d", i)); err != nil {
			return fmt.Errorf("the sample ticket %q: %w", sample.title, err)
		}
	}
	return nil
}

// seedTicket opens a sample ticket at the county and takes it as far as it should come. The request ids make a second
// run harmless; the courier does the hand-overs.
func (d *Demo) seedTicket(ctx context.Context, path [3]SiteSpec, c call, to reach, id string) error {
	county, city, province := d.site(path[0].ID), d.site(path[1].ID), d.site(path[2].ID)
	ticket, err := county.desk.Nodes[0].CreateTicket(ctx, &apipb.CreateTicketRequest{Ticket: c.ticket(), RequestId: id})
	if err != nil {
		return err
	}
	p := &play{Demo: d, county: county, city: city, province: province, quiet: true}
	if ticket.State != deskpb.Ticket_NEW || ticket.CustodianSite != county.ID || ticket.Line != deskpb.Ticket_FIRST {
		return nil // an earlier run has taken it on
	}
	number := ticket.Number
	up := func(from, to *site, reason string) func() error {
		return func() error {
			if err := p.escalate(ctx, from, number, reason); err != nil {
				return err
			}
			return p.arrives(ctx, to, number)
		}
	}
	start := func(s *site) func() error { return func() error { return p.start(ctx, s, number) } }
	steps := map[reach][]func() error{
		taken:   nil,
		started: {start(county)},
		solved: {start(county), func() error {
			return p.resolve(ctx, county, number, "核对身份后重置密码，报告人已登录。")
		}},
		atCity:     {up(county, city, "县级无法查看数据库负载"), start(city)},
		atProvince: {up(county, city, "全区执收单位受影响"), up(city, province, "缴款码服务由省级统一提供"), start(province)},
	}
	return inOrder(steps[to]...)
}
