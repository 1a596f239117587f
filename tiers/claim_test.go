package tiers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
)

// A second site under the name of a child whose link lives is refused with an alarm at both ends, whatever its Raft term;
// the link of the first one never notices.
func TestClaimantDoesNotDisturbTheLivingLink(t *testing.T) {
	for _, term := range []uint64{1, 99} {
		t.Run(fmt.Sprintf("Raft term %d", term), func(t *testing.T) {
			middle := newNode(t, city, newOffice(t, city, wall))
			o := newOffice(t, county, wall)
			o.lead(true, 7)
			first := newNode(t, county, o, middle.address)
			eventually(t, "the link is up", func() bool { return first.state(middle.id) == Up && middle.state(first.id) == Up })
			living := middle.tiers.live(first.id)

			other := proto.CloneOf(county)
			other.Incarnation = 0xCC
			o = newOffice(t, other, wall)
			o.lead(true, term)
			second := newNode(t, other, o, middle.address)
			for _, n := range []*node{second, middle} {
				eventually(t, fmt.Sprintf("%s says that there was another founding", n.id), func() bool {
					alarms := n.tiers.Alarms()
					return len(alarms) == 1 && strings.Contains(alarms[0], "330106 was founded anew")
				})
			}
			calm := time.Now().Add(2 * quick().silence)
			eventually(t, "the living stream is older than any calm", func() bool { return time.Now().After(calm) })
			if len(middle.tiers.Alarms()) != 1 {
				t.Error("the living link ended the alarm about the other site")
			}
			if middle.tiers.live(first.id) != living || first.state(middle.id) != Up || middle.state(first.id) != Up {
				t.Errorf("the living link is %+v and %+v, want it undisturbed", first.status(middle.id), middle.status(first.id))
			}
			if got := second.status(middle.id); got.State != Down || !strings.Contains(got.Reason, "founded anew") {
				t.Errorf("the second site shows %+v, want DOWN with the reason", got)
			}
			number := second.open(t, "本地照常受理")
			if holder(second.office, number) != "330106" {
				t.Error("the refused site does not work locally")
			}
		})
	}
}
