package main

import (
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/load"
)

func TestMedianAndPercentile(t *testing.T) {
	if got := median([]float64{5, 1, 3}); got != 3 {
		t.Errorf("median of three: %v, want 3", got)
	}
	if got := median([]float64{4, 1, 2, 9}); got != 3 {
		t.Errorf("median of four: %v, want 3", got)
	}
	sorted := make([]float64, 20)
	for i := range sorted {
		sorted[i] = float64(i + 1)
	}
	for p, want := range map[int]float64{1: 1, 50: 10, 95: 19, 96: 20, 100: 20} {
		if got := percentile(sorted, p); got != want {
			t.Errorf("percentile %d of 1 … 20: %v, want %v", p, got, want)
		}
	}
}

// Ratios are taken turn by turn, so that what slowed both sides down for a while does not count.
func TestCompareByTurns(t *testing.T) {
	c := cell{load.Create, 64}
	turnOf := func(side string, repeat int, rate, p99 float64) turn {
		return turn{cell: c, Side: side, Repeat: repeat, Row: load.Row{Rate: rate, Latency: load.Latency{P99: p99},
			Errors: map[string]int64{"Internal": 1}}}
	}
	got := compare(c, []turn{
		turnOf(tierdeskSide, 0, 200, 10), turnOf(etcdSide, 0, 100, 20),
		turnOf(tierdeskSide, 1, 20, 100), turnOf(etcdSide, 1, 10, 100),
		turnOf(tierdeskSide, 2, 300, 5), turnOf(etcdSide, 2, 100, 20),
		{cell: cell{load.Read, 64}, Side: etcdSide, Row: load.Row{Rate: 1e9}},
	})
	if r := got.RateRatio; r.Median != 2 || r.Least != 2 || r.Most != 3 {
		t.Errorf("ratio of rates %v, want 2 (2–3)", r)
	}
	if r := got.P99Ratio; r.Median != 0.5 || r.Least != 0.25 || r.Most != 1 {
		t.Errorf("ratio of p99 %v, want 0.5 (0.25–1)", r)
	}
	if got.Tierdesk.Rate != 200 || got.Etcd.Rate != 100 || got.Etcd.Errors != 3 {
		t.Errorf("medians %+v and %+v, want 200 and 100 with 3 errors", got.Tierdesk, got.Etcd)
	}
	alone := compare(c, []turn{turnOf(tierdeskSide, 0, 200, 10)})
	if alone.Etcd != nil || alone.RateRatio != nil {
		t.Errorf("one side alone: %+v, want nothing of the other", alone)
	}
	if row := strings.Join(alone.row(), "|"); !strings.HasPrefix(row, "create, 64 clients|200|–|–|") {
		t.Errorf("row of one side: %s", row)
	}
}

func TestCellsThatCannotBe(t *testing.T) {
	for _, cells := range []string{"", "create", "create:0", "list:4", "read:64", "create:1,write:2"} {
		c := contest{repeat: 1, perNode: 1, duration: 1}
		if err := c.parse(cells, ""); err == nil {
			t.Errorf("-cells %q was taken: %v", cells, c.cells)
		}
	}
	c := contest{repeat: 1, perNode: 1, duration: 1}
	if err := c.parse("create:1,read:64", etcdSide); err != nil || len(c.cells) != 2 || len(c.sides) != 1 {
		t.Errorf("parse: %v with %v of %v", err, c.cells, c.sides)
	}
}
