package tiers

import (
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// Preview returns what a ticket would be if it were opened at this site at a time, without its number and etag; nothing is
// written. What the log would refuse is refused.
func Preview(r *store.Reader, c *deskpb.TicketCommand, at desk.Stamp) (*deskpb.Ticket, error) {
	here, err := Here(r)
	if err != nil {
		return nil, err
	}
	if err := mayOpen(r, here.Site); err != nil {
		return nil, err
	}
	decision, err := desk.Decide(here, newView(r, tree{r: r, path: here.Path}), c, at)
	if err != nil {
		return nil, err
	}
	ticket := decision.Record.GetTicket()
	ticket.Number, ticket.Etag = "", ""
	return ticket, nil
}
