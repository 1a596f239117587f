package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tierdesk/tierdesk/load"
)

// dataset is a site whose nodes hold tickets that were made through its API.
type dataset struct {
	*site
	desk    *load.Desk
	lines   *lines
	tickets int64
	made    fillResult
}

// fillResult is how a site got its tickets: through its API, by 256 clients.
type fillResult struct {
	Seconds float64 `json:"seconds"`
	Rate    float64 `json:"rate"`
	P99     float64 `json:"p99Ms"`
}

// keptFile describes a kept data set. The nodes' data names their addresses, so they run on the same ports again.
const keptFile = "dataset.json"

type kept struct {
	Tickets   int64      `json:"tickets"`
	Made      fillResult `json:"made"`
	Addresses [][]string `json:"addresses"` // of each node: http, grpc, raft, gossip
}

// connect opens lines to all nodes of an open site, the leader's first.
func (d *dataset) connect(ctx context.Context) error {
	const perNode = 4
	addresses, err := d.leaderFirst(ctx)
	if err != nil {
		return err
	}
	if d.lines, err = openLines(addresses, perNode, d.dial); err != nil {
		return err
	}
	d.desk, err = load.NewDesk(load.DeskOptions{Connections: d.lines.connections(), Attempt: attemptTime})
	return err
}

func (d *dataset) close() error { return errors.Join(d.disconnect(), d.site.close()) }

// disconnect closes the lines of the load.
func (d *dataset) disconnect() error {
	if d.lines == nil {
		return nil
	}
	err := d.lines.close()
	d.lines = nil
	return err
}

// fill creates tickets until the site has so many.
func (d *dataset) fill(ctx context.Context, tickets int64) error {
	const clients, longest = 256, 4 * time.Hour
	call, err := d.desk.Call(load.Create)
	if err != nil {
		return err
	}
	told := time.Now()
	report, err := load.Run(ctx, load.Options{Clients: clients, Count: tickets, Duration: longest, Progress: func(p load.Progress) {
		if time.Since(told) > 30*time.Second {
			told = time.Now()
			say("%d of %d tickets after %s", p.Calls, tickets, p.Elapsed.Round(time.Second))
		}
	}}, call)
	if err != nil {
		return fmt.Errorf("create %d tickets: %w", tickets, err)
	}
	if report.Done != tickets {
		return fmt.Errorf("create %d tickets: %d were answered: %v", tickets, report.Done, report.Rows)
	}
	row := report.Row(load.Create)
	d.tickets, d.made = tickets, fillResult{Seconds: report.Seconds, Rate: row.Rate, P99: row.Latency.P99}
	say("%d tickets made in %.0f s: %.0f/s, p99 %.1f ms", tickets, d.made.Seconds, d.made.Rate, d.made.P99)
	return nil
}

// newDataset founds a site and fills it. It is open afterwards.
func (w *workshop) newDataset(ctx context.Context, name string, nodes int, tickets int64) (*dataset, error) {
	s, err := w.newSite(name, nodes)
	if err != nil {
		return nil, err
	}
	d := &dataset{site: s}
	for _, step := range []func(context.Context) error{d.open, d.connect, func(ctx context.Context) error { return d.fill(ctx, tickets) }} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, d.close())
		}
	}
	return d, nil
}

// bigDataset opens the data set that is kept in a directory, a copy of it, or makes one; it is kept there when a
// directory is given.
func (w *workshop) bigDataset(ctx context.Context, keep string, nodes int, tickets int64) (*dataset, error) {
	const name = "big"
	if keep == "" {
		return w.newDataset(ctx, name, nodes, tickets)
	}
	if _, err := os.Stat(filepath.Join(keep, keptFile)); errors.Is(err, fs.ErrNotExist) {
		if err := w.keepDataset(ctx, keep, nodes, tickets); err != nil {
			return nil, err
		}
	}
	text, err := os.ReadFile(filepath.Join(keep, keptFile))
	if err != nil {
		return nil, fmt.Errorf("read the kept data set: %w", err)
	}
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return nil, fmt.Errorf("read the kept data set: %w", err)
	}
	if k.Tickets != tickets || len(k.Addresses) != nodes {
		return nil, fmt.Errorf("%s holds %d tickets of %d nodes, wanted are %d of %d: name another directory or remove it", keep,
			k.Tickets, len(k.Addresses), tickets, nodes)
	}
	dir := filepath.Join(w.dir, name)
	say("copying the data set from %s", keep)
	if err := os.CopyFS(dir, os.DirFS(keep)); err != nil {
		return nil, fmt.Errorf("copy the kept data set: %w", err)
	}
	syncDisks()
	d := &dataset{site: &site{place: alone(nodes), workshop: w, expect: nodes}, tickets: tickets, made: k.Made}
	for i, addresses := range k.Addresses {
		d.nodes = append(d.nodes, nodeAt(dir, nodeID(i), addresses))
	}
	for _, step := range []func(context.Context) error{func(context.Context) error { return d.configure() }, d.open, d.connect} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, d.close())
		}
	}
	_, err = d.desk.Learn(ctx)
	return d, err
}

// keepDataset makes a data set, ends its site, and puts the nodes' directories into a directory.
func (w *workshop) keepDataset(ctx context.Context, keep string, nodes int, tickets int64) error {
	const name = "made"
	d, err := w.newDataset(ctx, name, nodes, tickets)
	if err != nil {
		return err
	}
	if err := d.close(); err != nil {
		return err
	}
	k := kept{Tickets: tickets, Made: d.made}
	for _, n := range d.nodes {
		k.Addresses = append(k.Addresses, n.addresses)
		if err := os.CopyFS(filepath.Join(keep, n.id), os.DirFS(n.dir)); err != nil {
			return fmt.Errorf("keep the data set: %w", err)
		}
	}
	text, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("keep the data set: %w", err)
	}
	if err := os.WriteFile(filepath.Join(keep, keptFile), text, 0o600); err != nil {
		return fmt.Errorf("keep the data set: %w", err)
	}
	return os.RemoveAll(filepath.Join(w.dir, name))
}
