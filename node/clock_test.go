package node

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// hands are the clocks that a siteClock looks at.
type hands struct {
	wall    time.Time
	elapsed time.Duration
	parent  time.Time // zero: not heard
}

func (h *hands) pass(d time.Duration) { h.wall, h.elapsed = h.wall.Add(d), h.elapsed+d }

func (h *hands) clock() *siteClock {
	clock := newSiteClock(func() time.Time { return h.wall }, func() time.Duration { return h.elapsed }, slog.New(slog.DiscardHandler))
	clock.trust(func() (time.Time, bool) { return h.parent, !h.parent.IsZero() })
	return clock
}

func TestSiteClockDoubtsJumps(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for _, c := range []struct {
		name    string
		move    func(*hands)
		want    time.Time
		alarmed bool
	}{
		{"time goes by", func(h *hands) { h.pass(5 * time.Hour) }, noon.Add(5 * time.Hour), false},
		{"a correction of minutes", func(h *hands) { h.pass(time.Minute); h.wall = h.wall.Add(-20 * time.Minute) }, noon.Add(-19 * time.Minute), false},
		{"a day ahead", func(h *hands) { h.pass(time.Minute); h.wall = h.wall.Add(day) }, noon.Add(time.Minute), true},
		{"a day back", func(h *hands) { h.pass(time.Minute); h.wall = h.wall.Add(-day) }, noon.Add(time.Minute), true},
		{"a day ahead, and the parent agrees", func(h *hands) { h.wall = h.wall.Add(day); h.parent = h.wall.Add(-time.Minute) }, noon.Add(day), false},
		{"a day ahead, and the parent does not", func(h *hands) { h.wall = h.wall.Add(day); h.parent = noon }, noon, true},
	} {
		h := &hands{wall: noon}
		clock := h.clock()
		c.move(h)
		if got := clock.Now(); !got.Equal(c.want) {
			t.Errorf("%s: the site's time is %s, want %s", c.name, got, c.want)
		}
		if alarms := clock.Alarms(); (len(alarms) > 0) != c.alarmed {
			t.Errorf("%s: alarms %q", c.name, alarms)
		}
	}
}

func TestSiteClockTrustsAgain(t *testing.T) {
	h := &hands{wall: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	clock := h.clock()
	right := h.wall
	h.wall = h.wall.AddDate(0, 0, 1)
	clock.Now()
	if alarms := clock.Alarms(); len(alarms) != 1 || !strings.Contains(alarms[0], "start the node again") {
		t.Fatalf("alarms %q, want one that says what to do", alarms)
	}
	h.wall, h.elapsed = right.Add(time.Hour), time.Hour // somebody set it right
	if got := clock.Now(); !got.Equal(h.wall) || len(clock.Alarms()) != 0 {
		t.Errorf("the time is %s with alarms %q after the clock was set right", got, clock.Alarms())
	}
}
