package desk

import (
	"testing"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestAClockIsAsUrgentAsTheMarkItPassed(t *testing.T) {
	since := timestamppb.Now()
	ticket := &deskpb.Ticket{CustodianSite: "330106"}
	for _, c := range []struct {
		name  string
		clock *deskpb.Sla
		want  Urgency
	}{
		{"half of its time is over", &deskpb.Sla{Mark: 50, Since: since}, NotUrgent},
		{"three quarters are over", &deskpb.Sla{Mark: 75, Since: since}, DueSoon},
		{"nearly all is over", &deskpb.Sla{Mark: 90, Since: since}, DueSoon},
		{"all is over", &deskpb.Sla{Mark: 100, Since: since}, Overdue},
		{"three quarters are over, and it stands still", &deskpb.Sla{Mark: 75}, NotUrgent},
		{"all is over, and it stands still", &deskpb.Sla{Mark: 100}, Overdue},
		{"it ended too late", &deskpb.Sla{Mark: 100, EndTime: since}, NotUrgent},
		{"it is this site's", &deskpb.Sla{Mark: 100, Since: since, Site: "330106"}, Overdue},
		{"it is another site's", &deskpb.Sla{Mark: 100, Since: since, Site: "330100"}, NotUrgent},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ClockUrgency(ticket, c.clock); got != c.want {
				t.Errorf("the clock's urgency is %d, not %d", got, c.want)
			}
		})
	}
}

func TestATicketIsAsUrgentAsItsMostPressingClock(t *testing.T) {
	since := timestamppb.Now()
	soon, late := &deskpb.Sla{Mark: 75, Since: since}, &deskpb.Sla{Mark: 100, Since: since}
	for _, c := range []struct {
		name   string
		clocks []*deskpb.Sla
		want   Urgency
	}{
		{"without clocks", nil, NotUrgent},
		{"one that is due soon", []*deskpb.Sla{{Since: since}, soon}, DueSoon},
		{"a late one before one that is due soon", []*deskpb.Sla{late, soon}, Overdue},
		{"a late one behind one that is due soon", []*deskpb.Sla{soon, late}, Overdue},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := TicketUrgency(&deskpb.Ticket{Sla: c.clocks}); got != c.want {
				t.Errorf("the ticket's urgency is %d, not %d", got, c.want)
			}
		})
	}
}
