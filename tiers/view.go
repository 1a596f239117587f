package tiers

import (
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// view is what the rules of the desk read at this site.
type view struct {
	records
	tree tree
}

// records is what the rules read of tickets: in a batch, with what it has written already, or in the state.
type records interface {
	Ticket(number desk.TicketNumber) (*deskpb.Record, error)
	LastSequence(day string) (uint32, error)
	Request(principal desk.UserID, method, id string) (*deskpb.RequestMark, error)
	// Policy returns what build makes, or made, as long as nothing has changed that it reads.
	Policy(path string, build func() (*deskpb.Policy, error)) (*deskpb.Policy, error)
}

func newView(from records, t tree) view { return view{records: from, tree: t} }

// Settled tells whether every neighbour on the ticket's path was compared to the end since this site took its incarnation:
// the parent, and the child on the way home. A ticket that was opened here in this life needs nobody.
func (v view) Settled(record *deskpb.Record) (bool, error) {
	t := v.tree
	site, err := t.r.Site()
	if err != nil {
		return false, fmt.Errorf("read the site: %w", err)
	}
	number, err := desk.ParseNumber(desk.TicketNumber(record.GetTicket().GetNumber()))
	if err != nil {
		return false, err
	}
	if number.Site == t.self() && number.Letters == site.GetLetters() {
		return true, nil
	}
	if above, err := t.settledAbove(); err != nil || !above {
		return false, err
	}
	where, child, err := t.locate(number.Site)
	switch {
	case err != nil:
		return false, err
	case where == below:
		return t.settledWith(child)
	}
	return where != unknown, nil
}

// Path returns a ticket's home and its ancestors by the directory, nil when the directory does not know the home.
func (v view) Path(home desk.SiteID) ([]desk.SiteID, error) { return v.tree.pathOf(home) }
