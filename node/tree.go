package node

import (
	"context"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// Sites lists every site of the tree that the directory knows, by id, and whether it can be reached from here.
func (b *backend) Sites(ctx context.Context) (*apipb.ListSitesResponse, error) {
	var directory []*deskpb.SiteInfo
	err := b.site.View(func(r *store.Reader) (err error) {
		if directory, err = r.Directory(); err != nil {
			return err
		}
		for _, info := range directory {
			parent, err := tiers.ParentOf(r, desk.SiteID(info.Id))
			if err != nil {
				return err
			}
			info.Parent = string(parent)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	survey := b.survey(ctx)
	heard := b.heard()
	response := &apipb.ListSitesResponse{}
	for _, info := range directory {
		site := &apipb.KnownSite{
			Id: info.Id, Name: info.Name, Tier: apipb.Site_Tier(info.Tier), Parent: info.Parent,
		}
		reach := b.reach(desk.SiteID(info.Id), survey)
		if site.Alive = reach.Alive; !reach.Alive {
			site.NotSeenSince = timeMessage(reach.Since)
		}
		for _, nodeInfo := range info.Nodes {
			node := nodeMessage(nodeInfo)
			if alive, known := heard[nodeInfo.ServerId]; known {
				node.Alive = alive
			} else {
				node.Alive = reach.Alive
			}
			if site.Id == b.node.config.Site.ID {
				node.Alive = survey.answered[nodeInfo.ServerId]
			}
			site.Nodes = append(site.Nodes, node)
		}
		response.Sites = append(response.Sites, site)
	}
	return response, nil
}

// reach says whether a site can be reached: this one always, a neighbour when its link is up, others as the neighbours
// tell.
func (b *backend) reach(id desk.SiteID, s survey) tiers.Reach {
	if id == b.Site() {
		return tiers.Reach{Site: id, Alive: true}
	}
	if link, neighbour := s.links[id]; neighbour {
		return tiers.Reach{Site: id, Alive: link.State != tiers.Down, Since: link.Since}
	}
	return s.reach[id]
}

// heard tells of the nodes in the neighbourhood whether gossip sees them alive, by server id.
func (b *backend) heard() map[string]bool {
	alive := map[string]bool{}
	for _, member := range b.node.gossip.Members() {
		if member.ServerID != "" {
			alive[member.ServerID] = member.Alive
		}
	}
	return alive
}
