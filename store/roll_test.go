package store

import (
	"slices"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Views share the rows of the people that one of them has read, until a commit writes one of them; a view that began before that leaves
// nothing behind.
func TestViewsRememberThePeopleUntilTheirRowsChange(t *testing.T) {
	s := openTest(t)
	view := func(read func(*Reader) error) {
		t.Helper()
		if err := s.View(read); err != nil {
			t.Fatal(err)
		}
	}
	put := func(name string, groups ...string) {
		t.Helper()
		commit(t, s, func(b *Batch) error { return b.PutUser(&deskpb.User{Name: "li", DisplayName: name, Groups: groups}) })
	}
	see := func(r *Reader) *deskpb.User {
		t.Helper()
		user, err := r.Roll().User("li")
		if err != nil {
			t.Fatal(err)
		}
		return user
	}
	expect := func(step, name string, members ...desk.UserID) {
		t.Helper()
		view(func(r *Reader) error {
			got, err := r.Roll().MembersOf("net", 10)
			if user := see(r); user.GetDisplayName() != name || !slices.Equal(got, members) {
				t.Errorf("%s: li is called %q and the group has %v, want %q and %v", step, user.GetDisplayName(), got, name, members)
			}
			return err
		})
	}
	expect("before there is anybody", "")
	put("李工", "net")
	expect("after an account was made", "李工", "li")
	var first *deskpb.User
	view(func(r *Reader) error { first = see(r); return nil })
	commit(t, s, func(b *Batch) error { return b.PutSession(&deskpb.Session{TokenHash: []byte("x"), User: "li"}) })
	view(func(r *Reader) error {
		if see(r) != first {
			t.Error("an account was read again although nothing has changed but a session")
		}
		return nil
	})
	view(func(r *Reader) error {
		put("李明")
		if name := see(r).GetDisplayName(); name != "李工" {
			t.Errorf("a view that began before the change calls li %q, want 李工", name)
		}
		return nil
	})
	expect("after a view that began before the change", "李明")

	on := func() (said bool) {
		view(func(r *Reader) error {
			duty, err := r.Roll().Duty("li")
			said = duty.GetOn()
			return err
		})
		return said
	}
	if on() {
		t.Error("li is on duty before anything was said")
	}
	commit(t, s, func(b *Batch) error { return b.PutDuty(&deskpb.SetDuty{User: "li", On: true}) })
	if !on() {
		t.Error("li is not on duty after that was said")
	}
	commit(t, s, func(b *Batch) error { return b.DeleteDuty("li") })
	if on() {
		t.Error("li is on duty after that was taken back")
	}
}
