package client

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) recoverSite() *cobra.Command {
	q := &apipb.RecoverSiteRequest{}
	cmd := &cobra.Command{Use: "recover", Args: takes(),
		Short: "恢复: begin another life of this site, so that it is the copy that lives"}
	cmd.Long = cmd.Short + `

For a site that was frozen because another copy of it lives, or came from an older state. It takes another incarnation,
which fences every other copy for ever; all sessions end; tickets from before take notes, replies and urges only until the
neighbours on their way were compared. New tickets are worked on at once. Administrators only.`
	cmd.Flags().StringVar(&q.Reason, "reason", "", "why; it is recorded")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		done, err := node.recoveries.RecoverSite(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(done, func() string {
			return out.say(phrase{"站点已开始恢复；所有会话已结束，请重新登录\n", "the site recovers; all sessions have ended, sign in again\n"})
		})
	})
	return cmd
}

func (c *console) overrideTicket() *cobra.Command {
	q := &apipb.OverrideTicketRequest{}
	cmd := &cobra.Command{Use: "override NUMBER", Args: takes("NUMBER"),
		Short: "强制接管: take a ticket without a hand-over, while this site cannot know who works on it"}
	cmd.Long = cmd.Short + `

While the site recovers, or the way to the ticket's holder is cut and somebody must act. The reason stands in the journal.
If it turns out that the ticket had been handed on meanwhile, that counts, and what was done here becomes remarks; otherwise
it is the former holder's work since that does. The ticket is not handed over before it is settled. Incident managers and
administrators only.`
	f := cmd.Flags()
	f.StringVar(&q.Etag, "etag", "", "only if the ticket is still the one with this etag")
	requestIDFlag(cmd, &q.RequestId)
	f.StringVar(&q.Reason, "reason", "", "why; it stands in the journal")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		q.Number = args[0]
		nameRequest(&q.RequestId)
		ticket, err := node.recoveries.OverrideTicket(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(ticket, func() string { return out.summary(ticket) })
	})
	return cmd
}

// retryParked tries again what was set aside, in place of listing it.
func retryParked(ctx context.Context, node *connection, out *printer) error {
	done, err := node.recoveries.RetryParked(ctx, &apipb.RetryParkedRequest{})
	if err != nil {
		return err
	}
	return out.answer(done, func() string {
		return fmt.Sprintf(out.say(phrase{"重试 %d 项，已应用 %d 项\n", "%d items tried again, %d of them applied\n"}), done.GetTried(), done.GetApplied())
	})
}

// life shows which life of the site this is, and what it waits for.
func (p *printer) life(b *block, s *apipb.GetSiteResponse) {
	life := s.GetIncarnation()
	if s.GetLetters() != "" {
		life += " " + s.GetLetters()
	}
	b.add(phrase{"站点代次", "Incarnation"}, life)
	if r := s.GetRecovering(); r != nil {
		progress := p.say(phrase{"已知的邻居均已比对", "compared with every neighbour that is known"})
		if missing := r.GetMissing(); len(missing) > 0 {
			progress = fmt.Sprintf(p.say(phrase{"尚未比对：%s", "not compared yet: %s"}), strings.Join(missing, " "))
		}
		since := fmt.Sprintf(p.say(phrase{"自 %s 起；", "since %s; "}), p.when(r.GetSince()))
		b.add(phrase{"正在恢复", "Recovering"}, since+progress)
	}
	b.add(phrase{"已冻结", "Frozen"}, s.GetFrozen())
}
