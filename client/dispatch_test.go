package client

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func TestNoticesAreShownInWords(t *testing.T) {
	p := &printer{location: time.FixedZone("CST", 8*3600), names: chineseNames()}
	got := p.notices(&apipb.ListNoticesResponse{Unread: 3, NextPageToken: "p2", Notices: []*apipb.Notice{
		{Time: at0900(5), Ticket: number, Kind: "DECLINED", Title: "断网", Text: "不熟悉"},
		{Time: at0900(0), Ticket: number, Kind: "REMINDED", Title: "断网", Read: true},
	}})
	want := "" +
		"时间                 已读  工单                  事项  标题  内容\n" +
		"2026-11-21 09:05:00  否    330106-20261121-0042  拒单  断网  不熟悉\n" +
		"2026-11-21 09:00:00  是    330106-20261121-0042  提醒  断网\n" +
		"未读 3 条\n" +
		"下一页：--page-token p2\n"
	if got != want {
		t.Errorf("the notices are\n%s\nwant\n%s", got, want)
	}
	p.english = true
	if got := p.notices(&apipb.ListNoticesResponse{}); got != "there are no notices\n" {
		t.Errorf("without any: %q", got)
	}
}

func TestDutyIsShownByGroup(t *testing.T) {
	p := &printer{location: time.FixedZone("CST", 8*3600), names: chineseNames()}
	got := p.duty([]*apipb.DutyGroup{
		{Name: "网络组", Roster: "夜班", Members: []*apipb.DutyMember{{User: "li", On: true}, {User: "wang", ByHand: true, Until: at0900(0)}}},
		{Name: "桌面组", Members: []*apipb.DutyMember{{User: "li", On: true}}},
	})
	want := "" +
		"处理组  人员  值班  依据      至\n" +
		"网络组  li    是    夜班\n" +
		"网络组  wang  否    人工      2026-11-21 09:00:00\n" +
		"桌面组  li    是    无值班表\n"
	if got != want {
		t.Errorf("the duty is\n%s\nwant\n%s", got, want)
	}
}

func TestTimesAreInTheReadersZone(t *testing.T) {
	c := &console{env: Environment{Location: time.FixedZone("CST", 8*3600)}}
	for value, want := range map[string]string{
		"2026-11-21": "2026-11-20T16:00:00Z", "2026-11-21 08:30": "2026-11-21T00:30:00Z",
		"2026-11-21 08:30:15": "2026-11-21T00:30:15Z", "2026-11-21T08:30:00Z": "2026-11-21T08:30:00Z",
	} {
		if got, err := c.moment("time", value); err != nil || got.AsTime().Format(time.RFC3339) != want {
			t.Errorf("%s is read as %v, %v; want %s", value, got.AsTime(), err, want)
		}
	}
	for _, value := range []string{"morgen", "08:30", "2026-13-01"} {
		if got, err := c.moment("time", value); ExitCode(err) != ExitUsage || got != (*timestamppb.Timestamp)(nil) {
			t.Errorf("%q is read as %v, %v; want a usage error", value, got, err)
		}
	}
}
