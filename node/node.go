package node

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tierdesk/tierdesk/disk"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/node/machine"
	"github.com/tierdesk/tierdesk/node/peers"
	"github.com/tierdesk/tierdesk/node/people"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
	"github.com/tierdesk/tierdesk/tiers/gossip"
)

// Node is one running node of a site. Its methods are safe for concurrent use.
type Node struct {
	options  Options
	config   *config.Config
	log      *slog.Logger
	zone     *time.Location
	clock    *siteClock
	registry *prometheus.Registry
	feed     *feed

	// What start has begun, in this order; nil until then. Stop ends it.
	security  *security
	disk      *disk.Disk
	store     *store.Store
	listeners *listeners
	machine   *machine.Machine
	peers     *peers.Client
	replica   *replication.Replica
	gossip    *gossip.Gossip
	tiers     *tiers.Tiers
	backend   *backend
	files     *files
	people    *people.People
	auditing  *auditing
	handing   *handing
	standing  *standing
	servers   *servers

	certificates certificates

	refusal atomic.Pointer[error] // why this node, as the leader, takes no commands; nil: it does

	unfounded atomic.Pointer[string] // why this node does not found the site; nil: nothing is in the way
	passed    atomic.Bool            // it was said that recover does nothing here
	copying   atomic.Bool            // a backup is being read

	halt    context.CancelFunc // ends the node's own goroutines
	running sync.WaitGroup     // the node's own goroutines
	faults  chan error         // holds the first fault
	broken  atomic.Pointer[error]

	stopping atomic.Bool
	stop     sync.Once
	stopErr  error // written inside stop
}

// HTTPAddr is the address that the pages and the JSON API are bound to.
func (n *Node) HTTPAddr() string { return n.listeners.http.Addr().String() }

// GRPCAddr is the address that gRPC is bound to.
func (n *Node) GRPCAddr() string { return n.listeners.grpc.Addr().String() }

// RaftAddr is the address that the site's log is bound to.
func (n *Node) RaftAddr() string { return n.listeners.raft.Addr().String() }

// GossipAddr is the address that gossip is bound to.
func (n *Node) GossipAddr() string {
	host, _, _ := net.SplitHostPort(n.config.Listen.Gossip) // it was checked with the configuration
	return net.JoinHostPort(host, strconv.Itoa(n.gossip.Port()))
}

// Fault delivers the error that made the node stop working for good. Whoever gets it stops the node.
func (n *Node) Fault() <-chan error { return n.faults }

// fail reports a fault; only the first one is delivered.
func (n *Node) fail(err error) {
	if n.broken.CompareAndSwap(nil, &err) {
		n.log.Error("the node cannot go on", "error", err)
		n.faults <- err
	}
}

const (
	longestStop = 10 * time.Second // bounds a stop whose caller is more patient
	brokenStop  = 2 * time.Second  // bounds the stop of a node that cannot go on: it may wait for a disk in vain
	lastMoment  = time.Second      // for what the end of a stop's context cuts off
)

// Stop ends the node in order: it says that it is not ready, finishes the calls that were begun, closes the links, hands
// over its lead, and closes log and store. It takes at most ten seconds and a last moment, less when the context ends
// before or the node is broken; what could not be finished by then is cut off, and an error says that something still
// runs: then the process must end. Later calls return what the first one did.
func (n *Node) Stop(ctx context.Context) error {
	n.stop.Do(func() {
		limit := longestStop
		if n.broken.Load() != nil {
			limit = brokenStop
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		n.stopErr = n.endWithin(ctx)
		n.log.Info("stopped", "orderly", n.stopErr == nil)
	})
	return n.stopErr
}

// endWithin ends the node and gives up soon after the context has ended.
func (n *Node) endWithin(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- n.end(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(lastMoment):
		return errors.New("something still runs; it may wait for the disk")
	}
}

// end ends whatever start has begun, which after a failed start is a part.
func (n *Node) end(ctx context.Context) error {
	n.stopping.Store(true)
	n.halt()
	var errs []error
	if n.servers != nil {
		n.servers.drainHTTP(ctx)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		if n.servers != nil {
			n.servers.drainGRPC(ctx)
		}
	}()
	if n.tiers != nil {
		n.tiers.Stop()
	}
	if n.gossip != nil {
		n.gossip.Stop()
	}
	<-drained
	n.auditing.stop()
	if n.replica != nil {
		errs = append(errs, n.replica.Stop(ctx))
	}
	if n.peers != nil {
		n.peers.Close()
	}
	n.running.Wait()
	if n.listeners != nil {
		n.listeners.close()
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	if n.disk != nil {
		n.disk.Close()
	}
	return errors.Join(errs...)
}
