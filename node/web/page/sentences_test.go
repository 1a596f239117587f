package page

import (
	"testing"
	"testing/fstest"
)

func knownSentences(t *testing.T) []sentence {
	t.Helper()
	known, err := readSentences(files, sentenceFiles()...)
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// plainly shows a name as it stands in the sentence, but for one site.
func plainly(value string) string {
	if value == "330100" {
		return "杭州市"
	}
	return value
}

func TestSentencesAreSaidInChinese(t *testing.T) {
	t.Parallel()
	known := knownSentences(t)
	for english, want := range map[string]string{
		"the log has 330100 entries and takes 3 MiB":                                                                                                                    "日志有 330100 条，占用 3 MiB",
		"the log has 120 entries and takes 3 MiB":                                                                                                                       "日志有 120 条，占用 3 MiB",
		"n1 leads and 2 of 3 voters answer, beside 1 without a vote: one more failure stops the site":                                                                   "n1 为主节点，3 个投票节点中有 2 个响应，另有 1 个无投票权节点：再有一个节点故障，站点将停止服务",
		"the line to the parent 330100 is down since 2026-11-22 10:32:00 (connection refused); 3 items wait for their acknowledgement":                                  "到上级杭州市的链路自 2026-11-22 10:32:00 起断开（connection refused）；3 项等待确认",
		"the node's certificate ends on 2026-12-01 00:00:00 UTC, in 8 days":                                                                                             "本节点的证书将于 2026-12-01 00:00:00 UTC 到期（还剩 8 天）",
		"the clock of this node and that of the parent 330100 differ by 5s: when the lead changes, tickets are stamped with another time":                               "本节点与上级杭州市的时钟相差 5s：主节点更换后，工单记录的时间会随之不同",
		"no room: node n1 has 12 MiB left in /var/lib/tierdesk; free some space there, and it goes on by itself from 512 MiB":                                           "磁盘空间不足：节点 n1 的 /var/lib/tierdesk 仅剩 12 MiB；请清理空间，达到 512 MiB 后自动恢复",
		`"25:00" is no time of day; write one such as 08:30`:                                                                                                            "“25:00”不是时刻；请写成 08:30 这样",
		"entry 7 is missing, which the checkpoint of 330106 by node n1 names":                                                                                           "缺少第 7 条，节点 n1 于 330106 签名的检查点指向它",
		"ticket 330106-20261122-0001 is RESOLVED; start is for tickets that are NEW or ASSIGNED":                                                                        "工单 330106-20261122-0001 当前为“已解决”，不能开始处理；可开始处理的状态：新建、已派单",
		"ticket 330106-20261122-0001 is held by 330100; ask there, or leave a note, a reply or an urge here":                                                            "工单 330106-20261122-0001 现由杭州市处理；本站点可以备注、回复、催办，其他操作请联系杭州市",
		`user "li" has the role AGENT, and user.list is for ADMINISTRATOR, AUDITOR only; ask one of them`:                                                               "您的角色是服务台人员，没有权限进行此操作；有此权限的是：系统管理员、审计",
		`ticket 330106-20261122-0001 is not resolved while mandatory tasks are open: task 1 "会签", task 2 "换盘"; finish or cancel them`:                                   "工单 330106-20261122-0001 还有必做任务没有结束：任务 1“会签”、任务 2“换盘”；完成或取消后才能解决",
		`ticket 7 needs approval before escalate: task 3 "分管领导" by li, wang; wait for it, then repeat this`:                                                             "工单 7 须经审批才能升级：任务 3“分管领导”（审批人 li, wang）；请等待审批通过后再操作",
		`ticket 7 needs approval before escalate: task 3 "分管领导" by li; task 4 "信息中心" by wang, zhao; wait for it, then repeat this`:                                      "工单 7 须经审批才能升级：任务 3“分管领导”（审批人 li）；任务 4“信息中心”（审批人 wang, zhao）；请等待审批通过后再操作",
		`ticket 7 needs approval before escalate: task 3 "分管; 领导" by li; wait for it, then repeat this`:                                                                 "工单 7 须经审批才能升级：任务 3“分管; 领导”（审批人 li）；请等待审批通过后再操作",
		`ticket 7 needs approval before escalate: task 3 "分管; 领导" by li; task 4 "信息, \"中心\"" by wang; wait for it, then repeat this`:                                    "工单 7 须经审批才能升级：任务 3“分管; 领导”（审批人 li）；任务 4“信息, \"中心\"”（审批人 wang）；请等待审批通过后再操作",
		`ticket 7 is not resolved while mandatory tasks are open: task 1 "会签, 盖章", task 2 "换; 盘"; finish or cancel them`:                                                "工单 7 还有必做任务没有结束：任务 1“会签, 盖章”、任务 2“换; 盘”；完成或取消后才能解决",
		`macro "重启", step 2 (note): text: it is empty; give one`:                                                                                                        "宏“重启”第 2 步（备注）：内容：请填写此项",
		`"浙江" is none of ["杭州" "宁波, 温州"]`:                                                                                                                               "“浙江”不在可选项中；可选：“杭州”、“宁波, 温州”",
		"ticket 7 cannot be taken by 330100, which is not on its path [330106 330100] as far as is known":                                                               "杭州市不在工单 7 的路径（330106、杭州市）上，不能接管",
		`"BLUE" is not a state; known are NEW, CLOSED`:                                                                                                                  "“BLUE”不是 state 的值；可用：NEW, CLOSED",
		`call 330100 at 10.0.0.1:7000: dial tcp 10.0.0.1:7000: connect: connection refused`:                                                                             "连接杭州市（10.0.0.1:7000）：10.0.0.1:7000 拒绝连接，对方节点可能没有运行",
		"refused by the other end: two copies of 330100 run, and the other one's link lives; stop one of them, or run tierdesk site recover on the one that shall live": "对方拒绝：杭州市有两份在运行，另一份的链路畅通；请停止其中一份，或在要保留的一份上运行 tierdesk site recover",
		"something that nobody has put into Chinese":                                                                                                                    "something that nobody has put into Chinese",
		"": "",
	} {
		if got, _ := (interpreter{known, plainly}).say(english); got != want {
			t.Errorf("%q is said as\n%s, want\n%s", english, got, want)
		}
	}
}

func TestASentenceThatFitsEverythingIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"fits everything": `sentences: {"%s": "{1}"}`, "has no place for what it names": `parts: {"it is empty": "{1} 为空"}`, "is no map": `[1]`,
		"says one twice": `{sentences: {"it is %s": "是 {1}", "it is %v": "为 {1}"}}`} {
		if known, err := readSentences(fstest.MapFS{"s.yaml": {Data: []byte(text)}}, "s.yaml"); err == nil {
			t.Errorf("a file that %s is read as %v", name, known)
		}
	}
}
