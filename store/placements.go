package store

import (
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

func placementKey(site desk.SiteID) keys.Key {
	return keys.Build(familyPlacement).Text(string(site)).Key()
}

// Placement returns where the province placed a site, nil when it stands where it was founded.
func (r *Reader) Placement(site desk.SiteID) (*deskpb.Placement, error) {
	return load[deskpb.Placement](r, placementKey(site))
}

// Placements returns every placement, by site.
func (r *Reader) Placements() ([]*deskpb.Placement, error) {
	return list[deskpb.Placement](r, under(family(familyPlacement)))
}

// PutPlacement stores where the province placed a site.
func (b *Batch) PutPlacement(p *deskpb.Placement) error {
	return b.put(placementKey(desk.SiteID(p.GetSite())), p)
}

// TicketsOf visits the tickets that were opened at a site, the youngest numbers first, behind the one named last, empty for
// the first; until limit were visited or visit returns false. next is the number to go on behind, empty at the end.
func (r *Reader) TicketsOf(home desk.SiteID, last desk.TicketNumber, limit int, visit func(*deskpb.Record) (more bool, err error)) (next desk.TicketNumber, err error) {
	// Every number of the site begins with its id and a hyphen; the rest is behind the prefix of no whole text.
	prefix := append(family(familyTicket), string(home)+"-"...)
	over := under(prefix)
	over.descending = true
	if last != "" {
		over = over.behind(ticketKey(last))
	}
	err = r.scan(over.first(limit), func(key, value []byte) (bool, error) {
		record, err := decode[deskpb.Record](r, key, value)
		if err != nil {
			return false, err
		}
		limit--
		next = desk.TicketNumber(record.GetTicket().GetNumber())
		return visit(record)
	})
	if limit > 0 {
		next = ""
	}
	return next, err
}
