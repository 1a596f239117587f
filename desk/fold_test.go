package desk

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestFoldRefusesWhatDoesNotFollow(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.escalateToCity()
	record := s.tree.office(city).records[s.number]
	next := func(spoil func(*deskpb.Event)) *deskpb.Event {
		e := sampleEvent(deskpb.Event_STARTED)
		e.Ticket, e.CustodyTerm, e.Reclaim = string(s.number), record.GetTicket().GetCustodyTerm(), record.GetReclaim()
		e.Index, e.Previous = record.GetLength()+1, record.GetHead()
		e.Id.Site = string(city)
		spoil(e)
		return e
	}
	for name, c := range map[string]struct {
		record *deskpb.Record
		event  *deskpb.Event
		want   error
	}{
		"the next one":        {record, next(func(*deskpb.Event) {}), nil},
		"a repeated index":    {record, next(func(e *deskpb.Event) { e.Index-- }), ErrUnfit},
		"a gap":               {record, next(func(e *deskpb.Event) { e.Index++ }), ErrUnfit},
		"another head":        {record, next(func(e *deskpb.Event) { e.Previous = make([]byte, hashSize) }), ErrUnfit},
		"a lower custody":     {record, next(func(e *deskpb.Event) { e.CustodyTerm-- }), ErrUnfit},
		"a higher custody":    {record, next(func(e *deskpb.Event) { e.CustodyTerm++ }), ErrUnfit},
		"a higher reclaim":    {record, next(func(e *deskpb.Event) { e.Reclaim++ }), ErrUnfit},
		"another site":        {record, next(func(e *deskpb.Event) { e.Id.Site = string(county) }), ErrUnfit},
		"another ticket":      {record, next(func(e *deskpb.Event) { e.Ticket = "330106-20261121-9999" }), ErrUnfit},
		"a remark on nothing": {nil, sampleEvent(deskpb.Event_NOTED), ErrUnfit},
		"a change of nothing": {nil, sampleEvent(deskpb.Event_STARTED), ErrUnfit},
		"a second opening": {record, next(func(e *deskpb.Event) {
			e.Type, e.Body, e.Index, e.Previous = deskpb.Event_OPENED, sampleBody(deskpb.Event_OPENED), 1, nil
		}), ErrUnfit},
		"a later schema": {record, next(func(e *deskpb.Event) { e.Schema++ }), ErrUnknown},
		"a later type":   {record, next(func(e *deskpb.Event) { e.Type = 1000 }), ErrUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			sealed := Sealed{Event: c.event, Raw: marshal(t, c.event)}
			got, err := Fold(c.record, sealed)
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Fatalf("it comes to %v, want %v", err, c.want)
			}
			if (got == nil) != (err != nil) {
				t.Errorf("it returns the record %v beside the error %v", got, err)
			}
		})
	}
}

func TestAnAnswerMayComeBeforeItsWish(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.escalateToCity()
	s.do(county, sampleCommand("cancel"))
	s.drain()
	var opened *deskpb.Record
	var wish Sealed
	late := s.tree.office(county).journal(s.number)
	for _, event := range late {
		if event.GetType() == deskpb.Event_WISHED {
			wish = event
			continue
		}
		opened = mustFold(t, opened, event)
	}
	placeholder := opened.GetTicket().GetWishes()
	if len(placeholder) != 1 || placeholder[0].GetState() != deskpb.Wish_GRANTED || placeholder[0].GetSite() != "" {
		t.Fatalf("the answer alone leaves the wishes %v", placeholder)
	}
	if got := mustFold(t, opened, wish); !proto.Equal(got, s.tree.office(county).records[s.number]) {
		t.Errorf("the late wish gives\n%v\nwant\n%v", got, s.tree.office(county).records[s.number])
	}
}

func TestReactHasNothingToDo(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.escalateToCity()
	for _, o := range s.tree.offices {
		if d, err := React(o.here, o, o.records[s.number], s.tree.stamp(o)); d != nil || err != nil {
			t.Errorf("%s reacts with %v, %v to a ticket that is in order", o.here.Site, d, err)
		}
	}
}

func TestAnUnknownWishIsDeclined(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	o := s.tree.office(county)
	record := proto.CloneOf(o.records[s.number])
	record.Ticket.Wishes = []*deskpb.Wish{{Id: "w", Kind: 42, Site: string(city)}}
	d, err := React(o.here, o, record, s.tree.stamp(o))
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Record.GetTicket().GetWishes()[0]; got.GetState() != deskpb.Wish_DECLINED || got.GetAnswer() == "" {
		t.Errorf("the wish is %s with the answer %q", got.GetState(), got.GetAnswer())
	}
}

func TestAHandoverTellsWhereWhyAndSinceWhen(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.do(county, escalateCommand("一线无法解决"))
	sent := s.do(county, dispatchTo(s.number, string(city))).Record
	want := &deskpb.Handover{
		State: deskpb.Handover_IN_TRANSIT, ToSite: string(city), Reason: "一线无法解决", Since: timestamp(s.tree.now), ToLine: deskpb.Ticket_SECOND,
	}
	if got := sent.GetTicket().GetHandover(); !proto.Equal(got, want) || sent.GetFromSite() != string(county) {
		t.Errorf("on the way the hand-over from %s is %v, want %v", sent.GetFromSite(), got, want)
	}
	s.drain()
	arrived := s.tree.office(city).records[s.number]
	if got := arrived.GetTicket().GetHandover(); !proto.Equal(got, &deskpb.Handover{}) || arrived.GetFromSite() != "" {
		t.Errorf("after it the hand-over from %q is %v, want none", arrived.GetFromSite(), got)
	}
}

func TestWhatIsAcceptedOnArrival(t *testing.T) {
	for name, c := range map[string]struct {
		state    deskpb.Ticket_State
		line     deskpb.Ticket_Line
		homeward bool
		want     deskpb.Event_Type
	}{
		"an open ticket for a line that works here": {deskpb.Ticket_ON_HOLD, deskpb.Ticket_SECOND, false, deskpb.Event_ACCEPTED},
		"a line that does not work here":            {deskpb.Ticket_NEW, deskpb.Ticket_THIRD, false, deskpb.Event_REFUSED},
		"a closed ticket going up":                  {deskpb.Ticket_CLOSED, deskpb.Ticket_SECOND, false, deskpb.Event_REFUSED},
		"a resolved ticket going up":                {deskpb.Ticket_RESOLVED, deskpb.Ticket_SECOND, false, deskpb.Event_REFUSED},
		"a resolved ticket going home":              {deskpb.Ticket_RESOLVED, deskpb.Ticket_FIRST, true, deskpb.Event_ACCEPTED},
		"anything going home":                       {deskpb.Ticket_CANCELED, deskpb.Ticket_THIRD, true, deskpb.Event_ACCEPTED},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, deskpb.Ticket_NEW)
			s.do(county, escalateCommand(""))
			record := proto.CloneOf(s.do(county, dispatchTo(s.number, string(city))).Record)
			record.Ticket.State, record.Ticket.Handover.ToLine, record.Homeward = c.state, c.line, c.homeward
			o := s.tree.office(city)
			d, err := React(o.here, o, record, s.tree.stamp(o))
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Events[0].GetType(); got != c.want {
				t.Fatalf("it is %s, want %s", got, c.want)
			}
			term, holder := record.GetTicket().GetCustodyTerm(), city
			if c.want == deskpb.Event_REFUSED {
				term, holder = term+1, county
			}
			after := d.Record.GetTicket()
			if after.GetCustodyTerm() != term || after.GetCustodianSite() != string(holder) {
				t.Errorf("custody is with %s under term %d, want %s and %d", after.GetCustodianSite(), after.GetCustodyTerm(), holder, term)
			}
		})
	}
}
