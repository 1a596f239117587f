package store

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestOldNoticesMakeRoom(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		for i := range maxNotices + 3 {
			if err := b.AddNotice(&deskpb.Notice{User: "li", Time: int64(i), Key: fmt.Sprint(i)}); err != nil {
				return err
			}
		}
		return b.AddNotice(&deskpb.Notice{User: "li", Time: maxNotices + 3, Key: "0"}) // the first one is forgotten
	})
	view(t, s, func(r *Reader) error {
		notices, err := r.Notices("li")
		if err != nil {
			return err
		}
		if first, last := notices[len(notices)-1].Key, notices[0].Key; len(notices) != maxNotices || first != "4" || last != "0" {
			t.Errorf("%d notices from %s to %s are kept, want %d from 4 to 0", len(notices), first, last, maxNotices)
		}
		return nil
	})
}

// Whatever is told, read and forgotten in whatever entries: each person has the notices of each key once, in the order in which
// they came, and nothing is left behind of those that went.
func TestNoticesAreWhatAPersonWasTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := mustOpen(t, options(vfs.NewMem()))
		defer mustClose(t, s)
		model := map[string][]*deskpb.Notice{}
		clock := int64(0)
		for range rapid.IntRange(1, 4).Draw(t, "entries") {
			commit(t, s, func(b *Batch) error {
				for range rapid.IntRange(1, 60).Draw(t, "commands") {
					if err := noticeStep(t, b, model, &clock); err != nil {
						return err
					}
				}
				return nil
			})
		}
		view(t, s, func(r *Reader) error { return checkNotices(t, r, model) })
	})
}

func noticeStep(t *rapid.T, b *Batch, model map[string][]*deskpb.Notice, clock *int64) error {
	user := rapid.SampledFrom([]string{"li", "li", "li", "l", "王"}).Draw(t, "user")
	switch rapid.IntRange(0, 20).Draw(t, "step") {
	case 0:
		model[user] = nil
		return b.DeleteNotices(desk.UserID(user))
	case 1:
		through := rapid.Int64Range(0, max(*clock, 0)).Draw(t, "through")
		for _, n := range model[user] {
			n.Read = n.Read || n.Time <= through
		}
		return b.MarkNotices(desk.UserID(user), through)
	}
	*clock += rapid.Int64Range(-1, 2).Draw(t, "later")
	n := &deskpb.Notice{User: user, Time: *clock, Key: fmt.Sprint(rapid.IntRange(0, 60).Draw(t, "key"))}
	if err := b.AddNotice(n); err != nil {
		return err
	}
	for _, known := range model[user] {
		if known.Key == n.Key {
			return nil
		}
	}
	kept := &deskpb.Notice{User: user, Time: n.Time, Key: n.Key}
	if had := model[user]; len(had) > 0 {
		kept.Time = max(kept.Time, had[len(had)-1].Time)
	}
	model[user] = append(model[user], kept)
	return nil
}

func checkNotices(t *rapid.T, r *Reader, model map[string][]*deskpb.Notice) error {
	for _, user := range []string{"li", "l", "王"} {
		got, err := r.Notices(desk.UserID(user))
		if err != nil {
			return err
		}
		want := model[user]
		if len(got) != len(want) {
			t.Fatalf("%s has %d notices, want %d", user, len(got), len(want))
		}
		for i, n := range got {
			w := want[len(want)-1-i]
			if n.Key != w.Key || n.Time != w.Time || n.Read != w.Read {
				t.Fatalf("notice %d of %s is %v, want %v", i, user, n, w)
			}
		}
		keys, err := list[deskpb.Notice](r, under(noticeKeysOf(desk.UserID(user)).Key()))
		if err != nil {
			return err
		}
		if len(keys) != len(want) {
			t.Fatalf("%d keys are kept of the %d notices of %s", len(keys), len(want), user)
		}
	}
	return nil
}

func TestLoadCountsOpenTicketsHeldHere(t *testing.T) {
	s := openTest(t)
	tickets := []struct {
		change func(*deskpb.Ticket)
		counts bool
	}{
		{func(k *deskpb.Ticket) { k.State = deskpb.Ticket_IN_PROGRESS }, true},
		{func(k *deskpb.Ticket) { k.State = deskpb.Ticket_ON_HOLD }, true},
		{func(k *deskpb.Ticket) { k.State = deskpb.Ticket_RESOLVED }, false},
		{func(k *deskpb.Ticket) { k.CustodianSite = "330100" }, false},
		{func(k *deskpb.Ticket) { k.Handover = &deskpb.Handover{State: deskpb.Handover_IN_TRANSIT} }, false},
		{func(k *deskpb.Ticket) { k.Assignee = "lin" }, false},
	}
	want := 0
	commit(t, s, func(b *Batch) error {
		for i, c := range tickets {
			err := b.PutTicket(ticket(fmt.Sprintf("C-%d", i), func(k *deskpb.Ticket) {
				k.Assignee = "li"
				c.change(k)
			}))
			if err != nil {
				return err
			}
			if c.counts {
				want++
			}
			if got, err := b.Load("li", 10); err != nil || got != want {
				t.Fatalf("in the batch, after ticket %d, li has %d tickets, %v; want %d", i, got, err, want)
			}
		}
		return nil
	})
	commit(t, s, func(b *Batch) error {
		return b.PutTicket(ticket("C-0", func(k *deskpb.Ticket) { k.Assignee, k.State = "li", deskpb.Ticket_CLOSED }))
	})
	view(t, s, func(r *Reader) error {
		got, err := r.Load("li", 10)
		if got != want-1 {
			t.Errorf("after one of them was closed li has %d tickets, want %d", got, want-1)
		}
		return err
	})
}

func TestTurnsAndDutiesAreKept(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		for _, err := range []error{
			b.PutTurn("网络组", "li"), b.PutTurn("网络组", "wang"),
			b.PutDuty(&deskpb.SetDuty{User: "li", On: true, Until: 5}), b.PutDuty(&deskpb.SetDuty{User: "wang"}), b.DeleteDuty("wang"),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	view(t, s, func(r *Reader) error {
		turn, err := r.Turn("网络组")
		if turn != "wang" || err != nil {
			t.Errorf("the last turn was that of %q, %v; want wang", turn, err)
		}
		if duty, err := r.Duty("li"); err != nil || !duty.GetOn() || duty.GetUntil() != 5 {
			t.Errorf("of li it was said %v, %v", duty, err)
		}
		duty, err := r.Duty("wang")
		if duty != nil {
			t.Errorf("of wang it is still said %v", duty)
		}
		return err
	})
}
