package replication

import (
	"context"
	"fmt"
	"time"
)

// forwarder hands the commands of this node's callers to the leader while another node leads. Like the log it takes all
// that wait in one go: a call for each would cost more than the command.
type forwarder struct {
	queue  *queue
	peers  Peers
	leader func() (address string, err error)
}

// run works until ctx ends; what waits then is told that nothing was done.
func (f *forwarder) run(ctx context.Context) {
	defer context.AfterFunc(ctx, f.queue.close)()
	slots := make(chan struct{}, maxGroupsInFlight)
	for {
		slots <- struct{}{}
		group := gather(f.queue, slots)
		if len(group) == 0 {
			break
		}
		go func() {
			defer func() { <-slots }()
			f.forward(ctx, group)
		}()
	}
	for range maxGroupsInFlight - 1 {
		slots <- struct{}{}
	}
}

// forward makes one call and tells every command of the group what became of it.
func (f *forwarder) forward(ctx context.Context, group []*proposal) {
	address, err := f.leader()
	if err != nil {
		deliver(group, err)
		return
	}
	told := make([]bool, len(group))
	err = f.call(ctx, address, commandsOf(group), func(i int, o Outcome) {
		if i < 0 || i >= len(group) || told[i] {
			return
		}
		told[i] = true
		if o.Err != nil {
			o.Err = fmt.Errorf("propose through %s: %w", address, fromPeer(o.Err))
		}
		group[i].done <- o
	})
	if err == nil {
		err = fmt.Errorf("%w: it was not told", ErrUnknownOutcome)
	}
	err = fmt.Errorf("propose through %s: %w", address, fromPeer(err))
	for i, p := range group {
		if !told[i] {
			p.done <- Outcome{Err: err}
		}
	}
}

// leaderCheck is how often a call under way looks whether it still speaks to the leader.
const leaderCheck = 100 * time.Millisecond

// call proposes at the address and gives up when another node leads: the one that led may be frozen or cut off, and
// neither these callers nor the next groups should wait for it any longer.
func (f *forwarder) call(ctx context.Context, address string, commands [][]byte, tell func(i int, o Outcome)) error {
	ctx, cancel := context.WithTimeout(ctx, defaultDeadline)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f.peers.Propose(ctx, address, commands, tell) }()
	check := time.NewTicker(leaderCheck)
	defer check.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-check.C:
			if now, err := f.leader(); err == nil && now != address {
				cancel()
			}
		}
	}
}
