package store

import (
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// Timer says when something is due on a ticket that this site holds, in microseconds since 1970.
type Timer struct {
	Time   int64
	Number desk.TicketNumber
}

// timerRow returns the row of what is due next on a ticket at the site, nil when nothing ever is.
func timerRow(record *deskpb.Record, site string) keys.Key {
	if record == nil {
		return nil
	}
	next := desk.NextTime(record, desk.SiteID(site))
	if next == 0 {
		return nil
	}
	return keys.Build(familyTimer).Int64(next).Text(record.GetTicket().GetNumber()).Key()
}

// EachTimer shows the timers of all tickets, the earliest first, until visit wants no more.
func (r *Reader) EachTimer(visit func(Timer) (more bool)) error {
	prefix := family(familyTimer)
	return r.scan(under(prefix), func(row, _ []byte) (bool, error) {
		d := keys.Decode(row[len(prefix):])
		timer := Timer{Time: d.Int64(), Number: desk.TicketNumber(d.Text())}
		if err := d.Done(); err != nil {
			return false, &corruptError{path: r.path, cause: err}
		}
		return visit(timer), nil
	})
}
