package tiers

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// meter counts hand-overs that landed, that is, were accepted or refused by the peer, over a short time.
type meter struct {
	span   time.Duration
	bounds [2]int // least and most hand-overs in transit
	flying map[desk.TicketNumber]bool
	landed []landing
}

type landing struct {
	at    time.Time
	count int
}

// look notes which hand-overs are in transit now.
func (m *meter) look(now time.Time, transit []desk.TicketNumber) {
	flying := make(map[desk.TicketNumber]bool, len(transit))
	for _, number := range transit {
		flying[number] = true
	}
	count := 0
	for number := range m.flying {
		if !flying[number] {
			count++
		}
	}
	m.flying = flying
	if count > 0 {
		m.landed = append(m.landed, landing{at: now, count: count})
	}
	for len(m.landed) > 0 && now.Sub(m.landed[0].at) > m.span {
		m.landed = m.landed[1:]
	}
}

// window is how many hand-overs may be in transit: what landed lately, within the bounds. A line that dies strands no
// more than it carried a moment ago.
func (m *meter) window() int {
	sum := 0
	for _, l := range m.landed {
		sum += l.count
	}
	return min(max(sum, m.bounds[0]), m.bounds[1])
}

// carryHandovers sends queued hand-overs on their way while the line is truly up.
func (s *session) carryHandovers(ctx context.Context) error {
	m := &meter{span: s.t.pace.transit, bounds: s.t.pace.transits}
	tick := time.NewTicker(s.t.pace.courier)
	defer tick.Stop()
	for {
		changed := s.t.o.Site.Changed(s.peer)
		queued, pending, err := s.departures(m)
		if err != nil {
			return err
		}
		if len(queued) > 0 && s.dispatch(ctx, queued) > 0 {
			continue
		}
		// Whether the peer would answer is learnt without a change here, so what is pending is looked at again and again.
		var again <-chan time.Time
		if pending {
			again = tick.C
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-s.arrived:
		case <-again:
		}
	}
}

// open tells whether the peer would answer a hand-over at once, as far as can be known.
func (s *session) open() bool {
	return s.up.Load() && !s.closed.Load() && s.vouch.Load() != 0 && s.age(&s.vouch) < s.t.pace.silence
}

// departures lists the queued hand-overs that may go now, oldest wish first. pending tells whether any is queued or in
// transit, whether or not it may go.
func (s *session) departures(m *meter) (queued []desk.TicketNumber, pending bool, err error) {
	err = s.t.o.Site.View(func(r *store.Reader) error {
		transit, err := r.Handovers(deskpb.Handover_IN_TRANSIT, s.peer, m.bounds[1])
		if err != nil {
			return err
		}
		m.look(time.Now(), transit)
		room := m.window() - len(transit)
		oldest, err := r.Handovers(deskpb.Handover_QUEUED, s.peer, max(room, 1))
		if err != nil {
			return err
		}
		pending = len(transit) > 0 || len(oldest) > 0
		if room <= 0 || len(oldest) == 0 || !s.open() {
			return nil
		}
		if leaving, err := leaves(r, s.t.o.SiteID, s.peer); err != nil || leaving {
			return err
		}
		if allowed, err := s.dispatches(r); err != nil || !allowed {
			return err
		}
		queued, err = s.ready(r, oldest, room)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("read the hand-overs to %s: %w", s.peer, err)
	}
	return queued, pending, nil
}

// dispatches tells whether this site sends hand-overs over this link: the link was compared, and the site is not frozen.
func (s *session) dispatches(r *store.Reader) (bool, error) {
	site, err := r.Site()
	if err != nil {
		return false, err
	}
	link, err := s.link(r)
	return site.GetFrozen() == "" && !link.GetUnsettled(), err
}

// ready lists queued hand-overs that may begin, oldest wish first and at most limit. When some of the oldest may not, it looks
// behind them, so that tickets which wait for long keep no others from going.
func (s *session) ready(r *store.Reader, oldest []desk.TicketNumber, limit int) ([]desk.TicketNumber, error) {
	ready, err := mayBegin(r, oldest)
	if err != nil || len(ready) == len(oldest) {
		return ready, err
	}
	more, err := r.Handovers(deskpb.Handover_QUEUED, s.peer, s.t.pace.transits[1])
	if err != nil {
		return nil, err
	}
	ready, err = mayBegin(r, more)
	return ready[:min(limit, len(ready))], err
}

// mayBegin selects the queued hand-overs of tickets that are settled and that no other site has to release before.
func mayBegin(r *store.Reader, queued []desk.TicketNumber) (ready []desk.TicketNumber, err error) {
	here, err := Here(r)
	if err != nil {
		return nil, err
	}
	v := newView(r, tree{r: r, path: here.Path})
	for _, number := range queued {
		record, err := r.Ticket(number)
		if err != nil {
			return nil, err
		}
		settled := !here.Recovering
		if here.Recovering {
			if settled, err = v.Settled(record); err != nil {
				return nil, err
			}
		}
		if settled && desk.Sender(record) == here.Site {
			ready = append(ready, number)
		}
	}
	return ready, nil
}

// dispatch proposes the hand-overs side by side, so that they share a log entry, and returns how many went. One that
// was withdrawn meanwhile is refused by the log; that is no failure.
func (s *session) dispatch(ctx context.Context, queued []desk.TicketNumber) int {
	var went atomic.Int64
	var proposals sync.WaitGroup
	for _, number := range queued {
		proposals.Go(func() {
			result, err := s.propose(ctx, &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{
				Number: string(number),
				Verb:   &deskpb.TicketCommand_Dispatch{Dispatch: &deskpb.Dispatch{To: string(s.peer)}},
			}}})
			switch {
			case err != nil:
				s.t.o.Logger.Debug("hand-over had no outcome", "ticket", string(number), "error", err)
			case result.GetRefusal() != nil:
				s.t.o.Logger.Debug("hand-over is not queued any more", "ticket", string(number), "reason", result.Refusal.Message)
			default:
				went.Add(1)
			}
		})
	}
	proposals.Wait()
	s.t.metrics.handovers.WithLabelValues(string(s.peer)).Add(float64(went.Load()))
	return int(went.Load())
}
