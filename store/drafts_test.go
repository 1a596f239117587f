package store

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// However a batch writes, reads and lists tickets, it sees what it has done so far, and so does who reads after
// it.
func TestABatchSeesItsTicketsAsItLeftThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := mustOpen(t, options(vfs.NewMem()))
		defer mustClose(t, s)
		tickets := model{}
		batch := s.NewBatch()
		defer func() { batch.Discard() }()
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				record := rapid.Custom(drawTicket).Draw(t, "ticket")
				if err := batch.PutTicket(record); err != nil {
					t.Fatalf("put: %v", err)
				}
				tickets[record.Ticket.Number] = record
			},
			"read": func(t *rapid.T) {
				number := rapid.Custom(drawTicket).Draw(t, "ticket").Ticket.Number
				for name, read := range map[string]func(desk.TicketNumber) (*deskpb.Record, error){
					"the batch": batch.Ticket, "its reader": batch.Reader.Ticket,
				} {
					got, err := read(desk.TicketNumber(number))
					if err != nil || !proto.Equal(got, tickets[number]) {
						t.Fatalf("%s has ticket %s as %v, %v; want %v", name, number, got, err, tickets[number])
					}
				}
			},
			"list": func(t *rapid.T) {
				index := Index(rapid.IntRange(int(ByNumber), int(ByUnit)).Draw(t, "index"))
				checkIndex(t, batch.Reader, index, tickets)
			},
			"hand-overs": func(t *rapid.T) { checkHandovers(t, batch.Reader, tickets) },
			"majors":     func(t *rapid.T) { checkMajors(t, batch.Reader, tickets) },
			"timers":     func(t *rapid.T) { checkTimers(t, batch.Reader, tickets) },
			"commit":     func(t *rapid.T) { batch = commitAndGoOn(t, s, batch) },
		})
		batch = commitAndGoOn(t, s, batch)
		view(t, s, func(r *Reader) error {
			for index := ByNumber; index <= ByUnit; index++ {
				checkIndex(t, r, index, tickets)
			}
			checkHandovers(t, r, tickets)
			checkMajors(t, r, tickets)
			checkTimers(t, r, tickets)
			return nil
		})
	})
}

func commitAndGoOn(t *rapid.T, s *Store, batch *Batch) *Batch {
	if err := batch.Commit(s.Applied()+1, 1); err != nil {
		t.Fatalf("commit: %v", err)
	}
	return s.NewBatch()
}

func checkIndex(t *rapid.T, r *Reader, index Index, tickets model) {
	for _, value := range values(tickets, index) {
		checkPages(t, r, Query{Index: index, Value: value, Limit: 5}, tickets.list(index, value), tickets)
	}
}

// A ticket that changes ten times in one batch costs the database the rows of one change.
func TestATicketThatChangesOftenInABatchMovesItsRowsOnce(t *testing.T) {
	s := openTest(t)
	const number = "330106-20261121-0001"
	changed := func(b *Batch, times int64) error {
		for i := range times {
			err := b.PutTicket(ticket(number, func(k *deskpb.Ticket) {
				k.Assignee, k.UpdateTime = fmt.Sprint(i), at(1_000_000+times*1000+i)
			}))
			if err != nil {
				return err
			}
		}
		return nil
	}
	rowsOf := func(times int64) (written []string) {
		commit(t, s, func(b *Batch) error {
			if err := changed(b, times); err != nil {
				return err
			}
			if err := b.pending.finish(); err != nil {
				return err
			}
			for _, w := range b.pending.writes {
				place := 1 // the family, and which index it is
				if w.key[0] == familyIndex {
					place = 2
				}
				written = append(written, fmt.Sprintf("%t %x", w.deleted, w.key[:place]))
			}
			return nil
		})
		return written
	}
	rowsOf(1) // the first one has nothing to delete
	if once, often := rowsOf(2), rowsOf(10); len(once) == 0 || !slices.Equal(once, often) {
		t.Errorf("ten changes wrote the rows\n%v, two\n%v", often, once)
	}
}
