package store

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// Query asks for a page of an index.
type Query struct {
	Index Index
	// Value is what the index is asked for; ByNumber and ByUpdate have none.
	Value      string
	Descending bool
	// After is Page.Next or one of Page.Cursors; nil for the first page.
	After []byte
	// Limit is at least 1.
	Limit int
}

// Page is one page of an index. Next is nil on the last one.
type Page struct {
	Records []*deskpb.Record
	Cursors [][]byte // the cursor behind each record, so that a caller that filters can stop anywhere
	Next    []byte
}

// Ticket returns nil when the site does not know the number.
func (r *Reader) Ticket(number desk.TicketNumber) (*deskpb.Record, error) {
	return load[deskpb.Record](r, ticketKey(number))
}

// Ticket returns nil when the site does not know the number. The record must not be changed.
func (b *Batch) Ticket(number desk.TicketNumber) (*deskpb.Record, error) {
	if record := b.records[number]; record != nil {
		return record, nil
	}
	record, err := b.Reader.Ticket(number)
	if record != nil {
		b.records[number] = record
	}
	return record, err
}

// Tickets returns a page of an index. It reads the rows of the page and no others.
func (r *Reader) Tickets(q Query) (Page, error) {
	if err := q.Index.validate(); err != nil {
		return Page{}, err
	}
	prefix := family(familyTicket)
	if q.Index != ByNumber {
		prefix = indexPrefix(q.Index, q.Value).Key()
	}
	var page Page
	next, err := r.page(prefix, q.After, q.Descending, q.Limit, func(cursor, value []byte) error {
		record, err := r.indexed(q.Index, cursor, value)
		page.Records = append(page.Records, record)
		page.Cursors = append(page.Cursors, cursor)
		return err
	})
	if err != nil {
		return Page{}, err
	}
	page.Next = next
	return page, nil
}

// indexed returns the record that an index row stands for.
func (r *Reader) indexed(index Index, cursor, value []byte) (*deskpb.Record, error) {
	if index == ByNumber {
		return decode[deskpb.Record](r, cursor, value)
	}
	number, err := numberIn(index, cursor)
	if err != nil {
		return nil, &corruptError{path: r.path, cause: err}
	}
	record, err := r.Ticket(number)
	if err == nil && record == nil {
		err = &corruptError{path: r.path, cause: fmt.Errorf("index %d lists ticket %s, which is not stored", index, number)}
	}
	return record, err
}

// Handovers returns numbers of tickets held here that are QUEUED, or sent from here and IN_TRANSIT, towards the peer, oldest
// wish first and at most limit.
func (r *Reader) Handovers(state deskpb.Handover_State, to desk.SiteID, limit int) ([]desk.TicketNumber, error) {
	var numbers []desk.TicketNumber
	prefix := handoverKey(state, to)
	err := r.scan(under(prefix).first(limit), func(row, _ []byte) (bool, error) {
		d := keys.Decode(row[len(prefix):])
		d.Int64()
		numbers = append(numbers, desk.TicketNumber(d.Text()))
		return true, d.Done()
	})
	return numbers, err
}

// AddTicket is PutTicket for a ticket whose number this site has just given out, so that there can be none before.
func (b *Batch) AddTicket(record *deskpb.Record) error { return b.replace(nil, record) }

// PutTicket stores the record, which must not be changed afterwards, and moves its index rows: those of the record before
// it go, and only the rows that differ are written.
func (b *Batch) PutTicket(record *deskpb.Record) error {
	number := desk.TicketNumber(record.GetTicket().GetNumber())
	if number == "" {
		return errors.New("put ticket: it has no number")
	}
	before, err := b.Ticket(number)
	if err != nil {
		return err
	}
	return b.replace(before, record)
}

// replace stores a record in the place of the one before it, which may be nil.
func (b *Batch) replace(before, record *deskpb.Record) error {
	number := desk.TicketNumber(record.GetTicket().GetNumber())
	stale := make([]keys.Key, ByApplication)
	if before != nil {
		stale = rows(before.GetTicket())
	}
	for i, row := range rows(record.GetTicket()) {
		if err := b.move(stale[i], row); err != nil {
			return err
		}
	}
	site := b.store.options.Site
	if err := b.move(handoverRow(before, site), handoverRow(record, site)); err != nil {
		return err
	}
	b.records[number] = record
	return b.put(ticketKey(number), record)
}

// move replaces one row without a value by another; either may be nil.
func (b *Batch) move(from, to keys.Key) error {
	if bytes.Equal(from, to) {
		return nil
	}
	if from != nil {
		if err := b.delete(from); err != nil {
			return err
		}
	}
	if to == nil {
		return nil
	}
	return b.set(to, nil)
}

// LastSequence returns the last ticket sequence given out on the local day yyyymmdd, 0 for none.
func (r *Reader) LastSequence(day string) (uint32, error) {
	value, err := r.get(sequenceKey(day))
	if value == nil || err != nil {
		return 0, err
	}
	d := keys.Decode(value)
	sequence := d.Uint32()
	return sequence, d.Done()
}

// PutSequence records the last ticket sequence given out on the local day yyyymmdd.
func (b *Batch) PutSequence(day string, sequence uint32) error {
	return b.set(sequenceKey(day), keys.Key{}.Uint32(sequence))
}

// Request returns nil when this site has not seen the request id from that principal and method.
func (r *Reader) Request(p desk.UserID, method, id string) (*deskpb.RequestMark, error) {
	return load[deskpb.RequestMark](r, requestKey(p, method, id))
}

// PutRequest remembers that a request id was used.
func (b *Batch) PutRequest(p desk.UserID, method, id string, m *deskpb.RequestMark) error {
	return b.put(requestKey(p, method, id), m)
}
