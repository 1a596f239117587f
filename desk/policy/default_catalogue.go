package policy

import "github.com/tierdesk/tierdesk/desk/deskpb"

// defaultCategories are the seven of a power company's production system desk, some of them on two levels.
func defaultCategories() []*deskpb.Category {
	return []*deskpb.Category{
		{Name: "操作事件", Title: words("操作事件", "Operation")},
		{Name: "操作事件/打印报表", Title: words("打印报表", "Printing and reports")},
		{Name: "操作事件/登录密码", Title: words("登录密码", "Sign-in and passwords")},
		{Name: "业务事件", Title: words("业务事件", "Business")},
		{Name: "业务事件/政策咨询", Title: words("政策咨询", "Questions of policy")},
		{Name: "用户处理", Title: words("用户处理", "User handling")},
		{Name: "用户处理/账号权限", Title: words("账号权限", "Accounts and rights")},
		{Name: "系统管理", Title: words("系统管理", "System management")},
		{Name: "系统管理/网络", Title: words("网络", "Network")},
		{Name: "系统管理/服务器", Title: words("服务器", "Servers")},
		{Name: "系统管理/终端", Title: words("终端", "Desktops and devices")},
		{Name: "数据问题", Title: words("数据问题", "Data problem")},
		{Name: "数据问题/数据更正", Title: words("数据更正", "Correction of data")},
		{Name: "新需求", Title: words("新需求", "New requirement"), Impact: 3, Urgency: 3},
		{Name: "程序BUG", Title: words("程序BUG", "Program bug")},
	}
}

func defaultServices() []*deskpb.ServiceOffer {
	return []*deskpb.ServiceOffer{
		{Name: "account", Title: words("账号与权限", "Account and rights"), Category: "用户处理/账号权限", Description: "开通、变更、停用账号，调整权限"},
		{Name: "password", Title: words("密码重置", "Password reset"), Category: "操作事件/登录密码", Description: "忘记密码或账号被锁定"},
		{Name: "data-correction", Title: words("数据更正", "Correction of data"), Category: "数据问题/数据更正", Description: "更正录入错误的业务数据"},
		{Name: "desktop", Title: words("终端维修", "Desktop repair"), Category: "系统管理/终端", Description: "电脑、打印机等终端设备的维修"},
		{Name: "advice", Title: words("业务咨询", "Advice"), Category: "业务事件/政策咨询", Description: "业务和政策方面的咨询"},
	}
}

// defaultFaultLevels are those of the county scheme.
func defaultFaultLevels() []*deskpb.FaultLevel {
	return []*deskpb.FaultLevel{
		{Level: 1, Title: words("一级故障", "Level 1"), Description: words("业务中断", "The service is interrupted")},
		{Level: 2, Title: words("二级故障", "Level 2"), Description: words("业务能力下降", "The service is degraded")},
		{Level: 3, Title: words("三级故障", "Level 3"), Description: words("轻微故障，不影响业务", "Minor; the service goes on")},
	}
}

func defaultHoldReasons() []*deskpb.HoldReason {
	return []*deskpb.HoldReason{
		{Name: "waiting-requester", Title: words("等待报告人", "Waiting for the requester"), CommentRequired: true, Pauses: true, UntilReply: true},
		{Name: "waiting-vendor", Title: words("等待供应商", "Waiting for the vendor"), Pauses: true},
		{Name: "waiting-window", Title: words("等待变更窗口", "Waiting for a change window"), Pauses: true},
		{Name: "waiting-above", Title: words("等待上级", "Waiting for the office above")},
		{Name: "waiting-parts", Title: words("等待备件", "Waiting for spare parts")},
	}
}

func defaultResolutionCodes() []*deskpb.ResolutionCode {
	return []*deskpb.ResolutionCode{
		{Name: "solved", Title: words("已解决", "Solved")},
		{Name: "guided", Title: words("指导用户解决", "The user was guided")},
		{Name: "workaround", Title: words("临时措施恢复", "Workaround")},
		{Name: "configured", Title: words("调整配置", "Configuration was changed")},
		{Name: "data-corrected", Title: words("数据已更正", "Data were corrected")},
		{Name: "bug-fixed", Title: words("程序已修复", "The program was mended"), RootCauseRequired: true},
		{Name: "replaced", Title: words("更换硬件", "Hardware was replaced"), RootCauseRequired: true},
		{Name: "recovered", Title: words("自行恢复", "Recovered by itself")},
		{Name: "no-fault", Title: words("非故障", "No fault")},
		{Name: "not-reproducible", Title: words("无法重现", "Not reproducible")},
		{Name: Duplicate, Title: words("重复工单", "Duplicate")},
	}
}

func defaultChecklists() []*deskpb.Checklist {
	return []*deskpb.Checklist{
		{Name: "level-1-fault", Title: words("一级故障应急预案", "Emergency plan for level 1 faults"), Items: []*deskpb.ChecklistEntry{
			{Text: "确认故障范围，通知事件经理", Required: true},
			{Text: "通知受影响的单位，约定下次通报时间", Required: true},
			{Text: "检查最近的变更，必要时回退"},
			{Text: "检查网络、服务器、数据库和存储"},
			{Text: "启用备用系统或临时措施"},
			{Text: "确认业务恢复，与报告人核对", Required: true},
			{Text: "24 小时内提交故障报告"},
		}},
		{Name: "machine-room", Title: words("机房巡检", "Inspection of the machine room"), Items: []*deskpb.ChecklistEntry{
			{Text: "温度和湿度", Required: true},
			{Text: "供电和 UPS", Required: true},
			{Text: "空调和消防", Required: true},
			{Text: "设备指示灯和告警", Required: true},
			{Text: "备份结果", Required: true},
		}},
	}
}

func defaultTemplates() []*deskpb.Template {
	return []*deskpb.Template{
		{Name: "level-1-fault", Title: words("一级故障", "Level 1 fault"), Checklist: "level-1-fault",
			Ticket: &deskpb.Ticket{Kind: deskpb.Ticket_INCIDENT, Impact: 1, Urgency: 1, Severity: 1}},
		{Name: "password", Title: words("密码重置", "Password reset"),
			Ticket: &deskpb.Ticket{Title: "密码重置", Category: "操作事件/登录密码", Service: "password", Impact: 3, Urgency: 2}},
		{Name: "machine-room", Title: words("机房巡检", "Inspection of the machine room"), Checklist: "machine-room",
			Ticket: &deskpb.Ticket{Title: "机房巡检", Category: "系统管理/服务器", Impact: 3, Urgency: 3}},
	}
}

func defaultMacros() []*deskpb.Macro {
	return []*deskpb.Macro{
		{Name: "ask-requester", Title: words("请报告人补充材料", "Ask the requester for more"), Steps: []*deskpb.MacroStep{
			{Verb: "reply", Body: map[string]string{"text": "请补充故障窗口的截图、发生时间和操作步骤，我们收到后继续处理。"}},
			{Verb: "hold", Body: map[string]string{"reason": "waiting-requester", "comment": "等待报告人补充材料"}},
		}},
		{Name: "password-reset", Title: words("已重置密码", "Password was reset"), Steps: []*deskpb.MacroStep{
			{Verb: "reply", Body: map[string]string{"text": "密码已重置，请用初始密码登录后立即修改。"}},
			{Verb: "resolve", Body: map[string]string{"code": "solved", "text": "已重置密码"}},
		}},
	}
}
