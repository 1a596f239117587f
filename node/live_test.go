package node

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/peers"
	"github.com/tierdesk/tierdesk/node/web/live"
	"github.com/tierdesk/tierdesk/store"
)

func feedAt(now time.Time) *feed { return newFeed(func() time.Time { return now }) }

func TestMovesAreStepsInTheTree(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	event := func(kind deskpb.Event_Type, from, to string, homeward bool, age time.Duration) []byte {
		raw, err := proto.Marshal(&deskpb.Event{
			Ticket: "330106-20261122-0001", Id: &deskpb.EventID{Site: "330106"}, Type: kind, From: from, To: to, Time: now.Add(-age).UnixMicro(),
			Body: &deskpb.Body{Homeward: homeward},
		})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for _, test := range []struct {
		name string
		raw  []byte
		want string // kind, from and to; empty for no move
	}{
		{"opened", event(deskpb.Event_OPENED, "", "", false, 0), "OPENED 330106 330106"},
		{"on its way up", event(deskpb.Event_DISPATCHED, "330106", "330100", false, 0), "ESCALATED 330106 330100"},
		{"on its way home", event(deskpb.Event_DISPATCHED, "330100", "330106", true, 0), "RETURNED 330100 330106"},
		{"arrived", event(deskpb.Event_ACCEPTED, "330106", "330100", false, 0), "ACCEPTED 330106 330100"},
		{"not taken", event(deskpb.Event_REFUSED, "330106", "330100", false, 0), "REFUSED 330106 330100"},
		{"to the next line of the site", event(deskpb.Event_ESCALATED, "", "", false, 0), "ESCALATED 330106 330106"},
		{"closed by the requester", event(deskpb.Event_CONFIRMED, "", "", false, 0), "CLOSED 330106 330106"},
		{"a note", event(deskpb.Event_NOTED, "", "", false, 0), ""},
		{"one of long ago", event(deskpb.Event_DISPATCHED, "330106", "330100", false, time.Hour), ""},
		{"one that cannot be decoded", []byte{0xff}, ""},
	} {
		news := feedAt(now).newsOf(store.Changes{Events: [][]byte{test.raw}})
		got := ""
		for _, move := range news.Moves {
			got = fmt.Sprint(move.Kind, " ", move.From, " ", move.To)
			if move.Number != "330106-20261122-0001" || move.Time != now.UnixMilli() {
				t.Errorf("%s: the move is %+v", test.name, move)
			}
		}
		if got != test.want {
			t.Errorf("%s moves %q, want %q", test.name, got, test.want)
		}
	}
}

func TestNewsSayWhatChanged(t *testing.T) {
	f := feedAt(time.Now())
	news := f.newsOf(store.Changes{Tickets: []desk.TicketNumber{"1"}, Notified: []desk.UserID{"li"}})
	if !slices.Equal(news.Tickets, []string{"1"}) || !slices.Equal(news.Notified, []string{"li"}) || !news.Queues || news.Rights || news.Line {
		t.Errorf("of a ticket and a notice is told %+v", news)
	}
	if news := f.newsOf(store.Changes{People: true}); !news.Rights || news.Queues {
		t.Errorf("of an account is told %+v", news)
	}
}

// The log never waits for pages: what finds no room is told as everything.
func TestTheLogDoesNotWaitForPages(t *testing.T) {
	f := feedAt(time.Now())
	watcher, err := f.hub.Watch(live.Interest{Ticket: "the last"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 * untold { // nobody runs the feed yet
		f.Changed(store.Changes{Tickets: []desk.TicketNumber{"another"}})
	}
	f.Changed(store.Changes{Tickets: []desk.TicketNumber{"the last"}})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.run(t.Context())
	}()
	heard := live.Events{}
	eventually(t, "the watcher hears of its ticket", func() string {
		if e := watcher.Take(); e.Ticket {
			heard = e
		}
		if !heard.Ticket {
			return "nothing came"
		}
		return ""
	})
	watcher.Leave()
	t.Cleanup(func() { <-ended }) // the context of the test ends before its cleanup
}

// What found no room is told also when nothing more is written behind it.
func TestWhatWasMissedIsToldInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := feedAt(time.Now())
		watcher, err := f.hub.Watch(live.Interest{Ticket: "1"})
		if err != nil {
			t.Fatal(err)
		}
		defer watcher.Leave()
		var running sync.WaitGroup
		defer running.Wait()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		running.Go(func() { f.run(ctx) })
		synctest.Wait() // the channel is empty
		f.missed.Store(true)
		time.Sleep(forgetPause)
		synctest.Wait()
		if e := watcher.Take(); !e.Ticket {
			t.Error("the watcher never hears of what was missed")
		}
	})
}

// In a crowd signs are lost, and nobody waits; each person is passed on once.
func TestSignsArePassedOnTogether(t *testing.T) {
	f := feedAt(time.Now())
	for i := range 2 * unspread {
		f.spread(live.Sign{Ticket: "1", User: fmt.Sprint("user ", i%3), Doing: live.Viewing})
	}
	f.spread(live.Sign{Ticket: "1", User: "too late", Doing: live.Viewing})
	batch := f.batch(live.Sign{Ticket: "1", User: "user 0", Doing: live.Writing})
	if len(batch) != 3 || len(f.signs) != 0 {
		t.Fatalf("%d signs are passed on and %d wait, want one of each of three persons", len(batch), len(f.signs))
	}
	for _, sign := range batch {
		if sign.Doing != "viewing" {
			t.Errorf("%s is passed on as %s, want the latest", sign.User, sign.Doing)
		}
	}
	for i := range peers.MaxSigns + 5 {
		f.spread(live.Sign{Ticket: "2", User: fmt.Sprint("user ", i), Doing: live.Viewing})
	}
	if batch := f.batch(live.Sign{Ticket: "2", User: "first", Doing: live.Viewing}); len(batch) != peers.MaxSigns {
		t.Errorf("%d signs go in one call, want %d", len(batch), peers.MaxSigns)
	}
}

func TestSignsOfOtherNodesAreSeen(t *testing.T) {
	f := feedAt(time.Now())
	watcher, err := f.hub.Watch(live.Interest{Ticket: "1", User: "wang"})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Leave()
	f.heard([]peers.PresenceSign{{Ticket: "1", User: "li", Name: "李工", Doing: "writing"}, {Ticket: "1", User: "x", Doing: "hacking"}})
	if e := watcher.Take(); !e.Presence {
		t.Error("the watcher does not hear that somebody came")
	}
	if at := f.present.At("1", "wang"); len(at) != 1 || at[0].Name != "李工" {
		t.Errorf("at the ticket are %v, want 李工 alone", at)
	}
	f.heard([]peers.PresenceSign{{Ticket: "1", User: "li", Name: "李工", Doing: "writing"}})
	if e := watcher.Take(); e.Presence {
		t.Error("a sign that changes nothing is news")
	}
}

func TestTheHeadOfAPageShowsNotEveryDetail(t *testing.T) {
	site := func(change func(*apipb.GetSiteResponse)) *apipb.GetSiteResponse {
		s := &apipb.GetSiteResponse{Leader: "n1", Links: []*apipb.LinkStatus{
			{Peer: "330100", State: apipb.LinkStatus_UP, Since: timestamppb.New(time.Unix(1, 0)), Pending: 1}}}
		change(s)
		return s
	}
	same := site(func(*apipb.GetSiteResponse) {})
	for _, test := range []struct {
		name   string
		change func(*apipb.GetSiteResponse)
		shown  bool
	}{
		{"another leader", func(s *apipb.GetSiteResponse) { s.Leader = "n2" }, false},
		{"no leader", func(s *apipb.GetSiteResponse) { s.Leader = "" }, true},
		{"an entry more", func(s *apipb.GetSiteResponse) { s.AppliedIndex++ }, false},
		{"bytes on a link", func(s *apipb.GetSiteResponse) { s.Links[0].SentBytes++ }, false},
		{"a link that went down", func(s *apipb.GetSiteResponse) { s.Links[0].State = apipb.LinkStatus_DOWN }, true},
		{"a ticket that waits", func(s *apipb.GetSiteResponse) { s.Links[0].Queued = 1 }, true},
		{"a major incident", func(s *apipb.GetSiteResponse) { s.MajorIncidents = []*apipb.MajorIncident{{Number: "1"}} }, true},
		{"a frozen site", func(s *apipb.GetSiteResponse) { s.Frozen = "copied" }, true},
	} {
		if shown := !proto.Equal(headOf(same), headOf(site(test.change))); shown != test.shown {
			t.Errorf("%s: pages are told %v, want %v", test.name, shown, test.shown)
		}
	}
}
