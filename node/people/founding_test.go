package people

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// Before its founding a site knows nobody. Whoever tries then gave no wrong password, and may sign in as soon as there is a site.
func TestSigningInBeforeTheFoundingIsNoWrongPassword(t *testing.T) {
	o := open(t)
	first, err := o.NewUser(t.Context(), &deskpb.User{Name: "chief", Role: deskpb.User_ADMINISTRATOR}, password)
	if err != nil {
		t.Fatal(err)
	}
	empty, err := store.Open(store.Options{Dir: "empty", FS: vfs.NewMem(), Site: "330106", Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := empty.Close(); err != nil {
			t.Error(err)
		}
	})
	o.site.store, o.site.index = empty, 0
	signIn := func() error {
		_, err := o.SignIn(t.Context(), &apipb.CreateSessionRequest{User: "chief", Password: password}, "127.0.0.1", "")
		return err
	}
	for range 2 * mostOfUserAndAddress {
		mustRefuse(t, "sign in before the founding", signIn(), "NOT_FOUNDED")
	}
	b := empty.NewBatch()
	defer b.Discard()
	o.site.index = 1
	if err := errors.Join(b.PutSite(&deskpb.Site{Id: "330106"}), b.PutUser(first), b.Commit(1, 1)); err != nil {
		t.Fatal(err)
	}
	if err := signIn(); err != nil {
		t.Errorf("sign in after the founding: %v", err)
	}
}
