package tiers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// Site is the replicated site for which links speak. node implements it. Its methods are safe for concurrent use.
type Site interface {
	// Propose has a command decided by the site's group, from any of its nodes. A refusal is in the result. An error
	// says that the outcome is unknown or that nothing was done; every command that tiers proposes may be repeated.
	Propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error)
	// Barrier proves that the site's leader has its majority and that local reads are current.
	Barrier(ctx context.Context) error
	// View reads this node's state.
	View(read func(*store.Reader) error) error
	// Changed returns a channel that is closed when something for the peer was written (outbox, queued hand-over).
	Changed(peer desk.SiteID) <-chan struct{}
	// Leading tells whether this node leads the site, with the Raft term; the channel is closed when that changes.
	Leading() (leading bool, term uint64, changed <-chan struct{})
}

// Options starts the links of one node.
type Options struct {
	Site   Site
	SiteID desk.SiteID
	Name   string
	Tier   deskpb.Site_Tier
	Parent desk.SiteID // empty at the province
	Node   string
	// Others returns what each other node of the site heard over its own links (Reach).
	// It is called every two seconds while a link lives here; nil: this node is alone.
	Others func(ctx context.Context) []Reach
	// AskOthers has the site's other nodes put a question about a file to a neighbour; nil when none of them carries the
	// link. nil: this node is alone.
	AskOthers func(ctx context.Context, peer desk.SiteID, w *linkpb.Want) *linkpb.Piece
	// ParentAddresses returns grpc addresses of the parent's nodes, best first.
	ParentAddresses func() []string
	// ParentSeen returns a channel that is closed when a node of the parent comes to life, as a hint to dial it at once;
	// nil: nobody hears of that.
	ParentSeen func() <-chan struct{}
	// Dial opens a connection to a neighbour; nil: plain TCP. Tests and the demo cut lines here.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Credentials for calls to a site, which may be another parent than at the start; nil: without TLS.
	Credentials func(site desk.SiteID) credentials.TransportCredentials
	// Now is the site's time, told to the neighbours and held against what the log dates; nil: the machine's clock.
	Now func() time.Time
	// PeerSite returns the site that the other end's certificate names, "" when it shows none; secured is false without TLS, when all
	// others are on this machine. nil: without TLS.
	PeerSite func(ctx context.Context) (site string, secured bool)
	// Renewal is this node's part in renewing certificates; nil without TLS.
	Renewal *Renewal
	// CheckCheckpoint says what is wrong with the signature of a checkpoint that a child hands up; nil: nobody looks at it.
	CheckCheckpoint func(c *deskpb.AuditCheckpoint) error
	// Refused is told of each call that is refused, and why; nil: each is logged.
	Refused func(ctx context.Context, reason string)
	Logger  *slog.Logger          // nil: nothing is logged
	Metrics prometheus.Registerer // nil: not measured
}

func (o *Options) validate() error {
	switch {
	case o.Site == nil:
		return errors.New("start the links: there is no site to speak for")
	case !o.SiteID.Valid():
		return fmt.Errorf("start the links: %q cannot name a site", o.SiteID)
	case o.Parent != "" && o.ParentAddresses == nil:
		return fmt.Errorf("start the links of %s: nothing tells the addresses of its parent %s", o.SiteID, o.Parent)
	}
	return nil
}

func (o *Options) complete() {
	if o.ParentSeen == nil {
		o.ParentSeen = func() <-chan struct{} { return nil }
	}
	if o.AskOthers == nil {
		o.AskOthers = func(context.Context, desk.SiteID, *linkpb.Want) *linkpb.Piece { return nil }
	}
	if o.Dial == nil {
		o.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", address)
		}
	}
	if o.Credentials == nil {
		o.Credentials = func(desk.SiteID) credentials.TransportCredentials { return insecure.NewCredentials() }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.PeerSite == nil {
		o.PeerSite = func(context.Context) (string, bool) { return "", false }
	}
	if o.CheckCheckpoint == nil {
		o.CheckCheckpoint = func(*deskpb.AuditCheckpoint) error { return nil }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Refused == nil {
		o.Refused = func(_ context.Context, reason string) { o.Logger.Warn("a caller was refused", "reason", reason) }
	}
}

// pace holds the times and bounds of a link.
type pace struct {
	connect time.Duration // for one address, up to the neighbour's Hello
	reach   time.Duration // for one address, up to the connection
	barrier time.Duration // for one proof of the majority
	propose time.Duration // for one command of the log
	piece   time.Duration // for the answer to a question about a file
	insist  time.Duration // without an outcome, after which a stream is given up
	retry   time.Duration // between attempts at a command that had no outcome
	beat    time.Duration // between heartbeats
	silence time.Duration // without a frame, after which a stream is given up
	doubt   time.Duration // without a sign that the peer commits, after which a stream is given up
	redial  time.Duration // first pause after a failed attempt; it doubles
	redials time.Duration // longest pause after a failed attempt
	refused time.Duration // pause after a refusal
	// A site is told that its history is wrong for this long before it believes that: longer than one call may take, so that
	// two calls, each with new Hellos of both ends, have said so.
	certain time.Duration
	// A site is told that another copy of it lives for this long before it believes that: longer than a stream that broke
	// without a word is taken for living, at another node of the neighbour (silence, survey, silence).
	departed time.Duration
	// A mark that moved less than this ago may have overtaken a Hello, which is answered within the time for one call; the
	// rest is for clocks of a site's nodes that disagree.
	settle   time.Duration
	note     time.Duration // for which acknowledgements gather before the log notes the newest
	courier  time.Duration // between looks of the courier at the queue when nothing wakes it
	survey   time.Duration // between two questions to the site's other nodes
	recheck  time.Duration // between two looks for a reason to try parked items again
	retries  time.Duration // after which they are tried again without one
	moves    time.Duration // between two looks at what moves of offices ask for
	transit  time.Duration // over which landed hand-overs are counted
	frame    int           // bytes of items in one frame; a command has at most twice as many
	items    int           // items in one frame
	run      int           // items in one command
	bytes    int           // unacknowledged bytes
	window   int           // unacknowledged items
	lag      uint64        // pending items above which a link is catching up
	transits [2]int        // least and most hand-overs in transit
}

func defaultPace() pace {
	return pace{
		connect:  2 * time.Second,
		reach:    time.Second,
		barrier:  time.Second,
		propose:  5 * time.Second,
		piece:    30 * time.Second,
		insist:   10 * time.Second,
		retry:    200 * time.Millisecond,
		beat:     time.Second,
		silence:  3 * time.Second,
		doubt:    5 * time.Second,
		redial:   200 * time.Millisecond,
		redials:  500 * time.Millisecond,
		refused:  15 * time.Second,
		certain:  3 * time.Second,
		departed: 10 * time.Second,
		settle:   5 * time.Second,
		note:     50 * time.Millisecond,
		courier:  200 * time.Millisecond,
		survey:   2 * time.Second,
		recheck:  10 * time.Second,
		retries:  time.Hour,
		moves:    time.Second,
		transit:  200 * time.Millisecond,

		frame:    256 << 10,
		items:    256,
		run:      1024,
		bytes:    1 << 20,
		window:   2048,
		lag:      1000,
		transits: [2]int{8, 1024},
	}
}

// errStopping ends the streams of a node that goes.
var errStopping = errors.New("this node stops")

// Tiers carries the links of one node: it dials the parent while the node leads its site, and answers children at any
// time. Its methods are safe for concurrent use.
type Tiers struct {
	linkpb.UnimplementedLinkServer
	o       Options
	pace    pace
	board   *board
	reach   *reachTable
	metrics *metrics
	proof   *proof
	above   above  // the parent's clock
	bench   *bench // what the children say against this site
	lines   lines
	// renewals holds a token for each request for a certificate that is under way for somebody else.
	renewals chan struct{}

	stopping chan struct{}  // closed by Stop
	running  sync.WaitGroup // everything that Start, Connect and their streams began

	mu       sync.Mutex                // guards stopped, sessions and heard
	stopped  bool                      // no stream may begin any more
	sessions map[desk.SiteID]*session  // the live stream of each child
	heard    map[desk.SiteID]time.Time // when the log last took a child's word on its own place
}

// Start begins to dial the parent whenever this node leads.
func Start(o Options) (*Tiers, error) { return start(o, defaultPace()) }

func start(o Options, p pace) (*Tiers, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.complete()
	o.Logger = o.Logger.With("component", "tiers", "site", string(o.SiteID))
	m := newMetrics(o.Metrics)
	t := &Tiers{
		o:        o,
		pace:     p,
		metrics:  m,
		board:    newBoard(o.Logger, m),
		reach:    newReachTable(),
		proof:    newProof(),
		bench:    newBench(),
		lines:    lines{live: make(map[desk.SiteID]*session)},
		renewals: make(chan struct{}, maxRenewals),
		stopping: make(chan struct{}),
		sessions: make(map[desk.SiteID]*session),
		heard:    make(map[desk.SiteID]time.Time),
	}
	if err := m.register(t); err != nil {
		return nil, fmt.Errorf("start the links of %s: %w", o.SiteID, err)
	}
	t.running.Go(t.keepProof)
	t.running.Go(t.keepRetrying)
	t.running.Go(t.move)
	if o.Parent != "" {
		t.running.Go(t.dialParent)
	}
	if o.Others != nil {
		t.running.Go(t.askOthers)
	}
	return t, nil
}

// Register adds the Link service to the node's grpc server.
func (t *Tiers) Register(s grpc.ServiceRegistrar) { linkpb.RegisterLinkServer(s, t) }

// Links returns the links this node carries now, and those that went down here, by peer. The parent is among them
// while this node leads.
func (t *Tiers) Links() []LinkStatus { return t.board.list() }

// Reach returns the sites this node heard of over its own links, by id, this site excluded.
func (t *Tiers) Reach() []Reach { return t.reach.list() }

// askOthers keeps what the site's other nodes know, so that each link tells of all of them, until Stop.
func (t *Tiers) askOthers() {
	ctx, cancel := t.life(context.Background())
	defer cancel(nil)
	for pause(ctx, t.pace.survey) {
		var reach []Reach
		if t.reach.living() {
			reach = t.o.Others(ctx)
		}
		t.reach.merge(reach, time.Now(), t.pace.silence)
	}
}

// Alarms are sentences an operator should read: a neighbour that does not fit, a doubled site.
func (t *Tiers) Alarms() []string { return t.board.alarmed() }

// Stop closes the links and waits for their goroutines. It may be called again.
func (t *Tiers) Stop() {
	t.mu.Lock()
	first := !t.stopped
	t.stopped = true
	t.mu.Unlock()
	if first {
		close(t.stopping)
	}
	t.running.Wait()
	if first {
		t.metrics.unregister()
	}
}

// life derives a context that ends with the node's links.
func (t *Tiers) life(parent context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	t.running.Go(func() {
		select {
		case <-t.stopping:
			cancel(errStopping)
		case <-ctx.Done():
		}
	})
	return ctx, cancel
}

// pause waits; false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
