package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tell runs a command line and returns what it prints.
func tell(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(&out)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

// mustTell is tell for what has to succeed.
func mustTell(t *testing.T, args ...string) string {
	t.Helper()
	out, err := tell(t, args...)
	if err != nil {
		t.Fatalf("tierdesk %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func TestGossipKeysAreReplacedInAFile(t *testing.T) {
	dir := t.TempDir()
	file, fresh := filepath.Join(dir, "gossip.key"), filepath.Join(dir, "new.key")
	mustTell(t, "gossip-key", "new", file)
	mustTell(t, "gossip-key", "new", fresh)
	before, added := strings.TrimSpace(mustTell(t, "gossip-key", "list", file)), strings.TrimSpace(mustTell(t, "gossip-key", "list", fresh))
	if before == added || len(before) != 8 {
		t.Fatalf("two new keys have the fingerprints %q and %q", before, added)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != ownerOnly {
		t.Errorf("the file of keys has the mode %v, %v; want it for its owner only", info.Mode(), err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		if out := mustTell(t, "gossip-key", "add", file, "--from", fresh); !strings.Contains(out, added) {
			t.Errorf("add says %q, want the fingerprint %s", out, added)
		}
		if got := mustTell(t, "gossip-key", "list", file); got != added+"\n"+before+"\n" {
			t.Errorf("after the new key was added the file has %q, want it first", got)
		}
	}
	if out := mustTell(t, "gossip-key", "drop", file); !strings.Contains(out, before) {
		t.Errorf("drop says %q, want the fingerprint %s", out, before)
	}
	if got := mustTell(t, "gossip-key", "list", file); got != added+"\n" {
		t.Errorf("after the old key was removed the file has %q", got)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file of keys has the mode %v, %v; want it as it was", info.Mode(), err)
	}
	secret, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, words string
		args        []string
	}{
		{"a file that is there", "there already", []string{"new", file}},
		{"the only key", "has to stay", []string{"drop", file}},
		{"no new key", "--from", []string{"add", file}},
		{"a file that holds no key", "gossip key", []string{"list", os.DevNull}},
	} {
		_, err := tell(t, append([]string{"gossip-key"}, tt.args...)...)
		if err == nil || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.words)
		}
		if err != nil && strings.Contains(err.Error(), strings.TrimSpace(string(secret))) {
			t.Errorf("%s: the error shows a key", tt.name)
		}
	}
}
