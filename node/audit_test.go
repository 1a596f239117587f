package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// auditOf returns a node's audit log, which must be whole, and the checkpoints on it, the latest first.
func auditOf(t *testing.T, n *Node) (entries []*deskpb.AuditEntry, checkpoints []store.Checkpoint) {
	t.Helper()
	walk := &audit.Walk{}
	err := n.backend.Read(t.Context(), false, func(r *store.Reader) error {
		last, hash, err := r.AuditStanding()
		if err != nil {
			return err
		}
		if checkpoints, err = r.Checkpoints(n.backend.Site(), store.MostCheckpoints); err != nil {
			return err
		}
		for _, c := range checkpoints {
			walk.Hold([]audit.Held{{AuditCheckpoint: c.Checkpoint}})
		}
		rows, err := r.AuditEntries(0, 10_000)
		for _, row := range rows {
			walk.Next(row.Sequence, row.Raw)
			e, err := audit.Decode(row.Raw)
			if err != nil {
				return err
			}
			entries = append(entries, e)
		}
		walk.End(last, hash)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if report := walk.Report(); len(report.Problems) > 0 || report.Checkpoints != len(checkpoints) {
		t.Fatalf("the audit log of node %s is not whole: %+v", n.config.Node.ID, report)
	}
	return entries, checkpoints
}

// told counts the entries of an action.
func told(t *testing.T, n *Node, action string) (count int) {
	t.Helper()
	entries, _ := auditOf(t, n)
	for _, e := range entries {
		if e.Action == action {
			count += int(max(1, e.Count))
		}
	}
	return count
}

// What any node of a site is told is in the log of all of them, and those who wait for an entry find it there.
func TestEveryNodeTellsTheSameAuditLog(t *testing.T) {
	three := startThree(t)
	awaitReady(t, three...)
	refusal := &deskpb.AuditEntry{Action: audit.ApplyPolicy, Actor: "li", Outcome: deskpb.AuditEntry_REFUSED}
	for _, n := range three {
		n.backend.Record(refusal)
		n.backend.Record(refusal)
	}
	if err := three[2].backend.RecordNow(t.Context(), &deskpb.AuditEntry{Action: audit.Reveal, Outcome: deskpb.AuditEntry_DONE}); err != nil {
		t.Fatal(err)
	}
	if n := told(t, three[2], audit.Reveal); n != 1 {
		t.Errorf("the node that waited for its entry has it %d times", n)
	}
	for _, n := range three {
		eventually(t, "all refusals are in the log of node "+n.config.Node.ID, func() string {
			if count := told(t, n, audit.ApplyPolicy); count != 6 {
				return "there are " + strings.Repeat("|", count)
			}
			return ""
		})
	}
}

// A node that ends in order signs what is new, and goes on with the same key; a site that is restored goes on with its log.
func TestTheAuditLogOutlivesItsNode(t *testing.T) {
	c := configuration(t, "n1")
	n := start(t, c)
	awaitReady(t, n)
	administratorOf(t, n)
	backup := backupOf(t, n)
	n.backend.Record(&deskpb.AuditEntry{Action: audit.Backup, Outcome: deskpb.AuditEntry_DONE})
	stop(t, n)
	key := filepath.Join(c.Node.DataDir, auditKey)
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is %v %v, want a file that only its owner reads", info, err)
	}

	n = start(t, c)
	awaitReady(t, n)
	entries, checkpoints := auditOf(t, n)
	last := entries[len(entries)-1]
	if last.Action != audit.Backup || checkpoints[0].Checkpoint.GetSequence() != last.Sequence {
		t.Errorf("the log ends with %v and the last checkpoint names entry %d", last, checkpoints[0].Checkpoint.GetSequence())
	}
	administratorOf(t, n)
	stop(t, n)

	restored := configuration(t, "n2")
	if err := restore(t, restored, backup, false); err != nil {
		t.Fatal(err)
	}
	n = start(t, restored)
	awaitReady(t, n)
	if again := told(t, n, audit.Recover); again != 1 {
		t.Errorf("the restored log says %d times that another life began", again)
	}
	entries, _ = auditOf(t, n)
	if entries[0].Action != audit.Found || entries[len(entries)-1].Incarnation == entries[0].Incarnation {
		t.Errorf("the restored log begins with %v and ends with %v", entries[0], entries[len(entries)-1])
	}
}

// A checkpoint from below that denies an earlier one is an alarm for operators for as long as nobody has looked.
func TestARewrittenLogBelowIsAnAlarm(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	for hash := range byte(2) {
		c := &deskpb.AuditCheckpoint{Site: "330199", Node: "n7", Incarnation: 7, Time: 1, Sequence: 20, Hash: make([]byte, audit.HashSize)}
		c.Hash[0] = hash
		_, err := n.backend.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_PutCheckpoint{PutCheckpoint: &deskpb.PutCheckpoint{Checkpoint: c}}})
		if denies := hash == 1; denies != (err != nil) {
			t.Fatalf("checkpoint %d: %v", hash, err)
		}
	}
	overview, err := n.backend.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if alarms := strings.Join(overview.Alarms, "; "); !strings.Contains(alarms, "the audit log of 330199 was rewritten") {
		t.Errorf("the alarms are %q", alarms)
	}
	if count := told(t, n, audit.Contradicted); count != 1 {
		t.Errorf("the audit log tells of it %d times", count)
	}
}
