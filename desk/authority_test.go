package desk

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestAuthority(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.do(county, escalateCommand(""))
	onItsWay := s.do(county, dispatchTo(s.number, string(city))).Record // from the county, under term 2
	s.drain()
	held := s.tree.office(city).records[s.number] // by the city, under term 2
	taken := proto.CloneOf(held)
	taken.Reclaim = 3
	for name, c := range map[string]struct {
		record        *deskpb.Record
		kind          deskpb.Event_Type
		author        SiteID
		term, reclaim uint32
		want          string // in the objection; empty when there is none
	}{
		"the custodian":                          {held, deskpb.Event_STARTED, city, 2, 0, ""},
		"another site":                           {held, deskpb.Event_STARTED, county, 2, 0, "330106 decided STARTED"},
		"a site that does not hold it remarks":   {held, deskpb.Event_NOTED, county, 1, 0, ""},
		"under an earlier term":                  {held, deskpb.Event_STARTED, city, 1, 0, "under custody term 1"},
		"under a later term":                     {held, deskpb.Event_STARTED, city, 3, 0, "under custody term 3"},
		"under an override that nobody made":     {held, deskpb.Event_STARTED, city, 2, 1, "term 2 with override 1"},
		"as if the override were none":           {taken, deskpb.Event_STARTED, city, 2, 0, "term 2 with override 3"},
		"under the override":                     {taken, deskpb.Event_STARTED, city, 2, 3, ""},
		"sending it on":                          {held, deskpb.Event_DISPATCHED, city, 3, 0, ""},
		"sending it on within the term":          {held, deskpb.Event_DISPATCHED, city, 2, 0, "decided DISPATCHED"},
		"sending it on by another site":          {held, deskpb.Event_DISPATCHED, county, 3, 0, "decided DISPATCHED"},
		"sending it on with the override":        {taken, deskpb.Event_DISPATCHED, city, 3, 3, "decided DISPATCHED"},
		"sending it on after the override":       {taken, deskpb.Event_DISPATCHED, city, 3, 0, ""},
		"accepting what is not on its way":       {held, deskpb.Event_ACCEPTED, city, 2, 0, "decided ACCEPTED"},
		"accepting what has arrived":             {onItsWay, deskpb.Event_ACCEPTED, city, 2, 0, ""},
		"accepting what goes to another":         {onItsWay, deskpb.Event_ACCEPTED, province, 2, 0, "decided ACCEPTED"},
		"refusing what has arrived":              {onItsWay, deskpb.Event_REFUSED, city, 3, 0, ""},
		"refusing it within the term":            {onItsWay, deskpb.Event_REFUSED, city, 2, 0, "decided REFUSED"},
		"working on it before it is accepted":    {onItsWay, deskpb.Event_STARTED, city, 2, 0, "in transit"},
		"working on it after it was sent":        {onItsWay, deskpb.Event_STARTED, county, 2, 0, "in transit"},
		"an override":                            {held, deskpb.Event_RECLAIMED, county, 2, 1, ""},
		"an override of what is on its way":      {onItsWay, deskpb.Event_RECLAIMED, county, 2, 1, ""},
		"an override of an override":             {taken, deskpb.Event_RECLAIMED, province, 2, 4, ""},
		"an override under a later term":         {held, deskpb.Event_RECLAIMED, county, 3, 1, "only term 2 with override 1"},
		"an override that skips one":             {held, deskpb.Event_RECLAIMED, county, 2, 2, "only term 2 with override 1"},
		"an override by a site beside the path":  {held, deskpb.Event_RECLAIMED, newCity, 2, 1, "does not stand on its path"},
		"opening a ticket":                       {nil, deskpb.Event_OPENED, county, 1, 0, ""},
		"working on a ticket that nobody opened": {nil, deskpb.Event_STARTED, county, 1, 0, "does not open it"},
	} {
		t.Run(name, func(t *testing.T) {
			e := sampleEvent(c.kind)
			e.Id.Site, e.CustodyTerm, e.Reclaim = string(c.author), c.term, c.reclaim
			e.From, e.To = string(c.author), string(province)
			got := Authority(c.record, Sealed{Event: e})
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("the objection is %q, want one with %q", got, c.want)
			}
		})
	}
	for name, spoil := range map[string]func(*deskpb.Event){
		"in another's name":      func(e *deskpb.Event) { e.From = string(county) },
		"to a site off its path": func(e *deskpb.Event) { e.To = string(newCity) },
	} {
		e := sampleEvent(deskpb.Event_DISPATCHED)
		e.Id.Site, e.From, e.To, e.CustodyTerm, e.Reclaim = string(city), string(city), string(province), 3, 0
		spoil(e)
		if got := Authority(held, Sealed{Event: e}); !strings.Contains(got, "not a hand-over of its own") {
			t.Errorf("sending a ticket %s has the objection %q", name, got)
		}
	}
}
