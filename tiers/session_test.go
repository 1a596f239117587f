package tiers

import (
	"errors"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// What an older stream delivered and had acknowledged behind this stream's back is not pending here for ever.
func TestOvertakenStreamDialsAgain(t *testing.T) {
	child, parent := pair(t)
	for ship(t, child, parent) {
	}
	n := newNode(t, county, child)
	link := child.link(parent.id)
	if link.AckedSequence == 0 || link.AckedSequence != link.SentSequence {
		t.Fatalf("the link is %v, want all of it acknowledged", link)
	}
	theirs := &linkpb.Hello{Site: string(parent.id), Incarnation: city.Incarnation, ReceivedSequence: link.AckedSequence - 1}
	s := newSession(n.tiers, wire{}, theirs)
	s.begin(&linkpb.Hello{Incarnation: county.Incarnation}, theirs)
	if err := s.sendItems(t.Context()); !errors.Is(err, errOvertaken) {
		t.Errorf("sending ended with %v, want %v", err, errOvertaken)
	}
}

// A node of the parent that does not reach its leader is given up after a while: another one may.
func TestStreamToACutOffNodeIsGivenUp(t *testing.T) {
	top := newNode(t, province, newOffice(t, province, wall))
	cutOff := newNode(t, city, newOffice(t, city, wall), top.address)
	bottom := newNode(t, county, newOffice(t, county, wall), cutOff.address)
	eventually(t, "the link is up", func() bool { return bottom.state(cutOff.id) == Up })
	cutOff.loseMajority(true)
	eventually(t, "the link is not shown as up any more", func() bool { return bottom.state(cutOff.id) != Up })
	eventually(t, "the stream is given up", func() bool {
		return bottom.state(cutOff.id) == Down && strings.Contains(bottom.status(cutOff.id).Reason, "majority")
	})
	cutOff.loseMajority(false)
	eventually(t, "the link is up again", func() bool { return bottom.state(cutOff.id) == Up })
}

// A log that takes nothing for long ends the stream with the reason; it is not asked for ever.
func TestStreamEndsWhenTheLogTakesNothing(t *testing.T) {
	child, parent := pair(t)
	n := newNode(t, county, child)
	n.tiers.pace.insist = 5 * n.tiers.pace.retry
	theirs := &linkpb.Hello{Site: string(parent.id), Incarnation: city.Incarnation}
	s := newSession(n.tiers, wire{}, theirs)
	s.begin(&linkpb.Hello{Incarnation: county.Incarnation}, theirs)
	n.loseMajority(true)
	c := batch(parent, child, 0, 10)
	err := s.applyRun(t.Context(), []*linkpb.Items{{First: c.First, Items: c.Items, Hash: c.Hash}})
	if !errors.Is(err, errNoMajority) || !strings.Contains(err.Error(), "330106 has not taken a command") {
		t.Errorf("applying ended with %v, want the site and the reason of its log", err)
	}
	s.acked.Store(1)
	if err := s.acknowledge(t.Context()); !errors.Is(err, errNoMajority) {
		t.Errorf("acknowledging ended with %v, want the reason of the log", err)
	}
}
