package machine

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/tiers"
)

// maxNodes bounds a site's nodes in the directory, those of replaced disks included.
const maxNodes = 32

// maxAddress bounds each text of a node's directory entry, in bytes.
const maxAddress = 256

// found makes the site: the first command of its log that is accepted.
func (t *turn) found(c *deskpb.Found) error {
	site, err := t.b.Site()
	if err != nil {
		return err
	}
	switch want := c.Site; {
	case site != nil:
		return desk.Refuse(desk.AlreadyExists, "ALREADY_FOUNDED", "site %s is founded already", site.Id)
	case desk.SiteID(want.GetId()) != t.site:
		return desk.RefuseField("site.id", "this is the log of site %s, not of %q", t.site, want.GetId())
	case want.Tier == deskpb.Site_TIER_UNSPECIFIED:
		return desk.RefuseField("site.tier", "it is missing; use COUNTY, CITY or PROVINCE")
	case want.Incarnation == 0:
		return desk.RefuseField("site.incarnation", "it is missing; draw it at random")
	}
	if c.Admin != nil {
		if err := checkUser(c.Admin); err != nil {
			return err
		}
		if err := t.b.PutUser(t.dated(c.Admin)); err != nil {
			return err
		}
	}
	if c.Policy != nil {
		if err := t.b.PutBasePolicy(c.Policy); err != nil {
			return err
		}
	}
	founded := &deskpb.Site{
		Id: c.Site.Id, Name: c.Site.Name, Tier: c.Site.Tier, Parent: c.Site.Parent,
		Incarnation: c.Site.Incarnation, Letters: c.Site.Letters, Clock: t.at.Time,
		SurveyKey: c.Site.SurveyKey,
	}
	if c.Site.Recovering != 0 {
		founded.Recovering = t.at.Time
	}
	if err := t.b.PutSite(founded); err != nil {
		return err
	}
	return t.publish(entryOf(founded))
}

// entryOf is the directory entry of a site before it has nodes.
func entryOf(site *deskpb.Site) *deskpb.SiteInfo {
	return &deskpb.SiteInfo{
		Id: site.Id, Name: site.Name, Tier: site.Tier, Parent: site.Parent, Incarnation: site.Incarnation, Letters: site.Letters,
	}
}

// registerNode puts a node's addresses into the directory. Nodes are told apart by their server id, so that a node whose
// disk was replaced stands beside its former self until that is removed.
func (t *turn) registerNode(c *deskpb.RegisterNode) error {
	node := c.Node
	if node.GetServerId() == "" || node.GetId() == "" {
		return desk.RefuseField("node", "its id and server id are missing")
	}
	for _, text := range []string{node.Id, node.ServerId, node.Http, node.Grpc, node.Raft, node.Gossip} {
		if len(text) > maxAddress {
			return desk.RefuseField("node", "%.40q… is longer than %d bytes", text, maxAddress)
		}
	}
	own, err := t.ownEntry()
	if err != nil {
		return err
	}
	i, known := findNode(own, node.ServerId)
	switch {
	case known && proto.Equal(own.Nodes[i], node):
		return nil
	case known:
		own.Nodes[i] = node
	case len(own.Nodes) >= maxNodes:
		return desk.Refuse(desk.ResourceExhausted, "TOO_MANY_NODES",
			"site %s lists %d nodes already; remove those that are gone for good", own.Id, len(own.Nodes))
	default:
		own.Nodes = slices.Insert(own.Nodes, i, node)
	}
	return t.publish(own)
}

// removeNode takes a server out of the directory; one that is not there is removed already.
func (t *turn) removeNode(c *deskpb.RemoveNode) error {
	own, err := t.ownEntry()
	if err != nil {
		return err
	}
	i, known := findNode(own, c.ServerId)
	if !known {
		return nil
	}
	own.Nodes = slices.Delete(own.Nodes, i, i+1)
	return t.publish(own)
}

// ownEntry is this site's directory entry.
func (t *turn) ownEntry() (*deskpb.SiteInfo, error) {
	own, err := t.b.SiteInfo(t.site)
	if err != nil || own != nil {
		return own, err
	}
	site, err := t.b.Site()
	if err != nil {
		return nil, err
	}
	return entryOf(site), nil
}

// findNode returns where a server stands, or would, among the nodes, which are ordered by server id.
func findNode(info *deskpb.SiteInfo, serverID string) (int, bool) {
	return slices.BinarySearchFunc(info.Nodes, serverID, func(n *deskpb.NodeInfo, id string) int {
		return strings.Compare(n.ServerId, id)
	})
}

func (t *turn) publish(info *deskpb.SiteInfo) error {
	t.links = true
	return tiers.Publish(t.b, info, t.at)
}
