package client

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// timeExample shows how a time is written on the command line.
const timeExample = `"2026-11-21 08:30"`

// moment reads a time from a flag, in the reader's zone where it names none; nil for no time.
func (c *console) moment(flag, value string) (*timestamppb.Timestamp, error) {
	if value == "" {
		return nil, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, value, c.location()); err == nil {
			return timestamppb.New(at), nil
		}
	}
	return nil, Usage("--%s is %q: write a time as %s or %s", flag, value, timeExample, "2026-11-21T08:30:00+08:00")
}

func (c *console) dutyCommand() *cobra.Command {
	return c.group("duty", "值班: who of the groups is on duty", c.listDuty(), c.setDuty())
}

func (c *console) listDuty() *cobra.Command {
	q := &apipb.ListDutyRequest{}
	var at string
	cmd := &cobra.Command{Use: "list", Short: "列表: the groups and who of them is on duty", Args: takes()}
	cmd.Flags().StringVar(&q.Group, "group", "", "only this group")
	cmd.Flags().StringVar(&at, "time", "", "at this time, such as "+timeExample+" (now)")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) (err error) {
		if q.Time, err = c.moment("time", at); err != nil {
			return err
		}
		known, err := node.duties.ListDuty(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(known, func() string { return out.duty(known.GetGroups()) })
	})
	return cmd
}

func (p *printer) duty(groups []*apipb.DutyGroup) string {
	rows := [][]string{p.header(phrase{"处理组", "GROUP"}, phrase{"人员", "PERSON"}, phrase{"值班", "ON DUTY"}, phrase{"依据", "BY"},
		phrase{"至", "UNTIL"})}
	for _, group := range groups {
		for _, member := range group.GetMembers() {
			by := group.GetRoster()
			switch {
			case member.GetByHand():
				by = p.say(phrase{"人工", "hand"})
			case by == "":
				by = p.say(phrase{"无值班表", "no roster"})
			}
			rows = append(rows, []string{group.GetName(), member.GetUser(), p.yes(member.GetOn()), by, p.when(member.GetUntil())})
		}
	}
	if len(rows) == 1 {
		return p.say(phrase{"没有处理组成员", "no group has members at this site"}) + "\n"
	}
	return new(table).layOut(rows)
}

func (c *console) setDuty() *cobra.Command {
	q := &apipb.SetDutyRequest{}
	var until string
	cmd := &cobra.Command{Use: "set on|off", Short: "设定: say that you, or somebody, are on duty or not, whatever the roster says",
		Args: takes("on or off"), ValidArgs: []string{"on", "off"}}
	cmd.Flags().StringVar(&q.User, "user", "", "who, by user name (you)")
	cmd.Flags().StringVar(&until, "until", "", "until then, such as "+timeExample+" (until further notice)")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) (err error) {
		switch args[0] {
		case "on", "off":
			q.On = args[0] == "on"
		default:
			return Usage("%q is neither on nor off: say which", args[0])
		}
		if q.Until, err = c.moment("until", until); err != nil {
			return err
		}
		said, err := node.duties.SetDuty(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(said, func() string {
			words := phrase{"%s 不值班", "%s is off duty"}
			if said.GetOn() {
				words = phrase{"%s 值班", "%s is on duty"}
			}
			line := fmt.Sprintf(out.say(words), oneLine(said.GetUser()))
			if end := out.when(said.GetUntil()); end != "" {
				line += fmt.Sprintf(out.say(phrase{"，至 %s", " until %s"}), end)
			}
			return line + "\n"
		})
	})
	return cmd
}
