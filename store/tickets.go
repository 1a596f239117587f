package store

import (
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
	known, err := b.draft(number)
	if err != nil {
		return nil, err
	}
	return known.record, nil
}

// draft returns a ticket as the batch has it.
func (b *Batch) draft(number desk.TicketNumber) (*draft, error) {
	if known := b.pending.drafts.tickets[number]; known != nil {
		return known, nil
	}
	key := ticketKey(number)
	value, err := b.pending.row(key)
	if err != nil {
		return nil, err
	}
	var record *deskpb.Record
	if value != nil {
		if record, err = decode[deskpb.Record](b.Reader, key, value); err != nil {
			return nil, err
		}
	}
	return b.pending.drafts.read(number, record), nil
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

// Majors returns the major incidents that this site knows and nobody has solved yet, oldest first and at most limit.
func (r *Reader) Majors(limit int) ([]*deskpb.Record, error) {
	var majors []*deskpb.Record
	prefix := family(familyMajor)
	err := r.scan(under(prefix).first(limit), func(row, _ []byte) (bool, error) {
		d := keys.Decode(row[len(prefix):])
		d.Int64()
		number := desk.TicketNumber(d.Text())
		if err := d.Done(); err != nil {
			return false, &corruptError{path: r.path, cause: err}
		}
		record, err := r.Ticket(number)
		majors = append(majors, record)
		return true, err
	})
	return majors, err
}

// AddTicket is PutTicket for a ticket whose number this site has just given out, so that there can be none before.
func (b *Batch) AddTicket(record *deskpb.Record) error {
	number := desk.TicketNumber(record.GetTicket().GetNumber())
	known := b.pending.drafts.tickets[number]
	if known == nil {
		known = b.pending.drafts.read(number, nil)
	}
	b.pending.drafts.change(known, record)
	return nil
}

// PutTicket stores the record, which must not be changed afterwards, and moves its index rows: those of the record before
// it go, and only the rows that differ are written.
func (b *Batch) PutTicket(record *deskpb.Record) error {
	number := desk.TicketNumber(record.GetTicket().GetNumber())
	if number == "" {
		return errors.New("put ticket: it has no number")
	}
	known, err := b.draft(number)
	if err != nil {
		return err
	}
	if len(record.GetTicket().GetAttachments()) > 0 {
		if err := b.nameFiles(known.record, record); err != nil {
			return fmt.Errorf("put ticket %s: %w", number, err)
		}
	}
	b.pending.drafts.change(known, record)
	return nil
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
