package page

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
)

// TestTheSecretOfALinkIsInNoLog has a page fail whose address is a secret.
func TestTheSecretOfALinkIsInNoLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	k, mux := newKit(t), http.NewServeMux()
	k.Logger = slog.New(slog.NewTextHandler(&log, nil))
	room := aRoom(nil)
	room.Routes = []Route{{Pattern: "GET /room/{token}/part", Open: true, Serve: func(*Visit) error {
		return desk.Refuse(desk.Unavailable, "NO_LEADER", "the site has no leader")
	}}}
	if err := k.Add(mux, room); err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/room/s3cret/part", nil))
	if answer.Code != http.StatusServiceUnavailable {
		t.Fatalf("the page is answered %d", answer.Code)
	}
	if told := log.String(); strings.Contains(told, "s3cret") || !strings.Contains(told, "/room/{token}/part") {
		t.Errorf("the log says %q", told)
	}
}
