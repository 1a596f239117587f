package store

import (
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// faultKey begins the rows of the faults of an application in one category.
func faultKey(application, category string) keys.Builder {
	return keys.Build(familyFault).Text(application).Text(category)
}

// faultRow returns the row under which a ticket counts as a fault of its application, nil for a ticket that names none,
// was canceled, or says the same as another one.
func faultRow(record *deskpb.Record) keys.Key {
	t := record.GetTicket()
	if t.GetApplication() == "" || t.GetState() == deskpb.Ticket_CANCELED || t.GetMergedInto() != "" {
		return nil
	}
	return faultKey(t.GetApplication(), t.GetCategory()).Int64(micros(t.GetOpenTime())).Text(t.GetNumber()).Key()
}

// Faults returns the tickets on an application in exactly one category that were opened from a time on and before
// another one, both in microseconds since 1970: the newest first and at most limit.
func (r *Reader) Faults(application, category string, from, before int64, limit int) ([]desk.TicketNumber, error) {
	var numbers []desk.TicketNumber
	prefix := faultKey(application, category).Key()
	over := between(faultKey(application, category).Int64(from).Key(), faultKey(application, category).Int64(before).Key())
	over.descending = true
	err := r.scan(over.first(limit), func(row, _ []byte) (bool, error) {
		d := keys.Decode(row[len(prefix):])
		d.Int64()
		numbers = append(numbers, desk.TicketNumber(d.Text()))
		return true, d.Done()
	})
	return numbers, err
}
