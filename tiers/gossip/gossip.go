// Package gossip finds out which nodes of neighbouring sites live at which addresses, with one memberlist pool for each
// neighbourhood: a parent's nodes and its children's nodes. What it tells is a hint, remembered on disk, never truth:
// whether a link is up is known by the link. Only node uses it.
package gossip

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Member is one node heard of.
type Member struct {
	Site, Name, Parent, Tier, Node, GRPC string
	ServerID                             string
	Keys                                 string // fingerprints of its gossip keys, by spaces, the one that encrypts first
	Alive                                bool
}

// Gossip is this node's part in its neighbourhoods. Its methods may be called by many goroutines.
type Gossip struct {
	self       Member
	join       []string
	file       string
	advertised string // ip:port where others reach this node
	logger     *slog.Logger

	keys      *keys
	directory *directory
	socket    *socket
	pools     []*pool

	cancel context.CancelFunc
	tasks  sync.WaitGroup
	stop   sync.Once
}

// Start binds the address and joins the pools in the background: a county that of its parent, a province that of its
// children, a city both. It fails when the options are wrong or the address is taken, and leaves nothing running then.
func Start(o Options) (*Gossip, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("gossip: %w", err)
	}
	logger := o.Logger.With("component", "gossip")
	o.Logger = logger
	directory := newDirectory(o.Self)
	if err := directory.remember(o.file()); err != nil {
		logger.Warn("starting without remembered addresses", "error", err)
	}
	keys, err := newKeys(o.Keys, directory.lacking)
	if err != nil {
		return nil, fmt.Errorf("gossip: %w", err)
	}
	if err := o.validateAddresses(keys.ring != nil); err != nil {
		return nil, fmt.Errorf("gossip: %w", err)
	}
	drop := o.Drop
	if drop == nil {
		drop = func(net.Addr) bool { return false }
	}
	s, err := listen(o.Listener, drop, logger)
	if err != nil {
		return nil, fmt.Errorf("gossip listening at %s: %w", o.Listener, err)
	}
	g := &Gossip{
		self: o.Self, join: o.Join, file: o.file(), logger: logger, keys: keys,
		directory: directory, socket: s,
	}
	o.Self.Keys = keys.announced()
	if err := g.openPools(&o); err != nil {
		g.close()
		return nil, fmt.Errorf("gossip: %w", err)
	}
	s.serve()
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	j := &joiner{Gossip: g, sites: map[string]string{}}
	g.tasks.Go(func() { j.keepJoining(ctx) })
	g.tasks.Go(func() { g.keepWriting(ctx) })
	if keys.ring != nil {
		g.tasks.Go(func() { g.keepKeys(ctx, keysEvery) })
	}
	return g, nil
}

// openPools starts a pool for each neighbourhood, all on the one socket.
func (g *Gossip) openPools(o *Options) error {
	ip, port, err := advertise(o.Advertise, g.socket.tcp.Addr().(*net.TCPAddr))
	if err != nil {
		return err
	}
	g.advertised = (&net.TCPAddr{IP: ip, Port: port}).String()
	for _, label := range o.labels() {
		pipe := newPipe(g.socket, ip, port)
		g.socket.pipes[label] = pipe
		p, err := newPool(label, pipe, o, g.keys.ring, g.directory)
		if err != nil {
			return err
		}
		g.pools = append(g.pools, p)
	}
	return nil
}

// advertise settles the address that others are told. Pools tell addresses by number, so a name is looked up once, here.
func advertise(address string, bound *net.TCPAddr) (net.IP, int, error) {
	to := bound
	if address != "" {
		var err error
		if to, err = net.ResolveTCPAddr("tcp", address); err != nil {
			return nil, 0, fmt.Errorf("finding the advertised address %s: %w", address, err)
		}
	}
	if to.IP == nil || to.IP.IsUnspecified() {
		return nil, 0, fmt.Errorf("others cannot reach %s; set advertise.gossip to an address of this machine", to)
	}
	port := to.Port
	if port == 0 {
		port = bound.Port
	}
	if ip := to.IP.To4(); ip != nil {
		return ip, port, nil
	}
	return to.IP, port, nil
}

// Addresses returns grpc addresses of a site's nodes: living ones first, then remembered ones, the latest seen first,
// each once, at most 16.
func (g *Gossip) Addresses(site string) []string { return g.directory.addresses(site) }

// Coming returns a channel that is closed when the next node of a site comes to life, as far as this node hears. A node
// that lives already closes nothing.
func (g *Gossip) Coming(site string) <-chan struct{} { return g.directory.coming(site) }

// Members lists every node heard of, this one and remembered ones included, in order of site and node.
func (g *Gossip) Members() []Member { return g.directory.members() }

// Keys is how far this node is with the operator's keys; the zero one without encryption.
func (g *Gossip) Keys() KeyState { return g.keys.standing() }

// Alarms are sentences an operator should read: a doubled node, until it was not seen for ten minutes, and keys that
// cannot be read anew.
func (g *Gossip) Alarms() []string {
	return append(g.directory.sentences(time.Now()), g.keys.alarms()...)
}

// Port is the port that was bound.
func (g *Gossip) Port() int { return g.socket.port() }

// Stop leaves the pools, which takes at most two seconds, ends their streams, and remembers the neighbours. It waits for
// all goroutines of the package; one of memberlist's may still wait for the answer to a last ping, which cannot reach
// the network any more, until its timeout of a few seconds. A second call does nothing.
func (g *Gossip) Stop() {
	g.stop.Do(func() {
		g.cancel()
		var farewells sync.WaitGroup
		for _, p := range g.pools {
			farewells.Go(func() { p.leave(g.logger) })
		}
		farewells.Wait()
		g.close()
		g.tasks.Wait()
		g.writeDown()
	})
}

// close ends the pools and the socket.
func (g *Gossip) close() {
	for _, p := range g.pools {
		p.shutdown(g.logger)
	}
	g.socket.close()
}
