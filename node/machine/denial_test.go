package machine

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// Somebody has to see to a log below that was rewritten, and say so for a reason: then the alarm ends, nothing of what was signed is gone,
// and the site's next checkpoints are held against the one that denied.
func TestADenialIsAcknowledged(t *testing.T) {
	const below = "330199"
	signed := func(sequence uint64, at int64, hash byte) *deskpb.Command {
		return putCheckpoint(&deskpb.AuditCheckpoint{Site: below, Incarnation: 7, Node: "n1", Time: at, Sequence: sequence, Hash: hashOf(hash)}, false)
	}
	acknowledge := func(site string, sequence uint64, reason string) *deskpb.Command {
		return by("admin", &deskpb.Command{Kind: &deskpb.Command_AcknowledgeDenial{
			AcknowledgeDenial: &deskpb.AcknowledgeDenial{Site: site, Sequence: sequence, Reason: reason},
		}})
	}
	l := founded(t)
	denials := func() (n int) {
		l.view(t, func(r *store.Reader) error {
			all, err := r.AuditDenials()
			n = len(all)
			return err
		})
		return n
	}
	l.must(t, noon, signed(10, 1000, 1), signed(20, 2000, 2))
	for _, step := range []struct {
		what    string
		command *deskpb.Command
		want    string
		denials int
	}{
		{"before there is one", acknowledge(below, 15, "看过"), "NO_DENIAL", 0},
		{"a log that was cut back", signed(15, 3000, 9), "CHECKPOINT_CONTRADICTS", 1},
		{"of no site", acknowledge("?", 15, "看过"), "INVALID_FIELD", 1},
		{"without a reason", acknowledge(below, 15, " "), "INVALID_FIELD", 1},
		{"of another site", acknowledge("330198", 15, "看过"), "NO_DENIAL", 1},
		{"of another entry", acknowledge(below, 14, "看过"), "ANOTHER_DENIAL", 1},
		{"with a reason", acknowledge(below, 15, "硬盘更换后重建"), "", 0},
		{"twice", acknowledge(below, 15, "看过"), "NO_DENIAL", 0},
		{"the one that denied is handed up again", signed(15, 3000, 9), "", 0},
		{"one from before is handed up again", signed(20, 2000, 2), "", 0},
		{"the site goes on", signed(18, 4000, 10), "", 0},
		{"past what it denied", signed(20, 5000, 11), "", 0},
		{"it is cut back again", signed(16, 6000, 12), "CHECKPOINT_CONTRADICTS", 1},
	} {
		if got := l.one(t, noon+1, step.command); got != step.want {
			t.Fatalf("%s: it comes to %q, want %q", step.what, got, step.want)
		}
		if got := denials(); got != step.denials {
			t.Fatalf("%s: %d denials stand, want %d", step.what, got, step.denials)
		}
	}
	var told []*deskpb.AuditEntry
	for _, e := range l.audited(t) {
		if e.GetAction() == audit.Acknowledge {
			told = append(told, e)
		}
	}
	if len(told) != 1 || told[0].GetActor() != "admin" || told[0].GetObject() != below || told[0].GetReason() != "硬盘更换后重建" || len(told[0].GetChanges()) == 0 {
		t.Errorf("the audit log tells %v, want once who did it, why, and what the alarm was", told)
	}
	var kept []uint64
	l.view(t, func(r *store.Reader) error {
		all, err := r.Checkpoints(desk.SiteID(below), store.MostCheckpoints)
		for _, c := range all {
			kept = append(kept, c.GetCheckpoint().GetSequence())
		}
		return err
	})
	if len(kept) != 5 {
		t.Errorf("checkpoints of the entries %v are kept, want both of before, the one that denied, and two later ones", kept)
	}
}

// A site whose log goes on to deny, in one way and then in another, is told of once until somebody has seen to it, and once again afterwards.
func TestFurtherDenialsLeaveNoTraceWhileOneStands(t *testing.T) {
	const below = "330199"
	signed := func(sequence uint64, at int64, hash byte) *deskpb.Command {
		return putCheckpoint(&deskpb.AuditCheckpoint{Site: below, Incarnation: 7, Node: "n1", Time: at, Sequence: sequence, Hash: hashOf(hash)}, false)
	}
	l := founded(t)
	l.must(t, noon, signed(10, 1000, 1), signed(20, 2000, 2))
	for round, sequence := range []uint64{15, 16} {
		n, at := len(l.audited(t)), int64(round+1)*10_000
		for range 3 {
			for _, denies := range []*deskpb.Command{signed(sequence, at, 9), signed(20, at+1, 8), signed(sequence-1, at+2, 7)} {
				if got := l.one(t, noon+1, denies); got != "CHECKPOINT_CONTRADICTS" {
					t.Fatalf("a checkpoint that denies comes to %q, want CHECKPOINT_CONTRADICTS", got)
				}
			}
		}
		if told := l.audited(t)[n:]; len(told) != 1 || told[0].GetAction() != audit.Contradicted {
			t.Errorf("the audit log tells %v of nine denials, want the first one", told)
		}
		l.view(t, func(r *store.Reader) error {
			denial, err := r.AuditDenial(below)
			if denial.GetSequence() != sequence {
				t.Errorf("the checkpoint of entry %d waits to be seen to, want the first that denied, of entry %d", denial.GetSequence(), sequence)
			}
			return err
		})
		l.must(t, noon+2, by("admin", &deskpb.Command{Kind: &deskpb.Command_AcknowledgeDenial{
			AcknowledgeDenial: &deskpb.AcknowledgeDenial{Site: below, Sequence: sequence, Reason: "看过"},
		}}), signed(20, at+3, 3))
	}
}
