package machine

import (
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// putPolicy replaces the policy that the site began with by a greater edition. Nodes of different versions of the program
// may propose theirs at once; the greatest one stays.
func (t *turn) putPolicy(c *deskpb.PutPolicy) error {
	known, err := t.b.BasePolicy()
	if err != nil {
		return err
	}
	if c.Policy == nil {
		return desk.RefuseField("policy", "it is missing; give one")
	}
	if known != nil && known.GetEdition() >= c.Policy.GetEdition() {
		return desk.Refuse(desk.AlreadyExists, "POLICY_KNOWN", "site %s has edition %d of the built-in policy already, which is not older than edition %d",
			t.site, known.GetEdition(), c.Policy.GetEdition())
	}
	return t.b.PutBasePolicy(c.Policy)
}
