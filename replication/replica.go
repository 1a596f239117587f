package replication

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// Replica is this node's part in the group. Its methods are safe for concurrent use.
type Replica struct {
	site   string
	self   Server
	peers  Peers
	lookup func(serverID string) string // may be nil
	logger *slog.Logger

	fault      *fault
	position   *position
	leadership *leadership
	roster     *roster
	queue      *queue // of the commands that this node's log takes while it leads
	grouper    *grouper
	outbound   *queue // of the commands that go to another node that leads
	held       budget // commands that callers of this node wait for
	proofs     *shared
	asked      *shared
	metrics    *metrics
	takesLog   func() error // nil: always

	disk      *disk
	stream    *stream
	transport *transport
	raft      *raft.Raft
	shutdown  func() raft.Future // shuts Raft down once
	setting   sync.Mutex         // makes changes of Raft's settings follow each other

	ctx    context.Context // ends when the replica stops; carried by its own goroutines only
	cancel context.CancelFunc

	tasks   *tasks // end with ctx
	futures *tasks // waits for Raft, which end with its answer

	seated atomic.Bool // set once this server has been a voter since it was started

	stopOnce sync.Once
	stopErr  error
}

// Member is one server of the group as Raft has it.
type Member struct {
	Server
	Voter  bool
	Leader bool
}

// Status is a replica's own view of the group.
type Status struct {
	Self    string
	Leader  string // server id; empty when none is known
	Term    uint64
	Applied uint64
	Members []Member
	Founded bool // the group has members
}

// Status returns what this node knows; it asks nobody.
func (r *Replica) Status() Status {
	_, leader := r.raft.LeaderWithID()
	applied, _ := r.position.get()
	s := Status{Self: r.self.ID, Leader: string(leader), Term: r.raft.CurrentTerm(), Applied: applied}
	for _, server := range r.servers() {
		s.Members = append(s.Members, Member{
			Server: Server{ID: string(server.ID), Raft: string(server.Address), GRPC: r.address(string(server.ID))},
			Voter:  server.Suffrage == raft.Voter,
			Leader: server.ID == leader,
		})
	}
	s.Founded = len(s.Members) > 0
	return s
}

// Examine ends the connections whose other end Options.TLS would not take any more: its certificate was revoked.
func (r *Replica) Examine() { r.stream.examine() }

// Fault delivers the error that made the replica stop for good. The process must end then: a log on a stalled disk
// cannot be closed.
func (r *Replica) Fault() <-chan error { return r.fault.errors }

// address is where a member's peers reach it, "" when nobody told yet.
func (r *Replica) address(id string) string {
	if r.lookup != nil && id != r.self.ID {
		if address := r.lookup(id); address != "" {
			return address
		}
	}
	return r.roster.address(id)
}

// leaderAddress is the grpc address of another node that leads. Its error wraps ErrNotLeader.
func (r *Replica) leaderAddress() (string, error) {
	_, id := r.raft.LeaderWithID()
	switch address := r.address(string(id)); {
	case id == "" || string(id) == r.self.ID:
		return "", fmt.Errorf("%w: no leader is known", ErrNotLeader)
	case address == "":
		return "", fmt.Errorf("%w: the grpc address of the leader %s is not known yet", ErrNotLeader, id)
	default:
		return address, nil
	}
}

// await waits for a future of Raft, for the context or for a fault: when Raft shuts down some futures are never answered.
func (r *Replica) await(ctx context.Context, wait func() error) error {
	done := make(chan error, 1)
	if !r.futures.spawn(func() { done <- wait() }) {
		return errStopping
	}
	select {
	case err := <-done:
		return err
	case <-r.fault.raised:
		return errFaulted
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// spawn starts a task that ends with its context; false when the replica has stopped.
func (r *Replica) spawn(task func(ctx context.Context)) bool {
	return r.tasks.spawn(func() { task(r.ctx) })
}

// Stop lets the commands under way end, hands over leadership when this node has it and another voter can take it, and
// closes the log. Commands that come meanwhile are passed to the next leader. An error means that something still ran
// when the context ended, at most 10 s later when the context has no deadline.
func (r *Replica) Stop(ctx context.Context) error {
	r.stopOnce.Do(func() {
		ctx, cancel := withDeadline(ctx)
		defer cancel()
		r.stopErr = r.stop(ctx)
	})
	return r.stopErr
}

const (
	drainTime    = 2 * time.Second // for the commands that wait, when there is no majority to commit them
	handOverTime = 3 * time.Second
)

func (r *Replica) stop(ctx context.Context) error {
	r.queue.close()
	select {
	case <-r.grouper.done:
	case <-time.After(drainTime):
	case <-r.fault.raised:
	case <-ctx.Done():
	}
	r.handOver(ctx)
	r.markNow(ctx)
	r.tasks.close()
	r.futures.close()
	r.cancel()
	select { // Raft answers while it runs, unless a fault has ended it
	case <-r.futures.idle:
	case <-time.After(drainTime):
	case <-r.fault.raised:
	case <-ctx.Done():
	}
	future := r.shutdown()
	err := r.stream.sever()
	down := make(chan error, 1)
	go func() { down <- future.Error() }()
	select {
	case shut := <-down:
		err = errors.Join(err, shut)
	case <-ctx.Done():
		return errors.Join(err, fmt.Errorf("stop replica %s: Raft still runs: %w", r.self.ID, context.Cause(ctx)))
	}
	select {
	case <-r.tasks.idle:
	case <-ctx.Done():
		return errors.Join(err, fmt.Errorf("stop replica %s: a task still runs: %w", r.self.ID, context.Cause(ctx)))
	}
	r.metrics.unregister()
	return errors.Join(err, r.disk.Close())
}

// handOver makes another voter lead, so that the site need not wait until it misses this node.
func (r *Replica) handOver(ctx context.Context) {
	if _, leads := r.leads(); !leads || len(r.voters()) < 2 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, handOverTime)
	defer cancel()
	if err := r.TransferLeadership(ctx, ""); err != nil {
		r.logger.Warn("leadership was not handed over", "error", err)
	}
}
