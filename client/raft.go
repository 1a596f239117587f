package client

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) raftCommand() *cobra.Command {
	return c.group("raft", "节点组: the nodes that vote for this site",
		c.readSite("peers", "成员: nodes, their role and their Raft address", (*printer).peers),
		c.transferLeader(), c.removeNode())
}

func (p *printer) peers(s *apipb.GetSiteResponse) string {
	rows := [][]string{p.header(phrase{"节点", "NODE"}, phrase{"角色", "ROLE"}, phrase{"存活", "ALIVE"}, phrase{"RAFT", "RAFT"},
		phrase{"服务器标识", "SERVER"})}
	for _, n := range s.GetNodes() {
		rows = append(rows, []string{n.GetId(), p.name(n.GetRole()), p.yes(n.GetAlive()), n.GetAddresses().GetRaft(),
			n.GetServerId()})
	}
	return new(table).layOut(rows)
}

func (c *console) transferLeader() *cobra.Command {
	q := &apipb.TransferLeadershipRequest{}
	cmd := &cobra.Command{Use: "transfer-leader", Short: "移交: hand the lead to another node", Args: takes()}
	cmd.Flags().StringVar(&q.Node, "to", "", "the new leader's node id; whichever is furthest when not given")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		done, err := node.sites.TransferLeadership(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(done, func() string { return out.say(phrase{"已移交", "the lead was handed over"}) + "\n" })
	})
	return cmd
}

func (c *console) removeNode() *cobra.Command {
	return &cobra.Command{Use: "remove NODE", Short: "移除: take a node that is gone for good out of the group",
		Long: "移除: take a node that is gone for good out of the group\n\n" +
			"NODE is a node id, or a server id as raft peers shows it. A node that leads hands the lead over first. It is refused\n" +
			"when the nodes that are left would have no majority that answers. A removed node that still runs stays out until it is\n" +
			"started with an empty data directory.",
		Args: takes("NODE"),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
			done, err := node.sites.RemoveNode(ctx, &apipb.RemoveNodeRequest{Node: args[0]})
			if err != nil {
				return err
			}
			return out.answer(done, func() string {
				return fmt.Sprintf(out.say(phrase{"已移除节点 %s\n", "node %s was removed\n"}), args[0])
			})
		})}
}
