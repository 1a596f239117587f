package client

import (
	"context"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// chen is a requester as a node tells of her.
func chen() *apipb.Requester {
	return &apipb.Requester{
		Id: "c1", Name: "陈静", Unit: "财政局", Phones: []string{"0571-1", "138"}, Class: "vip", Since: at0900(0), Etag: "e1",
		Calls: []*apipb.CustomerCall{
			{Kind: deskpb.CustomerCall_VISIT, DueTime: at0900(30), Attempts: 1},
			{Kind: deskpb.CustomerCall_REGULAR, DueTime: at0900(1), DoneTime: at0900(2), Outcome: deskpb.CallBack_CONTENT, Actor: "li", Comment: "很好"},
		},
	}
}

func knowsChen(_ context.Context, method string, _ proto.Message) (proto.Message, error) {
	switch method {
	case "GetRequester", "UpdateRequester", "CreateRequester":
		return chen(), nil
	case "ListTickets":
		return &apipb.ListTicketsResponse{Tickets: []*deskpb.Ticket{{Number: number, State: deskpb.Ticket_CLOSED, Title: "无法登录"}}}, nil
	case "ListCallBacks":
		return &apipb.ListCallBacksResponse{Calls: []*apipb.DueCall{
			{DueTime: at0900(0), Ticket: &deskpb.Ticket{Number: number, Title: "无法登录", CallBack: &deskpb.CallBack{Attempts: 2},
				Requester: &deskpb.Requester{Name: "王芳", Phone: "0571"}}},
			{DueTime: at0900(30), Requester: chen(), Kind: deskpb.CustomerCall_VISIT},
		}}, nil
	case "CreateSurvey":
		return &apipb.CreateSurveyResponse{Url: "/api/v1/survey/secret", ExpireTime: at0900(0)}, nil
	}
	return nil, nil
}

func TestWhatNoFlagNamesStaysWithARequester(t *testing.T) {
	node := newFakeNode(t, knowsChen)
	at(t, node).done(t, "requester", "set", "c1", "--unit", "国库", "--note", "二楼")
	calls := node.seen()
	want := &apipb.UpdateRequesterRequest{}
	text := `id: "c1" etag: "e1" requester { name: "陈静" unit: "国库" phones: "0571-1" phones: "138" class: "vip" note: "二楼"
		since { seconds: 1795222800 } }`
	if err := prototext.Unmarshal([]byte(text), want); err != nil {
		t.Fatal(err)
	}
	if len(calls) != 2 || !proto.Equal(calls[1].request, want) {
		t.Errorf("calls: %v, want the second one to be %v", calls, want)
	}
}

func TestARequesterIsShownWithCallBacksAndTickets(t *testing.T) {
	node := newFakeNode(t, knowsChen)
	s := at(t, node)
	s.environ["LANG"] = "zh_CN.UTF-8"
	want := `编号    c1
名称    陈静
单位    财政局
电话    0571-1, 138
类别    VIP
客户自  2026-11-21 09:00:00
版本    e1

回访
  VIP 上门回访  2026-11-21 09:30:00
  VIP 例行回访  2026-11-21 09:01:00  2026-11-21 09:02:00  满意  li  很好

工单
  工单                  状态    优先级  支持线  当前处理站点  交接  处理人  更新时间  标题
  330106-20261121-0042  已办结  0                                                     无法登录
`
	if got := s.done(t, "requester", "show", "c1"); got != want {
		t.Errorf("shown:\n%s\nwant:\n%s", got, want)
	}
	if got := node.seen()[1].request.(*apipb.ListTicketsRequest).GetFilter(); got != `requester.id = "c1"` {
		t.Errorf("the history is asked for by %q", got)
	}
}

func TestTheWorkListNamesTicketsAndCustomers(t *testing.T) {
	s := at(t, newFakeNode(t, knowsChen))
	want := `DUE                  ABOUT                 REQUESTER  PHONE        ATTEMPTS  TITLE
2026-11-21 09:00:00  330106-20261121-0042  王芳       0571         2         无法登录
2026-11-21 09:30:00  c1                    陈静       0571-1, 138  1         VISIT
`
	if got := s.done(t, "callback", "list"); got != want {
		t.Errorf("listed:\n%s\nwant:\n%s", got, want)
	}
	if got, want := s.done(t, "ticket", "survey", number), "/api/v1/survey/secret\ngood until 2026-11-21 09:00:00\n"; got != want {
		t.Errorf("the link is shown as %q, want %q", got, want)
	}
	s.run("callback", "list", "--due", "morgen").oneErrorLine(t, ExitUsage)
	s.run("requester", "add", "陈静", "--since", "morgen").oneErrorLine(t, ExitUsage)
}

func TestAUnitIsShownWithTheTicketsOfItsPeople(t *testing.T) {
	node := newFakeNode(t, func(_ context.Context, method string, _ proto.Message) (proto.Message, error) {
		if method == "GetRequester" {
			return &apipb.Requester{Id: "u1", Kind: deskpb.Customer_UNIT, Name: "财政局", Class: "vip"}, nil
		}
		return nil, nil
	})
	s := at(t, node)
	s.environ["LANG"] = "zh_CN.UTF-8"
	want := "编号  u1\n种类  单位\n名称  财政局\n类别  VIP\n"
	if got := s.done(t, "requester", "show", "u1"); got != want {
		t.Errorf("shown:\n%s\nwant:\n%s", got, want)
	}
	if got := node.seen()[1].request.(*apipb.ListTicketsRequest).GetFilter(); got != `requester.unit = "财政局"` {
		t.Errorf("the history is asked for by %q", got)
	}
	s.run("notices", "lst").oneErrorLine(t, ExitUsage)
}
