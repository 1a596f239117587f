package client

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// allowed tells what the caller may do with a ticket as it stands.
func (c *console) allowed() *cobra.Command {
	return &cobra.Command{Use: "verbs NUMBER", Short: "可做: what you may do with a ticket as it stands", Args: takes("NUMBER"),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
			may, err := node.tickets.ListVerbs(ctx, &apipb.ListVerbsRequest{Number: args[0]})
			if err != nil {
				return err
			}
			return out.answer(may, func() string {
				b := &block{printer: out}
				b.add(phrase{"可做", "Now"}, strings.Join(may.GetVerbs(), " "))
				b.add(phrase{"可请求", "As wishes"}, strings.Join(may.GetWishes(), " "))
				if len(b.rows) == 0 {
					return out.say(phrase{"当前不能做任何操作\n", "nothing can be done with it now\n"})
				}
				return b.String()
			})
		})}
}

// reveal shows what the policy masks, for a reason that the audit log keeps.
func (c *console) reveal() *cobra.Command {
	q := &apipb.RevealRequesterRequest{}
	cmd := &cobra.Command{Use: "reveal NUMBER", Short: "查看联系方式: show the requester's masked number and address; the audit log keeps why", Args: takes("NUMBER")}
	cmd.Flags().StringVar(&q.Reason, "reason", "", "why they are needed")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		q.Number = args[0]
		shown, err := node.tickets.RevealRequester(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(shown, func() string {
			b := &block{printer: out}
			b.add(phrase{"名称", "Name"}, shown.GetName())
			b.add(phrase{"单位", "Unit"}, shown.GetUnit())
			b.add(phrase{"电话", "Phone"}, shown.GetPhone())
			b.add(phrase{"邮箱", "Mail"}, shown.GetEmail())
			return b.String()
		})
	})
	return cmd
}
