package machine

import (
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/tiers"
)

// awaken refuses every command but the one that gives a restored site another incarnation: after the backup was made,
// the old incarnation may have gone on and given out the very ids and numbers that would come next here.
func awaken(site *deskpb.Site, command *deskpb.Command) error {
	if _, awakes := command.Kind.(*deskpb.Command_Reincarnate); !site.Restored || awakes {
		return nil
	}
	return desk.Refuse(desk.Unavailable, "RESTORED",
		"site %s was restored and is taking another incarnation; try again in a moment", site.Id)
}

// reincarnate begins another life of the site, which a restored state waits for.
func (t *turn) reincarnate(c *deskpb.Reincarnate) error {
	if err := tiers.Reincarnate(t.b, c, t.at); err != nil {
		return err
	}
	site, err := t.b.Site()
	if err != nil || !site.Restored || site.Incarnation != c.Incarnation {
		return err
	}
	site.Restored = false
	return t.b.PutSite(site)
}
