package client

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func TestSupersededStepsAreShownAsSuch(t *testing.T) {
	at := timestamppb.New(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC))
	entries := []*apipb.JournalEntry{
		{Time: at, Site: "330106", Type: "OPENED"},
		{Time: at, Site: "330100", Type: "ACCEPTED", Superseded: true},
		{Time: at, Site: "330000", Type: "RECLAIMED"},
	}
	p := &printer{english: true, location: time.UTC, names: chineseNames()}
	lines := strings.Split(strings.TrimSpace(p.journal(new(table), entries)), "\n")
	if len(lines) != len(entries) {
		t.Fatalf("the journal has %d lines, want %d:\n%s", len(lines), len(entries), strings.Join(lines, "\n"))
	}
	for i, line := range lines {
		if strings.Contains(line, "superseded") != entries[i].GetSuperseded() {
			t.Errorf("%s is shown as %q", entries[i].GetType(), line)
		}
	}
	if got, want := p.journey(&deskpb.Ticket{HomeSite: "330106"}, entries), "330106 → 330000"; got != want {
		t.Errorf("the journey is %q, want %q", got, want)
	}
}
