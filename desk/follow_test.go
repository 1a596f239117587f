package desk

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// family is a major incident of the province with a child held at each of three sites, all known at the top.
type family struct {
	desktop
	parent   TicketNumber
	children map[SiteID]TicketNumber // by the site that holds it
}

// newFamily opens all of them in the county but the parent, and escalates two as far as they go.
func newFamily(t *testing.T, home SiteID) family {
	f := family{newDesktop(t), "", map[SiteID]TicketNumber{}}
	f.parent = f.open(home, "全省支付中断")
	for _, site := range []SiteID{county, city, province} {
		f.children[site] = f.open(county, "付不了款 "+siteWords(site))
	}
	f.do(county, f.children[city], "lin", escalateCommand("需市级"))
	f.do(county, f.children[province], "lin", escalateCommand("需省级"))
	f.drain()
	f.do(city, f.children[province], "wang", escalateCommand("需省级"))
	f.drain()
	for holder, child := range f.children {
		if got := f.at(province, child).GetCustodianSite(); got != string(holder) {
			t.Fatalf("%s is held by %s, want %s", child, got, holder)
		}
	}
	return f
}

func siteWords(site SiteID) string {
	return map[SiteID]string{county: "县", city: "市", province: "省"}[site]
}

// adopt makes the three tickets children of the parent, at a site that knows all.
func (f family) adopt(site SiteID) {
	f.Helper()
	for _, child := range []SiteID{county, city, province} {
		f.do(site, f.children[child], "lin", linkTo(deskpb.TicketLink_CHILD_OF, string(f.parent), false))
	}
	f.drain()
}

// resolved checks that each child was resolved with the parent once, is at home, and equal everywhere.
func (f family) resolved() {
	f.Helper()
	f.drain()
	for holder, child := range f.children {
		if err := f.tree.agree(child); err != nil {
			f.Error(err)
		}
		t := f.at(county, child)
		if t.GetState() != deskpb.Ticket_RESOLVED || t.GetCustodianSite() != string(county) || t.GetResolution().GetText() != "切换线路" {
			f.Errorf("the child that %s held is %s at %s with the solution %q", holder, t.GetState(), t.GetCustodianSite(), t.GetResolution().GetText())
		}
		resolutions := 0
		for _, event := range f.tree.office(county).events[child] {
			if event.GetType() == deskpb.Event_RESOLVED {
				resolutions++
			}
		}
		if resolutions != 1 {
			f.Errorf("the child that %s held was resolved %d times", holder, resolutions)
		}
	}
}

func TestResolvingTheParentResolvesTheChildrenAtEverySite(t *testing.T) {
	for _, home := range []SiteID{county, city, province} {
		t.Run("parent of "+siteWords(home), func(t *testing.T) {
			f := newFamily(t, home)
			f.adopt(province)
			f.do(home, f.parent, "lin", resolveCommand("切换线路"))
			f.resolved()
		})
	}
}

// TestAChildOnItsWayIsResolvedWhereItArrives resolves the parent while a child is between two sites.
func TestAChildOnItsWayIsResolvedWhereItArrives(t *testing.T) {
	f := newFamily(t, province)
	f.adopt(province)
	f.do(county, f.children[county], "lin", escalateCommand("需市级"))
	if err := f.tree.dispatch(county); err != nil {
		t.Fatal(err)
	}
	f.do(province, f.parent, "lin", resolveCommand("切换线路"))
	f.resolved()
}

// TestAChildIsResolvedByWhoHoldsItThoughTheSolverNeverHeardOfIt links at the city, and resolves at the county before it hears.
func TestAChildIsResolvedByWhoHoldsItThoughTheSolverNeverHeardOfIt(t *testing.T) {
	d := newDesktop(t)
	parent, child := d.open(county, "支付中断"), d.open(county, "付不了款")
	d.do(county, child, "lin", escalateCommand("需市级"))
	d.drain()
	d.do(city, child, "wang", linkTo(deskpb.TicketLink_CHILD_OF, string(parent), false))
	d.do(county, parent, "lin", resolveCommand("切换线路"))
	d.drain()
	if got := d.at(city, child); got.GetState() != deskpb.Ticket_RESOLVED || len(got.GetWishes()) != 0 {
		t.Errorf("the child is %s with wishes %v, want it resolved by the city itself", got.GetState(), got.GetWishes())
	}
}

// TestAChildBelowAnotherCountyIsResolvedByTheTop has a parent that one county solves and a child of its neighbour.
func TestAChildBelowAnotherCountyIsResolvedByTheTop(t *testing.T) {
	d := desktop{t, newWideTree()}
	parent, child := d.open(county, "支付中断"), d.open(neighbour, "付不了款")
	d.drain()
	d.do(city, child, "wang", linkTo(deskpb.TicketLink_CHILD_OF, string(parent), false))
	d.drain()
	d.do(county, parent, "lin", resolveCommand("切换线路"))
	d.drain()
	if got := d.at(neighbour, child); got.GetState() != deskpb.Ticket_RESOLVED {
		t.Errorf("the neighbour's child is %s", got.GetState())
	}
	if wishes := d.at(neighbour, child).GetWishes(); len(wishes) != 1 || wishes[0].GetSite() != string(province) {
		t.Errorf("the wishes on the child are %v, want one of the top", wishes)
	}
}

func TestAChildWithAMandatoryTaskStaysOpen(t *testing.T) {
	f := newFamily(t, province)
	f.adopt(province)
	for _, site := range []SiteID{county, province} {
		f.do(site, f.children[site], "lin", addTask(&deskpb.Task{Title: "补记账", Mandatory: true}))
	}
	f.drain()
	f.do(province, f.parent, "lin", resolveCommand("切换线路"))
	f.drain()
	for _, site := range []SiteID{county, province} {
		if got := f.at(site, f.children[site]); got.GetState() != deskpb.Ticket_NEW {
			t.Errorf("the child at %s with an open mandatory task is %s", site, got.GetState())
		}
	}
	if wish := f.at(county, f.children[county]).GetWishes()[0]; wish.GetState() != deskpb.Wish_DECLINED {
		t.Errorf("the wish on the county's child is %s", wish.GetState())
	}
	last := f.tree.office(province).journal(f.children[province])
	if note := last[len(last)-1]; note.GetType() != deskpb.Event_NOTED {
		t.Errorf("the last word on the province's child is %s, want a note that says why it stays open", note.GetType())
	}
}

func TestOnlyAChildIsResolvedWithItsParent(t *testing.T) {
	d := newDesktop(t)
	parent, child := d.open(county, "主"), d.open(county, "子")
	resolveWith := &deskpb.TicketCommand{Number: string(child), Actor: &deskpb.Actor{}, Verb: &deskpb.TicketCommand_ResolveWith{
		ResolveWith: &deskpb.ResolveWith{Parent: string(parent), Resolution: &deskpb.Resolution{Code: "fixed"}},
	}}
	if _, err := d.tree.do(county, proto.CloneOf(resolveWith)); reason(err) != "NOT_A_CHILD" {
		t.Errorf("a stranger is resolved with another ticket: %v", err)
	}
	d.do(county, child, "lin", linkTo(deskpb.TicketLink_CHILD_OF, string(parent), false))
	decision, err := d.tree.do(county, proto.CloneOf(resolveWith))
	if err != nil || decision.Record.GetTicket().GetResolution().GetText() != fmt.Sprintf("resolved together with %s", parent) {
		t.Errorf("the child is resolved as %v, %v", decision, err)
	}
	if _, err := d.tree.do(county, proto.CloneOf(resolveWith)); reason(err) != "WRONG_STATE" {
		t.Errorf("it is resolved twice: %v", err)
	}
}

func TestMergingAParentAwayIsNoSolution(t *testing.T) {
	open := &deskpb.Record{Ticket: &deskpb.Ticket{State: deskpb.Ticket_NEW}}
	for name, c := range map[string]struct {
		before, after *deskpb.Record
		want          bool
	}{
		"resolved":               {open, &deskpb.Record{Ticket: &deskpb.Ticket{State: deskpb.Ticket_RESOLVED}}, true},
		"heard of when resolved": {nil, &deskpb.Record{Ticket: &deskpb.Ticket{State: deskpb.Ticket_CLOSED}}, true},
		"merged":                 {open, &deskpb.Record{Ticket: &deskpb.Ticket{State: deskpb.Ticket_CLOSED, MergedInto: "x"}}, false},
		"canceled":               {open, &deskpb.Record{Ticket: &deskpb.Ticket{State: deskpb.Ticket_CANCELED}}, false},
		"still open":             {open, open, false},
		"closed after that": {&deskpb.Record{Ticket: &deskpb.Ticket{State: deskpb.Ticket_RESOLVED}},
			&deskpb.Record{Ticket: &deskpb.Ticket{State: deskpb.Ticket_CLOSED}}, false},
	} {
		if got := endedWell(c.before, c.after); got != c.want {
			t.Errorf("%s: ended well is %v, want %v", name, got, c.want)
		}
	}
}
