package store

import (
	"bytes"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// What a call-back is about. The numbers are on disk.
const (
	callOfTicket   = 0x01
	callOfCustomer = 0x02
)

func callBackKey(due int64, about byte, id string) keys.Key {
	return keys.Build(familyCallBack).Int64(due).Byte(about).Text(id).Key()
}

// callBackRow returns the row of a ticket whose requester this site, its home, has to call back; nil for any other ticket.
func callBackRow(record *deskpb.Record, site string) keys.Key {
	t := record.GetTicket()
	call := t.GetCallBack()
	if t.GetHomeSite() != site || call.GetDone() || call.GetDueTime() == nil {
		return nil
	}
	return callBackKey(micros(call.GetDueTime()), callOfTicket, t.GetNumber())
}

// DueCall is a call-back that has to be made: about a ticket, or of a customer.
type DueCall struct {
	Due      int64 // microseconds since 1970
	Ticket   *deskpb.Ticket
	Customer *deskpb.Customer
}

// DueCalls returns the call-backs that are due by a time, microseconds since 1970, the earliest first and at most limit,
// which is at least 1. next is the cursor for the next page, nil at the end.
func (r *Reader) DueCalls(by int64, after []byte, limit int) (calls []DueCall, next []byte, err error) {
	prefix := family(familyCallBack)
	over := between(prefix, keys.Build(familyCallBack).Int64(by+1).Key()).first(limit + 1)
	if after != nil {
		over = over.behind(append(prefix, after...))
	}
	more := false
	err = r.scan(over, func(row, _ []byte) (bool, error) {
		if more = len(calls) == limit; more {
			return false, nil
		}
		call, err := r.dueCall(row[len(prefix):])
		calls = append(calls, call)
		next = append([]byte{}, row[len(prefix):]...)
		return true, err
	})
	if err != nil {
		return nil, nil, err
	}
	if !more {
		next = nil
	}
	return calls, next, nil
}

// DueTickets returns the tickets of which a call-back is due by a time, microseconds since 1970, the earliest first. It looks at
// limit rows, which is at least 1; a page may name fewer tickets and still have a next one.
func (r *Reader) DueTickets(by int64, after []byte, limit int) (found Rows, err error) {
	prefix := family(familyCallBack)
	over := between(prefix, keys.Build(familyCallBack).Int64(by+1).Key()).first(limit)
	if after != nil {
		over = over.behind(append(prefix, after...))
	}
	looked, last := 0, []byte(nil)
	err = r.scan(over, func(row, _ []byte) (bool, error) {
		looked++
		last = bytes.Clone(row[len(prefix):])
		d := keys.Decode(last)
		d.Int64()
		about, id := d.Byte(), d.Text()
		if about == callOfTicket {
			found.Numbers = append(found.Numbers, desk.TicketNumber(id))
			found.Cursors = append(found.Cursors, last)
		} else {
			found.Others++
		}
		if err := d.Done(); err != nil {
			return false, &corruptError{path: r.path, cause: err}
		}
		return true, nil
	})
	if looked == limit {
		found.Next = last
	}
	return found, err
}

// dueCall reads what a row is about.
func (r *Reader) dueCall(row []byte) (call DueCall, err error) {
	d := keys.Decode(row)
	due, about, id := d.Int64(), d.Byte(), d.Text()
	if err := d.Done(); err != nil {
		return DueCall{}, &corruptError{path: r.path, cause: err}
	}
	call.Due = due
	if about == callOfCustomer {
		call.Customer, err = r.Customer(id)
	} else {
		var record *deskpb.Record
		record, err = r.Ticket(desk.TicketNumber(id))
		call.Ticket = record.GetTicket()
	}
	if err == nil && call.Customer == nil && call.Ticket == nil {
		err = &corruptError{path: r.path, cause: errMissing("call-back", id)}
	}
	return call, err
}

// errMissing is why a row that another one names is damage.
func errMissing(what, id string) error {
	return fmt.Errorf("a row names the %s %s, which is not stored", what, id)
}
