package tiers

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// What waits for a neighbour is measured by the state: it is right while the line is down, at any node of the site.
func TestWhatWaitsIsMeasuredWhileTheLineIsDown(t *testing.T) {
	_, middle, bottom := chainOfThree(t)
	agree(t, nil, bottom, middle)
	carried := bottom.status(middle.id)
	if carried.Sent == 0 || carried.Received == 0 {
		t.Errorf("the link that lives carried %d bytes out and %d in", carried.Sent, carried.Received)
	}
	bottom.line.set(true)
	eventually(t, "the county sees the line down", func() bool { return bottom.state(middle.id) == Down })
	before := time.Now()
	number := bottom.open(t, "专线中断")
	bottom.open(t, "鼠标损坏")
	bottom.must(t, number, escalate())
	for name, want := range map[string]float64{
		"tierdesk_link_pending_items":     3,
		"tierdesk_link_queued_handovers":  1,
		"tierdesk_link_transit_handovers": 0,
		"tierdesk_link_parked_items":      0,
		"tierdesk_link_unsettled":         0,
		"tierdesk_site_frozen":            0,
		"tierdesk_site_recovering":        0,
		"tierdesk_link_up":                0,
	} {
		if got := bottom.counted(t, name); got != want {
			t.Errorf("while the line is down, %s is %v, want %v", name, got, want)
		}
	}
	oldest := bottom.counted(t, "tierdesk_link_oldest_pending_timestamp_seconds")
	if since := time.Since(time.UnixMicro(int64(oldest * 1e6))); since < 0 || since > time.Since(before)+time.Second {
		t.Errorf("the oldest item waits for %s, want since the first ticket was opened", since)
	}
	if got := bottom.counted(t, "tierdesk_link_bytes_total"); got < float64(carried.Sent+carried.Received) {
		t.Errorf("%v bytes are counted after the stream has ended, want at least %d", got, carried.Sent+carried.Received)
	}
	bottom.line.set(false)
	eventually(t, "nothing waits any more", func() bool { return bottom.counted(t, "tierdesk_link_pending_items") == 0 })
	eventually(t, "no time is told when nothing waits", func() bool {
		return bottom.counted(t, "tierdesk_link_oldest_pending_timestamp_seconds") == 0
	})
}

func TestRateIsThatOfTheLastSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pulse{traffic: &traffic{}}
		acked := uint64(0)
		run := func(perSecond uint64, seconds int) {
			for range seconds * 100 {
				time.Sleep(10 * time.Millisecond)
				acked += perSecond / 100
				p.note(time.Now(), acked)
			}
		}
		near := func(what string, want float64) {
			t.Helper()
			if got := p.rate(time.Now()); got < want*0.9 || got > want*1.1 {
				t.Errorf("%s: %v items a second, want about %v", what, got, want)
			}
		}
		near("before anything", 0)
		run(1000, 3)
		near("after three seconds", 1000)
		run(1000, 60)
		near("after a minute", 1000)
		run(200, 11)
		near("when it has slowed down", 200)
		if len(p.samples) > int(pulseSpan/pulseStep)+3 {
			t.Errorf("%d samples are kept", len(p.samples))
		}
		time.Sleep(pulseSpan + time.Second)
		near("when it has stopped", 0)
	})
}

func TestComparisonIsShown(t *testing.T) {
	_, middle, bottom := chainOfThree(t)
	bottom.tiers.board.compare(middle.id, true, 12, 100)
	if got := bottom.status(middle.id); !got.Comparing || got.Compared != 12 || got.Compares != 100 {
		t.Errorf("the link shows %+v, want 12 of 100 tickets compared", got)
	}
	bottom.tiers.board.compare(middle.id, false, 0, 0)
	if got := bottom.status(middle.id); got.Comparing {
		t.Errorf("the link shows %+v after the comparison", got)
	}
}

// The parent moves to another address while the child runs: the child finds it there.
func TestParentMovesToAnotherAddress(t *testing.T) {
	o := newOffice(t, city, wall)
	old := newNode(t, city, o)
	bottom := newNode(t, county, newOffice(t, county, wall), old.address)
	eventually(t, "the link is up", func() bool { return bottom.state(old.id) == Up })
	old.tiers.Stop()
	eventually(t, "the county sees the parent go", func() bool { return bottom.state(old.id) == Down })
	moved := newNode(t, city, o)
	number := bottom.open(t, "搬迁期间")
	bottom.parents.Store([]string{old.address, moved.address})
	eventually(t, "the link is up at the other address", func() bool {
		return bottom.state(moved.id) == Up && moved.state(bottom.id) == Up
	})
	agree(t, []string{number}, bottom, moved)
}

// A pause before the next attempt ends as soon as a node of the parent has come to life.
func TestNewsOfTheParentEndsThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		came := make(chan struct{})
		n := &Tiers{o: Options{ParentSeen: func() <-chan struct{} { return came }}}
		began := time.Now()
		time.AfterFunc(time.Second, func() { close(came) })
		if !n.rest(t.Context(), time.Hour) || time.Since(began) != time.Second {
			t.Errorf("the pause took %s, want a second", time.Since(began))
		}
		n.o.ParentSeen = func() <-chan struct{} { return nil }
		if began = time.Now(); !n.rest(t.Context(), time.Minute) || time.Since(began) != time.Minute {
			t.Errorf("without news the pause took %s, want a minute", time.Since(began))
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if n.rest(ended, time.Hour) {
			t.Error("the pause went on after its context had ended")
		}
	})
}
