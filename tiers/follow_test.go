package tiers

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/store"
)

// quartet is the whole tree of the tests without its links' goroutines: the test carries what waits.
type quartet struct {
	*testing.T
	top, middle, left, right *office
}

func newQuartet(t *testing.T) quartet {
	q := quartet{t, newOffice(t, province, wall), newOffice(t, city, wall), newOffice(t, county, wall), newOffice(t, county2, wall)}
	for _, line := range q.lines() {
		admit(t, line[0], line[1])
	}
	q.rest()
	return q
}

func (q quartet) offices() []*office { return []*office{q.top, q.middle, q.left, q.right} }

func (q quartet) lines() [][2]*office {
	return [][2]*office{{q.middle, q.top}, {q.left, q.middle}, {q.right, q.middle}}
}

// rest carries events and hand-overs until nothing is left to carry.
func (q quartet) rest() {
	q.Helper()
	for moved := true; moved; {
		moved = false
		for _, line := range q.lines() {
			for _, way := range [][2]*office{line, {line[1], line[0]}} {
				moved = depart(q, way[0], way[1]) || moved
				moved = ship(q, way[0], way[1]) || moved
			}
		}
	}
}

// equal checks that every office that knows a ticket has the same record and journal of it, and that nothing was set aside.
func (q quartet) equal(numbers ...string) {
	q.Helper()
	for _, o := range q.offices() {
		if parked := o.parked(); len(parked) != 0 {
			q.Errorf("%s parked %v", o.id, parked)
		}
		for _, number := range numbers {
			mine, home := o.record(number), q.top.record(number)
			if mine != nil && !proto.Equal(mine, home) {
				q.Errorf("ticket %s at %s is\n%v\nand at the province\n%v", number, o.id, mine, home)
			}
		}
	}
}

func childOf(parent string) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_LinkTickets{LinkTickets: &deskpb.LinkTickets{
		Link: &deskpb.TicketLink{Kind: deskpb.TicketLink_CHILD_OF, Number: parent},
	}}}
}

// TestResolvingAMajorIncidentResolvesItsChildrenOverTheTree has a parent of the province, and children held at a county, at
// its neighbour and at the city.
func TestResolvingAMajorIncidentResolvesItsChildrenOverTheTree(t *testing.T) {
	q := newQuartet(t)
	parent := q.top.open(t, "全省支付中断")
	left, right, middle := q.left.open(t, "付不了款"), q.right.open(t, "支付超时"), q.left.open(t, "网银报错")
	q.left.must(t, middle, escalate())
	q.rest()
	for _, child := range []string{left, right, middle} {
		q.top.must(t, child, childOf(parent))
	}
	q.rest()

	q.top.must(t, parent, resolve())
	q.rest()
	for _, child := range []string{left, right, middle} {
		ticket := q.top.record(child).Ticket
		if ticket.State != deskpb.Ticket_RESOLVED || ticket.CustodianSite != ticket.HomeSite || ticket.Resolution.GetText() != "已重启服务" {
			t.Errorf("child %s is %s at %s: %v", child, ticket.State, ticket.CustodianSite, ticket.Resolution)
		}
	}
	q.equal(parent, left, right, middle)
}

// TestAChildHeardOfWhileItsParentWasAlreadyResolvedStaysOpen links after the solution: nothing is resolved behind people's backs.
func TestAChildHeardOfWhileItsParentWasAlreadyResolvedStaysOpen(t *testing.T) {
	q := newQuartet(t)
	parent, child := q.left.open(t, "断电"), q.left.open(t, "打不开")
	q.left.must(t, parent, resolve())
	q.left.must(t, child, childOf(parent))
	q.rest()
	if state := q.top.record(child).Ticket.State; state != deskpb.Ticket_NEW {
		t.Errorf("the child is %s", state)
	}
	q.equal(parent, child)
}

// splitTwice splits a ticket twice in one entry of the log, whose commands all have one time, and returns the second part.
func (o *office) splitTwice(t *testing.T, number string) (part string) {
	t.Helper()
	err := o.log(func(b *store.Batch, at desk.Stamp) error {
		for range 2 {
			d, err := Decide(b, &deskpb.TicketCommand{
				Actor: &deskpb.Actor{User: "li", Role: deskpb.User_AGENT},
				Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{
					Origin: &deskpb.TicketLink{Kind: deskpb.TicketLink_SPLIT_FROM, Number: number},
				}},
			}, at)
			if err != nil {
				return err
			}
			part = d.Record.Ticket.Number
		}
		return nil
	})
	if err != nil {
		t.Fatalf("split %s twice in one entry: %v", number, err)
	}
	return part
}

// dispatchTo gives an office a policy by which every ticket goes to a group.
func dispatchTo(t *testing.T, o *office, group string) {
	t.Helper()
	rules := policy.Default()
	rules.Groups = append(rules.Groups, &deskpb.Team{Name: group})
	rules.Dispatch = append(rules.Dispatch, &deskpb.DispatchRule{Name: "all", Group: group})
	if err := o.log(func(b *store.Batch, _ desk.Stamp) error { return b.PutBasePolicy(rules) }); err != nil {
		t.Fatal(err)
	}
}

// TestOneDecisionOnTwoTickets merges and splits, and checks that each event was stored under an id of its own, in the
// outboxes of both tickets' paths.
func TestOneDecisionOnTwoTickets(t *testing.T) {
	q := newQuartet(t)
	first, second := q.left.open(t, "网络中断"), q.right.open(t, "上不了网")
	q.rest()
	q.middle.must(t, second, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_LinkTickets{LinkTickets: &deskpb.LinkTickets{
		Link: &deskpb.TicketLink{Kind: deskpb.TicketLink_RELATED, Number: first},
	}}})
	third := q.left.open(t, "断网")
	merged := q.left.must(t, third, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Merge{Merge: &deskpb.Merge{Into: first}}})
	if merged.MergedInto != first {
		t.Fatalf("%s was merged into %q", third, merged.MergedInto)
	}
	if noted := q.left.must(t, third, note("又来电话")); noted.Number != first {
		t.Errorf("a note on the merged ticket is answered with %s, want %s", noted.Number, first)
	}
	dispatchTo(t, q.left, "网络组")
	part := q.left.splitTwice(t, first)
	q.rest()
	q.equal(first, second, third, part)
	ids := map[string]bool{}
	for _, number := range []string{first, second, third, part} {
		for _, e := range q.top.journal(number) {
			if name := desk.EventName(e.Id); ids[name] {
				t.Errorf("two events are called %s", name)
			} else {
				ids[name] = true
			}
		}
	}
	if group := q.top.record(part).Ticket.Group; group != "网络组" {
		t.Errorf("the part was given to %q: the decision on it did not go on after the other ticket's", group)
	}
	if links := q.right.record(second).Ticket.Links; len(links) != 1 || links[0].Number != first {
		t.Errorf("the neighbour's ticket has the links %v", links)
	}
	if q.right.record(first) != nil {
		t.Error("the neighbour heard of a ticket that is not on its path")
	}
}

// TestAClosedOfficeFollowsNoTicket reopens after the window where nothing is opened any more: neither ticket changes.
func TestAClosedOfficeFollowsNoTicket(t *testing.T) {
	o := newOffice(t, county, wall)
	number := o.open(t, "报表打不开")
	o.must(t, number, resolve())
	o.must(t, number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Close{Close: &deskpb.Close{}}})
	window := 8 * 24 * int64(3600) * 1_000_000
	o.now = func() int64 { return wall() + window }
	err := o.log(func(b *store.Batch, _ desk.Stamp) error {
		return b.PutPlacement(&deskpb.Placement{Site: string(o.id), Parent: "330100", Phase: deskpb.Placement_CLOSED, Version: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	reopen := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reopen{Reopen: &deskpb.Reopen{Reason: "又出现了"}}}
	if _, refusal, err := o.do(number, reopen); err != nil || refusal.GetReason() != "SITE_CLOSED" {
		t.Errorf("a closed office is asked to reopen after the window: %v, %v; want SITE_CLOSED", refusal, err)
	}
	if links := o.record(number).Ticket.Links; len(links) != 0 || len(o.tickets()) != 1 {
		t.Errorf("the refused command left the links %v and the tickets %v", links, o.tickets())
	}
}
