package machine

import (
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// acknowledgeDenial ends the alarm about a site below that has denied a checkpoint. The checkpoint that denied is kept beside those that
// it denies, which later ones are not held against any more: else the site could never hand up another one.
func (t *turn) acknowledgeDenial(c *deskpb.AcknowledgeDenial) error {
	site := desk.SiteID(c.GetSite())
	if !site.Valid() {
		return desk.RefuseField("site", "%.64q cannot name a site", c.GetSite())
	}
	if strings.TrimSpace(c.GetReason()) == "" {
		return desk.RefuseField("reason", "is missing; say what was found")
	}
	denial, err := t.b.AuditDenial(site)
	switch {
	case err != nil:
		return err
	case denial == nil:
		return desk.Refuse(desk.NotFound, "NO_DENIAL", "%s has denied no checkpoint that this site keeps", site)
	case denial.GetSequence() != c.GetSequence():
		return desk.Refuse(desk.Aborted, "ANOTHER_DENIAL", "the checkpoint of %s that denies an earlier one is of entry %d, not of %d; look at that one",
			site, denial.GetSequence(), c.GetSequence())
	}
	kept, err := t.b.Checkpoints(site, store.MostCheckpoints)
	if err != nil {
		return err
	}
	for _, k := range kept {
		if err := t.b.MarkSuperseded(k); err != nil {
			return err
		}
	}
	if err := t.b.AddCheckpoint(&deskpb.PutCheckpoint{Checkpoint: denial}, t.at.Time); err != nil {
		return err
	}
	if err := t.b.PruneCheckpoints(site, store.MostCheckpoints); err != nil {
		return err
	}
	return t.b.DropAuditDenial(site)
}
