package main

import (
	"fmt"
	"testing"
)

// pathOf is so many offices, home first.
func pathOf(offices int) (path []*office) {
	for i := range offices {
		path = append(path, &office{site: &site{place: place{id: fmt.Sprint(i)}}})
	}
	return path
}

// Every drawn life is one that a desk plays to its end: who works on a ticket has it, and home closes it.
func TestADrawnLifeCanBePlayed(t *testing.T) {
	reached := make(map[int]int) // lives by the greatest height
	const draws = 2000
	for i := range draws {
		l := drawLife(fmt.Sprint(i), pathOf(3))
		holder, highest, resolved := 0, 0, false
		for _, s := range l.steps {
			if s.height != holder && s.verb != urge {
				t.Fatalf("%v: %s at height %d while height %d has the ticket", l.steps, s.verb, s.height, holder)
			}
			switch s.verb {
			case escalate:
				holder++
			case sendBack:
				holder--
			case resolve:
				holder, resolved = 0, true
			case closing:
				if !resolved {
					t.Fatalf("%v: closed before it is resolved", l.steps)
				}
			}
			highest = max(highest, holder)
		}
		if last := l.steps[len(l.steps)-1]; last != (step{0, closing}) || l.end != len(l.steps) {
			t.Fatalf("%v ends before %d, want at home with %s", l.steps, l.end, closing)
		}
		reached[highest]++
	}
	for height, percent := range map[int]int{0: 62, 1: 31, 2: 7} {
		if got, want := reached[height]*100/draws, percent; got < want-5 || got > want+5 {
			t.Errorf("of a hundred lives %d reach height %d, want about %d", got, height, want)
		}
	}
}

func TestALifeBelowACityAloneEndsThere(t *testing.T) {
	for i := range 500 {
		for _, s := range drawLife(fmt.Sprint(i), pathOf(2)).steps {
			if s.height > 1 {
				t.Fatalf("a step at height %d of a path of two offices", s.height)
			}
		}
	}
}

func TestALifeIsLeftForLaterAndGoesOn(t *testing.T) {
	path := pathOf(3)
	l := halfway("1", path)
	if first := l.steps[l.end-1]; first.height != 1 || l.end == len(l.steps) {
		t.Errorf("it is left before step %d of %v, want right after the city's first", l.end, l.steps)
	}
	l.goOn()
	l.next = len(l.steps)
	if !l.idle() {
		t.Error("it is not idle at its end")
	}
	l.endBefore(path[1])
	if s := l.steps[l.end]; s.height != 1 || l.steps[l.end-1].height != 0 {
		t.Errorf("it is left before %v, want before the first step at the city", s)
	}
}
