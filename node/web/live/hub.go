package live

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/tierdesk/tierdesk/desk"
)

const (
	// mostWatchers bounds the open pages of one node, mostOfOne those of one person among them.
	mostWatchers = 512
	mostOfOne    = 24
	// mostMoves bounds the moves that wait for one watcher. Of more than that the latest are told.
	mostMoves = 64
)

// Move is a step of a ticket in the tree of sites, as the wall draws it.
type Move struct {
	// Kind is OPENED, ESCALATED or RETURNED when the ticket leaves, ACCEPTED when it has arrived, REFUSED when it was not taken,
	// RESOLVED, REOPENED, CLOSED or CANCELED.
	Kind string `json:"kind"`
	// Number is empty for who may not see every ticket.
	Number string `json:"number,omitempty"`
	// From and To are sites, the same for what happens within one.
	From string `json:"from"`
	To   string `json:"to"`
	// Time is when it was decided, in milliseconds since 1970.
	Time int64 `json:"time"`
}

// News is what has changed at the site.
type News struct {
	// Everything may have changed; the rest says nothing then.
	Everything bool
	Tickets    []string
	Moves      []Move
	// Queues: counts or lists may have changed.
	Queues bool
	// Rights: what somebody may do or see may have changed, or who is signed in.
	Rights bool
	// Line: how the site stands, as the head of pages tells it.
	Line bool
	// Notified are people who were told something.
	Notified []string
	// Presence are tickets at which others look or write than before.
	Presence []string
}

// Interest is what a watcher wants to hear of.
type Interest struct {
	User    string
	Ticket  string // empty for none
	Queues  bool
	Moves   bool
	Numbers bool // of the tickets that move
	// Since is the moment of which the watcher knows how the line and the queues stood: what was told of them later is heard at once. The
	// zero moment is for who has missed nothing.
	Since time.Time
}

// Events are kinds of news that a watcher has not heard yet. Many of one kind are one.
type Events struct {
	Ticket   bool   `json:"ticket,omitempty"`
	Queues   bool   `json:"queues,omitempty"`
	Line     bool   `json:"line,omitempty"`
	Presence bool   `json:"presence,omitempty"`
	Notices  bool   `json:"notices,omitempty"`
	Moves    []Move `json:"moves,omitempty"`
	// Rights is for the stream, which looks whether the visitor may still listen.
	Rights bool `json:"-"`
}

// Hub tells watchers what has changed. Telling never waits for a watcher: what somebody slow has not heard is kept as one event of each
// kind. It starts no goroutine.
type Hub struct {
	count  atomic.Int32 // of watchers
	closed chan struct{}
	now    func() time.Time

	mu       sync.Mutex // guards the rest, and what waits for each watcher
	watchers map[*Watcher]struct{}
	ended    bool
	alone    time.Time // until then nobody watched, and who tells of tickets may have kept silent
	queues   time.Time // when that news of queues was told last
	line     time.Time // when that news of the line was told last
}

// NewHub makes a hub that nobody watches.
func NewHub(now func() time.Time) *Hub {
	return &Hub{closed: make(chan struct{}), now: now, watchers: map[*Watcher]struct{}{}}
}

// Watched tells whether anybody watches.
func (h *Hub) Watched() bool { return h.count.Load() > 0 }

// Close ends all watching for good.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.ended = true
		close(h.closed)
	}
}

// Closed is closed when the hub is.
func (h *Hub) Closed() <-chan struct{} { return h.closed }

// Watch adds a watcher, who is to leave. It is refused when too many watch.
func (h *Hub) Watch(i Interest) (*Watcher, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	own := 0
	for w := range h.watchers {
		if w.interest.User == i.User {
			own++
		}
	}
	switch {
	case h.ended:
		return nil, desk.Refuse(desk.Unavailable, "STOPPING", "the node is stopping; try again shortly")
	case len(h.watchers) >= mostWatchers:
		return nil, desk.Refuse(desk.Unavailable, "TOO_MANY_WATCHERS", "%d pages are open at this node; close some, or use another node", mostWatchers)
	case own >= mostOfOne:
		return nil, desk.Refuse(desk.Unavailable, "TOO_MANY_WATCHERS", "user %s has %d pages open at this node; close some", i.User, own)
	}
	w := &Watcher{hub: h, interest: i, wake: make(chan struct{}, 1)}
	if len(h.watchers) == 0 {
		h.alone = h.now()
	}
	if !i.Since.IsZero() {
		w.add(Events{Line: !h.line.Before(i.Since), Queues: i.Queues && (!h.queues.Before(i.Since) || !h.alone.Before(i.Since))})
	}
	h.watchers[w] = struct{}{}
	h.count.Store(int32(len(h.watchers)))
	return w, nil
}

// Tell passes news on to those whom they concern.
func (h *Hub) Tell(n News) {
	tickets, presence, notified := set(n.Tickets), set(n.Presence), set(n.Notified)
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	if n.Everything || n.Queues {
		h.queues = now
	}
	if n.Everything || n.Line {
		h.line = now
	}
	for w := range h.watchers {
		i := w.interest
		w.add(Events{
			Ticket:   i.Ticket != "" && (n.Everything || tickets[i.Ticket]),
			Queues:   i.Queues && (n.Everything || n.Queues),
			Line:     n.Everything || n.Line,
			Presence: i.Ticket != "" && (n.Everything || presence[i.Ticket]),
			Notices:  n.Everything || notified[i.User],
			Moves:    i.moves(n.Moves),
			Rights:   n.Everything || n.Rights,
		})
	}
}

func set(all []string) map[string]bool {
	if len(all) == 0 {
		return nil
	}
	found := make(map[string]bool, len(all))
	for _, one := range all {
		found[one] = true
	}
	return found
}

// moves are those that somebody is told of.
func (i Interest) moves(all []Move) []Move {
	switch {
	case !i.Moves:
		return nil
	case i.Numbers:
		return all
	}
	told := make([]Move, len(all))
	for at, move := range all {
		move.Number = ""
		told[at] = move
	}
	return told
}

// Watcher hears what concerns one open page. One goroutine uses it.
type Watcher struct {
	hub      *Hub
	interest Interest
	wake     chan struct{} // holds one while events wait
	waiting  Events        // guarded by hub.mu
}

// Wake delivers when there are events to take.
func (w *Watcher) Wake() <-chan struct{} { return w.wake }

// Take returns the events that wait, each once.
func (w *Watcher) Take() Events {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	events := w.waiting
	w.waiting = Events{}
	return events
}

// Hear has the watcher hear of something that nobody told.
func (w *Watcher) Hear(e Events) {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	w.add(e)
}

// Forget takes the ticket out of what is watched: the visitor does not see it any more.
func (w *Watcher) Forget() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	w.interest.Ticket = ""
	w.waiting.Ticket, w.waiting.Presence = false, false
}

// Leave ends the watching.
func (w *Watcher) Leave() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	delete(w.hub.watchers, w)
	w.hub.count.Store(int32(len(w.hub.watchers)))
}

// add notes events for the watcher; hub.mu is held.
func (w *Watcher) add(e Events) {
	if e.none() {
		return
	}
	waiting := &w.waiting
	waiting.Ticket = waiting.Ticket || e.Ticket
	waiting.Queues = waiting.Queues || e.Queues
	waiting.Line = waiting.Line || e.Line
	waiting.Presence = waiting.Presence || e.Presence
	waiting.Notices = waiting.Notices || e.Notices
	waiting.Rights = waiting.Rights || e.Rights
	waiting.Moves = append(waiting.Moves, e.Moves...)
	if surplus := len(waiting.Moves) - mostMoves; surplus > 0 {
		waiting.Moves = append([]Move(nil), waiting.Moves[surplus:]...)
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// none tells whether there is nothing to tell.
func (e Events) none() bool {
	return e.silent() && !e.Rights
}

// silent tells whether there is nothing that a browser would be told.
func (e Events) silent() bool {
	return !e.Ticket && !e.Queues && !e.Line && !e.Presence && !e.Notices && len(e.Moves) == 0
}
