package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

const (
	usualSimilar, maxSimilar = 5, 20
	// maxCompared bounds how many tickets a search for similar ones looks at, those that changed last.
	maxCompared = 300
	// leastLikeness is how much two titles must share, of 100, to be called similar.
	leastLikeness = 20

	usualRepeatDays, maxRepeatDays = 90, 366
	maxRepeats                     = 10_000
	shownRepeats                   = 20

	microsOfDay = 86_400_000_000
)

// SplitTicket opens another ticket for a part of this one and returns it.
func (t *tickets) SplitTicket(ctx context.Context, r *apipb.SplitTicketRequest) (*deskpb.Ticket, error) {
	if err := numberGiven(r.GetNumber()); err != nil {
		return nil, err
	}
	etag, err := etagOf(ctx, r.GetEtag())
	if err != nil {
		return nil, err
	}
	return t.propose(ctx, "split", r, &deskpb.TicketCommand{
		Etag: etag,
		Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{
			Ticket: &deskpb.Ticket{Title: r.GetTitle(), Description: r.GetDescription()},
			Origin: &deskpb.TicketLink{Kind: deskpb.TicketLink_SPLIT_FROM, Number: r.GetNumber()},
		}},
	})
}

// FindSimilarTickets compares titles with those of the open tickets of the application, else of the category, else of
// all, that changed last.
func (t *tickets) FindSimilarTickets(ctx context.Context, r *apipb.FindSimilarTicketsRequest) (*apipb.FindSimilarTicketsResponse, error) {
	if strings.TrimSpace(r.GetTitle()) == "" {
		return nil, desk.RefuseField("title", "is missing; give the words to look for")
	}
	size, err := bounded("pageSize", r.GetPageSize(), usualSimilar, maxSimilar)
	if err != nil {
		return nil, err
	}
	query := store.Query{Index: store.ByUpdate, Descending: true, Limit: maxCompared}
	switch {
	case r.GetApplication() != "":
		query.Index, query.Value = store.ByApplication, r.GetApplication()
	case r.GetCategory() != "":
		query.Index, query.Value = store.ByCategory, r.GetCategory()
	}
	answer := &apipb.FindSimilarTicketsResponse{}
	err = t.backend.Read(ctx, false, func(reader *store.Reader) error {
		page, err := reader.Tickets(query)
		if err != nil {
			return fmt.Errorf("look for tickets like %q: %w", r.GetTitle(), err)
		}
		sight, err := sightOf(ctx, t.backend.Site(), reader)
		if err != nil {
			return err
		}
		answer.Tickets = alike(r.GetTitle(), slices.DeleteFunc(page.Records, func(record *deskpb.Record) bool { return !sight.sees(record) }))
		answer.Tickets = answer.Tickets[:min(len(answer.Tickets), int(size))]
		for _, similar := range answer.Tickets {
			similar.Ticket = sight.shown(similar.Ticket)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// alike returns the open tickets whose titles are like the one given, the likeliest first, equals in the order given.
func alike(title string, records []*deskpb.Record) []*apipb.SimilarTicket {
	var found []*apipb.SimilarTicket
	for _, record := range records {
		ticket := record.GetTicket()
		if ticket.GetState() > deskpb.Ticket_ON_HOLD {
			continue
		}
		if likeness := desk.Likeness(title, ticket.GetTitle()); likeness >= leastLikeness {
			found = append(found, &apipb.SimilarTicket{Ticket: ticket, Likeness: likeness})
		}
	}
	slices.SortStableFunc(found, func(a, b *apipb.SimilarTicket) int { return cmp.Compare(b.Likeness, a.Likeness) })
	return found
}

// CountRepeats counts the faults of the same application and category in the days before the ticket was opened. A ticket
// without an application repeats nothing.
func (t *tickets) CountRepeats(ctx context.Context, r *apipb.CountRepeatsRequest) (*apipb.CountRepeatsResponse, error) {
	if err := numberGiven(r.GetNumber()); err != nil {
		return nil, err
	}
	days, err := bounded("days", r.GetDays(), usualRepeatDays, maxRepeatDays)
	if err != nil {
		return nil, err
	}
	answer := &apipb.CountRepeatsResponse{Days: days}
	err = t.backend.Read(ctx, false, func(reader *store.Reader) error {
		record, sight, err := t.find(ctx, reader, r.GetNumber())
		if err != nil {
			return err
		}
		ticket := record.GetTicket()
		answer.Application, answer.Category = ticket.GetApplication(), ticket.GetCategory()
		if answer.Application == "" {
			return nil
		}
		before := ticket.GetOpenTime().AsTime().UnixMicro()
		numbers, err := reader.Faults(answer.Application, answer.Category, before-int64(days)*microsOfDay, before, maxRepeats)
		if err != nil {
			return fmt.Errorf("count the faults before ticket %s: %w", r.GetNumber(), err)
		}
		if numbers, err = sight.numbers(reader, numbers); err != nil {
			return err
		}
		answer.Count = int32(len(numbers))
		for _, number := range numbers[:min(len(numbers), shownRepeats)] {
			answer.Numbers = append(answer.Numbers, string(number))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// bounded returns a number of a request, the usual one when none is given, or refuses one outside of 1 to most.
func bounded(field string, given, usual, most int32) (int32, error) {
	switch {
	case given == 0:
		return usual, nil
	case given < 0 || given > most:
		return 0, desk.RefuseField(field, "%d is not between 1 and %d; leave it out for %d", given, most, usual)
	}
	return given, nil
}
