package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// look is how long a page took from the request to its last byte, in milliseconds.
type look struct {
	Page  string  `json:"page"`
	Count int     `json:"count"`
	P50   float64 `json:"p50Ms"`
	P99   float64 `json:"p99Ms"`
	KiB   float64 `json:"kib"`   // of the page as it comes over the line, packed
	CPU   float64 `json:"cpuMs"` // processor time of all servers for one look
}

// looks measures the pages that agents look at all day, at a site with many tickets, as signed-in people ask for them.
func looks(ctx context.Context, args []string) error {
	c := commonFlags("looks")
	tickets := c.flags.Int64("tickets", 100_000, "of the site")
	nodes := c.flags.Int("nodes", siteNodes, "of the site")
	clients := c.flags.Int("clients", 4, "people who look at the same time")
	count := c.flags.Int("count", 2000, "looks at each page")
	return c.inWorkshop(ctx, args, func(ctx context.Context, w *workshop) (err error) {
		if *tickets < 100 || *clients < 1 || *count < *clients {
			return errors.New("-tickets must be at least 100, -clients at least 1, and -count at least as many")
		}
		set, err := w.probeDisk()
		if err != nil {
			return err
		}
		d, err := w.newDataset(ctx, "looks", *nodes, *tickets)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.close()) }()
		paths, err := d.paths(ctx)
		if err != nil {
			return err
		}
		var all []look
		for _, path := range paths {
			seen, err := d.look(ctx, path, *clients, *count)
			if err != nil {
				return err
			}
			say("%s: p50 %.1f ms, p99 %.1f ms, %.1f ms of processor time, %.0f KiB", seen.Page, seen.P50, seen.P99, seen.CPU, seen.KiB)
			all = append(all, seen)
		}
		return printLooks(w, set, *tickets, *clients, all)
	})
}

// paths are the pages, with a ticket out of the middle of the site's.
func (d *dataset) paths(ctx context.Context) ([]string, error) {
	listed, err := apipb.NewTicketsClient(d.control).ListTickets(ctx, &apipb.ListTicketsRequest{PageSize: 100})
	if err != nil {
		return nil, fmt.Errorf("list tickets: %w", err)
	}
	return []string{
		"/desk?queue=mine", "/desk?queue=unassigned", "/desk?queue=open", "/desk?queue=all", "/t/" + listed.GetTickets()[50].GetNumber(),
	}, nil
}

// look has people open a page again and again, each at a node of their own.
func (d *dataset) look(ctx context.Context, path string, clients, count int) (look, error) {
	var (
		mu     sync.Mutex // guards all below
		took   []float64
		size   int64
		failed error
		asking sync.WaitGroup
	)
	before, err := processorTime(d.processes())
	if err != nil {
		return look{}, err
	}
	for i := range clients {
		asking.Go(func() {
			client := &http.Client{Timeout: attemptTime, Transport: &http.Transport{DisableCompression: true}, CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			}}
			defer client.CloseIdleConnections()
			node := d.nodes[i%len(d.nodes)]
			for n := range count/clients + 1 {
				begun := time.Now()
				bytes, err := d.fetch(ctx, client, "http://"+node.http+path)
				mu.Lock()
				if n > 0 { // the first look opens the connection
					took = append(took, milliseconds(time.Since(begun)))
				}
				size, failed = bytes, errors.Join(failed, err)
				stop := failed != nil
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	asking.Wait()
	if failed != nil {
		return look{}, fmt.Errorf("look at %s: %w", path, failed)
	}
	after, err := processorTime(d.processes())
	if err != nil {
		return look{}, err
	}
	slices.Sort(took)
	return look{
		Page: path, Count: len(took), P50: percentile(took, 50), P99: percentile(took, 99), KiB: float64(size) / 1024,
		CPU: milliseconds(after-before) / float64(len(took)+clients),
	}, nil
}

// fetch loads one page and returns its size as it came.
func (d *dataset) fetch(ctx context.Context, client *http.Client, address string) (int64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	r.AddCookie(&http.Cookie{Name: "tierdesk_" + d.place.id, Value: d.token})
	r.Header.Set("Accept-Encoding", "gzip")
	response, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	size, err := io.Copy(io.Discard, response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", response.StatusCode)
	}
	return size, err
}

func printLooks(w *workshop, s setting, tickets int64, clients int, all []look) error {
	if w.json {
		return printJSON(struct {
			Setting setting `json:"setting"`
			Tickets int64   `json:"tickets"`
			Clients int     `json:"clients"`
			Pages   []look  `json:"pages"`
		}{s, tickets, clients, all})
	}
	rows := [][]string{{fmt.Sprintf("page, %d tickets, %d people", tickets, clients), "looks", "p50 ms", "p99 ms", "processor ms", "KiB"}}
	for _, l := range all {
		rows = append(rows, []string{l.Page, fmt.Sprint(l.Count), fmt.Sprintf("%.1f", l.P50), fmt.Sprintf("%.1f", l.P99), fmt.Sprintf("%.1f", l.CPU), fmt.Sprintf("%.0f", l.KiB)})
	}
	fmt.Printf("%s\n\n%s", s, table(rows))
	return nil
}
