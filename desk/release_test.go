package desk

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestWhoMayHandATicketOn(t *testing.T) {
	path := []string{string(county), string(city), string(province)}
	for name, c := range map[string]struct {
		record *deskpb.Record
		want   SiteID
	}{
		"without an override the custodian": {&deskpb.Record{}, county},
		"after one the custodian before it": {&deskpb.Record{Reclaim: 1, ReclaimedFrom: string(city)}, city},
		"after a release whom it names": {&deskpb.Record{Reclaim: 2, ReclaimedFrom: string(city),
			Released: &deskpb.Release{Term: 3, Count: 2, Site: string(province)}}, province},
		"a release of a term before says nothing": {&deskpb.Record{Reclaim: 1, ReclaimedFrom: string(city),
			Released: &deskpb.Release{Term: 2, Count: 5, Site: string(province)}}, city},
		"a site that is on the path no more is not waited for": {&deskpb.Record{Reclaim: 1, ReclaimedFrom: "330200"}, county},
	} {
		c.record.Path = path
		c.record.Ticket = &deskpb.Ticket{CustodianSite: string(county), CustodyTerm: 3}
		if got := Sender(c.record); got != c.want {
			t.Errorf("%s: it is %s, want %s", name, got, c.want)
		}
	}
}

func TestATicketThatWasTakenIsHandedOnWhenItIsReleased(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.escalateToCity()
	if got := s.outcome(county, "reclaim"); got != "NEW" {
		t.Fatalf("taking the ticket from the city comes to %s", got)
	}
	s.do(county, escalateCommand(""))
	_, err := s.tree.do(county, dispatchTo(s.number, string(city)))
	want := fmt.Sprintf("ticket %s was taken from 330100 by an override and is not handed on before 330100 has answered; "+
		"close or resolve it here, or wait for the line", s.number)
	if reason(err) != "NOT_RELEASED" || err.Error() != want {
		t.Fatalf("handing it on comes to %v, want %q", err, want)
	}
	s.drain()
	var released []*deskpb.Event
	for _, event := range s.tree.office(province).journal(s.number) {
		if event.GetType() == deskpb.Event_RELEASED {
			released = append(released, event.Event)
		}
	}
	if len(released) != 1 || released[0].GetFrom() != string(city) || released[0].GetTo() != string(county) ||
		released[0].GetCustodyTerm() != 2 || released[0].GetReclaim() != 1 || released[0].GetVisibility() != deskpb.Event_AGENTS {
		t.Errorf("the city released it by %v, want one event for the county under term 2 with override 1", released)
	}
	record := s.tree.office(county).records[s.number]
	if got := record.GetTicket(); got.GetCustodianSite() != string(city) || got.GetCustodyTerm() != 3 || record.GetReclaim() != 0 {
		t.Errorf("the ticket is with %s under (%d, %d), want it with the city under (3, 0)", got.GetCustodianSite(), got.GetCustodyTerm(), record.GetReclaim())
	}
}

func TestASiteThatTookItsOwnTicketNeedsNoRelease(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.recover()
	s.outcome(county, "reclaim")
	s.do(county, escalateCommand(""))
	if _, err := s.tree.do(county, dispatchTo(s.number, string(city))); reason(err) != "UNSETTLED" {
		t.Errorf("before it is settled, handing it on comes to %v", err)
	}
	s.tree.office(county).unsettled = false
	s.do(county, dispatchTo(s.number, string(city)))
}

func TestASiteThatIsNotSettledReleasesNothing(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.escalateToCity()
	taken := proto.CloneOf(s.do(county, by(manager("sun"), s.number, sampleCommand("reclaim"))).Record)
	o := s.tree.office(city)
	o.here.Recovering, o.unsettled = true, true
	if d, err := React(o.here, o, taken, s.tree.stamp(o)); d != nil || err != nil {
		t.Errorf("a city that may have forgotten a hand-over reacts with %v, %v", d, err)
	}
	o.unsettled = false
	if d, err := React(o.here, o, taken, s.tree.stamp(o)); err != nil || d == nil || d.Events[0].GetType() != deskpb.Event_RELEASED {
		t.Errorf("when it is settled it reacts with %v, %v; want a release", d, err)
	}
}

// TestEachTermBeginsOnce has operators take tickets wherever they like while lines are slow: of all hand-overs and refusals
// only one begins each term, and in the end nothing waits.
func TestEachTermBeginsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		steps := []func(*rapid.T){w.command, w.deliver, w.deliver, w.dispatch, w.seize}
		for range rapid.IntRange(20, 200).Draw(t, "length") {
			rapid.SampledFrom(steps).Draw(t, "step")(t)
			w.begunOnce(t)
		}
		if err := w.tree.drain(); err != nil {
			t.Fatal(err)
		}
		w.begunOnce(t)
		for _, number := range w.numbers {
			if err := w.tree.agree(number); err != nil {
				t.Fatal(err)
			}
			w.atRest(t, number)
		}
	})
}

// begunOnce holds when no two events of a ticket begin the same term.
func (w *world) begunOnce(t *rapid.T) {
	begun := map[string]string{}
	for _, o := range w.tree.offices {
		for number, events := range o.events {
			for _, event := range events {
				if event.GetType() != deskpb.Event_DISPATCHED && event.GetType() != deskpb.Event_REFUSED {
					continue
				}
				term, name := fmt.Sprintf("%s/%d", number, event.GetCustodyTerm()), EventName(event.GetId())
				if first := begun[term]; first != "" && first != name {
					t.Fatalf("term %s is begun by %s and by %s", term, first, name)
				}
				begun[term] = name
			}
		}
	}
}

// The county takes the ticket from the city, which had taken it from the province: the province, which has heard of neither,
// is the one to release it.
func TestATicketThatWasTakenTwiceIsReleasedByItsFirstCustodian(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.escalateToCity()
	s.do(city, escalateCommand(""))
	s.drain()
	between := func() {
		for len(s.tree.lines[countyToCity])+len(s.tree.lines[cityToCounty]) > 0 {
			for _, line := range []int{countyToCity, cityToCounty} {
				for len(s.tree.lines[line]) > 0 {
					if err := s.tree.deliver(line); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	s.outcome(city, "reclaim")
	between()
	s.outcome(county, "reclaim")
	s.do(county, escalateCommand(""))
	between()
	_, err := s.tree.do(county, dispatchTo(s.number, string(city)))
	if reason(err) != "NOT_RELEASED" || !strings.Contains(err.Error(), "taken from 330000") {
		t.Errorf("handing it on before the province knows comes to %v", err)
	}
	term := s.tree.office(county).records[s.number].GetTicket().GetCustodyTerm()
	s.drain()
	if err := s.tree.agree(s.number); err != nil {
		t.Fatal(err)
	}
	record := s.tree.office(province).records[s.number]
	if got := record.GetTicket(); got.GetCustodianSite() != string(city) || got.GetCustodyTerm() != term+1 {
		t.Errorf("the ticket is with %s under term %d, want it with the city under term %d", got.GetCustodianSite(), got.GetCustodyTerm(), term+1)
	}
}
