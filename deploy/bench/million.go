package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// scale is what queue, restart and join have in common: a site of three nodes with many tickets.
type scale struct {
	*common
	tickets, few int64
	keep         string
	repeat       int
	duration     time.Duration
	clients      int
	restarts     int
}

func scaleFlags(name string) *scale {
	s := &scale{common: commonFlags(name)}
	s.flags.Int64Var(&s.tickets, "tickets", 1_000_000, "of the big site")
	s.flags.Int64Var(&s.few, "few", 10_000, "tickets of the small site that queue compares with")
	s.flags.StringVar(&s.keep, "keep", "", "a directory where the big site's data is kept for the next time; a copy of it is used")
	s.flags.IntVar(&s.repeat, "repeat", 3, "how often lists are measured at each site")
	s.flags.DurationVar(&s.duration, "duration", 10*time.Second, "of each measurement")
	s.flags.IntVar(&s.clients, "clients", 8, "that load the site")
	s.flags.IntVar(&s.restarts, "restarts", 9, "how often a node is started, each time another one")
	return s
}

const siteNodes = 3

// part is a benchmark on the big site, which it leaves open and ready for the next. It puts what it found into the result.
type part func(ctx context.Context, s *scale, w *workshop, d *dataset, r *result) error

// result is what the parts print.
type result struct {
	Setting setting      `json:"setting"`
	Tickets int64        `json:"tickets"`
	Made    fillResult   `json:"made"`
	Queue   *queueResult `json:"queue,omitempty"`
	Restart []restarting `json:"restart,omitempty"`
	Join    *joinResult  `json:"join,omitempty"`
}

func (s *scale) play(ctx context.Context, args []string, parts ...part) error {
	return s.inWorkshop(ctx, args, func(ctx context.Context, w *workshop) (err error) {
		if s.tickets < 1 || s.few < 1 || s.repeat < 1 || s.clients < 1 || s.restarts < 1 || s.duration <= 0 {
			return errors.New("-tickets, -few, -repeat, -clients, -restarts and -duration must be above zero")
		}
		set, err := w.probeDisk()
		if err != nil {
			return err
		}
		d, err := w.bigDataset(ctx, s.keep, siteNodes, s.tickets)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.close()) }()
		r := &result{Setting: set, Tickets: s.tickets, Made: d.made}
		for _, part := range parts {
			if err := part(ctx, s, w, d, r); err != nil {
				return err
			}
		}
		return r.print(w)
	})
}

func queue(ctx context.Context, args []string) error {
	return scaleFlags("queue").play(ctx, args, measureQueues)
}

func restart(ctx context.Context, args []string) error {
	return scaleFlags("restart").play(ctx, args, measureRestarts)
}

func join(ctx context.Context, args []string) error {
	return scaleFlags("join").play(ctx, args, measureJoin)
}

func million(ctx context.Context, args []string) error {
	return scaleFlags("million").play(ctx, args, measureQueues, measureRestarts, measureJoin)
}

func (r *result) print(w *workshop) error {
	if w.json {
		return printJSON(r)
	}
	fmt.Printf("%s\n\n%d tickets were created in %.0f s by 256 clients: %.0f/s, p99 %.1f ms\n", r.Setting, r.Tickets, r.Made.Seconds,
		r.Made.Rate, r.Made.P99)
	for _, text := range []string{r.Queue.table(), restartTable(r.Restart), r.Join.table()} {
		if text != "" {
			fmt.Printf("\n%s", text)
		}
	}
	return nil
}
