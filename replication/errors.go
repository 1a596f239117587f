package replication

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"
)

var (
	// ErrNotLeader: this node does not lead; nothing was done.
	ErrNotLeader = errors.New("not the leader")
	// ErrUnreachable: the request was not sent to the peer; nothing was done.
	ErrUnreachable = errors.New("the peer was not reached")
	// ErrNoQuorum: no leader was found in time; nothing was done.
	ErrNoQuorum = errors.New("the site has no leader with a majority now")
	// ErrOverloaded: the queue is full; nothing was done; try again later.
	ErrOverloaded = errors.New("too many requests wait for the log")
	// ErrNoRoom: a disk is full; nothing was done; it is possible again when somebody has freed space.
	ErrNoRoom = errors.New("the disk is full")
	// ErrUnknownOutcome: the command may or may not have been applied.
	ErrUnknownOutcome = errors.New("the outcome is unknown: the leader changed or did not answer in time")
	// ErrRefused: no, for good; nothing was done.
	ErrRefused = errors.New("refused")
)

// errStopping is what a node that hands over says to those who come late; another node will lead.
var errStopping = fmt.Errorf("%w: this node is stopping", ErrNotLeader)

// fromRaft sorts an error of Raft into certain (ErrNotLeader: nothing was done) and unknown (ErrUnknownOutcome).
func fromRaft(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, raft.ErrNotLeader),
		errors.Is(err, raft.ErrEnqueueTimeout),
		errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return fmt.Errorf("%w: %v", ErrNotLeader, err)
	default:
		return fmt.Errorf("%w: %v", ErrUnknownOutcome, err)
	}
}

// fromPeer sorts an error of a peer's Propose. A peer names what it is certain of; all else is unknown.
func fromPeer(err error) error {
	for _, certain := range []error{ErrNotLeader, ErrUnreachable, ErrNoQuorum, ErrOverloaded, ErrNoRoom, ErrRefused, ErrUnknownOutcome} {
		if errors.Is(err, certain) {
			return err
		}
	}
	return fmt.Errorf("%w: %v", ErrUnknownOutcome, err)
}

// passing tells whether the same request may be tried again without the risk of doing it twice.
func passing(err error) bool {
	return errors.Is(err, ErrNotLeader) || errors.Is(err, ErrUnreachable)
}
