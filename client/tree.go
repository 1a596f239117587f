package client

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) treeCommand() *cobra.Command {
	return c.group("tree", "层级: where every office stands, and how that changes", c.listTree(), c.moveSite(), c.closeSite())
}

func (c *console) listTree() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "列表: every known office, its parent, and how far its move is", Args: takes(),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
			known, err := node.tree.ListTree(ctx, &apipb.ListTreeRequest{})
			if err != nil {
				return err
			}
			return out.answer(known, func() string { return out.places(known.GetPlaces()) })
		})}
}

func (p *printer) places(places []*apipb.Place) string {
	rows := [][]string{p.header(phrase{"站点", "SITE"}, phrase{"名称", "NAME"}, phrase{"级别", "TIER"}, phrase{"上级站点", "PARENT"},
		phrase{"状态", "PHASE"}, phrase{"进展", "PROGRESS"}, phrase{"原因", "REASON"})}
	for _, place := range places {
		rows = append(rows, []string{place.GetSite(), place.GetName(), p.name(place.GetTier()), place.GetParent(), p.name(place.GetPhase()),
			p.progress(place), place.GetReason()})
	}
	return new(table).layOut(rows)
}

// progress says what a move waits for, empty when none is under way.
func (p *printer) progress(place *apipb.Place) string {
	switch place.GetPhase() {
	case apipb.Place_LEAVING:
		return fmt.Sprintf(p.say(phrase{"移交至 %s：%d 件工单仍在 %s", "moving to %s: %d tickets still with %s"}),
			place.GetNextParent(), place.GetTickets(), place.GetHolder())
	case apipb.Place_FOLLOWING:
		return fmt.Sprintf(p.say(phrase{"等待其连接 %s", "waits until it reaches %s"}), place.GetParent())
	case apipb.Place_CLOSING:
		return fmt.Sprintf(p.say(phrase{"撤并：%d 件工单仍在 %s", "closing: %d tickets still with %s"}), place.GetTickets(), place.GetHolder())
	}
	return ""
}

const nowUsage = ", which is lost: what it holds must be taken with tierdesk site override"

func (c *console) moveSite() *cobra.Command {
	q := &apipb.MoveSiteRequest{}
	cmd := &cobra.Command{Use: "move SITE", Short: "移交: put an office below another parent; only at the province", Args: takes("SITE")}
	cmd.Flags().StringVar(&q.Parent, "to", "", "the site that becomes its parent")
	cmd.Flags().StringVar(&q.Reason, "reason", "", "why; it is recorded")
	cmd.Flags().BoolVar(&q.Now, "now", false, "do not wait for the present parent"+nowUsage)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		if q.Parent == "" {
			return Usage("give --to: the site that becomes the parent of %s", oneLine(args[0]))
		}
		q.Site = args[0]
		place, err := node.tree.MoveSite(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(place, func() string { return out.places([]*apipb.Place{place}) })
	})
	return cmd
}

func (c *console) closeSite() *cobra.Command {
	q := &apipb.CloseSiteRequest{}
	cmd := &cobra.Command{Use: "close CITY", Short: "撤并: close a city; its offices and open tickets go to the province", Args: takes("CITY")}
	cmd.Flags().StringVar(&q.Reason, "reason", "", "why; it is recorded")
	cmd.Flags().BoolVar(&q.Now, "now", false, "do not wait for the city"+nowUsage)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		q.Site = args[0]
		place, err := node.tree.CloseSite(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(place, func() string { return out.places([]*apipb.Place{place}) })
	})
	return cmd
}
