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
	after, err := scope.open(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &apipb.ListTicketsResponse{}
	err = t.backend.Read(ctx, stale, func(reader *store.Reader) error {
		sight, err := sightOf(ctx, t.backend.Site(), reader)
		if err != nil {
			return err
		}
		list := listing{reader: reader, sight: sight, query: query, wanted: wanted, after: after, size: size}
		next, err := list.fill(ctx, answer)
		answer.NextPageToken = scope.seal(next)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// listing is a page of tickets that a caller asks for.
type listing struct {
	reader *store.Reader
	sight  sight
	query  store.Query
	wanted filter
	after  []byte // the position that the caller's token stands for
	size   int
}

// fill puts the tickets of the page into an answer and returns the position of the next one; nil for none.
func (l listing) fill(ctx context.Context, answer *apipb.ListTicketsResponse) ([]byte, error) {
	if number, ok := l.wanted.number(); ok {
		record, err := l.reader.Ticket(number)
		if err != nil {
			return nil, fmt.Errorf("list ticket %q: %w", number, err)
		}
		if record != nil && l.fits(record) {
			answer.Tickets = append(answer.Tickets, l.sight.shown(record.GetTicket()))
		}
		return nil, nil
	}
	query, err := l.sight.narrowed(l.query)
	if err != nil {
		return nil, err
	}
	veil, after, err := l.sight.behind(l.reader, l.after)
	if err != nil {
		return nil, err
	}
	query.After = after
	found, next, err := scan(ctx, l.reader.Tickets, query, l.fits, l.size)
	if err != nil {
		return nil, err
	}
	for _, record := range found {
		answer.Tickets = append(answer.Tickets, l.sight.shown(record.GetTicket()))
	}
	return veil.over(next), nil
}

// fits tells whether the caller sees a ticket and asks for it.
func (l listing) fits(record *deskpb.Record) bool {
	return l.wanted.matches(record.GetTicket()) && l.sight.sees(record)
}

// narrowed is a query without most of what the caller does not see. The own tickets of a requester are few, and read as such
// however many there are of others.
func (s sight) narrowed(query store.Query) (store.Query, error) {
	if s.actor.GetRole() != deskpb.User_REQUESTER {
		return query, nil
	}
	if query.Index == store.ByNumber || query.Index == store.ByState {
		return store.Query{}, desk.RefuseField("orderBy", "your own tickets are ordered by updateTime desc or updateTime; leave it out for the first")
	}
	query.Index, query.Value = store.ByRequester, s.actor.GetUser()
	return query, nil
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

// scan collects at most size fitting tickets, and the position to go on behind; nil at the end of the list. It reads as
// many rows as the page has first, all that is needed where the index alone fulfils the filter, and then more at once.
func scan(ctx context.Context, read func(store.Query) (store.Page, error), query store.Query, fits func(*deskpb.Record) bool, size int) ([]*deskpb.Record, []byte, error) {
	var found []*deskpb.Record
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
			if !fits(record) {
				continue
			}
			if found = append(found, record); len(found) < size {
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
