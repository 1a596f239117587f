package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// figuresAt asks for figures as they are at a time in Hangzhou.
func (a *testAPI) figuresAt(when string, actor *deskpb.Actor, r *apipb.GetFiguresRequest) (*apipb.GetFiguresResponse, error) {
	zone := time.FixedZone("Hangzhou", 8*3600)
	now, err := time.ParseInLocation(time.DateTime, when, zone)
	if err != nil {
		a.t.Fatal(err)
	}
	served := &queues{backend: a.site, clock: func() time.Time { return now.UTC() }, zone: zone}
	return served.GetFigures(withCaller(a.t.Context(), caller{actor: actor}), r)
}

// told is a day's figures in a line.
func told(d *apipb.DayFigures) string {
	return fmt.Sprintf("%s: %d opened, %d solved, %d late, %d by the first line, %d rated %d",
		d.GetDay(), d.GetOpened(), d.GetSolved(), d.GetSolvedLate(), d.GetSolvedFirstLine(), d.GetRated(), d.GetScoreSum())
}

// TestFiguresOfDays solves, rates and reopens tickets on two sides of midnight in Hangzhou, which is in the afternoon by UTC.
func TestFiguresOfDays(t *testing.T) {
	t.Parallel()
	a := newCastAPI(t, cast{})
	admin := &deskpb.Actor{User: "admin", Role: deskpb.User_ADMINISTRATOR}
	at := func(when string) {
		zone := time.FixedZone("Hangzhou", 8*3600)
		moment, err := time.ParseInLocation(time.DateTime, when, zone)
		if err != nil {
			t.Fatal(err)
		}
		a.site.set(func() { a.site.clock = moment.UnixMicro() })
	}
	resolve := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resolve{Resolve: &deskpb.Resolve{Resolution: &deskpb.Resolution{Code: "solved", Text: "好了"}}}}
	days := func(want ...string) {
		t.Helper()
		got, err := a.figuresAt("2026-11-23 09:00:00", admin, &apipb.GetFiguresRequest{Days: 3})
		if err != nil {
			t.Fatal(err)
		}
		for i, day := range got.GetOffices()[0].GetDays() {
			if told(day) != want[i] {
				t.Errorf("got  %s\nwant %s", told(day), want[i])
			}
		}
	}
	at("2026-11-21 23:59:00")
	first := a.open(&deskpb.Ticket{Title: "一"})
	at("2026-11-22 00:01:00")
	second := a.open(&deskpb.Ticket{Title: "二"})
	a.decide(first, resolve)
	a.decide(second, resolve)
	a.alter(second, func(r *deskpb.Record) { // as if another line had had it, for too long
		r.HighestLine = deskpb.Ticket_SECOND
		r.Ticket.Sla = []*deskpb.Sla{{Metric: deskpb.Sla_RESOLUTION, State: deskpb.Sla_BREACHED, Mark: 100}}
	})
	a.decide(first, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Confirm{Confirm: &deskpb.Confirm{Satisfaction: &deskpb.Satisfaction{Score: 4}}}})
	days("20261121: 1 opened, 0 solved, 0 late, 0 by the first line, 0 rated 0",
		"20261122: 1 opened, 2 solved, 1 late, 1 by the first line, 1 rated 4",
		"20261123: 0 opened, 0 solved, 0 late, 0 by the first line, 0 rated 0")
	at("2026-11-23 08:00:00")
	a.decide(second, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reopen{Reopen: &deskpb.Reopen{Reason: "又坏了"}}})
	days("20261121: 1 opened, 0 solved, 0 late, 0 by the first line, 0 rated 0",
		"20261122: 1 opened, 1 solved, 0 late, 1 by the first line, 1 rated 4",
		"20261123: 0 opened, 0 solved, 0 late, 0 by the first line, 0 rated 0")
}

// TestFiguresOfOffices has offices below the one that is asked, one that only knows its parent among them.
func TestFiguresOfOffices(t *testing.T) {
	t.Parallel()
	a := newCastAPI(t, cast{})
	a.site.change(t, func(b *store.Batch) error {
		for _, info := range []*deskpb.SiteInfo{
			{Id: "33010602", Parent: "33010601"}, {Id: "33010601", Parent: "330106"}, {Id: "330107", Parent: "330100"},
			{Id: "loop1", Parent: "loop2"}, {Id: "loop2", Parent: "loop1"},
		} {
			if err := b.PutSiteInfo(info); err != nil {
				return err
			}
		}
		for i, holder := range []string{"33010601", "33010601", "33010602", "330106"} {
			record := &deskpb.Record{Ticket: &deskpb.Ticket{
				Number: fmt.Sprintf("330106-20261121-%04d", i+1), State: deskpb.Ticket_NEW, HomeSite: "33010602", CustodianSite: holder,
				OpenTime: timestamppb.New(time.Unix(int64(1000-i), 0)),
			}}
			if i == 0 {
				record.Ticket.Sla = []*deskpb.Sla{{Mark: 100}}
				record.Ticket.Handover = &deskpb.Handover{State: deskpb.Handover_QUEUED, ToSite: "330106"}
			}
			if err := b.PutTicket(record); err != nil {
				return err
			}
		}
		return nil
	})
	everything := &deskpb.Actor{User: "admin", Role: deskpb.User_ADMINISTRATOR}
	own := &deskpb.Actor{User: "li", Role: deskpb.User_AGENT, Scope: deskpb.User_OWN}
	for _, c := range []struct {
		name  string
		actor *deskpb.Actor
		sites []string
		want  []string
	}{
		{"this office", everything, nil, []string{"330106 1 0 0 330106-20261121-0004 997"}},
		{"all", everything, []string{"*"}, []string{
			"330106 1 0 0 330106-20261121-0004 997", "33010601 2 1 1 330106-20261121-0002 999", "33010602 1 0 0 330106-20261121-0003 998",
		}},
		{"one twice, by who sees none of its tickets", own, []string{"33010601", "33010601"}, []string{"33010601 2 1 1  999"}},
	} {
		got, err := a.figuresAt("2026-11-21 09:00:00", c.actor, &apipb.GetFiguresRequest{Sites: c.sites})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var offices []string
		for _, o := range got.GetOffices() {
			offices = append(offices, fmt.Sprint(o.GetSite(), " ", o.GetOpen(), " ", o.GetOverdue(), " ", o.GetInTransit(), " ", o.GetOldestNumber(), " ",
				o.GetOldestOpenTime().GetSeconds()))
		}
		if strings.Join(offices, "\n") != strings.Join(c.want, "\n") || got.GetToday() != "20261121" {
			t.Errorf("%s on %s:\n got %q\nwant %q", c.name, got.GetToday(), offices, c.want)
		}
	}
	for field, r := range map[string]*apipb.GetFiguresRequest{
		"sites": {Sites: []string{"330107"}}, "days": {Days: 32}, "at most 500": {Sites: make([]string, maxOffices+1)},
	} {
		if _, err := a.figuresAt("2026-11-21 09:00:00", everything, r); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v, want a refusal that says it", field, err)
		}
	}
}

// A day in the zone may be shorter or longer than another one.
func TestMidnightsFollowTheZone(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	got := midnights(time.Date(2026, 3, 30, 7, 0, 0, 0, zone), 2)
	if len(got) != 3 || got[1].Sub(got[0]) != 23*time.Hour || got[2].Sub(got[1]) != 24*time.Hour || got[1].Format(time.DateTime) != "2026-03-30 00:00:00" {
		t.Errorf("the midnights are %v", got)
	}
}
