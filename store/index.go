package store

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// Index names an order of tickets. The numbers are on disk.
type Index byte

const (
	ByNumber   Index = iota // all tickets, by number
	ByUpdate                // all tickets, by update time
	ByState                 // one state (Value: its name, "NEW"), by priority, then due time, then number
	ByAssignee              // one value each, by update time; the empty value has the tickets without one
	ByGroup
	ByRequester // Value: requester.user, or requester.name when there is no user
	ByCustodian
	ByCategory
	ByApplication
	ByCustomer // Value: requester.id; tickets without one are not in it
	ByUnit     // Value: requester.unit; tickets without one are not in it
)

// neverDue stands for the due time of a ticket on which no clock runs: it sorts behind all others.
const neverDue = math.MaxInt64

// rows returns a ticket's row in each index that has rows of its own, in the order of the indexes: a ticket is in each
// index exactly once, in ByCustomer and ByUnit at most once (nil).
func rows(t *deskpb.Ticket) []keys.Key {
	found := make([]keys.Key, 0, ByUnit)
	for index := ByUpdate; index <= ByUnit; index++ {
		value := valueOf(index, t)
		if index >= ByCustomer && value == "" {
			found = append(found, nil)
			continue
		}
		row := indexPrefix(index, value)
		if index == ByState {
			row = row.Uint32(uint32(t.GetPriority())).Int64(due(t))
		} else {
			row = row.Int64(micros(t.GetUpdateTime()))
		}
		found = append(found, row.Text(t.GetNumber()).Key())
	}
	return found
}

// numberIn returns the ticket's number from what follows the value in an index row.
func numberIn(index Index, cursor []byte) (desk.TicketNumber, error) {
	d := keys.Decode(cursor)
	if index == ByState {
		d.Uint32()
	}
	d.Int64()
	number := d.Text()
	return desk.TicketNumber(number), d.Done()
}

// valueOf returns the value under which an index lists the ticket.
func valueOf(index Index, t *deskpb.Ticket) string {
	switch index {
	case ByState:
		return t.GetState().String()
	case ByAssignee:
		return t.GetAssignee()
	case ByGroup:
		return t.GetGroup()
	case ByRequester:
		if user := t.GetRequester().GetUser(); user != "" {
			return user
		}
		return t.GetRequester().GetName()
	case ByCustodian:
		return t.GetCustodianSite()
	case ByCategory:
		return t.GetCategory()
	case ByApplication:
		return t.GetApplication()
	case ByCustomer:
		return t.GetRequester().GetId()
	case ByUnit:
		return t.GetRequester().GetUnit()
	default:
		return ""
	}
}

// handoverRow returns the row of a hand-over that this site has to move on, nil for any other ticket: one that is queued
// where the site is custodian, or in transit after the site sent it.
func handoverRow(record *deskpb.Record, site string) keys.Key {
	t := record.GetTicket()
	switch handover := t.GetHandover(); {
	case handover.GetState() == deskpb.Handover_QUEUED && t.GetCustodianSite() == site,
		handover.GetState() == deskpb.Handover_IN_TRANSIT && record.GetFromSite() == site:
		return handoverKey(handover.GetState(), desk.SiteID(handover.GetToSite())).
			Int64(micros(handover.GetSince())).Text(t.GetNumber())
	default:
		return nil
	}
}

// majorRow returns the row of a major incident that nobody has solved yet, nil for any other ticket.
func majorRow(record *deskpb.Record) keys.Key {
	t := record.GetTicket()
	if !t.GetMajor() || t.GetState() < deskpb.Ticket_NEW || t.GetState() > deskpb.Ticket_ON_HOLD {
		return nil
	}
	return majorKey(micros(t.GetOpenTime()), desk.TicketNumber(t.GetNumber()))
}

// due returns the earliest due time of the clocks that run, breached ones too, in microseconds since 1970.
func due(t *deskpb.Ticket) int64 {
	earliest := int64(neverDue)
	for _, clock := range t.GetSla() {
		if clock.GetSince() != nil && clock.GetDueTime() != nil {
			earliest = min(earliest, micros(clock.GetDueTime()))
		}
	}
	return earliest
}

// micros returns a time in microseconds since 1970, 0 when it is not set.
func micros(t *timestamppb.Timestamp) int64 {
	if t == nil {
		return 0
	}
	return t.AsTime().UnixMicro()
}

func (i Index) validate() error {
	if i > ByUnit {
		return fmt.Errorf("ticket index %d: it must be one of 0 to %d", i, ByUnit)
	}
	return nil
}
