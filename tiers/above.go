package tiers

import (
	"sync"
	"time"
)

// above remembers what time the parent said it is.
type above struct {
	mu    sync.Mutex // guards both
	told  time.Time  // by the parent's clock
	heard time.Time  // by this machine's monotonic clock
}

func (a *above) set(told time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told, a.heard = told, time.Now()
}

// ParentTime returns the parent's time, and whether the parent has told it within the last seconds over a living link.
func (t *Tiers) ParentTime() (time.Time, bool) {
	t.above.mu.Lock()
	defer t.above.mu.Unlock()
	age := time.Since(t.above.heard)
	if t.above.heard.IsZero() || age > t.pace.silence {
		return time.Time{}, false
	}
	return t.above.told.Add(age), true
}
