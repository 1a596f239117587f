package tiers

import (
	"context"
	"fmt"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// stance is how this end stands in its own recovery, as one view of the state shows it.
type stance struct {
	recovering bool
	unsettled  bool   // this link, or this stream's comparison
	revisit    bool   // this link
	final      bool   // nothing is left to learn from the other neighbours on the paths of the peer's tickets
	sent       uint64 // last item written for the peer
	received   uint64 // last item received from the peer
}

func (s *session) stance() (st stance, err error) {
	err = s.t.o.Site.View(func(r *store.Reader) error {
		link, err := s.link(r)
		if err != nil {
			return err
		}
		site, err := r.Site()
		if err != nil {
			return err
		}
		t, err := newTree(r)
		if err != nil {
			return err
		}
		st = stance{
			recovering: site.Recovering != 0, unsettled: link.Unsettled || s.unsettled.Load(), revisit: link.Revisit,
			sent: link.SentSequence, received: link.ReceivedSequence,
		}
		switch {
		case !st.recovering:
			st.final = true
		case s.peer == t.parent():
			st.final, err = t.settledBelow()
		default:
			st.final, err = t.settledAbove()
		}
		return err
	})
	return st, err
}

// turnsAway tells whether this site takes no hand-overs from the peer now: it is frozen, or it recovers and could not
// answer them.
func (s *session) turnsAway() (closed bool, err error) {
	err = s.t.o.Site.View(func(r *store.Reader) error {
		site, err := r.Site()
		if err != nil {
			return err
		}
		closed = site.GetFrozen() != ""
		if closed || site.GetRecovering() == 0 {
			return nil
		}
		t, err := newTree(r)
		if err != nil {
			return err
		}
		here, err := t.settledWith(s.peer)
		if err != nil {
			return err
		}
		above, err := t.settledAbove()
		closed = !here || !above
		return err
	})
	return closed, err
}

// noteCompared ends the child's part of the comparison.
func (s *session) noteCompared() {
	s.compared.Store(true)
	s.endComparison()
}

// endComparison shows that both ends have found what they were looking for.
func (s *session) endComparison() {
	s.comparing.Store(false)
	s.t.board.compare(s.peer, false, 0, 0)
	s.progress.raise()
	s.news.raise()
}

// noteStanding keeps what the peer last said of its own recovery.
func (s *session) noteStanding(theirs *linkpb.Standing) {
	s.theirs.Store(theirs)
	if theirs.Compared {
		s.noteCompared()
	}
	s.news.raise()
}

// conclude tells the peer how far this site is, has the log settle the link when both ends are through, and has the rules
// look at the tickets again that were left alone. It ends when nothing is left to do.
func (s *session) conclude(ctx context.Context) error {
	tick := time.NewTicker(s.t.pace.courier)
	defer tick.Stop()
	for said := (*linkpb.Standing)(nil); ctx.Err() == nil; {
		st, err := s.stance()
		if err != nil {
			return err
		}
		if now := s.standing(st); said == nil || said.Compared != now.Compared || said.Final != now.Final {
			if !s.wire.send(ctx, &linkpb.Frame{Content: &linkpb.Frame_Standing{Standing: now}}) {
				return nil
			}
			said = now
		}
		if s.ripe(st) {
			if err := s.settle(ctx, st); err != nil {
				return err
			}
			continue
		}
		if !st.unsettled && st.revisit {
			if err := s.revisit(ctx); err != nil {
				return err
			}
			continue
		}
		if !st.unsettled && said.Final && s.compared.Load() {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.news:
		case <-tick.C:
		}
	}
	return nil
}

// standing is what this end says of itself.
func (s *session) standing(st stance) *linkpb.Standing {
	return &linkpb.Standing{Compared: s.dials && s.compared.Load(), Final: st.final, SentSequence: st.sent}
}

// ripe tells whether the link can be settled: the comparison has come to its end, and the peer has nothing to learn any
// more that this site would have to know. A site that does not recover waits for nobody: what the peer learns later comes
// over the stream.
func (s *session) ripe(st stance) bool {
	theirs := s.theirs.Load()
	return st.unsettled && s.compared.Load() && theirs != nil && (theirs.Final || !st.recovering) && st.received >= theirs.SentSequence
}

func (s *session) settle(ctx context.Context, st stance) error {
	result, err := s.insist(ctx, &deskpb.Command{Kind: &deskpb.Command_Settle{Settle: &deskpb.Settle{
		Peer: string(s.peer), PeerIncarnation: s.incarnation, Incarnation: s.own, ReceivedSequence: s.theirs.Load().SentSequence,
		Joined: uint32(s.joined.Load()), Given: s.given.Load(),
	}}})
	if result == nil {
		return err
	}
	if err := outcome(result); err != nil {
		return fmt.Errorf("settle the link with %s: %w", s.peer, err)
	}
	s.unsettled.Store(false)
	s.t.o.Logger.Info("link was compared to the end", "peer", string(s.peer))
	s.arrived.raise()
	return s.overtake(ctx)
}

// overtake waits until this node has what the log has decided.
func (s *session) overtake(ctx context.Context) error {
	if err := s.t.barrier(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// revisit has the rules look again at the link's tickets that they would do something about.
func (s *session) revisit(ctx context.Context) error {
	for next := ""; ctx.Err() == nil; {
		tickets, after, err := s.pageToRevisit(ctx, next)
		if err != nil {
			return err
		}
		next = after
		if len(tickets) == 0 && next != "" {
			continue
		}
		result, err := s.insist(ctx, &deskpb.Command{Kind: &deskpb.Command_Revisit{Revisit: &deskpb.Revisit{
			Peer: string(s.peer), Tickets: tickets, Done: next == "",
		}}})
		if result == nil {
			return err
		}
		if err := outcome(result); err != nil {
			return fmt.Errorf("look again at the tickets of %s: %w", s.peer, err)
		}
		if next == "" {
			return s.overtake(ctx)
		}
	}
	return nil
}

// pageToRevisit reads on from a number until enough tickets were found; next is empty at the end.
func (s *session) pageToRevisit(ctx context.Context, from string) (tickets []string, next string, err error) {
	seen := 0
	var page []desk.TicketNumber
	err = s.eachHolding(ctx, from, "", func(h store.Holding) (bool, error) {
		if seen == maxRevisited {
			next = string(h.Number)
			return false, nil
		}
		seen++
		page = append(page, h.Number)
		return true, nil
	})
	if err != nil {
		return nil, "", err
	}
	err = s.t.o.Site.View(func(r *store.Reader) error {
		here, err := Here(r)
		if err != nil {
			return err
		}
		v := newView(r, tree{r: r, path: here.Path})
		for _, number := range page {
			record, err := r.Ticket(number)
			if err != nil {
				return err
			}
			answer, err := desk.React(here, v, record, desk.Stamp{Time: s.t.o.Now().UnixMicro()})
			if err == nil && answer != nil {
				tickets = append(tickets, string(number))
			}
		}
		return nil
	})
	return tickets, next, err
}
