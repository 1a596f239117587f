package people

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"github.com/tierdesk/tierdesk/desk"
)

// After so many wrong tries within the window, further ones are refused for a pause that doubles each time.
const (
	mostOfUserAndAddress = 5
	mostOfUser           = 20
	mostOfAddress        = 50

	wrongWindow   = 15 * time.Minute
	shortestPause = time.Minute
	longestPause  = 15 * time.Minute

	// maxTries bounds what is remembered; those that were tried longest ago are forgotten first.
	maxTries = 8192
)

// suspect is what tries to sign in are counted by: a user from an address, or with one of them empty the other alone.
type suspect struct{ user, address string }

// most is how many wrong tries a suspect has.
func (s suspect) most() int {
	switch {
	case s.address == "":
		return mostOfUser
	case s.user == "":
		return mostOfAddress
	}
	return mostOfUserAndAddress
}

// tries are those of one suspect.
type tries struct {
	suspect suspect
	since   time.Time // the window's beginning: the first wrong try, or the end of the last pause
	wrong   int       // in the window
	last    time.Time // of the latest wrong try
	open    int       // under way, their outcome unknown
	until   time.Time // the pause's end
	pause   time.Duration
}

// throttle slows guessing down, for users that exist and others alike. It is this node's alone.
type throttle struct {
	mu    sync.Mutex // guards all below
	tries map[suspect]*list.Element
	order *list.List // of *tries, the latest first
}

func newThrottle() *throttle {
	return &throttle{tries: make(map[suspect]*list.Element), order: list.New()}
}

// suspectsOf are those by which a try of a user from an address counts. The addresses of one IPv6 network are one.
func suspectsOf(user desk.UserID, address string) []suspect {
	name := string(user[:min(len(user), maxName)])
	suspects := []suspect{{user: name}}
	if ip, err := netip.ParseAddr(address); err == nil && ip.Is6() && !ip.Is4In6() {
		if network, err := ip.Prefix(64); err == nil {
			address = network.String()
		}
	}
	if address != "" {
		suspects = append(suspects, suspect{user: name, address: address}, suspect{address: address})
	}
	return suspects
}

// blocked returns how long the user has to wait before the next try from the address, 0 for not at all.
func (t *throttle) blocked(user desk.UserID, address string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waits(suspectsOf(user, address), now)
}

// waits is the longest pause of any suspect. Tries under way count as wrong ones, so that no more are tried at once than may be
// wrong; whoever has none left but for those waits a moment.
func (t *throttle) waits(suspects []suspect, now time.Time) (wait time.Duration) {
	for _, s := range suspects {
		found, ok := t.tries[s]
		if !ok {
			continue
		}
		e := found.Value.(*tries)
		e.settle(now)
		wait = max(wait, e.until.Sub(now))
		if e.open > 0 && e.wrong+e.open >= s.most() {
			wait = max(wait, time.Second)
		}
	}
	return wait
}

// settle forgets a window that is over.
func (e *tries) settle(now time.Time) {
	if now.Sub(e.since) >= wrongWindow {
		e.wrong, e.pause = 0, 0
	}
}

// begin counts a try whose outcome is to come, by end. It refuses as blocked does.
func (t *throttle) begin(user desk.UserID, address string, now time.Time) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	suspects := suspectsOf(user, address)
	if wait = t.waits(suspects, now); wait > 0 {
		return wait
	}
	for _, s := range suspects {
		t.of(s, now).open++
	}
	return 0
}

// outcome is what a try came to.
type outcome int

const (
	unknown outcome = iota // it broke off
	wrong
	right
	untold // nobody could say
)

// end says what a try came to. A right one makes up for the wrong ones from the same address. One that nobody could judge counts as a
// wrong one from its address, so that many of them tell no more than wrong ones do, but not against the user everywhere. It returns until when the user
// has to wait everywhere from now on, the zero time when that is not due to this try.
func (t *throttle) end(user desk.UserID, address string, o outcome, now time.Time) (locked time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range suspectsOf(user, address) {
		e := t.of(s, now)
		e.open = max(e.open-1, 0)
		switch {
		case o == wrong:
			if e.miss(now); s.address == "" && e.until.After(now) {
				locked = e.until
			}
		case o == untold && s.address != "":
			e.miss(now)
		case o == right && s.user != "" && s.address != "":
			e.wrong, e.pause = 0, 0
		}
	}
	return locked
}

// miss counts a wrong try.
func (e *tries) miss(now time.Time) {
	e.settle(now)
	if e.wrong == 0 {
		e.since = now
	}
	e.wrong++
	e.last = now
	if e.wrong >= e.suspect.most() {
		e.pause = min(max(2*e.pause, shortestPause), longestPause)
		e.until = now.Add(e.pause)
		e.since = e.until
	}
}

// of returns the tries of a suspect, now the latest, and forgets the oldest where there are too many.
func (t *throttle) of(s suspect, now time.Time) *tries {
	if found, ok := t.tries[s]; ok {
		t.order.MoveToFront(found)
		return found.Value.(*tries)
	}
	if t.order.Len() >= maxTries {
		oldest := t.order.Back()
		delete(t.tries, oldest.Value.(*tries).suspect)
		t.order.Remove(oldest)
	}
	e := &tries{suspect: s, since: now}
	t.tries[s] = t.order.PushFront(e)
	return e
}

// forgive forgets the wrong tries of a user up to a time, and tells whether there were any.
func (t *throttle) forgive(user desk.UserID, until time.Time) (forgiven bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s, found := range t.tries {
		if e := found.Value.(*tries); s.user == string(user) && e.wrong > 0 && !e.last.After(until) {
			*e = tries{suspect: s, since: e.since, open: e.open}
			forgiven = true
		}
	}
	return forgiven
}
