package demo

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// Password is that of the administrator and of all sample people, at every site.
func (d *Demo) Password() string { return d.password }

// Pages are the addresses of the pages of a site's nodes; none of a site that the tree does not have.
func (d *Demo) Pages(id string) (addresses []string) {
	if s := d.site(id); s != nil {
		for _, n := range s.nodes {
			addresses = append(addresses, "http://"+n.HTTPAddr())
		}
	}
	return addresses
}

// Cut breaks the line of a site to its parent until Heal mends it.
func (d *Demo) Cut(id string) { d.site(id).line.Cut() }

// Heal mends the line of a site to its parent.
func (d *Demo) Heal(id string) { d.site(id).line.Heal() }

// Ticket is the number of the ticket with a title, as a site knows it.
func (d *Demo) Ticket(ctx context.Context, id, title string) (string, error) {
	found, err := d.site(id).desk.Nodes[0].ListTickets(ctx, &apipb.ListTicketsRequest{Filter: "title = " + strconv.Quote(title), PageSize: 1})
	if err != nil {
		return "", fmt.Errorf("look for the ticket %q: %w", title, err)
	}
	if len(found.GetTickets()) == 0 {
		return "", fmt.Errorf("look for the ticket %q: %s knows none", title, id)
	}
	return found.GetTickets()[0].GetNumber(), nil
}
