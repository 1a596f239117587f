package tiers

import (
	"context"
	"fmt"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// queue takes a frame of items for the log. A peer that keeps to its window never fills the queue.
func (s *session) queue(items *linkpb.Items) error {
	if len(items.Items) == 0 {
		return fmt.Errorf("%s sent a frame without items", s.peer)
	}
	limit := int64(s.t.pace.bytes + maxMessage)
	if s.backlog.Add(int64(size(items.Items))) > limit {
		return fmt.Errorf("%s sent more than %d bytes ahead of their acknowledgement", s.peer, limit)
	}
	select {
	case s.incoming <- items:
		return nil
	default:
		return fmt.Errorf("%s sent more than %d frames ahead of their acknowledgement", s.peer, cap(s.incoming))
	}
}

// applyItems has the log apply each frame, in order, and acknowledges it afterwards.
func (s *session) applyItems(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case items := <-s.incoming:
			if err := s.applyFrame(ctx, items); err != nil {
				return err
			}
		}
	}
}

func (s *session) applyFrame(ctx context.Context, items *linkpb.Items) error {
	result, err := s.insist(ctx, &deskpb.Command{Kind: &deskpb.Command_Receive{Receive: &deskpb.Receive{
		Peer:            string(s.peer),
		PeerIncarnation: s.incarnation,
		First:           items.First,
		Items:           items.Items,
		Hash:            items.Hash,
	}}})
	if result == nil {
		return err
	}
	if err := refusalOf(result); err != nil {
		return err
	}
	s.backlog.Add(-int64(size(items.Items)))
	s.t.metrics.received.WithLabelValues(string(s.peer)).Add(float64(len(items.Items)))
	s.arrived.raise()
	last := items.First + uint64(len(items.Items)) - 1
	s.wire.send(ctx, &linkpb.Frame{Content: &linkpb.Frame_Ack{Ack: &linkpb.Ack{Sequence: last}}})
	return nil
}
