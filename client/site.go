package client

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) siteCommand() *cobra.Command {
	return c.group("site", "站点: this site, its links, and the tree",
		c.readSite("status", "状态: nodes, leader, applied index, links and alarms of this site", (*printer).site),
		c.readSite("links", "上下级链路: state and lag of this site's links", func(p *printer, s *apipb.GetSiteResponse) string {
			return p.links(s.GetLinks())
		}),
		c.sites(), c.parked(), c.recoverSite(), c.overrideTicket())
}

// readSite makes a command that asks for this site and shows some of the answer.
func (c *console) readSite(name, short string, words func(*printer, *apipb.GetSiteResponse) string) *cobra.Command {
	return &cobra.Command{Use: name, Short: short, Args: takes(),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
			site, err := node.sites.GetSite(ctx, &apipb.GetSiteRequest{})
			if err != nil {
				return err
			}
			return out.answer(site, func() string { return words(out, site) })
		})}
}

func (p *printer) site(s *apipb.GetSiteResponse) string {
	b := &block{printer: p}
	b.add(phrase{"站点", "Site"}, s.GetSite().GetId()+" "+s.GetSite().GetName())
	b.add(phrase{"级别", "Tier"}, p.name(s.GetSite().GetTier()))
	b.add(phrase{"上级站点", "Parent"}, s.GetSite().GetParent())
	leader := s.GetLeader()
	if leader == "" {
		leader = p.say(phrase{"无：写操作暂不可用", "none: nothing can be written now"})
	}
	b.add(phrase{"主节点", "Leader"}, leader)
	b.add(phrase{"任期", "Raft term"}, fmt.Sprint(s.GetTerm()))
	b.add(phrase{"应用序号", "Applied index"}, fmt.Sprint(s.GetAppliedIndex()))
	p.life(b, s)
	var out strings.Builder
	out.WriteString(b.String())
	p.section(&out, phrase{"节点", "Nodes"}, indent(p.nodes(s.GetNodes())))
	p.section(&out, phrase{"上下级链路", "Links"}, indent(p.links(s.GetLinks())))
	p.section(&out, phrase{"重大故障", "Major incidents"}, indent(p.majors(s.GetMajorIncidents())))
	p.section(&out, phrase{"告警", "Alarms"}, indent(strings.Join(s.GetAlarms(), "\n")))
	return out.String()
}

// majors is empty when there is none.
func (p *printer) majors(majors []*apipb.MajorIncident) string {
	if len(majors) == 0 {
		return ""
	}
	rows := [][]string{p.header(phrase{"工单", "TICKET"}, phrase{"受理站点", "WITH"}, phrase{"报告时间", "OPENED"}, phrase{"标题", "TITLE"})}
	for _, m := range majors {
		rows = append(rows, []string{m.GetNumber(), m.GetCustodianSite(), p.when(m.GetOpenTime()), m.GetTitle()})
	}
	return new(table).layOut(rows)
}

func (p *printer) nodes(nodes []*apipb.Node) string {
	rows := [][]string{p.header(phrase{"节点", "NODE"}, phrase{"角色", "ROLE"}, phrase{"存活", "ALIVE"}, phrase{"HTTP", "HTTP"},
		phrase{"gRPC", "GRPC"})}
	for _, n := range nodes {
		rows = append(rows, []string{n.GetId(), p.name(n.GetRole()), p.yes(n.GetAlive()), n.GetAddresses().GetHttp(),
			n.GetAddresses().GetGrpc()})
	}
	return new(table).layOut(rows)
}

func (c *console) sites() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "列表: every site of the tree that this one knows", Args: takes(),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
			known, err := node.sites.ListSites(ctx, &apipb.ListSitesRequest{})
			if err != nil {
				return err
			}
			return out.answer(known, func() string { return out.knownSites(known.GetSites()) })
		})}
}

func (p *printer) knownSites(sites []*apipb.KnownSite) string {
	rows := [][]string{p.header(phrase{"站点", "SITE"}, phrase{"名称", "NAME"}, phrase{"级别", "TIER"}, phrase{"上级站点", "PARENT"},
		phrase{"节点数", "NODES"}, phrase{"存活", "ALIVE"}, phrase{"失联自", "NOT SEEN SINCE"})}
	for _, s := range sites {
		rows = append(rows, []string{s.GetId(), s.GetName(), p.name(s.GetTier()), s.GetParent(), fmt.Sprint(len(s.GetNodes())),
			p.yes(s.GetAlive()), p.when(s.GetNotSeenSince())})
	}
	return new(table).layOut(rows)
}

func (c *console) parked() *cobra.Command {
	q := &apipb.ListParkedRequest{PageSize: maxPageSize}
	retry := false
	cmd := &cobra.Command{Use: "parked", Short: "搁置: what came over links and could not be applied, and why", Args: takes(),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
			if retry {
				return retryParked(ctx, node, out)
			}
			columns, first := &table{}, true
			for {
				page, err := node.sites.ListParked(ctx, q)
				if err != nil {
					return err
				}
				err = out.answer(page, func() string { return out.parked(columns, page.GetItems(), first) })
				if err != nil || page.GetNextPageToken() == "" {
					return err
				}
				q.PageToken, first = page.GetNextPageToken(), false
			}
		})}
	cmd.Flags().BoolVar(&retry, "retry", false, "try to apply all of it again; administrators only")
	return cmd
}

// parked is a page of parked items; the first one says when there are none.
func (p *printer) parked(columns *table, items []*apipb.ParkedItem, first bool) string {
	if first && len(items) == 0 {
		return p.say(phrase{"没有搁置的内容", "nothing is parked"}) + "\n"
	}
	var rows [][]string
	if first {
		rows = append(rows, p.header(phrase{"对端", "PEER"}, phrase{"序号", "SEQUENCE"}, phrase{"时间", "TIME"},
			phrase{"字节", "BYTES"}, phrase{"工单", "TICKET"}, phrase{"步骤", "STEP"}, phrase{"内容", "TEXT"}, phrase{"原因", "REASON"}))
	}
	for _, i := range items {
		rows = append(rows, []string{i.GetPeer(), fmt.Sprint(i.GetSequence()), p.when(i.GetTime()), fmt.Sprint(i.GetSize()),
			i.GetTicket(), p.nameOf("Event", i.GetType()), i.GetText(), i.GetReason()})
	}
	return columns.layOut(rows)
}
