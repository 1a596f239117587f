package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/tierdesk/tierdesk/client"
	"github.com/tierdesk/tierdesk/testbed"
)

// flipAudit changes one byte of an entry of the audit log in the data directory of a node that is stopped.
func flipAudit(t *testing.T, dir string, sequence uint64) {
	t.Helper()
	name, err := os.ReadFile(filepath.Join(dir, "CURRENT"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := pebble.Open(filepath.Join(dir, strings.TrimSpace(string(name))), &pebble.Options{FormatMajorVersion: pebble.FormatTableFormatV6})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	key := binary.BigEndian.AppendUint64([]byte{0x70}, sequence)
	value, closer, err := db.Get(key)
	if err != nil {
		t.Fatal(err)
	}
	changed := append([]byte{}, value...)
	if err := closer.Close(); err != nil {
		t.Fatal(err)
	}
	changed[strings.Index(string(changed), "user.create")] ^= 1
	if err := db.Set(key, changed, pebble.Sync); err != nil {
		t.Fatal(err)
	}
}

// entryOf returns the sequence of the one entry of the audit log that a filter finds.
func entryOf(t *testing.T, c command, filter string) uint64 {
	t.Helper()
	var page struct{ Entries []struct{ Sequence uint64 } }
	if err := json.Unmarshal([]byte(c.done(t, "audit", "list", "--json", "--filter", filter)), &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Entries) != 1 {
		t.Fatalf("%d entries meet %s, want 1", len(page.Entries), filter)
	}
	return page.Entries[0].Sequence
}

// An audit log tells what was done, is exported and verified without its site, and one byte of it cannot be changed unseen.
func anAuditLog(t *testing.T, program testbed.Program) {
	node := program.Serve(t, county(t))
	ready(t, node)
	admin := signedIn(t, program, node.Spec.GRPC)
	admin.environ = append(admin.environ, "TIERDESK_NEW_PASSWORD=another-long-password")
	for _, name := range []string{"li", "wang", "zhao"} {
		admin.done(t, "user", "add", name)
	}
	stranger := command{program, []string{"TIERDESK_SERVER=" + node.Spec.GRPC, "TIERDESK_PASSWORD=" + "not-the-right-one"}}
	stranger.refused(t, client.ExitRefused, []string{"token", "create", "--user", "li"})

	entry := entryOf(t, admin, "action = user.create AND object = wang")
	if words := admin.done(t, "audit", "list"); !strings.Contains(words, "site.found") || !strings.Contains(words, `role: "" → "AGENT"`) ||
		strings.Contains(words, "argon2") {
		t.Errorf("audit list: %s", words)
	}
	if words := admin.done(t, "audit", "verify"); !strings.Contains(words, "审计日志完整") {
		t.Errorf("audit verify: %s", words)
	}
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	admin.done(t, "audit", "export", file)
	entryOf(t, admin, "action = audit.export AND actor = admin")
	if words := stranger.done(t, "audit", "verify", file); !strings.Contains(words, "审计日志完整") {
		t.Errorf("audit verify FILE: %s", words)
	}

	if code, err := node.Terminate(t.Context()); err != nil || code != client.ExitDone {
		t.Fatalf("after SIGTERM: exit %d, %v", code, err)
	}
	flipAudit(t, node.Spec.Dir, entry)
	ready(t, node.Restart(t))
	named := fmt.Sprintf("entry %d does not fit", entry)
	admin.refused(t, client.ExitFailed, []string{"audit", "verify"}, named)
	admin.done(t, "audit", "export", file)
	stranger.refused(t, client.ExitFailed, []string{"audit", "verify", file}, named)
	if words := admin.done(t, "audit", "list", "--filter", "action = session.create AND outcome = REFUSED"); !strings.Contains(words, "li") {
		t.Errorf("the refused sign-in is not in the log: %s", words)
	}
}
