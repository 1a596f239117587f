package tiers

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"

	"google.golang.org/protobuf/encoding/prototext"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// simHandling is what people do to tickets that moves them on their way, the likely verbs several times. In all verbs $other
// stands for the number of another ticket and $n for 1, 2 or 3.
var simHandling = []string{
	`escalate { reason: "县级无法处理" }`,
	`escalate { reason: "市级无法处理" }`,
	`escalate { reason: "需要省级支持" }`,
	`escalate {}`,
	`escalate {}`,
	`resolve { resolution { code: "solved" text: "已重启服务" } }`,
	`resolve { resolution { code: "bug-fixed" text: "已更新程序" root_cause: "内存泄漏" } }`,
	`resolve { resolution { code: "guided" text: "已指导用户" } }`,
	`note { text: "现场查看" }`,
	`assign { assignee: "zhao" }`,
	`start {}`,
	`hold { reason: "waiting-vendor" }`,
	`resume {}`,
	`reply { text: "已收到" }`,
	`urge { reason: "着急" }`,
	`withdraw { reason: "已解决" }`,
	`return { reason: "请本地处理" }`,
	`confirm {}`,
	`confirm { satisfaction { score: $n comment: "一般" } }`,
	`close { comment: "超期" }`,
	`reopen { reason: "又坏了" }`,
	`cancel { reason: "误报" }`,
}

// simOrganising is what people do to tickets beside that.
var simOrganising = []string{
	`classify { fields: ["impact", "urgency"] ticket { impact: $n urgency: $n } reason: "影响面变了" }`,
	`classify { fields: "severity" ticket { severity: $n } }`,
	`classify { fields: ["category", "title"] ticket { category: "业务事件" title: "政策咨询 $n" } }`,
	`classify { fields: ["major", "coordinator"] ticket { major: true coordinator: "li" } reason: "多个县报告" }`,
	`classify { fields: "visit" ticket { visit: true } }`,
	`claim {}`,
	`claim {}`,
	`decline { reason: "不在班" }`,
	`transfer { assignee: "wang" reason: "换班" }`,
	`transfer { group: "二线" reason: "归二线" }`,
	`hold { reason: "waiting-requester" comment: "等截图" }`,
	`reply { text: "截图已发" from_requester: true }`,
	`arrive { comment: "到机房" }`,
	`add_task { task { kind: WORK title: "换网线 $n" group: "一线" mandatory: true } }`,
	`add_task { task { kind: COSIGN title: "会签 $n" signers { user: "li" } signers { user: "zhao" } signers { user: "wang" } quorum: $n ordered: true } }`,
	`add_task { task { kind: APPROVAL title: "审批" assignee: "li" mandatory: true } }`,
	`change_task { task: 1 action: FINISH result: "完成" }`,
	`change_task { task: 1 action: AGREE result: "同意" }`,
	`change_task { task: $n action: AGREE }`,
	`change_task { task: $n action: REFUSE result: "不同意" }`,
	`change_task { task: $n action: CANCEL }`,
	`check_item { item: $n done: true result: "正常" }`,
	`check_item { item: 0 done: true }`,
	`review { text: "复盘: 增加冗余" }`,
	`merge { into: "$other" reason: "同一故障" }`,
	`merge { into: "$other" reason: "同一故障" }`,
	`link_tickets { link { kind: RELATED number: "$other" } }`,
	`link_tickets { link { kind: RELATED number: "$other" } removed: true }`,
	`link_tickets { link { kind: CAUSED_BY number: "$other" } }`,
	`link_tickets { link { kind: CHILD_OF number: "$other" } }`,
	`link_tickets { link { kind: CHILD_OF number: "$other" } }`,
	`link_tickets { link { kind: PARENT_OF number: "$other" } }`,
	`link_tickets { link { kind: PARENT_OF number: "$other" } removed: true }`,
	`attach { attachment { name: "现场$n.txt" size: 12 media_type: "text/plain; charset=utf-8" sha256: "$photo" } }`,
	`record_call_back { outcome: CONTENT comment: "满意" }`,
	`record_call_back { outcome: NOT_REACHED }`,
	`record_call_back { outcome: DISSATISFIED comment: "仍然很慢" }`,
	`rate { satisfaction { score: $n } }`,
	`rate { satisfaction { score: 5 comment: "很好" } }`,
	`run_macro { macro: "ask-requester" }`,
	`run_macro { macro: "password-reset" }`,
}

// simOpening is how people open tickets.
var simOpening = []string{
	`create { ticket { title: "打印机故障" requester { name: "王芳" } } }`,
	`create { ticket { title: "打印机故障" requester { name: "王芳" phone: "0571-8700 000$n" } application: "一卡通" } }`,
	`create { ticket { title: "网络中断" requester { name: "李强" } category: "系统管理/网络" impact: 1 urgency: 1 visit: true } }`,
	`create { ticket { title: "全市停电" requester { name: "李强" } category: "系统管理" impact: 1 urgency: 1 major: true coordinator: "li" } }`,
	`create { ticket { template: "level-1-fault" title: "核心交换机故障" requester { name: "周洋" } } }`,
	`create { ticket { title: "新报表" requester { name: "王芳" } category: "新需求" group: "二线" } }`,
	`create { ticket { title: "密码重置" requester { name: "孙丽" } category: "用户处理" assignee: "zhao" } }`,
	`create { ticket { title: "另一个问题" } origin { kind: SPLIT_FROM number: "$other" } }`,
	`create { ticket { title: "再次发生" } origin { kind: CAUSED_BY number: "$other" } }`,
}

// simPhoto is the content of all attachments, which every site has from the beginning.
const simPhoto = "现场照片"

// simCommand draws one of the verbs.
func simCommand(rng *rand.Rand, verbs []string, other string) (*deskpb.TicketCommand, error) {
	words := map[string]string{
		"other": other, "n": strconv.Itoa(1 + rng.IntN(3)), "photo": fmt.Sprintf("%x", sha256.Sum256([]byte(simPhoto))),
	}
	text := os.Expand(verbs[rng.IntN(len(verbs))], func(name string) string { return words[name] })
	command := &deskpb.TicketCommand{}
	if err := prototext.Unmarshal([]byte(text), command); err != nil {
		return nil, fmt.Errorf("read the verb %s: %w", text, err)
	}
	return command, nil
}
