package node

import (
	"context"
	"testing"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
)

// group starts the three nodes of a site.
func group(t *testing.T, site config.Site, parents []string) (nodes []*Node, addresses []string) {
	t.Helper()
	for _, id := range []string{"n1", "n2", "n3"} {
		c := configuration(t, id)
		c.Site = site
		c.Raft = config.Raft{BootstrapExpect: 3, Join: addresses}
		c.Link.ParentAddresses = parents
		n := start(t, c)
		nodes, addresses = append(nodes, n), append(addresses, n.GRPCAddr())
	}
	awaitReady(t, nodes...)
	return nodes, addresses
}

// leaderFirst puts the leader before the others.
func leaderFirst(t *testing.T, nodes []*Node) []*Node {
	t.Helper()
	var sorted []*Node
	eventually(t, "one node leads "+nodes[0].config.Site.ID, func() string {
		sorted = nil
		for _, n := range nodes {
			if leading, _, _ := n.replica.Leading(); leading {
				sorted = append([]*Node{n}, sorted...)
			} else {
				sorted = append(sorted, n)
			}
		}
		if leading, _, _ := sorted[0].replica.Leading(); !leading {
			return "nobody does"
		}
		return ""
	})
	return sorted
}

// Whoever leads and whichever nodes are left on either side, the link comes up again and carries what is escalated.
func TestLinkOutlivesTheLeadersOfBothSides(t *testing.T) {
	city, addresses := group(t, cityConfiguration(t).Site, nil)
	county, _ := group(t, configuration(t, "n1").Site, addresses)
	admin := administratorOf(t, county[0])
	carries := func(what string) {
		t.Helper()
		t.Log(what)
		number := create(t, county[len(county)-1], admin, what)
		escalate(t, county[len(county)-1], admin, number)
		awaitCustodian(t, county[len(county)-1], number, "330100")
		awaitLink(t, county[len(county)-1], "330100", apipb.LinkStatus_UP)
	}
	carries("at first")
	for _, site := range []*[]*Node{&city, &county} {
		nodes := leaderFirst(t, *site)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := nodes[0].backend.TransferLeadership(ctx, nodes[1].config.Node.ID); err != nil {
			t.Fatal(err)
		}
		carries(nodes[0].config.Site.ID + " hands the lead over")
		nodes = leaderFirst(t, *site)
		stop(t, nodes[0])
		*site = nodes[1:]
		carries(nodes[0].config.Site.ID + " loses its leader")
	}
}
