package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// failoverRound is one kill of the leader: how long until clients wrote again, in seconds from the kill.
type failoverRound struct {
	First float64 `json:"firstSeconds"` // until the first client's write, begun after the kill, was acknowledged
	All   float64 `json:"allSeconds"`   // until every client had one
}

// failover kills the leader again and again. Clients know all nodes and try the next one after an error.
func failover(ctx context.Context, args []string) error {
	c := commonFlags("failover")
	kills := c.flags.Int("kills", 20, "of the leader")
	clients := c.flags.Int("clients", 4, "that write")
	attempt := c.flags.Duration("attempt", time.Second, "how long a client waits for one node before it tries the next")
	return c.inWorkshop(ctx, args, func(ctx context.Context, w *workshop) (err error) {
		if *kills < 1 || *clients < 1 || *attempt <= 0 {
			return errors.New("-kills, -clients and -attempt must be above zero")
		}
		set, err := w.probeDisk()
		if err != nil {
			return err
		}
		d, err := w.newDataset(ctx, "failover", siteNodes, 1000)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, d.close()) }()
		var rounds []failoverRound
		for i := range *kills {
			round, err := d.loseLeader(ctx, *clients, *attempt)
			if err != nil {
				return fmt.Errorf("kill %d: %w", i+1, err)
			}
			say("kill %d: the first write after %.2f s, every client wrote after %.2f s", i+1, round.First, round.All)
			rounds = append(rounds, round)
		}
		return printFailover(w, set, rounds)
	})
}

// loseLeader kills the leader, has the clients write, and brings the node back.
func (d *dataset) loseLeader(ctx context.Context, clients int, attempt time.Duration) (failoverRound, error) {
	lines, err := openLines(d.grpcAddresses(), 1, d.dial)
	if err != nil {
		return failoverRound{}, err
	}
	defer lines.close()
	for _, conn := range lines.conns { // each line is in use before the kill
		if _, err := apipb.NewSitesClient(conn).GetSite(ctx, &apipb.GetSiteRequest{}); err != nil {
			return failoverRound{}, err
		}
	}
	leader, err := d.leader(ctx, lines.conns[0])
	if err != nil {
		return failoverRound{}, err
	}
	leader.kill()
	began := time.Now()
	took := make([]float64, clients)
	errs := make([]error, clients)
	var writing sync.WaitGroup
	for i := range clients {
		writing.Go(func() {
			errs[i] = d.writeSomewhere(ctx, lines.conns, i, attempt)
			took[i] = time.Since(began).Seconds()
		})
	}
	writing.Wait()
	if err := errors.Join(errs...); err != nil {
		return failoverRound{}, err
	}
	if err := d.launch(leader); err != nil {
		return failoverRound{}, err
	}
	return failoverRound{First: slices.Min(took), All: slices.Max(took)}, d.settled(ctx)
}

// writeSomewhere creates one ticket, with the same request id at one node after the other until it is acknowledged.
func (d *dataset) writeSomewhere(ctx context.Context, conns []*grpc.ClientConn, first int, attempt time.Duration) error {
	const patience, pause = time.Minute, 20 * time.Millisecond
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("nobody could write for %s", patience))
	defer cancel()
	request := d.desk.Request()
	next := first
	return poll(ctx, pause, func() error {
		limited, cancel := context.WithTimeout(ctx, attempt)
		defer cancel()
		_, err := apipb.NewTicketsClient(conns[next%len(conns)]).CreateTicket(limited, request)
		next++
		return err
	})
}

func (s *site) grpcAddresses() []string {
	var all []string
	for _, n := range s.nodes {
		all = append(all, n.grpc)
	}
	return all
}

func printFailover(w *workshop, s setting, rounds []failoverRound) error {
	if w.json {
		return printJSON(struct {
			Setting setting         `json:"setting"`
			Rounds  []failoverRound `json:"rounds"`
		}{s, rounds})
	}
	rows := [][]string{{"after kill -9 of the leader, s", "kills", "median", "p95", "longest"}}
	for name, value := range map[string]func(failoverRound) float64{
		"the first client writes":  func(r failoverRound) float64 { return r.First },
		"every client has written": func(r failoverRound) float64 { return r.All },
	} {
		var all []float64
		for _, r := range rounds {
			all = append(all, value(r))
		}
		slices.Sort(all)
		rows = append(rows, []string{name, fmt.Sprint(len(all)), fmt.Sprintf("%.2f", median(all)), fmt.Sprintf("%.2f", percentile(all, 95)),
			fmt.Sprintf("%.2f", all[len(all)-1])})
	}
	slices.SortFunc(rows[1:], func(a, b []string) int { return slices.Compare(b, a) })
	fmt.Printf("%s\n\n%s", s, table(rows))
	return nil
}

// percentile of sorted values: the least that so many in a hundred do not exceed.
func percentile(sorted []float64, p int) float64 {
	const hundred = 100
	rank := (len(sorted)*p + hundred - 1) / hundred
	return sorted[max(rank, 1)-1]
}
