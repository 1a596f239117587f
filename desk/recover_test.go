package desk

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestAFrozenSiteWritesNothing(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	again := identified("1", by(agent("lin"), s.number, sampleCommand("note")))
	s.do(county, proto.CloneOf(again))
	s.do(county, sampleCommand("escalate"))
	here := &s.tree.office(county).here
	here.Frozen = "another copy of 330106 lives"
	for _, verb := range append(append([]string{}, allVerbs...), rareVerbs...) {
		command := by(manager("sun"), s.number, sampleCommand(verb))
		if verb == "dispatch" || verb == "relocate" {
			command.Actor = nil
		}
		_, err := s.tree.do(county, command)
		if reason(err) != "FROZEN" || !strings.HasSuffix(err.Error(), here.Frozen) {
			t.Errorf("%s comes to %v, want the sentence why the site is frozen", verb, err)
		}
	}
	if d, err := s.tree.do(county, again); err != nil || len(d.Events) != 0 {
		t.Errorf("a request from before comes to %v, %v; want its ticket", d, err)
	}
	o := s.tree.office(county)
	wished := proto.CloneOf(o.records[s.number])
	wished.Ticket.Wishes = []*deskpb.Wish{{Id: "w", Kind: deskpb.Wish_CANCEL, Site: string(city)}}
	if d, err := React(o.here, o, wished, s.tree.stamp(o)); d != nil || err != nil {
		t.Errorf("it reacts with %v, %v", d, err)
	}
}

// The table says what each verb comes to at a site that recovers, by whether it holds the ticket as far as it knows:
// before the ticket is settled, and after an operator took it.
func TestWhatIsDoneWhileATicketIsNotSettled(t *testing.T) {
	for _, c := range []struct{ verb, held, elsewhere, taken string }{
		{"note", "remark", "remark", "remark"},
		{"reply", "remark", "remark", "remark"},
		{"urge", "remark", "remark", "remark"},
		{"withdraw", "wish", "wish", "NOT_QUEUED"},
		{"confirm", "wish", "wish", "WRONG_STATE"},
		{"reopen", "wish", "wish", "WRONG_STATE"},
		{"cancel", "wish", "wish", "CANCELED"},
		{"assign", "UNSETTLED", "UNSETTLED", "ASSIGNED"},
		{"start", "UNSETTLED", "UNSETTLED", "IN_PROGRESS"},
		{"hold", "UNSETTLED", "UNSETTLED", "ON_HOLD"},
		{"escalate", "UNSETTLED", "UNSETTLED", "NEW>330100"},
		{"resolve", "UNSETTLED", "UNSETTLED", "RESOLVED"},
		{"relocate", "UNSETTLED", "UNSETTLED", "NEW>330000"},
		{"dispatch", "UNSETTLED", "UNSETTLED", "UNSETTLED"},
		{"reclaim", "NEW", "NEW", "ALREADY_HELD"},
	} {
		for place, arrange := range map[string]func(*stage){
			"held":      func(*stage) {},
			"elsewhere": func(s *stage) { s.escalateToCity() },
			"taken":     func(s *stage) { s.recover(); s.outcome(county, "reclaim") },
		} {
			t.Run(place+"/"+c.verb, func(t *testing.T) {
				s := newStage(t, deskpb.Ticket_NEW)
				arrange(s)
				s.recover()
				want := map[string]string{"held": c.held, "elsewhere": c.elsewhere, "taken": c.taken}[place]
				if got := s.outcome(county, c.verb); got != want {
					t.Errorf("it comes to %s, want %s", got, want)
				}
			})
		}
	}
}

// recover has the county come back without having compared anything.
func (s *stage) recover() {
	o := s.tree.office(county)
	o.here.Recovering, o.unsettled = true, true
}

func TestARecoveringSiteOpensTicketsAtOnce(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.recover()
	if got := s.outcome(county, "create"); got != "NEW" {
		t.Errorf("a new ticket comes to %s", got)
	}
}

func TestASettledTicketIsDecidedWhileItsSiteRecovers(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.tree.office(county).here.Recovering = true
	if got := s.outcome(county, "start"); got != "IN_PROGRESS" {
		t.Errorf("starting it comes to %s", got)
	}
}

func TestWhatWaitsIsDoneWhenTheTicketIsSettled(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.do(county, escalateCommand(""))
	s.recover()
	s.do(county, sampleCommand("withdraw"))
	o := s.tree.office(county)
	if d, err := React(o.here, o, o.records[s.number], s.tree.stamp(o)); d != nil || err != nil {
		t.Fatalf("before the ticket is settled the site reacts with %v, %v", d, err)
	}
	o.unsettled = false
	if err := s.tree.react(o, s.number); err != nil {
		t.Fatal(err)
	}
	got := o.records[s.number].GetTicket()
	if got.GetHandover().GetState() != deskpb.Handover_NONE || got.GetWishes()[0].GetState() != deskpb.Wish_GRANTED {
		t.Errorf("the hand-over is %s and the wish %s, want it withdrawn", got.GetHandover().GetState(), got.GetWishes()[0].GetState())
	}
}

func TestATicketWithMissingEventsIsNotDecidedBeforeAComparison(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	o := s.tree.office(county)
	loose := sampleEvent(deskpb.Event_STARTED)
	loose.Ticket = string(s.number)
	if err := o.receive(mustSeal(t, loose)); err != nil {
		t.Fatal(err)
	}
	o.unsettled = true
	_, err := s.tree.do(county, by(agent("lin"), s.number, sampleCommand("start")))
	if reason(err) != "UNSETTLED" || !strings.Contains(err.Error(), "missing") {
		t.Errorf("with an event whose predecessor is missing, starting it comes to %v", err)
	}
	if got := s.outcome(county, "note"); got != "remark" {
		t.Errorf("a note comes to %s", got)
	}
	o.unsettled = false
	if got := s.outcome(county, "start"); got != "IN_PROGRESS" {
		t.Errorf("after the comparison starting it comes to %s", got)
	}
	record := mustUnite(t, o.events[s.number])
	if !proto.Equal(record, o.records[s.number]) || record.GetDetached() != 1 {
		t.Errorf("the record is\n%v\nwant\n%v", o.records[s.number], record)
	}
}

func TestOverride(t *testing.T) {
	for name, c := range map[string]struct {
		actor *deskpb.Actor
		why   string
		want  string
	}{
		"an agent":         {agent("lin"), "本站重建", "PERMISSION_DENIED"},
		"a manager":        {manager("sun"), "本站重建", ""},
		"an administrator": {&deskpb.Actor{User: "admin", Role: deskpb.User_ADMINISTRATOR}, "本站重建", ""},
		"without a reason": {manager("sun"), " ", "INVALID_FIELD"},
		"the site itself":  {nil, "本站重建", "PERMISSION_DENIED"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, deskpb.Ticket_NEW)
			s.escalateToCity()
			command := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reclaim{Reclaim: &deskpb.Reclaim{Reason: c.why}}}
			d, err := s.tree.do(county, by(c.actor, s.number, command))
			if reason(err) != c.want {
				t.Fatalf("it comes to %v, want %q", err, c.want)
			}
			if err != nil {
				return
			}
			e, got := d.Events[0], d.Record
			if e.GetType() != deskpb.Event_RECLAIMED || e.GetCustodyTerm() != 2 || e.GetReclaim() != 1 || e.GetBody().GetText() != c.why {
				t.Errorf("the event is %v", e.Event)
			}
			if got.GetTicket().GetCustodianSite() != string(county) || got.GetReclaim() != 1 || len(got.GetRoute()) != 0 ||
				got.GetTicket().GetLine() != deskpb.Ticket_FIRST {
				t.Errorf("after it the record is %v", got)
			}
		})
	}
}

func TestAnOverrideOfAHandoverOnItsWay(t *testing.T) {
	s := newStage(t, deskpb.Ticket_IN_PROGRESS)
	s.do(county, sampleCommand("assign"))
	s.do(county, sampleCommand("start"))
	s.do(county, escalateCommand(""))
	s.do(county, dispatchTo(s.number, string(city)))
	if got := s.outcome(county, "reclaim"); got != "IN_PROGRESS" {
		t.Errorf("taking it back comes to %s, want it as it was", got)
	}
	if got := s.tree.office(county).records[s.number].GetTicket(); got.GetAssignee() != "wang" {
		t.Errorf("it is assigned to %q, want wang, who had it", got.GetAssignee())
	}
	s.drain()
	if err := s.tree.agree(s.number); err != nil {
		t.Fatal(err)
	}
	if got := s.tree.office(city).records[s.number]; got.GetTicket().GetCustodianSite() != string(county) {
		t.Errorf("custody is with %s under (%d, %d), want the county's override to stand against the city's acceptance",
			got.GetTicket().GetCustodianSite(), got.GetTicket().GetCustodyTerm(), got.GetReclaim())
	}
	if got := s.do(county, escalateCommand("")); got.Record.GetReclaim() != 1 {
		t.Errorf("work under the override carries reclaim %d", got.Record.GetReclaim())
	}
	if got := s.do(county, dispatchTo(s.number, string(city))); got.Record.GetReclaim() != 0 || got.Record.GetTicket().GetCustodyTerm() != 3 {
		t.Errorf("the next hand-over is under (%d, %d), want (3, 0)", got.Record.GetTicket().GetCustodyTerm(), got.Record.GetReclaim())
	}
}

func TestAResolvedTicketThatWasTakenGoesHome(t *testing.T) {
	s := newStage(t, deskpb.Ticket_RESOLVED)
	s.reach(county)
	s.drain()
	if got := s.outcome(province, "reclaim"); got != "RESOLVED>330100" {
		t.Errorf("at the province it comes to %s, want it to wait for the way home", got)
	}
	s.drain()
	if got := s.tree.office(county).records[s.number].GetTicket(); got.GetCustodianSite() != string(county) {
		t.Errorf("it has come to %s, want its home", got.GetCustodianSite())
	}
}

func TestAnOverrideAnswersTheWishesThatWait(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.escalateToCity()
	s.do(county, sampleCommand("cancel"))
	if got := s.outcome(county, "reclaim"); got != "CANCELED" {
		t.Errorf("taking a ticket that its home wished to cancel comes to %s", got)
	}
}

func TestAFaultWhileAskingWhetherATicketIsSettled(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.recover()
	o := s.tree.office(county)
	_, err := Decide(o.here, blindView{o}, by(agent("lin"), s.number, sampleCommand("start")), s.tree.stamp(o))
	if !errors.Is(err, errDisk) {
		t.Errorf("it comes to %v, want the fault", err)
	}
	if _, err := React(o.here, blindView{o}, o.records[s.number], s.tree.stamp(o)); !errors.Is(err, errDisk) {
		t.Errorf("reacting comes to %v, want the fault", err)
	}
}

// blindView knows its tickets and nothing of its neighbours.
type blindView struct{ *office }

func (blindView) Settled(*deskpb.Record) (bool, error) { return false, errDisk }

func (blindView) Policy() (*deskpb.Policy, error) { return nil, errDisk }

func (blindView) Members(string) ([]UserID, error) { return nil, errDisk }

func (blindView) Person(UserID) (bool, error) { return false, errDisk }

func (blindView) DisplayName(UserID) (string, error) { return "", errDisk }

func (blindView) Duty(UserID) (*deskpb.SetDuty, error) { return nil, errDisk }

func (blindView) Load(UserID) (int, error) { return 0, errDisk }

func (blindView) Rotation(string) (UserID, error) { return "", errDisk }

func (blindView) Managers() ([]UserID, error) { return nil, errDisk }

func (blindView) Customer(string) (*deskpb.Customer, error) { return nil, errDisk }

func (blindView) CustomerByPhone(string) (*deskpb.Customer, error) { return nil, errDisk }

func (blindView) Unit(string) (*deskpb.Customer, error) { return nil, errDisk }

func (blindView) File([]byte) (*deskpb.Blob, error) { return nil, errDisk }

func TestAMajorIncidentIsToldAboveAtOnce(t *testing.T) {
	s := &stage{t: t, tree: newTree()}
	create := createCommand("核心系统中断")
	create.GetCreate().Ticket.Major = true
	opened, err := s.tree.do(county, create)
	if err != nil {
		t.Fatal(err)
	}
	s.number = TicketNumber(opened.Record.GetTicket().GetNumber())
	alerts := func(d *Decision) (texts []string) {
		for _, event := range d.Events {
			if event.GetType() == deskpb.Event_ALERTED {
				texts = append(texts, event.GetBody().GetText())
			}
			if event.GetType() == deskpb.Event_ALERTED && event.GetVisibility() != deskpb.Event_AGENTS {
				t.Errorf("the alert %q is for %s", event.GetBody().GetText(), event.GetVisibility())
			}
		}
		return texts
	}
	check := func(what string, d *Decision, want ...string) {
		t.Helper()
		if got := alerts(d); strings.Join(got, ";") != strings.Join(want, ";") {
			t.Errorf("%s gives the alerts %q, want %q", what, got, want)
		}
	}
	check("opening it", opened, "major incident opened at 330106")
	check("starting it", s.do(county, sampleCommand("start")))
	escalate := identified("1", by(agent("lin"), s.number, escalateCommand("")))
	check("escalating it", s.do(county, proto.CloneOf(escalate)), "major incident escalated by 330106 to the SECOND line")
	check("repeating that", s.do(county, escalate))
	s.drain()
	check("escalating it at the city", s.do(city, escalateCommand("")), "major incident escalated by 330100 to the THIRD line")
	s.drain()
	if err := s.tree.agree(s.number); err != nil {
		t.Fatal(err)
	}
	check("returning it", s.do(province, sampleCommand("return")))
	plain, err := s.tree.do(county, createCommand("打印机"))
	if err != nil {
		t.Fatal(err)
	}
	check("a ticket that is not major", plain)
	create = createCommand("省级系统中断")
	create.GetCreate().Ticket.Major = true
	top, err := s.tree.do(province, create)
	if err != nil {
		t.Fatal(err)
	}
	check("one with nobody above", top)
}
