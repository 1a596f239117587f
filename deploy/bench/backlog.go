package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// backlogResult is how fast a city catches up with what its county wrote while the line was cut.
type backlogResult struct {
	Setting        setting `json:"setting"`
	Nodes          int     `json:"nodes"`
	Events         int32   `json:"events"` // that waited when the line was mended
	WrittenSeconds float64 `json:"writtenSeconds"`
	FirstSeconds   float64 `json:"firstSeconds"` // from the mended line until the first acknowledgement
	Seconds        float64 `json:"seconds"`      // from the mended line until nothing waits at either site
	Rate           float64 `json:"rate"`         // events a second, in those seconds
	CountyMicros   float64 `json:"countyMicros"` // processor time of the county's nodes for an event
	CityMicros     float64 `json:"cityMicros"`
	Bytes          float64 `json:"bytes"` // on the line for an event, both ways
}

// backlog writes many events at the county while the line is cut, mends it, and looks how fast the city has them.
func backlog(ctx context.Context, args []string) error {
	c := commonFlags("backlog")
	events := c.flags.Int("events", 100_000, "that wait for the line")
	perTicket := c.flags.Int("notes", 19, "of a hundred characters, on each ticket")
	return c.onPair(ctx, args, func(ctx context.Context, w *workshop, set setting, p *pair) error {
		if *events < 1 || *perTicket < 1 {
			return errors.New("-events and -notes must be above zero")
		}
		r := backlogResult{Setting: set, Nodes: len(p.city.nodes)}
		began := time.Now()
		if err := p.writeUnheard(ctx, *events, *perTicket); err != nil {
			return err
		}
		r.WrittenSeconds = time.Since(began).Seconds()
		work, err := p.work(func() error { return p.catchUp(ctx, &r) })
		if err != nil {
			return err
		}
		each := func(total time.Duration) float64 { return float64(total.Microseconds()) / float64(r.Events) }
		r.CountyMicros, r.CityMicros, r.Bytes = each(work.county), each(work.city), float64(work.bytes)/float64(r.Events)
		say("comparing the two sites")
		if err := p.compare(ctx); err != nil {
			return err
		}
		return r.print(w)
	})
}

// writeUnheard cuts the line and writes tickets with notes on them until so many events are there.
func (p *pair) writeUnheard(ctx context.Context, events, perTicket int) error {
	p.line.set(closed)
	if err := p.awaitDown(ctx); err != nil {
		return err
	}
	numbers, err := p.tickets(ctx, max(1, events/(perTicket+1)))
	if err != nil {
		return err
	}
	const characters = 100
	told := time.Now()
	err = crowd(ctx, len(numbers)*perTicket, func(ctx context.Context, i int) error {
		if i%1000 == 0 && time.Since(told) > 30*time.Second {
			say("%d of %d notes", i, len(numbers)*perTicket)
		}
		_, err := p.low.Nodes[i%len(p.low.Nodes)].NoteTicket(ctx, &apipb.NoteTicketRequest{
			Number: numbers[i%len(numbers)], RequestId: fmt.Sprintf("note-%d", i), Text: chinese().write(characters)})
		return err
	})
	return errors.Join(err, p.stayedDown(ctx))
}

// catchUp mends the line and waits until nothing waits any more.
func (p *pair) catchUp(ctx context.Context, r *backlogResult) error {
	before, err := p.link(ctx)
	if err != nil {
		return err
	}
	r.Events = before.Pending
	say("%d events wait for the line", r.Events)
	mended := time.Now()
	p.line.set(whole)
	err = poll(ctx, 20*time.Millisecond, func() error {
		link, err := p.link(ctx)
		if err == nil && link.Pending >= before.Pending {
			err = fmt.Errorf("still %d events wait, and the link is %s: %s", link.Pending, link.State, link.Reason)
		}
		return err
	})
	if err != nil {
		return err
	}
	r.FirstSeconds = time.Since(mended).Seconds()
	if err := p.settle(ctx); err != nil {
		return err
	}
	r.Seconds = time.Since(mended).Seconds()
	r.Rate = float64(r.Events) / r.Seconds
	return nil
}

func (r backlogResult) print(w *workshop) error {
	if w.json {
		return printJSON(r)
	}
	rows := [][]string{
		{fmt.Sprintf("events after a cut, sites of %d nodes", r.Nodes), "first after s", "all after s", "a second", "µs each, county", "city", "bytes each"},
		{fmt.Sprint(r.Events), fmt.Sprintf("%.2f", r.FirstSeconds), fmt.Sprintf("%.1f", r.Seconds), fmt.Sprintf("%.0f", r.Rate),
			fmt.Sprintf("%.0f", r.CountyMicros), fmt.Sprintf("%.0f", r.CityMicros), fmt.Sprintf("%.0f", r.Bytes)},
	}
	fmt.Printf("%s\n\n%s", r.Setting, table(rows))
	return nil
}
