package people

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk"
)

// guesses plays tries against a throttle, by a clock of its own.
type guesses struct {
	t   *throttle
	now time.Time
}

func newGuesses() *guesses {
	return &guesses{t: newThrottle(), now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
}

// try tells how long to wait, or plays the try to its end.
func (g *guesses) try(user, address string, came outcome) (wait time.Duration, locked time.Time) {
	if wait = g.t.begin(desk.UserID(user), address, g.now); wait > 0 {
		return wait, time.Time{}
	}
	return 0, g.t.end(desk.UserID(user), address, came, g.now)
}

// wrongUntilRefused counts the wrong tries that are let through.
func (g *guesses) wrongUntilRefused(user, address func(i int) string) int {
	for i := range 1000 {
		if wait, _ := g.try(user(i), address(i), wrong); wait > 0 {
			return i
		}
	}
	return 1000
}

func TestSoManyWrongTriesAreLetThrough(t *testing.T) {
	same := func(text string) func(int) string { return func(int) string { return text } }
	each := func(format string) func(int) string { return func(i int) string { return fmt.Sprintf(format, i) } }
	for _, c := range []struct {
		name          string
		user, address func(int) string
		want          int
	}{
		{"one user from one address", same("li"), same("10.0.0.1"), 5},
		{"one user from everywhere", same("li"), each("10.0.%d.1"), 20},
		{"everybody from one address", each("user%d"), same("10.0.0.1"), 50},
		{"everybody from one network", each("user%d"), each("2001:db8:0:1::%x"), 50},
		{"one user from nowhere", same("li"), same(""), 20},
		{"everybody from everywhere", each("user%d"), each("10.0.%d.1"), 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := newGuesses().wrongUntilRefused(c.user, c.address); got != c.want {
				t.Errorf("%d wrong tries were let through, want %d", got, c.want)
			}
		})
	}
}

func TestPausesDoubleAndEnd(t *testing.T) {
	g := newGuesses()
	for range mostOfUserAndAddress {
		g.try("li", "10.0.0.1", wrong)
	}
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		if wait, _ := g.try("li", "10.0.0.1", right); wait != want {
			t.Fatalf("the pause is %v, want %v", wait, want)
		}
		g.now = g.now.Add(want)
		if wait, _ := g.try("li", "10.0.0.1", wrong); wait != 0 {
			t.Fatalf("after the pause of %v there are %v more to wait", want, wait)
		}
	}
	g.now = g.now.Add(30 * time.Minute)
	if got := g.wrongUntilRefused(func(int) string { return "li" }, func(int) string { return "10.0.0.1" }); got != mostOfUserAndAddress {
		t.Errorf("%d wrong tries are let through when all was quiet for long, want %d", got, mostOfUserAndAddress)
	}
}

func TestOldWrongTriesDoNotCount(t *testing.T) {
	g := newGuesses()
	for i := range 100 {
		if wait, _ := g.try("li", "10.0.0.1", wrong); wait > 0 {
			t.Fatalf("try %d has to wait %v", i, wait)
		}
		g.now = g.now.Add(4 * time.Minute)
	}
}

func TestARightTryMakesUpForTheWrongOnesFromItsAddress(t *testing.T) {
	g := newGuesses()
	for i := range 10 {
		for range mostOfUserAndAddress - 1 {
			if wait, _ := g.try("li", "10.0.0.1", wrong); wait > 0 && i < 4 {
				t.Fatalf("round %d has to wait %v", i, wait)
			}
		}
		g.try("li", "10.0.0.1", right)
	}
	if wait := g.t.blocked("li", "10.0.0.2", g.now); wait == 0 {
		t.Error("the user's own wrong tries were forgotten with those from the address")
	}
}

// Whoever starts many tries at once gets no more of them than one after the other.
func TestTriesUnderWayCount(t *testing.T) {
	g := newGuesses()
	begun := 0
	for range 20 {
		if g.t.begin("li", "10.0.0.1", g.now) == 0 {
			begun++
		}
	}
	if begun != mostOfUserAndAddress {
		t.Errorf("%d tries are under way at once, want %d", begun, mostOfUserAndAddress)
	}
	for range begun {
		g.t.end("li", "10.0.0.1", unknown, g.now)
	}
	if wait := g.t.blocked("li", "10.0.0.1", g.now); wait != 0 {
		t.Errorf("tries that broke off keep the user waiting for %v", wait)
	}
}

func TestTheUserIsLockedByTheUsersOwnTriesAlone(t *testing.T) {
	g := newGuesses()
	for i := range mostOfUser {
		_, locked := g.try("li", fmt.Sprintf("10.0.%d.1", i), wrong)
		if want := i == mostOfUser-1; locked.IsZero() == want {
			t.Errorf("try %d locks until %v", i+1, locked)
		}
	}
	if g.t.forgive("li", g.now.Add(-time.Second)) {
		t.Error("tries from after the forgiving were forgotten")
	}
	if !g.t.forgive("li", g.now) || g.t.forgive("li", g.now) {
		t.Error("the user was not forgiven once")
	}
	if wait := g.t.blocked("li", "10.0.0.1", g.now); wait != 0 {
		t.Errorf("who was forgiven waits %v", wait)
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	g := newGuesses()
	for i := range maxTries {
		g.try(fmt.Sprintf("user%d", i), fmt.Sprintf("10.%d.%d.1", i>>8, i&255), wrong)
	}
	if got := len(g.t.tries); got != maxTries || g.t.order.Len() != maxTries {
		t.Errorf("%d suspects are remembered in a list of %d, want %d", got, g.t.order.Len(), maxTries)
	}
	long := string(make([]byte, 1<<20))
	g.try(long, "10.0.0.1", wrong)
	for s := range g.t.tries {
		if len(s.user) > maxName {
			t.Fatalf("a name of %d bytes is remembered", len(s.user))
		}
	}
}

// In whatever order people try, nobody gets more wrong tries within a window than there are, and nobody waits longer than the longest
// pause.
func TestNoOrderOfTriesGetsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGuesses()
		var guessed []time.Time
		for range rapid.IntRange(1, 200).Draw(t, "tries") {
			g.now = g.now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "seconds")) * time.Second)
			wait, _ := g.try("li", "10.0.0.1", wrong)
			if wait > longestPause {
				t.Fatalf("a try has to wait %v", wait)
			}
			if wait > 0 {
				continue
			}
			guessed = append(guessed, g.now)
			within := 0
			for _, at := range guessed {
				if g.now.Sub(at) < wrongWindow {
					within++
				}
			}
			// A window begins with its first wrong try, so two of them may touch.
			if most := 2 * mostOfUserAndAddress; within > most {
				t.Fatalf("%d wrong tries within %v, want at most %d", within, wrongWindow, most)
			}
		}
	})
}
