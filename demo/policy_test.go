package demo

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/policyfile"
)

// TestPolicies holds the demo's policies, laid over each other, and the staff that they name.
func TestPolicies(t *testing.T) {
	layers := []*deskpb.Policy{policy.Default()}
	now := time.Date(2026, 11, 21, 15, 59, 30, 0, time.UTC) // two minutes before a day ends in China
	for _, tier := range []config.Tier{config.Province, config.City, config.County} {
		layer, problems := policyfile.Check([]byte(policyOf(tier, now)), layers)
		for _, problem := range problems {
			t.Errorf("the policy of a %s: %s", tier, problem)
		}
		layers = append(layers, layer)
		for _, group := range layer.GetGroups() {
			for _, member := range append(slices.Clone(group.GetMembers()), group.GetManager()) {
				if !slices.ContainsFunc(staff[tier], func(p person) bool { return p.name == member }) {
					t.Errorf("%s of group %s is no staff of a %s", member, group.GetName(), tier)
				}
			}
		}
	}
	round := layers[3].GetRounds()[0]
	if round.GetFirst() != 20261122 || round.GetMinute() != 1 {
		t.Errorf("the round begins on %d at minute %d, want two minutes later: 20261122 at 1", round.GetFirst(), round.GetMinute())
	}
}

// TestTheManualsPolicy holds the policy that docs/desk.md shows: a reader may copy it.
func TestTheManualsPolicy(t *testing.T) {
	manual, err := os.ReadFile("../docs/desk.md")
	if err != nil {
		t.Fatal(err)
	}
	_, behind, _ := strings.Cut(string(manual), "```yaml\n")
	example, _, _ := strings.Cut(behind, "```")
	layer, problems := policyfile.Check([]byte(example), []*deskpb.Policy{policy.Default()})
	for _, problem := range problems {
		t.Errorf("the policy of docs/desk.md: %s", problem)
	}
	if len(layer.GetRounds()) != 1 {
		t.Errorf("the policy of docs/desk.md has %d rounds, want the one that it explains", len(layer.GetRounds()))
	}
}
