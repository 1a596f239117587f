package api

import (
	"context"
	"fmt"
	"strings"

	"go.einride.tech/aip/filtering"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// ListTickets reads one index and filters its rows. A page looks at a bounded number of rows: when few of them match,
// it is short and its token goes on behind the last row that was looked at.
func (t *tickets) ListTickets(ctx context.Context, r *apipb.ListTicketsRequest) (*apipb.ListTicketsResponse, error) {
	stale, err := staleAllowed(r.GetConsistency())
	if err != nil {
		return nil, err
	}
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	wanted, err := compileFilter(t.fields, r.GetFilter())
	if err != nil {
		return nil, err
	}
	order := strings.Join(strings.Fields(r.GetOrderBy()), " ")
	query, err := planQuery(wanted, order)
	if err != nil {
		return nil, err
	}
	scope := pageScope{"tickets", r.GetFilter(), order}
	if query.After, err = scope.open(r.GetPageToken()); err != nil {
		return nil, err
	}
	answer := &apipb.ListTicketsResponse{}
	err = t.backend.Read(ctx, stale, func(reader *store.Reader) error {
		if number, ok := wanted.number(); ok {
			answer.Tickets, err = single(reader, number, wanted)
			return err
		}
		found, next, err := scan(ctx, reader.Tickets, query, wanted, size)
		if err != nil {
			return err
		}
		answer.Tickets = found
		if next != nil {
			answer.NextPageToken = scope.seal(next)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// number returns the one number that a ticket must have, when the filter says it.
func (f filter) number() (desk.TicketNumber, bool) {
	for _, c := range f {
		if c.field.name == "number" && c.op == filtering.TokenTypeEquals {
			return desk.TicketNumber(c.value), true
		}
	}
	return "", false
}

// single lists the ticket of a number, if it is known and meets the filter.
func single(reader *store.Reader, number desk.TicketNumber, wanted filter) ([]*deskpb.Ticket, error) {
	record, err := reader.Ticket(number)
	if err != nil {
		return nil, fmt.Errorf("list ticket %q: %w", number, err)
	}
	if record == nil || !wanted.matches(record.GetTicket()) {
		return nil, nil
	}
	return []*deskpb.Ticket{presented(record.GetTicket())}, nil
}

// planQuery chooses the index whose order is asked for and that leaves the fewest rows to look at.
func planQuery(wanted filter, order string) (store.Query, error) {
	switch order {
	case "", "updateTime desc":
		return byUpdate(wanted, true), nil
	case "updateTime":
		return byUpdate(wanted, false), nil
	case "number":
		return store.Query{Index: store.ByNumber}, nil
	case "number desc":
		return store.Query{Index: store.ByNumber, Descending: true}, nil
	case "priority":
		for _, c := range wanted {
			if c.field.name == "state" && c.op == filtering.TokenTypeEquals {
				return store.Query{Index: store.ByState, Value: c.value}, nil
			}
		}
		return store.Query{}, desk.RefuseField("orderBy", "priority orders the tickets of one state; add state = … to the filter")
	}
	return store.Query{}, desk.RefuseField("orderBy",
		"%.60q is unknown; use updateTime desc, updateTime, priority, number or number desc", order)
}

// byUpdate orders by update time, within one value of an indexed field when the filter fixes one. Fields of people come
// before those of whole offices, because they leave fewer rows.
func byUpdate(wanted filter, descending bool) store.Query {
	best := store.Query{Index: store.ByUpdate, Descending: descending}
	bestRank := len(indexRanks())
	for _, c := range wanted {
		if c.op != filtering.TokenTypeEquals || c.value == "" {
			continue
		}
		for rank, index := range indexRanks()[:bestRank] {
			if c.field.index == index {
				best.Index, best.Value, bestRank = index, c.value, rank
				break
			}
		}
	}
	return best
}

// indexRanks lists the indexes of single values, those with the fewest tickets a value first.
func indexRanks() []store.Index {
	return []store.Index{
		store.ByCustomer, store.ByRequester, store.ByAssignee, store.ByUnit, store.ByGroup, store.ByApplication, store.ByCategory,
		store.ByCustodian,
	}
}

// Rows that are looked at for a page: at most scanFactor times its size, and scanRows for small pages.
const (
	scanRows   = 1000
	scanFactor = 10
	scanChunk  = 200 // rows that are read at once, when a first look of the page's size was not enough
)

// scan collects at most size matching tickets, and the position to go on behind; nil at the end of the list. It reads as
// many rows as the page has first, all that is needed where the index alone fulfils the filter, and then more at once.
func scan(ctx context.Context, read func(store.Query) (store.Page, error), query store.Query, wanted filter, size int) ([]*deskpb.Ticket, []byte, error) {
	var found []*deskpb.Ticket
	chunk := size
	for budget := max(scanRows, scanFactor*size); budget > 0; {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		query.Limit = min(budget, chunk)
		page, err := read(query)
		if err != nil {
			return nil, nil, fmt.Errorf("list tickets: %w", err)
		}
		for i, record := range page.Records {
			if !wanted.matches(record.GetTicket()) {
				continue
			}
			if found = append(found, presented(record.GetTicket())); len(found) < size {
				continue
			}
			if last := i == len(page.Records)-1; last {
				return found, page.Next, nil
			}
			return found, page.Cursors[i], nil
		}
		if page.Next == nil {
			return found, nil, nil
		}
		query.After = page.Next
		budget -= max(1, len(page.Records))
		chunk = min(2*chunk, scanChunk)
	}
	return found, query.After, nil
}
