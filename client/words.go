package client

import "maps"

// chineseNames are the enumerations' values in Chinese, by the message around the enumeration and the value's name. In
// English a value is shown by its own name.
func chineseNames() map[string]string {
	names := map[string]string{
		"Ticket.CALL":     "呼叫工单",
		"Ticket.INCIDENT": "事件工单",

		"Ticket.NEW":         "新建",
		"Ticket.ASSIGNED":    "已派单",
		"Ticket.IN_PROGRESS": "处理中",
		"Ticket.ON_HOLD":     "挂起",
		"Ticket.RESOLVED":    "已解决",
		"Ticket.CLOSED":      "已办结",
		"Ticket.CANCELED":    "已撤单",

		"Ticket.PHONE":       "电话",
		"Ticket.PORTAL":      "运维网站",
		"Ticket.APPLICATION": "应用内上报",
		"Ticket.EMAIL":       "邮件",
		"Ticket.MONITORING":  "监控告警",
		"Ticket.WALK_IN":     "现场来访",

		"Ticket.FIRST":  "一线",
		"Ticket.SECOND": "二线",
		"Ticket.THIRD":  "三线",

		"Queue.MINE":       "我的工单",
		"Queue.GROUP":      "组内",
		"Queue.UNASSIGNED": "未分派",
		"Queue.DUE_SOON":   "即将超时",
		"Queue.OVERDUE":    "已超时",
		"Queue.ESCALATED":  "已升级",
		"Queue.WAITING":    "等待报告人",
		"Queue.IN_TRANSIT": "待上送与上送中",
		"Queue.CALL_BACKS": "待回访",
		"Queue.OPEN":       "本站点在办",

		"Handover.NONE":       "无",
		"Handover.QUEUED":     "待送出",
		"Handover.IN_TRANSIT": "途中",

		"Sla.RESPONSE":   "响应",
		"Sla.RESOLUTION": "解决",
		"Sla.UPDATE":     "进展通报",
		"Sla.ON_SITE":    "到场",
		"Sla.RUNNING":    "计时中",
		"Sla.PAUSED":     "已暂停",
		"Sla.MET":        "按时完成",
		"Sla.BREACHED":   "已超时",

		"Wish.WITHDRAW": "撤回",
		"Wish.CONFIRM":  "确认",
		"Wish.REOPEN":   "重开",
		"Wish.CANCEL":   "撤单",
		"Wish.PENDING":  "待答复",
		"Wish.GRANTED":  "已同意",
		"Wish.DECLINED": "未同意",
	}
	maps.Copy(names, chineseEventNames())
	maps.Copy(names, chineseRelationNames())
	maps.Copy(names, chineseAfterNames())
	maps.Copy(names, chineseSiteNames())
	maps.Copy(names, chinesePeopleNames())
	return names
}

// chineseEventNames are those of the steps of a ticket's journal.
func chineseEventNames() map[string]string {
	return map[string]string{
		"Event.OPENED":            "受理",
		"Event.ASSIGNED":          "派单",
		"Event.STARTED":           "开始处理",
		"Event.HELD":              "挂起",
		"Event.RESUMED":           "恢复",
		"Event.ESCALATION_QUEUED": "升级待上送",
		"Event.ESCALATED":         "升级",
		"Event.WITHDRAWN":         "撤回升级",
		"Event.RETURN_QUEUED":     "待退回",
		"Event.RETURNED":          "退回",
		"Event.DISPATCHED":        "送出",
		"Event.ACCEPTED":          "接收",
		"Event.REFUSED":           "拒收",
		"Event.CLASSIFIED":        "分类",
		"Event.RESOLVED":          "解决",
		"Event.CONFIRMED":         "确认",
		"Event.CLAIMED":           "认领",
		"Event.DECLINED":          "拒单",
		"Event.REMINDED":          "提醒",
		"Event.CLOSED":            "办结",
		"Event.REOPENED":          "重开",
		"Event.CANCELED":          "撤单",
		"Event.WISH_SETTLED":      "答复请求",
		"Event.RECLAIMED":         "强制接管",
		"Event.RELOCATION_QUEUED": "机构调整待移交",
		"Event.CLOCK_PASSED":      "时限提醒",
		"Event.ARRIVED":           "到场",
		"Event.CHECKED":           "检查",
		"Event.RESPONDED":         "首次答复",
		"Event.NOTED":             "备注",
		"Event.REPLIED":           "回复",
		"Event.URGED":             "催办",
		"Event.ALERTED":           "重大故障通报",
		"Event.ATTACHED":          "添加附件",
		"Event.RELEASED":          "确认被接管",
		"Event.WISHED":            "请求",
	}
}

// chineseRelationNames are those of tasks and of links between tickets.
func chineseRelationNames() map[string]string {
	return map[string]string{
		"Task.WORK":     "子任务",
		"Task.COSIGN":   "会签",
		"Task.APPROVAL": "审批",
		"Task.OPEN":     "进行中",
		"Task.DONE":     "已完成",
		"Task.REJECTED": "未通过",
		"Task.CANCELED": "已取消",

		"Signer.PENDING": "待签",
		"Signer.AGREED":  "同意",
		"Signer.REFUSED": "不同意",

		"Event.TASK_ADDED":   "添加任务",
		"Event.TASK_CHANGED": "任务变更",
		"Event.REVIEWED":     "复盘",
		"Event.MERGED":       "合并",
		"Event.LINKED":       "关联",

		"Wish.RESOLVE": "随父工单解决",

		"TicketLink.RELATED":       "相关",
		"TicketLink.CHILD_OF":      "父工单",
		"TicketLink.PARENT_OF":     "子工单",
		"TicketLink.CAUSED_BY":     "起因",
		"TicketLink.CAUSE_OF":      "导致",
		"TicketLink.DUPLICATE_OF":  "重复于",
		"TicketLink.DUPLICATED_BY": "被重复",
		"TicketLink.FOLLOWS":       "后续自",
		"TicketLink.FOLLOWED_BY":   "后续为",
		"TicketLink.SPLIT_FROM":    "拆分自",
		"TicketLink.SPLIT_INTO":    "拆分出",
	}
}

// chineseSiteNames are those of sites, nodes, links and people.
func chineseSiteNames() map[string]string {
	return map[string]string{
		"Site.COUNTY":   "县级",
		"Site.CITY":     "市级",
		"Site.PROVINCE": "省级",

		"Node.LEADER":   "主节点",
		"Node.FOLLOWER": "从节点",
		"Node.LEARNER":  "追赶中",

		"Check.OK":      "正常",
		"Check.WARNING": "警告",
		"Check.FAILED":  "故障",

		"LinkStatus.PARENT":      "上级",
		"LinkStatus.CHILD":       "下级",
		"LinkStatus.UP":          "连通",
		"LinkStatus.DOWN":        "中断",
		"LinkStatus.CATCHING_UP": "追赶中",

		"Delivery.PENDING":   "待送达",
		"Delivery.OUTDATED":  "旧版本",
		"Delivery.DELIVERED": "已送达",

		"Place.PLACED":    "已就位",
		"Place.LEAVING":   "移交中",
		"Place.FOLLOWING": "切换中",
		"Place.CLOSING":   "撤并中",
		"Place.CLOSED":    "已撤并",
	}
}

// chinesePeopleNames are those of accounts.
func chinesePeopleNames() map[string]string {
	return map[string]string{
		"User.REQUESTER":        "报告人",
		"User.AGENT":            "服务台人员",
		"User.DISPATCHER":       "派单岗",
		"User.INCIDENT_MANAGER": "事件经理",
		"User.LEADER":           "领导",
		"User.ADMINISTRATOR":    "系统管理员",
		"User.AUDITOR":          "审计",

		"User.OWN":     "本人",
		"User.GROUPS":  "本组",
		"User.SITE":    "本站点",
		"User.SUBTREE": "本级及下级",

		"User.LOCAL": "本地",
		"User.LDAP":  "目录服务",
		"User.OIDC":  "统一认证",

		"User.FIRST":  "一线",
		"User.SECOND": "二线",
		"User.THIRD":  "三线",
	}
}
