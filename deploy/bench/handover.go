package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// handoverResult is how long single hand-overs take at sites that do nothing else.
type handoverResult struct {
	Setting setting `json:"setting"`
	Nodes   int     `json:"nodes"`
	// Call is the call to escalate, until its answer. The others begin at that answer.
	Call     spans `json:"call"`
	Accepted spans `json:"accepted"` // until the city's leader shows that the city has the ticket
	Told     spans `json:"told"`     // until a county's node shows that the city accepted it
}

// handover escalates tickets one by one, from a county to its city, and looks when either site shows that the city has
// accepted.
func handover(ctx context.Context, args []string) error {
	c := commonFlags("handover")
	count := c.flags.Int("count", 500, "hand-overs that are measured")
	pause := c.flags.Duration("pause", 50*time.Millisecond, "between two of them, so that the sites are idle")
	return c.onPair(ctx, args, func(ctx context.Context, w *workshop, set setting, p *pair) error {
		if *count < 1 || *pause < 0 {
			return errors.New("-count must be above zero, -pause not below")
		}
		const warm = 20
		numbers, err := p.tickets(ctx, *count+warm)
		if err != nil {
			return err
		}
		if err := p.settle(ctx); err != nil {
			return err
		}
		var call, accepted, told []time.Duration
		for i, number := range numbers {
			one, err := p.handOver(ctx, number)
			if err != nil {
				return err
			}
			if i >= warm {
				call, accepted, told = append(call, one.call), append(accepted, one.accepted), append(told, one.told)
			}
			time.Sleep(*pause)
		}
		if err := errors.Join(p.settle(ctx), p.compare(ctx)); err != nil {
			return err
		}
		return handoverResult{set, len(p.city.nodes), spansOf(call), spansOf(accepted), spansOf(told)}.print(w)
	})
}

// handedOver is how long the parts of one hand-over took.
type handedOver struct{ call, accepted, told time.Duration }

func (p *pair) handOver(ctx context.Context, number string) (handedOver, error) {
	began := time.Now()
	node := p.low.Nodes[0]
	if _, err := node.EscalateTicket(ctx, &apipb.EscalateTicketRequest{Number: number, RequestId: "up-" + number, Reason: "需要市局处理"}); err != nil {
		return handedOver{}, fmt.Errorf("escalate %s: %w", number, err)
	}
	answered := time.Now()
	accepted, err := awaitHolder(ctx, p.lead, p.city.id, number)
	if err != nil {
		return handedOver{}, err
	}
	told, err := awaitHolder(ctx, node, p.city.id, number)
	return handedOver{answered.Sub(began), accepted.Sub(answered), told.Sub(answered)}, err
}

func (r handoverResult) print(w *workshop) error {
	if w.json {
		return printJSON(r)
	}
	rows := [][]string{
		{fmt.Sprintf("one hand-over, sites of %d nodes, ms", r.Nodes), "count", "p50", "p95", "p99", "longest"},
		r.Call.row("the call to escalate"),
		r.Accepted.row("its answer → the city shows it accepted"),
		r.Told.row("its answer → the county shows it accepted"),
	}
	fmt.Printf("%s\n\n%s", r.Setting, table(rows))
	return nil
}
