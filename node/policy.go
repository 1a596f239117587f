package node

import (
	"context"
	"fmt"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// ensurePolicy gives the site a built-in policy, where it has none or an older one.
func (n *Node) ensurePolicy(ctx context.Context, builtIn *deskpb.Policy) error {
	var base *deskpb.Policy
	err := n.store.View(func(r *store.Reader) (err error) {
		base, err = r.BasePolicy()
		return err
	})
	if err != nil || base != nil && base.GetEdition() >= builtIn.GetEdition() {
		return err
	}
	_, err = n.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PutPolicy{PutPolicy: &deskpb.PutPolicy{Policy: builtIn}}})
	if err != nil {
		return fmt.Errorf("give the site edition %d of the built-in policy: %w", builtIn.GetEdition(), err)
	}
	n.log.Info("the site has a new built-in policy", "edition", builtIn.GetEdition())
	return nil
}
