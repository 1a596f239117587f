package replay_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/replay"
	"github.com/tierdesk/tierdesk/testbed"
	"github.com/tierdesk/tierdesk/verify"
)

// sample is the published log of real incidents. It is not part of this repository; where it does not lie beside the
// checkout, invented incidents of the same shape are replayed instead.
const sample = "../../shared/data/incidents_volvo_sample.csv.gz"

// TestReplayThroughCutsAndKills plays incidents over five processes: a county, a city of three nodes and a province.
// Meanwhile the county's line is cut three times and a node of the city is killed. At the end every site must tell the
// same story of every ticket, and the numbers must be those of the file.
func TestReplayThroughCutsAndKills(t *testing.T) {
	incidents := readIncidents(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	tree := startTree(ctx, t)
	trouble := &trouble{t: t, tree: tree, total: int64(len(planned(incidents)))}
	result, err := replay.Run(ctx, replay.Options{
		Sites: tree.sites(), Incidents: incidents, Workers: 64, Patience: 3 * time.Minute, Progress: trouble.at,
	})
	trouble.wait.Wait()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d incidents, %d steps: %d calls, %d escalations, %d returns in %s: %.0f calls/s",
		result.Incidents, result.Steps, result.Actions, result.Escalations, result.Returns,
		result.Elapsed.Round(time.Millisecond), float64(result.Actions)/result.Elapsed.Seconds())
	if trouble.cuts != 3 || trouble.kills != 1 {
		t.Errorf("the line was cut %d times and %d nodes were killed; the test wants 3 and 1", trouble.cuts, trouble.kills)
	}

	report, err := verify.CompareAtRest(ctx, tree.verifySites(), 2*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("compared:\n%s", report)
	for _, problem := range report.Problems {
		t.Error(problem)
	}
	for _, row := range report.Rows {
		if row.Tickets != len(incidents) {
			t.Errorf("site %s knows %d tickets, want %d", row.Site, row.Tickets, len(incidents))
		}
	}
	wantUp, wantDown := movesInFile(incidents)
	gotUp, gotDown := movesInJournals(ctx, t, tree.desks[2], result.Numbers)
	if gotUp != wantUp || gotDown != wantDown {
		t.Errorf("the province's journals hold %d escalations and %d returns; the file says %d and %d", gotUp, gotDown, wantUp, wantDown)
	}
}

// movesInFile counts steps between support lines in the rows themselves, apart from the plan that was played: a solved
// incident is back at the first line.
func movesInFile(incidents []replay.Incident) (up, down int) {
	for _, incident := range incidents {
		at, solved := 1, false
		for _, row := range incident.Rows {
			completed := row.Status == "Completed"
			if row.Status == "Unmatched" || (completed && solved) {
				continue
			}
			for ; at < row.Line; at++ {
				up++
			}
			for ; at > row.Line; at-- {
				down++
			}
			if solved = completed; solved {
				at = 1
			}
		}
	}
	return up, down
}

// movesInJournals counts the hand-overs that one site's journals tell of. The way home of a solved ticket is no return.
func movesInJournals(ctx context.Context, t *testing.T, desk *verify.Desk, numbers map[string]string) (up, down int) {
	t.Helper()
	for _, number := range numbers {
		solved := false
		for entry, err := range verify.Journal(ctx, desk.Nodes[0], number) {
			if err != nil {
				t.Fatal(err)
			}
			switch entry.Type {
			case "RESOLVED":
				solved = true
			case "REOPENED":
				solved = false
			case "ESCALATION_QUEUED":
				up++
			case "RETURN_QUEUED":
				if !solved {
					down++
				}
			}
		}
	}
	return up, down
}

func planned(incidents []replay.Incident) (all []replay.Action) {
	for _, incident := range incidents {
		all = append(all, replay.Plan(incident)...)
	}
	return all
}

func readIncidents(t *testing.T) []replay.Incident {
	t.Helper()
	var source io.Reader
	file, err := os.Open(sample)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		t.Logf("%s is not here: replaying invented incidents", filepath.Base(sample))
		source = strings.NewReader(invented())
	case err != nil:
		t.Fatal(err)
	default:
		defer file.Close()
		unpacked, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		source = unpacked
	}
	incidents, err := replay.Read(source)
	if err != nil {
		t.Fatal(err)
	}
	return incidents
}

// invented returns two hundred incidents in the file's form that use every word of the mapping.
func invented() string {
	var b strings.Builder
	b.WriteString("sr_number,change_datetime,status,sub_status,involved_st,sr_latest_impact,product,country\n")
	lives := [][]string{
		{"Accepted,In Progress,G1", "Completed,In Call,G1", "Completed,Closed,G1"},
		{"Queued,Awaiting Assignment,G2 2nd", "Accepted,In Progress,G2 2nd", "Accepted,Wait - User,G2 2nd", "Completed,Resolved,G2 2nd", "Completed,Closed,G1"},
		{"Accepted,In Progress,G1", "Queued,Awaiting Assignment,V5 3rd", "Accepted,Assigned,V5 3rd", "Queued,Awaiting Assignment,G1", "Unmatched,Unmatched,G1", "Completed,Resolved,G1"},
		{"Accepted,Wait,V5 2nd 3rd", "Completed,Resolved,V5 2nd 3rd", "Accepted,In Progress,G2 2nd", "Completed,Closed,G2 2nd"},
	}
	start := time.Date(2012, 5, 1, 8, 0, 0, 0, time.UTC)
	for i := range 200 {
		for j, words := range lives[i%len(lives)] {
			moment := start.Add(time.Duration(i*10+j) * time.Minute).Format(time.RFC3339)
			fields := strings.Split(words, ",")
			fmt.Fprintf(&b, "1-%d,%s,%s,%s,%s,Medium,PROD%d,se\n", i, moment, fields[0], fields[1], fields[2], i%7)
		}
	}
	return b.String()
}

// tree is the running sites: county, city, province.
type tree struct {
	lines []*testbed.Line // county to each node of the city
	city  []*testbed.Process
	desks [3]*verify.Desk
	ids   [3]string
	names [3]string
}

func (tr *tree) sites() (sites [3]replay.Site) {
	for i, desk := range tr.desks {
		sites[i] = replay.Site{ID: tr.ids[i], Nodes: desk.Nodes}
	}
	return sites
}

func (tr *tree) verifySites() []verify.Site {
	parents := [3]string{tr.ids[1], tr.ids[2], ""}
	var sites []verify.Site
	for i, desk := range tr.desks {
		sites = append(sites, desk.Site(tr.ids[i], tr.names[i], parents[i]))
	}
	return sites
}

func startTree(ctx context.Context, t *testing.T) *tree {
	t.Helper()
	program := testbed.Build(t)
	dir := t.TempDir()
	tr := &tree{ids: [3]string{"330106", "330100", "330000"}, names: [3]string{"西湖区", "杭州市", "浙江省"}}
	free := testbed.FreeAddresses(t, 20)
	spec := func(line int, tier, node string) testbed.NodeSpec {
		s := testbed.NodeSpec{
			Site: tr.ids[line], Name: tr.names[line], Tier: tier, Node: node, Dir: filepath.Join(dir, tr.ids[line], node),
			HTTP: free[0], GRPC: free[1], Raft: free[2], Gossip: free[3], BootstrapExpect: 1,
		}
		if line < 2 {
			s.Parent = tr.ids[line+1]
		}
		free = free[4:]
		return s
	}
	province := spec(2, "province", "n1")
	cities := []testbed.NodeSpec{spec(1, "city", "n1"), spec(1, "city", "n2"), spec(1, "city", "n3")}
	county := spec(0, "county", "n1")
	for i := range cities {
		cities[i].BootstrapExpect = 3
		cities[i].Join = []string{cities[0].GRPC, cities[1].GRPC, cities[2].GRPC}
		cities[i].GossipJoin = []string{province.Gossip, cities[0].Gossip}
		line := testbed.NewLine(t, cities[i].GRPC)
		tr.lines = append(tr.lines, line)
		// No gossip for the county: it knows its city by the lines alone, so that a cut is a cut.
		county.ParentAddresses = append(county.ParentAddresses, line.Addr)
	}
	all := []*testbed.Process{program.Serve(t, province)}
	for _, city := range cities {
		tr.city = append(tr.city, program.Serve(t, city))
	}
	all = append(append(all, tr.city...), program.Serve(t, county))
	for _, process := range all {
		if err := process.Ready(ctx); err != nil {
			t.Fatal(err)
		}
	}
	tr.signIn(ctx, t, 0, county.GRPC)
	tr.signIn(ctx, t, 1, cities[0].GRPC, cities[1].GRPC, cities[2].GRPC)
	tr.signIn(ctx, t, 2, province.GRPC)
	return tr
}

func (tr *tree) signIn(ctx context.Context, t *testing.T, line int, addresses ...string) {
	t.Helper()
	desk, err := verify.SignIn(ctx, addresses, "admin", testbed.Password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := desk.Close(); err != nil {
			t.Errorf("close the connections to %s: %v", tr.ids[line], err)
		}
	})
	tr.desks[line] = desk
}

// trouble cuts the line and kills a node when the replay has come so far.
type trouble struct {
	t     *testing.T
	tree  *tree
	total int64

	mu    sync.Mutex // guards next, cuts, kills
	next  int
	cuts  int
	kills int
	wait  sync.WaitGroup
}

// at is told after every call; at fixed shares of the whole it makes the next trouble.
func (tr *trouble) at(p replay.Progress) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	plan := []struct {
		percent int64
		do      func()
	}{{10, tr.cut}, {30, tr.kill}, {50, tr.cut}, {75, tr.cut}}
	if tr.next < len(plan) && 100*p.Actions >= plan[tr.next].percent*tr.total {
		tr.wait.Go(plan[tr.next].do)
		tr.next++
	}
}

// cut keeps the line dead until the county has given it up and escalations wait for it, then heals it.
func (tr *trouble) cut() {
	for _, line := range tr.tree.lines {
		line.Cut()
	}
	defer func() {
		for _, line := range tr.tree.lines {
			line.Heal()
		}
	}()
	ctx, cancel := context.WithTimeout(tr.t.Context(), time.Minute)
	defer cancel()
	county := tr.tree.desks[0]
	for ctx.Err() == nil {
		overview, err := county.Sites.GetSite(ctx, &apipb.GetSiteRequest{})
		if err == nil && len(overview.Links) == 1 {
			if link := overview.Links[0]; link.State == apipb.LinkStatus_DOWN && link.Queued > 0 {
				tr.mu.Lock()
				defer tr.mu.Unlock()
				tr.cuts++
				return
			}
		}
		pause(ctx, 50*time.Millisecond)
	}
	tr.t.Error("the line was cut for a minute, but the county never showed it down with escalations waiting")
}

// kill ends the city's leader as a power cut does, and starts it again when the others have gone on.
func (tr *trouble) kill() {
	ctx, cancel := context.WithTimeout(tr.t.Context(), time.Minute)
	defer cancel()
	overview := &apipb.GetSiteResponse{}
	for overview.GetLeader() == "" { // between two leaders a city has none
		var err error
		if overview, err = tr.tree.desks[1].Sites.GetSite(ctx, &apipb.GetSiteRequest{}); ctx.Err() != nil {
			tr.t.Errorf("ask the city for its leader: %v", err)
			return
		}
		pause(ctx, 50*time.Millisecond)
	}
	for i, process := range tr.tree.city {
		if process.Spec.Node != overview.Leader {
			continue
		}
		process.Kill()
		pause(ctx, 3*time.Second) // the outage itself, not a wait for something
		tr.tree.city[i] = process.Restart(tr.t)
		if err := tr.tree.city[i].Ready(ctx); err != nil {
			tr.t.Error(err)
			return
		}
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.kills++
		return
	}
	tr.t.Errorf("the city's leader %q is none of its nodes", overview.Leader)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
