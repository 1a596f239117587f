package replication

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// grouper turns the commands that wait into log entries: all that wait share one entry, and up to maxGroupsInFlight
// entries are under way, so that the next group grows while the disks work on the last ones.
type grouper struct {
	queue   *queue
	encode  func(commands [][]byte) ([]byte, error)
	append  func(entry raft.Log, timeout time.Duration) raft.ApplyFuture
	await   func(ctx context.Context, wait func() error) error
	fault   *fault
	metrics *metrics

	mu   sync.Mutex    // makes encode and append one step: stamps are in the order of the log
	done chan struct{} // closed when run has returned
}

// run works until the queue is closed and empty and every outcome is delivered. When ctx ends it stops waiting for
// outcomes; those that are not known then are ErrUnknownOutcome.
func (g *grouper) run(ctx context.Context) {
	defer close(g.done)
	slots := make(chan struct{}, maxGroupsInFlight)
	for {
		slots <- struct{}{}
		group := gather(g.queue, slots)
		if len(group) == 0 {
			break
		}
		g.metrics.grouped(len(group))
		future, err := g.submit(commandsOf(group))
		if err != nil {
			deliver(group, err)
			<-slots
			continue
		}
		go func() {
			defer func() { <-slots }()
			results, index, err := g.result(ctx, future, len(group))
			if err != nil {
				deliver(group, err)
				return
			}
			for i, p := range group {
				p.done <- resultOf(results, i, index)
			}
		}()
	}
	for range maxGroupsInFlight - 1 {
		slots <- struct{}{}
	}
}

// gathering is how long the next group grows while another one is under way. An entry has its price, whatever it holds,
// and who comes alone meanwhile would wait for the other one anyway.
const gathering = time.Millisecond

// gather takes the next group from the queue, none when that is closed and empty. The caller has its slot already.
func gather(q *queue, slots chan struct{}) []*proposal {
	if q.wait() && len(slots) > 1 {
		time.Sleep(gathering)
	}
	return q.take()
}

// submit encodes one entry and hands it to the log.
func (g *grouper) submit(commands [][]byte) (raft.ApplyFuture, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	entry, err := g.encode(commands)
	if err != nil {
		return nil, fmt.Errorf("encode a group of %d commands: %w", len(commands), err)
	}
	return g.append(raft.Log{Data: entry, Extensions: checksum(entry)}, time.Second), nil
}

// result waits for an entry to be applied here and returns one result per command.
func (g *grouper) result(ctx context.Context, future raft.ApplyFuture, commands int) (Results, uint64, error) {
	start := time.Now()
	if err := g.await(ctx, future.Error); err != nil {
		return nil, 0, fromRaft(err)
	}
	g.metrics.appliedAfter(time.Since(start))
	answer, ok := future.Response().(applied)
	switch {
	case !ok:
		return nil, 0, fmt.Errorf("%w: log entry %d has no answer", ErrUnknownOutcome, future.Index())
	case answer.err != nil:
		return nil, 0, fmt.Errorf("%w: %v", ErrUnknownOutcome, answer.err)
	case answer.results.Len() != commands:
		err := fmt.Errorf("apply log entry %d: %d results for %d commands", future.Index(), answer.results.Len(), commands)
		g.fault.report(err)
		return nil, 0, fmt.Errorf("%w: %v", ErrUnknownOutcome, err)
	}
	return answer.results, future.Index(), nil
}

func commandsOf(group []*proposal) [][]byte {
	commands := make([][]byte, len(group))
	for i, p := range group {
		commands[i] = p.command
	}
	return commands
}

// deliver tells the whole group the same error.
func deliver(group []*proposal, err error) {
	for _, p := range group {
		p.done <- Outcome{Err: err}
	}
}

// resultOf is the outcome of one command of an entry that was applied.
func resultOf(results Results, i int, index uint64) Outcome {
	result, err := results.Encode(i)
	if err != nil {
		return Outcome{Err: fmt.Errorf("%w: it was applied at log entry %d, but its result cannot be told: %v", ErrUnknownOutcome, index, err)}
	}
	return Outcome{Result: result, Index: index}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum travels with an entry and is verified whenever the entry is read from a disk.
func checksum(entry []byte) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.Checksum(entry, castagnoli))
}

var errChecksum = errors.New("its checksum does not fit")
