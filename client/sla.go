package client

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) slaCommand() *cobra.Command {
	return c.group("sla", "时限: what the clocks of tickets count, and what they would", c.explainSLA(), c.previewSLA())
}

// arrive is the verb that ends the clock of a visit.
func (c *console) arrive() *cobra.Command {
	q := &apipb.ArriveTicketRequest{}
	return verb[*apipb.ArriveTicketRequest]{
		name: "arrive", short: "到场: note that somebody is on the spot",
		request: q, number: &q.Number, etag: &q.Etag, requestID: &q.RequestId,
		call: apipb.TicketsClient.ArriveTicket, comment: &q.Comment,
	}.command(c)
}

func (c *console) explainSLA() *cobra.Command {
	var stale, working bool
	cmd := &cobra.Command{Use: "explain NUMBER", Short: "说明: every stretch of time that the clocks of a ticket counted or left out, and why", Args: takes("NUMBER")}
	cmd.Flags().BoolVar(&working, "working", false, "the working time in each stretch too")
	staleFlag(cmd, &stale)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		told, err := node.tickets.ExplainSla(ctx, &apipb.ExplainSlaRequest{Number: args[0], Consistency: consistency(stale)})
		if err != nil {
			return err
		}
		return out.answer(told, func() string { return out.clockStories(told.GetClocks(), working) })
	})
	return cmd
}

// clockStories prints each clock and below it its stretches.
func (p *printer) clockStories(all []*apipb.ClockExplanation, working bool) string {
	if len(all) == 0 {
		return p.say(phrase{"没有时限", "the ticket has no clocks"}) + "\n"
	}
	var text strings.Builder
	for _, told := range all {
		fmt.Fprintln(&text, p.clockLine(told.GetClock()))
		if len(told.GetStretches()) == 0 {
			continue
		}
		rows := [][]string{p.header(phrase{"从", "FROM"}, phrase{"到", "TO"}, phrase{"状态", "STATE"}, phrase{"计入", "COUNTED"}, phrase{"原因", "WHY"})}
		for _, s := range told.GetStretches() {
			rows = append(rows, []string{p.when(s.GetFrom()), p.when(s.GetTo()), p.stretchState(s.GetState()), inSeconds(s.GetCounted()), s.GetReason()})
			if !working {
				continue
			}
			for _, w := range s.GetWorking() {
				rows = append(rows, []string{"  " + p.when(w.GetFrom()), "  " + p.when(w.GetTo()), "",
					inSeconds(int64(w.GetTo().AsTime().Sub(w.GetFrom().AsTime()) / time.Second))})
			}
		}
		text.WriteString(indent(new(table).layOut(rows)))
	}
	return text.String()
}

// clockLine says in a line which clock it is and how it stands.
func (p *printer) clockLine(clock *deskpb.Sla) string {
	words := []string{p.name(clock.GetMetric())}
	if clock.GetTier() != "" {
		words = append(words, p.nameOf("Site", clock.GetTier()), clock.GetSite())
	}
	words = append(words, p.name(clock.GetState()),
		fmt.Sprintf(p.say(phrase{"时限 %s（%s，日历 %s）", "target %s (%s, calendar %s)"}), inSeconds(clock.GetTarget()), clock.GetRule(), clock.GetCalendar()))
	if clock.GetDueTime() != nil {
		words = append(words, p.say(phrase{"到期", "due"}), p.when(clock.GetDueTime()))
	}
	return oneLine(strings.Join(words, " "))
}

func (p *printer) stretchState(state string) string {
	words, known := map[string]phrase{
		desk.StretchRunning: {"计时", "running"},
		desk.StretchPaused:  {"暂停", "paused"},
		desk.StretchStopped: {"停止", "stopped"},
	}[state]
	if !known {
		return state
	}
	return p.say(words)
}

// inSeconds is a number of seconds as 90s, 15m, 1h30m or 24h.
func inSeconds(n int64) string {
	text := (time.Duration(n) * time.Second).String()
	for _, nothing := range []struct{ behind, zero string }{{"m", "0s"}, {"h", "0m"}} {
		if strings.HasSuffix(text, nothing.behind+nothing.zero) {
			text = strings.TrimSuffix(text, nothing.zero)
		}
	}
	return text
}

func (c *console) previewSLA() *cobra.Command {
	t := &deskpb.Ticket{Requester: &deskpb.Requester{}}
	cmd := &cobra.Command{Use: "preview", Short: "试算: a ticket that is opened now would be due at", Args: takes()}
	ticketFlags(cmd.Flags(), t)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		if t.GetTitle() == "" {
			t.Title = "试算"
		}
		preview, err := node.tickets.PreviewTicket(ctx, &apipb.PreviewTicketRequest{Ticket: t})
		if err != nil {
			return err
		}
		return out.answer(preview, func() string {
			text := out.pressure(preview) + "\n"
			for _, clock := range preview.GetSla() {
				text += out.clockLine(clock) + "\n"
			}
			return text
		})
	})
	return cmd
}
