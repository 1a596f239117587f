package client

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// realBackup is what a node sends.
func realBackup(t *testing.T) []byte {
	t.Helper()
	s, err := store.Open(store.Options{Dir: "data", FS: vfs.NewMem(), Site: "330106", Node: "n1", CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	b := s.NewBatch()
	if err := errors.Join(b.PutSite(&deskpb.Site{Id: "330106", Name: "西湖区"}), b.Commit(42, 1)); err != nil {
		t.Fatal(err)
	}
	r, _, _, err := s.Backup()
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	return content
}

// sends streams a backup in small messages and then ends with the error.
func sends(content []byte, then error) func(grpc.ServerStreamingServer[apipb.BackupSiteResponse]) error {
	return func(stream grpc.ServerStreamingServer[apipb.BackupSiteResponse]) error {
		about := &apipb.Backup{Site: "330106", AppliedIndex: 42, Size: int64(len(content))}
		if err := stream.Send(&apipb.BackupSiteResponse{Backup: about}); err != nil {
			return err
		}
		for rest := content; len(rest) > 0; {
			n := min(1000, len(rest))
			if err := stream.Send(&apipb.BackupSiteResponse{Data: rest[:n]}); err != nil {
				return err
			}
			rest = rest[n:]
		}
		return then
	}
}

func TestABackupIsWrittenWhole(t *testing.T) {
	content := realBackup(t)
	node := newFakeNode(t, nil)
	node.backup = sends(content, nil)
	s := at(t, node)
	s.environ["TIERDESK_TOKEN"] = "the-token"
	path := filepath.Join(t.TempDir(), "330106.backup")
	if err := os.WriteFile(path, []byte("the last one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if words := s.done(t, "backup", path); !strings.Contains(words, "330106: log entry 42") {
		t.Errorf("it says %q", words)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the file has %d bytes, %v, want the %d of the backup", len(got), err, len(content))
	}
	if got := s.done(t, "backup", "-", "--stale"); got != string(content) {
		t.Errorf("standard output has %d bytes, want the %d of the backup and nothing else", len(got), len(content))
	}
	calls := node.seen()
	if len(calls) != 2 || calls[0].authorization != "Bearer the-token" || !calls[1].request.(*apipb.BackupSiteRequest).Stale {
		t.Errorf("the node saw %v", calls)
	}
}

// Whatever goes wrong, the file of the last backup stays and nothing is left beside it.
func TestABackupThatFailsLeavesTheLastOne(t *testing.T) {
	content := realBackup(t)
	damaged := bytes.Clone(content)
	damaged[len(damaged)/2] ^= 1
	for _, c := range []struct {
		name  string
		sends func(grpc.ServerStreamingServer[apipb.BackupSiteResponse]) error
		exit  int
		words string
		wait  time.Duration
	}{
		{"damaged on the way", sends(damaged, nil), ExitFailed, "checksum", generous},
		{"cut without a word", sends(content[:len(content)/2], nil), ExitFailed, "ends inside its file", generous},
		{"the node stops", sends(content[:2000], refusal(t, codes.Unavailable, "the node is stopping", "STOPPING", "")), ExitUnreachable, "the node is stopping", generous},
		{"not allowed", func(grpc.ServerStreamingServer[apipb.BackupSiteResponse]) error {
			return refusal(t, codes.PermissionDenied, "li is not an administrator", "ADMINISTRATORS_ONLY", "")
		}, ExitRefused, "li is not an administrator", generous},
		{"another one is made", func(grpc.ServerStreamingServer[apipb.BackupSiteResponse]) error {
			return refusal(t, codes.ResourceExhausted, "a backup is being made", "BACKUP_UNDER_WAY", "")
		}, ExitUnreachable, "a backup is being made; try again in a moment", generous},
		{"nothing comes", func(stream grpc.ServerStreamingServer[apipb.BackupSiteResponse]) error {
			<-stream.Context().Done()
			return nil
		}, ExitUnreachable, "nothing came for 300ms", 300 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			node := newFakeNode(t, nil)
			node.backup = c.sends
			path := filepath.Join(t.TempDir(), "330106.backup")
			if err := os.WriteFile(path, []byte("the last one"), 0o600); err != nil {
				t.Fatal(err)
			}
			got := at(t, node).run("backup", path, "--timeout", c.wait.String())
			got.oneErrorLine(t, c.exit)
			if !strings.Contains(got.stderr, c.words) {
				t.Errorf("stderr %q, want %q", got.stderr, c.words)
			}
			left, err := os.ReadDir(filepath.Dir(path))
			if err != nil || len(left) != 1 {
				t.Errorf("the directory holds %v, %v; want the last backup alone", left, err)
			}
			if kept, err := os.ReadFile(path); err != nil || string(kept) != "the last one" {
				t.Errorf("the last backup became %.20q, %v", kept, err)
			}
		})
	}
}

func TestProgressIsTold(t *testing.T) {
	var told bytes.Buffer
	if _, err := io.Copy(io.Discard, WithProgress(strings.NewReader("12345678"), 8, "backup", &told)); err != nil {
		t.Fatal(err)
	}
	if got := told.String(); !strings.Contains(got, "backup: 0 / 0 MiB, 100 %") || !strings.HasSuffix(got, clearLine) {
		t.Errorf("it told %q, want how much came, and a clean line at the end", got)
	}
	from := strings.NewReader("x")
	if WithProgress(from, 1, "backup", nil) != io.Reader(from) {
		t.Error("the reader is another one although nobody watches")
	}
}
