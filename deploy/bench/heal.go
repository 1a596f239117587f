package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// healResult is how soon a mended line carries the first hand-over that waited for it, by what the cut was like.
type healResult struct {
	Setting setting `json:"setting"`
	Nodes   int     `json:"nodes"`
	Silent  spans   `json:"silent"`
	Closed  spans   `json:"closed"`
}

// heal cuts the line again and again, escalates a ticket meanwhile, and looks when the city has accepted it after the line
// was mended.
func heal(ctx context.Context, args []string) error {
	c := commonFlags("heal")
	rounds := c.flags.Int("rounds", 20, "of each kind of cut")
	cut := c.flags.Duration("cut", 6*time.Second, "how long the line is cut about; at least so long that both ends notice")
	return c.onPair(ctx, args, func(ctx context.Context, w *workshop, set setting, p *pair) error {
		if *rounds < 1 || *cut < 4*time.Second {
			return errors.New("-rounds must be above zero, -cut at least 4s")
		}
		numbers, err := p.tickets(ctx, 2**rounds)
		if err != nil {
			return err
		}
		took := make(map[lineState][]time.Duration)
		for i, number := range numbers {
			state := []lineState{silent, closed}[i%2]
			one, err := p.cutAndMend(ctx, number, state, *cut)
			if err != nil {
				return fmt.Errorf("round %d, a %s cut: %w", i+1, state, err)
			}
			say("round %d, a %s cut: accepted %.2f s after the line was mended", i+1, state, one.Seconds())
			took[state] = append(took[state], one)
		}
		if err := errors.Join(p.settle(ctx), p.compare(ctx)); err != nil {
			return err
		}
		return healResult{set, len(p.city.nodes), spansOf(took[silent]), spansOf(took[closed])}.print(w)
	})
}

// cutAndMend cuts the line for a while, a part of which is drawn, so that redials are met at any moment.
func (p *pair) cutAndMend(ctx context.Context, number string, state lineState, length time.Duration) (time.Duration, error) {
	if err := p.settle(ctx); err != nil {
		return 0, err
	}
	p.line.set(state)
	over := time.After(length + rand.N(2*time.Second))
	if err := p.awaitDown(ctx); err != nil {
		return 0, err
	}
	if _, err := p.low.Nodes[0].EscalateTicket(ctx, &apipb.EscalateTicketRequest{Number: number, RequestId: "up-" + number}); err != nil {
		return 0, fmt.Errorf("escalate %s: %w", number, err)
	}
	select {
	case <-over:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if err := p.stayedDown(ctx); err != nil {
		return 0, err
	}
	mended := time.Now()
	p.line.set(whole)
	accepted, err := awaitHolder(ctx, p.lead, p.city.id, number)
	return accepted.Sub(mended), err
}

func (r healResult) print(w *workshop) error {
	if w.json {
		return printJSON(r)
	}
	rows := [][]string{
		{fmt.Sprintf("line mended → the waiting hand-over is accepted, sites of %d nodes, ms", r.Nodes), "count", "p50", "p95", "p99", "longest"},
		r.Silent.row("after every byte was lost"),
		r.Closed.row("after connections were refused"),
	}
	fmt.Printf("%s\n\n%s", r.Setting, table(rows))
	return nil
}
