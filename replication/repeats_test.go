package replication

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

func TestANodeThatIsAwayDoesNotFloodTheLog(t *testing.T) {
	var log bytes.Buffer
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	s := sink{slog.New(slog.NewTextHandler(&log, nil)), newRepeats(func() time.Time { return now })}
	lines := func() int {
		defer log.Reset()
		return strings.Count(log.String(), "\n")
	}
	for try := range 100 {
		s.Accept("raft", hclog.Error, "failed to heartbeat to", "peer", "127.0.0.1:7411", "error", fmt.Sprint("attempt ", try))
	}
	if got := lines(); got != mostEqual {
		t.Errorf("100 heartbeats to a node that is away made %d lines, want %d", got, mostEqual)
	}
	s.Accept("raft", hclog.Error, "failed to heartbeat to", "peer", "127.0.0.1:7421", "error", "refused")
	s.Accept("raft", hclog.Error, "failed to appendEntries to", "peer", "127.0.0.1:7411", "error", "refused")
	s.Accept("raft", hclog.Info, "entering leader state")
	if got := lines(); got != 3 {
		t.Errorf("another node and other messages made %d lines, want 3", got)
	}
	now = now.Add(equalWithin)
	s.Accept("raft", hclog.Error, "failed to heartbeat to", "peer", "127.0.0.1:7411", "error", "refused")
	if got := log.String(); !strings.Contains(got, fmt.Sprintf("held_back=%d", 100-mostEqual)) {
		t.Errorf("a minute later: %q; want how many were held back", got)
	}
	for range 2 * mostEqual {
		s.Accept("raft", hclog.Error, "failed to heartbeat to", "peer", "127.0.0.1:7411", "error", "refused")
	}
	now = now.Add(-time.Hour)
	log.Reset()
	s.Accept("raft", hclog.Error, "failed to heartbeat to", "peer", "127.0.0.1:7411", "error", "refused")
	if got := lines(); got != 1 {
		t.Errorf("on a clock that was set back there were %d lines, want 1", got)
	}
}

func TestManyMessagesAreToldRatherThanRemembered(t *testing.T) {
	r := newRepeats(func() time.Time { return time.Unix(0, 0) })
	for n := range 2 * maxEqual {
		if _, ok := r.tell(fmt.Sprint("message ", n)); !ok {
			t.Fatalf("message %d, the first of its kind, was held back", n)
		}
	}
	if len(r.told) != maxEqual {
		t.Errorf("%d messages are remembered, want %d", len(r.told), maxEqual)
	}
}
