package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// backupText stands for a backup of two and a half messages.
func backupText() string { return strings.Repeat("0123456789", backupChunk/4) }

// tracked is a stream that tells when it was closed.
type tracked struct {
	io.Reader
	closed chan struct{}
}

func (t tracked) Close() error {
	close(t.closed)
	return nil
}

func (s *memorySite) Backup(_ context.Context, stale bool) (io.ReadCloser, *apipb.Backup, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failWith != nil && !stale {
		return nil, nil, s.failWith
	}
	if s.panics {
		panic("the disk has a hole")
	}
	content := io.Reader(strings.NewReader(backupText()))
	if stale {
		content = io.MultiReader(strings.NewReader("half"), brokenReader{})
	}
	s.backedUp = make(chan struct{})
	return tracked{content, s.backedUp}, &apipb.Backup{Site: "330106", AppliedIndex: 42, Size: int64(len(backupText()))}, nil
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

func (s *memorySite) Recover(_ context.Context, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recovered = append(s.recovered, reason)
	return nil
}

func (s *memorySite) RetryParked(context.Context) (*apipb.RetryParkedResponse, error) {
	return &apipb.RetryParkedResponse{Tried: 3, Applied: 2}, nil
}

// backup asks for a backup with a token and returns what came.
func backup(t *testing.T, client apipb.RecoveriesClient, token string, stale bool) (about *apipb.Backup, content string, err error) {
	t.Helper()
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", token)
	stream, err := client.BackupSite(ctx, &apipb.BackupSiteRequest{Stale: stale})
	if err != nil {
		t.Fatal(err)
	}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return about, content, nil
		}
		if err != nil {
			return about, content, err
		}
		if message.Backup != nil {
			about = message.Backup
		}
		content += string(message.Data)
	}
}

func TestABackupStreamsToAdministratorsAlone(t *testing.T) {
	a := newTestAPI(t)
	client := apipb.NewRecoveriesClient(a.dial(t))
	about, content, err := backup(t, client, "Bearer admin", false)
	if err != nil || about.GetSite() != "330106" || content != backupText() {
		t.Errorf("a backup of %v with %d bytes, %v; want one of 330106 with %d", about, len(content), err, len(backupText()))
	}
	<-a.site.backedUp // the test hangs when the stream stays open
	for _, c := range []struct {
		what, token string
		code        codes.Code
	}{
		{"nobody", "", codes.Unauthenticated}, {"a stranger", "Bearer wang", codes.Unauthenticated}, {"an agent", "Bearer li", codes.PermissionDenied},
	} {
		if about, content, err := backup(t, client, c.token, false); status.Code(err) != c.code || about != nil || content != "" {
			t.Errorf("%s got %v and %d bytes, %v; want %v", c.what, about, len(content), err, c.code)
		}
	}
	if calls, bytes := a.server.intake.held(); calls != 0 || bytes != 0 {
		t.Errorf("%d calls with %d bytes are counted as under way", calls, bytes)
	}
}

func TestABackupThatBreaksSaysSo(t *testing.T) {
	a := newTestAPI(t)
	client := apipb.NewRecoveriesClient(a.dial(t))
	_, content, err := backup(t, client, "Bearer admin", true)
	if status.Code(err) != codes.Internal || strings.Contains(err.Error(), "the disk is gone") || content != "half" {
		t.Errorf("a broken disk: %q, %v; want a fault without its cause", content, err)
	}
	<-a.site.backedUp
	a.site.set(func() { a.site.panics = true })
	if _, _, err := backup(t, client, "Bearer admin", false); status.Code(err) != codes.Internal {
		t.Errorf("a panic: %v", err)
	}
	a.site.set(func() { a.site.panics, a.site.failWith = false, status.Error(codes.Unavailable, "no leader") })
	if _, _, err := backup(t, client, "Bearer admin", false); status.Code(err) != codes.Unavailable {
		t.Errorf("no leader: %v", err)
	}
}

func TestRecoveryOverJSON(t *testing.T) {
	a := newTestAPI(t)
	for _, c := range []struct {
		what, token, path, body string
		code                    int
		words                   string
	}{
		{"without a reason", "admin", "/api/v1/site:recover", `{"reason":" "}`, http.StatusBadRequest, "reason"},
		{"a reason too long", "admin", "/api/v1/site:recover", `{"reason":"` + strings.Repeat("长", maxReason+1) + `"}`, http.StatusBadRequest, "500"},
		{"an agent", "li", "/api/v1/site:recover", `{"reason":"x"}`, http.StatusForbidden, "for ADMINISTRATOR only"},
		{"an administrator", "admin", "/api/v1/site:recover", `{"reason":"从备份还原"}`, http.StatusOK, "{}"},
		{"parked items, an agent", "li", "/api/v1/site/parked:retry", `{}`, http.StatusForbidden, "for ADMINISTRATOR only"},
		{"parked items", "admin", "/api/v1/site/parked:retry", `{}`, http.StatusOK, `"applied":2`},
		{"a ticket that is not there", "admin", "/api/v1/tickets/330106-20261121-0042:override", `{"reason":"x"}`, http.StatusNotFound, "330106-20261121-0042"},
		{"a stream over HTTP", "admin", "/tierdesk.v1.Recoveries/BackupSite", `{}`, http.StatusNotFound, ""},
	} {
		got := a.call(http.MethodPost, c.path, c.body, header{"Authorization", "Bearer " + c.token})
		if got.status != c.code || !strings.Contains(strings.ReplaceAll(got.body, " ", ""), strings.ReplaceAll(c.words, " ", "")) {
			t.Errorf("%s: %d %s, want %d with %q", c.what, got.status, got.body, c.code, c.words)
		}
	}
	if len(a.site.recovered) != 1 || a.site.recovered[0] != "admin: 从备份还原" {
		t.Errorf("recovered for %q, want once, with who asked and why", a.site.recovered)
	}
}

// TestABackupIsWrittenDownFirst: what the audit log cannot tell of is not given out.
func TestABackupIsWrittenDownFirst(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	client := apipb.NewRecoveriesClient(a.dial(t))
	if _, content, err := backup(t, client, "Bearer admin", false); err != nil || content != backupText() {
		t.Fatalf("a backup of %d bytes, %v", len(content), err)
	}
	if n := len(a.site.audited); n != 1 || a.site.audited[0].GetAction() != audit.Backup || a.site.audited[0].GetActor() != "admin" {
		t.Errorf("the audit log is told %v", a.site.audited)
	}
	a.site.set(func() { a.site.auditing = desk.Refuse(desk.Unavailable, "NO_LEADER", "there is no leader") })
	about, content, err := backup(t, client, "Bearer admin", false)
	if status.Code(err) != codes.Unavailable || about != nil || content != "" {
		t.Errorf("without an audit log a backup has %d bytes: %v %v", len(content), about, err)
	}
	<-a.site.backedUp
}
