package tiers

import (
	"errors"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// TestFit holds the county's Hello, spoilt in one place, against the city's end of a link with a history.
func TestFit(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spoil  func(h *linkpb.Hello)
		reason string // empty: it fits
	}{
		{"the county as it is", func(*linkpb.Hello) {}, ""},
		{"a county that wrote more meanwhile", func(h *linkpb.Hello) { h.SentSequence, h.SentHash = 99, []byte("later") }, ""},
		{"a county that never met the city", func(h *linkpb.Hello) { h.PeerIncarnation = 0 }, ""},
		{"no incarnation", func(h *linkpb.Hello) { h.Incarnation = 0 }, "NOT_THE_PEER"},
		{"a county that was founded anew", func(h *linkpb.Hello) { h.Incarnation++ }, "PEER_REFOUNDED"},
		{"a later life of the county", func(h *linkpb.Hello) { h.Incarnation++; h.Letters = "K7Q" }, ""},
		{"a later life of the county that is frozen", func(h *linkpb.Hello) { h.Incarnation++; h.Letters, h.Frozen = "K7Q", true }, "PEER_FROZEN"},
		{"the county, frozen while it is compared", func(h *linkpb.Hello) { h.Frozen, h.Unsettled = true, true }, "PEER_FROZEN"},
		{"a county that knows another life of the city", func(h *linkpb.Hello) { h.PeerIncarnation++ }, ""},
		{"a mark beyond what was sent", func(h *linkpb.Hello) { h.ReceivedSequence = 99 }, "ROLLED_BACK"},
		{"a mark below the acknowledgement", func(h *linkpb.Hello) { h.ReceivedSequence, h.ReceivedHash = 0, nil }, "PEER_ROLLED_BACK"},
		{"another hash at the mark", func(h *linkpb.Hello) { h.ReceivedHash = []byte("other") }, "ROLLED_BACK"},
		{"less sent than was received", func(h *linkpb.Hello) { h.SentSequence-- }, "PEER_ROLLED_BACK"},
		{"another hash of what was sent", func(h *linkpb.Hello) { h.SentHash = []byte("other") }, "STREAM_MISMATCH"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			child, parent := pair(t)
			ship(t, child, parent)
			ship(t, parent, child)
			link := child.link(parent.id)
			hello := &linkpb.Hello{
				Site: county.Id, Incarnation: county.Incarnation, PeerIncarnation: city.Incarnation,
				SentSequence: link.SentSequence, SentHash: link.SentHash,
				ReceivedSequence: link.ReceivedSequence, ReceivedHash: link.ReceivedHash,
			}
			tt.spoil(hello)
			err := parent.View(func(r *store.Reader) error {
				_, err := fit(r, hello, time.Now().Add(time.Hour), time.Second)
				return err
			})
			var refusal *desk.Refusal
			switch {
			case tt.reason == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.reason != "" && (!errors.As(err, &refusal) || refusal.Reason != tt.reason):
				t.Errorf("got %v, want a refusal with reason %s", err, tt.reason)
			}
		})
	}
}

// A Hello may be older than an acknowledgement that an older stream delivered a moment ago; that is no misfit.
func TestFitForgivesAFreshAcknowledgement(t *testing.T) {
	child, parent := pair(t)
	ship(t, parent, child)
	hello := &linkpb.Hello{Site: county.Id, Incarnation: county.Incarnation}
	err := parent.View(func(r *store.Reader) error {
		_, err := fit(r, hello, time.Now(), time.Minute)
		return err
	})
	if !errors.Is(err, errOvertaken) {
		t.Errorf("got %v, want %v", err, errOvertaken)
	}
}

// A Hello may also be older than what an older stream delivered a moment ago.
func TestFitForgivesAFreshDelivery(t *testing.T) {
	child, parent := pair(t)
	ship(t, child, parent)
	link := child.link(parent.id)
	hello := &linkpb.Hello{Site: county.Id, Incarnation: county.Incarnation, SentSequence: link.SentSequence - 1}
	err := parent.View(func(r *store.Reader) error {
		_, err := fit(r, hello, time.Now(), time.Minute)
		return err
	})
	if !errors.Is(err, errOvertaken) {
		t.Errorf("got %v, want %v", err, errOvertaken)
	}
}

// The log is dated by the site's clock, which may differ from the machine's: it alone tells what is fresh.
func TestTheSitesClockTellsWhatIsFresh(t *testing.T) {
	later := wall() + time.Hour.Microseconds()
	still := func() int64 { return later }
	middle := newNode(t, city, newOffice(t, city, still))
	bottom := newNode(t, county, newOffice(t, county, still), middle.address)
	bottom.open(t, "无法登录")
	eventually(t, "everything is acknowledged", func() bool {
		l := bottom.link(middle.id)
		return l.SentSequence > 0 && l.AckedSequence == l.SentSequence
	})
	link := bottom.link(middle.id)
	if link.AckedTime != later {
		t.Errorf("the acknowledgement is of %v, the site's clock says %v", time.UnixMicro(link.AckedTime), time.UnixMicro(later))
	}
	hello := &linkpb.Hello{
		Site: county.Id, Parent: city.Id, Incarnation: county.Incarnation, PeerIncarnation: city.Incarnation, SentSequence: link.SentSequence - 1,
	}
	if _, err := middle.tiers.examine(t.Context(), hello); !errors.Is(err, errOvertaken) {
		t.Errorf("a Hello older than a delivery of this moment: %v, want %v", err, errOvertaken)
	}
}

// A child may call while its parent is being founded; that is no misfit and no alarm, it calls again.
func TestSiteThatIsNotFoundedYetBlamesNobody(t *testing.T) {
	n := newNode(t, city, newGround(t, city, wall))
	hello := &linkpb.Hello{Site: county.Id, Incarnation: county.Incarnation, PeerIncarnation: 7}
	if _, err := n.tiers.examine(t.Context(), hello); !errors.Is(err, errNotFounded) || isRefusal(err) {
		t.Errorf("got %v, want %v and no refusal", err, errNotFounded)
	}
}
