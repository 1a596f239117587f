package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// at0900 is 09:00 and some minutes in the shells' zone.
func at0900(minutes int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2026, 11, 21, 1, minutes, 0, 0, time.UTC))
}

// escalated is a ticket on its way from the city to the province.
func escalated() *deskpb.Ticket {
	return &deskpb.Ticket{
		Number: number, Kind: deskpb.Ticket_INCIDENT, State: deskpb.Ticket_ON_HOLD, HoldReason: "待厂商",
		Title: "综合平台无法登录", Description: "全单位都无法登录。\n重启后仍然如此。", Category: "业务事件", Application: "综合平台",
		ApplicationVersion: "3.2", Tags: []string{"登录", "全网"},
		Requester: &deskpb.Requester{Name: "王芳", Unit: "西湖区", Phone: "0571"}, Channel: deskpb.Ticket_PHONE,
		Impact: 1, Urgency: 2, Priority: 2, Severity: 1, Major: true,
		HomeSite: "330106", CustodianSite: "330000", CustodyTerm: 3, Line: deskpb.Ticket_SECOND,
		Handover: &deskpb.Handover{State: deskpb.Handover_IN_TRANSIT, ToSite: "330000", Reason: "需要补丁"},
		Assignee: "li", Group: "应用组", OpenTime: at0900(0), UpdateTime: at0900(5), UrgeCount: 1, Etag: "e3",
		Service: "account", Fields: map[string]string{"单据号": "7", "原因": "接口"}, Paused: map[string]int64{"待厂商": 90},
		AcceptTimeLimit: at0900(10), ArriveTime: at0900(4),
		Sla: []*deskpb.Sla{{Metric: deskpb.Sla_RESOLUTION, Tier: "COUNTY", State: deskpb.Sla_RUNNING, DueTime: at0900(59)}},
		Wishes: []*deskpb.Wish{{Kind: deskpb.Wish_CANCEL, State: deskpb.Wish_DECLINED, Site: "330106", Actor: "wang",
			Text: "不用了", Answer: "已派人", Time: at0900(6)}},
	}
}

func escalatedJournal() []*apipb.JournalEntry {
	return []*apipb.JournalEntry{
		{Time: at0900(0), Site: "330106", Actor: "wang", Type: "OPENED", Text: "综合平台无法登录"},
		{Time: at0900(1), Site: "330106", Actor: "wang", Type: "DISPATCHED",
			Changes: []*apipb.Change{{Field: "custodianSite", Before: "330106", After: "330100"}}},
		{Time: at0900(2), Site: "330100", Type: "ACCEPTED"},
		{Time: at0900(3), Site: "330106", Actor: "wang", Type: "NOTED", Text: "用户来电\n很着急"},
		{Time: at0900(4), Site: "330100", Actor: "li", Type: "HELD", Text: "待厂商",
			Changes: []*apipb.Change{{Field: "holdReason", After: "待厂商"}}},
		{Time: at0900(5), Site: "330100", Actor: "li", Type: "FUTURE_STEP"},
	}
}

// recorded answers as a node would that holds the ticket and its journal, the journal in pages of two.
func recorded(_ context.Context, _ string, request proto.Message) (proto.Message, error) {
	switch q := request.(type) {
	case *apipb.ListJournalRequest:
		entries, from := escalatedJournal(), 0
		if q.PageToken != "" {
			if _, err := fmt.Sscan(q.PageToken, &from); err != nil {
				return nil, err
			}
		}
		page := &apipb.ListJournalResponse{Entries: entries[from : from+2]}
		if from+2 < len(entries) {
			page.NextPageToken = fmt.Sprint(from + 2)
		}
		return page, nil
	case *apipb.CreateSessionRequest:
		return &apipb.CreateSessionResponse{Token: "tok-123", ExpireTime: at0900(0)}, nil
	case *apipb.ListTicketsRequest:
		return &apipb.ListTicketsResponse{Tickets: []*deskpb.Ticket{escalated()}}, nil
	case *apipb.GetSiteRequest:
		return threeNodes(), nil
	case *apipb.ListSitesRequest:
		return &apipb.ListSitesResponse{Sites: []*apipb.KnownSite{
			{Id: "330100", Name: "杭州市", Tier: apipb.Site_CITY, Parent: "330000", NotSeenSince: at0900(7)}}}, nil
	case *apipb.ListParkedRequest:
		return &apipb.ListParkedResponse{Items: []*apipb.ParkedItem{
			{Peer: "330100", Sequence: 9, Reason: "330200 不在其下属", Time: at0900(8), Size: 512, Ticket: "330106-20261121-0042", Type: "NOTED", Text: "已换网线"}}}, nil
	case *apipb.ListUsersRequest:
		return &apipb.ListUsersResponse{Users: []*apipb.User{
			{Name: "li", DisplayName: "李雷", Role: apipb.User_INCIDENT_MANAGER, CreateTime: at0900(0)}}}, nil
	}
	if _, ok := request.(interface{ GetRequestId() string }); ok {
		return escalated(), nil
	}
	if _, ok := request.(*apipb.GetTicketRequest); ok {
		return escalated(), nil
	}
	return nil, nil
}

func threeNodes() *apipb.GetSiteResponse {
	return &apipb.GetSiteResponse{
		Site: &apipb.Site{Id: "330106", Name: "西湖区", Tier: apipb.Site_COUNTY, Parent: "330100"},
		Nodes: []*apipb.Node{
			{Id: "n1", Role: apipb.Node_LEADER, Alive: true, ServerId: "n1-ab", Addresses: &apipb.Addresses{
				Http: "127.0.0.1:8080", Grpc: "127.0.0.1:7400", Raft: "127.0.0.1:7401"}},
			{Id: "n2", Role: apipb.Node_FOLLOWER, ServerId: "n2-cd"},
		},
		Leader: "n1", Term: 7, AppliedIndex: 4711,
		Links: []*apipb.LinkStatus{{Peer: "330100", Direction: apipb.LinkStatus_PARENT, State: apipb.LinkStatus_DOWN,
			Since: at0900(1), Pending: 12, Queued: 2, InTransit: 1, SentBytes: 1536, Reason: "连接被拒绝"}},
		Alarms: []string{"节点 n2 失联"},
	}
}

func TestShowTellsTheWholeStory(t *testing.T) {
	s := at(t, newFakeNode(t, recorded))
	s.environ["LANG"] = "zh_CN.UTF-8"
	want := `330106-20261121-0042  综合平台无法登录
类型          事件工单
状态          挂起 (待厂商)
优先级        2（影响度 1，紧急度 2），故障级别 1，重大故障
支持线        二线
当前处理站点  330000（交接序号 3）
受理站点      330106
交接          途中 → 330000  需要补丁
处理人        li
处理组        应用组
认领期限      2026-11-21 09:10:00
分类          业务事件
应用          综合平台 3.2
服务          account
专用字段      单据号=7，原因=接口
标签          登录, 全网
报告人        王芳, 西湖区, 0571
来源          电话
受理时间      2026-11-21 09:00:00
到场时间      2026-11-21 09:04:00
挂起用时      待厂商 1m30s
更新时间      2026-11-21 09:05:00
次数          转派 0，重开 0，催办 1
版本          e3

描述
  全单位都无法登录。
  重启后仍然如此。

时限
  解决  县级  计时中  2026-11-21 09:59:00

请求
  2026-11-21 09:06:00  330106  wang  撤单  未同意  不用了  已派人

流转路径
  330106 → 330100 ⇢ 330000 (途中)

流转记录
  2026-11-21 09:00:00  330106  wang  受理         综合平台无法登录
  2026-11-21 09:01:00  330106  wang  送出
      custodianSite: 330106 → 330100
  2026-11-21 09:02:00  330100        接收
  2026-11-21 09:03:00  330106  wang  备注
      用户来电
      很着急
  2026-11-21 09:04:00  330100  li    挂起         待厂商
      holdReason: ∅ → 待厂商
  2026-11-21 09:05:00  330100  li    FUTURE_STEP
`
	if got := s.done(t, "ticket", "show", number); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestAnswersInWords(t *testing.T) {
	for _, c := range []struct{ line, lang, want string }{
		{"ticket urge " + number, "", number + "  挂起 (待厂商)  二线  330000  途中 → 330000  处理人 li  etag e3\n"},
		{"ticket urge " + number, "en_US.UTF-8",
			number + "  ON_HOLD (待厂商)  SECOND  330000  IN_TRANSIT → 330000  assignee li  etag e3\n"},
		{"ticket list", "C.UTF-8", `` +
			"工单                  状态           优先级  支持线  当前处理站点  交接           处理人  更新时间             标题\n" +
			"330106-20261121-0042  挂起 (待厂商)  2       二线    330000        途中 → 330000  li      2026-11-21 09:05:00  综合平台无法登录\n"},
		{"site status", "zh", "" +
			"站点      330106 西湖区\n级别      县级\n上级站点  330100\n主节点    n1\n任期      7\n应用序号  4711\n\n" +
			"节点\n  节点  角色    存活  HTTP            gRPC\n  n1    主节点  是    127.0.0.1:8080  127.0.0.1:7400\n  n2    从节点  否\n\n" +
			"上下级链路\n  对端    方向  状态  自                   最近确认  待确认  待送出  途中  搁置  流量     说明\n" +
			"  330100  上级  中断  2026-11-21 09:01:00            12      2       1     0     1.5 KiB  连接被拒绝\n\n告警\n  节点 n2 失联\n"},
		{"site links", "en", "" +
			"PEER    DIRECTION  STATE  SINCE                LAST ACK  PENDING  QUEUED  IN TRANSIT  PARKED  TRAFFIC  REMARK\n" +
			"330100  PARENT     DOWN   2026-11-21 09:01:00            12       2       1           0       1.5 KiB  连接被拒绝\n"},
		{"site list", "en", "" +
			"SITE    NAME    TIER  PARENT  NODES  ALIVE  NOT SEEN SINCE\n" +
			"330100  杭州市  CITY  330000  0      no     2026-11-21 09:07:00\n"},
		{"site parked", "en", "" +
			"PEER    SEQUENCE  TIME                 BYTES  TICKET                STEP   TEXT      REASON\n" +
			"330100  9         2026-11-21 09:08:00  512    330106-20261121-0042  NOTED  已换网线  330200 不在其下属\n"},
		{"raft peers", "en", "" +
			"NODE  ROLE      ALIVE  RAFT            SERVER\nn1    LEADER    yes    127.0.0.1:7401  n1-ab\n" +
			"n2    FOLLOWER  no                     n2-cd\n"},
		{"raft remove n2", "", "已移除节点 n2\n"},
		{"raft transfer-leader", "", "已移交\n"},
		{"user list", "", "用户  角色      范围        状态  姓名  单位\nli    事件经理  本级及下级  正常  李雷\n"},
		{"user remove li", "en", "user li was removed\n"},
		{"token create --user li", "", "tok-123\n"},
		{"token end", "", "已退出\n"},
	} {
		t.Run(c.line+" "+c.lang, func(t *testing.T) {
			s := at(t, newFakeNode(t, recorded))
			s.environ["LANG"], s.environ["TIERDESK_PASSWORD"] = c.lang, "x"
			if got := s.done(t, strings.Fields(c.line)...); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

func TestNothingToList(t *testing.T) {
	s := at(t, newFakeNode(t, nil))
	if got := s.done(t, "site", "links"); got != "no links\n" {
		t.Errorf("site links without links: %q", got)
	}
	if got := s.done(t, "site", "parked"); got != "nothing is parked\n" {
		t.Errorf("site parked with nothing parked: %q", got)
	}
	if got := s.done(t, "site", "status"); !strings.Contains(got, "nothing can be written") {
		t.Errorf("site status without a leader: %q", got)
	}
}

func TestJSONIsTheAnswerItself(t *testing.T) {
	for line, want := range map[string]proto.Message{
		"ticket show " + number:  escalated(),
		"ticket urge " + number:  escalated(),
		"ticket create":          escalated(),
		"site status":            threeNodes(),
		"raft peers":             threeNodes(),
		"token create --user li": &apipb.CreateSessionResponse{Token: "tok-123", ExpireTime: at0900(0)},
	} {
		s := at(t, newFakeNode(t, recorded))
		s.environ["TIERDESK_PASSWORD"] = "x"
		out := s.done(t, append(strings.Fields(line), "--json")...)
		got := want.ProtoReflect().New().Interface()
		if err := protojson.Unmarshal([]byte(out), got); err != nil || !proto.Equal(got, want) {
			t.Errorf("%s --json: %q (%v), want %v", line, out, err, want)
		}
		if strings.Count(out, "\n") != 1 {
			t.Errorf("%s --json: %q, want one line", line, out)
		}
	}
}

func TestJSONHasFieldsAtTheirZeroValue(t *testing.T) {
	s := at(t, newFakeNode(t, recorded))
	var fields map[string]any
	if err := json.Unmarshal([]byte(s.done(t, "ticket", "show", number, "--json")), &fields); err != nil {
		t.Fatal(err)
	}
	if fields["reopenCount"] != 0.0 || fields["custodyTerm"] != 3.0 || fields["state"] != "ON_HOLD" {
		t.Errorf("reopenCount %v, custodyTerm %v, state %v", fields["reopenCount"], fields["custodyTerm"], fields["state"])
	}
}

// hundred answers lists of 100 tickets in pages of at most 40, some of them short.
func hundred(_ context.Context, _ string, request proto.Message) (proto.Message, error) {
	q := request.(*apipb.ListTicketsRequest)
	from := 0
	if q.PageToken != "" {
		if _, err := fmt.Sscan(q.PageToken, &from); err != nil {
			return nil, err
		}
	}
	size := 40
	if q.PageSize > 0 {
		size = min(size, int(q.PageSize))
	}
	page := &apipb.ListTicketsResponse{}
	for i := from; i < min(from+size, 100); i++ {
		page.Tickets = append(page.Tickets, &deskpb.Ticket{Number: fmt.Sprintf("T%03d", i)})
	}
	if from+size < 100 {
		page.NextPageToken = fmt.Sprint(from + size)
	}
	return page, nil
}

func TestListGoesAsFarAsAsked(t *testing.T) {
	for _, c := range []struct {
		line           string
		tickets, calls int
		more           bool
	}{
		{"ticket list", 40, 1, true},
		{"ticket list --page-size 7", 7, 1, true},
		{"ticket list --page-token 90", 10, 1, false},
		{"ticket list --all", 100, 3, false},
		{"ticket list --all --page-size 30", 100, 4, false},
		{"ticket list --limit 50", 50, 2, true},
		{"ticket list --limit 50 --page-size 20", 50, 3, true},
		{"ticket list --limit 3", 3, 1, true},
		{"ticket list --limit 500", 100, 3, false},
	} {
		t.Run(c.line, func(t *testing.T) {
			node := newFakeNode(t, hundred)
			s := at(t, node)
			words := s.done(t, strings.Fields(c.line)...)
			if calls := len(node.seen()); calls != c.calls {
				t.Errorf("%d calls, want %d", calls, c.calls)
			}
			if strings.Count(words, "NUMBER") != 1 {
				t.Errorf("want one header:\n%s", words)
			}
			if more := strings.Contains(words, "--page-token"); more != c.more {
				t.Errorf("it says how to go on: %t, want %t", more, c.more)
			}
			seen := map[string]bool{}
			decoder := json.NewDecoder(strings.NewReader(s.done(t, append(strings.Fields(c.line), "--json")...)))
			for decoder.More() {
				var page struct{ Tickets []struct{ Number string } }
				if err := decoder.Decode(&page); err != nil {
					t.Fatal(err)
				}
				for _, ticket := range page.Tickets {
					seen[ticket.Number] = true
					if !strings.Contains(words, ticket.Number) {
						t.Errorf("%s is in the JSON and not in the table", ticket.Number)
					}
				}
			}
			if len(seen) != c.tickets {
				t.Errorf("%d tickets, want %d", len(seen), c.tickets)
			}
		})
	}
}

// Text from a ticket cannot drive the terminal.
func TestTicketsCannotDriveTheTerminal(t *testing.T) {
	evil := escalated()
	evil.Title, evil.Description, evil.Assignee = "a\x1b]0;x\a\nb", "c\x1b[2Jd", "\u009be"
	s := at(t, newFakeNode(t, func(_ context.Context, method string, _ proto.Message) (proto.Message, error) {
		switch method {
		case "ListTickets":
			return &apipb.ListTicketsResponse{Tickets: []*deskpb.Ticket{evil}, NextPageToken: "\x1bc"}, nil
		case "ListJournal":
			return &apipb.ListJournalResponse{Entries: []*apipb.JournalEntry{{Type: "\x1bc", Text: "x\n\x1bc",
				Changes: []*apipb.Change{{Field: "\x1bc", Before: "\x1bc\n"}}}}}, nil
		}
		return evil, nil
	}))
	for _, line := range []string{"ticket list", "ticket show 1", "ticket urge 1", "ticket journal 1"} {
		if out := s.done(t, strings.Fields(line)...); strings.ContainsAny(out, "\x1b\a\u009b") {
			t.Errorf("%s lets control characters through: %q", line, out)
		}
	}
}

// broken is a pipe whose reader has gone.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestAnAnswerThatCannotBeWrittenIsAnError(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		p := &printer{out: broken{}, json: asJSON}
		err := p.answer(&deskpb.Ticket{}, func() string { return "x" })
		if ExitCode(err) != ExitFailed || !strings.Contains(err.Error(), "broken pipe") {
			t.Errorf("json %t: error %v, exit %d; want the pipe's error and %d", asJSON, err, ExitCode(err), ExitFailed)
		}
	}
}
