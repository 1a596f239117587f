package desk

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// BenchmarkFold folds one more event onto a ticket that has been to the city and back.
func BenchmarkFold(b *testing.B) {
	s := benchedTicket(b)
	record := s.tree.office(county).records[s.number]
	for _, verb := range []string{"note", "start"} {
		o := s.tree.office(county)
		d, err := Decide(o.here, o, by(agent("lin"), s.number, sampleCommand(verb)), s.tree.stamp(o))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(verb, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Fold(record, d.Events[0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCreate decides on a new ticket, with its clocks.
func BenchmarkCreate(b *testing.B) {
	o := newOffice(deskpb.Site_COUNTY, county, city, province)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decide(o.here, o, createCommand("打印机不工作"), Stamp{Time: morning, UTCOffset: beijing}); err != nil {
			b.Fatal(err)
		}
	}
}

// benchedTicket returns a ticket of the county with its line, state and clocks as they were when it was opened, but a
// longer history.
func benchedTicket(b *testing.B) *stage {
	s := newStage(b, deskpb.Ticket_NEW)
	s.escalateToCity()
	s.do(city, by(agent("wang"), s.number, sampleCommand("return")))
	s.drain()
	for range 10 {
		s.do(county, sampleCommand("note"))
	}
	return s
}

// BenchmarkPermit asks whether somebody may do something with a ticket that has been to the city and back: the role and the
// token's limits, the scope, the lines. Each actor is asked about all of it.
func BenchmarkPermit(b *testing.B) {
	s := benchedTicket(b)
	o := s.tree.office(county)
	record := o.records[s.number]
	command := by(nil, s.number, sampleCommand("start"))
	for name, actor := range map[string]*deskpb.Actor{
		"agent": agent("lin"),
		"of a group": {User: "lin", Role: deskpb.User_AGENT, Scope: deskpb.User_GROUPS, Groups: []string{"网络组"},
			Lines: []deskpb.Ticket_Line{deskpb.Ticket_SECOND, deskpb.Ticket_FIRST}},
		"of offices":   {User: "he", Role: deskpb.User_DISPATCHER, Offices: []string{string(neighbour), string(city)}},
		"access token": {User: "lin", Role: deskpb.User_AGENT, Limits: []string{"policy:read", "tickets"}},
	} {
		command.Actor = actor
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if May(actor, TicketStart) != nil || !Sees(actor, county, o.policy, record) || permitOn(o.here, record, command) != nil {
					b.Fatal("it is refused")
				}
			}
		})
	}
}

// BenchmarkVerbsFor lists what somebody may do with a ticket.
func BenchmarkVerbsFor(b *testing.B) {
	s := benchedTicket(b)
	o := s.tree.office(county)
	b.ReportAllocs()
	for b.Loop() {
		if verbs, _ := VerbsFor(o.here, o.policy, agent("lin"), o.records[s.number]); len(verbs) == 0 {
			b.Fatal("nothing may be done")
		}
	}
}
