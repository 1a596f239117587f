package desk

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// The tables say what each verb comes to in each state: the state after it, with the site that the ticket then waits
// for behind an arrow; "remark" and "wish" when the ticket is left alone; the reason of a refusal; "-" for WRONG_STATE.
const (
	verbsAtHome = `
verb      NEW                       ASSIGNED                  IN_PROGRESS               ON_HOLD                   RESOLVED     CLOSED       CANCELED
assign    ASSIGNED                  ASSIGNED                  ASSIGNED                  ON_HOLD                   -            -            -
start     IN_PROGRESS               IN_PROGRESS               -                         -                         -            -            -
hold      ON_HOLD                   ON_HOLD                   ON_HOLD                   -                         -            -            -
resume    -                         -                         -                         IN_PROGRESS               -            -            -
note      remark                    remark                    remark                    remark                    remark       remark       remark
reply     remark                    remark                    remark                    remark                    remark       remark       remark
urge      remark                    remark                    remark                    ON_HOLD                   remark       -            -
rate      -                         -                         -                         -                         remark       remark       -
callBack  -                         -                         -                         -                         remark       remark       -
claim     ASSIGNED                  ASSIGNED                  ALREADY_CLAIMED           ON_HOLD                   -            -            -
decline   -                         NOT_ASSIGNEE              -                         -                         -            -            -
transfer  -                         ASSIGNED                  ASSIGNED                  ON_HOLD                   -            -            -
escalate  NEW>330100                ASSIGNED>330100           IN_PROGRESS>330100        ON_HOLD>330100            -            -            -
withdraw  NOT_QUEUED                NOT_QUEUED                NOT_QUEUED                NOT_QUEUED                NOT_QUEUED   NOT_QUEUED   NOT_QUEUED
return    NO_ROUTE                  NO_ROUTE                  NO_ROUTE                  NO_ROUTE                  -            -            -
dispatch  NOT_QUEUED                NOT_QUEUED                NOT_QUEUED                NOT_QUEUED                NOT_QUEUED   NOT_QUEUED   NOT_QUEUED
resolve   RESOLVED                  RESOLVED                  RESOLVED                  RESOLVED                  -            -            -
confirm   -                         -                         -                         -                         CLOSED       -            -
close     -                         -                         -                         -                         CLOSED       -            -
reopen    -                         -                         -                         -                         NEW          NEW          -
cancel    CANCELED                  CANCELED                  CANCELED                  CANCELED                  -            -            -
reclaim   ALREADY_HELD              ALREADY_HELD              ALREADY_HELD              ALREADY_HELD              ALREADY_HELD ALREADY_HELD ALREADY_HELD
relocate  NEW>330000                ASSIGNED>330000           IN_PROGRESS>330000        ON_HOLD>330000            RESOLVED>330000 CLOSED>330000 CANCELED>330000
`
	// Away from home a resolved ticket waits for the line towards it.
	verbsAway = `
verb      NEW                ASSIGNED           IN_PROGRESS         ON_HOLD           RESOLVED           CLOSED             CANCELED
assign    ASSIGNED           ASSIGNED           ASSIGNED            ON_HOLD           -                  -                  -
start     IN_PROGRESS        IN_PROGRESS        -                   -                 -                  -                  -
hold      ON_HOLD            ON_HOLD            ON_HOLD             -                 -                  -                  -
resume    -                  -                  -                   IN_PROGRESS       -                  -                  -
note      remark             remark             remark              remark            remark             remark             remark
reply     remark             remark             remark              remark            remark             remark             remark
urge      remark             remark             remark              ON_HOLD           remark             -                  -
rate      -                  -                  -                   -                 remark             remark             -
callBack  -                  -                  -                   -                 remark             remark             -
claim     ASSIGNED           ASSIGNED           ALREADY_CLAIMED     ON_HOLD           -                  -                  -
escalate  NEW>330000         ASSIGNED>330000    IN_PROGRESS>330000  ON_HOLD>330000    -                  -                  -
withdraw  NOT_QUEUED         NOT_QUEUED         NOT_QUEUED          NOT_QUEUED        -                  NOT_QUEUED         NOT_QUEUED
return    NEW>330106         ASSIGNED>330106    IN_PROGRESS>330106  ON_HOLD>330106    -                  -                  -
dispatch  NOT_QUEUED         NOT_QUEUED         NOT_QUEUED          NOT_QUEUED        IN_TRANSIT         NOT_QUEUED         NOT_QUEUED
resolve   RESOLVED>330106    RESOLVED>330106    RESOLVED>330106     RESOLVED>330106   -                  -                  -
confirm   -                  -                  -                   -                 CLOSED             -                  -
close     PERMISSION_DENIED  PERMISSION_DENIED  PERMISSION_DENIED   PERMISSION_DENIED PERMISSION_DENIED  PERMISSION_DENIED  PERMISSION_DENIED
reopen    -                  -                  -                   -                 NEW                NEW                -
cancel    CANCELED           CANCELED           CANCELED            CANCELED          -                  -                  -
reclaim   ALREADY_HELD       ALREADY_HELD       ALREADY_HELD        ALREADY_HELD      ALREADY_HELD       ALREADY_HELD       ALREADY_HELD
relocate  NEW>330000         ASSIGNED>330000    IN_PROGRESS>330000  ON_HOLD>330000    RESOLVED>330000    CLOSED>330000      CANCELED>330000
`
	// At a site that does not hold the ticket its state does not matter.
	verbsAtMirror = `
verb      NEW            RESOLVED       CLOSED
assign    NOT_CUSTODIAN  NOT_CUSTODIAN  NOT_CUSTODIAN
start     NOT_CUSTODIAN  NOT_CUSTODIAN  NOT_CUSTODIAN
hold      NOT_CUSTODIAN  NOT_CUSTODIAN  NOT_CUSTODIAN
resume    NOT_CUSTODIAN  NOT_CUSTODIAN  NOT_CUSTODIAN
note      remark         remark         remark
reply     remark         remark         remark
urge      remark         remark         -
rate      -              remark         remark
callBack  -              remark         remark
claim     NOT_CUSTODIAN  NOT_CUSTODIAN  NOT_CUSTODIAN
decline   NOT_CUSTODIAN  NOT_CUSTODIAN  NOT_CUSTODIAN
transfer  NOT_CUSTODIAN  NOT_CUSTODIAN  NOT_CUSTODIAN
escalate  NOT_CUSTODIAN  NOT_CUSTODIAN  NOT_CUSTODIAN
withdraw  wish           wish           wish
return    NOT_CUSTODIAN  NOT_CUSTODIAN  NOT_CUSTODIAN
dispatch  NOT_CUSTODIAN  NOT_CUSTODIAN  NOT_CUSTODIAN
resolve   NOT_CUSTODIAN  NOT_CUSTODIAN  NOT_CUSTODIAN
confirm   wish           wish           wish
close     NOT_CUSTODIAN  NOT_CUSTODIAN  NOT_CUSTODIAN
reopen    wish           wish           wish
cancel    wish           wish           wish
reclaim   NEW            RESOLVED       CLOSED
relocate  NOT_CUSTODIAN  NOT_CUSTODIAN  NOT_CUSTODIAN
`
	verbsInTransit = `
verb      NEW         ON_HOLD
assign    IN_TRANSIT  IN_TRANSIT
start     IN_TRANSIT  IN_TRANSIT
hold      IN_TRANSIT  IN_TRANSIT
resume    IN_TRANSIT  IN_TRANSIT
note      remark      remark
reply     remark      remark
urge      remark      ON_HOLD
rate      -           -
callBack  -           -
claim     IN_TRANSIT  IN_TRANSIT
escalate  IN_TRANSIT  IN_TRANSIT
withdraw  wish        wish
return    IN_TRANSIT  IN_TRANSIT
dispatch  IN_TRANSIT  IN_TRANSIT
resolve   IN_TRANSIT  IN_TRANSIT
confirm   wish        wish
close     IN_TRANSIT  IN_TRANSIT
reopen    wish        wish
cancel    wish        wish
reclaim   NEW         ON_HOLD
relocate  IN_TRANSIT  IN_TRANSIT
`
	// While an escalation waits, staff go on; an end of the work drops the wish.
	verbsWhileQueued = `
verb      NEW              ASSIGNED         IN_PROGRESS         ON_HOLD
assign    ASSIGNED>330100  ASSIGNED>330100  ASSIGNED>330100     ON_HOLD>330100
start     IN_PROGRESS>330100 IN_PROGRESS>330100 -               -
hold      ON_HOLD>330100   ON_HOLD>330100   ON_HOLD>330100      -
resume    -                -                -                   IN_PROGRESS>330100
escalate  ALREADY_QUEUED   ALREADY_QUEUED   ALREADY_QUEUED      ALREADY_QUEUED
return    ALREADY_QUEUED   ALREADY_QUEUED   ALREADY_QUEUED      ALREADY_QUEUED
withdraw  NEW              ASSIGNED         IN_PROGRESS         ON_HOLD
dispatch  IN_TRANSIT       IN_TRANSIT       IN_TRANSIT          IN_TRANSIT
resolve   RESOLVED         RESOLVED         RESOLVED            RESOLVED
cancel    CANCELED         CANCELED         CANCELED            CANCELED
relocate  NEW>330000       ASSIGNED>330000  IN_PROGRESS>330000  ON_HOLD>330000
`
)

func TestVerbs(t *testing.T) {
	for _, c := range []struct {
		place, table string
		site         SiteID
		arrange      func(*stage)
	}{
		{"at home", verbsAtHome, county, func(s *stage) { s.reach(county) }},
		{"away", verbsAway, city, func(s *stage) { s.escalateToCity(); s.reach(city) }},
		{"at a mirror", verbsAtMirror, county, func(s *stage) { s.escalateToCity(); s.reachHeld(city) }},
		{"in transit", verbsInTransit, county, func(s *stage) {
			s.reach(county)
			s.do(county, escalateCommand(""))
			s.do(county, dispatchTo(s.number, string(city)))
		}},
		{"while queued", verbsWhileQueued, county, func(s *stage) { s.reach(county); s.do(county, escalateCommand("")) }},
	} {
		lines := strings.Split(strings.TrimSpace(c.table), "\n")
		states := strings.Fields(lines[0])[1:]
		for _, line := range lines[1:] {
			cells := strings.Fields(line)
			for i, state := range states {
				t.Run(fmt.Sprintf("%s/%s/%s", c.place, cells[0], state), func(t *testing.T) {
					s := newStage(t, deskpb.Ticket_State(deskpb.Ticket_State_value[state]))
					c.arrange(s)
					want := strings.ReplaceAll(cells[i+1], "-", "WRONG_STATE")
					if got := s.outcome(c.site, cells[0]); got != want {
						t.Errorf("%s comes to %s, want %s", cells[0], got, want)
					}
				})
			}
		}
	}
}

// stage is a tree with one ticket that is to come into a state.
type stage struct {
	t      testing.TB
	tree   *tree
	number TicketNumber
	state  deskpb.Ticket_State
}

func newStage(t testing.TB, state deskpb.Ticket_State) *stage {
	s := &stage{t: t, tree: newTree(), state: state}
	for _, o := range s.tree.offices {
		o.called["lin"], o.called["sun"] = "林晓 of "+string(o.here.Site), "孙丽 of "+string(o.here.Site)
	}
	s.number = TicketNumber(s.do(county, createCommand("打印机不工作")).Record.GetTicket().GetNumber())
	return s
}

func (s *stage) do(site SiteID, command *deskpb.TicketCommand) *Decision {
	s.t.Helper()
	if command.Actor == nil {
		command = by(agent("lin"), s.number, command)
	}
	d, err := s.tree.do(site, command)
	if err != nil {
		s.t.Fatalf("arrange %s at %s: %v", verbName(command), site, err)
	}
	return d
}

func (s *stage) drain() {
	s.t.Helper()
	if err := s.tree.drain(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) escalateToCity() {
	s.t.Helper()
	s.do(county, escalateCommand(""))
	s.drain()
}

// reach brings the ticket, held by the site, into its state. Nothing is sent meanwhile.
func (s *stage) reach(site SiteID) {
	s.t.Helper()
	for _, verb := range map[deskpb.Ticket_State][]string{
		deskpb.Ticket_ASSIGNED:    {"assign group"},
		deskpb.Ticket_IN_PROGRESS: {"start"},
		deskpb.Ticket_ON_HOLD:     {"hold"},
		deskpb.Ticket_RESOLVED:    {"resolve"},
		deskpb.Ticket_CLOSED:      {"resolve", "confirm"},
		deskpb.Ticket_CANCELED:    {"cancel"},
	}[s.state] {
		s.do(site, sampleCommand(verb))
	}
}

// reachHeld is reach at a site that keeps the ticket even when it is resolved, with mirrors up to date.
func (s *stage) reachHeld(site SiteID) {
	s.t.Helper()
	s.reach(site)
	for line := range s.tree.lines {
		for len(s.tree.lines[line]) > 0 {
			if err := s.tree.deliver(line); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// outcome tries the verb and says what it came to.
func (s *stage) outcome(site SiteID, verb string) string {
	s.t.Helper()
	o := s.tree.office(site)
	before := proto.CloneOf(o.records[s.number])
	command := by(agent("lin"), s.number, sampleCommand(verb))
	switch verb {
	case "dispatch":
		command = dispatchTo(s.number, before.GetTicket().GetHandover().GetToSite())
	case "relocate":
		command.Actor = nil
	case "reclaim":
		command.Actor = manager("sun")
	}
	d, err := s.tree.do(site, command)
	if err != nil {
		if !proto.Equal(before, o.records[s.number]) {
			s.t.Errorf("the refused %s changed the ticket", verb)
		}
		return reason(err)
	}
	switch d.Events[0].GetType() {
	case deskpb.Event_NOTED, deskpb.Event_REPLIED, deskpb.Event_URGED, deskpb.Event_CALLED_BACK, deskpb.Event_RATED:
		return "remark"
	case deskpb.Event_WISHED:
		return "wish"
	case deskpb.Event_DISPATCHED:
		return d.Record.GetTicket().GetHandover().GetState().String()
	}
	after := d.Record.GetTicket()
	if after.GetHandover().GetState() == deskpb.Handover_QUEUED {
		return after.GetState().String() + ">" + after.GetHandover().GetToSite()
	}
	return after.GetState().String()
}

func createCommand(title string) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Actor: agent("lin"), Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{
		Ticket: &deskpb.Ticket{Title: title},
	}}}
}

func escalateCommand(why string) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Escalate{Escalate: &deskpb.Escalate{Reason: why}}}
}

func resolveCommand(how string) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resolve{Resolve: &deskpb.Resolve{
		Resolution: &deskpb.Resolution{Text: how},
	}}}
}

// sampleCommand is a well-formed command of the verb, without actor and ticket.
func sampleCommand(verb string) *deskpb.TicketCommand {
	c := &deskpb.TicketCommand{}
	switch verb {
	case "create":
		return createCommand("报表打不开")
	case "assign":
		c.Verb = &deskpb.TicketCommand_Assign{Assign: &deskpb.Assign{Assignee: "wang", Reason: "熟悉"}}
	case "assign group":
		c.Verb = &deskpb.TicketCommand_Assign{Assign: &deskpb.Assign{Group: "网络组"}}
	case "start":
		c.Verb = &deskpb.TicketCommand_Start{Start: &deskpb.Start{}}
	case "hold":
		c.Verb = &deskpb.TicketCommand_Hold{Hold: &deskpb.Hold{Reason: "等待用户"}}
	case "resume":
		c.Verb = &deskpb.TicketCommand_Resume{Resume: &deskpb.Resume{}}
	case "note":
		c.Verb = &deskpb.TicketCommand_Note{Note: &deskpb.Note{Text: "内部备注"}}
	case "reply":
		c.Verb = &deskpb.TicketCommand_Reply{Reply: &deskpb.Reply{Text: "正在处理"}}
	case "callBack":
		return callBackCommand(deskpb.CallBack_CONTENT, 4)
	case "rate":
		return rateCommand(4)
	case "urge":
		c.Verb = &deskpb.TicketCommand_Urge{Urge: &deskpb.Urge{Reason: "很急"}}
	case "claim":
		c.Verb = &deskpb.TicketCommand_Claim{Claim: &deskpb.Claim{}}
	case "decline":
		c.Verb = &deskpb.TicketCommand_Decline{Decline: &deskpb.Decline{Reason: "不熟悉"}}
	case "transfer":
		c.Verb = &deskpb.TicketCommand_Transfer{Transfer: &deskpb.Transfer{Assignee: "wang", Reason: "熟悉"}}
	case "escalate":
		return escalateCommand("一线无法解决")
	case "withdraw":
		c.Verb = &deskpb.TicketCommand_Withdraw{Withdraw: &deskpb.Withdraw{Reason: "已恢复"}}
	case "return":
		c.Verb = &deskpb.TicketCommand_Return{Return: &deskpb.Return{Reason: "请现场核实"}}
	case "resolve":
		return resolveCommand("已重启服务")
	case "confirm":
		c.Verb = &deskpb.TicketCommand_Confirm{Confirm: &deskpb.Confirm{Satisfaction: &deskpb.Satisfaction{Score: 5}}}
	case "close":
		c.Verb = &deskpb.TicketCommand_Close{Close: &deskpb.Close{Comment: "电话确认"}}
	case "reopen":
		c.Verb = &deskpb.TicketCommand_Reopen{Reopen: &deskpb.Reopen{Reason: "又出现了"}}
	case "cancel":
		c.Verb = &deskpb.TicketCommand_Cancel{Cancel: &deskpb.Cancel{Reason: "重复"}}
	case "dispatch":
		c.Verb = &deskpb.TicketCommand_Dispatch{Dispatch: &deskpb.Dispatch{}}
	case "reclaim":
		c.Verb = &deskpb.TicketCommand_Reclaim{Reclaim: &deskpb.Reclaim{Reason: "本站重建"}}
	case "relocate":
		c.Verb = &deskpb.TicketCommand_Relocate{Relocate: &deskpb.Relocate{To: string(province)}}
	}
	return c
}
