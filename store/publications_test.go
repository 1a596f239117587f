package store

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func document(publisher, name, body string) *deskpb.Publication {
	return &deskpb.Publication{Publisher: publisher, Kind: "notice", Name: name, Body: []byte(body), Removed: body == ""}
}

func TestPublicationsAreListedWithoutTheirBodies(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		for _, p := range []*deskpb.Publication{
			document("330100", "b", "二"), document("330000", "c", "三"), document("330100", "a", "一"), document("330100", "b", "新"),
		} {
			if err := b.PutPublication(p); err != nil {
				return err
			}
		}
		return nil
	})
	view(t, s, func(r *Reader) error {
		var names []string
		var after []byte
		for {
			heads, next, err := r.Publications("", after, 2)
			if err != nil {
				return err
			}
			for _, head := range heads {
				names = append(names, head.Publisher+head.Name)
				if len(head.Body) > 0 {
					t.Errorf("the list shows the body of %s", head.Name)
				}
			}
			if next == nil {
				break
			}
			after = next
		}
		if got := len(names); got != 3 || names[0] != "330000c" || names[1] != "330100a" || names[2] != "330100b" {
			t.Errorf("listed %v, want 330000c 330100a 330100b", names)
		}
		p, err := r.Publication("330100", "notice", "b")
		if string(p.GetBody()) != "新" {
			t.Errorf("the body is %q, want the last one", p.GetBody())
		}
		if count, err := r.CountPublications("330100"); err != nil || count != 2 {
			t.Errorf("%d documents of 330100, %v, want 2", count, err)
		}
		return err
	})
	commit(t, s, func(b *Batch) error {
		if err := b.PutPublication(document("330100", "b", "")); err != nil {
			return err
		}
		return b.PutDelivery(&deskpb.Delivery{Site: "330106", Publisher: "330100", Kind: "notice", Name: "b", Version: 2})
	})
	view(t, s, func(r *Reader) error {
		p, err := r.Publication("330100", "notice", "b")
		if err != nil || !p.GetRemoved() || len(p.GetBody()) > 0 {
			t.Errorf("what was taken back is %v, %v", p, err)
		}
		deliveries, err := r.Deliveries("330100", "notice", "b")
		if len(deliveries) != 1 || deliveries[0].Site != "330106" {
			t.Errorf("delivered to %v, want 330106", deliveries)
		}
		return err
	})
	commit(t, s, func(b *Batch) error { return b.DeletePublications("330100") })
	view(t, s, func(r *Reader) error {
		left, _, err := r.Publications("", nil, 10)
		if len(left) != 1 || left[0].Publisher != "330000" {
			t.Errorf("%v is left after the documents of 330100 were deleted", left)
		}
		deliveries, deliveriesErr := r.Deliveries("330100", "notice", "b")
		if len(deliveries) > 0 || deliveriesErr != nil {
			t.Errorf("deliveries %v, %v are left", deliveries, deliveriesErr)
		}
		return err
	})
}

func TestTicketsOfOneHomeAreVisitedYoungestFirst(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		for _, number := range []string{
			"330105-20261121-0009", "330106-20261120-0002", "330106-20261121-0001", "330106-20261121-0002", "330106-20261121-0002-K7Q",
			"3301061-20261121-0001", "330107-20261121-0001",
		} {
			if err := b.PutTicket(ticket(number, func(*deskpb.Ticket) {})); err != nil {
				return err
			}
		}
		return nil
	})
	want := []string{"330106-20261121-0002-K7Q", "330106-20261121-0002", "330106-20261121-0001", "330106-20261120-0002"}
	for limit := 1; limit <= 5; limit++ {
		var got []string
		view(t, s, func(r *Reader) error {
			for after, more := desk.TicketNumber(""), true; more; more = after != "" {
				next, err := r.TicketsOf("330106", after, limit, func(record *deskpb.Record) (bool, error) {
					got = append(got, record.Ticket.Number)
					return true, nil
				})
				if err != nil {
					return err
				}
				after = next
			}
			return nil
		})
		if len(got) != len(want) {
			t.Fatalf("in pages of %d: %v, want %v", limit, got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("in pages of %d: %v, want %v", limit, got, want)
				break
			}
		}
	}
}
