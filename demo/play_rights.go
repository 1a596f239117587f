package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/verify"
)

// permitted plays a ticket that its requester opens: what the requester, an agent of another group and an auditor see of it,
// and what they may not do.
func (p *play) permitted(ctx context.Context) {
	number := p.reported(ctx, sheetCall)
	holder := p.holder(ctx, p.county, number)
	const aside, answer = "疑似缓存未刷新，先核对日志", "已收到，半小时内答复"
	note := func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.NoteTicket(ctx, &apipb.NoteTicketRequest{Number: number, Text: aside, RequestId: request()})
	}
	read := func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.GetTicket(ctx, &apipb.GetTicketRequest{Number: number})
	}
	p.act(p.county, holder, number, "内部备注 · noted: "+aside, note)
	p.reply(ctx, p.county, number, answer)
	p.hears(ctx, number, answer, aside)
	p.refused(p.county, countyReporter, number, "PermissionDenied", "报告人不能写内部备注 · the requester may not note", note)
	p.refused(p.county, machineRoom, number, "NotFound", "别组人员看不到此单 · not there for an agent of another group", read)
	p.act(p.county, countyAuditor, number, "审计人员可查看 · read by the auditor", read)
	p.refused(p.county, countyAuditor, number, "PermissionDenied", "审计人员不能派单 · the auditor may not assign", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.AssignTicket(ctx, &apipb.AssignTicketRequest{Number: number, Assignee: holder, RequestId: request()})
	})
	p.resolve(ctx, p.county, number, "已刷新调剂单缓存，可正常打开。")
	closed := p.act(p.county, countyReporter, number, "报告人确认，办结 · confirmed and closed", func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.ConfirmTicket(ctx, &apipb.ConfirmTicketRequest{Number: number, RequestId: request(), Satisfaction: &deskpb.Satisfaction{Score: 5}})
	})
	p.expect(closed.GetState() == deskpb.Ticket_CLOSED, "%s is %s after its requester confirmed it, not CLOSED", number, closed.GetState())
}

// reported has the requester open a ticket in the requester's own name, and returns its number.
func (p *play) reported(ctx context.Context, c call) string {
	ticket := p.act(p.county, countyReporter, c.title, "报告人自助登记 · opened by the requester: "+c.title, func(t apipb.TicketsClient) (*deskpb.Ticket, error) {
		return t.CreateTicket(ctx, &apipb.CreateTicketRequest{Ticket: c.ticket(), RequestId: request()})
	})
	p.expect(ticket.GetChannel() == deskpb.Ticket_PORTAL && ticket.GetRequester().GetUser() == countyReporter,
		"%s, opened by %s, came by %s and is of %q", ticket.GetNumber(), countyReporter, ticket.GetChannel(), ticket.GetRequester().GetUser())
	return ticket.GetNumber()
}

// hears checks that the journal as the requester reads it tells the answer and nothing that is the desk's own.
func (p *play) hears(ctx context.Context, number, answer, aside string) {
	if p.err != nil {
		return
	}
	began, told := time.Now(), false
	for entry, err := range verify.Journal(ctx, p.county.by(countyReporter), number) {
		if err != nil {
			p.err = err
			return
		}
		told = told || entry.Text == answer
		p.expect(!strings.Contains(entry.Text, aside) && entry.Visibility == "EVERYONE",
			"the requester of %s reads what is for %s: %q", number, entry.Visibility, entry.Text)
	}
	p.expect(told, "the requester of %s does not read the answer %q", number, answer)
	p.step(began, number, "报告人只见公开记录 · the requester reads the answer and no notes")
}

// audited plays a stranger who guesses a password, and holds what the audit logs of all sites tell against what was signed and
// what the county's parent keeps.
func (p *play) audited(ctx context.Context) {
	p.guessed(ctx, countyManager)
	began := time.Now()
	p.until(ctx, fmt.Sprintf("%s to keep a checkpoint of the audit log of %s", p.city.ID, p.county.ID), func() (bool, error) {
		kept, err := apipb.NewAuditsClient(p.city.desk.Conn()).ListCheckpoints(ctx, &apipb.ListCheckpointsRequest{Site: p.county.ID})
		return len(kept.GetCheckpoints()) > 0, err
	})
	p.step(began, p.city.ID, "%s 留存了 %s 的签名检查点 · keeps a signed checkpoint of its county", p.city.Name, p.county.Name)
	began = time.Now()
	entries, witnessed := 0, 0
	for _, s := range p.sites {
		found := p.whole(ctx, s)
		entries += int(found.GetEntries())
		if s == p.county {
			witnessed = int(found.GetWitnessed())
		}
	}
	p.expect(witnessed > 0, "no checkpoint that %s keeps was held against the audit log of %s", p.city.ID, p.county.ID)
	p.step(began, "audit", "%d 个站点的审计链完整，共 %d 条 · the chains of all sites are whole", len(p.sites), entries)
}

// guessed has a stranger guess the password of somebody at the county until further tries are refused, and waits until the
// county's auditor reads of it.
func (p *play) guessed(ctx context.Context, user string) {
	if p.err != nil {
		return
	}
	const most = 10
	began, wrong := time.Now(), 0
	sessions := apipb.NewSessionsClient(p.county.desk.Conn())
	_, err := sessions.CreateSession(ctx, &apipb.CreateSessionRequest{User: user, Password: "a guess"})
	for ; status.Code(err) == codes.Unauthenticated && wrong < most; wrong++ {
		_, err = sessions.CreateSession(ctx, &apipb.CreateSessionRequest{User: user, Password: fmt.Sprintf("guess %d", wrong)})
	}
	p.expect(wrong > 0 && status.Code(err) == codes.ResourceExhausted, "after %d wrong passwords of %s the answer should be a pause, and was: %v", wrong, user, err)
	p.step(began, p.county.ID, "猜错 %d 次密码后须等待 · a pause after %d wrong passwords", wrong, wrong)
	audits, asked := apipb.NewAuditsClient(p.county.staff[countyAuditor].Conn()), time.Now()
	filter := fmt.Sprintf("action = \"session.create\" AND outcome = REFUSED AND object = %q AND time >= %s", user, began.UTC().Format(time.RFC3339))
	p.until(ctx, "the wrong passwords in the audit log of "+p.county.ID, func() (bool, error) {
		page, err := audits.ListAudit(ctx, &apipb.ListAuditRequest{Filter: filter})
		return slices.ContainsFunc(page.GetEntries(), func(e *apipb.AuditEntry) bool { return e.Address != "" }), err
	})
	p.step(asked, p.county.ID, "审计日志已记录，含来源地址 · the audit log tells of it, and from where")
}

// whole has a site walk through its audit log and returns what it found, which must be nothing that does not fit.
func (p *play) whole(ctx context.Context, s *site) *apipb.VerifyAuditResponse {
	found := &apipb.VerifyAuditResponse{}
	for from := uint32(1); from > 0 && p.err == nil; {
		part, err := apipb.NewAuditsClient(s.desk.Conn()).VerifyAudit(ctx, &apipb.VerifyAuditRequest{FromSequence: from})
		if err != nil {
			p.err = fmt.Errorf("verify the audit log of %s: %w", s.ID, err)
			break
		}
		p.expect(len(part.Problems) == 0, "the audit log of %s is not whole: %s", s.ID, strings.Join(part.Problems, "; "))
		found.Entries += part.Entries
		found.Witnessed += part.Witnessed
		from = part.NextSequence
	}
	return found
}
