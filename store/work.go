package store

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// Work names a list of open tickets that somebody has to do something about. Each list has one part for each value; a ticket stands
// in at most one part of a list. A ticket that is on its way is held by nobody. The numbers are on disk.
type Work byte

const (
	WorkOf       Work = iota // held here; the value is the assignee, who is one of this site
	WorkOfGroup              // held here; the value is the group
	WorkOfNobody             // held here and assigned to nobody; the value is empty
	WorkDueSoon              // held at the site that is the value; see desk.TicketUrgency
	WorkOverdue              // held at the site that is the value; see desk.TicketUrgency
	WorkAbove                // went through here and is held, or on its way, above; the value is empty
	WorkOnHold               // held here and on hold; the value is the reason
	WorkLeaving              // waits for a line at the site that is the value, or is on its way from it
	WorkOpen                 // held at the site that is the value
	numberOfWorks
)

// place is where a ticket stands in one list: nowhere, or under a value. Its order is the earliest due time of the clocks that run, in
// WorkOpen the time of opening, in microseconds since 1970.
type place struct {
	listed bool
	value  string
	order  int64
}

// places are the places of a ticket in all lists.
type places [numberOfWorks]place

// placesOf returns where a ticket stands at the site.
func placesOf(record *deskpb.Record, site string) (found places) {
	t := record.GetTicket()
	if t.GetState() < deskpb.Ticket_NEW || t.GetState() > deskpb.Ticket_ON_HOLD {
		return found
	}
	order := due(t)
	custodian, moving := t.GetCustodianSite(), t.GetHandover().GetState()
	stand := func(list Work, value string) { found[list] = place{listed: true, value: value, order: order} }
	if moving == deskpb.Handover_QUEUED {
		stand(WorkLeaving, custodian)
	}
	if above(record, site) {
		stand(WorkAbove, "")
	}
	if moving == deskpb.Handover_IN_TRANSIT {
		stand(WorkLeaving, record.GetFromSite())
		return found
	}
	found[WorkOpen] = place{listed: true, value: custodian, order: micros(t.GetOpenTime())}
	switch desk.TicketUrgency(t) {
	case desk.DueSoon:
		stand(WorkDueSoon, custodian)
	case desk.Overdue:
		stand(WorkOverdue, custodian)
	}
	if custodian != site {
		return found
	}
	if t.GetAssignee() == "" {
		stand(WorkOfNobody, "")
	} else {
		stand(WorkOf, t.GetAssignee())
	}
	if t.GetGroup() != "" {
		stand(WorkOfGroup, t.GetGroup())
	}
	if t.GetState() == deskpb.Ticket_ON_HOLD {
		stand(WorkOnHold, t.GetHoldReason())
	}
	return found
}

// above tells whether a ticket went through the site and is worked on, or was sent on, above it.
func above(record *deskpb.Record, site string) bool {
	here := slices.Index(record.GetPath(), site)
	there := slices.Index(record.GetPath(), record.GetTicket().GetCustodianSite())
	return here >= 0 && here < there && record.GetFromSite() != site
}

func workPrefix(list Work, value string) keys.Builder {
	return keys.Build(familyWork).Byte(byte(list)).Text(value)
}

func workCountKey(list Work, value string) keys.Key {
	return keys.Build(familyWorkCount).Byte(byte(list)).Text(value).Key()
}

// row is the ticket's row in a list, nil when it is not in it.
func (p place) row(list Work, number desk.TicketNumber) keys.Key {
	if !p.listed {
		return nil
	}
	return workPrefix(list, p.value).Int64(p.order).Text(string(number)).Key()
}

// moveWork moves a ticket's rows from the places that it had to those that it has, and counts both.
func (p *pending) moveWork(number desk.TicketNumber, was, is places) {
	for i := range was {
		if list := Work(i); was[i] != is[i] {
			p.move(was[i].row(list, number), is[i].row(list, number))
			p.drafts.sums.count(list, was[i], -1)
			p.drafts.sums.count(list, is[i], 1)
		}
	}
}

// count counts a ticket in its part of a list.
func (s sums) count(list Work, at place, n int64) {
	if at.listed {
		s.add(workCountKey(list, at.value), []int64{n})
	}
}

// WorkCount returns how many tickets are in a part of a list. It reads one row.
func (r *Reader) WorkCount(list Work, value string) (int, error) {
	numbers, err := r.numbers(workCountKey(list, value), 1)
	if err != nil {
		return 0, fmt.Errorf("count the tickets of list %d under %q: %w", list, value, err)
	}
	return int(numbers[0]), nil
}

// WorkQuery asks for a page of some parts of a list, as one list: what is due first comes first, in WorkOpen what was opened first.
type WorkQuery struct {
	List   Work
	Values []string // each once
	// After is Page.Next or one of Page.Cursors; nil for the first page.
	After []byte
	// Limit is at least 1.
	Limit int
}

// Rows are a page of a list that names tickets. Next is nil on the last one.
type Rows struct {
	Numbers []desk.TicketNumber
	Cursors [][]byte // the cursor behind each ticket, so that a caller that filters can stop anywhere
	Next    []byte
	// Others counts the rows between those that name no ticket but a customer.
	Others int
}

// Work returns a page of a list. It reads, of each value, at most as many rows as the page has.
func (r *Reader) Work(q WorkQuery) (Rows, error) {
	if q.List >= numberOfWorks {
		return Rows{}, fmt.Errorf("list of open tickets %d: it must be one of 0 to %d", q.List, numberOfWorks-1)
	}
	var cursors [][]byte
	more := false
	for _, value := range q.Values {
		next, err := r.page(workPrefix(q.List, value).Key(), q.After, false, q.Limit, func(cursor, _ []byte) error {
			cursors = append(cursors, cursor)
			return nil
		})
		if err != nil {
			return Rows{}, err
		}
		more = more || next != nil
	}
	slices.SortFunc(cursors, bytes.Compare)
	found := Rows{Cursors: cursors[:min(len(cursors), q.Limit)]}
	if more || len(cursors) > q.Limit {
		found.Next = found.Cursors[len(found.Cursors)-1]
	}
	for _, cursor := range found.Cursors {
		d := keys.Decode(cursor)
		d.Int64()
		found.Numbers = append(found.Numbers, desk.TicketNumber(d.Text()))
		if err := d.Done(); err != nil {
			return Rows{}, &corruptError{path: r.path, cause: err}
		}
	}
	return found, nil
}

// Records returns the records that rows name.
func (r *Reader) Records(rows Rows) (Page, error) {
	page := Page{Cursors: rows.Cursors, Next: rows.Next}
	for _, number := range rows.Numbers {
		record, err := r.Ticket(number)
		if err == nil && record == nil {
			err = &corruptError{path: r.path, cause: errMissing("ticket", string(number))}
		}
		if err != nil {
			return Page{}, err
		}
		page.Records = append(page.Records, record)
	}
	return page, nil
}
