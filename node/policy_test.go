package node

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/store"
)

// edition is that of the built-in policy of a node's site, 0 for none.
func edition(t *testing.T, n *Node) (edition uint32) {
	t.Helper()
	err := n.store.View(func(r *store.Reader) error {
		base, err := r.BasePolicy()
		edition = base.GetEdition()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return edition
}

// A site begins with the built-in policy, and takes the one of a later version of the program, but not of an earlier one.
func TestASiteHasTheLatestBuiltInPolicy(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	if got := edition(t, n); got != policy.Edition {
		t.Errorf("the site begins with edition %d, want %d", got, policy.Edition)
	}
	for _, offered := range []uint32{policy.Edition + 1, policy.Edition} {
		later := policy.Default()
		later.Edition = offered
		if err := n.ensurePolicy(t.Context(), later); err != nil {
			t.Fatal(err)
		}
		if got := edition(t, n); got != policy.Edition+1 {
			t.Errorf("after edition %d was offered the site has edition %d, want %d", offered, got, policy.Edition+1)
		}
	}
}
