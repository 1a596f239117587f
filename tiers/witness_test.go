package tiers

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// signed is a checkpoint of the county's audit log.
func signed(sequence uint64, hash string) *deskpb.AuditCheckpoint {
	return &deskpb.AuditCheckpoint{
		Site: county.Id, Incarnation: county.Incarnation, Node: "n1", Sequence: sequence, Hash: []byte(hash), Signature: []byte("signed"),
	}
}

func TestAParentKeepsTheCheckpointsOfItsChild(t *testing.T) {
	top, middle, bottom := chainOfThree(t)
	kept := func() (sequences []uint64) {
		t.Helper()
		witnessed, err := bottom.tiers.WitnessedAbove(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if witnessed.GetIncarnation() != county.Incarnation {
			t.Errorf("the city has met the county in life %016x, want %016x", witnessed.GetIncarnation(), county.Incarnation)
		}
		for _, c := range witnessed.GetCheckpoints() {
			sequences = append(sequences, c.Sequence)
		}
		return sequences
	}
	if got := kept(); len(got) != 0 {
		t.Fatalf("before the first one the city keeps %v", got)
	}
	for _, c := range []*deskpb.AuditCheckpoint{signed(10, "a"), signed(20, "b")} {
		if err := bottom.tiers.HandUp(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if got := kept(); !slices.Equal(got, []uint64{10, 20}) {
		t.Errorf("the city keeps %v, want 10 and 20", got)
	}

	var refusal *desk.Refusal
	if err := bottom.tiers.HandUp(t.Context(), signed(20, "rewritten")); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "rewritten") {
		t.Errorf("a checkpoint that contradicts the one before: %v, want a refusal", err)
	}
	if alarms := middle.tiers.Alarms(); !slices.ContainsFunc(alarms, func(a string) bool { return strings.Contains(a, "330106 was rewritten") }) {
		t.Errorf("the city's alarms are %q, want one about the county", alarms)
	}
	forged := signed(30, "c")
	forged.Signature = []byte("forged")
	if err := bottom.tiers.HandUp(t.Context(), forged); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "checkpoint 30 of 330106") {
		t.Errorf("a forged checkpoint: %v, want a refusal that names it", err)
	}
	if got := kept(); !slices.Equal(got, []uint64{10, 20}) {
		t.Errorf("after what was refused the city keeps %v, want 10 and 20", got)
	}

	middle.loseMajority(true)
	if err := bottom.tiers.HandUp(t.Context(), signed(30, "c")); err == nil || errors.As(err, &refusal) {
		t.Errorf("without a majority at the city: %v, want an error that is no refusal", err)
	}
	middle.loseMajority(false)
	if got, err := top.tiers.WitnessedAbove(t.Context()); got != nil || err != nil {
		t.Errorf("the province asks nobody: %v, %v", got, err)
	}
}

// Nobody hands up, or is told, the checkpoints of another site.
func TestOnlyAChildSpeaksForItsAuditLog(t *testing.T) {
	top, middle, bottom := chainOfThree(t)
	for _, tt := range []struct {
		name      string
		at        *node
		certified string
		site      string
		words     string
	}{
		{"another site's certificate", middle, "330108", "330106", "certificate names site 330108"},
		{"a grandchild", top, "330106", "330106", "no child of 330000"},
		{"a stranger", middle, "330999", "330999", "no child of 330100"},
		{"the site itself", middle, "330100", "330100", "no child of 330100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.at.certified.Store(tt.certified)
			defer tt.at.certified.Store("")
			bottom.parents.Store([]string{tt.at.address})
			c := signed(1, "a")
			c.Site = tt.site
			if err := bottom.tiers.HandUp(t.Context(), c); err == nil || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("handing up: %v, want %q", err, tt.words)
			}
			if tt.site != county.Id {
				return
			}
			if _, err := bottom.tiers.WitnessedAbove(t.Context()); err == nil || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("asking for them: %v, want %q", err, tt.words)
			}
		})
	}
}
