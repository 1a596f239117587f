package store

import (
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestFaultsOfAnApplication(t *testing.T) {
	s := openTest(t)
	put := func(number string, opened int64, change func(*deskpb.Ticket)) {
		commit(t, s, func(b *Batch) error {
			return b.PutTicket(ticket(number, func(k *deskpb.Ticket) {
				k.Application, k.Category, k.OpenTime = "fsm", "硬件", at(opened)
				if change != nil {
					change(k)
				}
			}))
		})
	}
	put("C-1", 1000, nil)
	put("C-2", 2000, nil)
	put("C-3", 3000, nil)
	put("C-4", 2500, func(k *deskpb.Ticket) { k.State = deskpb.Ticket_CANCELED })
	put("C-5", 2500, func(k *deskpb.Ticket) { k.MergedInto = "C-2" })
	put("C-6", 2500, func(k *deskpb.Ticket) { k.Category = "硬件/打印" })
	put("C-7", 2500, func(k *deskpb.Ticket) { k.Application = "" })
	for name, c := range map[string]struct {
		from, before int64
		limit        int
		want         []desk.TicketNumber
	}{
		"all, the newest first":        {0, 9000, 10, []desk.TicketNumber{"C-3", "C-2", "C-1"}},
		"from its time on":             {2000, 9000, 10, []desk.TicketNumber{"C-3", "C-2"}},
		"without the one that it ends": {0, 3000, 10, []desk.TicketNumber{"C-2", "C-1"}},
		"the latest ones":              {0, 9000, 2, []desk.TicketNumber{"C-3", "C-2"}},
		"none":                         {5000, 9000, 10, nil},
	} {
		view(t, s, func(r *Reader) error {
			got, err := r.Faults("fsm", "硬件", c.from, c.before, c.limit)
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: the faults are %v, want %v", name, got, c.want)
			}
			return err
		})
	}
	put("C-2", 2000, func(k *deskpb.Ticket) { k.Category = "软件" })
	view(t, s, func(r *Reader) error {
		got, err := r.Faults("fsm", "硬件", 0, 9000, 10)
		if !slices.Equal(got, []desk.TicketNumber{"C-3", "C-1"}) {
			t.Errorf("after another classification the faults are %v", got)
		}
		return err
	})
}

// TestFaultsAreThoseOfTheTickets holds the rows against the tickets themselves.
func TestFaultsAreThoseOfTheTickets(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := mustOpen(t, options(vfs.NewMem()))
		defer mustClose(t, s)
		tickets := model{}
		for range rapid.IntRange(1, 20).Draw(rt, "writes") {
			record := drawTicket(rt)
			if rapid.Bool().Draw(rt, "merged") {
				record.Ticket.MergedInto = "C-1"
			}
			tickets[record.Ticket.Number] = record
			commit(rt, s, func(b *Batch) error { return b.PutTicket(record) })
		}
		const from, before = 0, 1_000_000
		want := tickets.sorted(
			func(a, b *deskpb.Ticket) int { return a.OpenTime.AsTime().Compare(b.OpenTime.AsTime()) },
			func(record *deskpb.Record) bool {
				k := record.Ticket
				opened := micros(k.OpenTime)
				return k.Application == "财政" && k.Category == "a" && k.MergedInto == "" && k.State != deskpb.Ticket_CANCELED &&
					opened >= from && opened < before
			})
		slices.Reverse(want)
		view(rt, s, func(r *Reader) error {
			got, err := r.Faults("财政", "a", from, before, 100)
			if len(got) != len(want) || !slices.EqualFunc(got, want, func(n desk.TicketNumber, w string) bool { return string(n) == w }) {
				rt.Fatalf("the faults are %v, want %v", got, want)
			}
			return err
		})
	})
}
