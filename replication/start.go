package replication

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// cachedLogs is how many entries Raft keeps in memory for the followers.
const cachedLogs = 128

// requestTime bounds one message of Raft on the wire; a snapshot has more in proportion to its size.
const requestTime = 10 * time.Second

// Start opens the log and joins, founds or resumes the group in the background. It takes over the listener, and closes
// it when it fails.
func Start(o Options) (*Replica, error) {
	if err := o.validate(); err != nil {
		if o.Listener != nil {
			err = errors.Join(err, o.Listener.Close())
		}
		return nil, err
	}
	r := &Replica{
		site: o.Site, self: o.Self, peers: o.Peers, lookup: o.Address, logger: o.Logger,
		fault:      newFault(),
		position:   &position{index: o.Machine.Applied()},
		leadership: newLeadership(),
		roster:     newRoster(o.Self),
		queue:      newQueue(),
		outbound:   newQueue(),
		tasks:      newTasks(),
		futures:    newTasks(),
		takesLog:   o.Room,
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.proofs = &shared{call: r.prove, spawn: r.spawn}
	r.asked = &shared{call: r.ask, spawn: r.spawn}
	if err := r.open(o); err != nil {
		r.cancel()
		return nil, err
	}
	r.grouper = &grouper{
		queue: r.queue, encode: o.Group, append: r.raft.ApplyLog, await: r.await,
		fault: r.fault, metrics: r.metrics, done: make(chan struct{}),
	}
	r.shutdown = sync.OnceValue(r.raft.Shutdown)
	forwarder := &forwarder{queue: r.outbound, peers: o.Peers, leader: r.leaderAddress}
	founder := &founder{Replica: r, expect: o.BootstrapExpect, join: o.Join, every: o.pace.greet}
	elections := func(ctx context.Context) { r.callElections(ctx, o.pace) }
	shortening := func(ctx context.Context) { r.keepLogShort(ctx, o.pace) }
	for _, task := range []func(context.Context){r.followLeadership, r.endOnFault, r.grouper.run, forwarder.run, founder.run, elections, shortening} {
		r.spawn(task)
	}
	return r, nil
}

// open acquires disk, metrics, network and Raft, or none of them.
func (r *Replica) open(o Options) (err error) {
	if r.disk, err = openDisk(o, r.fault); err != nil {
		return errors.Join(err, o.Listener.Close())
	}
	if r.metrics, err = newMetrics(o.Metrics, r); err != nil {
		return errors.Join(err, r.disk.Close(), o.Listener.Close())
	}
	r.stream = newStream(o, r.logger)
	r.transport = newTransport(r.stream, requestTime, r.disk.holds)
	if err := r.openRaft(o); err != nil {
		r.metrics.unregister()
		return errors.Join(err, r.transport.Close(), r.disk.Close())
	}
	return nil
}

// openRaft starts Raft on what open acquired.
func (r *Replica) openRaft(o Options) (err error) {
	machine := &fsm{machine: o.Machine, position: r.position, fault: r.fault, staged: &staging{dir: o.Dir},
		self: raft.ServerID(r.self.ID), seated: &r.seated}
	if err := machine.staged.clear(); err != nil {
		return err
	}
	shown := &snapshots{fsm: machine, staged: machine.staged, log: r.disk.entryLog}
	mark, term, _, err := o.Machine.Mark()
	if err != nil {
		return fmt.Errorf("read the snapshot mark: %w", err)
	}
	if err := r.disk.stands(state{mark, term, o.Machine.Applied()}); err != nil {
		return err
	}
	r.position.setMark(mark)
	logs, err := raft.NewLogCache(cachedLogs, r.disk)
	if err != nil {
		return fmt.Errorf("start Raft: %w", err)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { // Raft panics when it cannot read its log
		if p := recover(); p != nil {
			err = explainLog(r.disk.path, damage{fmt.Errorf("%v", p)})
		}
	}()
	r.raft, err = raft.NewRaft(r.config(o.pace), machine, logs, r.disk, shown, r.transport)
	if err != nil {
		return fmt.Errorf("start Raft: %w", err)
	}
	r.disk.raft.Store(r.raft)
	return nil
}

// config holds every setting of Raft that differs from its defaults.
func (r *Replica) config(p *pace) *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(r.self.ID)
	c.HeartbeatTimeout, c.ElectionTimeout = p.heartbeat, p.heartbeat+timeoutStep
	c.LeaderLeaseTimeout, c.CommitTimeout = p.lease, p.commit
	c.TrailingLogs = p.trailingLogs
	// What Raft calls a snapshot is taken when keepLogShort says so.
	c.SnapshotInterval, c.SnapshotThreshold = math.MaxInt64/4, math.MaxUint64
	// Entries hold whole groups, so few of them fill a message of some megabytes.
	c.MaxAppendEntries = 64
	c.BatchApplyCh = true
	// The state is on disk and opened by its owner.
	c.NoSnapshotRestoreOnStart = true
	// A server that was taken out stays a follower that can say so.
	c.ShutdownOnRemove = false
	c.NoLegacyTelemetry = true
	c.Logger = raftLogger(r.logger)
	return c
}

// endOnFault takes this node out of the group when it cannot apply or write any more, so that another one leads.
func (r *Replica) endOnFault(ctx context.Context) {
	select {
	case <-r.fault.raised:
		r.queue.close()
		r.shutdown()
	case <-ctx.Done():
	}
}
