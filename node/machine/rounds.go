package machine

import (
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/tiers"
)

// openRound opens the ticket of an inspection round that is due.
func (t *turn) openRound(c *deskpb.OpenRound) error {
	decision, err := tiers.OpenRound(t.b, c, t.at)
	if err != nil {
		return err
	}
	if decision != nil && len(decision.Events) > 0 {
		t.note(decision.Record)
	}
	return nil
}
