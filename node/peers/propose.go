package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/tierdesk/tierdesk/node/peers/peerpb"
	"github.com/tierdesk/tierdesk/replication"
)

// maxCommands bounds the commands of one call.
const maxCommands = 1024

// outcomeBytes is how many bytes of results an answer has when it is sent; a single result may be larger.
const outcomeBytes = 256 << 10

// Propose has the leader at the address decide commands, and tells the outcome of each by its place as it comes. The error
// is about those that were not told.
func (c *Client) Propose(ctx context.Context, address string, commands [][]byte, tell func(i int, o replication.Outcome)) error {
	conn, err := c.conns.get(address)
	if err != nil {
		return fmt.Errorf("node at %q: %w: %w", address, replication.ErrUnreachable, err)
	}
	sent := &atomic.Bool{}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, sentKey{}, sent), proposeDeadline)
	defer cancel()
	stream, err := peerpb.NewPeerClient(conn).Propose(ctx, &peerpb.ProposeRequest{Site: c.site, Commands: commands})
	if err != nil {
		return fromStatus(address, sent.Load(), err)
	}
	for {
		answers, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fromStatus(address, sent.Load(), err)
		}
		for _, o := range answers.Outcomes {
			tell(int(o.Command), outcomeFromWire(address, o))
		}
	}
}

// Propose answers with what became of each command, in their order.
func (s *server) Propose(in *peerpb.ProposeRequest, stream grpc.ServerStreamingServer[peerpb.ProposeResponse]) error {
	ctx := stream.Context()
	if err := s.admit(ctx, in.Site); err != nil {
		return err
	}
	if len(in.Commands) > maxCommands {
		return toStatus(fmt.Errorf("%w: %d commands in one call are more than %d", replication.ErrRefused, len(in.Commands), maxCommands))
	}
	answer, size := &peerpb.ProposeResponse{}, 0
	err := s.options.Replica.ProposeHere(ctx, in.Commands, func(i int, o replication.Outcome) error {
		answer.Outcomes = append(answer.Outcomes, outcomeToWire(i, o))
		if size += len(o.Result); size < outcomeBytes && i < len(in.Commands)-1 {
			return nil
		}
		full := answer
		answer, size = &peerpb.ProposeResponse{}, 0
		return stream.Send(full)
	})
	return toStatus(err)
}

func outcomeToWire(i int, o replication.Outcome) *peerpb.Outcome {
	if o.Err == nil {
		return &peerpb.Outcome{Command: uint32(i), Result: o.Result, Index: o.Index}
	}
	return &peerpb.Outcome{Command: uint32(i), Reason: reasonOf(o.Err), Message: o.Err.Error()}
}

// outcomeFromWire takes a reason that this node does not know for an unknown outcome.
func outcomeFromWire(address string, o *peerpb.Outcome) replication.Outcome {
	if o.Reason == "" {
		return replication.Outcome{Result: o.Result, Index: o.Index}
	}
	meaning := meaningOf(o.Reason)
	if meaning == nil {
		meaning = replication.ErrUnknownOutcome
	}
	return replication.Outcome{Err: &answer{address: address, message: o.Message, meaning: meaning}}
}
