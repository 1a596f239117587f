package node

import (
	"fmt"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
)

// known is a node's word on a site of the tree, nil when it does not know the site.
func known(t *testing.T, n *Node, site string) *apipb.KnownSite {
	t.Helper()
	sites, err := n.backend.Sites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sites.Sites {
		if s.Id == site {
			return s
		}
	}
	return nil
}

// awaitAlive waits until a node says that a site can be reached, or since when not.
func awaitAlive(t *testing.T, n *Node, site string, alive bool) {
	t.Helper()
	eventually(t, fmt.Sprintf("at %s the site %s is alive: %v", n.config.Site.ID, site, alive), func() string {
		s := known(t, n, site)
		if s == nil || s.Alive != alive || !alive && s.NotSeenSince == nil {
			return fmt.Sprintf("it is %v", s)
		}
		return ""
	})
}

// The children of a city are carried by different nodes of it. The province hears of each of them, and each of them of
// the province and of the others, whichever node carries which link.
func TestEverySiteIsHeardThroughAnyNodeOfTheCity(t *testing.T) {
	p := configuration(t, "n1")
	p.Site = config.Site{ID: "330000", Name: "浙江省", Tier: config.Province}
	province := start(t, p)
	var nodes []*Node
	var join []string
	for _, id := range []string{"n1", "n2", "n3"} {
		c := cityConfiguration(t)
		c.Node = configuration(t, id).Node
		c.Raft = config.Raft{BootstrapExpect: 3, Join: join}
		c.Link.ParentAddresses = []string{province.GRPCAddr()}
		n := start(t, c)
		nodes, join = append(nodes, n), append(join, n.GRPCAddr())
	}
	counties := map[string]*Node{}
	for i, id := range []string{"330102", "330105", "330106"} {
		c := configuration(t, "n1")
		c.Site.ID = id
		c.Link.ParentAddresses = []string{nodes[i].GRPCAddr()}
		counties[id] = start(t, c)
	}
	for id, county := range counties {
		awaitAlive(t, province, id, true)
		for other := range counties {
			awaitAlive(t, county, other, true)
		}
		awaitAlive(t, county, "330000", true)
	}
	for i, id := range []string{"330102", "330105", "330106"} {
		if links := nodes[i].tiers.Reach(); len(links) == 0 {
			t.Errorf("node %d of the city carries no link, %s was to be its own", i+1, id)
		}
		before := time.Now()
		stop(t, counties[id])
		delete(counties, id)
		awaitAlive(t, province, id, false)
		eventually(t, "the province has not seen "+id+" since it stopped", func() string {
			if since := known(t, province, id).NotSeenSince.AsTime(); since.Before(before.Add(-time.Second)) {
				return fmt.Sprintf("it has not since %v, want after %v", since, before)
			}
			return ""
		})
		for other, county := range counties {
			awaitAlive(t, county, id, false)
			awaitAlive(t, province, other, true)
		}
	}
	stop(t, province)
	for _, n := range nodes {
		awaitAlive(t, n, "330000", false)
	}
}
