package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tierdesk/tierdesk/load"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// joinResult is how a node with an empty disk came into the site while clients worked at it.
type joinResult struct {
	ReadySeconds float64    `json:"readySeconds"` // from the start of the process until /readyz answered 200
	VoterSeconds float64    `json:"voterSeconds"` // until the site's nodes had it as one that votes
	Before       []load.Row `json:"before"`
	During       []load.Row `json:"during"`
}

// joinWithin bounds the whole joining.
const joinWithin = 30 * time.Minute

// measureJoin adds a fourth node with an empty disk. The load is the mixed one, as moderate as its number of clients.
func measureJoin(ctx context.Context, s *scale, w *workshop, d *dataset, r *result) error {
	call, err := d.desk.Call(load.Mixed)
	if err != nil {
		return err
	}
	before, err := load.Run(ctx, load.Options{Clients: s.clients, Duration: 2 * s.duration, WarmUp: s.duration / 2}, call)
	if err != nil {
		return fmt.Errorf("load before the join: %w", err)
	}
	n, err := d.addNode(filepath.Dir(d.nodes[0].dir), nodeID(len(d.nodes)))
	if err != nil {
		return err
	}
	if err := d.configure(); err != nil {
		return err
	}
	loading, end := context.WithCancel(ctx)
	defer end()
	type loaded struct {
		report *load.Report
		err    error
	}
	during := make(chan loaded, 1)
	go func() {
		report, err := load.Run(loading, load.Options{Clients: s.clients, Duration: joinWithin}, call)
		during <- loaded{report, err}
	}()
	r.Join = &joinResult{Before: before.Rows}
	err = d.join(ctx, n, r.Join)
	end()
	l := <-during
	if err != nil {
		return err
	}
	if l.err != nil && !errors.Is(l.err, context.Canceled) {
		return fmt.Errorf("load during the join: %w", l.err)
	}
	r.Join.During = l.report.Rows
	return nil
}

// join starts the node and waits until it votes.
func (s *site) join(ctx context.Context, n *siteNode, r *joinResult) error {
	began := time.Now()
	if err := s.launch(n); err != nil {
		return err
	}
	if err := n.await(ctx, joinWithin, "getting ready", n.ready); err != nil {
		return err
	}
	r.ReadySeconds = time.Since(began).Seconds()
	say("the empty node was ready after %.1f s", r.ReadySeconds)
	err := n.await(ctx, joinWithin, "getting a vote", func(ctx context.Context) error {
		site, err := apipb.NewSitesClient(s.control).GetSite(ctx, &apipb.GetSiteRequest{})
		if err != nil {
			return err
		}
		for _, node := range site.GetNodes() {
			if node.GetId() == n.id && (node.GetRole() == apipb.Node_FOLLOWER || node.GetRole() == apipb.Node_LEADER) {
				return nil
			}
		}
		return fmt.Errorf("%s does not vote", n.id)
	})
	r.VoterSeconds = time.Since(began).Seconds()
	return err
}

func (j *joinResult) table() string {
	if j == nil {
		return ""
	}
	rows := [][]string{{"call", "p50 ms before", "during", "p99 ms before", "during", "p99 ratio", "rate before", "during", "errors during"}}
	for _, b := range j.Before {
		during := (&load.Report{Rows: j.During}).Row(b.Kind)
		rows = append(rows, []string{string(b.Kind), fmt.Sprintf("%.2f", b.Latency.P50), fmt.Sprintf("%.2f", during.Latency.P50),
			fmt.Sprintf("%.2f", b.Latency.P99), fmt.Sprintf("%.2f", during.Latency.P99), fmt.Sprintf("%.2f", during.Latency.P99/b.Latency.P99),
			fmt.Sprintf("%.0f", b.Rate), fmt.Sprintf("%.0f", during.Rate), fmt.Sprint(during.Errors)})
	}
	return fmt.Sprintf("an empty node was ready after %.1f s and voted after %.1f s\n\n%s", j.ReadySeconds, j.VoterSeconds, table(rows))
}
