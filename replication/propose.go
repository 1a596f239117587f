package replication

import (
	"context"
	"fmt"
	"time"
)

const (
	firstPause = 5 * time.Millisecond // between two tries; doubles
	lastPause  = 200 * time.Millisecond
	// quorumPatience is how long a call waits for a leader. An election takes a second or three; when there is none after that,
	// a majority is gone, and who asked should hear it while it still listens.
	quorumPatience = 5 * time.Second
)

// Propose has the command decided by the group, from any node, and returns its result and the index it was applied at.
// The result is visible to local reads once Applied() >= index. While there is no leader it tries again for at most 5 s.
//
// Errors: ErrNoQuorum, ErrOverloaded and ErrRefused (more than 1 MiB) mean that nothing was done, ErrUnknownOutcome that
// the command may have been applied. The command must not be changed afterwards.
func (r *Replica) Propose(ctx context.Context, command []byte) ([]byte, uint64, error) {
	if err := checkSize(command); err != nil {
		return nil, 0, err
	}
	if !r.held.take(len(command)) {
		return nil, 0, fmt.Errorf("%w on this node", ErrOverloaded)
	}
	defer r.held.give(len(command))
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	var result []byte
	var index uint64
	err := r.retry(ctx, func() (err error) {
		if _, leads := r.leads(); leads {
			result, index, err = r.enqueue(ctx, command)
			return err
		}
		address, err := r.leaderAddress()
		if err != nil {
			return err
		}
		if result, index, err = r.peers.Propose(ctx, address, command); err != nil {
			return fmt.Errorf("propose through %s: %w", address, fromPeer(err))
		}
		return nil
	})
	return result, index, err
}

// ProposeHere is Propose on the leader only; it answers a peer's call. ErrNotLeader as well means that nothing was done.
func (r *Replica) ProposeHere(ctx context.Context, command []byte) ([]byte, uint64, error) {
	if err := checkSize(command); err != nil {
		return nil, 0, err
	}
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	if _, leads := r.leads(); !leads {
		return nil, 0, ErrNotLeader
	}
	return r.enqueue(ctx, command)
}

// enqueue waits for the command's turn in a group and for its result.
func (r *Replica) enqueue(ctx context.Context, command []byte) ([]byte, uint64, error) {
	p := &proposal{command: command, done: make(chan outcome, 1)}
	if err := r.queue.push(p); err != nil {
		return nil, 0, err
	}
	select {
	case o := <-p.done:
		return o.result, o.index, o.err
	case <-ctx.Done():
	}
	if r.queue.withdraw(p) {
		return nil, 0, fmt.Errorf("%w: the command was withdrawn from the queue: %v", ErrNoQuorum, context.Cause(ctx))
	}
	select {
	case o := <-p.done:
		return o.result, o.index, o.err
	default:
		return nil, 0, fmt.Errorf("%w: %v", ErrUnknownOutcome, context.Cause(ctx))
	}
}

// retry calls again, after a pause, what failed without having done anything. When that patience or the context ends, or the
// replica stops, the error wraps ErrNoQuorum.
func (r *Replica) retry(ctx context.Context, call func() error) error {
	began := time.Now()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := call()
		if !passing(err) {
			return err
		}
		if time.Since(began) > quorumPatience {
			return fmt.Errorf("%w: %v", ErrNoQuorum, err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("%w: %v", ErrNoQuorum, err)
		case <-r.fault.raised:
			return fmt.Errorf("%w: this node has stopped after a fault", ErrNoQuorum)
		case <-r.ctx.Done():
			return fmt.Errorf("%w: this node is stopping", ErrNoQuorum)
		}
	}
}

func checkSize(command []byte) error {
	if len(command) > maxCommandBytes {
		return fmt.Errorf("%w: a command of %d bytes; at most %d are taken", ErrRefused, len(command), maxCommandBytes)
	}
	return nil
}

func withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, defaultDeadline)
}
