package node

// Steps that bring a ticket to where many verbs are possible.
var (
	claimed  = step{"claim", map[string]any{}}
	resolved = step{"resolve", map[string]any{"resolution": map[string]any{"code": "solved", "text": "重启缴款码服务。"}}}
)

// needsReason is how a form is refused that needs a reason.
var needsReason = []wrongInput{{field: "reason"}, {field: "reason", value: tooLong}}

// stale is how a form is refused that was made before the ticket changed.
var stale = []wrongInput{{field: "etag", value: "before", beside: "form"}}

// verbTrials try every verb that the console offers.
var verbTrials = []verbTrial{
	{verb: "claim", wrong: stale, effect: map[string]string{"state": "ASSIGNED", "assignee": "li"}},
	{verb: "start", before: []step{claimed}, wrong: stale, effect: map[string]string{"state": "IN_PROGRESS"}},
	{verb: "resume", before: []step{claimed, {"hold", map[string]any{"reason": "waiting-vendor"}}},
		fill:  map[string]string{"comment": "厂商已回复"},
		wrong: []wrongInput{{field: "comment", value: tooLong}}, effect: map[string]string{"state": "IN_PROGRESS", "journal": "厂商已回复"}},
	{verb: "resolve", before: []step{claimed},
		fill: map[string]string{"resolution.code": "solved", "resolution.text": "重启缴款码服务。", "resolution.rootCause": "连接池耗尽"},
		wrong: []wrongInput{
			{field: "resolution.text"}, {field: "resolution.text", value: tooLong}, {field: "resolution.rootCause", value: tooLong},
		},
		effect: map[string]string{"state": "RESOLVED", "resolution.code": "solved", "resolution.text": "重启缴款码服务。", "resolution.rootCause": "连接池耗尽"}},
	{verb: "resolve", name: "resolve, where the code asks for the root cause", before: []step{claimed},
		fill:   map[string]string{"resolution.code": "bug-fixed", "resolution.text": "程序已升级。", "resolution.rootCause": "空指针"},
		wrong:  []wrongInput{{field: "resolution.rootCause"}},
		effect: map[string]string{"resolution.code": "bug-fixed"}},
	{verb: "confirm", before: []step{claimed, resolved},
		fill:   map[string]string{"satisfaction.score": "5", "satisfaction.comment": "很快"},
		wrong:  []wrongInput{{field: "satisfaction.comment", value: tooLong}},
		effect: map[string]string{"state": "CLOSED", "satisfaction.score": "5", "satisfaction.comment": "很快"}},
	{verb: "close", before: []step{claimed, resolved}, fill: map[string]string{"comment": "电话确认"},
		wrong: []wrongInput{{field: "comment", value: tooLong}}, effect: map[string]string{"state": "CLOSED", "journal": "电话确认"}},
	{verb: "hold", before: []step{claimed}, fill: map[string]string{"reason": "waiting-requester", "comment": "等截图"},
		wrong: []wrongInput{{field: "reason"}, {field: "comment"}}, effect: map[string]string{"state": "ON_HOLD", "holdReason": "waiting-requester"}},
	{verb: "arrive", ticket: map[string]any{"visit": true}, before: []step{claimed}, fill: map[string]string{"comment": "已到机房"},
		wrong: []wrongInput{{field: "comment", value: tooLong}}, effect: map[string]string{"journal": "已到机房"}},
	{verb: "escalate", fill: map[string]string{"reason": "全区执收单位受影响"}, wrong: needsReason, effect: map[string]string{"journal": "全区执收单位受影响"}},
	{verb: "assign", fill: map[string]string{"assignee": "zhang", "group": "值班组", "reason": "熟悉此系统"},
		wrong:  []wrongInput{{field: "reason", value: tooLong}},
		effect: map[string]string{"assignee": "zhang", "group": "值班组", "state": "ASSIGNED", "journal": "熟悉此系统"}},
	{verb: "transfer", before: []step{claimed}, fill: map[string]string{"assignee": "zhang", "reason": "李强 外出"},
		wrong: needsReason, effect: map[string]string{"assignee": "zhang", "journal": "李强 外出"}},
	{verb: "decline", before: []step{{"assign", map[string]any{"assignee": "li"}}}, fill: map[string]string{"reason": "不属于本组"},
		wrong: needsReason, effect: map[string]string{"assignee": "", "journal": "不属于本组"}},
	{verb: "return", city: true, fill: map[string]string{"reason": "请补充截图后再升级"}, wrong: needsReason,
		effect: map[string]string{"journal": "请补充截图后再升级"}},
	{verb: "withdraw", city: true, before: []step{{"escalate", map[string]any{"reason": "平台故障"}}}, fill: map[string]string{"reason": "已自行恢复"},
		wrong: []wrongInput{{field: "reason", value: tooLong}}, effect: map[string]string{"handover.state": "NONE", "journal": "已自行恢复"}},
	{verb: "urge", fill: map[string]string{"reason": "窗口排队"}, wrong: []wrongInput{{field: "reason", value: tooLong}},
		effect: map[string]string{"urgeCount": "1", "journal": "窗口排队"}},
	{verb: "classify", fill: map[string]string{
		"ticket.title": "缴款码服务超时", "ticket.category": "系统管理/网络", "ticket.impact": "1", "ticket.tags": "缴款码，超时", "reason": "核实后",
	}, wrong: []wrongInput{
		{field: "ticket.title"}, {field: "ticket.impact"},
		{field: "ticket.requester.phone", value: tooLong}, {field: "ticket.application", value: tooLong},
		{field: "ticket.tags", value: tooLong}, {field: "reason", value: tooLong},
	}, effect: map[string]string{"title": "缴款码服务超时", "category": "系统管理/网络", "impact": "1", "tags.1": "超时", "journal": "核实后"}},
	{verb: "classify", name: "classify, in a category with a field of its own",
		ticket: map[string]any{"category": "数据问题/数据更正", "fields": map[string]any{"单据号": "ZF-2026-118"}},
		fill:   map[string]string{"ticket.fields.单据号": "ZF-2026-119"}, wrong: []wrongInput{{field: "ticket.fields.单据号"}},
		effect: map[string]string{"fields.单据号": "ZF-2026-119"}},
	{verb: "addTask", fill: map[string]string{"task.kind": "WORK", "task.title": "检查交换机", "task.assignee": "张敏", "task.mandatory": "1"},
		wrong:  []wrongInput{{field: "task.kind"}, {field: "task.title"}, {field: "task.assignee", value: "王无此人"}},
		effect: map[string]string{"tasks.0.title": "检查交换机", "tasks.0.assignee": "zhang", "tasks.0.mandatory": "true"}},
	{verb: "addTask", name: "addTask, for several to sign", fill: map[string]string{"task.kind": "COSIGN", "task.title": "更正会签", "task.signers": "李强\n张敏"},
		wrong:  []wrongInput{{field: "task.signers"}, {field: "task.signers", value: "李强\n李强"}, {field: "task.signers", value: "李强\n王无此人"}},
		effect: map[string]string{"tasks.0.kind": "COSIGN", "tasks.0.signers.1.user": "zhang"}},
	{verb: "link", fill: map[string]string{"kind": "RELATED", "other": "OTHER"},
		wrong:  []wrongInput{{field: "kind"}, {field: "other"}, {field: "other", value: "SAME"}, {field: "other", value: "330106-20200101-0001"}},
		effect: map[string]string{"links.0.kind": "RELATED"}},
	{verb: "split", fill: map[string]string{"title": "另有打印问题", "description": "票据打印错位"},
		wrong: []wrongInput{{field: "title"}, {field: "description", value: tooLong}}, effect: map[string]string{"links.0.kind": "SPLIT_INTO"}},
	{verb: "merge", fill: map[string]string{"into": "OTHER", "reason": "同一问题"},
		wrong: []wrongInput{
			{field: "into"}, {field: "into", value: "SAME"}, {field: "into", value: "330106-20200101-0001"}, {field: "reason", value: tooLong},
		}, effect: map[string]string{"state": "CLOSED", "resolution.code": "duplicate", "journal": "同一问题"}},
	{verb: "changeTask", before: []step{{"addTask", map[string]any{"task": map[string]any{"kind": "WORK", "title": "检查交换机"}}}},
		asks: "task=1", fill: map[string]string{"action": "FINISH", "result": "端口已更换"},
		wrong:  []wrongInput{{field: "action"}, {field: "result", value: tooLong}, {field: "task", value: "99", beside: "form"}},
		effect: map[string]string{"tasks.0.state": "DONE", "tasks.0.result": "端口已更换"}},
	{verb: "check", ticket: map[string]any{"template": "machine-room"}, asks: "item=1", fill: map[string]string{"done": "1", "result": "市电正常"},
		wrong:  []wrongInput{{field: "item", value: "99", beside: "form"}, {field: "result", value: tooLong}},
		effect: map[string]string{"checklist.1.done": "true", "checklist.1.result": "市电正常"}},
	{verb: "reply", fill: map[string]string{"text": "请重启客户端再试。"}, wrong: []wrongInput{{field: "text"}, {field: "text", value: tooLong}},
		effect: map[string]string{"journal": "请重启客户端再试。"}},
	{verb: "note", fill: map[string]string{"text": "已联系厂商。"}, wrong: []wrongInput{{field: "text"}, {field: "text", value: tooLong}},
		effect: map[string]string{"journal": "已联系厂商。"}},
	{verb: "macro", before: []step{claimed}, fill: map[string]string{"macro": "ask-requester"}, wrong: []wrongInput{{field: "macro"}},
		effect: map[string]string{"state": "ON_HOLD", "holdReason": "waiting-requester", "journal": "请补充故障窗口的截图"}},
	{verb: "callBack", before: []step{claimed, resolved}, fill: map[string]string{"outcome": "CONTENT", "satisfaction.score": "5", "comment": "已恢复"},
		wrong: []wrongInput{
			{field: "outcome"}, {field: "comment", value: tooLong}, {field: "outcome", value: "NOT_REACHED", beside: "satisfaction.score"},
		}, effect: map[string]string{"callBack.done": "true", "satisfaction.score": "5"}},
	{verb: "rate", before: []step{claimed, resolved}, fill: map[string]string{"satisfaction.score": "4", "satisfaction.comment": "不错"},
		wrong:  []wrongInput{{field: "satisfaction.score"}, {field: "satisfaction.comment", value: tooLong}},
		effect: map[string]string{"satisfaction.score": "4", "satisfaction.comment": "不错"}},
	{verb: "review", ticket: map[string]any{"major": true}, before: []step{claimed, resolved}, fill: map[string]string{"text": "连接池上限过低。"},
		wrong: []wrongInput{{field: "text"}, {field: "text", value: tooLong}}, effect: map[string]string{"review": "连接池上限过低。"}},
	{verb: "reopen", before: []step{claimed, resolved}, fill: map[string]string{"reason": "又出现了"}, wrong: needsReason,
		effect: map[string]string{"reopenCount": "1", "journal": "又出现了"}},
	{verb: "cancel", fill: map[string]string{"reason": "误报"}, wrong: needsReason, effect: map[string]string{"state": "CANCELED", "journal": "误报"}},
}
