package store

import (
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// The rows of familyRound.
const (
	roundOpened = 0x01 // up to when a round of this site has been opened
	roundTicket = 0x02 // a ticket that a round opened, here or below
)

func roundKey(round string) keys.Key {
	return keys.Build(familyRound).Byte(roundOpened).Text(round).Key()
}

func roundTicketsKey(round string) keys.Key {
	return keys.Build(familyRound).Byte(roundTicket).Text(round).Key()
}

// RoundMark says up to when an inspection round of this site has been opened: a due time, or the time at which the site
// first heard of the round, in microseconds since 1970.
type RoundMark struct {
	Round string
	Time  int64
}

// RoundMarks returns the marks of all rounds that the site has heard of, by name.
func (r *Reader) RoundMarks() ([]RoundMark, error) {
	var marks []RoundMark
	prefix := keys.Build(familyRound).Byte(roundOpened).Key()
	err := r.scan(under(prefix), func(row, value []byte) (bool, error) {
		name, time := keys.Decode(row[len(prefix):]), keys.Decode(value)
		mark := RoundMark{Round: name.Text(), Time: time.Int64()}
		for _, d := range []*keys.Decoder{name, time} {
			if err := d.Done(); err != nil {
				return false, &corruptError{path: r.path, cause: fmt.Errorf("row %x: %w", row, err)}
			}
		}
		marks = append(marks, mark)
		return true, nil
	})
	return marks, err
}

// RoundMark returns the time of a round's mark, 0 when the site has not heard of the round.
func (r *Reader) RoundMark(round string) (int64, error) {
	key := roundKey(round)
	value, err := r.get(key)
	if value == nil || err != nil {
		return 0, err
	}
	d := keys.Decode(value)
	time := d.Int64()
	if err := d.Done(); err != nil {
		return 0, &corruptError{path: r.path, cause: fmt.Errorf("row %x: %w", []byte(key), err)}
	}
	return time, nil
}

// PutRoundMark moves a round's mark.
func (b *Batch) PutRoundMark(m RoundMark) error {
	return b.set(roundKey(m.Round), keys.Key{}.Int64(m.Time))
}

// DeleteRoundMark forgets a round that the policy has no more.
func (b *Batch) DeleteRoundMark(round string) error { return b.delete(roundKey(round)) }

// RoundTickets returns a page of the tickets that a round opened at any site that this one knows tickets of, the latest
// first. after is Page.Next of the page before, nil for the first; limit is at least 1.
func (r *Reader) RoundTickets(round string, after []byte, limit int) (Page, error) {
	var page Page
	next, err := r.page(roundTicketsKey(round), after, true, limit, func(cursor, _ []byte) error {
		d := keys.Decode(cursor)
		d.Int64()
		number := desk.TicketNumber(d.Text())
		if err := d.Done(); err != nil {
			return &corruptError{path: r.path, cause: fmt.Errorf("tickets of round %q: %w", round, err)}
		}
		record, err := r.Ticket(number)
		if err == nil && record == nil {
			err = &corruptError{path: r.path, cause: fmt.Errorf("round %q lists ticket %s, which is not stored", round, number)}
		}
		page.Records, page.Cursors = append(page.Records, record), append(page.Cursors, cursor)
		return err
	})
	if err != nil {
		return Page{}, err
	}
	page.Next = next
	return page, nil
}

// roundRow returns the row by which a ticket is found from its round, nil for any other ticket.
func roundRow(record *deskpb.Record) keys.Key {
	t := record.GetTicket()
	if t.GetRound() == "" {
		return nil
	}
	return roundTicketsKey(t.GetRound()).Int64(micros(t.GetOpenTime())).Text(t.GetNumber())
}
