package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tierdesk/tierdesk/load"
)

// queueResult compares list pages of 50 at a small site and at the big one.
type queueResult struct {
	Small    pages   `json:"small"`
	Big      pages   `json:"big"`
	P50Ratio float64 `json:"p50Ratio"` // big by small
	P99Ratio float64 `json:"p99Ratio"`
}

// pages are medians over the measurements at one site. Latencies are in milliseconds.
type pages struct {
	Tickets int64   `json:"tickets"`
	Rate    float64 `json:"rate"`
	P50     float64 `json:"p50Ms"`
	P99     float64 `json:"p99Ms"`
}

func measureQueues(ctx context.Context, s *scale, w *workshop, d *dataset, r *result) (err error) {
	big, err := s.pages(ctx, d)
	if err != nil {
		return err
	}
	small, err := w.newDataset(ctx, "small", siteNodes, s.few)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, small.close()) }()
	few, err := s.pages(ctx, small)
	if err != nil {
		return err
	}
	r.Queue = &queueResult{Small: few, Big: big, P50Ratio: big.P50 / few.P50, P99Ratio: big.P99 / few.P99}
	return nil
}

// pages has clients list queue pages: new tickets by priority, and a group's by update, in equal parts.
func (s *scale) pages(ctx context.Context, d *dataset) (pages, error) {
	call, err := d.desk.Call(load.List)
	if err != nil {
		return pages{}, err
	}
	var rates, p50s, p99s []float64
	for range s.repeat {
		report, err := load.Run(ctx, load.Options{Clients: s.clients, Duration: s.duration, WarmUp: s.duration / 4}, call)
		if err != nil {
			return pages{}, fmt.Errorf("list: %w", err)
		}
		row := report.Row(load.List)
		if len(row.Errors) > 0 {
			return pages{}, fmt.Errorf("list: %v", row.Errors)
		}
		say("%d tickets: %.0f pages/s, p50 %.2f ms, p99 %.2f ms", d.tickets, row.Rate, row.Latency.P50, row.Latency.P99)
		rates, p50s, p99s = append(rates, row.Rate), append(p50s, row.Latency.P50), append(p99s, row.Latency.P99)
	}
	return pages{Tickets: d.tickets, Rate: median(rates), P50: median(p50s), P99: median(p99s)}, nil
}

func (q *queueResult) table() string {
	if q == nil {
		return ""
	}
	rows := [][]string{{"tickets", "pages of 50 /s", "p50 ms", "p99 ms"}}
	for _, p := range []pages{q.Small, q.Big} {
		rows = append(rows, []string{fmt.Sprint(p.Tickets), fmt.Sprintf("%.0f", p.Rate), fmt.Sprintf("%.2f", p.P50), fmt.Sprintf("%.2f", p.P99)})
	}
	rows = append(rows, []string{"ratio", fmt.Sprintf("%.2f", q.Big.Rate/q.Small.Rate), fmt.Sprintf("%.2f", q.P50Ratio),
		fmt.Sprintf("%.2f", q.P99Ratio)})
	return table(rows)
}
