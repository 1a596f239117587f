package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// memory is a node's resident memory at a moment after it got ready.
type memory struct {
	AfterSeconds float64 `json:"afterSeconds"`
	Resident     float64 `json:"residentMB"` // in millions of bytes
	Files        float64 `json:"filesMB"`    // the part of it that is pages of files
}

// idle measures the memory of a county's only node that was started on its tickets and has nothing to do.
func idle(ctx context.Context, args []string) error {
	c := commonFlags("idle")
	tickets := c.flags.Int64("tickets", 100_000, "of the node")
	length := c.flags.Duration("watch", time.Minute, "how long it is watched")
	return c.inWorkshop(ctx, args, func(ctx context.Context, w *workshop) (err error) {
		if *tickets < 1 || *length <= 0 {
			return errors.New("-tickets and -watch must be above zero")
		}
		set, err := w.probeDisk()
		if err != nil {
			return err
		}
		d, err := w.newDataset(ctx, "idle", 1, *tickets)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.close()) }()
		filled, err := d.nodes[0].memory(0)
		if err != nil {
			return err
		}
		if err := d.disconnect(); err != nil {
			return err
		}
		n := d.nodes[0]
		n.stop()
		if err := d.launch(n); err != nil {
			return err
		}
		if err := n.awaitReady(ctx); err != nil {
			return err
		}
		seen, err := n.watch(ctx, *length)
		if err != nil {
			return err
		}
		return printIdle(w, set, *tickets, filled, seen)
	})
}

// watch looks at the node's memory when it got ready, at a sixth of the time, and at its end.
func (n *siteNode) watch(ctx context.Context, length time.Duration) ([]memory, error) {
	const early = 6
	var seen []memory
	began := time.Now()
	for _, at := range []time.Duration{0, length / early, length} {
		select {
		case <-time.After(time.Until(began.Add(at))):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if err := n.died(); err != nil {
			return nil, err
		}
		m, err := n.memory(time.Since(began))
		if err != nil {
			return nil, err
		}
		say("%.0f s after it got ready: %.1f MB resident", m.AfterSeconds, m.Resident)
		seen = append(seen, m)
	}
	return seen, nil
}

func (n *siteNode) memory(after time.Duration) (memory, error) {
	const million = 1e6
	all, files, err := n.resident()
	return memory{AfterSeconds: after.Seconds(), Resident: float64(all) / million, Files: float64(files) / million}, err
}

func printIdle(w *workshop, s setting, tickets int64, filled memory, seen []memory) error {
	if w.json {
		return printJSON(struct {
			Setting setting  `json:"setting"`
			Tickets int64    `json:"tickets"`
			Filled  memory   `json:"afterFilling"`
			Idle    []memory `json:"idle"`
		}{s, tickets, filled, seen})
	}
	rows := [][]string{{fmt.Sprintf("one node, %d tickets", tickets), "resident MB", "of files MB"},
		{"just filled", fmt.Sprintf("%.1f", filled.Resident), fmt.Sprintf("%.1f", filled.Files)}}
	for _, m := range seen {
		rows = append(rows, []string{fmt.Sprintf("%.0f s after a start", m.AfterSeconds), fmt.Sprintf("%.1f", m.Resident),
			fmt.Sprintf("%.1f", m.Files)})
	}
	fmt.Printf("%s\n\n%s", s, table(rows))
	return nil
}
