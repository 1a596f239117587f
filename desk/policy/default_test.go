package policy

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// The days are those that the State Council announced: 108 holidays and make-up working days in three years, the days of a
// holiday that fall on a weekend counted.
func TestHolidaysOfChina(t *testing.T) {
	office := Calendar(Default(), OfficeTime)
	if n := len(office.GetDates()); n != 108 {
		t.Errorf("there are %d days, want 108", n)
	}
	days := map[int32]*deskpb.DateRule{}
	for i, rule := range office.GetDates() {
		if i > 0 && rule.GetDate() <= office.GetDates()[i-1].GetDate() {
			t.Errorf("%d does not come after the day before it", rule.GetDate())
		}
		days[rule.GetDate()] = rule
	}
	for _, test := range []struct {
		date    int32
		name    string
		working bool
	}{
		{2024_02_04, "春节", true}, {2024_02_17, "春节", false}, {2025_01_31, "春节", false}, {2025_02_01, "春节", false}, {2025_02_04, "春节", false},
		{2025_10_06, "中秋", false}, {2026_01_04, "元旦", true}, {2026_02_28, "春节", true}, {2026_10_07, "国庆节", false}, {2026_10_10, "国庆节", true},
	} {
		if rule := days[test.date]; rule.GetName() != test.name || rule.GetWorking() != test.working {
			t.Errorf("%d is %v, want %s, working %v", test.date, rule, test.name, test.working)
		}
	}
	if days[2026_02_24] != nil || days[2025_02_05] != nil {
		t.Error("the day after a holiday is one too")
	}
}

// firstTarget is the first target of a metric and tier that fits a ticket, nil for none.
func firstTarget(p *deskpb.Policy, metric deskpb.Sla_Metric, tier string, ticket *deskpb.Ticket) *deskpb.Target {
	for _, target := range p.GetTargets() {
		if target.GetMetric() == metric && target.GetTier() == tier && Fits(target.GetMatch(), ticket) {
			return target
		}
	}
	return nil
}

// Response times are those of the county scheme: at once, within 15 and within 30 minutes.
func TestTargetsOfTheCountyScheme(t *testing.T) {
	p := Default()
	for severity, minutes := range map[int32]int64{1: 5, 2: 15, 3: 30} {
		ticket := &deskpb.Ticket{Severity: severity, Priority: 3}
		if got := firstTarget(p, deskpb.Sla_RESPONSE, "", ticket); got.GetWithin() != minutes*minute || got.GetCalendar() != AllTime {
			t.Errorf("severity %d is answered by the target %v, want %d minutes round the clock", severity, got, minutes)
		}
	}
	call := &deskpb.Ticket{Severity: 1, Priority: 1, Kind: deskpb.Ticket_CALL}
	incident := &deskpb.Ticket{Severity: 1, Priority: 1, Kind: deskpb.Ticket_INCIDENT}
	for _, test := range []struct {
		name   string
		metric deskpb.Sla_Metric
		tier   string
		ticket *deskpb.Ticket
		within int64
	}{
		{"a call end to end", deskpb.Sla_RESOLUTION, "", call, 4 * hour},
		{"a call at the county", deskpb.Sla_RESOLUTION, "COUNTY", call, 0},
		{"an incident at the county", deskpb.Sla_RESOLUTION, "COUNTY", incident, hour},
		{"an incident at the city", deskpb.Sla_RESOLUTION, "CITY", incident, 2 * hour},
		{"an incident at the province", deskpb.Sla_RESOLUTION, "PROVINCE", incident, 3 * hour},
		{"progress of a severe incident", deskpb.Sla_UPDATE, "", incident, 30 * minute},
		{"progress of an interruption", deskpb.Sla_UPDATE, "", call, 30 * minute},
		{"progress of what is degraded", deskpb.Sla_UPDATE, "", &deskpb.Ticket{Severity: 2}, 0},
		{"progress of a major incident", deskpb.Sla_UPDATE, "", &deskpb.Ticket{Severity: 3, Major: true}, 30 * minute},
	} {
		if got := firstTarget(p, test.metric, test.tier, test.ticket).GetWithin(); got != test.within {
			t.Errorf("%s: %d s, want %d", test.name, got, test.within)
		}
	}
}

func TestTheBuiltInPolicyHasNoFault(t *testing.T) {
	if objections := Check(nil, Default()); len(objections) > 0 {
		t.Errorf("the built-in policy has the faults %v", objections)
	}
	if !proto.Equal(Merge(Default()), Default()) {
		t.Error("the built-in policy alone is not the built-in policy")
	}
}

func TestPriorityFollowsTheMatrix(t *testing.T) {
	upset := &deskpb.Policy{Priorities: &deskpb.PriorityMatrix{Priorities: []int32{1, 1, 2, 2, 4, 4, 3, 4, 9}}}
	want := [3][3]int32{{1, 2, 3}, {2, 3, 4}, {3, 4, 5}}
	for impact := range int32(3) {
		for urgency := range int32(3) {
			if got := Priority(Default(), impact+1, urgency+1); got != want[impact][urgency] {
				t.Errorf("impact %d and urgency %d give priority %d, want %d", impact+1, urgency+1, got, want[impact][urgency])
			}
		}
	}
	for _, test := range []struct{ impact, urgency, want int32 }{{1, 2, 1}, {2, 2, 4}, {3, 3, 5}, {0, 0, 1}, {7, 7, 5}} {
		if got := Priority(upset, test.impact, test.urgency); got != test.want {
			t.Errorf("by another matrix impact %d and urgency %d give priority %d, want %d", test.impact, test.urgency, got, test.want)
		}
	}
}
