package replication

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is pushed, withdrawn and taken: commands leave in the order in which they came, each once, in groups that fit
// one entry, and the queue holds no more than its bounds.
func TestQueueKeepsOrderAndBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newQueue()
		var model []*proposal
		bytes := func(ps []*proposal) (n int) {
			for _, p := range ps {
				n += len(p.command)
			}
			return n
		}
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				size := rapid.SampledFrom([]int{0, 1, 100, maxGroupBytes / 2, maxGroupBytes + 1, maxCommandBytes}).Draw(t, "size")
				p := &proposal{command: make([]byte, size)}
				err := q.push(p)
				fits := bytes(model)+size <= maxWaitingBytes && len(model) < maxWaitingCommands
				if fits != (err == nil) || err != nil && !errors.Is(err, ErrOverloaded) {
					t.Fatalf("push of %d bytes onto %d: %v", size, bytes(model), err)
				}
				if err == nil {
					model = append(model, p)
				}
			},
			"withdraw": func(t *rapid.T) {
				if len(model) == 0 {
					return
				}
				i := rapid.IntRange(0, len(model)-1).Draw(t, "which")
				p := model[i]
				model = slices.Delete(model, i, i+1)
				if !q.withdraw(p) || q.withdraw(p) {
					t.Fatal("a waiting command is withdrawn exactly once")
				}
			},
			"take": func(t *rapid.T) {
				if len(model) == 0 {
					return
				}
				group := q.take()
				if len(group) == 0 || len(group) > maxGroupCommands || len(group) > 1 && bytes(group) > maxGroupBytes {
					t.Fatalf("a group of %d commands, %d bytes", len(group), bytes(group))
				}
				if !slices.Equal(group, model[:len(group)]) {
					t.Fatal("commands do not leave in the order in which they came")
				}
				model = slices.Delete(model, 0, len(group))
			},
			"": func(t *rapid.T) {
				if q.length() != len(model) || q.held.bytes != bytes(model) || q.held.commands != len(model) {
					t.Fatalf("the queue counts %d commands, %d bytes; %d, %d wait", q.held.commands, q.held.bytes, len(model), bytes(model))
				}
			},
		})
	})
}

func TestAClosedQueueGivesOutWhatWaits(t *testing.T) {
	q := newQueue()
	p := &proposal{command: []byte("a")}
	if err := q.push(p); err != nil {
		t.Fatal(err)
	}
	q.close()
	if err := q.push(&proposal{}); !errors.Is(err, ErrNotLeader) {
		t.Errorf("push onto a closed queue: %v", err)
	}
	if got := q.take(); len(got) != 1 || got[0] != p {
		t.Errorf("what waits is %v", got)
	}
	if got := q.take(); len(got) != 0 {
		t.Errorf("a closed, empty queue gives %v", got)
	}
}
