package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/verify"
)

// patience bounds how long one step waits for a line or a hand-over.
const patience = 30 * time.Second

// play is the main job on the demo's tree.
type play struct {
	*Demo
	county, city, province *site
	quiet                  bool // says nothing
	request                int  // numbers the request ids
}

// Play takes calls, escalates, cuts and heals the line between county and city, and at the end compares all sites. It
// says each step on Out and returns an error when anything went otherwise than promised.
func (d *Demo) Play(ctx context.Context) error {
	path, err := d.options.Tree.path()
	if err != nil {
		return err
	}
	p := &play{Demo: d, county: d.site(path[0].ID), city: d.site(path[1].ID), province: d.site(path[2].ID)}
	for _, scene := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"电话受理，当场解决 · a call taken at the county and solved there", p.solvedAtOnce},
		{"逐级升级到省三线，解决后回县确认办结 · escalated to the province, solved, confirmed and closed at home", p.upAndHome},
		{"县市链路中断：照常受理，升级排队，撤回一单，恢复后自动上送 · the county-city line cut and healed", p.cutAndHeal},
	} {
		fmt.Fprintf(d.options.Out, "\n%s\n", scene.name)
		if err := scene.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", scene.name, err)
		}
	}
	return p.compare(ctx)
}

// inOrder runs steps until one fails.
func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// step says what was done, to which ticket, and how long it took.
func (p *play) step(began time.Time, number, format string, args ...any) {
	if p.quiet {
		return
	}
	fmt.Fprintf(p.options.Out, "  ✓ %-20s %s (%s)\n", number, fmt.Sprintf(format, args...), since(began))
}

func (p *play) requestID() string {
	p.request++
	return fmt.Sprintf("demo-%d-%d", time.Now().UnixNano(), p.request)
}

func (p *play) create(ctx context.Context, c call) (*deskpb.Ticket, error) {
	began := time.Now()
	ticket, err := p.county.desk.Nodes[0].CreateTicket(ctx, &apipb.CreateTicketRequest{Ticket: c.ticket(), RequestId: p.requestID()})
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", c.title, err)
	}
	p.step(began, ticket.Number, "%s 受理 · taken: %s", p.county.Name, c.title)
	return ticket, nil
}

// verb makes one call at a site and says so.
func (p *play) verb(s *site, number, say string, call func(apipb.TicketsClient) (*deskpb.Ticket, error)) (*deskpb.Ticket, error) {
	began := time.Now()
	ticket, err := call(s.desk.Nodes[0])
	if err != nil {
		return nil, fmt.Errorf("%s of %s at %s: %w", say, number, s.ID, err)
	}
	p.step(began, number, "%s %s", s.Name, say)
	return ticket, nil
}

func (p *play) start(ctx context.Context, s *site, number string) error {
	_, err := p.verb(s, number, "开始处理 · started", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.StartTicket(ctx, &apipb.StartTicketRequest{Number: number, RequestId: p.requestID()})
	})
	return err
}

func (p *play) escalate(ctx context.Context, s *site, number, reason string) error {
	_, err := p.verb(s, number, "升级 · escalated: "+reason, func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.EscalateTicket(ctx, &apipb.EscalateTicketRequest{Number: number, Reason: reason, RequestId: p.requestID()})
	})
	return err
}

func (p *play) resolve(ctx context.Context, s *site, number, text string) error {
	_, err := p.verb(s, number, "解决 · resolved: "+text, func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.ResolveTicket(ctx, &apipb.ResolveTicketRequest{Number: number, RequestId: p.requestID(),
			Resolution: &deskpb.Resolution{Code: "FIXED", Text: text}})
	})
	return err
}

func (p *play) confirm(ctx context.Context, number string) error {
	ticket, err := p.verb(p.county, number, "报告人确认，办结 · confirmed and closed", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.ConfirmTicket(ctx, &apipb.ConfirmTicketRequest{Number: number, RequestId: p.requestID(),
			Satisfaction: &deskpb.Satisfaction{Score: 5, Comment: "处理及时"}})
	})
	if err == nil && ticket.State != deskpb.Ticket_CLOSED {
		err = fmt.Errorf("%s is %s after it was confirmed, not CLOSED", number, ticket.State)
	}
	return err
}

// arrives waits until the site holds the ticket and the hand-over is over.
func (p *play) arrives(ctx context.Context, s *site, number string) error {
	began := time.Now()
	err := p.until(ctx, "the hand-over of "+number+" to "+s.ID, func() (bool, error) {
		ticket, err := s.desk.Nodes[0].GetTicket(ctx, &apipb.GetTicketRequest{Number: number})
		if err != nil {
			return false, nil // its first event may still be on the way
		}
		return ticket.CustodianSite == s.ID && ticket.Handover.GetState() == deskpb.Handover_NONE, nil
	})
	if err == nil {
		p.step(began, number, "已到 %s · arrived", s.Name)
	}
	return err
}

// until asks again and again, for as long as patience lasts.
func (p *play) until(ctx context.Context, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %s for %s: %w", patience, what, ctx.Err())
		case <-ticker.C:
		}
	}
}

func (p *play) solvedAtOnce(ctx context.Context) error {
	ticket, err := p.create(ctx, printerCall)
	if err != nil {
		return err
	}
	number := ticket.Number
	return inOrder(
		func() error { return p.start(ctx, p.county, number) },
		func() error {
			return p.resolve(ctx, p.county, number, "校准打印机进纸位置，重打八张票据，均正常。")
		},
		func() error { return p.confirm(ctx, number) })
}

func (p *play) upAndHome(ctx context.Context) error {
	ticket, err := p.create(ctx, budgetCall)
	if err != nil {
		return err
	}
	number := ticket.Number
	return inOrder(
		func() error {
			return p.escalate(ctx, p.county, number, "本区多家单位受影响，县级无权限查看指标库")
		},
		func() error { return p.arrives(ctx, p.city, number) },
		func() error { return p.start(ctx, p.city, number) },
		func() error {
			return p.escalate(ctx, p.city, number, "指标下达程序疑有缺陷，需要开发人员")
		},
		func() error { return p.arrives(ctx, p.province, number) },
		func() error { return p.start(ctx, p.province, number) },
		func() error {
			return p.resolve(ctx, p.province, number, "补丁已发布：追加指标按执行年度过滤有误，数据已重推。")
		},
		func() error { return p.arrives(ctx, p.county, number) },
		func() error { return p.confirm(ctx, number) })
}

func (p *play) cutAndHeal(ctx context.Context) error {
	began := time.Now()
	p.county.line.Cut()
	if err := p.linkIs(ctx, apipb.LinkStatus_DOWN); err != nil {
		return err
	}
	p.step(began, p.county.ID, "与 %s 的链路已断开，本站业务不受影响 · the line is down", p.city.Name)
	var numbers []string
	for _, c := range lineCalls {
		ticket, err := p.create(ctx, c)
		if err != nil {
			return err
		}
		numbers = append(numbers, ticket.Number)
	}
	queued, withdrawn := numbers[1], numbers[2]
	for _, number := range []string{queued, withdrawn} {
		if err := p.escalate(ctx, p.county, number, "需要市级二线处理"); err != nil {
			return err
		}
		if err := p.waitsForLine(ctx, number); err != nil {
			return err
		}
	}
	_, err := p.verb(p.county, withdrawn, "撤回升级 · withdrawn", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.WithdrawTicket(ctx, &apipb.WithdrawTicketRequest{Number: withdrawn, Reason: "已在本地找到办法", RequestId: p.requestID()})
	})
	if err != nil {
		return err
	}
	if err := p.resolve(ctx, p.county, withdrawn, "导出模板版本过旧，更换后合计正确。"); err != nil {
		return err
	}
	began = time.Now()
	p.county.line.Heal()
	if err := p.linkIs(ctx, apipb.LinkStatus_UP); err != nil {
		return err
	}
	p.step(began, p.county.ID, "链路已恢复 · the line is up")
	return inOrder(
		func() error { return p.arrives(ctx, p.city, queued) },
		func() error { return p.start(ctx, p.city, queued) },
		func() error {
			return p.resolve(ctx, p.city, queued, "退回原因字段被截断，已补录并通知单位重新提交。")
		},
		func() error { return p.arrives(ctx, p.county, queued) },
		func() error { return p.confirm(ctx, queued) },
		func() error { return p.confirm(ctx, withdrawn) })
}

// waitsForLine checks that an escalation made without a line is queued, and shows it.
func (p *play) waitsForLine(ctx context.Context, number string) error {
	began := time.Now()
	ticket, err := p.county.desk.Nodes[0].GetTicket(ctx, &apipb.GetTicketRequest{Number: number})
	if err != nil {
		return err
	}
	if ticket.Handover.GetState() != deskpb.Handover_QUEUED || ticket.CustodianSite != p.county.ID {
		return fmt.Errorf("%s should wait for the line at %s, but its hand-over is %s and %s holds it",
			number, p.county.ID, ticket.Handover.GetState(), ticket.CustodianSite)
	}
	p.step(began, number, "待上送 %s · queued", ticket.Handover.ToSite)
	return nil
}

// linkIs waits until the county sees its link to the city in the state.
func (p *play) linkIs(ctx context.Context, want apipb.LinkStatus_State) error {
	return p.until(ctx, fmt.Sprintf("the link of %s with %s to be %s", p.county.ID, p.city.ID, want), func() (bool, error) {
		overview, err := p.county.desk.Sites.GetSite(ctx, &apipb.GetSiteRequest{})
		if err != nil {
			return false, err
		}
		for _, link := range overview.Links {
			if link.Peer == p.city.ID {
				return link.State == want, nil
			}
		}
		return false, nil
	})
}

// compare waits for rest and holds every site's tickets and journals against each other.
func (p *play) compare(ctx context.Context) error {
	settleCtx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := verify.Settle(settleCtx, p.verifySites()); err != nil {
		return err
	}
	report, err := verify.Compare(ctx, p.verifySites())
	if err != nil {
		return err
	}
	fmt.Fprintf(p.options.Out, "\n对账：逐单、逐条流转记录 · compared ticket by ticket, journal by journal\n%s", report)
	if !report.Agree() {
		return fmt.Errorf("the sites do not agree: %s", report.Problems[0])
	}
	return nil
}
