package node

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/peers"
	"github.com/tierdesk/tierdesk/node/web/live"
	"github.com/tierdesk/tierdesk/store"
)

const (
	// untold bounds the log entries of which pages were not told yet. After more than that they look at everything again.
	untold = 256
	// freshMove is how old a step of a ticket may be and still be drawn as something that happens now: what comes in after a cut of a
	// line is history.
	freshMove = 2 * time.Minute
	// forgetPause is how often those are forgotten who gave no sign of being at a ticket.
	forgetPause = 5 * time.Second
	// unspread bounds the signs that wait to be passed on; more than that are lost.
	unspread = 1024
	// spreadPause is the least time between two calls that pass signs on.
	spreadPause = 200 * time.Millisecond
)

// feed tells the pages that are open at this node what changes, whichever node was asked for the change: it hears what the log has applied
// here, what the nodes of the site say of who is where, and how the site stands.
type feed struct {
	hub     *live.Hub
	present *live.Registry
	now     func() time.Time   // the site's, by which events are dated
	changes chan store.Changes // of log entries, oldest first
	missed  atomic.Bool        // some found no room in changes
	signs   chan live.Sign     // to be passed on
}

func newFeed(now func() time.Time) *feed {
	return &feed{
		hub: live.NewHub(time.Now), present: live.NewRegistry(time.Now), now: now,
		changes: make(chan store.Changes, untold), signs: make(chan live.Sign, unspread),
	}
}

// Listens tells whether a page is open.
func (f *feed) Listens() bool { return f.hub.Watched() }

// Changed takes note of what a log entry has changed. It never waits.
func (f *feed) Changed(c store.Changes) {
	select {
	case f.changes <- c:
	default:
		f.missed.Store(true) // the pages are told after what is in the channel
	}
}

// run tells the pages until the context ends, and then ends their streams.
func (f *feed) run(ctx context.Context) {
	defer f.hub.Close()
	forget := time.NewTicker(forgetPause)
	defer forget.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-f.changes:
			f.hub.Tell(f.newsOf(c))
		case <-forget.C:
			if tickets := f.present.Forget(); len(tickets) > 0 {
				f.hub.Tell(live.News{Presence: tickets})
			}
		}
		if f.missed.Swap(false) {
			f.hub.Tell(live.News{Everything: true})
		}
	}
}

// newsOf is what pages have to know of what was written.
func (f *feed) newsOf(c store.Changes) live.News {
	news := live.News{Everything: c.Everything, Queues: len(c.Tickets) > 0 || c.Policy, Rights: c.Policy || c.People}
	for _, number := range c.Tickets {
		news.Tickets = append(news.Tickets, string(number))
	}
	for _, user := range c.Notified {
		news.Notified = append(news.Notified, string(user))
	}
	since := f.now().Add(-freshMove)
	for _, raw := range c.Events {
		event := &deskpb.Event{}
		if proto.Unmarshal(raw, event) != nil || time.UnixMicro(event.GetTime()).Before(since) {
			continue // one that this version cannot decode is told as a changed ticket
		}
		if move, moves := moveOf(event); moves {
			news.Moves = append(news.Moves, move)
		}
	}
	return news
}

// moveOf is an event as a step in the tree of sites; false for one that is none.
func moveOf(e *deskpb.Event) (live.Move, bool) {
	own := e.GetId().GetSite()
	move := live.Move{Kind: e.GetType().String(), Number: e.GetTicket(), From: own, To: own, Time: time.UnixMicro(e.GetTime()).UnixMilli()}
	switch e.GetType() {
	case deskpb.Event_OPENED, deskpb.Event_ESCALATED, deskpb.Event_RETURNED, deskpb.Event_RESOLVED, deskpb.Event_REOPENED,
		deskpb.Event_CLOSED, deskpb.Event_CANCELED:
	case deskpb.Event_CONFIRMED:
		move.Kind = deskpb.Event_CLOSED.String()
	case deskpb.Event_DISPATCHED:
		move.Kind = deskpb.Event_ESCALATED.String()
		if e.GetBody().GetHomeward() {
			move.Kind = deskpb.Event_RETURNED.String()
		}
		move.From, move.To = e.GetFrom(), e.GetTo()
	case deskpb.Event_ACCEPTED, deskpb.Event_REFUSED:
		move.From, move.To = e.GetFrom(), e.GetTo()
	default:
		return live.Move{}, false
	}
	return move, true
}

// spread has a sign of somebody at a ticket passed on to the other nodes. It never waits; in a crowd signs are lost.
func (f *feed) spread(s live.Sign) {
	select {
	case f.signs <- s:
	default:
	}
}

// heard takes signs that another node has passed on.
func (f *feed) heard(signs []peers.PresenceSign) {
	var changed []string
	for _, s := range signs {
		if f.present.Note(live.Sign{Ticket: s.Ticket, User: s.User, Name: s.Name, Doing: live.Doing(s.Doing)}) {
			changed = append(changed, s.Ticket)
		}
	}
	if len(changed) > 0 {
		f.hub.Tell(live.News{Presence: changed})
	}
}

// passOn passes signs on until the context ends, many in one call.
func (f *feed) passOn(ctx context.Context, n *Node) {
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-f.signs:
			batch := f.batch(first)
			askOthers(ctx, n, func(ctx context.Context, address string) (none struct{}, err error) {
				return none, n.peers.TellPresence(ctx, address, batch) // who is not there needs no sign
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(spreadPause):
		}
	}
}

// batch takes the signs that wait, the latest of each person at each ticket.
func (f *feed) batch(first live.Sign) []peers.PresenceSign {
	var batch []peers.PresenceSign
	for s := first; ; {
		sign := peers.PresenceSign{Ticket: s.Ticket, User: s.User, Name: s.Name, Doing: string(s.Doing)}
		batch = slices.DeleteFunc(batch, func(p peers.PresenceSign) bool { return p.Ticket == sign.Ticket && p.User == sign.User })
		if batch = append(batch, sign); len(batch) == peers.MaxSigns {
			return batch
		}
		select {
		case s = <-f.signs:
		default:
			return batch
		}
	}
}
