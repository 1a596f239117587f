package store

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// putHeld stores records that say what is held of five tickets of three sites; the third is closed.
func putHeld(t *testing.T, s *Store) (numbers []desk.TicketNumber) {
	t.Helper()
	numbers = []desk.TicketNumber{
		"330106-20261121-0001", "330106-20261121-0002", "330106-20261122-0001-K7Q", "330108-20261121-0001", "330200-20261121-0001",
	}
	commit(t, s, func(b *Batch) error {
		for i, number := range numbers {
			record := ticket(string(number), func(t *deskpb.Ticket) {
				if i == 2 {
					t.State = deskpb.Ticket_CLOSED
				}
			})
			record.Events, record.Sum = uint32(i+1), []byte(strings.Repeat(string(rune('a'+i)), 16))
			if err := b.PutTicket(record); err != nil {
				return err
			}
		}
		return nil
	})
	return numbers
}

// holdings lists the numbers that a visit sees, at most limit; behind a site that is skipped it goes on.
func holdings(r *Reader, from, to desk.TicketNumber, limit int, skip desk.SiteID) (seen []desk.TicketNumber, err error) {
	err = r.Holdings(from, to, func(h Holding) (desk.TicketNumber, bool, error) {
		if skip != "" && strings.HasPrefix(string(h.Number), string(skip)+"-") {
			return desk.TicketNumber(skip + "."), true, nil
		}
		if len(seen) == limit {
			return "", false, nil
		}
		seen = append(seen, h.Number)
		return "", true, nil
	})
	return seen, err
}

func TestHoldingsAreVisitedByRange(t *testing.T) {
	s := openTest(t)
	all := putHeld(t, s)
	for _, tt := range []struct {
		name     string
		from, to desk.TicketNumber
		limit    int
		skip     desk.SiteID
		want     []desk.TicketNumber
	}{
		{"everything", "", "", 10, "", all},
		{"from a ticket on, itself included", all[1], "", 10, "", all[1:]},
		{"up to a ticket, itself excluded", "", all[3], 10, "", all[:3]},
		{"a number without a ticket bounds as well", "330106-20261121-00015", "330108", 10, "", all[1:3]},
		{"an empty range", all[1], all[1], 10, "", nil},
		{"a page", all[1], "", 2, "", all[1:3]},
		{"all but the first site", "", "", 10, "330106", all[3:]},
		{"all but a site in the middle", "", "", 10, "330108", slices.Concat(all[:3], all[4:])},
		{"all but the last site", "", "", 10, "330200", all[:4]},
		{"the range ends in what is skipped", "", all[1], 10, "330106", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			view(t, s, func(r *Reader) error {
				got, err := holdings(r, tt.from, tt.to, tt.limit, tt.skip)
				if !slices.Equal(got, tt.want) {
					t.Errorf("visited %v, want %v", got, tt.want)
				}
				return err
			})
		})
	}
}

func TestAHoldingSaysWhatItsRecordSays(t *testing.T) {
	s := openTest(t)
	putHeld(t, s)
	view(t, s, func(r *Reader) error {
		return r.Holdings("", "", func(h Holding) (desk.TicketNumber, bool, error) {
			record, err := r.Ticket(h.Number)
			if err != nil {
				return "", false, err
			}
			open := record.Ticket.State != deskpb.Ticket_CLOSED
			if h.Events != record.Events || !bytes.Equal(h.Sum, record.Sum) || h.Open != open {
				t.Errorf("the holding of %s is %+v, want %d events with sum %x, open: %t", h.Number, h, record.Events, record.Sum, open)
			}
			return "", true, nil
		})
	})
}

func TestHoldingsOfABrokenRecordAreAFault(t *testing.T) {
	s := openTest(t)
	numbers := putHeld(t, s)
	commit(t, s, func(b *Batch) error { return b.set(ticketKey(numbers[1]), []byte{0xff}) })
	view(t, s, func(r *Reader) error {
		seen, err := holdings(r, "", "", 10, "")
		if err == nil || !strings.Contains(err.Error(), "it is not a record") || len(seen) != 1 {
			t.Errorf("visited %v with the error %v; want the first ticket, and then an error that tells of the second's record", seen, err)
		}
		return nil
	})
}

func TestEventsAreFoundByTheirIDs(t *testing.T) {
	s := openTest(t)
	fillOutbox(t, s)
	view(t, s, func(r *Reader) error {
		want := event(t, "330106-20261121-0001", 1000, 3, "说明")
		got, err := r.EventByID(want.Id)
		if err != nil || !bytes.Equal(got, want.Raw) {
			t.Errorf("event 3 is %x, %v; want %x", got, err, want.Raw)
		}
		unknown := proto.CloneOf(want.Id)
		unknown.Incarnation++
		if got, err = r.EventByID(unknown); got != nil || err != nil {
			t.Errorf("an event of another incarnation is %x, %v; want none", got, err)
		}
		return nil
	})
}

// A ticket whose opening event is missing is noted by one row, which goes with the note.
func TestTicketsWithoutTheirOpeningEventAreNoted(t *testing.T) {
	s := openTest(t)
	const number = "330106-20261121-0001"
	noted := func() (noted bool) {
		view(t, s, func(r *Reader) (err error) {
			noted, err = r.Unopened(number)
			return err
		})
		return noted
	}
	for _, want := range []bool{true, true, false, false, true} {
		commit(t, s, func(b *Batch) error { return b.SetUnopened(number, want) })
		if got := noted(); got != want {
			t.Errorf("the ticket is noted: %t, want %t", got, want)
		}
	}
	commit(t, s, func(b *Batch) error { return b.SetUnopened(number, false) })
	if got := rowsOf(t, s); len(got) > 0 {
		t.Errorf("a note that came and went leaves rows of the families %x", got)
	}
}

// rowsOf lists the families that have rows, without those that say how far the log was applied.
func rowsOf(t *testing.T, s *Store) (found []byte) {
	t.Helper()
	view(t, s, func(r *Reader) error {
		return eachRow(r, func(key, _ []byte) {
			if key[0] != familyMeta {
				found = append(found, key[0])
			}
		})
	})
	return found
}

// A site in a new life signs everybody out, and keeps the people.
func TestDeletingAllSessionsKeepsThePeople(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		for _, each := range []*deskpb.Session{session("a", "li", 1000), session("b", "li", 2000), session("c", "wang", 3000)} {
			if err := b.PutSession(each); err != nil {
				return err
			}
		}
		return b.PutUser(&deskpb.User{Name: "li"})
	})
	commit(t, s, func(b *Batch) error { return b.DeleteSessions() })
	if found := rowsOf(t, s); !slices.Equal(found, []byte{familyUser}) {
		t.Errorf("rows of the families %x are left, want one of %x", found, familyUser)
	}
	// An empty store has nobody to sign out.
	commit(t, s, func(b *Batch) error { return b.DeleteSessions() })
}
