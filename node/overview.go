package node

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// mostQueued bounds the count of hand-overs that wait for a line.
const mostQueued = 1000

// Overview tells of this site's nodes and links as this node's state and the nodes that answer in time have it. It works
// without a leader.
func (b *backend) Overview(ctx context.Context) (*apipb.GetSiteResponse, error) {
	survey := b.survey(ctx)
	status := b.site.replica.Status()
	overview := &apipb.GetSiteResponse{
		Site: &apipb.Site{
			Id: b.node.config.Site.ID, Name: b.node.config.DisplayName(),
			Tier: apipb.Site_Tier(b.node.config.Site.Tier.Proto()), Parent: b.node.config.Site.Parent,
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
		overview.Nodes = nodes(own, status, survey.answered)
		overview.Links, err = b.links(r, survey.links)
		return err
	})
	return overview, err
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
func (b *backend) links(r *store.Reader, states map[desk.SiteID]tiers.LinkStatus) ([]*apipb.LinkStatus, error) {
	ends, err := r.Links()
	if err != nil {
		return nil, err
	}
	neighbours, err := b.neighbours(r, ends)
	if err != nil {
		return nil, err
	}
	var all []*apipb.LinkStatus
	for _, peer := range neighbours {
		end, err := r.Link(peer)
		if err != nil {
			return nil, err
		}
		queued, err := r.Handovers(deskpb.Handover_QUEUED, peer, mostQueued)
		if err != nil {
			return nil, err
		}
		link := linkMessage(end, states[peer])
		link.Queued = int32(len(queued))
		link.Direction = apipb.LinkStatus_CHILD
		if string(peer) == b.node.config.Site.Parent {
			link.Direction = apipb.LinkStatus_PARENT
		}
		all = append(all, link)
	}
	return all, nil
}

// neighbours lists the parent first, then the children by id.
func (b *backend) neighbours(r *store.Reader, ends []*deskpb.Link) ([]desk.SiteID, error) {
	directory, err := r.Directory()
	if err != nil {
		return nil, err
	}
	parent := desk.SiteID(b.node.config.Site.Parent)
	var children []desk.SiteID
	for _, info := range directory {
		if desk.SiteID(info.Parent) == b.Site() {
			children = append(children, desk.SiteID(info.Id))
		}
	}
	for _, end := range ends {
		if desk.SiteID(end.Peer) != parent {
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

// linkMessage joins what the log knows of a link with how it stands now. A link of which no node knows was never up since
// the nodes began.
func linkMessage(end *deskpb.Link, status tiers.LinkStatus) *apipb.LinkStatus {
	link := &apipb.LinkStatus{
		Peer:    end.Peer,
		State:   apipb.LinkStatus_DOWN,
		Since:   timeMessage(status.Since),
		Pending: saturated(end.SentSequence - end.AckedSequence),
		Reason:  status.Reason,
		Parked:  saturated(end.Parked),
	}
	switch status.State {
	case tiers.Up:
		link.State = apipb.LinkStatus_UP
	case tiers.CatchingUp:
		link.State = apipb.LinkStatus_CATCHING_UP
	case "":
		link.Reason = "it was not up since this site's nodes started"
	}
	if end.AckedTime > 0 {
		link.LastAckTime = timestamppb.New(time.UnixMicro(end.AckedTime))
	}
	return link
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
