package machine

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// The greatest edition of the built-in policy stays, whichever node proposes which.
func TestTheGreatestEditionOfThePolicyStays(t *testing.T) {
	l := founded(t)
	for _, step := range []struct {
		edition uint32
		reason  string
		stays   uint32
	}{{2, "", 2}, {1, "POLICY_KNOWN", 2}, {2, "POLICY_KNOWN", 2}, {3, "", 3}} {
		put := &deskpb.Command{Kind: &deskpb.Command_PutPolicy{PutPolicy: &deskpb.PutPolicy{Policy: &deskpb.Policy{Edition: step.edition}}}}
		if got := l.one(t, noon, put); got != step.reason {
			t.Errorf("edition %d: reason %q, want %q", step.edition, got, step.reason)
		}
		l.view(t, func(r *store.Reader) error {
			base, err := r.BasePolicy()
			if base.GetEdition() != step.stays {
				t.Errorf("after edition %d was proposed edition %d stays, want %d", step.edition, base.GetEdition(), step.stays)
			}
			return err
		})
	}
}
