package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// restarting is how long nodes took from the start of the process until /readyz answered 200, after one way to end.
type restarting struct {
	After   string    `json:"after"`
	Seconds []float64 `json:"seconds"`
}

// measureRestarts ends and starts nodes in turn while the others serve, after kill -9 and after SIGTERM.
func measureRestarts(ctx context.Context, s *scale, _ *workshop, d *dataset, r *result) error {
	for _, way := range []struct {
		name string
		end  func(*process)
	}{{"kill -9", (*process).kill}, {"SIGTERM", (*process).stop}} {
		done := restarting{After: way.name}
		for i := range s.restarts {
			n := d.nodes[i%len(d.nodes)]
			way.end(n.process)
			began := time.Now()
			if err := d.launch(n); err != nil {
				return err
			}
			if err := n.awaitReady(ctx); err != nil {
				return err
			}
			took := time.Since(began)
			say("node %s was ready %s after its start; it ended by %s", n.id, took.Round(time.Millisecond), way.name)
			done.Seconds = append(done.Seconds, took.Seconds())
			if err := d.settled(ctx); err != nil {
				return err
			}
		}
		r.Restart = append(r.Restart, done)
	}
	return nil
}

// settled waits until every node is ready, so that ending the next one leaves a majority.
func (s *site) settled(ctx context.Context) error {
	for _, n := range s.nodes {
		if err := n.awaitReady(ctx); err != nil {
			return err
		}
	}
	return nil
}

func restartTable(all []restarting) string {
	if len(all) == 0 {
		return ""
	}
	rows := [][]string{{"start until /readyz, after", "starts", "median s", "longest s"}}
	for _, r := range all {
		rows = append(rows, []string{r.After, fmt.Sprint(len(r.Seconds)), fmt.Sprintf("%.2f", median(r.Seconds)),
			fmt.Sprintf("%.2f", slices.Max(r.Seconds))})
	}
	return table(rows)
}
