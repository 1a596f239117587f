package tiers

import (
	"slices"
	"testing"

	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// Frames that wait together become one command as long as they continue each other and it does not grow too large.
func TestWaitingFramesBecomeOneCommand(t *testing.T) {
	frame := func(first uint64, items, size int) *linkpb.Items {
		f := &linkpb.Items{First: first}
		for range items {
			f.Items = append(f.Items, make([]byte, size))
		}
		return f
	}
	p := quick()
	for _, tt := range []struct {
		name   string
		frames []*linkpb.Items
		runs   []int // frames in each command
	}{
		{"one alone", []*linkpb.Items{frame(1, 3, 10)}, []int{1}},
		{"three that continue", []*linkpb.Items{frame(1, 3, 10), frame(4, 8, 10), frame(12, 1, 10)}, []int{3}},
		{"a gap", []*linkpb.Items{frame(1, 3, 10), frame(5, 3, 10), frame(8, 3, 10)}, []int{1, 2}},
		{"the same again", []*linkpb.Items{frame(1, 3, 10), frame(1, 3, 10)}, []int{1, 1}},
		{"more items than a command has", []*linkpb.Items{frame(1, p.run-1, 1), frame(uint64(p.run), 1, 1), frame(uint64(p.run)+1, 1, 1)}, []int{2, 1}},
		{"more bytes than a command has", []*linkpb.Items{frame(1, 1, p.frame), frame(2, 1, p.frame), frame(3, 1, 1)}, []int{2, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &session{t: &Tiers{pace: p}, incoming: make(chan *linkpb.Items, 8)}
			for _, f := range tt.frames {
				s.incoming <- f
			}
			var runs []int
			for items := <-s.incoming; items != nil; {
				run := []*linkpb.Items{items}
				run, items = s.gather(run)
				runs = append(runs, len(run))
			}
			if !slices.Equal(runs, tt.runs) {
				t.Errorf("the frames became commands of %v frames, want %v", runs, tt.runs)
			}
		})
	}
}
