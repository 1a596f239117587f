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
	var done Outcome
	err := r.retry(ctx, func() error {
		way := r.outbound
		if _, leads := r.leads(); leads {
			if err := r.room(); err != nil {
				return err
			}
			way = r.queue
		}
		done = r.enqueue(ctx, way, command)
		return done.Err
	})
	return done.Result, done.Index, err
}

// ProposeHere is Propose on the leader only, for the commands of a peer's call; an outcome of ErrNotLeader as well means
// that nothing was done. It tells every command's outcome by its place, one after the other; an error of tell ends it.
func (r *Replica) ProposeHere(ctx context.Context, commands [][]byte, tell func(i int, o Outcome) error) error {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	if _, leads := r.leads(); !leads {
		return ErrNotLeader
	}
	if err := r.room(); err != nil {
		return err
	}
	waiting := make([]*proposal, len(commands))
	for i, command := range commands {
		waiting[i] = newProposal(command)
		err := checkSize(command)
		if err == nil {
			err = r.queue.push(waiting[i])
		}
		if err != nil {
			waiting[i].done <- Outcome{Err: err}
		}
	}
	for i, p := range waiting {
		if err := tell(i, outcomeOf(ctx, r.queue, p)); err != nil {
			return err
		}
	}
	return nil
}

// enqueue waits for the command's turn in a group and for its outcome.
func (r *Replica) enqueue(ctx context.Context, way *queue, command []byte) Outcome {
	p := newProposal(command)
	if err := way.push(p); err != nil {
		return Outcome{Err: err}
	}
	return outcomeOf(ctx, way, p)
}

// outcomeOf waits for what becomes of a proposal in the queue. A caller who leaves takes it back if it still waits.
func outcomeOf(ctx context.Context, way *queue, p *proposal) Outcome {
	select {
	case o := <-p.done:
		return o
	case <-ctx.Done():
	}
	if way.withdraw(p) {
		return Outcome{Err: fmt.Errorf("%w: the command was withdrawn from the queue: %v", ErrNoQuorum, context.Cause(ctx))}
	}
	select {
	case o := <-p.done:
		return o
	default:
		return Outcome{Err: fmt.Errorf("%w: %v", ErrUnknownOutcome, context.Cause(ctx))}
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
