package tiers

import (
	"slices"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// paragraphs are ten journal entries as desks write them, of 300 characters each.
func paragraphs() []string {
	const words = `接到用户来电反映，办税服务厅三号窗口的打印机自今天上午九时起无法打印完税凭证，提示打印队列已满。已远程登录该终端检查，打印服务处于停止状态，手动启动后约两分钟再次自行停止，系统日志记录驱动程序异常退出，错误代码为一零六八。已尝试卸载并重新安装驱动，现象依旧。同一网段的四号、五号窗口使用相同型号的设备，工作正常，因此初步排除打印服务器和网络的原因。用户业务受到影响，每小时约有四十位纳税人需要改到其他窗口办理，现场秩序正常，暂无投诉。` +
		`现场工程师十时二十分到达，更换数据线后仍不能打印，使用备用终端连接同一台打印机可以正常出纸，说明打印机本身没有故障。随后对原终端进行病毒查杀，未发现异常；检查补丁更新记录，发现昨天夜间自动安装了两个安全补丁，其中一个涉及后台打印服务。卸载该补丁并重启终端之后，连续打印二十份凭证全部成功。考虑到全市共有一百三十余台终端使用同样的镜像，可能在今晚批量更新后出现同样的问题，建议市级统一评估该补丁并暂停推送。` +
		`市级二线已受理，经与厂商技术支持电话会议确认，该补丁与税务专用套打组件三点二版存在兼容性问题，厂商承诺本周五之前提供修订版本。在此之前采取临时措施：一是在补丁管理平台上将其设置为拒绝安装；二是对已经安装的终端下发卸载脚本，脚本执行完成后自动重启打印服务，不需要重新开机；三是各县区服务台在每天早上八时半之前抽查两台终端并登记结果。目前已有九个县区完成卸载，剩余两个县区因专线中断暂时无法下发，待线路恢复后自动执行。` +
		`今天下午复核了套打模板的边距设置，发现部分凭证右侧的二维码被截断，扫描枪识别率下降到七成左右。经比对，是更换驱动之后默认纸张由自定义尺寸变成了信纸尺寸造成的，与补丁无关。已将正确的纸张定义写入组策略，并把操作步骤整理成知识条目，附有截图和常见问题，供一线坐席参考。另外提醒窗口人员，若再次出现队列堵塞，请先不要反复点击打印按钮，以免产生重复凭证，应当立即联系服务台，由坐席远程清空队列并核对已经出票的号码，确认没有跳号以后再继续办理业务。` +
		`厂商修订版补丁已经收到，先在测试环境安装了五台终端，连续观察四十八小时，累计打印凭证一千二百余份，未再出现服务停止的情况，套打位置和二维码识别也全部正常。经变更评审会同意，定于本周六晚上十点开始分三批向全市推送，每批间隔一小时，由值班经理现场盯守，出现两台以上异常即停止推送并回退。推送结果将在周日上午九点前反馈到本工单，请各县区安排好周末的值班人员，保持电话畅通，备用打印机提前加电自检，耗材按照三天的用量准备充足。` +
		`推送已经按计划完成，三批共计一百三十四台终端，成功一百三十一台，失败三台，失败的原因是磁盘剩余空间不足，已由当地工程师清理临时文件之后手工安装成功。周一上午开门以后重点监控了业务高峰时段，打印成功率为百分之九十九点八，平均出票时间三点一秒，比故障以前还略有缩短。回访了最初报修的三号窗口人员，对方表示设备使用正常，对处理过程感到满意，同时建议以后安装补丁之前能够提前通知窗口，以便合理安排业务。该建议已经转交变更管理流程，作为改进事项跟踪。`
	// Read backwards, the words are as many again of the same language that no earlier one gives away.
	text, back := []rune(words), []rune(words)
	slices.Reverse(back)
	text = append(text, back...)
	var out []string
	for i := range 10 {
		at := i * (len(text) - 300) / 9
		out = append(out, string(text[at:at+300]))
	}
	return out
}

// A ticket that is opened in a county, escalated, written about, resolved in the city, confirmed at home and closed costs
// the line between them no more than a short letter.
func TestOneTicketCostsTheLineLittle(t *testing.T) {
	const reach = 16 << 10 // bytes
	middle := newNode(t, city, newOffice(t, city, wall))
	bottom := newNode(t, county, newOffice(t, county, wall), middle.address)
	eventually(t, "the link is up", func() bool { return bottom.state(middle.id) == Up && middle.state(bottom.id) == Up })
	agree(t, nil, bottom, middle)
	before, began := bottom.line.traffic.Load(), time.Now()

	number := bottom.open(t, "三号窗口打印机无法打印完税凭证")
	bottom.must(t, number, escalate())
	eventually(t, "the city holds the ticket", func() bool { return holder(middle.office, number) == "330100" })
	for i, text := range paragraphs() {
		from := []*node{bottom, middle}[i%2]
		from.must(t, number, note(text))
		agree(t, []string{number}, bottom, middle)
	}
	middle.must(t, number, resolve())
	eventually(t, "the county has it back", func() bool { return holder(bottom.office, number) == "330106" })
	bottom.must(t, number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Confirm{Confirm: &deskpb.Confirm{}}})
	agree(t, []string{number}, bottom, middle)

	cost := bottom.line.traffic.Load() - before
	raw := 0
	for _, e := range bottom.journal(number) {
		raw += len(e.Raw)
	}
	t.Logf("%d bytes in %s, for %d events of %d bytes", cost, time.Since(began).Round(time.Millisecond), len(bottom.journal(number)), raw)
	if cost > reach {
		t.Errorf("one ticket cost %d bytes on the line, want at most %d", cost, reach)
	}
}
