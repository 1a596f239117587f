package tiers

import (
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// told is what the table has for a peer behind a version, by site.
func told(table *reachTable, peer desk.SiteID, after uint64) (alive map[string]bool, version uint64) {
	news, version := table.news(peer, after)
	alive = make(map[string]bool)
	for _, r := range news {
		alive[r.Site] = r.Alive
	}
	return alive, version
}

func TestReachOfOtherNodesIsPassedOn(t *testing.T) {
	now := time.UnixMicro(1_000_000_000)
	second := func(n int) time.Time { return now.Add(time.Duration(n) * time.Second) }
	table := newReachTable()
	table.connected("330000", now)
	table.hear("330000", &linkpb.Reach{Site: "330200", Alive: true, Since: now.UnixMicro()})
	county := []Reach{{Site: "330106", Alive: true, Since: now}, {Site: "330000", Since: second(9)}, {Site: "330200", Since: second(9)}}
	table.merge(county, second(1), 3*time.Second)
	news, version := told(table, "330000", 0)
	if len(news) != 1 || !news["330106"] {
		t.Fatalf("the province is told %v, want the county alive and nothing that it told itself", news)
	}
	if news, _ = told(table, "330106", 0); len(news) != 2 || !news["330000"] || !news["330200"] {
		t.Errorf("the county is told %v, want province and other city alive as this node hears them", news)
	}
	if news, _ = told(table, "330000", version); len(news) != 0 {
		t.Errorf("the province is told %v again", news)
	}

	table.merge(nil, second(3), 3*time.Second)
	if news, _ = told(table, "330000", version); len(news) != 0 {
		t.Errorf("one late answer makes %v", news)
	}
	table.merge(nil, second(5), 3*time.Second)
	if news, version = told(table, "330000", version); len(news) != 1 || news["330106"] {
		t.Errorf("nobody hears the county any more and the province is told %v, want it gone", news)
	}

	// The link moves to this node; what the other one says is older than that, whatever its clock shows.
	table.connected("330106", second(6))
	table.merge([]Reach{{Site: "330106", Since: second(60)}}, second(7), 3*time.Second)
	if news, version = told(table, "330000", version); len(news) != 1 || !news["330106"] {
		t.Errorf("the county is carried here and the province is told %v, want it alive", news)
	}
	table.disconnected("330106", second(8))
	table.merge([]Reach{{Site: "330106", Alive: true, Since: second(8)}}, second(9), 3*time.Second)
	if news, version = told(table, "330000", version); len(news) != 1 || !news["330106"] {
		t.Errorf("the link moved back and the province is told %v, want the county alive", news)
	}
	table.merge([]Reach{{Site: "330106", Since: second(7)}}, second(10), 3*time.Second)
	if news, _ = told(table, "330000", version); len(news) != 1 || news["330106"] {
		t.Errorf("no node carries the county and the province is told %v, want it gone", news)
	}
	if list := table.list(); len(list) != 3 {
		t.Errorf("this node lists %v, want only what it heard itself", list)
	}
}
