package api

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// BenchmarkQueues measures calls at an office with 100,000 tickets, of which 5,000 are open, by who sees all of them and by who sees
// those of one group of ten.
func BenchmarkQueues(b *testing.B) {
	a := newCastAPI(b, cast{})
	for n := 0; n < 100_000; {
		batch := a.site.store.NewBatch()
		for range 1000 {
			if err := batch.AddTicket(benchmarkTicket(n)); err != nil {
				b.Fatal(err)
			}
			n++
		}
		if err := batch.Commit(a.site.store.Applied()+1, 1); err != nil {
			b.Fatal(err)
		}
	}
	served := &queues{backend: a.site, clock: time.Now, zone: time.Local}
	for name, actor := range map[string]*deskpb.Actor{
		"all":    {User: "li", Role: deskpb.User_AGENT, Groups: []string{"g3"}},
		"groups": {User: "li", Role: deskpb.User_AGENT, Scope: deskpb.User_GROUPS, Groups: []string{"g3"}},
	} {
		ctx := withCaller(b.Context(), caller{actor: actor})
		for call, do := range map[string]func() error{
			"counts": func() error {
				_, err := served.ListQueues(ctx, &apipb.ListQueuesRequest{})
				return err
			},
			"page": func() error {
				_, err := served.ListQueueTickets(ctx, &apipb.ListQueueTicketsRequest{Queue: "open"})
				return err
			},
			"figures": func() error {
				_, err := served.GetFigures(ctx, &apipb.GetFiguresRequest{Days: 31})
				return err
			},
		} {
			b.Run(name+"/"+call, func(b *testing.B) {
				for b.Loop() {
					if err := do(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// benchmarkTicket is one of a year's tickets: every twentieth is open.
func benchmarkTicket(n int) *deskpb.Record {
	opened := time.Now().Add(-time.Duration(n) * 5 * time.Minute)
	t := &deskpb.Ticket{
		Number: fmt.Sprintf("330106-20261121-%06d", n+1), State: deskpb.Ticket_CLOSED, HomeSite: "330106", CustodianSite: "330106",
		Title: "打印机不工作", Group: fmt.Sprintf("g%d", n/20%10), OpenTime: timestamppb.New(opened), ResolveTime: timestamppb.New(opened.Add(time.Hour)),
	}
	if n%20 == 0 {
		t.State, t.ResolveTime = deskpb.Ticket_IN_PROGRESS, nil
		t.Sla = []*deskpb.Sla{{Metric: deskpb.Sla_RESOLUTION, Mark: int32(n % 101), Since: t.OpenTime, DueTime: timestamppb.New(opened.Add(4 * time.Hour))}}
	}
	return &deskpb.Record{Ticket: t, Path: []string{"330106", "330100", "330000"}}
}
