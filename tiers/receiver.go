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

// applyItems has the log apply what came, in order, and acknowledges it afterwards. Frames that wait together become one
// command.
func (s *session) applyItems(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case items := <-s.incoming:
			for items != nil {
				run := []*linkpb.Items{items}
				run, items = s.gather(run)
				if err := s.applyRun(ctx, run); err != nil {
					return err
				}
			}
		}
	}
}

// gather takes the waiting frames that continue a run, as far as one command may go. next is a frame that it took and
// that does not belong to the run, nil when there is none.
func (s *session) gather(run []*linkpb.Items) (_ []*linkpb.Items, next *linkpb.Items) {
	last := run[0]
	items, bytes := len(last.Items), size(last.Items)
	for {
		select {
		case next = <-s.incoming:
		default:
			return run, nil
		}
		items, bytes = items+len(next.Items), bytes+size(next.Items)
		if next.First != last.First+uint64(len(last.Items)) || items > s.t.pace.run || bytes > 2*s.t.pace.frame {
			return run, next
		}
		run, last = append(run, next), next
	}
}

// applyRun has the log apply frames of which each continues the one before it.
func (s *session) applyRun(ctx context.Context, run []*linkpb.Items) error {
	items := &linkpb.Items{First: run[0].First, Hash: run[len(run)-1].Hash}
	for _, frame := range run {
		items.Items = append(items.Items, frame.Items...)
	}
	if err := s.remembers(ctx, s.echoes(items.Items)); err != nil {
		return err
	}
	result, err := s.insist(ctx, &deskpb.Command{Kind: &deskpb.Command_Receive{Receive: &deskpb.Receive{
		Peer:            string(s.peer),
		PeerIncarnation: s.incarnation,
		Incarnation:     s.own,
		First:           items.First,
		Items:           items.Items,
		Hash:            items.Hash,
	}}})
	if result == nil {
		return err
	}
	if err := outcome(result); err != nil {
		return err
	}
	s.backlog.Add(-int64(size(items.Items)))
	s.t.metrics.received.WithLabelValues(string(s.peer)).Add(float64(len(items.Items)))
	s.arrived.raise()
	last := items.First + uint64(len(items.Items)) - 1
	s.wire.send(ctx, &linkpb.Frame{Content: &linkpb.Frame_Ack{Ack: &linkpb.Ack{Sequence: last}}})
	return nil
}
