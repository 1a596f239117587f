package node

import (
	"slices"
	"sync"
	"time"
)

// storyClock is the clock of all machines of a tree. It stands still but for a microsecond each time that it is read, so that what
// follows from something has a later time, and goes on when it is told to. Those who wait for a time wake up only when they are to
// look, however little has passed for people.
type storyClock struct {
	mu      sync.Mutex // guards what follows
	began   time.Time
	at      time.Time
	pauses  time.Duration // of those who look, which are over
	waiting []waiter
}

type waiter struct {
	until time.Duration // by elapsed
	wake  chan time.Time
}

func newStoryClock(at time.Time) *storyClock { return &storyClock{began: at, at: at} }

func (c *storyClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time.Microsecond)
	return c.at
}

// elapsed is the monotonic time of the machines, which also counts the pauses.
func (c *storyClock) elapsed() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.since()
}

// since is elapsed while mu is held.
func (c *storyClock) since() time.Duration { return c.at.Sub(c.began) + c.pauses }

func (c *storyClock) after(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := waiter{until: c.since() + d, wake: make(chan time.Time, 1)}
	if d <= 0 {
		w.wake <- c.at
		return w.wake
	}
	c.waiting = append(c.waiting, w)
	return w.wake
}

// set moves the clock forwards to a time, never back.
func (c *storyClock) set(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if to.After(c.at) {
		c.at = to
	}
}

// look ends the pauses of all who wait.
func (c *storyClock) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pauses += roundPause
	c.waiting = slices.DeleteFunc(c.waiting, func(w waiter) bool {
		if w.until > c.since() {
			return false
		}
		w.wake <- c.at
		return true
	})
}
