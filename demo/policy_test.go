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

// TestPolicies holds the demo's policies, laid over each other, the staff that they name, and the groups that the staff name.
func TestPolicies(t *testing.T) {
	layers := []*deskpb.Policy{policy.Default()}
	now := time.Date(2026, 11, 21, 15, 59, 30, 0, time.UTC) // two minutes before a day ends in China
	for _, tier := range []config.Tier{config.Province, config.City, config.County} {
		layer, problems := policyfile.Check([]byte(policyOf(tier, now)), layers)
		for _, problem := range problems {
			t.Errorf("the policy of a %s: %s", tier, problem)
		}
		layers = append(layers, layer)
		named := make(map[string][]string) // people of the policy, by what it names them for
		for _, group := range layer.GetGroups() {
			named[group.GetName()] = append(slices.Clone(group.GetMembers()), group.GetManager())
		}
		for _, p := range staff[tier] {
			for _, group := range p.groups {
				if named[group] == nil {
					t.Errorf("%s is of the group %s, which the policy of a %s does not have", p.name, group, tier)
				}
			}
		}
		for _, approval := range layer.GetApprovals() {
			named[approval.GetName()] = approval.GetApprovers()
		}
		for what, people := range named {
			for _, name := range people {
				if !slices.ContainsFunc(staff[tier], func(p person) bool { return p.name == name }) {
					t.Errorf("%s of %s is no staff of a %s", name, what, tier)
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
