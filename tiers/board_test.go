package tiers

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A neighbour that is refused tries again every few seconds, perhaps for weeks: the log says it once, the alarm stays as
// long as it tries.
func TestRefusalIsLoggedOnceAndStaysAnAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		m := newMetrics(nil)
		b := newBoard(slog.New(slog.NewTextHandler(&log, nil)), m)
		for range 20 {
			b.alarm("330106", "it is another one")
			b.show("330106", Down, "it is another one")
			time.Sleep(defaultPace().refused)
			if got := b.alarmed(); len(got) != 1 {
				t.Fatalf("alarms %q between two attempts, want the one", got)
			}
		}
		if n := strings.Count(log.String(), "\n"); n != 2 {
			t.Errorf("%d lines, want one for the refusal and one for the link:\n%s", n, log.String())
		}
		time.Sleep(alarmLasts)
		if got := b.alarmed(); len(got) != 0 {
			t.Errorf("alarms %q although nobody tries any more", got)
		}
		b.alarm("330106", "it is another one")
		if n := strings.Count(log.String(), "link is refused"); n != 2 {
			t.Errorf("%d lines about refusals, want the new one too", n)
		}
	})
}

// The link with a parent that the site was moved to was not down before the move.
func TestALinkWithANewParentIsDownSinceTheMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(slog.New(slog.DiscardHandler), newMetrics(nil))
		b.show("330100", Down, "not connected yet")
		time.Sleep(time.Hour)
		b.turn("330100", "330200")
		moved := time.Now()
		time.Sleep(time.Minute)
		b.show("330200", Down, "nobody answers")
		if links := b.list(); len(links) != 1 || links[0].Peer != "330200" || !links[0].Since.Equal(moved) {
			t.Errorf("the links are %+v, want one with 330200, down since %s", links, moved)
		}
	})
}
