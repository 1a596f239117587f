package api

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Nobody waits who has not had the whole share of a window, who waits as long as is said is let through, and no stretch of a window's
// length holds more than the shares of the two windows that it touches.
func TestAnAllowanceIsNotPassed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 5).Draw(t, "most")
		a, now := newAllowance(most, time.Minute), time.Unix(1_000_000, 0)
		taken := map[string][]time.Time{}
		for range rapid.IntRange(1, 60).Draw(t, "tries") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "pause")) * time.Second)
			key := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key")
			wait := a.take(key, now)
			if wait > 0 {
				if len(taken[key]) < most {
					t.Fatalf("%s waits although it took %d of %d", key, len(taken[key]), most)
				}
				if wait > time.Minute {
					t.Fatalf("the wait of %v is longer than the window", wait)
				}
				now = now.Add(wait)
				if again := a.take(key, now); again > 0 {
					t.Fatalf("after the wait of %v it waits %v more", wait, again)
				}
				taken[key] = nil
			}
			taken[key] = append(taken[key], now)
			if n := len(taken[key]); n > 2*most && now.Sub(taken[key][n-2*most-1]) < time.Minute {
				t.Fatalf("%s took %d within a minute", key, 2*most+1)
			}
		}
	})
}

func TestAnAllowanceIsBounded(t *testing.T) {
	a, now := newAllowance(1, time.Hour), time.Unix(1_000_000, 0)
	for i := range maxAllowed + 10 {
		if wait := a.take(fmt.Sprint(i), now); wait > 0 {
			t.Fatalf("key %d waits %v", i, wait)
		}
	}
	if len(a.spent) > maxAllowed || a.order.Len() > maxAllowed {
		t.Errorf("it remembers %d keys", len(a.spent))
	}
	if wait := a.take(fmt.Sprint(maxAllowed+9), now); wait == 0 {
		t.Error("the latest key was forgotten")
	}
}

func TestSharesAreTakenTogetherOrNotAtAll(t *testing.T) {
	wide, narrow, now := newAllowance(3, time.Hour), newAllowance(1, time.Hour), time.Unix(1_000_000, 0)
	shares := []share{{wide, "x"}, {narrow, ""}}
	for range 5 {
		takeAll(shares, now)
	}
	for range 2 {
		if wait := wide.take("x", now); wait > 0 {
			t.Fatal("what came to nothing was used up")
		}
	}
	if wait := wide.take("x", now); wait == 0 {
		t.Error("what was done was not used up")
	}
}
