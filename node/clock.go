package node

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// maxJump is how far the machine's clock may move against the time that has really gone by before it is doubted.
const maxJump = time.Hour

// siteClock is the time that this node stamps on commands while it leads. It follows the machine's clock, small
// corrections included. When that clock jumps by more than maxJump, forwards or back, it goes on by the monotonic clock
// instead, so that one wrong setting does not date tickets into another day for ever, until the parent's clock agrees
// with the new time or the operator confirms it by starting the node again.
type siteClock struct {
	wall    func() time.Time     // the machine's clock
	elapsed func() time.Duration // monotonic
	log     *slog.Logger

	mu     sync.Mutex               // guards all below
	at     time.Time                // the last time that was trusted
	since  time.Duration            // elapsed at that moment
	doubts bool                     // the machine's clock has jumped and nobody confirmed it yet
	parent func() (time.Time, bool) // the parent's time as just heard over the link; nil: nobody to ask
}

func newSiteClock(wall func() time.Time, elapsed func() time.Duration, log *slog.Logger) *siteClock {
	return &siteClock{wall: wall, elapsed: elapsed, log: log, at: wall().Round(0), since: elapsed()}
}

// trust has the clock ask the parent's time when it is in doubt.
func (c *siteClock) trust(parent func() (time.Time, bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parent = parent
}

// Now returns the site's time.
func (c *siteClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, elapsed := c.wall().Round(0), c.elapsed()
	expected := c.at.Add(elapsed - c.since)
	jump := wall.Sub(expected)
	if jump.Abs() <= maxJump || c.confirmed(wall) {
		if c.doubts {
			c.log.Info("the clock is trusted again", "time", wall)
		}
		c.at, c.since, c.doubts = wall, elapsed, false
		return wall
	}
	if !c.doubts {
		c.doubts = true
		c.log.Error("the machine's clock has jumped and is not followed", "by", jump, "machine", wall, "site", expected)
	}
	return expected
}

// confirmed tells whether the parent's clock agrees with the time. It needs mu held.
func (c *siteClock) confirmed(wall time.Time) bool {
	if c.parent == nil {
		return false
	}
	told, heard := c.parent()
	return heard && wall.Sub(told).Abs() <= maxJump
}

// Alarms says what an operator should do about a clock that jumped.
func (c *siteClock) Alarms() []string {
	now := c.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.doubts {
		return nil
	}
	return []string{fmt.Sprintf("the clock of this machine says %s, but by the time that has gone by it is %s; the site goes on by the latter: "+
		"set the clock right, or start the node again to confirm the new time",
		c.wall().Format(time.DateTime), now.Format(time.DateTime))}
}
