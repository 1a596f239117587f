package node

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// Overview tells of this site's nodes and links as this node's state and the nodes that answer in time have it. It works
// without a leader.
func (b *backend) Overview(ctx context.Context) (*apipb.GetSiteResponse, error) {
	survey := b.survey(ctx)
	status := b.site.replica.Status()
	overview := &apipb.GetSiteResponse{
		Site: &apipb.Site{
			Id: b.node.config.Site.ID, Name: b.node.config.DisplayName(),
			Tier: apipb.Site_Tier(b.node.config.Site.Tier.Proto()),
		},
		Term: status.Term, AppliedIndex: status.Applied, Alarms: survey.alarms,
	}
	if status.Leader != "" {
		overview.Leader = nodeOf(status.Leader)
	}
	err := b.site.View(func(r *store.Reader) error {
		own, err := r.SiteInfo(b.Site())
		if err != nil {
			return err
		}
		if err := b.life(r, overview); err != nil {
			return err
		}
		if overview.Site.Parent, err = b.node.parentIn(r); err != nil {
			return err
		}
		if overview.MajorIncidents, err = majors(r); err != nil {
			return err
		}
		denials, alarms, err := denied(r)
		if err != nil {
			return err
		}
		overview.Denials, overview.Alarms = denials, append(overview.Alarms, alarms...)
		overview.Nodes = nodes(own, status, survey.answered)
		overview.Links, err = b.links(r, survey)
		return err
	})
	return overview, err
}

// mostMajors bounds the major incidents that the overview names.
const mostMajors = 20

// majors lists the major incidents that nobody has solved yet.
func majors(r *store.Reader) ([]*apipb.MajorIncident, error) {
	records, err := r.Majors(mostMajors)
	if err != nil {
		return nil, err
	}
	var open []*apipb.MajorIncident
	for _, record := range records {
		t := record.GetTicket()
		open = append(open, &apipb.MajorIncident{
			Number: t.GetNumber(), Title: t.GetTitle(), CustodianSite: t.GetCustodianSite(), OpenTime: t.GetOpenTime(),
		})
	}
	return open, nil
}

// nodes lists the members of the group with the addresses that they registered, by server id.
func nodes(own *deskpb.SiteInfo, status replication.Status, answered map[string]bool) []*apipb.Node {
	registered := map[string]*deskpb.NodeInfo{}
	for _, info := range own.GetNodes() {
		registered[info.ServerId] = info
	}
	var all []*apipb.Node
	for _, member := range status.Members {
		info := registered[member.ID]
		if info == nil {
			info = &deskpb.NodeInfo{Id: nodeOf(member.ID), ServerId: member.ID, Raft: member.Raft, Grpc: member.GRPC}
		}
		node := nodeMessage(info)
		node.Alive = answered[member.ID]
		switch {
		case member.ID == status.Leader:
			node.Role = apipb.Node_LEADER
		case member.Voter:
			node.Role = apipb.Node_FOLLOWER
		default:
			node.Role = apipb.Node_LEARNER
		}
		all = append(all, node)
	}
	slices.SortFunc(all, func(a, b *apipb.Node) int { return cmp.Compare(a.ServerId, b.ServerId) })
	return all
}

func nodeMessage(info *deskpb.NodeInfo) *apipb.Node {
	return &apipb.Node{
		Id: info.Id, ServerId: info.ServerId,
		Addresses: &apipb.Addresses{Http: info.Http, Grpc: info.Grpc, Raft: info.Raft, Gossip: info.Gossip},
	}
}

// links lists every neighbour: the configured parent, and the children that the directory or a link names.
func (b *backend) links(r *store.Reader, s survey) ([]*apipb.LinkStatus, error) {
	neighbours, err := b.neighbours(r)
	if err != nil {
		return nil, err
	}
	parent, err := b.node.parentIn(r)
	if err != nil {
		return nil, err
	}
	var all []*apipb.LinkStatus
	for _, peer := range neighbours {
		end, err := r.Link(peer)
		if err != nil {
			return nil, err
		}
		waiting, err := tiers.ReadWaiting(r, peer)
		if err != nil {
			return nil, err
		}
		link := linkMessage(end, s.links[peer], waiting)
		link.Node = s.carriers[peer]
		link.Direction = apipb.LinkStatus_CHILD
		if string(peer) == parent {
			link.Direction = apipb.LinkStatus_PARENT
		}
		all = append(all, link)
	}
	return all, nil
}

// neighbours lists the parent first, then the children by id.
func (b *backend) neighbours(r *store.Reader) ([]desk.SiteID, error) {
	ends, err := r.Links()
	if err != nil {
		return nil, err
	}
	directory, err := r.Directory()
	if err != nil {
		return nil, err
	}
	above, err := b.node.parentIn(r)
	if err != nil {
		return nil, err
	}
	parent := desk.SiteID(above)
	var children []desk.SiteID
	for _, info := range directory {
		stands, err := tiers.ParentOf(r, desk.SiteID(info.Id))
		if err != nil {
			return nil, err
		}
		if stands == b.Site() {
			children = append(children, desk.SiteID(info.Id))
		}
	}
	for _, end := range ends {
		if desk.SiteID(end.Peer) != parent && end.PeerIncarnation != 0 {
			children = append(children, desk.SiteID(end.Peer))
		}
	}
	slices.Sort(children)
	children = slices.Compact(children)
	if parent == "" {
		return children, nil
	}
	return append([]desk.SiteID{parent}, children...), nil
}

// linkMessage joins what the log knows of a link with how it stands now. A link of which no node knows was not up since
// the nodes began, and was last heard of when the log last moved for it.
func linkMessage(end *deskpb.Link, status tiers.LinkStatus, waiting tiers.Waiting) *apipb.LinkStatus {
	link := &apipb.LinkStatus{
		Peer:              end.Peer,
		State:             apipb.LinkStatus_DOWN,
		Since:             timeMessage(status.Since),
		LastAckTime:       microMessage(end.AckedTime),
		Pending:           saturated(waiting.Items),
		OldestPendingTime: timeMessage(waiting.Oldest),
		Estimate:          estimate(waiting.Items, status.Rate),
		Reason:            status.Reason,
		Queued:            int32(waiting.Queued),
		InTransit:         int32(waiting.InTransit),
		Parked:            saturated(end.Parked),
		SentBytes:         status.Sent,
		ReceivedBytes:     status.Received,
		Comparing:         status.Comparing,
		Compared:          int32(status.Compared),
		ToCompare:         int32(status.Compares),
	}
	switch status.State {
	case tiers.Up:
		link.State = apipb.LinkStatus_UP
	case tiers.CatchingUp:
		link.State = apipb.LinkStatus_CATCHING_UP
	case "":
		link.Since = microMessage(max(end.AckedTime, end.ReceivedTime))
		link.Reason = "it was not up since this site's nodes started"
	}
	return link
}

// estimate is how long items take at a rate a second; nil when nothing waits or nothing moves.
func estimate(items uint64, rate float64) *durationpb.Duration {
	if items == 0 || rate <= 0 {
		return nil
	}
	seconds := min(float64(items)/rate, longestEstimate.Seconds())
	return durationpb.New(time.Duration(math.Ceil(seconds)) * time.Second)
}

// longestEstimate bounds what is told: whatever takes longer hardly moves at all.
const longestEstimate = 100 * 24 * time.Hour

// microMessage leaves an unknown time, microseconds since 1970, out.
func microMessage(micro int64) *timestamppb.Timestamp {
	if micro == 0 {
		return nil
	}
	return timestamppb.New(time.UnixMicro(micro))
}

// timeMessage leaves an unknown time out.
func timeMessage(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// saturated fits a count into the API's 32 bits.
func saturated(count uint64) int32 { return int32(min(count, math.MaxInt32)) }
