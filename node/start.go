package node

import (
	"context"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/node/machine"
	"github.com/tierdesk/tierdesk/node/peers"
	"github.com/tierdesk/tierdesk/node/people"
	"github.com/tierdesk/tierdesk/node/web"
	"github.com/tierdesk/tierdesk/node/web/live"
	"github.com/tierdesk/tierdesk/node/web/page"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
	"github.com/tierdesk/tierdesk/tiers/gossip"
)

// Start runs a node until Stop. It returns when the node serves, which may be before it is ready: the nodes of a new
// site wait for each other in the background. The context bounds the start alone. After an error nothing runs, unless the disk
// keeps a part of it waiting for ever: then the process must end.
func Start(ctx context.Context, o Options) (*Node, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	zone, err := o.Config.Location()
	if err != nil {
		return nil, err
	}
	life, halt := context.WithCancel(context.WithoutCancel(ctx))
	n := &Node{
		options: o, config: o.Config, log: o.Logger.With("component", "node"), zone: zone, clock: newSiteClock(o.wall, o.elapsed, o.Logger),
		registry: prometheus.NewRegistry(), halt: halt, faults: make(chan error, 1),
	}
	n.feed = newFeed(n.clock.Now)
	n.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, step := range []func() error{
		n.loadIdentity, n.openDisk, n.openStore, n.openCertificates, n.listen, n.startReplica, n.startGossip, n.startTiers,
		func() error { return n.openFiles(life) }, n.makeRooms, ctx.Err,
	} {
		if err = n.onDisk(step); err != nil {
			break
		}
	}
	if err != nil && n.broken.Load() != nil {
		halt()
		return nil, err
	}
	if err != nil {
		_ = n.Stop(context.WithoutCancel(ctx)) // the cause is what helps
		return nil, err
	}
	n.servers.start(n)
	n.running.Go(func() { n.watchFaults(life) })
	n.running.Go(func() { n.watchRoom(life) })
	n.running.Go(func() { n.settle(life) })
	n.running.Go(func() { n.keepTime(life) })
	n.running.Go(func() { n.people.Run(life) })
	n.running.Go(func() { n.files.sweep(life) })
	n.running.Go(func() { n.files.fetchWanted(life) })
	n.running.Go(func() { n.handing.keep(life) })
	n.running.Go(func() { n.standing.run(life) })
	n.running.Go(func() { n.feed.run(life) })
	n.running.Go(func() { n.feed.passOn(life, n) })
	n.keepCertificates(life)
	n.auditing.start(life)
	n.log.Info("serving", "http", n.HTTPAddr(), "grpc", n.GRPCAddr(), "raft", n.RaftAddr(), "gossip", n.GossipAddr())
	return n, nil
}

func (n *Node) loadIdentity() (err error) {
	n.security, err = newSecurity(n.config, n.log)
	return err
}

// openStore opens the data directory, which refuses another site, another node and a second process.
func (n *Node) openStore() (err error) {
	n.store, err = store.Open(store.Options{
		CacheBytes: cacheBytes(n.config.Site.Tier),
		Dir:        n.config.Node.DataDir, FS: n.disk.FS(), Site: n.config.Site.ID, Node: n.config.Node.ID, Logger: n.options.Logger,
	})
	if err != nil {
		return err
	}
	if err := n.store.Register(n.registry); err != nil {
		return err
	}
	return n.store.View(n.checkPlace)
}

// centreCache is the cache of a city's or a province's node, which has a machine of its own and the tickets of many
// offices, in bytes.
const centreCache = 512 << 20

// cacheBytes is what the store of a node may cache, 0 for the little that fits a county's box.
func cacheBytes(tier config.Tier) int64 {
	if tier == config.County {
		return 0
	}
	return centreCache
}

// raftDirectory is where in the data directory the log lies, beside the state.
const raftDirectory = "raft"

func (n *Node) startReplica() (err error) {
	n.machine, err = machine.New(machine.Options{
		Site: desk.SiteID(n.config.Site.ID), Store: n.store, Clock: n.clock.Now, Location: n.zone,
		Listener: n.feed,
	})
	if err != nil {
		return err
	}
	n.peers, err = peers.NewClient(peers.ClientOptions{Site: n.config.Site.ID, Credentials: n.security.peers})
	if err != nil {
		return err
	}
	n.replica, err = replication.Start(replication.Options{
		Site:            n.config.Site.ID,
		Self:            n.self(),
		Dir:             filepath.Join(n.config.Node.DataDir, raftDirectory),
		Listener:        n.listeners.raft,
		TLS:             n.security.raft,
		BootstrapExpect: n.config.Raft.BootstrapExpect,
		Join:            n.config.Raft.Join,
		Machine:         n.machine,
		Peers:           n.peers,
		Address:         n.addressOf,
		Group:           n.machine.Stamp,
		FS:              n.disk.FS(),
		Room:            n.takesLog,
		Refused:         n.security.refused,
		Logger:          n.options.Logger,
		Metrics:         n.registry,
	})
	return err
}

// self is this node as a member of its site's group.
func (n *Node) self() replication.Server {
	return replication.Server{
		ID:   n.store.ServerID(),
		Raft: reachable(n.listeners.raft.Addr(), n.config.Listen.Raft, n.config.Advertise.Raft),
		GRPC: reachable(n.listeners.grpc.Addr(), n.config.Listen.GRPC, n.config.Advertise.GRPC),
	}
}

// addressOf returns the grpc address of a member by the directory, "" while it has not registered.
func (n *Node) addressOf(serverID string) (address string) {
	err := n.store.View(func(r *store.Reader) error {
		own, err := r.SiteInfo(desk.SiteID(n.config.Site.ID))
		for _, node := range own.GetNodes() {
			if node.ServerId == serverID {
				address = node.Grpc
			}
		}
		return err
	})
	if err != nil {
		n.log.Warn("cannot read the address of a node", "server", serverID, "error", err)
	}
	return address
}

func (n *Node) startGossip() (err error) {
	n.gossip, err = gossip.Start(gossip.Options{
		Self: gossip.Member{
			Site: n.config.Site.ID, Name: n.config.DisplayName(), Parent: n.parent(), Tier: string(n.config.Site.Tier),
			Node: n.config.Node.ID, GRPC: n.self().GRPC, ServerID: n.store.ServerID(),
		},
		Listener:  n.config.Listen.Gossip,
		Advertise: n.config.Advertise.Gossip,
		Join:      n.config.Gossip.Join,
		Keys:      n.config.GossipKeys,
		Dir:       n.config.Node.DataDir,
		Drop:      n.options.Drop,
		Logger:    n.options.Logger,
	})
	return explainTaken("listen.gossip", n.config.Listen.Gossip, err)
}

func (n *Node) startTiers() (err error) {
	n.tiers, err = tiers.Start(tiers.Options{
		Site:            n.site(),
		SiteID:          desk.SiteID(n.config.Site.ID),
		Name:            n.config.DisplayName(),
		Tier:            n.config.Site.Tier.Proto(),
		Parent:          desk.SiteID(n.config.Site.Parent),
		Node:            n.config.Node.ID,
		Others:          n.otherReach,
		AskOthers:       n.askElsewhere,
		Now:             n.clock.Now,
		ParentAddresses: n.parentAddresses,
		ParentSeen:      func() <-chan struct{} { return n.gossip.Coming(n.parent()) },
		Dial:            n.options.Dial,
		Credentials:     n.security.linksTo,
		PeerSite:        n.security.peerSite,
		Renewal:         n.renewing(),
		CheckCheckpoint: n.checkCheckpoint,
		Refused:         n.refusedCall,
		Logger:          n.options.Logger,
		Metrics:         n.registry,
	})
	if err != nil {
		return err
	}
	n.clock.trust(n.tiers.ParentTime)
	n.handing = &handing{
		site: n.site(), self: desk.SiteID(n.config.Site.ID), handUp: n.tiers.HandUp, log: n.options.Logger.With("component", "witness"),
	}
	return nil
}

// site is the replicated site, for the rooms that need one.
func (n *Node) site() *site {
	return &site{replica: n.replica, store: n.store, machine: n.machine, room: n.room}
}

// makeRooms makes what needs the running site and starts nothing itself.
func (n *Node) makeRooms() (err error) {
	n.backend = &backend{site: n.site(), node: n}
	if n.auditing, err = n.newAuditing(); err != nil {
		return err
	}
	if n.people, err = n.newPeople(); err != nil {
		return err
	}
	provider, err := n.newProvider()
	if err != nil {
		return err
	}
	programs, err := api.New(api.Options{
		Backend: n.backend, People: n.people, Logger: n.options.Logger, Metrics: n.registry, Version: n.options.Version,
		Zone: n.zone,
	})
	if err != nil {
		return err
	}
	n.standing = newStanding(n.backend, func() { n.feed.hub.Tell(live.News{Line: true}) })
	pages, err := web.New(web.Options{
		Options: page.Options{
			API: programs.Local(), Files: programs.Handler(), Standing: n.standing, Logger: n.options.Logger,
			SiteID: n.config.Site.ID, SiteName: n.config.DisplayName(), Tier: apipb.Site_Tier(n.config.Site.Tier.Proto()), Zone: n.zone,
			Together: together,
		},
		People: n.people, Provider: provider, Live: live.Options{Hub: n.feed.hub, Present: n.feed.present, Spread: n.feed.spread},
	})
	if err != nil {
		return err
	}
	n.servers, err = n.newServers(programs, pages)
	return err
}

// newPeople makes the people of the site, with whom the configuration names to vouch for them.
func (n *Node) newPeople() (*people.People, error) {
	directory, err := n.newDirectory()
	if err != nil {
		return nil, err
	}
	session, longest := n.config.SignIn.Durations()
	return people.New(people.Options{
		Site: n.backend, Clock: n.clock.Now, Node: n.config.Node.ID, Name: n.config.DisplayName(), Logger: n.options.Logger,
		Directory: directory, Offline: n.config.SignIn.LDAP.OfflineFor(), Audit: n.backend, Session: session, Longest: longest,
	})
}

// watchFaults passes on the fault that stops the replica, the store or the disk below them.
func (n *Node) watchFaults(ctx context.Context) {
	select {
	case err := <-n.replica.Fault():
		n.fail(err)
	case err := <-n.store.Fault():
		n.fail(err)
	case err := <-n.disk.Fault():
		n.fail(err)
	case <-ctx.Done():
	}
}
