package tiers

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// patience is how long a test waits for what must happen. It is generous: the machine may be busy.
const patience = 20 * time.Second

// eventually polls a condition.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain until %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// line is what a child dials through: it can be cut, and frozen so that nothing moves although connections stay.
type line struct {
	mu     sync.Mutex // guards everything below
	cut    bool
	frozen chan struct{} // closed when the line thaws; nil while it flows
	conns  []net.Conn

	traffic atomic.Int64 // bytes both ways
	fuse    atomic.Int64 // reads after which the line cuts its connections once; 0: never
}

var errCut = errors.New("the line is cut")

func (l *line) dial(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		conn.Close()
		return nil, errCut
	}
	l.conns = append(l.conns, conn)
	return &lineConn{Conn: conn, line: l}, nil
}

// set cuts or mends the line. Cutting ends every connection.
func (l *line) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if cut {
		for _, conn := range l.conns {
			conn.Close()
		}
		l.conns = nil
	}
}

func (l *line) freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frozen = make(chan struct{})
}

func (l *line) thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.frozen)
	l.frozen = nil
}

type lineConn struct {
	net.Conn
	line *line
}

// Read holds back what came while the line is frozen.
func (c *lineConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.line.traffic.Add(int64(n))
	if c.line.fuse.Load() > 0 && c.line.fuse.Add(-1) == 0 {
		c.Conn.Close()
		return 0, errCut
	}
	c.line.mu.Lock()
	frozen := c.line.frozen
	c.line.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
	return n, err
}

func (c *lineConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.line.traffic.Add(int64(n))
	return n, err
}

// quick is a pace for tests: the same rules, shorter times, smaller windows.
func quick() pace {
	p := defaultPace()
	p.beat, p.silence, p.doubt = 50*time.Millisecond, time.Second, 3*time.Second
	p.redial, p.redials, p.refused = 10*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	p.items, p.run, p.window, p.lag = 8, 20, 32, 20
	p.settle, p.retry, p.courier = 100*time.Millisecond, 10*time.Millisecond, 20*time.Millisecond
	p.note, p.recheck, p.moves = 5*time.Millisecond, 20*time.Millisecond, 20*time.Millisecond
	return p
}

// node is an office on the network.
type node struct {
	*office
	tiers   *Tiers
	line    *line
	address string
	metrics *prometheus.Registry
	// certified is the site that the other end's certificate names; empty without TLS.
	certified atomic.Value
	// caller is what the certificate of a node that asks for the next one names: site and node.
	caller  atomic.Value // [2]string
	others  atomic.Value // []string: the addresses of the site's other nodes
	parents atomic.Value // []string: the addresses of the parent's nodes
}

// newNode starts the links of an office. parents are the addresses of its parent's nodes.
func newNode(t testing.TB, site *deskpb.Site, o *office, parents ...string) *node {
	t.Helper()
	return newNodeAt(t, quick(), site, o, parents...)
}

// newNodeAt is newNode at a pace of its own.
func newNodeAt(t testing.TB, p pace, site *deskpb.Site, o *office, parents ...string) *node {
	t.Helper()
	n := &node{office: o, line: &line{}, metrics: prometheus.NewRegistry()}
	n.certified.Store("")
	n.caller.Store([2]string{})
	n.others.Store([]string(nil))
	n.parents.Store(parents)
	var err error
	n.tiers, err = start(Options{
		Site: o, SiteID: o.id, Name: site.Name, Tier: site.Tier, Parent: desk.SiteID(site.Parent), Node: "n1",
		ParentAddresses: func() []string { return n.parents.Load().([]string) },
		Dial:            n.line.dial,
		Now:             func() time.Time { return time.UnixMicro(o.now()) },
		PeerSite: func(ctx context.Context) (string, bool) {
			if _, ok := peer.FromContext(ctx); !ok {
				return "nobody", true
			}
			certified := n.certified.Load().(string)
			return certified, certified != ""
		},
		Renewal: &Renewal{
			Caller: func(context.Context) (desk.SiteID, string) {
				caller := n.caller.Load().([2]string)
				return desk.SiteID(caller[0]), caller[1]
			},
			Others: func() []string { return n.others.Load().([]string) },
		},
		CheckCheckpoint: func(c *deskpb.AuditCheckpoint) error {
			if string(c.Signature) == "forged" {
				return errors.New("its signature is not of its key")
			}
			return nil
		},
		Metrics: n.metrics,
	}, p)
	if err != nil {
		t.Fatalf("start the links of %s: %v", o.id, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n.address = listener.Addr().String()
	server := grpc.NewServer(grpc.InitialWindowSize(maxMessage), grpc.InitialConnWindowSize(maxMessage))
	n.tiers.Register(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		n.tiers.Stop()
		server.Stop()
		// A test that ends at once may stop the server before it serves.
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Errorf("serve %s: %v", o.id, err)
		}
	})
	return n
}

// state is the state of a node's link with a peer, empty when it shows none.
func (n *node) state(peer desk.SiteID) LinkState { return n.status(peer).State }

func (n *node) status(peer desk.SiteID) LinkStatus {
	links := n.tiers.Links()
	if i := slices.IndexFunc(links, func(l LinkStatus) bool { return l.Peer == peer }); i >= 0 {
		return links[i]
	}
	return LinkStatus{}
}

// counted adds up a counter or a gauge over its peers.
func (n *node) counted(t *testing.T, name string) (sum float64) {
	t.Helper()
	families, err := n.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == name {
				sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// chainOfThree is a province, a city and a county with live links.
func chainOfThree(t *testing.T) (top, middle, bottom *node) {
	t.Helper()
	top = newNode(t, province, newOffice(t, province, wall))
	middle = newNode(t, city, newOffice(t, city, wall), top.address)
	bottom = newNode(t, county, newOffice(t, county, wall), middle.address)
	eventually(t, "all links are up", func() bool {
		return middle.state(top.id) == Up && bottom.state(middle.id) == Up && top.state(middle.id) == Up && middle.state(bottom.id) == Up
	})
	return top, middle, bottom
}

// holder is the custodian of a ticket as one office shows it, empty while the ticket is on its way or unknown.
func holder(o *office, number string) string {
	record := o.record(number)
	if record == nil || record.Ticket.Handover.GetState() == deskpb.Handover_IN_TRANSIT {
		return ""
	}
	return record.Ticket.CustodianSite
}

// waiting lists how far each node has sent to each other one, and tells whether anything is not acknowledged yet.
func waiting(nodes []*node) (sent []uint64, some bool) {
	for _, n := range nodes {
		for _, other := range nodes {
			l := n.link(other.id)
			sent, some = append(sent, l.SentSequence), some || l.AckedSequence != l.SentSequence
		}
	}
	return sent, some
}

// agree waits until nothing waits in the offices' outboxes towards each other, and fails unless they show the same journals
// then. The outboxes are read one after the other: that they were empty at one moment is certain when two readings in a row
// found the same.
func agree(t *testing.T, numbers []string, nodes ...*node) {
	t.Helper()
	eventually(t, "every outbox is empty", func() bool {
		before, first := waiting(nodes)
		after, second := waiting(nodes)
		return !first && !second && slices.Equal(before, after)
	})
	for _, number := range numbers {
		want := nodes[0].journal(number)
		if len(want) == 0 {
			t.Errorf("%s does not know ticket %s", nodes[0].id, number)
		}
		for _, n := range nodes[1:] {
			got := n.journal(number)
			if !slices.EqualFunc(want, got, func(x, y desk.Sealed) bool { return string(x.Raw) == string(y.Raw) }) {
				t.Errorf("ticket %s has %d events at %s and %d at %s, or they differ", number, len(want), nodes[0].id, len(got), n.id)
			}
		}
	}
}
