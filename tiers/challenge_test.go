package tiers

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// A copy of a county that has written something of its own cannot be told from the county by its first Hello. The
// county's stream goes on undisturbed, and the copy freezes.
func TestACopyThatIsAheadDoesNotTakeTheLink(t *testing.T) {
	middle := newNode(t, city, newOffice(t, city, wall))
	original := newNode(t, county, newOffice(t, county, wall), middle.address)
	original.open(t, "网络中断")
	eventually(t, "everything of the county is acknowledged", func() bool {
		l := original.link(middle.id)
		return original.state(middle.id) == Up && l.SentSequence > 0 && l.AckedSequence == l.SentSequence
	})
	living := middle.tiers.live(original.id)

	other := newOffice(t, county, wall)
	for range 5 {
		other.open(t, "打印机故障")
	}
	other.lead(true, 7)
	soon := quick()
	soon.departed = 500 * time.Millisecond
	copied := newNodeAt(t, soon, county, other, middle.address)
	eventually(t, "the copy decides nothing any more", func() bool {
		return strings.Contains(copied.site().Frozen, "two copies of 330106 run")
	})
	if copied.counted(t, "tierdesk_site_frozen") != 1 {
		t.Error("the gauge of the copy does not say that it is frozen")
	}
	if middle.tiers.live(original.id) != living || original.state(middle.id) != Up {
		t.Error("the county's own stream was ended by a copy of the county")
	}
	if site := original.site(); site.Frozen != "" || site.Incarnation != county.Incarnation {
		t.Errorf("the county is %v after a copy of it called, want it untouched", site)
	}
}

// The parent knows of item 5 of the caller, and that the caller has acknowledged item 3.
func TestWhatAChallengeShows(t *testing.T) {
	link := &deskpb.Link{ReceivedSequence: 5, ReceivedHash: []byte("five"), AckedSequence: 3}
	for _, tt := range []struct {
		name   string
		answer *linkpb.Hello
		reason string // "" for the same site
	}{
		{"the same history", &linkpb.Hello{SentSequence: 5, ReceivedSequence: 3, ChallengedHash: []byte("five")}, ""},
		{"the same history and more", &linkpb.Hello{SentSequence: 9, ReceivedSequence: 4, ChallengedHash: []byte("five")}, ""},
		{"another history", &linkpb.Hello{SentSequence: 9, ReceivedSequence: 3, ChallengedHash: []byte("other")}, streamMismatch},
		{"less than was received", &linkpb.Hello{SentSequence: 4, ReceivedSequence: 3}, peerRolledBack},
		{"less than it acknowledged", &linkpb.Hello{SentSequence: 5, ReceivedSequence: 2, ChallengedHash: []byte("five")}, peerRolledBack},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var refusal *desk.Refusal
			err := sameHistory(link, tt.answer)
			if errors.As(err, &refusal); refusal == nil && err != nil || tt.reason == "" && err != nil ||
				tt.reason != "" && (refusal == nil || refusal.Reason != tt.reason) {
				t.Errorf("got %v, want reason %q", err, tt.reason)
			}
		})
	}
	overtaken := &linkpb.Hello{SentSequence: 9, ReceivedSequence: 3}
	if err := sameHistory(link, overtaken); !errors.Is(err, errOvertaken) {
		t.Errorf("the item was acknowledged since: got %v, want %v", err, errOvertaken)
	}
}
