package tiers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// comparison is the child's part: it asks until both ends have the same. It begins anew with each stream; what was found
// before is equal then.
//
// Invariant: every answer belongs to the oldest question in asked, and no more than maxAsked questions wait, so that the
// answers always have room. What is closest to its end is done first, so that what waits here stays small.
type comparison struct {
	*session
	asked []question

	wishes []*linkpb.Holding   // events that the parent asked for
	again  []*linkpb.Holding   // tickets of which one gift could not bring all
	differ []desk.TicketNumber // tickets that are not equal
	lists  []*listing          // small ranges that the parent has named the tickets of
	ranges []*linkpb.Range     // ranges that are not equal, the last one first
	later  []desk.TicketNumber // tickets that are not equal, and that nobody has to solve any more

	compared, compares int // tickets, for people
}

// question is a frame for the parent and what to do with its answer.
type question struct {
	frame  *linkpb.Frame
	answer func(ctx context.Context, frame *linkpb.Frame) error
}

// listing is a range of which the parent has few tickets; this site may have many.
type listing struct {
	from, to string
	theirs   map[string]*linkpb.TicketDigest // what this site was not yet held against
}

// compareWithParent asks the parent until both ends have the same tickets.
func (s *session) compareWithParent(ctx context.Context) error {
	if s.comparing.Load() {
		if err := s.awaitQuiet(ctx); err != nil {
			return err
		}
		c := &comparison{session: s}
		if err := c.run(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("compare with %s: %w", s.peer, err)
		}
	}
	if ctx.Err() == nil {
		s.noteCompared()
	}
	return nil
}

// awaitQuiet waits until everything that was written before the stream has arrived, in both directions: what is on its way
// need not be compared.
func (s *session) awaitQuiet(ctx context.Context) error {
	tick := time.NewTicker(s.t.pace.courier)
	defer tick.Stop()
	for target := uint64(0); ; {
		changed := s.t.o.Site.Changed(s.peer)
		quiet := false
		err := s.t.o.Site.View(func(r *store.Reader) error {
			link, err := s.link(r)
			if target == 0 {
				target = link.GetSentSequence()
			}
			quiet = s.acked.Load() >= target && link.GetReceivedSequence() >= s.written
			return err
		})
		if err != nil || quiet {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-tick.C:
		}
	}
}

func (c *comparison) run(ctx context.Context) error {
	whole, err := c.tally(ctx, "", "")
	if err != nil {
		return err
	}
	c.compares = int(whole.tickets)
	c.ranges = []*linkpb.Range{whole.whole()}
	for ctx.Err() == nil {
		for len(c.asked) < maxAsked {
			q, err := c.next(ctx)
			if err != nil {
				return err
			}
			if q == nil {
				break
			}
			if !c.wire.send(ctx, q.frame) {
				return ctx.Err()
			}
			c.asked = append(c.asked, *q)
		}
		if len(c.asked) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
		case frame := <-c.mail:
			oldest := c.asked[0]
			c.asked = c.asked[1:]
			if err := oldest.answer(ctx, frame); err != nil {
				return err
			}
			c.t.board.compare(c.peer, true, min(c.compared, c.compares), c.compares)
		}
	}
	return ctx.Err()
}

// next is the next question, nil when there is none before an answer has come.
func (c *comparison) next(ctx context.Context) (*question, error) {
	for {
		switch {
		case len(c.wishes) > 0:
			return c.fulfil()
		case len(c.again) > 0 || len(c.differ) > 0:
			return c.askEvents()
		case len(c.lists) > 0:
			if err := c.list(ctx); err != nil {
				return nil, err
			}
		case len(c.ranges) > 0:
			return c.askRanges(), nil
		case len(c.asked) == 0 && len(c.later) > 0:
			c.differ, c.later = c.later, nil
		default:
			return nil, nil
		}
	}
}

// askRanges asks about the ranges that came last.
func (c *comparison) askRanges() *question {
	begin := max(0, len(c.ranges)-maxRanges)
	asked := slices.Clone(c.ranges[begin:])
	c.ranges = c.ranges[:begin]
	return &question{
		frame: &linkpb.Frame{Content: &linkpb.Frame_Compare{Compare: &linkpb.Compare{Ranges: asked}}},
		answer: func(ctx context.Context, frame *linkpb.Frame) error {
			differences := frame.GetDifferences().GetRanges()
			if len(differences) != len(asked) {
				return fmt.Errorf("%d ranges were asked about and %d answered", len(asked), len(differences))
			}
			for i, d := range differences {
				if err := c.look(ctx, asked[i], d); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// look notes what the parent said of a range.
func (c *comparison) look(ctx context.Context, asked *linkpb.Range, d *linkpb.Difference) error {
	switch {
	case d.Listed:
		l := &listing{from: asked.From, to: asked.To, theirs: make(map[string]*linkpb.TicketDigest, len(d.Tickets))}
		for _, ticket := range d.Tickets {
			l.theirs[ticket.Ticket] = ticket
		}
		c.lists = append(c.lists, l)
	case len(d.Parts) > 0:
		return c.divide(ctx, asked, d.Parts)
	default:
		c.compared += int(asked.Tickets)
	}
	return nil
}

// divide holds the parts of a range against what this site has in each, and keeps those that are not equal.
func (c *comparison) divide(ctx context.Context, asked *linkpb.Range, parts []*linkpb.Range) error {
	counts := make([]*census, len(parts))
	theirs := 0
	for i, part := range parts {
		from, to := asked.From, asked.To
		if i > 0 {
			from = parts[i-1].To
		}
		if i < len(parts)-1 {
			to = part.To
		}
		if part.From != from || part.To != to || i > 0 && part.From <= parts[i-1].From {
			return fmt.Errorf("part %d of the range from %q to %q goes from %q to %q", i, asked.From, asked.To, part.From, part.To)
		}
		counts[i] = &census{from: from, to: to}
		theirs += int(part.Tickets)
	}
	if asked.From == "" && asked.To == "" {
		c.compares = max(c.compares, theirs)
	}
	at := 0
	err := c.eachHolding(ctx, asked.From, asked.To, func(h store.Holding) (bool, error) {
		for at < len(parts)-1 && string(h.Number) >= parts[at].To {
			at++
		}
		counts[at].add(h)
		return true, nil
	})
	for i, ours := range counts {
		if same(ours.whole(), parts[i]) {
			c.compared += int(parts[i].Tickets)
		} else {
			c.ranges = append(c.ranges, ours.whole())
		}
	}
	return err
}

// list holds a page of this site's tickets against a listing, and notes those that are not equal.
func (c *comparison) list(ctx context.Context) error {
	last := len(c.lists) - 1
	l := c.lists[last]
	found, next := 0, ""
	err := c.eachHolding(ctx, l.from, l.to, func(h store.Holding) (bool, error) {
		if found == maxScan {
			next = string(h.Number)
			return false, nil
		}
		found++
		c.compared++
		theirs := l.theirs[string(h.Number)]
		delete(l.theirs, string(h.Number))
		if theirs == nil || !sameTicket(h, theirs) {
			c.found(h.Number, h.Open || theirs.GetOpen())
		}
		return true, nil
	})
	if err != nil || next != "" {
		l.from = next
		return err
	}
	for _, number := range slices.Sorted(maps.Keys(l.theirs)) {
		c.compared++
		c.found(desk.TicketNumber(number), l.theirs[number].Open)
	}
	c.lists = c.lists[:last]
	return nil
}

// found notes a ticket that is not equal. People wait for the open ones: they come before all others.
func (c *comparison) found(number desk.TicketNumber, open bool) {
	if open || len(c.later) >= maxLater {
		c.differ = append(c.differ, number)
	} else {
		c.later = append(c.later, number)
	}
}

// askEvents asks for the events of tickets that are not equal.
func (c *comparison) askEvents() (*question, error) {
	holdings := &linkpb.Holdings{}
	size := 0
	take := func(h *linkpb.Holding) {
		holdings.Tickets = append(holdings.Tickets, h)
		size += len(h.Events)
	}
	room := func() bool { return len(holdings.Tickets) < maxHoldings && size < holdingBytes }
	for len(c.again) > 0 && room() {
		take(c.again[0])
		c.again = c.again[1:]
	}
	err := c.t.o.Site.View(func(r *store.Reader) error {
		for len(c.differ) > 0 && room() {
			h, err := hold(r, c.differ[0])
			if err != nil {
				return err
			}
			take(h)
			c.differ = c.differ[1:]
		}
		return nil
	})
	return &question{
		frame: &linkpb.Frame{Content: &linkpb.Frame_Holdings{Holdings: holdings}},
		answer: func(ctx context.Context, frame *linkpb.Frame) error {
			return c.accept(ctx, holdings.Tickets, frame.GetGift())
		},
	}, err
}

// accept stores what the parent gave, notes what it asks for, and asks again for what did not fit into one gift.
func (c *comparison) accept(ctx context.Context, asked []*linkpb.Holding, gift *linkpb.Gift) error {
	dealt := int(gift.GetTickets())
	if dealt > len(asked) || dealt < len(asked) && len(gift.GetEvents()) == 0 {
		return fmt.Errorf("%d tickets were asked for and %d answered without any event", len(asked), dealt)
	}
	if err := c.unite(ctx, gift.GetEvents()); err != nil {
		return err
	}
	c.wishes = append(c.wishes, gift.GetWanted()...)
	if dealt == len(asked) {
		return nil
	}
	// The events that came of the first one are not asked for again, even where they had to be set aside.
	for _, raw := range gift.GetEvents() {
		if e, err := desk.Open(raw); err == nil && e.Ticket == asked[dealt].Ticket {
			asked[dealt].Events = append(asked[dealt].Events, nameOf(e)...)
		}
	}
	c.again = append(c.again, asked[dealt:]...)
	return nil
}

// fulfil gives the parent what it asked for, as far as one gift goes.
func (c *comparison) fulfil() (*question, error) {
	gift, left, err := c.give(c.wishes)
	c.wishes = left
	c.countGiven(gift)
	return &question{
		frame: &linkpb.Frame{Content: &linkpb.Frame_Gift{Gift: gift}},
		answer: func(_ context.Context, frame *linkpb.Frame) error {
			if frame.GetGift() == nil {
				return fmt.Errorf("a gift was answered with %T", frame.Content)
			}
			return nil
		},
	}, err
}
