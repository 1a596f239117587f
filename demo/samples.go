package demo

import "github.com/tierdesk/tierdesk/desk/deskpb"

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

// Samples of a county's day in a province-wide finance system: what the main job is played on.
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
	}
	signatureCall = call{"签章控件无法加载", "升级浏览器后签章控件不加载，支付令无法签发。", "操作事件", "国库集中支付系统",
		"吴涛", "区人力资源和社会保障局", "0571-85000016", 2, 2, deskpb.Ticket_PHONE}
	correctionCall = call{"发票金额录入错误，申请更正", "金额多录一个零，已与单位核对原始凭证。", "数据问题/数据更正", "国库集中支付系统",
		"郑爽", "区民政局（预算单位）", "0571-85000017", 3, 2, deskpb.Ticket_PORTAL}
	outageCall = call{"非税收缴全区中断", "全区执收单位均无法开票缴款，窗口改为手工登记。", "系统管理/服务器", "非税收入收缴系统",
		"何琳", "区财政局信息中心", "0571-85000018", 1, 1, deskpb.Ticket_PHONE}
	outageParts = []call{
		{"缴款码打不开", "办事大厅缴款码页面一直转圈。", "业务事件", "非税收入收缴系统",
			"徐斌", "区行政服务中心（执收单位）", "0571-85000022", 2, 1, deskpb.Ticket_PHONE},
		{"开票提示服务不可用", "开票时提示服务不可用，三个窗口停办。", "业务事件", "非税收入收缴系统",
			"许晴", "区自然资源和规划局（执收单位）", "0571-85000019", 2, 1, deskpb.Ticket_WALK_IN},
	}
	repeatCall = call{"缴款码页面转圈", "同一大厅另一窗口，缴款码页面也一直转圈。", "业务事件", "非税收入收缴系统",
		"徐斌", "区行政服务中心（执收单位）", "0571-85000022", 2, 1, deskpb.Ticket_PHONE}
)

// Samples that their requester opens: impact and channel follow from that.
var (
	wishCall = call{title: "希望增加按科目汇总的查询", description: "月底对账需要按经济科目汇总，目前只能逐条查询。", category: "新需求", application: "预算一体化系统",
		requester: "刘洋", unit: "区财政局预算科", phone: "0571-85000012", urgency: 3}
	sheetCall = call{title: "预算调剂单打不开", description: "点开调剂单后一直空白，换一台电脑也是。", category: "操作事件", application: "预算一体化系统",
		requester: "刘洋", unit: "区财政局预算科", phone: "0571-85000012", urgency: 2}
)

// correction is a call with the special fields that its category asks for.
func correction() *deskpb.Ticket {
	ticket := correctionCall.ticket()
	ticket.Fields = map[string]string{"单据号": "ZF-2026-118", "更正方式": "后台更正"}
	return ticket
}
