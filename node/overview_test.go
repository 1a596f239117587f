package node

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/peers"
	"github.com/tierdesk/tierdesk/tiers"
)

func TestLinkMessageTellsHowTheLinkStands(t *testing.T) {
	since, oldest := time.UnixMicro(5_000_000), time.UnixMicro(4_000_000)
	end := &deskpb.Link{Peer: "330100", AckedTime: 3_000_000, ReceivedTime: 2_000_000, Parked: 6}
	for _, tt := range []struct {
		name    string
		status  tiers.LinkStatus
		waiting tiers.Waiting
		want    *apipb.LinkStatus
	}{
		{"a link that catches up", tiers.LinkStatus{Peer: "330100", State: tiers.CatchingUp, Since: since, Rate: 1000, Sent: 10, Received: 20},
			tiers.Waiting{Items: 2500, Oldest: oldest, Queued: 3, InTransit: 4},
			&apipb.LinkStatus{State: apipb.LinkStatus_CATCHING_UP, Since: timestamppb.New(since), Pending: 2500, Queued: 3, InTransit: 4,
				Estimate: durationpb.New(3 * time.Second), OldestPendingTime: timestamppb.New(oldest), SentBytes: 10, ReceivedBytes: 20}},
		{"a link that compares", tiers.LinkStatus{Peer: "330100", State: tiers.CatchingUp, Since: since, Comparing: true, Compared: 7, Compares: 9},
			tiers.Waiting{},
			&apipb.LinkStatus{State: apipb.LinkStatus_CATCHING_UP, Since: timestamppb.New(since), Comparing: true, Compared: 7, ToCompare: 9}},
		{"a link that is down", tiers.LinkStatus{Peer: "330100", State: tiers.Down, Since: since, Reason: "no route"},
			tiers.Waiting{Items: 1},
			&apipb.LinkStatus{State: apipb.LinkStatus_DOWN, Since: timestamppb.New(since), Reason: "no route", Pending: 1}},
		{"a link that no node carries", tiers.LinkStatus{}, tiers.Waiting{Items: 1, Oldest: oldest},
			&apipb.LinkStatus{State: apipb.LinkStatus_DOWN, Since: timestamppb.New(time.UnixMicro(3_000_000)), Pending: 1,
				OldestPendingTime: timestamppb.New(oldest), Reason: "it was not up since this site's nodes started"}},
	} {
		tt.want.Peer, tt.want.Parked, tt.want.LastAckTime = "330100", 6, timestamppb.New(time.UnixMicro(3_000_000))
		if got := linkMessage(end, tt.status, tt.waiting); !proto.Equal(got, tt.want) {
			t.Errorf("%s is shown as %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestEstimateIsBounded(t *testing.T) {
	for _, tt := range []struct {
		items uint64
		rate  float64
		want  time.Duration
	}{{10, 4, 3 * time.Second}, {1, 1e9, time.Second}, {1 << 62, 1e-9, longestEstimate}} {
		if got := estimate(tt.items, tt.rate).AsDuration(); got != tt.want {
			t.Errorf("%d items at %v a second take %s, want %s", tt.items, tt.rate, got, tt.want)
		}
	}
	if got := estimate(0, 5); got != nil {
		t.Errorf("nothing takes %s", got.AsDuration())
	}
	if got := estimate(5, 0); got != nil {
		t.Errorf("what does not move takes %s", got.AsDuration())
	}
}

// Of several nodes' words on one link the better one holds, and the node that said it carries the link.
func TestSurveyNamesTheCarrier(t *testing.T) {
	s := survey{
		answered: map[string]bool{}, links: map[desk.SiteID]tiers.LinkStatus{}, carriers: map[desk.SiteID]string{},
		reach: map[desk.SiteID]tiers.Reach{},
	}
	s.add("a", peers.Links{Node: "n1", Links: []tiers.LinkStatus{{Peer: "330106", State: tiers.Down}, {Peer: "330108", State: tiers.Down}}})
	s.add("b", peers.Links{Node: "n2", Links: []tiers.LinkStatus{{Peer: "330106", State: tiers.Up}}})
	s.add("c", peers.Links{Node: "n3", Links: []tiers.LinkStatus{{Peer: "330106", State: tiers.Down}}})
	if got := s.carriers["330106"]; got != "n2" || s.links["330106"].State != tiers.Up {
		t.Errorf("330106 is carried by %q in state %s, want n2 and UP", got, s.links["330106"].State)
	}
	if got, named := s.carriers["330108"]; named {
		t.Errorf("330108 is down and carried by %q", got)
	}
}
