package client

import (
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func TestQueuesAreNamedAndCounted(t *testing.T) {
	p := &printer{location: time.UTC, names: chineseNames()}
	got := p.queues([]*apipb.Queue{
		{Kind: apipb.Queue_MINE, Id: "mine", Count: 3}, {Kind: apipb.Queue_GROUP, Id: "group:网络组", Group: "网络组"},
		{Kind: apipb.Queue_OPEN, Id: "open", Count: 1000, More: true},
	})
	want := "" +
		"队列         编号          工单数\n" +
		"我的工单     mine          3\n" +
		"组内 网络组  group:网络组  0\n" +
		"本站点在办   open          1000+\n"
	if got != want {
		t.Errorf("the queues are\n%s\nwant\n%s", got, want)
	}
}

func TestFiguresShowOfficesAndTheirDays(t *testing.T) {
	p := &printer{location: time.FixedZone("CST", 8*3600), english: true}
	got := p.figures([]*apipb.OfficeFigures{
		{Site: "330106", Open: 4, Overdue: 1, DueSoon: 2, InTransit: 1, OldestNumber: "330106-20261120-0003", OldestOpenTime: at0900(0),
			Days: []*apipb.DayFigures{{Day: "20261121", Opened: 9, Solved: 5, SolvedLate: 1, SolvedFirstLine: 3, Rated: 2, ScoreSum: 9}}},
		{Site: "330107", Days: []*apipb.DayFigures{{Day: "20261121"}}},
	})
	want := "" +
		"OFFICE  OPEN  OVERDUE  DUE SOON  IN TRANSIT  OLDEST\n" +
		"330106  4     1        2         1           2026-11-21 09:00:00 330106-20261120-0003\n" +
		"330107  0     0        0         0\n" +
		"\n" +
		"OFFICE  DAY       OPENED  SOLVED  LATE  FIRST LINE  RATED  MEAN\n" +
		"330106  20261121  9       5       1     3           2      4.5\n" +
		"330107  20261121  0       0       0     0           0\n"
	if got != want {
		t.Errorf("the figures are\n%s\nwant\n%s", got, want)
	}
}
