package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// wireResult is what tickets cost on the line between a county and its city.
type wireResult struct {
	Setting setting `json:"setting"`
	// IdleBytes is what the line carries in a second while nobody works, both ways.
	IdleBytes float64       `json:"idleBytesPerSecond"`
	Texts     []wireTickets `json:"texts"`
}

// wireTickets is what tickets of one kind of text cost: bytes on the line for each, without what an idle line carries in
// that time, which is told beside.
type wireTickets struct {
	Text    string  `json:"text"`
	Tickets int     `json:"tickets"`
	Median  float64 `json:"medianBytes"`
	Most    float64 `json:"mostBytes"`
	Up      float64 `json:"upBytes"`   // mean, towards the city, with what an idle line carries
	Down    float64 `json:"downBytes"` // mean, back
	Seconds float64 `json:"seconds"`   // mean length of a ticket's life
}

// wireCommand counts the bytes on the line for tickets that are worked on one after the other: opened and noted at the county,
// escalated, noted and resolved at the city, closed at home; ten entries of three hundred characters in all.
func wireCommand(ctx context.Context, args []string) error {
	c := commonFlags("wire")
	count := c.flags.Int("count", 20, "tickets of each kind of text")
	idle := c.flags.Duration("idle", 10*time.Second, "how long the idle line is watched")
	return c.onPair(ctx, args, func(ctx context.Context, w *workshop, set setting, p *pair) error {
		if *count < 1 || *idle < time.Second {
			return errors.New("-count must be above zero, -idle at least 1s")
		}
		r := wireResult{Setting: set}
		if err := p.settle(ctx); err != nil {
			return err
		}
		before := p.line.bytes()
		select {
		case <-time.After(*idle):
		case <-ctx.Done():
			return ctx.Err()
		}
		r.IdleBytes = float64(p.line.bytes()-before) / idle.Seconds()
		const letters = 26
		for _, text := range []prose{chinese(), {"Latin", 'a', letters}} {
			cost, err := p.weigh(ctx, text, *count, r.IdleBytes)
			if err != nil {
				return err
			}
			r.Texts = append(r.Texts, cost)
		}
		if err := errors.Join(p.settle(ctx), p.compare(ctx)); err != nil {
			return err
		}
		return r.print(w)
	})
}

// prose is a kind of text: characters that are drawn, as many as people use, so that no sentence is there twice.
type prose struct {
	name  string
	first rune
	many  int32
}

// chinese draws from as many characters as are in daily use; each has three bytes.
func chinese() prose {
	const daily = 2500
	return prose{"Chinese", '一', daily}
}

func (p prose) write(characters int) string {
	var b strings.Builder
	for range characters {
		b.WriteRune(p.first + rand.Int32N(p.many))
	}
	return b.String()
}

// weigh plays tickets one by one and counts their bytes.
func (p *pair) weigh(ctx context.Context, text prose, count int, idle float64) (wireTickets, error) {
	cost := wireTickets{Text: text.name, Tickets: count}
	var bytes []float64
	up, down, began := p.line.up.Load(), p.line.down.Load(), time.Now()
	for i := range count {
		before, start := p.line.bytes(), time.Now()
		if err := p.playTicket(ctx, text, fmt.Sprintf("%s-%d", text.name, i)); err != nil {
			return cost, fmt.Errorf("ticket %d of %s text: %w", i+1, text.name, err)
		}
		bytes = append(bytes, float64(p.line.bytes()-before)-idle*time.Since(start).Seconds())
	}
	slices.Sort(bytes)
	cost.Median, cost.Most = median(bytes), bytes[len(bytes)-1]
	cost.Up = float64(p.line.up.Load()-up) / float64(count)
	cost.Down = float64(p.line.down.Load()-down) / float64(count)
	cost.Seconds = time.Since(began).Seconds() / float64(count)
	return cost, nil
}

// playTicket is the life of one ticket, until both sites are at rest again.
func (p *pair) playTicket(ctx context.Context, text prose, id string) error {
	const characters, atCounty, atCity = 300, 3, 4 // and the description, the reason and the solution
	low, high := p.low.Nodes[0], p.lead
	ticket, err := low.CreateTicket(ctx, &apipb.CreateTicketRequest{RequestId: id, Ticket: &deskpb.Ticket{
		Title: "综合业务平台无法登录", Description: text.write(characters)}})
	if err != nil {
		return err
	}
	number := ticket.Number
	note := func(desk apipb.TicketsClient, times int) func() error {
		return func() error {
			for range times {
				if _, err := desk.NoteTicket(ctx, &apipb.NoteTicketRequest{Number: number, Text: text.write(characters)}); err != nil {
					return err
				}
			}
			return nil
		}
	}
	await := func(desk apipb.TicketsClient, site string) func() error {
		return func() error {
			_, err := awaitHolder(ctx, desk, site, number)
			return err
		}
	}
	for _, step := range []func() error{
		note(low, atCounty),
		func() error {
			_, err := low.EscalateTicket(ctx, &apipb.EscalateTicketRequest{Number: number, Reason: text.write(characters)})
			return err
		},
		await(high, p.city.id),
		note(high, atCity),
		func() error {
			_, err := high.ResolveTicket(ctx, &apipb.ResolveTicketRequest{Number: number,
				Resolution: &deskpb.Resolution{Code: "SOLVED", Text: text.write(characters)}})
			return err
		},
		await(low, p.county.id),
		func() error {
			_, err := low.CloseTicket(ctx, &apipb.CloseTicketRequest{Number: number})
			return err
		},
		func() error { return p.settle(ctx) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (r wireResult) print(w *workshop) error {
	if w.json {
		return printJSON(r)
	}
	rows := [][]string{{"text of ten entries of 300 characters", "tickets", "bytes a ticket, median", "most", "up with idle", "down with idle", "s a ticket"}}
	for _, t := range r.Texts {
		rows = append(rows, []string{t.Text, fmt.Sprint(t.Tickets), fmt.Sprintf("%.0f", t.Median), fmt.Sprintf("%.0f", t.Most),
			fmt.Sprintf("%.0f", t.Up), fmt.Sprintf("%.0f", t.Down), fmt.Sprintf("%.2f", t.Seconds)})
	}
	fmt.Printf("%s\n\n%s\nAn idle line carries %.0f bytes a second, both ways together.\n", r.Setting, table(rows), r.IdleBytes)
	return nil
}
