package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestRoundMarksAreKeptByName(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		for _, m := range []RoundMark{{"机房", 5}, {"a\x00b", 6}, {"机房", 7}, {"c", 8}} {
			if err := b.PutRoundMark(m); err != nil {
				return err
			}
		}
		return b.DeleteRoundMark("c")
	})
	view(t, s, func(r *Reader) error {
		marks, err := r.RoundMarks()
		if want := []RoundMark{{"a\x00b", 6}, {"机房", 7}}; !slices.Equal(marks, want) {
			t.Errorf("the marks are %v, want %v", marks, want)
		}
		for name, want := range map[string]int64{"机房": 7, "c": 0, "": 0} {
			if got, err := r.RoundMark(name); got != want || err != nil {
				t.Errorf("the mark of %q is %d, %v; want %d", name, got, err, want)
			}
		}
		return err
	})
}

func TestTicketsOfARoundAreListedLatestFirst(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		for i, round := range []string{"机房", "", "机房", "机房二", "机房"} {
			record := ticket(fmt.Sprintf("330106-20261121-000%d", i+1), func(k *deskpb.Ticket) {
				k.State, k.Round, k.OpenTime = deskpb.Ticket_NEW, round, at(int64(i))
			})
			if err := b.PutTicket(record); err != nil {
				return err
			}
		}
		return nil
	})
	// A ticket that changes stays where it is.
	commit(t, s, func(b *Batch) error {
		return b.PutTicket(ticket("330106-20261121-0001", func(k *deskpb.Ticket) {
			k.Round, k.OpenTime, k.State = "机房", at(0), deskpb.Ticket_CLOSED
		}))
	})
	view(t, s, func(r *Reader) error {
		var found []string
		var after []byte
		for {
			page, err := r.RoundTickets("机房", after, 2)
			if err != nil {
				return err
			}
			for _, record := range page.Records {
				t := record.GetTicket()
				found = append(found, t.GetNumber()[len("330106-20261121-"):]+" "+t.GetState().String())
			}
			if after = page.Next; after == nil {
				break
			}
		}
		if want := []string{"0005 NEW", "0003 NEW", "0001 CLOSED"}; !slices.Equal(found, want) {
			t.Errorf("the round has the tickets %q, want %q", found, want)
		}
		return nil
	})
}

func TestGoldenRowsOfARound(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		if err := b.PutRoundMark(RoundMark{Round: "r", Time: 5}); err != nil {
			return err
		}
		return b.PutTicket(ticket("C-1", func(k *deskpb.Ticket) { k.Round, k.OpenTime = "r", at(1000) }))
	})
	rows := map[string]bool{
		"6201" + text("r") + " = 8000000000000005":                     false,
		"6202" + text("r") + "80000000000003e8" + "432d310001" + " = ": false,
	}
	for line := range strings.Lines(dump(t, s)) {
		delete(rows, strings.TrimSuffix(line, "\n"))
	}
	for row := range rows {
		t.Errorf("row %q is missing", row)
	}
}
