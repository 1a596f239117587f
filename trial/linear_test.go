package trial

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/testbed"
)

const (
	linearClients = 10
	hotTickets    = 3
	// coolAfter is how many operations a ticket gets about, before another one takes its place: histories stay short enough
	// to be searched.
	coolAfter = 300

	shortestFreeze = 1200 * time.Millisecond // more than a leader's lease
	longestFreeze  = 8 * time.Second
)

// Clients that read and change a few tickets at all nodes at once see every ticket as if there were one node that does
// one thing after the other, whatever happens to the nodes.
func TestLinearizability(t *testing.T) {
	rounds := roundsOr(len(nemeses()))
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience+time.Duration(rounds)*perRound)
	defer cancel()
	site := testbed.Build(t).Site(t, "330106", 3)
	ready(ctx, t, site)
	d := &hotDesk{site: site, began: time.Now(), books: &ledger{}, seen: &history{}, work: newTally()}
	d.focus.Store(-1)
	d.urgeAtWill(ctx, t)
	working, stop := context.WithCancel(ctx)
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel() // whoever waits for a site that does not work
	for i := range linearClients {
		c := d.client(ctx, t, i)
		clients.Go(func() { c.work(ctx, working) })
	}
	strikes := strikeInTurn(ctx, t, d, rounds)
	stop()
	clients.Wait()
	ready(ctx, t, site)
	stories := agree(ctx, t, site)
	d.lastLook(ctx, t, stories)
	worked := time.Since(d.began)

	d.books.check(t, stories)
	d.books.checkNumbers(t)
	d.seen.judge(stories).report(t)
	d.seen.judgeGlances(stories).report(t)
	d.tell(t, strikes, worked, time.Since(d.began)-worked)
}

// tell logs the figures, and holds the trial to having tried what it is for.
func (d *hotDesk) tell(t *testing.T, strikes []string, worked, checked time.Duration) {
	t.Helper()
	creates, writes := d.books.count(true), d.books.count(false)
	t.Logf("%q", strikes)
	t.Logf("%d operations and %d stale reads on %d tickets in %s; writes done %d (after an unknown outcome %d), refused %d, left open %d, not done %d; checked in %s",
		len(d.seen.operations), len(d.seen.glances), creates[testbed.Done], worked.Round(time.Second), writes[testbed.Done], d.settled.Load(),
		writes[testbed.Refused], len(d.seen.open), writes[testbed.NotDone], checked.Round(time.Millisecond))
	little := len(d.seen.open) == 0 || d.settled.Load() == 0 || writes[testbed.Refused] == 0 || len(d.seen.glances) == 0
	if little && len(strikes) >= len(nemeses()) {
		t.Error("the trial tried too little: some writes must be left open, some repeated until known, some refused, some reads stale")
	}
}

// hotDesk is a site whose clients work on the same few tickets.
type hotDesk struct {
	site    *testbed.Site
	began   time.Time
	books   *ledger
	seen    *history
	work    *tally
	focus   atomic.Int64 // the index of a node that gets half of all calls; -1: none
	settled atomic.Int64 // writes of unknown outcome that were repeated until it was known

	mu  sync.Mutex // guards hot
	hot []string   // numbers of the tickets that are worked on, oldest first
}

// urgeAtWill has the site take an urge at any time: the clients use it as a change that counts.
func (d *hotDesk) urgeAtWill(ctx context.Context, t *testing.T) {
	t.Helper()
	r := d.client(ctx, t, linearClients).write(ctx, "/api/v1/policy", map[string]any{"source": "urging: {cool_down: 0s}"})
	if r.Outcome != testbed.Done {
		t.Fatalf("apply a policy without a cool-down: %v", r.Err())
	}
}

func (d *hotDesk) ticket() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.hot) == 0 {
		return ""
	}
	return d.hot[rand.IntN(len(d.hot))]
}

func (d *hotDesk) opened(number string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hot = append(d.hot, number)
	d.hot = d.hot[max(0, len(d.hot)-hotTickets):]
}

// hotClient is one client. It does one thing after the other.
type hotClient struct {
	*worker
	desk *hotDesk
	name int
	// row is its number in the history. A client that leaves something open goes on as another one.
	row int
	// known is how a ticket was when it was seen last: its etag and its face.
	known map[string]version
}

type version struct {
	Etag string
	face
}

func (d *hotDesk) client(ctx context.Context, t *testing.T, name int) *hotClient {
	t.Helper()
	caller, err := d.site.SignIn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(caller.Close)
	waits := []time.Duration{300 * time.Millisecond, time.Second, 3 * time.Second, 6 * time.Second}
	return &hotClient{
		worker: &worker{
			caller: caller, servers: d.site.Servers(), leaveOpen: 0.3,
			attempt: func() time.Duration { return waits[rand.IntN(len(waits))] },
			prefer:  func() int { return int(d.focus.Load()) },
		},
		desk: d, name: name, row: name, known: map[string]version{},
	}
}

// work does things until working ends; what is under way then is finished.
func (c *hotClient) work(ctx, working context.Context) {
	for i := 0; working.Err() == nil; i++ {
		id := fmt.Sprintf("c%d-%d", c.name, i)
		ticket := c.desk.ticket()
		switch draw := rand.Float64(); {
		case ticket == "" || draw < 1.0/coolAfter:
			c.create(ctx, id)
		case draw < 0.40:
			c.read(ctx, c.server(), ticket)
		case draw < 0.55:
			c.glance(ctx, ticket)
		case draw < 0.70:
			c.assign(ctx, id, ticket, false)
		case draw < 0.90:
			c.assign(ctx, id, ticket, true)
		default:
			c.urge(ctx, id, ticket)
		}
	}
}

func (c *hotClient) create(ctx context.Context, id string) {
	a := asked{id: id, verb: "create", call: time.Since(c.desk.began)}
	r := c.write(ctx, "/api/v1/tickets", map[string]any{"requestId": id, "ticket": map[string]string{"title": id}})
	a.returned, a.outcome = time.Since(c.desk.began), r.Outcome
	if r.Outcome == testbed.Refused {
		a.refusal = r.Err().Error()
	}
	if r.Outcome == testbed.Done {
		var ticket struct{ Number string }
		if err := r.Decode(&ticket); err != nil {
			a.outcome, a.refusal = testbed.Refused, err.Error()
		}
		a.ticket = ticket.Number
		c.desk.opened(ticket.Number)
	}
	c.desk.books.enter(a)
}

// read asks a server for the latest state.
func (c *hotClient) read(ctx context.Context, server, ticket string) {
	began := time.Since(c.desk.began)
	answer := c.try(ctx, c.attempt(), http.MethodGet, server, "/api/v1/tickets/"+ticket, nil)
	if answer.Outcome == testbed.Done {
		c.saw(ticket, answer, began)
		c.desk.work.add()
	} else if answer.Outcome == testbed.Refused {
		c.desk.books.enter(asked{verb: "read", ticket: ticket, outcome: testbed.Refused, refusal: answer.Err().Error()})
	}
}

// saw enters a read that an answer is.
func (c *hotClient) saw(ticket string, answer testbed.Answer, began time.Duration) (shown version) {
	if err := answer.Decode(&shown); err != nil {
		c.desk.books.enter(asked{verb: "read", ticket: ticket, outcome: testbed.Refused, refusal: err.Error()})
	}
	c.known[ticket] = shown
	c.desk.seen.happened(c.row, request{ticket: ticket, verb: read}, "", response{shows: &shown.face}, began, time.Since(c.desk.began))
	return shown
}

// glance reads what a node has. It counts for one life of the node's process only.
func (c *hotClient) glance(ctx context.Context, ticket string) {
	processes := c.desk.site.Processes()
	process := processes[rand.IntN(len(processes))]
	answer := c.try(ctx, c.attempt(), http.MethodGet, process.Spec.URL(), "/api/v1/tickets/"+ticket+"?consistency=stale", nil)
	var shown version
	if answer.Outcome == testbed.Done && answer.Decode(&shown) == nil && c.desk.site.Process(process.Spec.Node) == process {
		c.desk.seen.glanced(glance{c.name, process, ticket, shown.face})
	}
}

func (c *hotClient) assign(ctx context.Context, id, ticket string, conditional bool) {
	in := request{ticket: ticket, verb: assign, to: id, conditional: conditional}
	body := map[string]any{"requestId": id, "assignee": id, "reason": id}
	if conditional {
		last, known := c.known[ticket]
		if !known {
			c.read(ctx, c.server(), ticket)
			return
		}
		in.expect, body["etag"] = last.Assignee, last.Etag
	}
	c.change(ctx, id, in, "assign", body)
}

func (c *hotClient) urge(ctx context.Context, id, ticket string) {
	c.change(ctx, id, request{ticket: ticket, verb: urge}, "urge", map[string]any{"requestId": id, "reason": id})
}

// change makes a write and enters what is known of it. A request with an id may be repeated, by the client and by the
// nodes themselves, and then the answer shows the ticket as it was at that time: it counts as a read of its own.
func (c *hotClient) change(ctx context.Context, id string, in request, verb string, body map[string]any) {
	named := rand.IntN(2) == 0
	if !named {
		delete(body, "requestId") // nothing but an honest answer keeps this from being done twice
	}
	a := asked{id: id, verb: verb, ticket: in.ticket, call: time.Since(c.desk.began)}
	r := c.write(ctx, "/api/v1/tickets/"+in.ticket+":"+verb, body)
	a.returned, a.outcome = time.Since(c.desk.began), r.Outcome
	switch r.Outcome {
	case testbed.Done:
		c.desk.work.add()
		if r.repeated {
			c.desk.settled.Add(1)
		}
		if named {
			c.saw(in.ticket, r.Answer, r.latest.Sub(c.desk.began))
			c.desk.seen.happened(c.row, in, id, response{}, a.call, a.returned)
			break
		}
		var shown version
		if err := r.Decode(&shown); err != nil {
			a.outcome, a.refusal = testbed.Refused, err.Error()
		}
		c.known[in.ticket] = shown
		c.desk.seen.happened(c.row, in, id, response{shows: &shown.face}, a.call, a.returned)
	case testbed.Refused:
		a.refusal = r.Err().Error()
		if in.conditional {
			c.desk.seen.happened(c.row, in, id, response{refused: true}, a.call, a.returned)
			delete(c.known, in.ticket)
		}
	case testbed.Unknown:
		a.returned = never
		c.desk.seen.happened(c.row, in, id, response{}, a.call, never)
		c.row += linearClients
	}
	c.desk.books.enter(a)
}

// lastLook reads every ticket at every node.
func (d *hotDesk) lastLook(ctx context.Context, t *testing.T, stories map[string]story) {
	t.Helper()
	c := d.client(ctx, t, linearClients)
	c.attempt = func() time.Duration { return patience }
	for number := range stories {
		for _, server := range c.servers {
			c.read(ctx, server, number)
		}
	}
}

// nemesis is something that happens to a site.
type nemesis struct {
	name string
	do   func(ctx context.Context, t *testing.T, d *hotDesk)
}

func nemeses() []nemesis {
	return []nemesis{
		{"leader killed", func(ctx context.Context, t *testing.T, d *hotDesk) { d.kill(ctx, d.ranked(ctx, t)[:1]) }},
		{"follower killed", func(ctx context.Context, t *testing.T, d *hotDesk) { d.kill(ctx, d.ranked(ctx, t)[1:2]) }},
		{"leader frozen", func(ctx context.Context, t *testing.T, d *hotDesk) { d.freeze(ctx, t, d.ranked(ctx, t)[:1]) }},
		{"follower frozen", func(ctx context.Context, t *testing.T, d *hotDesk) { d.freeze(ctx, t, d.ranked(ctx, t)[1:2]) }},
		{"lead handed over", func(ctx context.Context, t *testing.T, d *hotDesk) { d.handOver(ctx, t) }},
		{"majority killed", func(ctx context.Context, t *testing.T, d *hotDesk) { d.kill(ctx, d.ranked(ctx, t)[:2]) }},
		{"majority frozen", func(ctx context.Context, t *testing.T, d *hotDesk) { d.freeze(ctx, t, d.ranked(ctx, t)[:2]) }},
	}
}

// strikeInTurn makes every nemesis happen once, in any order, and again, until there were so many rounds. Between two of
// them the site must do some work.
func strikeInTurn(ctx context.Context, t *testing.T, d *hotDesk, rounds int) (names []string) {
	t.Helper()
	var left []nemesis
	for range rounds {
		if len(left) == 0 {
			left = nemeses()
		}
		i := rand.IntN(len(left))
		d.work.further(ctx, t, 400)
		names = append(names, left[i].name)
		left[i].do(ctx, t, d)
		left = slices.Delete(left, i, i+1)
	}
	d.work.further(ctx, t, 400)
	return names
}

// ranked is the site's nodes, the leader first.
func (d *hotDesk) ranked(ctx context.Context, t *testing.T) []*testbed.Process {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	leader, err := d.site.Leader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	all := d.site.Processes()
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	slices.SortStableFunc(all, func(a, b *testbed.Process) int {
		switch leader {
		case a:
			return -1
		case b:
			return 1
		}
		return 0
	})
	return all
}

func (d *hotDesk) kill(ctx context.Context, victims []*testbed.Process) {
	for _, p := range victims {
		p.Kill()
	}
	sleep(ctx, rand.N(3*time.Second))
	for _, p := range victims {
		d.site.Restart(p.Spec.Node)
	}
}

// freeze holds nodes for longer than a leader's lease. Who wakes up may believe for a moment that it still leads: that is
// when most clients ask it.
func (d *hotDesk) freeze(ctx context.Context, t *testing.T, victims []*testbed.Process) {
	t.Helper()
	for _, p := range victims {
		if err := p.Freeze(); err != nil {
			t.Error(err)
		}
	}
	sleep(ctx, min(longestFreeze, shortestFreeze+time.Duration(rand.ExpFloat64()*float64(2*time.Second))))
	d.focus.Store(int64(slices.Index(d.site.Processes(), victims[0])))
	defer d.focus.Store(-1)
	for _, p := range victims {
		if err := p.Thaw(); err != nil {
			t.Error(err)
		}
	}
	d.work.further(ctx, t, 300)
}

// handOver has the lead go from node to node.
func (d *hotDesk) handOver(ctx context.Context, t *testing.T) {
	t.Helper()
	caller, err := d.site.Administrator(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		to := d.ranked(ctx, t)[1].Spec
		bounded, cancel := context.WithTimeout(ctx, 5*time.Second)
		answer := caller.Call(bounded, http.MethodPost, to.URL(), "/api/v1/site:transferLeadership", map[string]string{"node": to.Node})
		cancel()
		if answer.Outcome == testbed.Refused {
			t.Errorf("hand the lead over to %s: %v", to.Node, answer.Err())
		}
		d.work.further(ctx, t, 50)
	}
}
