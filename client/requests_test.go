package client

import (
	"context"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// number is the ticket of most tests.
const number = "330106-20261121-0042"

// requests says what every command sends: the command line, the method, and the request as prototext.
var requests = []struct{ line, method, request string }{
	{"ticket create --request-id r --title 无法登录 --description 全单位 --category 业务事件 --application 综合平台 " +
		"--impact 1 --urgency 2 --severity 3 --major --channel walk-in --requester-name 王芳 --requester-unit 西湖区 " +
		"--requester-phone 0571 --requester-email w@x --requester-user wang --tag a,b --tag c --group 一线 --assignee li",
		"CreateTicket", `request_id: "r" ticket { title: "无法登录" description: "全单位" category: "业务事件"
		application: "综合平台" impact: 1 urgency: 2 severity: 3 major: true channel: WALK_IN tags: "a,b" tags: "c" group: "一线"
		assignee: "li" requester { name: "王芳" unit: "西湖区" phone: "0571" email: "w@x" user: "wang" } }`},
	{"ticket show " + number + " --json", "GetTicket", `number: "` + number + `"`},
	{"ticket show " + number + " --json --stale", "GetTicket", `number: "` + number + `" consistency: "stale"`},
	{"ticket list --filter state=NEW --order-by priority --page-size 7 --page-token p --stale", "ListTickets",
		`filter: "state=NEW" order_by: "priority" page_size: 7 page_token: "p" consistency: "stale"`},
	{"ticket journal " + number + " --stale", "ListJournal", `number: "` + number + `" page_size: 500 consistency: "stale"`},
	{"ticket assign " + number + " --assignee li --group g --reason y", "AssignTicket",
		`assignee: "li" group: "g" reason: "y"`},
	{"ticket start " + number, "StartTicket", ``},
	{"ticket hold " + number + " --reason 待用户 --comment c", "HoldTicket", `reason: "待用户" comment: "c"`},
	{"ticket resume " + number + " --comment c", "ResumeTicket", `comment: "c"`},
	{"ticket note " + number + " 已联系", "NoteTicket", `text: "已联系"`},
	{"ticket reply " + number + " 请重试", "ReplyTicket", `text: "请重试"`},
	{"ticket escalate " + number + " --reason 三线", "EscalateTicket", `reason: "三线"`},
	{"ticket withdraw " + number + " --reason y", "WithdrawTicket", `reason: "y"`},
	{"ticket return " + number + " --reason y", "ReturnTicket", `reason: "y"`},
	{"ticket resolve " + number + " --code fixed --text 重启 --root-cause 内存", "ResolveTicket",
		`resolution { code: "fixed" text: "重启" root_cause: "内存" }`},
	{"ticket confirm " + number + " --score 5 --comment 好", "ConfirmTicket", `satisfaction { score: 5 comment: "好" }`},
	{"ticket close " + number + " --comment c", "CloseTicket", `comment: "c"`},
	{"ticket reopen " + number + " --reason y", "ReopenTicket", `reason: "y"`},
	{"ticket cancel " + number + " --reason y", "CancelTicket", `reason: "y"`},
	{"ticket urge " + number + " --reason y", "UrgeTicket", `reason: "y"`},
	{"ticket claim " + number, "ClaimTicket", ``},
	{"ticket decline " + number + " --reason 不熟", "DeclineTicket", `reason: "不熟"`},
	{"ticket transfer " + number + " --assignee li --group g --reason y", "TransferTicket", `assignee: "li" group: "g" reason: "y"`},
	{"notices list --unread --page-size 7 --page-token p", "ListNotices", `unread: true page_size: 7 page_token: "p"`},
	{"notices", "ListNotices", ``},
	{"notices read --through 2026-11-21T08:30:00+08:00", "MarkNoticesRead", `through { seconds: 1795221000 }`},
	{"duty list --group 网络组 --time 2026-11-21", "ListDuty", `group: "网络组" time { seconds: 1795190400 }`},
	{"duty set on --user li --until 2026-11-22", "SetDuty", `user: "li" on: true until { seconds: 1795276800 }`},
	{"duty set off", "SetDuty", ``},
	{"queue list", "ListQueues", ``},
	{"queue show overdue --site 330107 --page-size 7 --page-token p --stale", "ListQueueTickets",
		`queue: "overdue" site: "330107" page_size: 7 page_token: "p" consistency: "stale"`},
	{"figures --days 7 --site 330106 --site 330107", "GetFigures", `days: 7 sites: "330106" sites: "330107"`},
	{"ticket arrive " + number + " --comment 已到机房", "ArriveTicket", `comment: "已到机房"`},
	{"sla explain " + number + " --json --stale", "ExplainSla", `number: "` + number + `" consistency: "stale"`},
	{"sla preview --title 断网 --impact 1 --severity 1 --visit", "PreviewTicket",
		`ticket { title: "断网" impact: 1 severity: 1 visit: true requester { } }`},
	{"sla preview", "PreviewTicket", `ticket { title: "试算" requester { } }`},
	{"ticket check " + number + " 3 --result 22℃", "CheckTicket", `item: 2 done: true result: "22℃"`},
	{"ticket check " + number + " 1 --undo", "CheckTicket", ``},
	{"ticket verbs " + number, "ListVerbs", `number: "` + number + `"`},
	{"ticket reveal " + number + " --reason 回访", "RevealRequester", `number: "` + number + `" reason: "回访"`},
	{"ticket macro " + number + " 重启服务 --etag e7 --request-id r", "RunMacro",
		`number: "` + number + `" etag: "e7" request_id: "r" macro: "重启服务"`},
	{"ticket task add " + number + " 会签方案 --kind cosign --signer li --signer wang --ordered --quorum 1 --mandatory --etag e7 --request-id r",
		"AddTask", `number: "` + number + `" etag: "e7" request_id: "r" task { kind: COSIGN title: "会签方案" mandatory: true ordered: true
		quorum: 1 signers { user: "li" } signers { user: "wang" } }`},
	{"ticket task add " + number + " 换交换机 --group 网络组 --assignee li --request-id r", "AddTask",
		`number: "` + number + `" request_id: "r" task { title: "换交换机" group: "网络组" assignee: "li" }`},
	{"ticket task finish " + number + " 2 --result 已换 --request-id r", "ChangeTask",
		`number: "` + number + `" request_id: "r" task: 2 action: FINISH result: "已换"`},
	{"ticket task agree " + number + " 2 --request-id r", "ChangeTask", `number: "` + number + `" request_id: "r" task: 2 action: AGREE`},
	{"ticket task refuse " + number + " 2 --request-id r", "ChangeTask", `number: "` + number + `" request_id: "r" task: 2 action: REFUSE`},
	{"ticket task cancel " + number + " 2 --etag e7 --request-id r", "ChangeTask",
		`number: "` + number + `" etag: "e7" request_id: "r" task: 2 action: CANCEL`},
	{"ticket link " + number + " child-of 330000-20261121-0001", "LinkTicket", `kind: CHILD_OF other: "330000-20261121-0001"`},
	{"ticket link " + number + " related 330106-20261121-0043 --remove", "LinkTicket",
		`kind: RELATED other: "330106-20261121-0043" removed: true`},
	{"ticket merge " + number + " 330106-20261121-0041 --reason 同一故障", "MergeTicket", `into: "330106-20261121-0041" reason: "同一故障"`},
	{"ticket split " + number + " --title 打印机 --description 另一台", "SplitTicket", `title: "打印机" description: "另一台"`},
	{"ticket review " + number + " 双电源", "ReviewTicket", `text: "双电源"`},
	{"ticket major " + number + " --coordinator li --reason 全省中断", "ClassifyTicket",
		`fields: "major" fields: "coordinator" ticket { major: true coordinator: "li" } reason: "全省中断"`},
	{"ticket major " + number + " --not", "ClassifyTicket", `fields: "major" ticket { }`},
	{"ticket similar 打印机卡纸 --application 财政 --category 硬件 --page-size 3", "FindSimilarTickets",
		`title: "打印机卡纸" application: "财政" category: "硬件" page_size: 3`},
	{"ticket repeats " + number + " --days 30", "CountRepeats", `number: "` + number + `" days: 30`},
	{"ticket reply " + number + " 好了 --from-requester", "ReplyTicket", `text: "好了" from_requester: true`},
	{"ticket call-back " + number + " --outcome dissatisfied --comment 又坏了 --score 2", "CallBackTicket",
		`outcome: DISSATISFIED comment: "又坏了" satisfaction { score: 2 }`},
	{"ticket call-back " + number + " --outcome not-reached", "CallBackTicket", `outcome: NOT_REACHED`},
	{"ticket rate " + number + " --score 4 --comment 快", "RateTicket", `satisfaction { score: 4 comment: "快" }`},
	{"ticket survey " + number, "CreateSurvey", `number: "` + number + `"`},
	{"requester add 陈静 --unit 财政局 --phone 0571-1234 --phone 13800000000 --email c@x --user chen --class vip --note 二楼 --since 2026-11-21",
		"CreateRequester", `requester { name: "陈静" unit: "财政局" phones: "0571-1234" phones: "13800000000" email: "c@x" user: "chen"
		class: "vip" note: "二楼" since { seconds: 1795190400 } }`},
	{"requester list --search 0571", "ListRequesters", `search: "0571" page_size: 500`},
	{"requester add 财政局 --kind unit --class vip", "CreateRequester", `requester { name: "财政局" kind: UNIT class: "vip" }`},
	{"requester list --kind unit", "ListRequesters", `kind: UNIT page_size: 500`},
	{"requester show abc --json", "GetRequester", `id: "abc"`},
	{"requester remove abc", "DeleteRequester", `id: "abc"`},
	{"callback list --due 2026-11-21T08:00:00+08:00", "ListCallBacks", `due { seconds: 1795219200 } page_size: 500`},
	{"callback record abc --kind visit --outcome content --comment 好 --score 5", "RecordCustomerCall",
		`requester: "abc" kind: VISIT outcome: CONTENT comment: "好" satisfaction { score: 5 }`},
	{"round list", "ListRounds", ``},
	{"round report 机房 --page-size 3 --page-token p", "GetRoundReport", `name: "机房" page_size: 3 page_token: "p"`},
	{"site status", "GetSite", ``},
	{"site links", "GetSite", ``},
	{"site list", "ListSites", ``},
	{"site parked", "ListParked", `page_size: 500`},
	{"site parked --retry", "RetryParked", ``},
	{"audit acknowledge 330106 --entry 42 --reason 硬盘更换", "AcknowledgeDenial", `site: "330106" sequence: 42 reason: "硬盘更换"`},
	{"site recover --reason 从备份还原", "RecoverSite", `reason: "从备份还原"`},
	{"site override " + number + " --reason 市级失联", "OverrideTicket", `reason: "市级失联"`},
	{"doctor", "DiagnoseSite", ``},
	{"raft peers", "GetSite", ``},
	{"raft transfer-leader", "TransferLeadership", ``},
	{"raft transfer-leader --to n2", "TransferLeadership", `node: "n2"`},
	{"raft remove n3", "RemoveNode", `node: "n3"`},
	{"user add li --display-name 李雷 --role incident-manager", "CreateUser",
		`user { name: "li" display_name: "李雷" role: INCIDENT_MANAGER } password: "new secret"`},
	{"user add li", "CreateUser", `user { name: "li" role: AGENT } password: "new secret"`},
	{"user list", "ListUsers", `page_size: 500`},
	{"user password li", "SetPassword", `name: "li" password: "new secret"`},
	{"user add li --scope groups --group 网络组 --group 一线 --line first,second --office 330106 --phone 0571-1 --email l@x --unit 信息处 --keep-password", "CreateUser",
		`user { name: "li" role: AGENT scope: GROUPS groups: "网络组" groups: "一线" lines: FIRST lines: SECOND offices: "330106" phone: "0571-1"
		email: "l@x" unit: "信息处" } password: "new secret" keep_password: true`},
	{"user show li", "GetUser", `name: "li"`},
	{"user change li --role leader --line= --unit 科技处 --etag e7", "UpdateUser", `user { name: "li" role: LEADER unit: "科技处" etag: "e7" } fields: "lines,role,unit"`},
	{"user change li --display-name 李雷 --group=", "UpdateUser", `user { name: "li" display_name: "李雷" } fields: "displayName,groups"`},
	{"user disable li", "UpdateUser", `user { name: "li" disabled: true } fields: "disabled"`},
	{"user enable li", "UpdateUser", `user { name: "li" } fields: "disabled"`},
	{"user unlock li", "UnlockUser", `name: "li"`},
	{"user second-factor remove li", "RemoveSecondFactor", `name: "li"`},
	{"user remove li", "DeleteUser", `name: "li"`},
	{"publication put notice 停电 --title 周六停电 --type text/markdown --file /dev/null", "PutPublication",
		`kind: "notice" name: "停电" title: "周六停电" media_type: "text/markdown"`},
	{"ticket create --request-id r --title t --template password --service account --field 单据号=7 --visit --coordinator zhao", "CreateTicket",
		`request_id: "r" ticket { title: "t" template: "password" service: "account" visit: true coordinator: "zhao"
		fields { key: "单据号" value: "7" } requester {} }`},
	{"ticket classify " + number + " --category 数据问题 --impact 1 --tag= --major=false --field a=1,b=2 --reason y", "ClassifyTicket",
		`ticket { category: "数据问题" impact: 1 fields { key: "a" value: "1" } fields { key: "b" value: "2" } }
		fields: "category" fields: "fields" fields: "impact" fields: "major" fields: "tags" reason: "y"`},
	{"ticket classify " + number + " --requester-id c1", "ClassifyTicket", `ticket { requester { id: "c1" } } fields: "requester"`},
	{"policy diff /dev/null", "CheckPolicy", ``},
	{"policy history", "ListPolicyVersions", ``},
	{"policy show --version 1795221000000000", "GetPolicyVersion", `version: 1795221000000000`},
	{"policy show --own --stale", "GetPolicy", `consistency: "stale"`},
	{"publication list --publisher 330000", "ListPublications", `publisher: "330000" page_size: 500`},
	{"publication show 330000 notice 停电", "GetPublication", `publisher: "330000" kind: "notice" name: "停电"`},
	{"publication remove notice 停电", "RemovePublication", `kind: "notice" name: "停电"`},
	{"publication deliveries 330000 notice 停电", "ListDeliveries", `publisher: "330000" kind: "notice" name: "停电"`},
	{"tree list", "ListTree", ``},
	{"tree move 330106 --to 330200 --reason 区划调整", "MoveSite", `site: "330106" parent: "330200" reason: "区划调整"`},
	{"tree move 330106 --to 330200 --now", "MoveSite", `site: "330106" parent: "330200" now: true`},
	{"tree close 330100 --reason 撤并", "CloseSite", `site: "330100" reason: "撤并"`},
	{"token create --user li --ttl 90m", "CreateSession", `user: "li" password: "secret" ttl { seconds: 5400 }`},
	{"token create --user li", "CreateSession", `user: "li" password: "secret"`},
	{"token end", "DeleteSession", ``},
	{"token list --user li", "ListAccessTokens", `user: "li"`},
	{"token revoke t1 --user li", "RevokeAccessToken", `user: "li" id: "t1"`},
	{"session list --user li", "ListSessions", `user: "li"`},
	{"session revoke s1 --user li", "RevokeSession", `user: "li" id: "s1"`},
	{"session revoke --all --user li", "RevokeSessions", `user: "li"`},
	{"session whoami", "GetCaller", ``},
}

// verbMethod tells the methods whose request also names a ticket, an etag and a request id.
func verbMethod(method string) bool {
	without := []string{"CreateTicket", "GetTicket", "PreviewTicket"}
	return strings.HasSuffix(method, "Ticket") && !slices.Contains(without, method)
}

func TestEveryCommandSendsItsRequest(t *testing.T) {
	for _, c := range requests {
		t.Run(c.line, func(t *testing.T) {
			node := newFakeNode(t, nil)
			s := at(t, node)
			s.environ["TIERDESK_TOKEN"] = "the-token"
			s.environ["TIERDESK_PASSWORD"] = "secret"
			s.environ["TIERDESK_NEW_PASSWORD"] = "new secret"
			line, text := c.line, c.request
			if verbMethod(c.method) {
				line += " --etag e7 --request-id r"
				text += ` number: "` + number + `" etag: "e7" request_id: "r"`
			}
			s.done(t, strings.Fields(line)...)
			calls := node.seen()
			if len(calls) != 1 || calls[0].method != c.method {
				t.Fatalf("calls: %v, want one of %s", calls, c.method)
			}
			want := calls[0].request.ProtoReflect().New().Interface()
			if err := prototext.Unmarshal([]byte(text), want); err != nil {
				t.Fatalf("the test's request: %v", err)
			}
			if !proto.Equal(calls[0].request, want) {
				t.Errorf("request:\n%v\nwant:\n%v", calls[0].request, want)
			}
			if calls[0].authorization != "Bearer the-token" {
				t.Errorf("authorization %q, want the token of the environment", calls[0].authorization)
			}
		})
	}
}

func TestEveryMethodHasACommand(t *testing.T) {
	covered := map[string]bool{
		"GetSurvey": true, "AnswerSurvey": true, // the requester's, who has a link and no terminal
		"UpdatePreferences": true, // how somebody arranges the pages, on the pages
		"UpdateRequester":   true, // requester set calls it after another method
		// and so do these, which are about the caller
		"EnrolSecondFactor": true, "ConfirmSecondFactor": true, "CreateAccessToken": true,
	}
	for _, c := range requests {
		covered[c.method] = true
	}
	for _, file := range []protoreflect.FileDescriptor{
		apipb.File_node_api_apipb_tickets_proto, apipb.File_node_api_apipb_site_proto, apipb.File_node_api_apipb_tree_proto,
		apipb.File_node_api_apipb_rounds_proto, apipb.File_node_api_apipb_notices_proto, apipb.File_node_api_apipb_requesters_proto,
		apipb.File_node_api_apipb_people_proto, apipb.File_node_api_apipb_queues_proto,
	} {
		for i := range file.Services().Len() {
			for j := range file.Services().Get(i).Methods().Len() {
				method := file.Services().Get(i).Methods().Get(j)
				if !covered[string(method.Name())] {
					t.Errorf("no command calls %s", method.FullName())
				}
			}
		}
	}
}

func TestChangesWithoutARequestIDGetDifferentOnes(t *testing.T) {
	node := newFakeNode(t, nil)
	s := at(t, node)
	s.done(t, "ticket", "urge", number)
	s.done(t, "ticket", "urge", number)
	s.done(t, "ticket", "create", "--title", "x")
	ids := map[string]bool{}
	for _, c := range node.seen() {
		id := c.request.(interface{ GetRequestId() string }).GetRequestId()
		if len(id) < 20 || len(id) > 128 {
			t.Errorf("%s went out with the request id %q, want a random one of at most 128 characters", c.method, id)
		}
		ids[id] = true
	}
	if len(ids) != 3 {
		t.Errorf("three changes went out with %d different request ids", len(ids))
	}
}

func TestFlagsWinOverTheEnvironment(t *testing.T) {
	node := newFakeNode(t, nil)
	s := at(t, node)
	s.environ["TIERDESK_SERVER"] = "127.0.0.1:1"
	s.environ["TIERDESK_TOKEN"] = "from-environment"
	s.done(t, "site", "status", "--server", "http://"+node.address, "--token", "from-flag")
	if got := node.seen()[0].authorization; got != "Bearer from-flag" {
		t.Errorf("authorization %q, want the flag's token", got)
	}
}

func TestTextFromStandardInput(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"ticket note " + number + " -", "第一行\n第二行"},
		{"ticket reply " + number + " -", "第一行\n第二行"},
		{"ticket resolve " + number + " --code x --text -", "第一行\n第二行"},
		{"ticket create --title t --description -", "第一行\n第二行"},
	} {
		node := newFakeNode(t, nil)
		s := at(t, node)
		s.stdin = strings.NewReader("第一行\n第二行\n")
		s.done(t, strings.Fields(c.line)...)
		if sent := node.seen()[0].request; !strings.Contains(prototext.Format(sent), `"第一行\n第二行"`) {
			t.Errorf("%s sent %v, want the text of standard input", c.line, sent)
		}
	}
}

func TestPasswords(t *testing.T) {
	typed := func(answers ...string) func(context.Context, string) (string, error) {
		return func(context.Context, string) (string, error) {
			next := answers[0]
			answers = answers[1:]
			return next, nil
		}
	}
	for _, c := range []struct {
		name, line, stdin string
		prompt            func(context.Context, string) (string, error)
		want              string // empty: refused before anything is sent
	}{
		{"sign-in typed", "token create --user li", "", typed("s3cret"), "s3cret"},
		{"sign-in by pipe", "token create --user li --password-stdin", "s3cret\n", nil, "s3cret"},
		{"sign-in with nobody to ask", "token create --user li", "", nil, ""},
		{"sign-in with an empty pipe", "token create --user li --password-stdin", "\n", nil, ""},
		{"new one typed twice", "user add li", "", typed("s3cret", "s3cret"), "s3cret"},
		{"new one typed differently", "user password li", "", typed("s3cret", "s3crat"), ""},
		{"new one by pipe", "user password li --password-stdin", "s3cret", nil, "s3cret"},
	} {
		t.Run(c.name, func(t *testing.T) {
			node := newFakeNode(t, nil)
			s := at(t, node)
			s.stdin, s.prompt = strings.NewReader(c.stdin), c.prompt
			got := s.run(strings.Fields(c.line)...)
			if c.want == "" {
				got.oneErrorLine(t, ExitUsage)
				if calls := node.seen(); len(calls) != 0 {
					t.Errorf("calls: %v, want none", calls)
				}
				return
			}
			calls := node.seen()
			if len(calls) != 1 || calls[0].request.(interface{ GetPassword() string }).GetPassword() != c.want {
				t.Errorf("calls %v, want one with the password %q; %s", calls, c.want, got.stderr)
			}
		})
	}
}

// Every value that an answer can hold has a Chinese word.
func TestEveryNameHasAChineseWord(t *testing.T) {
	names := chineseNames()
	for _, full := range []string{
		"tierdesk.desk.v1.Ticket.Kind", "tierdesk.desk.v1.Ticket.State", "tierdesk.desk.v1.Ticket.Channel",
		"tierdesk.desk.v1.Ticket.Line", "tierdesk.desk.v1.Handover.State", "tierdesk.desk.v1.Sla.Metric",
		"tierdesk.desk.v1.Sla.State", "tierdesk.desk.v1.Wish.Kind", "tierdesk.desk.v1.Wish.State",
		"tierdesk.desk.v1.Event.Type", "tierdesk.v1.Site.Tier", "tierdesk.v1.Node.Role", "tierdesk.v1.LinkStatus.Direction",
		"tierdesk.v1.LinkStatus.State", "tierdesk.v1.Check.State", "tierdesk.v1.User.Role", "tierdesk.v1.User.Scope", "tierdesk.v1.User.Source", "tierdesk.v1.User.Line", "tierdesk.v1.Place.Phase",
		"tierdesk.v1.Delivery.State", "tierdesk.desk.v1.CallBack.Outcome", "tierdesk.desk.v1.CustomerCall.Kind", "tierdesk.desk.v1.Customer.Kind",
		"tierdesk.desk.v1.Task.Kind", "tierdesk.desk.v1.Task.State", "tierdesk.desk.v1.Signer.Answer", "tierdesk.desk.v1.TicketLink.Kind",
		"tierdesk.v1.Queue.Kind",
	} {
		found, err := protoregistry.GlobalTypes.FindEnumByName(protoreflect.FullName(full))
		if err != nil {
			t.Fatal(err)
		}
		values := found.Descriptor().Values()
		for i := range values.Len() {
			name := values.Get(i).FullName()
			key := string(name.Parent().Name()) + "." + string(name.Name())
			if !strings.HasSuffix(key, "_UNSPECIFIED") && names[key] == "" {
				t.Errorf("%s has no Chinese word", key)
			}
			delete(names, key)
		}
	}
	for key := range names {
		t.Errorf("%s has a Chinese word and is no value of an answer", key)
	}
}
