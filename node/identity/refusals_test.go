package identity

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestARefusalIsToldOnceAnHour(t *testing.T) {
	var log bytes.Buffer
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	r := NewRefusals(slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	lines := func() int {
		defer log.Reset()
		return strings.Count(log.String(), "\n")
	}
	for port := range 100 {
		r.Tell(fmt.Sprintf("10.0.0.1:%d", 40000+port), "unknown authority")
	}
	if got := lines(); got != 1 {
		t.Errorf("100 attempts of a host made %d lines, want 1", got)
	}
	r.Tell("10.0.0.1:1", "revoked")
	r.Tell("10.0.0.2:1", "unknown authority")
	r.Tell("tierdesk://330106/n1", "unknown authority")
	if !strings.Contains(log.String(), "remote=tierdesk://330106/n1") {
		t.Errorf("a host known by its name alone is not named: %s", log.String())
	}
	if got := lines(); got != 3 {
		t.Errorf("another reason and two other hosts made %d lines, want 3", got)
	}
	now = now.Add(time.Hour)
	r.Tell("10.0.0.1:2", "unknown authority")
	now = now.Add(-24 * time.Hour)
	r.Tell("10.0.0.1:3", "unknown authority")
	if got := lines(); got != 2 {
		t.Errorf("an hour later, and on a clock that was set back, there were %d lines, want 2", got)
	}
}

func TestManyRefusalsFillNeitherMemoryNorLog(t *testing.T) {
	var log bytes.Buffer
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	r := NewRefusals(slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	for host := range 10 * maxRefusals {
		r.Tell(fmt.Sprintf("[2001:db8::%x]:7400", host), "unknown authority")
	}
	if got := strings.Count(log.String(), "\n"); got != maxRefusals+1 || len(r.told) != maxRefusals {
		t.Errorf("%d lines and %d remembered, want %d and one that says so", got, len(r.told), maxRefusals)
	}
	log.Reset()
	now = now.Add(time.Hour)
	r.Tell("10.0.0.1:7400", "unknown authority")
	if got := strings.Count(log.String(), "\n"); got != 1 || len(r.told) != 1 {
		t.Errorf("an hour later %d lines and %d remembered, want 1 and 1", got, len(r.told))
	}
}
