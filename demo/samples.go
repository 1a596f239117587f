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
	seedCalls = []call{
		{"希望增加按科目汇总的查询", "月底对账需要按经济科目汇总，目前只能逐条查询。", "新需求", "预算一体化系统",
			"何琳", "区审计局", "0571-85000018", 3, 3, deskpb.Ticket_PORTAL},
		{"凌晨备份任务失败", "监控告警：数据库备份任务 02:00 失败，磁盘空间不足。", "系统管理", "预算一体化系统",
			"监控平台", "区财政局信息中心", "", 2, 2, deskpb.Ticket_MONITORING},
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
	county := d.site(path[0].ID)
	for i, c := range seedCalls {
		request := &apipb.CreateTicketRequest{Ticket: c.ticket(), RequestId: fmt.Sprintf("demo-seed-%d", i)}
		if _, err := county.desk.Nodes[0].CreateTicket(ctx, request); err != nil {
			return fmt.Errorf("open the sample ticket %q: %w", c.title, err)
		}
	}
	return nil
}
