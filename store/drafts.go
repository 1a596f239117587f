package store

import (
	"bytes"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// drafts are the tickets that a batch has read or written. What was written becomes rows when the batch ends, or when
// rows of tickets are read in another way than by Batch.Ticket. So a ticket that changes several times in one log entry
// moves its index rows once.
type drafts struct {
	site    string
	tickets map[desk.TicketNumber]*draft
	changed []*draft // those whose rows are behind, in the order in which they fell behind
	sums    sums     // how many there are of which
}

// draft is one ticket.
type draft struct {
	number desk.TicketNumber
	record *deskpb.Record // nil for none
	rows   *deskpb.Record // what its rows stand for, nil for none
	behind bool           // record and rows differ
}

// read notes a record as its row has it, nil for none.
func (d *drafts) read(number desk.TicketNumber, record *deskpb.Record) *draft {
	known := &draft{number: number, record: record, rows: record}
	d.tickets[number] = known
	return known
}

// change replaces a record.
func (d *drafts) change(known *draft, record *deskpb.Record) {
	known.record = record
	if !known.behind {
		known.behind = true
		d.changed = append(d.changed, known)
	}
}

// settle writes the rows that are behind.
func (d *drafts) settle(p *pending) error {
	for _, changed := range d.changed {
		if err := d.replace(p, changed); err != nil {
			return err
		}
		changed.rows, changed.behind = changed.record, false
	}
	d.changed = nil
	return d.sums.settle(p.row, p.put)
}

// replace writes a record and the difference between the index rows that there are and those that it has.
func (d *drafts) replace(p *pending, changed *draft) error {
	stale := make([]keys.Key, ByUnit)
	if changed.rows != nil {
		stale = rows(changed.rows.GetTicket())
	}
	for i, row := range rows(changed.record.GetTicket()) {
		p.move(stale[i], row)
	}
	p.move(handoverRow(changed.rows, d.site), handoverRow(changed.record, d.site))
	p.move(majorRow(changed.rows), majorRow(changed.record))
	p.move(timerRow(changed.rows, d.site), timerRow(changed.record, d.site))
	p.move(loadRow(changed.rows, d.site), loadRow(changed.record, d.site))
	p.move(callBackRow(changed.rows, d.site), callBackRow(changed.record, d.site))
	p.move(roundRow(changed.rows), roundRow(changed.record))
	p.move(faultRow(changed.rows), faultRow(changed.record))
	p.moveWork(changed.number, placesOf(changed.rows, d.site), placesOf(changed.record, d.site))
	d.sums.moveShare(shareOf(changed.rows), shareOf(changed.record))
	key := ticketKey(changed.number)
	value, err := encode(key, changed.record)
	if err != nil {
		return err
	}
	p.put(write{key: key, value: value})
	return nil
}

// move replaces one row without a value by another; either may be nil.
func (p *pending) move(from, to keys.Key) {
	if bytes.Equal(from, to) {
		return
	}
	if from != nil {
		p.put(write{key: from, deleted: true})
	}
	if to != nil {
		p.put(write{key: to})
	}
}
