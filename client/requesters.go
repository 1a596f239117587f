package client

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) requesterCommand() *cobra.Command {
	return c.group("requester", "报告人: the people who report problems and their units, as this site knows them",
		c.addRequester(), c.listRequesters(), c.showRequester(), c.setRequester(), c.removeRequester())
}

// requesterFlags adds the flags that say what is known of a person or a unit besides the name.
func requesterFlags(f *pflag.FlagSet, r *apipb.Requester, since *string) {
	kind := enumFlag(&r.Kind)
	f.Var(kind, "kind", "whom it is about: "+kind.choices())
	f.StringVar(&r.Unit, "unit", "", "the person's office")
	f.StringArrayVar(&r.Phones, "phone", nil, "a telephone number; may be given again")
	f.StringVar(&r.Email, "email", "", "the mail address")
	f.StringVar(&r.User, "user", "", "the user name at this site")
	f.StringVar(&r.Class, "class", "", "normal, vip or new (new until the last welcome call-back)")
	f.StringVar(&r.Note, "note", "", "what else to know")
	f.StringVar(since, "since", "", "customer since that day, such as 2026-11-21 (today)")
}

// sinceDay reads the day of --since in the reader's zone.
func (c *console) sinceDay(since string) (*timestamppb.Timestamp, error) {
	if since == "" {
		return nil, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, since, c.location())
	if err != nil {
		return nil, Usage("--since %s is no day: write one such as 2026-11-21", since)
	}
	return timestamppb.New(day), nil
}

func (c *console) addRequester() *cobra.Command {
	r := &apipb.Requester{}
	var since string
	cmd := &cobra.Command{Use: "add NAME", Short: "新增: write a person or a unit down", Args: takes("NAME")}
	requesterFlags(cmd.Flags(), r, &since)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) (err error) {
		r.Name = args[0]
		if r.Since, err = c.sinceDay(since); err != nil {
			return err
		}
		added, err := node.requesters.CreateRequester(ctx, &apipb.CreateRequesterRequest{Requester: r})
		if err != nil {
			return err
		}
		return out.answer(added, func() string { return out.requesters(new(table), []*apipb.Requester{added}, true) })
	})
	return cmd
}

func (c *console) listRequesters() *cobra.Command {
	q := &apipb.ListRequestersRequest{PageSize: maxPageSize}
	cmd := &cobra.Command{Use: "list", Short: "列表: people and units, or those whose number, name or unit begins so", Args: takes()}
	kind := enumFlag(&q.Kind)
	cmd.Flags().Var(kind, "kind", "only those: "+kind.choices())
	cmd.Flags().StringVar(&q.Search, "search", "", "the beginning of a telephone number, a name, a unit or a user name")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		columns, first := &table{}, true
		for {
			page, err := node.requesters.ListRequesters(ctx, q)
			if err != nil {
				return err
			}
			err = out.answer(page, func() string { return out.requesters(columns, page.GetRequesters(), first) })
			if err != nil || page.GetNextPageToken() == "" {
				return err
			}
			q.PageToken, first = page.GetNextPageToken(), false
		}
	})
	return cmd
}

// requesters is a page of people and units, the first one under a header.
func (p *printer) requesters(columns *table, people []*apipb.Requester, first bool) string {
	var rows [][]string
	if first {
		rows = append(rows, p.header(phrase{"编号", "ID"}, phrase{"种类", "KIND"}, phrase{"名称", "NAME"}, phrase{"单位", "UNIT"}, phrase{"电话", "PHONE"},
			phrase{"类别", "CLASS"}, phrase{"账号", "USER"}))
	}
	for _, r := range people {
		rows = append(rows, []string{r.GetId(), p.name(r.GetKind()), r.GetName(), r.GetUnit(), strings.Join(r.GetPhones(), ", "),
			p.class(r.GetClass()), r.GetUser()})
	}
	return columns.layOut(rows)
}

// class is a customer's class in words.
func (p *printer) class(name string) string {
	words, known := map[string]phrase{"normal": {"普通", "normal"}, "vip": {"VIP", "vip"}, "new": {"新客户", "new"}}[name]
	if !known {
		return name
	}
	return p.say(words)
}

// historyShown is how many tickets of a person or a unit are shown.
const historyShown = 20

func (c *console) showRequester() *cobra.Command {
	return &cobra.Command{Use: "show ID", Short: "查看: a person or a unit, the call-backs and the latest tickets", Args: takes("ID"),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
			r, err := node.requesters.GetRequester(ctx, &apipb.GetRequesterRequest{Id: args[0]})
			if err != nil {
				return err
			}
			history := &apipb.ListTicketsResponse{}
			if !out.json {
				q := &apipb.ListTicketsRequest{Filter: historyFilter(r), PageSize: historyShown}
				if history, err = node.tickets.ListTickets(ctx, q); err != nil {
					return err
				}
			}
			return out.answer(r, func() string { return out.requester(r, history) })
		})}
}

// historyFilter lists the tickets of a person, or those of all people of a unit.
func historyFilter(r *apipb.Requester) string {
	if r.GetKind() == deskpb.Customer_UNIT {
		return fmt.Sprintf("requester.unit = %q", r.GetName())
	}
	return fmt.Sprintf("requester.id = %q", r.GetId())
}

// requester is everything that is known of a person or a unit.
func (p *printer) requester(r *apipb.Requester, history *apipb.ListTicketsResponse) string {
	b := &block{printer: p}
	b.add(phrase{"编号", "Id"}, r.GetId())
	b.add(phrase{"种类", "Kind"}, p.name(r.GetKind()))
	b.add(phrase{"名称", "Name"}, r.GetName())
	b.add(phrase{"单位", "Unit"}, r.GetUnit())
	b.add(phrase{"电话", "Phone"}, strings.Join(r.GetPhones(), ", "))
	b.add(phrase{"邮箱", "Mail"}, r.GetEmail())
	b.add(phrase{"账号", "User"}, r.GetUser())
	b.add(phrase{"类别", "Class"}, p.class(r.GetClass()))
	b.when(phrase{"客户自", "Customer since"}, r.GetSince())
	b.add(phrase{"备注", "Note"}, r.GetNote())
	b.add(phrase{"版本", "Etag"}, r.GetEtag())
	var out strings.Builder
	out.WriteString(b.String())
	var calls [][]string
	for _, call := range r.GetCalls() {
		calls = append(calls, []string{p.name(call.GetKind()), p.when(call.GetDueTime()), p.when(call.GetDoneTime()),
			p.name(call.GetOutcome()), call.GetActor(), call.GetComment()})
	}
	p.section(&out, phrase{"回访", "Call-backs"}, indent(new(table).layOut(calls)))
	if len(history.GetTickets()) > 0 {
		p.section(&out, phrase{"工单", "Tickets"}, indent(p.ticketList().page(history, false)))
	}
	return out.String()
}

func (c *console) setRequester() *cobra.Command {
	change := &apipb.Requester{}
	var since string
	cmd := &cobra.Command{Use: "set ID", Short: "修改: change what is known of a person or a unit; what no flag names stays", Args: takes("ID")}
	cmd.Flags().StringVar(&change.Name, "name", "", "the name")
	requesterFlags(cmd.Flags(), change, &since)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		known, err := node.requesters.GetRequester(ctx, &apipb.GetRequesterRequest{Id: args[0]})
		if err != nil {
			return err
		}
		if change.Since, err = c.sinceDay(since); err != nil {
			return err
		}
		set := &apipb.UpdateRequesterRequest{Id: args[0], Requester: changed(known, change, cmd.Flags()), Etag: known.GetEtag()}
		after, err := node.requesters.UpdateRequester(ctx, set)
		if err != nil {
			return err
		}
		return out.answer(after, func() string { return out.requesters(new(table), []*apipb.Requester{after}, true) })
	})
	return cmd
}

// changed is what was known with what the flags say.
func changed(known, change *apipb.Requester, flags *pflag.FlagSet) *apipb.Requester {
	after := &apipb.Requester{
		Name: known.GetName(), Unit: known.GetUnit(), Phones: known.GetPhones(), Email: known.GetEmail(), User: known.GetUser(),
		Class: known.GetClass(), Since: known.GetSince(), Note: known.GetNote(), Kind: known.GetKind(),
	}
	for flag, set := range map[string]func(){
		"kind":  func() { after.Kind = change.GetKind() },
		"name":  func() { after.Name = change.GetName() },
		"unit":  func() { after.Unit = change.GetUnit() },
		"phone": func() { after.Phones = change.GetPhones() },
		"email": func() { after.Email = change.GetEmail() },
		"user":  func() { after.User = change.GetUser() },
		"class": func() { after.Class = change.GetClass() },
		"since": func() { after.Since = change.GetSince() },
		"note":  func() { after.Note = change.GetNote() },
	} {
		if flags.Changed(flag) {
			set()
		}
	}
	return after
}

func (c *console) removeRequester() *cobra.Command {
	return &cobra.Command{Use: "remove ID", Short: "移除: forget a person or a unit; tickets keep what they say", Args: takes("ID"),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
			done, err := node.requesters.DeleteRequester(ctx, &apipb.DeleteRequesterRequest{Id: args[0]})
			if err != nil {
				return err
			}
			return out.answer(done, func() string {
				return fmt.Sprintf(out.say(phrase{"已移除报告人 %s\n", "requester %s was removed\n"}), args[0])
			})
		})}
}
