package store

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// A policy is put together anew exactly when something has changed that it is made of, also within one batch, and after a
// batch that came to nothing.
func TestAPolicyIsRememberedUntilItsRowsChange(t *testing.T) {
	s := openTest(t)
	built := 0
	edition := func(b *Batch) uint32 {
		t.Helper()
		p, err := b.Policy("330106", func() (*deskpb.Policy, error) {
			built++
			base, err := b.BasePolicy()
			return &deskpb.Policy{Edition: base.GetEdition()}, err
		})
		if err != nil {
			t.Fatal(err)
		}
		return p.GetEdition()
	}
	expect := func(step string, b *Batch, want uint32, builds int) {
		t.Helper()
		if got := edition(b); got != want || built != builds {
			t.Fatalf("%s: the policy has edition %d after it was put together %d times, want %d after %d", step, got, built, want, builds)
		}
	}
	commit(t, s, func(b *Batch) error {
		expect("at first", b, 0, 1)
		expect("again", b, 0, 1)
		if err := b.PutBasePolicy(&deskpb.Policy{Edition: 1}); err != nil {
			return err
		}
		expect("after a change in the same batch", b, 1, 2)
		return nil
	})
	commit(t, s, func(b *Batch) error {
		expect("in the next batch", b, 1, 2)
		return b.PutUser(&deskpb.User{Name: "li"})
	})
	dropped := s.NewBatch()
	if err := dropped.PutBasePolicy(&deskpb.Policy{Edition: 2}); err != nil {
		t.Fatal(err)
	}
	expect("in a batch that is dropped", dropped, 2, 3)
	dropped.Discard()
	for _, change := range []struct {
		name string
		put  func(*Batch) error
	}{
		{"publication", func(b *Batch) error {
			return b.PutPublication(&deskpb.Publication{Publisher: "330100", Kind: "policy", Name: "policy", Body: []byte("x")})
		}},
		{"site", func(b *Batch) error { return b.PutSiteInfo(&deskpb.SiteInfo{Id: "330100"}) }},
	} {
		before := built
		commit(t, s, func(b *Batch) error {
			expect("before a change of a "+change.name, b, 1, before)
			return change.put(b)
		})
		commit(t, s, func(b *Batch) error {
			expect("after a change of a "+change.name, b, 1, before+1)
			return nil
		})
	}
	commit(t, s, func(b *Batch) error {
		_, err := b.Policy("330199", func() (*deskpb.Policy, error) { built = 0; return &deskpb.Policy{}, nil })
		if built != 0 {
			t.Error("the policy for another path is the one for this path")
		}
		return err
	})
}

// Views share the policy that one of them put together, until a commit changes what it is made of; a view that began before that
// leaves nothing behind.
func TestViewsRememberAPolicyUntilItsRowsChange(t *testing.T) {
	s := openTest(t)
	built := 0
	edition := func(r *Reader, path string) uint32 {
		t.Helper()
		p, err := r.Policy(path, func() (*deskpb.Policy, error) {
			built++
			base, err := r.BasePolicy()
			return &deskpb.Policy{Edition: base.GetEdition()}, err
		})
		if err != nil {
			t.Fatal(err)
		}
		return p.GetEdition()
	}
	view := func(read func(*Reader)) {
		t.Helper()
		if err := s.View(func(r *Reader) error { read(r); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	put := func(edition uint32) {
		t.Helper()
		commit(t, s, func(b *Batch) error { return b.PutBasePolicy(&deskpb.Policy{Edition: edition}) })
	}
	expect := func(step string, want uint32, builds int) {
		t.Helper()
		view(func(r *Reader) {
			if got := edition(r, "330106"); got != want || built != builds {
				t.Errorf("%s: a view has edition %d after %d builds, want %d after %d", step, got, built, want, builds)
			}
		})
	}
	put(1)
	expect("at first", 1, 1)
	expect("again", 1, 1)
	commit(t, s, func(b *Batch) error { return b.PutUser(&deskpb.User{Name: "li"}) })
	expect("after a change of something else", 1, 1)
	put(2)
	expect("after a change", 2, 2)
	view(func(r *Reader) {
		put(3)
		if got := edition(r, "330106"); got != 2 {
			t.Errorf("a view that began before the change has edition %d, want 2", got)
		}
	})
	expect("after a view that began before the change", 3, built+1)
	view(func(r *Reader) {
		before := built
		if edition(r, "330199"); built != before+1 {
			t.Error("the policy for another path is the one for this path")
		}
	})
}
