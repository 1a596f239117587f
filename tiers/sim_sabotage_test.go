//go:build sabotage

package tiers

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/tierdesk/tierdesk/desk"
)

// sabotageSeeds is how many seeds may pass before the simulation has to notice a broken rule.
const sabotageSeeds = 150

// TestSabotage switches off one rule of the protocol after the other and expects the simulation to notice, by an invariant
// that the rule is there for: a net that lets these fish through proves nothing when it stays empty.
//
//	go test -tags sabotage ./tiers -run TestSabotage
func TestSabotage(t *testing.T) {
	for _, fish := range []struct {
		name  string
		rule  desk.Rule
		found []int // the invariants, any of which finds it
	}{
		{"the freeze in transit", desk.FreezeInTransit, []int{2}},
		{"the mark of a stream", desk.StreamMark, []int{12}},
		{"the fence", desk.Fence, []int{11}},
		{"the head check", desk.HeadCheck, []int{4, 7}},
		{"the relay", desk.Relay, []int{6, 15}},
	} {
		t.Run(fish.name, func(t *testing.T) {
			desk.Break(fish.rule)
			defer desk.Break(0)
			for seed := uint64(1); seed <= sabotageSeeds; seed++ {
				var broken *simViolation
				synctest.Test(t, func(t *testing.T) { broken, _ = play(t, seed, fairWeather()) })
				if broken != nil && slices.Contains(fish.found, broken.invariant) {
					t.Logf("seed %d finds it: %.300s", seed, broken)
					return
				}
			}
			t.Errorf("%d seeds have not noticed that %s is broken", sabotageSeeds, fish.name)
		})
	}
}
