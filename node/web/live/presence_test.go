package live

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newClock() *clock { return &clock{at: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)} }

func TestOthersAtATicket(t *testing.T) {
	c := newClock()
	r := NewRegistry(c.now)
	for _, s := range []Sign{{"1", "li", "李工", Viewing}, {"1", "wang", "王工", Writing}, {"1", "chen", "陈工", Viewing}, {"2", "zhao", "赵工", Viewing}} {
		if !r.Note(s) {
			t.Errorf("%v comes, and nobody sees it", s)
		}
	}
	if r.Note(Sign{"1", "li", "李工", Viewing}) {
		t.Error("who is there already is news")
	}
	if r.Note(Sign{"1", "li", "李工", "sleeping"}) {
		t.Error("a sign of no known kind is taken")
	}
	if got, want := r.At("1", "chen"), []Sign{{"1", "wang", "王工", Writing}, {"1", "li", "李工", Viewing}}; !slices.Equal(got, want) {
		t.Errorf("chen sees %v, want %v", got, want)
	}
	if !r.Note(Sign{"1", "wang", "王工", Gone}) || r.Note(Sign{"1", "wang", "王工", Gone}) {
		t.Error("who leaves is news once")
	}
	c.at = c.at.Add(presenceLife)
	r.Note(Sign{"1", "li", "李工", Viewing})
	c.at = c.at.Add(time.Second)
	if got, want := r.At("1", ""), []Sign{{"1", "li", "李工", Viewing}}; !slices.Equal(got, want) {
		t.Errorf("after half a minute %v are there, want %v", got, want)
	}
	forgotten := r.Forget()
	slices.Sort(forgotten)
	if !slices.Equal(forgotten, []string{"1", "2"}) || r.count != 1 || len(r.tickets) != 1 {
		t.Errorf("people are forgotten at %v, and %d are kept at %d tickets", forgotten, r.count, len(r.tickets))
	}
}

// Whatever signs come, the registry shows those of the last half minute of each person, the latest of each, and keeps count.
func TestPresenceIsTheLatestSignOfEach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		r := NewRegistry(c.now)
		type key struct{ ticket, user string }
		model := map[key]present{}
		for range rapid.IntRange(0, 60).Draw(t, "signs") {
			c.at = c.at.Add(time.Duration(rapid.IntRange(0, 12).Draw(t, "seconds")) * time.Second)
			if rapid.IntRange(0, 9).Draw(t, "forget") == 0 {
				r.Forget()
			}
			s := Sign{
				Ticket: rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "ticket"), User: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "user"),
				Doing: rapid.SampledFrom([]Doing{Viewing, Writing, Gone}).Draw(t, "doing"),
			}
			r.Note(s)
			if delete(model, key{s.Ticket, s.User}); s.Doing != Gone {
				model[key{s.Ticket, s.User}] = present{s, c.at}
			}
		}
		kept := 0
		for _, ticket := range []string{"1", "2", "3"} {
			var want []string
			for k, p := range model {
				if k.ticket == ticket && !p.at.Before(c.at.Add(-presenceLife)) {
					want = append(want, fmt.Sprint(p.sign))
				}
			}
			var got []string
			for _, s := range r.At(ticket, "") {
				got = append(got, fmt.Sprint(s))
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("at ticket %s are %v, want %v", ticket, got, want)
			}
			kept += len(r.tickets[ticket])
		}
		if r.count != kept {
			t.Fatalf("the registry counts %d and keeps %d", r.count, kept)
		}
	})
}

func TestPresenceIsBounded(t *testing.T) {
	r := NewRegistry(newClock().now)
	for i := range mostAtOne {
		r.Note(Sign{"1", fmt.Sprint(i), "", Viewing})
	}
	if r.Note(Sign{"1", "one more", "", Viewing}) {
		t.Error("any number of people are at one ticket")
	}
	for i := mostAtOne; i < mostPresent; i++ {
		if !r.Note(Sign{fmt.Sprint(i), "li", "", Viewing}) {
			t.Fatalf("the sign of person %d is lost", i)
		}
	}
	if r.Note(Sign{"the last", "li", "", Viewing}) {
		t.Error("any number of people are present")
	}
	r.Note(Sign{"1", "0", "", Gone})
	if !r.Note(Sign{"the last", "li", "", Viewing}) {
		t.Error("somebody left, and there is no room")
	}
}
