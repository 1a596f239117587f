package tiers

import (
	"context"
	"fmt"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// flight is what was sent and not acknowledged: one entry for each frame, oldest first.
type flight struct {
	frames []sentFrame
	items  int
	bytes  int
}

type sentFrame struct {
	last  uint64 // sequence of its last item
	items int
	bytes int
}

func (f *flight) add(frame sentFrame) {
	f.frames = append(f.frames, frame)
	f.items += frame.items
	f.bytes += frame.bytes
}

// land forgets the frames up to an acknowledged sequence.
func (f *flight) land(acked uint64) {
	for len(f.frames) > 0 && f.frames[0].last <= acked {
		f.items -= f.frames[0].items
		f.bytes -= f.frames[0].bytes
		f.frames = f.frames[1:]
	}
}

// sendItems sends the outbox in order, as far as the window of unacknowledged items allows, and shows how the link
// stands: catching up until everything written before the stream is acknowledged and the peer has vouched, and again
// while too much is pending or the peer does not vouch. It gives up when an older stream has carried the link past this
// one: what that one delivered would be pending here for ever.
func (s *session) sendItems(ctx context.Context) error {
	var f flight
	target, known, caughtUp := uint64(0), false, false
	for {
		changed := s.t.o.Site.Changed(s.peer)
		acked := s.acked.Load()
		f.land(acked)
		page, link, err := s.page(f)
		if err != nil {
			return err
		}
		if !known {
			target, known = link.SentSequence, true
		}
		caughtUp = caughtUp || acked >= target && s.vouch.Load() != 0
		if link.AckedSequence > s.sent.Load() {
			return errOvertaken
		}
		s.stand(link, acked, caughtUp)
		if len(page) > 0 {
			frame := s.pack(page)
			// Noted first: the acknowledgement may come before send returns.
			s.sent.Store(page[len(page)-1].Sequence)
			if !s.wire.send(ctx, &linkpb.Frame{Content: &linkpb.Frame_Items{Items: frame}}) {
				return nil
			}
			f.add(sentFrame{last: s.sent.Load(), items: len(page), bytes: size(frame.Items)})
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-s.progress:
		}
	}
}

// page reads the next items for which the window has room.
func (s *session) page(f flight) (page []store.OutboxItem, link *deskpb.Link, err error) {
	p := s.t.pace
	items, bytes := min(p.items, p.window-f.items), min(p.frame, p.bytes-f.bytes)
	err = s.t.o.Site.View(func(r *store.Reader) error {
		var err error
		if link, err = s.link(r); err != nil || items <= 0 || bytes <= 0 {
			return err
		}
		page, err = r.Outbox(s.peer, s.sent.Load(), items, bytes)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read the outbox of %s: %w", s.peer, err)
	}
	if len(page) > 0 && page[0].Sequence != s.sent.Load()+1 {
		return nil, nil, fmt.Errorf("the outbox of %s goes on with item %d where %d is next", s.peer, page[0].Sequence, s.sent.Load()+1)
	}
	return page, link, nil
}

func (s *session) pack(page []store.OutboxItem) *linkpb.Items {
	frame := &linkpb.Items{First: page[0].Sequence, Hash: page[len(page)-1].Hash}
	for _, item := range page {
		frame.Items = append(frame.Items, item.Item)
	}
	s.t.metrics.sent.WithLabelValues(string(s.peer)).Add(float64(len(page)))
	return frame
}

func size(items [][]byte) int {
	n := 0
	for _, item := range items {
		n += len(item)
	}
	return n
}

// stand shows the state of the link and what is pending.
func (s *session) stand(link *deskpb.Link, acked uint64, caughtUp bool) {
	pending := link.SentSequence - min(acked, link.SentSequence)
	up := caughtUp && !s.comparing.Load() && pending <= s.t.pace.lag && s.age(&s.vouch) < s.t.pace.silence
	if s.up.Swap(up) == up {
		return
	}
	if up {
		s.t.board.show(s.peer, Up, "")
		s.arrived.raise()
		return
	}
	s.t.board.show(s.peer, CatchingUp, "")
}

// acknowledge has the log note what the peer acknowledged: one command at a time, always the newest. It is in no hurry:
// what is noted late is only kept for longer.
func (s *session) acknowledge(ctx context.Context) error {
	noted := uint64(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.settled:
		}
		if !pause(ctx, s.t.pace.note) {
			return nil
		}
		acked := s.acked.Load()
		if acked <= noted {
			continue
		}
		result, err := s.insist(ctx, &deskpb.Command{Kind: &deskpb.Command_Acknowledge{Acknowledge: &deskpb.Acknowledge{
			Peer: string(s.peer), PeerIncarnation: s.incarnation, Incarnation: s.own, Sequence: acked, Time: s.t.o.Now().UnixMicro(),
		}}})
		if result == nil {
			return err
		}
		if err := outcome(result); err != nil {
			return err
		}
		noted = acked
	}
}
