package console

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestARuleIsNamedWhereSeveralCouldBeMeant(t *testing.T) {
	t.Parallel()
	policy := &deskpb.Policy{Targets: []*deskpb.Target{
		{Name: "response", Metric: deskpb.Sla_RESPONSE},
		{Name: "no-response", Metric: deskpb.Sla_RESPONSE, None: true},
		{Name: "resolution-1", Metric: deskpb.Sla_RESOLUTION},
		{Name: "resolution-2", Metric: deskpb.Sla_RESOLUTION},
		{Name: "resolution-city", Metric: deskpb.Sla_RESOLUTION, Tier: "CITY"},
	}}
	d := &dossier{policy: policy}
	for _, tt := range []struct {
		name  string
		clock *deskpb.Sla
		want  string
	}{
		{"the only one that sets a time", &deskpb.Sla{Metric: deskpb.Sla_RESPONSE, Rule: "response"}, ""},
		{"one of two", &deskpb.Sla{Metric: deskpb.Sla_RESOLUTION, Rule: "resolution-2"}, "resolution-2"},
		{"the only one of a tier", &deskpb.Sla{Metric: deskpb.Sla_RESOLUTION, Tier: "CITY", Rule: "resolution-city"}, ""},
		{"one that another office has", &deskpb.Sla{Metric: deskpb.Sla_UPDATE, Rule: "news"}, "news"},
	} {
		if got := d.ruleAmongOthers(tt.clock); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
