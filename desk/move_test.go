package desk

import (
	"slices"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

const newCity SiteID = "330200"

// circle is a tree in which everybody on a ticket's path hears of an event at once. Its county moves from one city to
// another.
type circle struct {
	t       *testing.T
	offices []*office
	number  TicketNumber
	now     int64
}

func newCircle(t *testing.T) *circle {
	c := &circle{t: t, now: morning, offices: []*office{
		newOffice(deskpb.Site_COUNTY, county, city, province),
		newOffice(deskpb.Site_CITY, city, province),
		newOffice(deskpb.Site_CITY, newCity, province),
		newOffice(deskpb.Site_PROVINCE, province),
	}}
	c.number = TicketNumber(c.do(county, createCommand("打印机不工作")).Record.GetTicket().GetNumber())
	return c
}

func (c *circle) office(site SiteID) *office {
	i := slices.IndexFunc(c.offices, func(o *office) bool { return o.here.Site == site })
	return c.offices[i]
}

func (c *circle) stamp() Stamp {
	c.now += 1_000_000
	return Stamp{Time: c.now, UTCOffset: beijing}
}

func (c *circle) try(site SiteID, command *deskpb.TicketCommand) (*Decision, error) {
	if command.Number == "" && command.GetCreate() == nil {
		command = by(agent("lin"), c.number, command)
	}
	o := c.office(site)
	return Decide(o.here, o, command, c.stamp())
}

func (c *circle) do(site SiteID, command *deskpb.TicketCommand) *Decision {
	c.t.Helper()
	d, err := c.try(site, command)
	if err != nil {
		c.t.Fatalf("%s at %s: %v", verbName(command), site, err)
	}
	c.spread(c.office(site), d)
	return d
}

// spread keeps a decision and brings it to all others on the path, with what that causes there.
func (c *circle) spread(from *office, d *Decision) {
	c.t.Helper()
	if err := from.keep(d); err != nil {
		c.t.Fatal(err)
	}
	for _, o := range c.offices {
		for _, event := range d.Events {
			if o != from && slices.Contains(event.GetPath(), string(o.here.Site)) && !o.stored[EventName(event.GetId())] {
				if err := o.receive(event); err != nil {
					c.t.Fatal(err)
				}
			}
		}
	}
	for _, o := range c.offices {
		if o != from {
			c.look(o.here.Site)
		}
	}
}

// look has the rules look at the ticket at a site.
func (c *circle) look(site SiteID) *Decision {
	c.t.Helper()
	o := c.office(site)
	record := o.records[c.number]
	if record == nil {
		return nil
	}
	d, err := React(o.here, o, record, c.stamp())
	if err != nil {
		c.t.Fatal(err)
	}
	if d != nil {
		c.spread(o, d)
	}
	return d
}

// carry has the site's courier send the ticket to where it waits for.
func (c *circle) carry(site SiteID) {
	c.t.Helper()
	c.do(site, dispatchTo(c.number, c.record(site).GetTicket().GetHandover().GetToSite()))
}

func (c *circle) record(site SiteID) *deskpb.Record { return c.office(site).records[c.number] }

// escalate hands the ticket from the site to its parent.
func (c *circle) escalate(from SiteID) {
	c.t.Helper()
	c.do(from, escalateCommand("一线无法解决"))
	c.carry(from)
}

// relocate has the city hand the ticket to the province because the county moves.
func (c *circle) relocate(from SiteID) {
	c.t.Helper()
	c.do(from, relocateCommand(c.number))
	c.carry(from)
}

func relocateCommand(number TicketNumber) *deskpb.TicketCommand {
	return by(nil, number, sampleCommand("relocate"))
}

// move puts the county below the other city in everybody's directory. What is known beside the path goes on.
func (c *circle) move() {
	path := []SiteID{county, newCity, province}
	for _, o := range c.offices {
		o.directory = map[SiteID][]SiteID{county: path}
	}
	c.office(county).here.Path = path
	whole := c.office(province)
	for _, event := range whole.events[c.number] {
		if err := c.office(newCity).receive(event); err != nil {
			c.t.Fatal(err)
		}
	}
}

// at checks who holds the ticket, at which line, and what it waits for.
func (c *circle) at(site SiteID, line deskpb.Ticket_Line, waitsFor SiteID) {
	c.t.Helper()
	t := c.record(site).GetTicket()
	if t.GetCustodianSite() != string(site) || t.GetLine() != line || t.GetHandover().GetToSite() != string(waitsFor) {
		c.t.Fatalf("the ticket is with the %s line of %s and waits for %q, want the %s line of %s and %q",
			t.GetLine(), t.GetCustodianSite(), t.GetHandover().GetToSite(), line, site, waitsFor)
	}
}

func TestATicketFollowsItsOffice(t *testing.T) {
	c := newCircle(t)
	c.escalate(county)
	c.do(city, sampleCommand("assign"))
	c.relocate(city)
	c.at(province, deskpb.Ticket_SECOND, "")
	got := c.record(province).GetTicket()
	if got.GetState() != deskpb.Ticket_NEW || got.GetAssignee() != "" || got.GetKind() != deskpb.Ticket_INCIDENT {
		t.Errorf("at the province it is the %s %s of %q, want a new incident of nobody", got.GetState(), got.GetKind(), got.GetAssignee())
	}
	c.move()
	d := c.do(province, sampleCommand("return"))
	if path := d.Events[0].GetPath(); !slices.Equal(path, []string{string(county), string(newCity), string(province)}) {
		t.Errorf("after the move an event carries the path %v", path)
	}
	c.at(province, deskpb.Ticket_SECOND, newCity)
	c.carry(province)
	c.at(newCity, deskpb.Ticket_FIRST, county)
	if reason := c.record(newCity).GetTicket().GetHandover().GetReason(); reason != "请现场核实" {
		t.Errorf("the city that only passes it on gives the reason %q, not that of the return", reason)
	}
	c.carry(newCity)
	c.at(county, deskpb.Ticket_FIRST, "")
	if route := c.record(county).GetRoute(); len(route) != 0 {
		t.Errorf("back at home it still came from %v", route)
	}
}

func TestARelocatedStationIsStoodInFor(t *testing.T) {
	t.Run("by the province that took its tickets", func(t *testing.T) {
		c := newCircle(t)
		c.escalate(county)
		c.do(city, escalateCommand(""))
		c.do(city, sampleCommand("withdraw"))
		c.relocate(city)
		c.do(province, escalateCommand("三线"))
		c.move()
		c.do(province, sampleCommand("return"))
		c.at(province, deskpb.Ticket_SECOND, "")
		c.do(province, sampleCommand("return"))
		c.at(province, deskpb.Ticket_SECOND, newCity)
	})
	t.Run("by the province that had the ticket already", func(t *testing.T) {
		c := newCircle(t)
		c.escalate(county)
		c.escalate(city)
		c.move()
		c.do(province, sampleCommand("return"))
		c.at(province, deskpb.Ticket_SECOND, "")
		c.do(province, sampleCommand("return"))
		c.carry(province)
		c.carry(newCity)
		c.at(county, deskpb.Ticket_FIRST, "")
	})
}

func TestTheStationsOfACityGoWithItsTickets(t *testing.T) {
	c := newCircle(t)
	c.number = TicketNumber(c.do(city, createCommand("专线中断")).Record.GetTicket().GetNumber())
	c.do(city, escalateCommand("市级二线"))
	c.relocate(city)
	route := c.record(province).GetRoute()
	if len(route) != 1 || route[0].GetSite() != string(province) || route[0].GetLine() != deskpb.Ticket_FIRST {
		t.Fatalf("at the province the ticket came from %v, want the first line there", route)
	}
	c.do(province, sampleCommand("return"))
	c.at(province, deskpb.Ticket_FIRST, "")
}

func TestAResolvedTicketGoesHomeByTheNewWay(t *testing.T) {
	c := newCircle(t)
	c.escalate(county)
	c.relocate(city)
	c.move()
	c.do(province, sampleCommand("resolve"))
	c.at(province, deskpb.Ticket_SECOND, newCity)
	c.carry(province)
	c.at(newCity, deskpb.Ticket_FIRST, county)
	c.carry(newCity)
	c.at(county, deskpb.Ticket_FIRST, "")
}

func TestWhatWaitsForTheOldCityIsSentAnotherWay(t *testing.T) {
	t.Run("up", func(t *testing.T) {
		c := newCircle(t)
		c.do(county, escalateCommand("一线无法解决"))
		c.move()
		if _, err := c.try(county, dispatchTo(c.number, string(city))); reason(err) != "NOT_ON_PATH" {
			t.Errorf("sending it to the city that was left comes to %v", err)
		}
		c.look(county)
		c.at(county, deskpb.Ticket_FIRST, newCity)
		if d := c.look(county); d != nil {
			t.Errorf("looking again makes %d events", len(d.Events))
		}
		c.carry(county)
		c.at(newCity, deskpb.Ticket_SECOND, "")
	})
	t.Run("down", func(t *testing.T) {
		c := newCircle(t)
		c.escalate(county)
		c.escalate(city)
		c.do(province, sampleCommand("resolve"))
		c.at(province, deskpb.Ticket_THIRD, city)
		c.move()
		c.look(province)
		c.at(province, deskpb.Ticket_THIRD, newCity)
	})
}

func TestTheCityThatWasLeftOnlyHandsOver(t *testing.T) {
	c := newCircle(t)
	c.escalate(county)
	c.move()
	for _, verb := range []string{"note", "start", "withdraw", "reclaim"} {
		command := by(manager("sun"), c.number, sampleCommand(verb))
		if _, err := c.try(city, command); reason(err) != "MOVED_AWAY" {
			t.Errorf("%s comes to %v, want MOVED_AWAY", verb, err)
		}
	}
	if d := c.look(city); d == nil || len(d.Events) != 1 || d.Events[0].GetType() != deskpb.Event_RELOCATION_QUEUED {
		t.Fatalf("it reacts with %v, want it to hand the ticket to the province", d)
	}
	c.carry(city)
	c.at(province, deskpb.Ticket_SECOND, "")
}

func TestARelocationTakesWhateverWaited(t *testing.T) {
	for name, c := range map[string]struct {
		before []string
		state  deskpb.Ticket_State
	}{
		"an open ticket":        {nil, deskpb.Ticket_NEW},
		"one on hold":           {[]string{"hold"}, deskpb.Ticket_NEW},
		"one that goes up":      {[]string{"start", "escalate"}, deskpb.Ticket_NEW},
		"one that goes back":    {[]string{"return"}, deskpb.Ticket_NEW},
		"one that was resolved": {[]string{"resolve"}, deskpb.Ticket_RESOLVED},
		"one that was canceled": {[]string{"cancel"}, deskpb.Ticket_CANCELED},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCircle(t)
			w.escalate(county)
			for _, verb := range c.before {
				w.do(city, sampleCommand(verb))
			}
			w.relocate(city)
			r := w.record(county)
			if r.GetTicket().GetCustodianSite() != string(province) || r.GetTicket().GetState() != c.state {
				t.Errorf("it is %s at %s, want %s at the province", r.GetTicket().GetState(), r.GetTicket().GetCustodianSite(), c.state)
			}
			if clock := r.GetTicket().GetSla()[1]; clock.GetState() == deskpb.Sla_PAUSED {
				t.Error("its resolution clock still stands")
			}
		})
	}
}

func TestARelocationIsNotUndone(t *testing.T) {
	c := newCircle(t)
	c.escalate(county)
	c.do(city, relocateCommand(c.number))
	for verb, command := range map[string]*deskpb.TicketCommand{
		"withdraw": sampleCommand("withdraw"), "escalate": escalateCommand(""), "return": sampleCommand("return"),
		"relocate": relocateCommand(c.number),
	} {
		if _, err := c.try(city, command); reason(err) != "RELOCATING" {
			t.Errorf("%s comes to %v, want RELOCATING", verb, err)
		}
	}
	elsewhere := relocateCommand(c.number)
	elsewhere.GetRelocate().To = string(newCity)
	if _, err := c.try(city, elsewhere); reason(err) != "NOT_ON_PATH" {
		t.Errorf("relocating it to a site beside its path comes to %v", err)
	}
}

// TestThePathByTheDirectory says which path an event carries when the ticket and the directory know different ones.
func TestThePathByTheDirectory(t *testing.T) {
	known := []string{string(county), string(city), string(province)}
	for name, c := range map[string]struct {
		site      SiteID
		directory []SiteID
		want      []string
	}{
		"the home itself":            {county, nil, known},
		"it does not know the home":  {province, nil, known},
		"it knows less":              {province, []SiteID{county}, known},
		"it does not lead here":      {province, []SiteID{county, newCity}, known},
		"it leads here another way":  {province, []SiteID{county, newCity, province}, []string{string(county), string(newCity), string(province)}},
		"it leads here straight":     {province, []SiteID{county, province}, []string{string(county), string(province)}},
		"it leads here and is wrong": {city, []SiteID{county, city, county}, known},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCircle(t)
			w.office(c.site).directory = map[SiteID][]SiteID{county: c.directory}
			if got := w.do(c.site, sampleCommand("note")).Events[0].GetPath(); !slices.Equal(got, c.want) {
				t.Errorf("the event carries the path %v, want %v", got, c.want)
			}
		})
	}
}
