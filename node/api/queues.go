package api

import (
	"context"
	"fmt"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// queues serves the open tickets as people work through them, and the figures of offices.
type queues struct {
	apipb.UnimplementedQueuesServer
	backend Backend
	clock   func() time.Time
	zone    *time.Location // of the site's local day
}

// maxLooked bounds the tickets of one queue that are looked at to count those that a caller sees: a record takes some 15 µs.
const maxLooked = 300

// ListQueues never waits for the log: what it says is a hint of where there is work.
func (q *queues) ListQueues(ctx context.Context, r *apipb.ListQueuesRequest) (*apipb.ListQueuesResponse, error) {
	answer := &apipb.ListQueuesResponse{}
	err := q.backend.Read(ctx, true, func(reader *store.Reader) error {
		sight, err := sightOf(ctx, q.backend.Site(), reader)
		if err != nil || !sight.works() {
			return err
		}
		c := counter{reader: reader, sight: sight, seen: map[desk.TicketNumber]bool{}}
		asked := sight.queues(q.clock())
		if r.GetAllGroups() {
			asked = append(asked, sight.otherGroups()...)
		}
		for _, queue := range asked {
			if err := ctx.Err(); err != nil {
				return err
			}
			counted, err := c.count(queue)
			if err != nil {
				return fmt.Errorf("count queue %q: %w", queue.id, err)
			}
			answer.Queues = append(answer.Queues, counted)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// counter counts queues for one caller. What it found out about a ticket serves all queues that the ticket is in.
type counter struct {
	reader *store.Reader
	sight  sight
	seen   map[desk.TicketNumber]bool // whether the caller sees a ticket
}

// count says how many tickets of a queue the caller sees: the kept count where that is all of them. The calls to requesters, which are
// about no ticket, count among the call-backs: everybody who calls back sees them.
func (c counter) count(q queue) (*apipb.Queue, error) {
	counted := &apipb.Queue{Kind: q.kind, Id: q.id, Group: q.group}
	if q.kept() && c.sight.whole(q) {
		for _, value := range q.values {
			n, err := c.reader.WorkCount(q.list, value)
			if err != nil {
				return nil, err
			}
			counted.Count += int32(n)
		}
		return counted, nil
	}
	rows, err := q.rows(c.reader, nil, maxLooked)
	if err != nil {
		return nil, err
	}
	counted.More, counted.Count = rows.Next != nil, int32(rows.Others)
	for _, number := range rows.Numbers {
		sees, err := c.sees(number)
		if err != nil {
			return nil, err
		}
		if sees {
			counted.Count++
		}
	}
	return counted, nil
}

func (c counter) sees(number desk.TicketNumber) (bool, error) {
	sees, known := c.seen[number]
	if known {
		return sees, nil
	}
	sees, err := c.sight.seesNumber(c.reader, number)
	c.seen[number] = sees
	return sees, err
}

// ListQueueTickets reads the rows of one queue; see listing.
func (q *queues) ListQueueTickets(ctx context.Context, r *apipb.ListQueueTicketsRequest) (*apipb.ListTicketsResponse, error) {
	stale, err := staleAllowed(r.GetConsistency())
	if err != nil {
		return nil, err
	}
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	scope := pageScope{"queue", r.GetQueue(), r.GetSite()}
	after, err := scope.open(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &apipb.ListTicketsResponse{}
	err = q.backend.Read(ctx, stale, func(reader *store.Reader) error {
		sight, err := sightOf(ctx, q.backend.Site(), reader)
		if err != nil {
			return err
		}
		asked, err := sight.queue(r.GetQueue(), desk.SiteID(r.GetSite()), q.clock())
		if err != nil || !sight.works() {
			return err
		}
		position, err := asked.fill(ctx, answer, queuePage{reader: reader, sight: sight, after: after, size: size})
		answer.NextPageToken = scope.seal(position)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// queuePage is a page of a queue that a caller asks for.
type queuePage struct {
	reader *store.Reader
	sight  sight
	after  []byte // the position that the caller's token stands for
	size   int
}

// fill puts the tickets of a page into an answer and returns the position of the next one; nil for none.
func (q queue) fill(ctx context.Context, answer *apipb.ListTicketsResponse, p queuePage) ([]byte, error) {
	veil, after, err := p.sight.behind(p.reader, p.after)
	if err != nil {
		return nil, err
	}
	read := func(query store.Query) (store.Page, error) {
		rows, err := q.rows(p.reader, query.After, query.Limit)
		if err != nil {
			return store.Page{}, err
		}
		return p.reader.Records(rows)
	}
	found, next, err := scan(ctx, read, store.Query{After: after}, p.sight.sees, p.size)
	if err != nil {
		return nil, err
	}
	for _, record := range found {
		answer.Tickets = append(answer.Tickets, p.sight.shown(record.GetTicket()))
	}
	return veil.over(next), nil
}

// works tells whether the caller works with queues: all but requesters do.
func (s sight) works() bool { return s.actor.GetRole() != deskpb.User_REQUESTER }
