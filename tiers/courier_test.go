package tiers

import (
	"fmt"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk"
)

func TestMeterOpensTheWindowByWhatLanded(t *testing.T) {
	m := &meter{span: 200 * time.Millisecond, bounds: [2]int{8, 1024}}
	numbers := func(n int) []desk.TicketNumber {
		var out []desk.TicketNumber
		for i := range n {
			out = append(out, desk.TicketNumber(fmt.Sprint(i)))
		}
		return out
	}
	begin := time.Unix(0, 0)
	for _, step := range []struct {
		at      time.Duration
		transit int
		window  int
	}{
		{0, 8, 8},
		{20 * time.Millisecond, 0, 8},
		{30 * time.Millisecond, 8, 8},
		{40 * time.Millisecond, 0, 16},
		{50 * time.Millisecond, 2000, 16},
		{60 * time.Millisecond, 0, 1024},
		{500 * time.Millisecond, 0, 8},
	} {
		m.look(begin.Add(step.at), numbers(step.transit))
		if got := m.window(); got != step.window {
			t.Errorf("at %s with %d in transit the window is %d, want %d", step.at, step.transit, got, step.window)
		}
	}
}

func TestFlightCountsWhatIsNotAcknowledged(t *testing.T) {
	var f flight
	f.add(sentFrame{last: 2, items: 2, bytes: 20})
	f.add(sentFrame{last: 5, items: 3, bytes: 30})
	for _, step := range []struct {
		acked        uint64
		items, bytes int
	}{{1, 5, 50}, {2, 3, 30}, {4, 3, 30}, {5, 0, 0}} {
		f.land(step.acked)
		if f.items != step.items || f.bytes != step.bytes {
			t.Errorf("with %d acknowledged %d items of %d bytes fly, want %d of %d", step.acked, f.items, f.bytes, step.items, step.bytes)
		}
	}
}
