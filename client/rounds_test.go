package client

import (
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func TestARoundReportShowsWhatWasFound(t *testing.T) {
	p := &printer{location: time.FixedZone("CST", 8*3600), names: chineseNames()}
	report := &apipb.RoundReport{NextPageToken: "p2", Findings: []*apipb.RoundFinding{
		{Number: "330106-20261121-0007", OpenTime: at0900(0), State: deskpb.Ticket_RESOLVED, Items: []*deskpb.ChecklistItem{
			{Text: "温度", Required: true, Done: true, Result: "22℃", Actor: "lin", Time: at0900(5)},
			{Text: "门禁", Required: true},
			{Text: "照明"},
		}},
		{Number: "330106-20261120-0003", OpenTime: at0900(0), State: deskpb.Ticket_CLOSED, Resolution: &deskpb.Resolution{Text: "一切正常"}},
	}}
	want := "" +
		"工单                  开单                 状态    检查项  完成    结果\n" +
		"330106-20261121-0007  2026-11-21 09:00:00  已解决  温度    已完成  22℃  lin 2026-11-21 09:05:00\n" +
		"                                                   门禁    必做\n" +
		"                                                   照明    未做\n" +
		"330106-20261120-0003  2026-11-21 09:00:00  已办结                  一切正常\n" +
		"还有更多：--page-token p2\n"
	if got := p.roundReport(report); got != want {
		t.Errorf("the report is\n%s\nwant\n%s", got, want)
	}
}

func TestRoundsTellWhenTheyAreDue(t *testing.T) {
	p := &printer{location: time.FixedZone("CST", 8*3600), english: true}
	got := p.rounds([]*apipb.InspectionRound{{DueTime: at0900(0), Round: &deskpb.Round{
		Name: "机房", Title: &deskpb.Words{Zh: "机房巡检", En: "server room"}, Group: "运行组", Unit: deskpb.Round_WEEKS, Every: 2,
	}}})
	want := "" +
		"NAME  TITLE        EVERY    GROUP   DUE                  OPENED UP TO\n" +
		"机房  server room  2 weeks  运行组  2026-11-21 09:00:00\n"
	if got != want {
		t.Errorf("the rounds are\n%s\nwant\n%s", got, want)
	}
}

func TestAnItemOfAChecklistCountsFromOne(t *testing.T) {
	for _, item := range []string{"0", "-1", "第一项", "99999999999"} {
		node := newFakeNode(t, nil)
		got := at(t, node).run("ticket", "check", "--", number, item)
		got.oneErrorLine(t, ExitUsage)
		if calls := node.seen(); len(calls) != 0 {
			t.Errorf("item %s was sent: %v", item, calls)
		}
	}
}
