package trial

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/testbed"
)

const (
	memberCallers = 6
	// callDeadline is how long a person waits for a ticket to be taken. What may be repeated is repeated until then.
	callDeadline = 30 * time.Second
)

// A site that is at work grows from one node to three, is restarted node by node, takes in a fourth node and lets it go,
// replaces a disk, keeps out a node of another site and moves its lead around. Nobody who calls notices.
func TestMembersComeAndGoUnderLoad(t *testing.T) {
	program := testbed.Build(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	site := program.Site(t, "330106", 1)
	ready(ctx, t, site)
	working, stop := context.WithCancel(ctx)
	defer stop()
	m := &membership{t: t, program: program, site: site, began: time.Now(), books: &ledger{}, work: newTally()}
	var callers sync.WaitGroup
	defer callers.Wait()
	defer stop()
	for i := range memberCallers {
		caller, err := site.SignIn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(caller.Close)
		callers.Go(func() { m.takeCalls(ctx, working, caller, fmt.Sprintf("member-%d", i)) })
	}
	for _, step := range []struct {
		name string
		do   func(context.Context)
	}{
		{"from one node to three", m.grow},
		{"restart every node in turn", m.restartAll},
		{"a fourth node comes and goes", m.comeAndGo},
		{"an empty disk", m.replaceDisk},
		{"a node of another site", m.stranger},
		{"the lead moves", m.moveLead},
	} {
		began := time.Now()
		m.work.further(ctx, t, 20)
		step.do(ctx)
		m.work.further(ctx, t, 20)
		t.Logf("%s: %s", step.name, time.Since(began).Round(10*time.Millisecond))
	}
	stop()
	callers.Wait()
	lost, doubled := m.books.check(t, agree(ctx, t, site))
	m.books.checkNumbers(t)
	creates := m.books.count(true)
	if creates[testbed.Unknown]+creates[testbed.NotDone]+creates[testbed.Refused] > 0 {
		t.Errorf("of the calls that were to be answered within %s these were not: unknown %d, not done %d, refused %d", callDeadline,
			creates[testbed.Unknown], creates[testbed.NotDone], creates[testbed.Refused])
	}
	t.Logf("%d creates acknowledged, lost %d, doubled %d, the longest took %s", creates[testbed.Done], lost, doubled, m.longest())
}

// membership is a site whose members change while callers open tickets.
type membership struct {
	t       *testing.T
	program testbed.Program
	site    *testbed.Site
	began   time.Time
	books   *ledger
	work    *tally
}

// takeCalls opens tickets until working ends. Each is asked for at any node, with one request id, as long as nobody says
// for good that it was or was not opened and its deadline has not passed.
func (m *membership) takeCalls(ctx, working context.Context, caller *testbed.Caller, name string) {
	for i := 0; working.Err() == nil; i++ {
		a := asked{id: fmt.Sprintf("%s-%d", name, i), verb: "create", call: time.Since(m.began)}
		m.open(ctx, caller, &a)
		a.returned = time.Since(m.began)
		m.books.enter(a)
		if a.outcome == testbed.Done {
			m.work.add()
		}
		sleep(working, rand.N(30*time.Millisecond))
	}
}

func (m *membership) open(ctx context.Context, caller *testbed.Caller, a *asked) {
	ctx, cancel := context.WithTimeout(ctx, callDeadline)
	defer cancel()
	body := map[string]any{"requestId": a.id, "ticket": map[string]string{"title": a.id}}
	unknown := false
	for a.outcome = testbed.NotDone; ctx.Err() == nil; sleep(ctx, rand.N(40*time.Millisecond)) {
		servers := m.site.Servers()
		answer := caller.Call(ctx, http.MethodPost, servers[rand.IntN(len(servers))], "/api/v1/tickets", body)
		switch answer.Outcome {
		case testbed.Done:
			var ticket struct{ Number string }
			a.outcome = testbed.Done
			if err := answer.Decode(&ticket); err != nil {
				a.outcome, a.refusal = testbed.Refused, err.Error()
			}
			a.ticket = ticket.Number
			return
		case testbed.Refused:
			a.outcome, a.refusal = testbed.Refused, answer.Err().Error()
			return
		case testbed.Unknown:
			unknown = true
		}
	}
	if unknown {
		a.outcome = testbed.Unknown
	}
}

// longest is what the slowest caller waited.
func (m *membership) longest() (longest time.Duration) {
	for _, a := range m.books.all {
		longest = max(longest, a.returned-a.call)
	}
	return longest.Round(time.Millisecond)
}

// voters waits until the site has exactly these voters, alive, and lists no other server in its directory.
func (m *membership) voters(ctx context.Context, nodes ...string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		complaint := m.complaint(ctx, nodes)
		if complaint == "" {
			return
		}
		if ctx.Err() != nil {
			m.t.Fatalf("the voters are not %v: %s", nodes, complaint)
		}
		sleep(ctx, 50*time.Millisecond)
	}
}

func (m *membership) complaint(ctx context.Context, nodes []string) string {
	standing, err := m.site.Standing(ctx, nodes[0])
	if err != nil {
		return err.Error()
	}
	var there []string
	for _, n := range standing.Nodes {
		if n.Alive && n.Role != "LEARNER" {
			there = append(there, n.ID)
		}
	}
	if strings.Join(there, " ") != strings.Join(nodes, " ") || len(standing.Nodes) != len(nodes) {
		return fmt.Sprintf("the group has %+v", standing.Nodes)
	}
	var directory struct {
		Sites []struct{ Nodes []struct{ ID string } }
	}
	if err := m.ask(ctx, http.MethodGet, "/api/v1/sites", nil, &directory); err != nil {
		return err.Error()
	}
	if len(directory.Sites) != 1 || len(directory.Sites[0].Nodes) != len(nodes) {
		return fmt.Sprintf("the directory has %+v", directory)
	}
	return ""
}

// ask makes one call of the administrator at the first node.
func (m *membership) ask(ctx context.Context, method, path string, body, into any) error {
	caller, err := m.site.Administrator(ctx)
	if err != nil {
		return err
	}
	answer := caller.Call(ctx, method, m.site.Servers()[0], path, body)
	if answer.Outcome != testbed.Done {
		return answer.Err()
	}
	if into == nil {
		return nil
	}
	return answer.Decode(into)
}

func (m *membership) grow(ctx context.Context) {
	for range 2 {
		m.serving(ctx, m.site.Add(m.site.Joiner()))
	}
	m.voters(ctx, "n1", "n2", "n3")
}

func (m *membership) serving(ctx context.Context, p *testbed.Process) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := p.Ready(ctx); err != nil {
		m.t.Fatal(err)
	}
}

func (m *membership) restartAll(ctx context.Context) {
	for _, spec := range m.site.Specs() {
		if code, err := m.site.Process(spec.Node).Terminate(ctx); code != 0 || err != nil {
			m.t.Errorf("%s ended with %d, %v", spec.Node, code, err)
		}
		m.serving(ctx, m.site.Restart(spec.Node))
	}
	m.voters(ctx, "n1", "n2", "n3")
}

// comeAndGo has a fourth node join, lead and leave.
func (m *membership) comeAndGo(ctx context.Context) {
	fourth := m.program.Serve(m.t, m.site.Joiner())
	m.serving(ctx, fourth)
	m.voters(ctx, "n1", "n2", "n3", "n4")
	m.lead(ctx, "n4")
	if err := m.ask(ctx, http.MethodPost, "/api/v1/site:removeNode", map[string]string{"node": "n4"}, nil); err != nil {
		m.t.Fatalf("remove n4, which leads: %v", err)
	}
	m.voters(ctx, "n1", "n2", "n3")
	m.says(ctx, fourth, "this server was taken out of its group")
	fourth.Kill()
}

// says waits until a process has written the words.
func (m *membership) says(ctx context.Context, p *testbed.Process, words string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for !strings.Contains(p.Log(), words) {
		if ctx.Err() != nil {
			m.t.Fatalf("%s does not say %q", p.Spec.Node, words)
		}
		sleep(ctx, 50*time.Millisecond)
	}
}

// replaceDisk empties the disk of a node whose configuration names no other node, as that of a founding node may.
func (m *membership) replaceDisk(ctx context.Context) {
	m.site.Kill("n2")
	replaced := m.site.Process("n2")
	if err := os.RemoveAll(replaced.Spec.Dir); err != nil {
		m.t.Fatal(err)
	}
	again := m.site.RestartAs("n2", func(spec *testbed.NodeSpec) { spec.Join, spec.BootstrapExpect = nil, 3 })
	m.serving(ctx, again)
	m.voters(ctx, "n1", "n2", "n3")
	if strings.Contains(again.Log(), "founded the site") {
		m.t.Error("the node with the empty disk founded the site again")
	}
}

func (m *membership) stranger(ctx context.Context) {
	spec := m.site.Joiner()
	spec.Site, spec.Dir, spec.GossipJoin = "330108", filepath.Join(m.t.TempDir(), "data"), nil
	stranger := m.program.Serve(m.t, spec)
	m.says(ctx, stranger, "this is a node of 330106, not of 330108; look at raft.join")
	stranger.Kill()
	m.voters(ctx, "n1", "n2", "n3")
}

func (m *membership) moveLead(ctx context.Context) {
	for _, spec := range m.site.Specs() {
		m.lead(ctx, spec.Node)
	}
}

// lead asks for a leader until that one leads.
func (m *membership) lead(ctx context.Context, node string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := m.ask(ctx, http.MethodPost, "/api/v1/site:transferLeadership", map[string]string{"node": node}, nil)
		standing, standingErr := m.site.Standing(ctx, "n1")
		if err == nil && standingErr == nil && standing.Leader == node {
			return
		}
		if ctx.Err() != nil {
			m.t.Fatalf("%s does not lead: %v, %v; leader is %q", node, err, standingErr, standing.Leader)
		}
		sleep(ctx, 50*time.Millisecond)
	}
}
