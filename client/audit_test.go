package client

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// auditedSite answers for the audit log of a site: entries that are joined, and a checkpoint on the last one.
type auditedSite struct {
	rows       [][]byte
	checkpoint *apipb.AuditCheckpoint
}

// newAuditedSite has n entries; the change, if any, is made before they are joined.
func newAuditedSite(t *testing.T, n int, change func(e *deskpb.AuditEntry)) *auditedSite {
	t.Helper()
	s := &auditedSite{}
	var last *deskpb.AuditEntry
	for i := range n {
		last = &deskpb.AuditEntry{
			Sequence: uint64(i + 1), Time: int64(i) * 1e6, Incarnation: 7, Actor: "li", Action: audit.UpdateUser, Object: fmt.Sprint("user-", i),
			Outcome: deskpb.AuditEntry_DONE, Changes: []*deskpb.AuditChange{{Field: "role", Before: "AGENT", After: "LEADER"}},
		}
		if i > 0 {
			last.Previous = audit.Hash(s.rows[i-1])
		}
		if change != nil {
			change(last)
		}
		raw, err := audit.Encode(last)
		if err != nil {
			t.Fatal(err)
		}
		s.rows = append(s.rows, raw)
	}
	c := &deskpb.AuditCheckpoint{Site: "330106", Node: "n1", Incarnation: 7, Time: last.Time, Sequence: uint64(n), Hash: audit.Hash(s.rows[n-1])}
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.PublicKey, err = x509.MarshalPKIXPublicKey(public); err != nil {
		t.Fatal(err)
	}
	message, err := audit.CheckpointBytes(c)
	if err != nil {
		t.Fatal(err)
	}
	c.Signature = ed25519.Sign(key, message)
	raw, err := proto.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	s.checkpoint = &apipb.AuditCheckpoint{Site: c.Site, Node: c.Node, Sequence: uint32(c.Sequence), Raw: raw}
	return s
}

// reply answers in pages of two.
func (s *auditedSite) reply(_ context.Context, method string, request proto.Message) (proto.Message, error) {
	switch q := request.(type) {
	case *apipb.ListCheckpointsRequest:
		return &apipb.ListCheckpointsResponse{Checkpoints: []*apipb.AuditCheckpoint{s.checkpoint}}, nil
	case *apipb.ListAuditRequest:
		from := 0
		if q.PageToken != "" {
			from = int(q.PageToken[0])
		}
		page := &apipb.ListAuditResponse{}
		for i := from; i < min(from+2, len(s.rows)); i++ {
			page.Entries = append(page.Entries, &apipb.AuditEntry{Sequence: uint32(i + 1), Raw: s.rows[i], Actor: "li", Action: audit.UpdateUser, Count: 3})
		}
		if from+2 < len(s.rows) {
			page.NextPageToken = string(rune(from + 2))
		}
		return page, nil
	}
	return nil, nil
}

// exported writes the site's log into a file by the command.
func exported(t *testing.T, s *auditedSite, command ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	at(t, newFakeNode(t, s.reply)).done(t, append(command, file)...)
	return file
}

// An empty file would witness nothing, whatever it is held against.
func TestASiteOfWhichNothingIsKeptIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kept.jsonl")
	got := at(t, newFakeNode(t, always(&apipb.ListCheckpointsResponse{}, nil))).run("audit", "checkpoints", file, "--site", "330199")
	if got.code != ExitRefused || !strings.Contains(got.stderr, "no checkpoint of 330199 is kept here") {
		t.Errorf("exit %d, stderr %q; want a refusal that names the site", got.code, got.stderr)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is there all the same: %v", err)
	}
}

func TestAnExportedAuditLogIsVerifiedAlone(t *testing.T) {
	honest := newAuditedSite(t, 9, nil)
	forged := newAuditedSite(t, 9, func(e *deskpb.AuditEntry) {
		if e.Sequence == 4 {
			e.Actor = "wang"
		}
	})
	alone := &shell{ctx: t.Context(), environ: map[string]string{"LANG": "en_US.UTF-8"}}
	file := exported(t, honest, "audit", "export")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	witness := exported(t, honest, "audit", "checkpoints", "--site", "330106")
	lines := bytes.SplitAfter(whole, []byte("\n")) // the checkpoint, nine entries, the end
	for name, c := range map[string]struct {
		content []byte
		want    string // on standard error; "" when the log is whole
	}{
		"as it is":                  {whole, ""},
		"words that were changed":   {bytes.Replace(whole, []byte(`"object":"user-3"`), []byte(`"object":"user-8"`), 1), "entry 4 does not fit: the line says something else"},
		"a line that is gone":       {bytes.Join(slices.Delete(slices.Clone(lines), 5, 6), nil), "the end names other numbers"},
		"a file that was cut":       {whole[:len(whole)-10], "not a line of an exported audit log"},
		"a file without its end":    {bytes.Join(lines[:len(lines)-2], nil), "the file ends too early"},
		"two lines swapped":         {bytes.Join([][]byte{lines[0], lines[1], lines[3], lines[2], bytes.Join(lines[4:], nil)}, nil), "entry 2 is missing"},
		"a line behind the end":     {append(slices.Clone(whole), lines[3]...), "more behind the end"},
		"something else altogether": {[]byte("hello\n"), "not a line of an exported audit log"},
	} {
		path := filepath.Join(t.TempDir(), "changed.jsonl")
		if err := os.WriteFile(path, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		got := alone.run("audit", "verify", path)
		if c.want == "" {
			if got.code != ExitDone || !strings.Contains(got.out, "9 entries, 1 checkpoints fit") {
				t.Errorf("%s: exit %d: %s%s", name, got.code, got.out, got.stderr)
			}
			continue
		}
		if got.code != ExitFailed || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%s: exit %d, stderr %q; want exit %d and %q", name, got.code, got.stderr, ExitFailed, c.want)
		}
	}
	rewritten := exported(t, forged, "audit", "export")
	if got := alone.run("audit", "verify", rewritten); got.code != ExitDone {
		t.Errorf("a log that was rewritten with its own checkpoints is found without a witness: %s", got.stderr)
	}
	if got := alone.run("audit", "verify", rewritten, "--witness", witness); got.code != ExitFailed || !strings.Contains(got.stderr, "entry 9 does not fit") ||
		!strings.Contains(got.stderr, "the parent keeps") {
		t.Errorf("a log that was rewritten, with what the parent keeps: exit %d, %s", got.code, got.stderr)
	}
	if got := alone.run("audit", "verify", file, "--witness", witness); got.code != ExitDone || !strings.Contains(got.out, "1 of them kept by the parent") {
		t.Errorf("an honest log with what the parent keeps: exit %d, %s%s", got.code, got.out, got.stderr)
	}
}

func TestTheSitesVerdictIsTold(t *testing.T) {
	parts := []*apipb.VerifyAuditResponse{
		{Entries: 10, NextSequence: 11, Checkpoints: 2, Remarks: []string{"the parent could not be asked"}},
		{Entries: 5, Checkpoints: 1, Witnessed: 1, Remarks: []string{"the parent could not be asked"}},
	}
	node := newFakeNode(t, func(_ context.Context, _ string, q proto.Message) (proto.Message, error) {
		if q.(*apipb.VerifyAuditRequest).FromSequence == 11 {
			return parts[1], nil
		}
		return parts[0], nil
	})
	out := at(t, node).done(t, "audit", "verify")
	if out != "remark: the parent could not be asked\nthe audit log is whole: 15 entries, 3 checkpoints fit, 1 of them kept by the parent\n" {
		t.Errorf("a whole log is told as %q", out)
	}
	parts[1].Problems = []string{"entry 12 does not fit: it was changed", "entry 14 is missing"}
	got := at(t, node).run("audit", "verify")
	if got.code != ExitFailed || !strings.Contains(got.out, "problem: entry 14 is missing\n") || !strings.Contains(got.stderr, "entry 12 does not fit") {
		t.Errorf("a changed log is told as %+v", got)
	}
}

func TestTheAuditLogIsShown(t *testing.T) {
	s := newAuditedSite(t, 7, nil)
	node := newFakeNode(t, s.reply)
	out := at(t, node).done(t, "audit", "list", "--filter", "actor = li", "--limit", "4")
	if strings.Count(out, "user.update ×3") != 4 || !strings.HasPrefix(out, "ENTRY") {
		t.Errorf("four entries are shown as\n%s", out)
	}
	seen := node.seen()
	first, second := seen[0].request.(*apipb.ListAuditRequest), seen[1].request.(*apipb.ListAuditRequest)
	if !first.NewestFirst || first.Filter != "actor = li" || first.PageSize != 4 || second.PageSize != 2 || first.Raw {
		t.Errorf("the site is asked for %v and %v", first, second)
	}
	at(t, node).run("audit", "list", "--limit", "-1").oneErrorLine(t, ExitUsage)
	at(t, node).run("audit", "verify", "--witness", "x").oneErrorLine(t, ExitUsage)
	at(t, node).run("audit", "verify", "/does/not/exist").oneErrorLine(t, ExitUsage)
	at(t, node).run("audit", "export", "/does/not/exist/file").oneErrorLine(t, ExitUsage)
}
