package api

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

// maxAllowed bounds the keys that an allowance remembers; of more, the one whose window began first is forgotten.
const maxAllowed = 8192

// allowance lets things happen so many times within a window, for each key by itself. It is this node's alone.
type allowance struct {
	most   int
	window time.Duration

	mu    sync.Mutex // guards the two below
	spent map[string]*list.Element
	order *list.List // of *spending, by the beginning of their windows
}

// spending is what one key has used up of its window.
type spending struct {
	key   string
	since time.Time
	times int
}

func newAllowance(most int, window time.Duration) *allowance {
	return &allowance{most: most, window: window, spent: make(map[string]*list.Element), order: list.New()}
}

// take uses one time up. When there is none left it uses up nothing and returns how long to wait.
func (a *allowance) take(key string, now time.Time) (wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	found, ok := a.spent[key]
	if ok && now.Sub(found.Value.(*spending).since) >= a.window {
		a.forget(found)
		ok = false
	}
	if !ok {
		if a.order.Len() >= maxAllowed {
			a.forget(a.order.Front())
		}
		found = a.order.PushBack(&spending{key: key, since: now})
		a.spent[key] = found
	}
	s := found.Value.(*spending)
	if s.times >= a.most {
		return s.since.Add(a.window).Sub(now)
	}
	s.times++
	return 0
}

// giveBack undoes a take that came to nothing bad.
func (a *allowance) giveBack(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if found, ok := a.spent[key]; ok {
		s := found.Value.(*spending)
		s.times = max(s.times-1, 0)
	}
}

// forget drops a key; the lock is held.
func (a *allowance) forget(e *list.Element) {
	delete(a.spent, e.Value.(*spending).key)
	a.order.Remove(e)
}

// share is a part that one caller has in an allowance.
type share struct {
	of  *allowance
	key string
}

// takeAll uses one time of every share up, or none and returns the longest wait.
func takeAll(shares []share, now time.Time) (wait time.Duration) {
	for i, s := range shares {
		if wait = s.of.take(s.key, now); wait > 0 {
			giveBackAll(shares[:i])
			return wait
		}
	}
	return 0
}

func giveBackAll(shares []share) {
	for _, s := range shares {
		s.of.giveBack(s.key)
	}
}

// networkOf is what calls from an address are counted by: the addresses of one IPv6 network are one.
func networkOf(address string) string {
	if ip, err := netip.ParseAddr(address); err == nil && ip.Is6() && !ip.Is4In6() {
		if network, err := ip.Prefix(64); err == nil {
			return network.String()
		}
	}
	return address
}
