package desk

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestARepeatedRequestHasOneEffect(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	escalate := func(why string) *deskpb.TicketCommand {
		return identified("7f3a", by(agent("lin"), s.number, escalateCommand(why)))
	}
	first := s.do(county, escalate("一线无法解决"))
	other := s.do(county, sampleCommand("create")).Record.GetTicket().GetNumber()

	t.Run("the same again returns the ticket", func(t *testing.T) {
		s.do(county, by(agent("lin"), s.number, sampleCommand("note")))
		repeated := escalate("一线无法解决")
		repeated.Etag = "0000000000000000" // the request id is looked at before the etag
		d := s.do(county, repeated)
		if len(d.Events) != 0 {
			t.Errorf("the repetition made %d events", len(d.Events))
		}
		if d.Record.GetTicket().GetEtag() != first.Record.GetTicket().GetEtag() {
			t.Errorf("the repetition returns etag %s, want that of the ticket, %s",
				d.Record.GetTicket().GetEtag(), first.Record.GetTicket().GetEtag())
		}
	})
	for name, c := range map[string]struct {
		command *deskpb.TicketCommand
		want    string
	}{
		"another body": {escalate("别的原因"), "REQUEST_ID_REUSED"},
		"another ticket": {&deskpb.TicketCommand{Number: other, Actor: agent("lin"), Request: escalate("一线无法解决").Request,
			Verb: escalateCommand("一线无法解决").Verb}, "REQUEST_ID_REUSED"},
		"another principal": {identified("7f3a", by(agent("wang"), s.number, escalateCommand("一线无法解决"))), "ALREADY_QUEUED"},
		"another method":    {identified("7f3a", by(agent("lin"), s.number, sampleCommand("resume"))), "WRONG_STATE"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.tree.do(county, c.command); reason(err) != c.want {
				t.Errorf("it comes to %v, want %s", err, c.want)
			}
		})
	}
}

func TestARepeatedCreateReturnsTheFirstTicket(t *testing.T) {
	tree := newTree()
	create := func(title string) (*Decision, error) {
		return tree.do(county, identified("1", createCommand(title)))
	}
	first, err := create("打印机")
	if err != nil {
		t.Fatal(err)
	}
	second, err := create("打印机")
	if err != nil {
		t.Fatal(err)
	}
	if len(second.Events) != 0 || !proto.Equal(first.Record, second.Record) {
		t.Errorf("the repetition returns %s with %d events, want %s with none",
			second.Record.GetTicket().GetNumber(), len(second.Events), first.Record.GetTicket().GetNumber())
	}
	if _, err := create("扫描仪"); reason(err) != "REQUEST_ID_REUSED" {
		t.Errorf("another ticket under the same request id comes to %v, want REQUEST_ID_REUSED", err)
	}
}

// Whoever opened a ticket that is out of sight by now hears its number by repeating the request, and nothing of what became of it.
func TestARepeatedCreateShowsNothingThatIsOutOfSight(t *testing.T) {
	tree := newTree()
	command := func() *deskpb.TicketCommand {
		c := identified("1", createCommand("打印机"))
		c.Actor = &deskpb.Actor{User: "ma", Role: deskpb.User_AGENT, Scope: deskpb.User_OWN}
		return c
	}
	first, err := tree.do(county, command())
	if err != nil {
		t.Fatal(err)
	}
	number := first.Record.GetTicket().GetNumber()
	if _, err := tree.do(county, by(agent("lin"), TicketNumber(number), sampleCommand("start"))); err != nil {
		t.Fatal(err)
	}
	second, err := tree.do(county, command())
	if err != nil {
		t.Fatal(err)
	}
	if got := second.Record.GetTicket(); !proto.Equal(got, &deskpb.Ticket{Number: number}) {
		t.Errorf("the repetition shows %v, want the number %s alone", got, number)
	}
}

func TestTheRequestIsOnTheFirstEventOnly(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.escalateToCity()
	d := s.do(city, identified("1", by(agent("wang"), s.number, sampleCommand("resolve"))))
	if len(d.Events) != 2 || d.Events[0].GetRequest() == nil || d.Events[1].GetRequest() != nil {
		t.Errorf("the request is on the events %v", d.Events)
	}
}

func TestEtagNamesTheLastCustodialEvent(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	etag := func() string { return s.tree.office(county).records[s.number].GetTicket().GetEtag() }
	opened := etag()
	s.do(county, sampleCommand("urge"))
	if etag() != opened {
		t.Errorf("a remark changed the etag from %s to %s", opened, etag())
	}
	start := by(agent("lin"), s.number, sampleCommand("start"))
	start.Etag = opened
	s.do(county, start)
	if etag() == opened {
		t.Errorf("a change of the ticket left the etag at %s", opened)
	}
	hold := by(agent("lin"), s.number, sampleCommand("hold"))
	hold.Etag = opened
	var refusal *Refusal
	if _, err := s.tree.do(county, hold); !errors.As(err, &refusal) || refusal.Code != Aborted || !strings.Contains(refusal.Message, etag()) {
		t.Errorf("the stale etag comes to %v, want ABORTED with the current etag %s", err, etag())
	}
}

func TestClosingAwayFromHomeIsForManagersWithAReason(t *testing.T) {
	for name, c := range map[string]struct {
		actor   *deskpb.Actor
		comment string
		want    string
	}{
		"agent":             {agent("wang"), "联系不上", "PERMISSION_DENIED"},
		"manager":           {manager("sun"), "联系不上", ""},
		"administrator":     {&deskpb.Actor{User: "admin", Role: deskpb.User_ADMINISTRATOR}, "联系不上", ""},
		"without a comment": {manager("sun"), "  ", "INVALID_FIELD"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, deskpb.Ticket_RESOLVED)
			s.escalateToCity()
			s.reach(city)
			command := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Close{Close: &deskpb.Close{Comment: c.comment}}}
			d, err := s.tree.do(city, by(c.actor, s.number, command))
			if reason(err) != c.want {
				t.Fatalf("it comes to %v, want %q", err, c.want)
			}
			if err == nil && d.Record.GetTicket().GetHandover().GetState() != deskpb.Handover_NONE {
				t.Errorf("the closed ticket still waits to be sent: %v", d.Record.GetTicket().GetHandover())
			}
		})
	}
}

func TestWhoMayAct(t *testing.T) {
	for name, c := range map[string]struct {
		actor *deskpb.Actor
		verb  string
		want  string
	}{
		"the site itself dispatches":      {&deskpb.Actor{}, "dispatch", "NOT_QUEUED"},
		"the site itself does not create": {&deskpb.Actor{}, "create", "PERMISSION_DENIED"},
		"the site itself does not note":   {nil, "note", "PERMISSION_DENIED"},
		"people do not dispatch":          {manager("sun"), "dispatch", "PERMISSION_DENIED"},
		"a role without a name":           {&deskpb.Actor{Role: deskpb.User_ADMINISTRATOR}, "start", "PERMISSION_DENIED"},
		"a name without a role":           {&deskpb.Actor{User: "lin"}, "start", "PERMISSION_DENIED"},
		"an unknown role":                 {&deskpb.Actor{User: "lin", Role: 9}, "start", "PERMISSION_DENIED"},
		"an agent":                        {agent("lin"), "start", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, deskpb.Ticket_NEW)
			if _, err := s.tree.do(county, by(c.actor, s.number, sampleCommand(c.verb))); reason(err) != c.want {
				t.Errorf("it comes to %v, want %q", err, c.want)
			}
		})
	}
}

func TestAWishIsMadeOnce(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.escalateToCity()
	s.do(county, sampleCommand("cancel"))
	d := s.do(county, by(agent("chen"), s.number, sampleCommand("cancel")))
	if len(d.Events) != 0 || len(d.Record.GetTicket().GetWishes()) != 1 {
		t.Errorf("the second wish makes %d events, the ticket has %d wishes", len(d.Events), len(d.Record.GetTicket().GetWishes()))
	}
	if d := s.do(county, sampleCommand("confirm")); len(d.Events) != 1 {
		t.Error("a wish of another kind was not recorded")
	}
}

// brokenView fails to read.
type brokenView struct{ *office }

var errDisk = errors.New("disk gone")

func (brokenView) Ticket(TicketNumber) (*deskpb.Record, error) { return nil, errDisk }

func (brokenView) LastSequence(string) (uint32, error) { return 0, errDisk }

func TestAFaultOfTheViewIsNoRefusal(t *testing.T) {
	o := newTree().office(county)
	for _, verb := range []string{"create", "start"} {
		_, err := Decide(o.here, brokenView{o}, by(agent("lin"), "330106-20261121-0001", sampleCommand(verb)), Stamp{Time: morning})
		if refusal := new(Refusal); !errors.Is(err, errDisk) || errors.As(err, &refusal) {
			t.Errorf("%s on a broken disk comes to %v, want the fault", verb, err)
		}
	}
}

func TestThePathGrowsWithWhatTheSiteKnows(t *testing.T) {
	tree := newTree()
	tree.office(county).here.Path = []SiteID{county, city}
	d, err := tree.do(county, sampleCommand("create"))
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Record.GetPath(); len(got) != 2 {
		t.Fatalf("the path is %v, want county and city", got)
	}
	tree.office(county).here.Path = []SiteID{county, city, province}
	d, err = tree.do(county, by(agent("lin"), TicketNumber(d.Record.GetTicket().GetNumber()), sampleCommand("start")))
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Record.GetPath(); len(got) != 3 || got[2] != string(province) {
		t.Errorf("the path is %v, want it completed by the province", got)
	}
}

// A ticket whose path ends below the site that resolves it is sent to where the path ends.
func TestATicketGoesHomeAlongAPathThatIsNotComplete(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.escalateToCity()
	s.do(city, escalateCommand(""))
	s.drain()
	o := s.tree.office(province)
	o.directory = nil
	known := proto.CloneOf(o.records[s.number])
	known.Path = known.Path[:2]
	o.records[s.number] = known
	d := s.do(province, sampleCommand("resolve"))
	if to := d.Record.GetTicket().GetHandover().GetToSite(); to != string(city) {
		t.Errorf("it waits for %q, want the city", to)
	}
	if _, err := s.tree.do(city, by(manager("sun"), s.number, sampleCommand("reclaim"))); err != nil {
		t.Errorf("the city, which is on the path, cannot take it: %v", err)
	}
	o.records[s.number].Ticket.CustodianSite = string(city)
	if _, err := s.tree.do(province, by(manager("sun"), s.number, sampleCommand("reclaim"))); reason(err) != "NOT_ON_PATH" {
		t.Errorf("taking it at a site that is not on its path comes to %v", err)
	}
}

// A directory that a neighbour got wrong must not make the site write events that nobody could read.
func TestThePathEndsWhereTheDirectoryIsWrong(t *testing.T) {
	for name, wrong := range map[string][]SiteID{
		"a circle": {city, county},
		"no site":  {city, "not a site"},
	} {
		t.Run(name, func(t *testing.T) {
			tree := newTree()
			atCounty, atCity := &tree.office(county).here, &tree.office(city).here
			atCounty.Path = []SiteID{county, city}
			d, err := tree.do(county, sampleCommand("create"))
			if err != nil {
				t.Fatal(err)
			}
			number := TicketNumber(d.Record.GetTicket().GetNumber())
			if _, err := tree.do(county, by(agent("lin"), number, escalateCommand(""))); err != nil {
				t.Fatal(err)
			}
			atCity.Path, atCounty.Path = wrong, append([]SiteID{county}, wrong...)
			tree.office(city).directory = map[SiteID][]SiteID{county: atCounty.Path}
			if err := tree.drain(); err != nil {
				t.Fatal(err)
			}
			if d, err = tree.do(county, sampleCommand("create")); err != nil {
				t.Fatal(err)
			}
			for _, record := range []*deskpb.Record{tree.office(city).records[number], d.Record} {
				if path := record.GetPath(); len(path) != 2 || path[0] != string(county) || path[1] != string(city) {
					t.Errorf("the path of %s is %v, want county and city", record.GetTicket().GetNumber(), path)
				}
			}
		})
	}
}

func TestACountyMayEscalateStraightToTheProvince(t *testing.T) {
	tree := newTree()
	tree.office(county).here.Path = []SiteID{county, province}
	d, err := tree.do(county, sampleCommand("create"))
	if err != nil {
		t.Fatal(err)
	}
	d, err = tree.do(county, by(agent("lin"), TicketNumber(d.Record.GetTicket().GetNumber()), escalateCommand("")))
	if err != nil {
		t.Fatal(err)
	}
	if h := d.Record.GetTicket().GetHandover(); h.GetToSite() != string(province) || h.GetToLine() != deskpb.Ticket_SECOND {
		t.Errorf("it waits for %s, %s line; want the province's second line", h.GetToSite(), h.GetToLine())
	}
}

// FuzzDecide gives the rules commands that nobody wrote: each is decided or refused, none is a fault.
func FuzzDecide(f *testing.F) {
	for _, verb := range append(slices.Clone(allVerbs), rareVerbs...) {
		f.Add(marshal(f, by(agent("lin"), "330106-20261121-0001", sampleCommand(verb))), uint8(0))
	}
	f.Fuzz(func(t *testing.T, raw []byte, where uint8) {
		command := new(deskpb.TicketCommand)
		if proto.Unmarshal(raw, command) != nil {
			return
		}
		s := newStage(t, deskpb.Ticket_NEW)
		s.escalateToCity()
		o := s.tree.offices[int(where)%len(s.tree.offices)]
		d, err := Decide(o.here, o, command, s.tree.stamp(o))
		if refusal := new(Refusal); err != nil && !errors.As(err, &refusal) {
			t.Fatalf("the command is neither decided nor refused: %v", err)
		}
		if err != nil {
			return
		}
		for _, event := range d.Events {
			if opened, err := Open(event.Raw); err != nil || !proto.Equal(opened.Event, event.Event) {
				t.Fatalf("the event %v does not open: %v", event.Event, err)
			}
		}
	})
}
