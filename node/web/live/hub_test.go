package live

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tierdesk/tierdesk/desk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func watch(t *testing.T, h *Hub, i Interest) *Watcher {
	t.Helper()
	w, err := h.Watch(i)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// hears returns what waits for a watcher, which must be woken exactly when there is something.
func hears(t *testing.T, w *Watcher) Events {
	t.Helper()
	woken := false
	select {
	case <-w.Wake():
		woken = true
	default:
	}
	events := w.Take()
	if woken == events.none() {
		t.Errorf("a watcher is woken: %v, and there waits %+v", woken, events)
	}
	return events
}

func TestAWatcherHearsWhatConcernsIt(t *testing.T) {
	h := NewHub(time.Now)
	moves := []Move{{Kind: "ESCALATED", Number: "1", From: "330106", To: "330100"}}
	for _, test := range []struct {
		name string
		of   Interest
		news News
		want Events
	}{
		{"its ticket", Interest{Ticket: "1"}, News{Tickets: []string{"0", "1"}}, Events{Ticket: true}},
		{"another ticket", Interest{Ticket: "1"}, News{Tickets: []string{"2"}}, Events{}},
		{"no ticket at all", Interest{}, News{Tickets: []string{""}}, Events{}},
		{"queues", Interest{Queues: true}, News{Queues: true}, Events{Queues: true}},
		{"queues that it does not ask for", Interest{}, News{Queues: true}, Events{}},
		{"the line", Interest{}, News{Line: true}, Events{Line: true}},
		{"its person's notices", Interest{User: "li"}, News{Notified: []string{"li"}}, Events{Notices: true}},
		{"somebody else's notices", Interest{User: "li"}, News{Notified: []string{"wang"}}, Events{}},
		{"who is at its ticket", Interest{Ticket: "1"}, News{Presence: []string{"1"}}, Events{Presence: true}},
		{"who is at another ticket", Interest{Ticket: "1"}, News{Presence: []string{"2"}}, Events{}},
		{"moves with their numbers", Interest{Moves: true, Numbers: true}, News{Moves: moves}, Events{Moves: moves}},
		{"moves whose numbers are not for it", Interest{Moves: true}, News{Moves: moves}, Events{Moves: []Move{{Kind: "ESCALATED", From: "330106", To: "330100"}}}},
		{"moves that it does not ask for", Interest{Numbers: true}, News{Moves: moves}, Events{}},
		{"everything", Interest{Ticket: "1", Queues: true, Moves: true}, News{Everything: true},
			Events{Ticket: true, Queues: true, Line: true, Presence: true, Notices: true, Rights: true}},
		{"rights", Interest{}, News{Rights: true}, Events{Rights: true}},
	} {
		w := watch(t, h, test.of)
		h.Tell(test.news)
		got := hears(t, w)
		if !slices.Equal(got.Moves, test.want.Moves) {
			t.Errorf("%s: moves %v, want %v", test.name, got.Moves, test.want.Moves)
		}
		got.Moves, test.want.Moves = nil, nil
		if fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: hears %+v, want %+v", test.name, got, test.want)
		}
		if again := hears(t, w); !again.none() {
			t.Errorf("%s: hears %+v once more", test.name, again)
		}
		w.Leave()
	}
	if h.Watched() {
		t.Error("everybody has left, and somebody watches")
	}
	if moves[0].Number != "1" {
		t.Error("the news were changed for one of the watchers")
	}
}

// Who does not listen keeps nobody waiting, and what waits for it does not grow.
func TestASlowWatcherHearsTheLatest(t *testing.T) {
	h := NewHub(time.Now)
	w := watch(t, h, Interest{Moves: true, Numbers: true, Queues: true})
	for i := range 10 * mostMoves {
		h.Tell(News{Queues: true, Moves: []Move{{Number: fmt.Sprint(i)}}})
	}
	events := hears(t, w)
	if len(events.Moves) != mostMoves || events.Moves[mostMoves-1].Number != fmt.Sprint(10*mostMoves-1) || !events.Queues {
		t.Errorf("%d moves wait, the last %v", len(events.Moves), events.Moves[len(events.Moves)-1])
	}
}

// A page comes slowly: what happens between the moment it was made and the moment it listens is told to it.
func TestWhoComesLateHearsWhatWasTold(t *testing.T) {
	now := time.Unix(1e9, 0)
	h := NewHub(func() time.Time { return now })
	second := func(n int) time.Time { return time.Unix(1e9+int64(n), 0) }
	h.Tell(News{Line: true}) // although nobody watches
	now = second(1)
	if e := hears(t, watch(t, h, Interest{Queues: true, Since: second(0)})); !e.Line || !e.Queues {
		t.Errorf("the first watcher, of whom nobody knew when tickets changed, hears %+v", e)
	}
	now = second(2)
	h.Tell(News{Queues: true})
	now = second(5)
	for _, test := range []struct {
		name  string
		of    Interest
		wants Events
	}{
		{"a page of before both", Interest{Queues: true, Since: second(0)}, Events{Line: true, Queues: true}},
		{"a page of after the line", Interest{Queues: true, Since: second(1).Add(time.Nanosecond)}, Events{Queues: true}},
		{"a page that has no queues", Interest{Since: second(1).Add(time.Nanosecond)}, Events{}},
		{"a page of after both", Interest{Queues: true, Since: second(3)}, Events{}},
		{"one that has missed nothing", Interest{Queues: true}, Events{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if e := hears(t, watch(t, h, test.of)); !reflect.DeepEqual(e, test.wants) {
				t.Errorf("it hears %+v, want %+v", e, test.wants)
			}
		})
	}
}

func TestAForgottenTicketIsNotHeardOf(t *testing.T) {
	h := NewHub(time.Now)
	w := watch(t, h, Interest{Ticket: "1", Queues: true})
	h.Tell(News{Tickets: []string{"1"}, Presence: []string{"1"}, Queues: true})
	w.Forget()
	h.Tell(News{Everything: true})
	if e := w.Take(); e.Ticket || e.Presence || !e.Queues {
		t.Errorf("who may not see the ticket any more hears %+v", e)
	}
}

func TestWatchersAreBounded(t *testing.T) {
	h := NewHub(time.Now)
	for range mostOfOne {
		watch(t, h, Interest{User: "li"})
	}
	refused := func(user string) bool {
		_, err := h.Watch(Interest{User: user})
		refusal := new(desk.Refusal)
		return errors.As(err, &refusal) && refusal.Code == desk.Unavailable
	}
	if !refused("li") {
		t.Error("one person may keep any number of pages open")
	}
	for i := mostOfOne; i < mostWatchers; i++ {
		watch(t, h, Interest{User: fmt.Sprint("user ", i)})
	}
	if !refused("wang") {
		t.Error("any number of pages may be open")
	}
	for w := range h.watchers {
		w.Leave()
		break
	}
	w := watch(t, h, Interest{User: "wang"})
	w.Leave()
	h.Close()
	h.Close()
	select {
	case <-h.Closed():
	default:
		t.Error("a closed hub does not say so")
	}
	if !refused("zhao") {
		t.Error("a closed hub takes watchers")
	}
}
