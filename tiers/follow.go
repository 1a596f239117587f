package tiers

import (
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// Decide has the rules decide a verb at this site and stores what they come to, with what follows from it on other
// tickets. A refusal stores nothing.
func Decide(b *store.Batch, c *deskpb.TicketCommand, at desk.Stamp) (*desk.Decision, error) {
	here, err := Here(b.Reader)
	if err != nil {
		return nil, err
	}
	v := newView(b, tree{r: b.Reader, path: here.Path})
	decision, err := desk.Decide(here, v, c, at)
	if err != nil || len(decision.Events) == 0 {
		return decision, err
	}
	if decision.Events[0].Type == deskpb.Event_OPENED {
		err = mayOpen(b.Reader, here.Site)
	} else {
		err = follow(b, here, v, decision, at)
	}
	if err != nil {
		return nil, err
	}
	return decision, Record(b, here, decision)
}

// follow adds to a decision on a known ticket what it demands of this site on other ones.
func follow(b *store.Batch, here desk.Here, v view, d *desk.Decision, at desk.Stamp) error {
	before, err := b.Ticket(desk.TicketNumber(d.Events[0].Ticket))
	if err != nil {
		return err
	}
	here.Sequence = d.LastSequence()
	followed, err := desk.Follow(here, v, before, d.Record, at)
	d.Beside = append(d.Beside, followed...)
	return err
}
