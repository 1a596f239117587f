package peers

import (
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/peers/peerpb"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/tiers"
)

// Links is what one node knows of the site's links and of the tree.
type Links struct {
	Node    string // its node id
	Links   []tiers.LinkStatus
	Reach   []tiers.Reach
	Applied uint64   // log index that it has applied
	Alarms  []string // what an operator should look at, a sentence each
}

// Diagnosis is what one node found when it looked at itself.
type Diagnosis struct {
	Checks  []*apipb.Check
	Time    time.Time // what it would stamp on a command, when the checks were done
	Applied uint64    // log index that it has applied
}

func diagnosisToWire(d Diagnosis) *peerpb.DiagnoseResponse {
	return &peerpb.DiagnoseResponse{Checks: d.Checks, Time: d.Time.UnixMicro(), AppliedIndex: d.Applied}
}

func diagnosisFromWire(d *peerpb.DiagnoseResponse) Diagnosis {
	return Diagnosis{Checks: d.GetChecks(), Time: time.UnixMicro(d.GetTime()), Applied: d.GetAppliedIndex()}
}

func serverToWire(s replication.Server) *peerpb.Server {
	return &peerpb.Server{Id: s.ID, Raft: s.Raft, Grpc: s.GRPC}
}

func serverFromWire(s *peerpb.Server) replication.Server {
	return replication.Server{ID: s.GetId(), Raft: s.GetRaft(), GRPC: s.GetGrpc()}
}

func toWire(servers []replication.Server) []*peerpb.Server {
	out := make([]*peerpb.Server, len(servers))
	for i, s := range servers {
		out[i] = serverToWire(s)
	}
	return out
}

func fromWire(servers []*peerpb.Server) []replication.Server {
	out := make([]replication.Server, len(servers))
	for i, s := range servers {
		out[i] = serverFromWire(s)
	}
	return out
}

func helloToWire(h replication.Hello) *peerpb.HelloResponse {
	return &peerpb.HelloResponse{Site: h.Site, Self: serverToWire(h.Self), Founded: h.Founded, Known: toWire(h.Known)}
}

func helloFromWire(h *peerpb.HelloResponse) replication.Hello {
	return replication.Hello{Site: h.GetSite(), Self: serverFromWire(h.GetSelf()), Founded: h.GetFounded(), Known: fromWire(h.GetKnown())}
}

func linksToWire(l Links) *peerpb.LinksResponse {
	out := &peerpb.LinksResponse{Node: l.Node, AppliedIndex: l.Applied, Alarms: l.Alarms}
	for _, link := range l.Links {
		out.Links = append(out.Links, &peerpb.LinkStatus{
			Peer: string(link.Peer), State: string(link.State), Since: link.Since.UnixMicro(), Reason: link.Reason,
			Rate: link.Rate, Sent: link.Sent, Received: link.Received,
			Comparing: link.Comparing, Compared: uint32(link.Compared), Compares: uint32(link.Compares),
		})
	}
	for _, reach := range l.Reach {
		out.Reach = append(out.Reach, &peerpb.Reach{Site: string(reach.Site), Alive: reach.Alive, Since: reach.Since.UnixMicro()})
	}
	return out
}

func linksFromWire(l *peerpb.LinksResponse) Links {
	out := Links{Node: l.GetNode(), Applied: l.GetAppliedIndex(), Alarms: l.GetAlarms()}
	for _, link := range l.GetLinks() {
		out.Links = append(out.Links, tiers.LinkStatus{
			Peer: desk.SiteID(link.Peer), State: tiers.LinkState(link.State), Since: time.UnixMicro(link.Since), Reason: link.Reason,
			Rate: link.Rate, Sent: link.Sent, Received: link.Received,
			Comparing: link.Comparing, Compared: int(link.Compared), Compares: int(link.Compares),
		})
	}
	for _, reach := range l.GetReach() {
		out.Reach = append(out.Reach, tiers.Reach{Site: desk.SiteID(reach.Site), Alive: reach.Alive, Since: time.UnixMicro(reach.Since)})
	}
	return out
}
