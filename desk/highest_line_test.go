package desk

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// A ticket that was solved above comes home to the first line, and still tells that another line had it; on every site of its path.
func TestATicketRemembersTheHighestLineThatHadIt(t *testing.T) {
	alone := newStage(t, deskpb.Ticket_IN_PROGRESS)
	alone.do(county, sampleCommand("resolve"))
	if got := alone.tree.office(county).records[alone.number].GetHighestLine(); got != deskpb.Ticket_FIRST {
		t.Errorf("solved at the county, the highest line is %s, want FIRST", got)
	}
	helped := newStage(t, deskpb.Ticket_NEW)
	helped.escalateToCity()
	helped.do(city, sampleCommand("resolve"))
	helped.drain()
	for _, o := range helped.tree.offices {
		record := o.records[helped.number]
		if record.GetTicket().GetLine() != deskpb.Ticket_FIRST || record.GetHighestLine() != deskpb.Ticket_SECOND {
			t.Errorf("solved by the city, %s has it at the line %s, highest %s; want FIRST, highest SECOND", o.here.Site,
				record.GetTicket().GetLine(), record.GetHighestLine())
		}
	}
}
