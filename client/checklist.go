package client

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) check() *cobra.Command {
	q := &apipb.CheckTicketRequest{}
	var undo bool
	cmd := &cobra.Command{Use: "check NUMBER ITEM", Short: "检查: tick an item of the checklist off; items count from 1",
		Args: takes("NUMBER", "ITEM")}
	f := cmd.Flags()
	f.StringVar(&q.Etag, "etag", "", "only if the ticket is still the one with this etag")
	requestIDFlag(cmd, &q.RequestId)
	f.StringVar(&q.Result, "result", "", "what was found or measured")
	f.BoolVar(&undo, "undo", false, "take the tick back")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		item, err := strconv.ParseUint(args[1], 10, 32)
		if err != nil || item == 0 {
			return Usage("ITEM is %s: give the item's number as tierdesk ticket show %s has it, from 1", args[1], args[0])
		}
		q.Number, q.Item, q.Done = args[0], uint32(item-1), !undo
		nameRequest(&q.RequestId)
		ticket, err := node.tickets.CheckTicket(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(ticket, func() string { return out.checklist(ticket) })
	})
	return cmd
}

func (c *console) macro() *cobra.Command {
	q := &apipb.RunMacroRequest{}
	cmd := &cobra.Command{Use: "macro NUMBER NAME", Short: "宏: carry out the steps of a macro of the policy, all or none",
		Args: takes("NUMBER", "NAME")}
	cmd.Flags().StringVar(&q.Etag, "etag", "", "only if the ticket is still the one with this etag")
	requestIDFlag(cmd, &q.RequestId)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		q.Number, q.Macro = args[0], args[1]
		nameRequest(&q.RequestId)
		ticket, err := node.tickets.RunMacro(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(ticket, func() string { return out.summary(ticket) })
	})
	return cmd
}

// checklist is a ticket's checklist, an item a line; empty when it has none.
func (p *printer) checklist(t *deskpb.Ticket) string {
	var rows [][]string
	for i, item := range t.GetChecklist() {
		rows = append(rows, []string{fmt.Sprint(i + 1), p.tick(item), item.GetText(), p.found(item)})
	}
	return new(table).layOut(rows)
}

// tick says whether an item is done, and of an open one whether it must be.
func (p *printer) tick(item *deskpb.ChecklistItem) string {
	switch {
	case item.GetDone():
		return p.say(phrase{"已完成", "done"})
	case item.GetRequired():
		return p.say(phrase{"必做", "required"})
	}
	return p.say(phrase{"未做", "open"})
}

// found says what was found, by whom and when.
func (p *printer) found(item *deskpb.ChecklistItem) string {
	if item.GetTime() == nil {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("%s  %s %s", item.GetResult(), item.GetActor(), p.when(item.GetTime())))
}
