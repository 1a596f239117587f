package replication

import (
	"context"
	"fmt"

	"github.com/hashicorp/raft"
)

// Barrier returns when local reads see every command acknowledged before the call. Concurrent calls share the proof. The
// error wraps ErrNoQuorum when no leader could prove itself in time, or the context's when this node is behind.
func (r *Replica) Barrier(ctx context.Context) error {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	var index uint64
	err := r.retry(ctx, func() (err error) {
		if _, leads := r.leads(); leads {
			index, err = r.proofs.do(ctx)
		} else {
			index, err = r.asked.do(ctx)
		}
		return readError(err)
	})
	if err != nil {
		return err
	}
	return r.position.wait(ctx, index)
}

// ReadIndex proves leadership and returns the index of the last entry that was agreed on before the proof; it answers
// a peer's call. Every entry acknowledged or applied anywhere before the call is at or below it.
func (r *Replica) ReadIndex(ctx context.Context) (uint64, error) {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	index, err := r.proofs.do(ctx)
	return index, readError(err)
}

// readError makes every failure of a read one that may be tried again: a read does nothing.
func readError(err error) error {
	if err == nil || passing(err) {
		return err
	}
	return fmt.Errorf("%w: %v", ErrNotLeader, err)
}

// prove is one read point on the leader: something of the own term is applied, hence everything acknowledged in earlier
// ones; the index is taken; then a majority confirms, in answer to requests sent later, that there was no newer leader.
func (r *Replica) prove(ctx context.Context) (uint64, error) {
	term, leads := r.leads()
	if !leads {
		return 0, ErrNotLeader
	}
	_, _, lost := r.leadership.get()
	if _, appliedTerm := r.position.get(); appliedTerm != term {
		if err := r.openTerm(ctx); err != nil {
			return 0, err
		}
	}
	// What is agreed on, not what is applied here: a follower may have applied more, and whoever has read it there must not
	// find less here. All of it is seen by the state machine, because it lies behind an entry of this term.
	index := r.raft.CommitIndex()
	voters := r.voters()
	since := r.transport.contacts.tick()
	if len(voters) > 1 {
		// Has heartbeats sent at once. Its own count is not enough: it takes answers to requests that were sent before.
		if err := r.await(ctx, r.raft.VerifyLeader().Error); err != nil {
			return 0, err
		}
	}
	if err := r.transport.contacts.confirmed(ctx, voters, raft.ServerID(r.self.ID), term, since, lost); err != nil {
		return 0, err
	}
	if now, leads := r.leads(); !leads || now != term {
		return 0, fmt.Errorf("%w: the leader changed during a read", ErrNotLeader)
	}
	return index, nil
}

// openTerm has an entry that changes nothing applied in the own term. Raft's barrier entries would not do: the state
// machine does not see them, so a follower could not tell that it has reached the index of one.
func (r *Replica) openTerm(ctx context.Context) error {
	future, err := r.grouper.submit(nil)
	if err != nil {
		return err
	}
	_, _, err = r.grouper.result(ctx, future, 0)
	return err
}

// ask gets a read point from the leader.
func (r *Replica) ask(ctx context.Context) (uint64, error) {
	address, err := r.leaderAddress()
	if err != nil {
		return 0, err
	}
	return r.peers.ReadIndex(ctx, address)
}
