package client

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

const (
	// duplicatesShown is how many tickets are offered after a new one was opened.
	duplicatesShown = 3
	// duplicateLikeness is how much the titles share, of 100, when two tickets are likely about the same.
	duplicateLikeness = 50
	// duplicatesTimeout is how long a person waits for them; the new ticket is there already.
	duplicatesTimeout = 2 * time.Second
)

// duplicates returns open tickets about the same application whose words are much like those of a new ticket. It is an
// offer: when the node does not answer in time, there are none.
func duplicates(ctx context.Context, node *connection, opened *deskpb.Ticket) []*apipb.SimilarTicket {
	if opened.GetApplication() == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, duplicatesTimeout)
	defer cancel()
	found, err := node.tickets.FindSimilarTickets(ctx, &apipb.FindSimilarTicketsRequest{
		Title: opened.GetTitle(), Application: opened.GetApplication(), PageSize: duplicatesShown + 1, // the new one is among them
	})
	if err != nil {
		return nil
	}
	likely := slices.DeleteFunc(found.GetTickets(), func(s *apipb.SimilarTicket) bool {
		return s.GetTicket().GetNumber() == opened.GetNumber() || s.GetLikeness() < duplicateLikeness
	})
	return likely[:min(len(likely), duplicatesShown)]
}

// duplicates says which tickets a new one may repeat, and how it is merged; empty when there are none.
func (p *printer) duplicates(opened *deskpb.Ticket, likely []*apipb.SimilarTicket) string {
	if len(likely) == 0 {
		return ""
	}
	var rows [][]string
	for _, s := range likely {
		merge := fmt.Sprintf("tierdesk ticket merge %s %s", opened.GetNumber(), s.GetTicket().GetNumber())
		rows = append(rows, []string{s.GetTicket().GetNumber(), fmt.Sprintf("%d%%", s.GetLikeness()), s.GetTicket().GetTitle(), merge})
	}
	var out strings.Builder
	p.section(&out, phrase{"可能重复", "May be about the same"}, indent(new(table).layOut(rows)))
	return out.String()
}
