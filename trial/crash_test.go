package trial

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/testbed"
)

const (
	crashCallers = 8
	crashPause   = 60 * time.Millisecond // of a caller between two tickets, at most
)

// Nothing that a site acknowledged is lost when its nodes are killed, some or all, at work or while they start; nothing
// that is repeated is done twice; and in the end all nodes tell the same story, ticket by ticket.
func TestCrashLoop(t *testing.T) {
	program := testbed.Build(t)
	for _, c := range []struct {
		name          string
		nodes, rounds int
	}{{"one node", 1, 6}, {"three nodes", 3, 15}} {
		t.Run(c.name, func(t *testing.T) { crashLoop(t, program.Site(t, "330106", c.nodes), roundsOr(c.rounds)) })
	}
}

func crashLoop(t *testing.T, site *testbed.Site, rounds int) {
	ctx, cancel := context.WithTimeout(t.Context(), patience+time.Duration(rounds)*perRound)
	defer cancel()
	ready(ctx, t, site)
	began := time.Now()
	working, stop := context.WithCancel(ctx)
	defer stop()
	books, work := &ledger{}, newTally()
	var callers sync.WaitGroup
	defer callers.Wait()
	defer cancel() // whoever waits for a site that does not work
	for i := range crashCallers {
		caller, err := site.SignIn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(caller.Close)
		w := &worker{
			caller: caller, servers: site.Servers(), leaveOpen: 0.1, prefer: func() int { return -1 },
			attempt: func() time.Duration { return time.Second + rand.N(5*time.Second) },
		}
		d := &desk{w, began, books, work}
		callers.Go(func() { d.takeCalls(ctx, working, fmt.Sprintf("crash-%d", i)) })
	}
	killed := 0
	for round := range rounds {
		moment := 1500 * time.Millisecond // while it starts
		if round%2 == 0 {
			work.further(ctx, t, 20)
			moment = 60 * time.Millisecond // in the midst of the work
		}
		sleep(ctx, rand.N(moment))
		killed += strike(ctx, t, site)
		if (round+1)%20 == 0 {
			t.Logf("round %d: %d kills, %d creates acknowledged, %s", round+1, killed, books.count(true)[testbed.Done], time.Since(began).Round(time.Second))
		}
	}
	ready(ctx, t, site)
	work.further(ctx, t, 20)
	stop()
	callers.Wait()
	worked := time.Since(began)
	stories := agree(ctx, t, site)
	lost, doubled := books.check(t, stories)
	books.checkNumbers(t)
	creates, notes := books.count(true), books.count(false)
	t.Logf("%d rounds, %d kills in %s: creates acknowledged %d, left open %d, not done %d; notes acknowledged %d, left open %d, not done %d; lost %d, doubled %d; compared in %s",
		rounds, killed, worked.Round(time.Second), creates[testbed.Done], creates[testbed.Unknown], creates[testbed.NotDone],
		notes[testbed.Done], notes[testbed.Unknown], notes[testbed.NotDone], lost, doubled, (time.Since(began) - worked).Round(time.Second))
}

// strike kills one node, or some, or all, at the same moment, and starts them again one after the other. Sometimes the
// others are frozen for a while before, so that the victims have what nobody else has, and go on without them after.
func strike(ctx context.Context, t *testing.T, site *testbed.Site) int {
	t.Helper()
	nodes := inDanger(ctx, site)
	number := 1
	switch draw := rand.IntN(10); {
	case draw < 2:
		number = len(nodes)
	case draw < 5:
		number = min(2, len(nodes))
	}
	victims, others := nodes[:number], nodes[number:]
	outage := rand.N(500 * time.Millisecond)
	if len(others) > 0 && rand.IntN(3) == 0 {
		all(t, others, (*testbed.Process).Freeze)
		sleep(ctx, rand.N(300*time.Millisecond))
		outage = rand.N(4 * time.Second)
	}
	var dying sync.WaitGroup
	for _, p := range victims {
		dying.Go(p.Kill)
	}
	dying.Wait()
	all(t, others, (*testbed.Process).Thaw)
	for _, p := range victims {
		sleep(ctx, outage)
		site.Restart(p.Spec.Node)
	}
	return number
}

// inDanger is the site's nodes in any order, every other time the leader first, if there is one.
func inDanger(ctx context.Context, site *testbed.Site) []*testbed.Process {
	nodes := site.Processes()
	rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if rand.IntN(2) == 0 {
		return nodes
	}
	if leader, err := site.Leader(ctx); err == nil {
		i := slices.Index(nodes, leader)
		nodes[0], nodes[i] = nodes[i], nodes[0]
	}
	return nodes
}

func all(t *testing.T, processes []*testbed.Process, do func(*testbed.Process) error) {
	t.Helper()
	for _, p := range processes {
		if err := do(p); err != nil {
			t.Error(err)
		}
	}
}

// desk is one caller of a site that is struck again and again.
type desk struct {
	*worker
	began time.Time // of the trial
	books *ledger
	work  *tally
}

// takeCalls opens tickets and notes something on some of them until working ends. What is under way then is finished.
func (d *desk) takeCalls(ctx, working context.Context, name string) {
	var own []string
	for i := 0; working.Err() == nil; i++ {
		id := fmt.Sprintf("%s-%d", name, i)
		body := map[string]any{"requestId": id, "ticket": map[string]string{"title": id}}
		if opened := d.change(ctx, asked{id: id, verb: "create"}, "/api/v1/tickets", body); opened.outcome == testbed.Done {
			own = append(own, opened.ticket)
		}
		if len(own) > 0 && i%2 == 0 {
			id, number := "note-"+id, own[len(own)-1-rand.IntN(min(10, len(own)))]
			body := map[string]any{"requestId": id, "text": id}
			d.change(ctx, asked{id: id, verb: "note", ticket: number}, "/api/v1/tickets/"+number+":note", body)
		}
		sleep(working, rand.N(crashPause))
	}
}

// change makes a write and enters what came of it.
func (d *desk) change(ctx context.Context, a asked, path string, body map[string]any) asked {
	a.call = time.Since(d.began)
	r := d.write(ctx, path, body)
	a.returned, a.outcome = time.Since(d.began), r.Outcome
	switch r.Outcome {
	case testbed.Done:
		var answer struct{ Number string }
		if err := r.Decode(&answer); err != nil {
			a.outcome, a.refusal = testbed.Refused, err.Error()
		}
		a.ticket = answer.Number
		d.work.add()
	case testbed.Refused:
		a.refusal = r.Err().Error()
	}
	d.books.enter(a)
	return a
}
