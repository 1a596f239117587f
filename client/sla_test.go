package client

import (
	"context"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// explained answers with the story of a clock that stood still for a quarter of an hour.
func explained(context.Context, string, proto.Message) (proto.Message, error) {
	return &apipb.SlaExplanation{Clocks: []*apipb.ClockExplanation{{
		Clock: &deskpb.Sla{
			Metric: deskpb.Sla_RESOLUTION, Tier: "COUNTY", Site: "330106", Target: 7200, State: deskpb.Sla_RUNNING,
			Calendar: "office", Rule: "resolution-county-priority-2", DueTime: at0900(135),
		},
		Stretches: []*apipb.Stretch{
			{From: at0900(0), To: at0900(10), Counted: 600, State: desk.StretchRunning, Reason: "resolution-county-priority-2: 2h0m0s, office",
				Working: []*apipb.WorkingTime{{From: at0900(0), To: at0900(10)}}},
			{From: at0900(10), To: at0900(25), State: desk.StretchPaused, Reason: "等待报告人"},
		},
	}}}, nil
}

func TestAClockIsExplainedInBothLanguages(t *testing.T) {
	for _, c := range []struct {
		lang string
		args []string
		want string
	}{
		{"zh_CN.UTF-8", nil, `解决 县级 330106 计时中 时限 2h（resolution-county-priority-2，日历 office） 到期 2026-11-21 11:15:00
  从                   到                   状态  计入  原因
  2026-11-21 09:00:00  2026-11-21 09:10:00  计时  10m   resolution-county-priority-2: 2h0m0s, office
  2026-11-21 09:10:00  2026-11-21 09:25:00  暂停  0s    等待报告人
`},
		{"en_US.UTF-8", []string{"--working"}, `RESOLUTION COUNTY 330106 RUNNING target 2h (resolution-county-priority-2, calendar office) due 2026-11-21 11:15:00
  FROM                   TO                     STATE    COUNTED  WHY
  2026-11-21 09:00:00    2026-11-21 09:10:00    running  10m      resolution-county-priority-2: 2h0m0s, office
    2026-11-21 09:00:00    2026-11-21 09:10:00           10m
  2026-11-21 09:10:00    2026-11-21 09:25:00    paused   0s       等待报告人
`},
	} {
		t.Run(c.lang, func(t *testing.T) {
			s := at(t, newFakeNode(t, explained))
			s.environ["LANG"] = c.lang
			got := s.done(t, append([]string{"sla", "explain", number}, c.args...)...)
			if got != c.want {
				t.Errorf("it prints\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
