package live

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

const (
	// presenceLife is how long somebody counts as present after the last sign.
	presenceLife = 30 * time.Second
	// mostPresent bounds those who are present at all tickets together, mostAtOne at one ticket.
	mostPresent = 10_000
	mostAtOne   = 50
)

// Doing is what somebody does at a ticket.
type Doing string

// What people do. Gone ends a presence at once.
const (
	Viewing Doing = "viewing"
	Writing Doing = "writing"
	Gone    Doing = "gone"
)

// Sign is a sign that somebody is at a ticket.
type Sign struct {
	Ticket string
	User   string
	Name   string // how the person is called
	Doing  Doing
}

// Registry knows who looks at which ticket, or writes on it, at any node of the site. It lives in memory only, and forgets whoever gives
// no sign for half a minute. It is safe for concurrent use.
type Registry struct {
	now func() time.Time

	mu      sync.Mutex // guards the rest
	tickets map[string][]present
	count   int // of all who are present
}

// present is somebody at a ticket.
type present struct {
	sign Sign
	at   time.Time
}

// NewRegistry makes a registry of nobody. The times that now tells count for how long people are present.
func NewRegistry(now func() time.Time) *Registry {
	return &Registry{now: now, tickets: map[string][]present{}}
}

// Note takes a sign, and tells whether others see something else by it. A sign beyond the bounds is lost.
func (r *Registry) Note(s Sign) (changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.tickets[s.Ticket]
	at := slices.IndexFunc(all, func(p present) bool { return p.sign.User == s.User })
	switch {
	case s.Doing != Viewing && s.Doing != Writing && s.Doing != Gone:
		return false
	case s.Doing == Gone && at < 0:
		return false
	case s.Doing == Gone:
		r.keep(s.Ticket, slices.Delete(all, at, at+1))
		return true
	case at >= 0:
		changed = all[at].sign != s
		all[at] = present{s, r.now()}
		return changed
	case r.count >= mostPresent || len(all) >= mostAtOne:
		return false
	}
	r.keep(s.Ticket, append(all, present{s, r.now()}))
	return true
}

// keep replaces those who are at a ticket; mu is held.
func (r *Registry) keep(ticket string, all []present) {
	r.count += len(all) - len(r.tickets[ticket])
	if len(all) == 0 {
		delete(r.tickets, ticket)
		return
	}
	r.tickets[ticket] = all
}

// Forget lets go of those who gave no sign lately, and returns the tickets that they were at.
func (r *Registry) Forget() (tickets []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	since := r.now().Add(-presenceLife)
	for ticket, all := range r.tickets {
		left := slices.DeleteFunc(slices.Clone(all), func(p present) bool { return p.at.Before(since) })
		if len(left) < len(all) {
			r.keep(ticket, left)
			tickets = append(tickets, ticket)
		}
	}
	return tickets
}

// At lists who else than a user is at a ticket: those who write first, then by name.
func (r *Registry) At(ticket, user string) []Sign {
	r.mu.Lock()
	defer r.mu.Unlock()
	since := r.now().Add(-presenceLife)
	var others []Sign
	for _, p := range r.tickets[ticket] {
		if p.sign.User != user && !p.at.Before(since) {
			others = append(others, p.sign)
		}
	}
	slices.SortFunc(others, func(a, b Sign) int {
		// "writing" sorts behind "viewing".
		return cmp.Or(-cmp.Compare(a.Doing, b.Doing), cmp.Compare(a.Name, b.Name), cmp.Compare(a.User, b.User))
	})
	return others
}
