package node

import (
	"context"
	"fmt"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/store"
)

// cityConfiguration is that of one node of the city 330100, the county's parent.
func cityConfiguration(t *testing.T) *config.Config {
	t.Helper()
	c := configuration(t, "n1")
	c.Site = config.Site{ID: "330100", Name: "杭州市", Tier: config.City, Parent: "330000"}
	return c
}

// escalate has a ticket go to the next tier.
func escalate(t *testing.T, n *Node, actor *deskpb.Actor, number string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := n.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{
		Actor: actor, Request: asked(), Number: number, Verb: &deskpb.TicketCommand_Escalate{Escalate: &deskpb.Escalate{Reason: "本地无法解决"}},
	}}})
	if err != nil {
		t.Fatalf("escalate %s: %v", number, err)
	}
}

// awaitCustodian waits until a node shows the ticket settled at a site.
func awaitCustodian(t *testing.T, n *Node, number, site string) {
	t.Helper()
	eventually(t, "at "+n.config.Site.ID+" the ticket is held by "+site, func() (complaint string) {
		err := n.backend.site.View(func(r *store.Reader) error {
			record, err := r.Ticket(desk.TicketNumber(number))
			ticket := record.GetTicket()
			if ticket.GetCustodianSite() != site || ticket.GetHandover().GetState() != deskpb.Handover_NONE {
				complaint = fmt.Sprintf("custodian %q, hand-over %v", ticket.GetCustodianSite(), ticket.GetHandover())
			}
			return err
		})
		if err != nil {
			return err.Error()
		}
		return complaint
	})
}

// awaitLink waits until a node's overview shows the link in a state with nothing pending.
func awaitLink(t *testing.T, n *Node, peer string, state apipb.LinkStatus_State) {
	t.Helper()
	eventually(t, fmt.Sprintf("at %s the link with %s is %v", n.config.Site.ID, peer, state), func() string {
		overview, err := n.backend.Overview(t.Context())
		if err != nil {
			return err.Error()
		}
		for _, link := range overview.Links {
			if link.Peer == peer && link.State == state && (state == apipb.LinkStatus_DOWN || link.Pending == 0) {
				return ""
			}
		}
		return fmt.Sprintf("links are %v", overview.Links)
	})
}

func TestTicketEscalatesToTheParentSite(t *testing.T) {
	city := start(t, cityConfiguration(t))
	c := configuration(t, "n1")
	c.Link.ParentAddresses = []string{city.GRPCAddr()}
	county := start(t, c)
	awaitReady(t, city, county)
	admin := administratorOf(t, county)

	number := create(t, county, admin, "系统登录失败")
	escalate(t, county, admin, number)
	awaitCustodian(t, city, number, "330100")
	awaitCustodian(t, county, number, "330100")
	awaitLink(t, county, "330100", apipb.LinkStatus_UP)
	awaitLink(t, city, "330106", apipb.LinkStatus_UP)
	for _, n := range []*Node{city, county} {
		eventually(t, "both sites are alive at "+n.config.Site.ID, func() string {
			sites, err := n.backend.Sites(t.Context())
			if err != nil || len(sites.Sites) != 2 || !sites.Sites[0].Alive || !sites.Sites[1].Alive {
				return fmt.Sprintf("sites are %v, %v", sites, err)
			}
			return ""
		})
	}

	// The county goes on without the city, and what it escalates waits.
	stop(t, city)
	awaitLink(t, county, "330100", apipb.LinkStatus_DOWN)
	waiting := create(t, county, admin, "等线路")
	escalate(t, county, admin, waiting)
	overview, err := county.backend.Overview(t.Context())
	if err != nil || overview.Links[0].Queued != 1 || overview.Links[0].Reason == "" || overview.Links[0].LastAckTime == nil {
		t.Errorf("links %v, %v, want one queued hand-over, a reason and the last acknowledgement", overview.GetLinks(), err)
	}
	awaitAlive(t, county, "330100", false)
}

func TestParentIsFoundByGossip(t *testing.T) {
	city := start(t, cityConfiguration(t))
	c := configuration(t, "n1")
	c.Gossip.Join = []string{city.GossipAddr()}
	county := start(t, c)
	awaitLink(t, county, "330100", apipb.LinkStatus_UP)
}
