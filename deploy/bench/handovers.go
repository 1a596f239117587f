package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// handoversResult is how fast a line takes hand-overs that wait for it.
type handoversResult struct {
	Setting      setting `json:"setting"`
	Nodes        int     `json:"nodes"`
	Handovers    int     `json:"handovers"`
	FirstSeconds float64 `json:"firstSeconds"` // from the mended line until the city shows the first one accepted
	Seconds      float64 `json:"seconds"`      // from there until the city has all, and the county knows
	Rate         float64 `json:"rate"`         // hand-overs a second, in those seconds
	CountyMicros float64 `json:"countyMicros"` // processor time of the county's nodes for each
	CityMicros   float64 `json:"cityMicros"`
	Bytes        float64 `json:"bytes"` // on the line for each, both ways
}

// handovers escalates many tickets while the line is cut, mends it, and looks how fast they go.
func handovers(ctx context.Context, args []string) error {
	c := commonFlags("handovers")
	count := c.flags.Int("count", 20_000, "tickets that wait for the line")
	return c.onPair(ctx, args, func(ctx context.Context, w *workshop, set setting, p *pair) error {
		if *count < 2 {
			return errors.New("-count must be above one")
		}
		if err := p.queueAll(ctx, *count); err != nil {
			return err
		}
		r := handoversResult{Setting: set, Nodes: len(p.city.nodes), Handovers: *count}
		work, err := p.work(func() error { return p.passOn(ctx, &r) })
		if err != nil {
			return err
		}
		each := func(total time.Duration) float64 { return float64(total.Microseconds()) / float64(*count) }
		r.CountyMicros, r.CityMicros, r.Bytes = each(work.county), each(work.city), float64(work.bytes)/float64(*count)
		if err := p.compare(ctx); err != nil {
			return err
		}
		return r.print(w)
	})
}

// queueAll opens tickets, and escalates them while the line is cut.
func (p *pair) queueAll(ctx context.Context, count int) error {
	numbers, err := p.tickets(ctx, count)
	if err != nil {
		return err
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	p.line.set(closed)
	if err := p.awaitDown(ctx); err != nil {
		return err
	}
	err = crowd(ctx, count, func(ctx context.Context, i int) error {
		_, err := p.low.Nodes[i%len(p.low.Nodes)].EscalateTicket(ctx,
			&apipb.EscalateTicketRequest{Number: numbers[i], RequestId: "up-" + numbers[i]})
		return err
	})
	if err != nil {
		return err
	}
	say("%d hand-overs wait for the line", count)
	return p.stayedDown(ctx)
}

// passOn mends the line and waits until all has gone over it.
func (p *pair) passOn(ctx context.Context, r *handoversResult) error {
	mended := time.Now()
	p.line.set(whole)
	first, err := awaitAny(ctx, p.lead, p.city.id)
	if err != nil {
		return err
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	took := time.Since(first)
	r.FirstSeconds, r.Seconds = first.Sub(mended).Seconds(), took.Seconds()
	r.Rate = float64(r.Handovers-1) / took.Seconds()
	return nil
}

// awaitAny waits until a node shows that a site has any ticket.
func awaitAny(ctx context.Context, node apipb.TicketsClient, site string) (time.Time, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, upWithin, fmt.Errorf("%s took no ticket within %s", site, upWithin))
	defer cancel()
	err := poll(ctx, 5*time.Millisecond, func() error {
		page, err := node.ListTickets(ctx, &apipb.ListTicketsRequest{Filter: fmt.Sprintf("custodianSite = %q", site), PageSize: 1, Consistency: "stale"})
		if err == nil && len(page.Tickets) == 0 {
			err = fmt.Errorf("%s has no ticket", site)
		}
		return err
	})
	return time.Now(), err
}

// worked is what both sites and the line between them did.
type worked struct {
	county, city time.Duration // processor time of all nodes
	bytes        int64         // over the line, both ways
}

// work measures what something costs.
func (p *pair) work(do func() error) (worked, error) {
	county, err := processorTime(p.county.processes())
	if err != nil {
		return worked{}, err
	}
	city, err := processorTime(p.city.processes())
	if err != nil {
		return worked{}, err
	}
	bytes := p.line.bytes()
	if err := do(); err != nil {
		return worked{}, err
	}
	countyAfter, err := processorTime(p.county.processes())
	if err != nil {
		return worked{}, err
	}
	cityAfter, err := processorTime(p.city.processes())
	return worked{countyAfter - county, cityAfter - city, p.line.bytes() - bytes}, err
}

func (r handoversResult) print(w *workshop) error {
	if w.json {
		return printJSON(r)
	}
	rows := [][]string{
		{fmt.Sprintf("hand-overs, sites of %d nodes", r.Nodes), "first after s", "all in s", "a second", "µs each, county", "city", "bytes each"},
		{fmt.Sprint(r.Handovers), fmt.Sprintf("%.2f", r.FirstSeconds), fmt.Sprintf("%.1f", r.Seconds), fmt.Sprintf("%.0f", r.Rate),
			fmt.Sprintf("%.0f", r.CountyMicros), fmt.Sprintf("%.0f", r.CityMicros), fmt.Sprintf("%.0f", r.Bytes)},
	}
	fmt.Printf("%s\n\n%s", r.Setting, table(rows))
	return nil
}
