package node

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tierdesk/tierdesk/authority"
)

// A node that asks again and again does not fill the ledger; the others get theirs meanwhile.
func TestANodeGetsACertificateOnceInAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t)
		s := &signing{authority: ca.Authority}
		for _, node := range []string{"n1", "n2"} {
			if _, err := ca.Issue(authority.Node{Site: "330106", Node: node, Lifetime: authority.DefaultLifetime}); err != nil {
				t.Fatal(err)
			}
		}
		ask := func(node string) error {
			t.Helper()
			request, _, err := authority.Request("330106", node)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.sign(request, "330106", node)
			return err
		}
		if err := ask("n1"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(signPause - time.Second)
		if err := ask("n1"); err == nil || errors.Is(err, authority.ErrNotIssued) || !strings.Contains(err.Error(), "n1 of site 330106 got") {
			t.Errorf("a second one before the pause is over: %v, want an error that is no decision", err)
		}
		if err := ask("n2"); err != nil {
			t.Errorf("another node meanwhile: %v", err)
		}
		if err := ask("n3"); !errors.Is(err, authority.ErrNotIssued) {
			t.Errorf("a node that was never issued one: %v, want %v", err, authority.ErrNotIssued)
		}
		time.Sleep(time.Second)
		if err := ask("n1"); err != nil {
			t.Errorf("after the pause: %v", err)
		}
		entries, err := ca.List()
		if err != nil || len(entries) != 5 {
			t.Errorf("the ledger has %d certificates, %v; want the two first ones and three renewed", len(entries), err)
		}
	})
}
