package tiers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// city2 is the other city of the tests about moves.
var city2 = &deskpb.Site{Id: "330200", Name: "宁波市", Tier: deskpb.Site_CITY, Parent: "330000", Incarnation: 0xE}

// place has an office decide a step; the refusal is returned.
func (o *office) place(t *testing.T, c *deskpb.PlaceSite) *deskpb.Refusal {
	t.Helper()
	result, err := o.Propose(context.Background(), &deskpb.Command{Kind: &deskpb.Command_PlaceSite{PlaceSite: c}})
	if err != nil {
		t.Fatalf("place %s at %s: %v", c.Placement.Site, o.id, err)
	}
	return result.Refusal
}

func moving(site, to string) *deskpb.PlaceSite {
	return &deskpb.PlaceSite{Step: deskpb.PlaceSite_MOVE, Placement: &deskpb.Placement{Site: site, Parent: to, Actor: "admin", Reason: "区划调整"}}
}

func closing(site string) *deskpb.PlaceSite {
	return &deskpb.PlaceSite{Step: deskpb.PlaceSite_CLOSE, Placement: &deskpb.Placement{Site: site, Actor: "admin"}}
}

// mustPlace is place for what has to succeed.
func (o *office) mustPlace(t *testing.T, c *deskpb.PlaceSite) {
	t.Helper()
	if refusal := o.place(t, c); refusal != nil {
		t.Fatalf("place %s at %s: %s", c.Placement.Site, o.id, refusal.Message)
	}
}

func (o *office) placement(site string) *deskpb.Placement {
	return read(o, func(r *store.Reader) (*deskpb.Placement, error) { return r.Placement(desk.SiteID(site)) })
}

// region is a province with two cities and one county below the first, with live links.
type region struct {
	top, old, new, county *node
}

func newRegion(t *testing.T) region {
	t.Helper()
	top := newNode(t, province, newOffice(t, province, wall))
	g := region{
		top: top,
		old: newNode(t, city, newOffice(t, city, wall), top.address),
		new: newNode(t, city2, newOffice(t, city2, wall), top.address),
	}
	// The county knows all addresses; whoever answers where the parent is called says who it is.
	g.county = newNode(t, county, newOffice(t, county, wall), g.old.address, g.new.address, top.address)
	// A city that is lost before the province was through with it would stay unsettled for ever.
	whole(t, g.all()...)
	eventually(t, "every site knows the whole tree", func() bool {
		for _, n := range g.all() {
			if len(read(n.office, func(r *store.Reader) ([]*deskpb.SiteInfo, error) { return r.Directory() })) != 4 {
				return false
			}
		}
		return true
	})
	return g
}

func (g region) all() []*node { return []*node{g.top, g.old, g.new, g.county} }

// placed waits until the county is below a parent, its link is up and everything is handed over.
func (g region) placed(t *testing.T, below *node) {
	t.Helper()
	eventually(t, "the county is connected with "+string(below.id), func() bool {
		return g.county.state(below.id) == Up && below.state(g.county.id) == Up
	})
	eventually(t, "nothing is compared any more", func() bool {
		for _, pair := range [][2]*node{{g.county, below}, {below, g.county}, {g.top, g.new}, {g.top, g.old}} {
			if link := pair[0].link(pair[1].id); link.PeerIncarnation != 0 && link.Unsettled {
				return false
			}
		}
		return true
	})
}

func (g region) unparked(t *testing.T) {
	t.Helper()
	for _, n := range g.all() {
		for _, parked := range n.parked() {
			t.Errorf("%s parked an item of %s: %s", n.id, parked.Peer, parked.Reason)
		}
	}
}

// held waits until an office shows a ticket with a custodian and no hand-over under way.
func held(t *testing.T, n *node, number, by string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s shows %s with %s", n.id, number, by), func() bool {
		record := n.record(number)
		return record != nil && record.Ticket.CustodianSite == by && record.Ticket.Handover.GetState() == deskpb.Handover_NONE
	})
}

func TestCountyMovesWithItsTicketsAtEveryTier(t *testing.T) {
	g := newRegion(t)
	atHome, atCity, atTop, closed := g.county.open(t, "在县"), g.county.open(t, "在市"), g.county.open(t, "在省"), g.county.open(t, "已办结")
	g.county.must(t, atCity, escalate())
	g.county.must(t, atTop, escalate())
	held(t, g.old, atCity, "330100")
	held(t, g.old, atTop, "330100")
	g.old.must(t, atTop, escalate())
	held(t, g.top, atTop, "330000")
	g.county.must(t, closed, resolve())
	g.county.must(t, closed, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Confirm{Confirm: &deskpb.Confirm{}}})

	g.top.mustPlace(t, moving("330106", "330200"))
	g.placed(t, g.new)
	held(t, g.county, atCity, "330000")
	if got := g.top.record(atCity).Ticket; got.Line != deskpb.Ticket_SECOND || got.Assignee != "" {
		t.Errorf("the relocated ticket is at line %s with %q, want SECOND with nobody", got.Line, got.Assignee)
	}
	numbers := []string{atHome, atCity, atTop, closed}
	eventually(t, "the new city knows every ticket", func() bool { return len(g.new.tickets()) == len(numbers) })

	// What is escalated from now on goes to the new city, and what is resolved at the top comes home through it.
	g.county.must(t, atHome, escalate())
	held(t, g.new, atHome, "330200")
	for _, number := range []string{atCity, atTop} {
		g.top.must(t, number, resolve())
		held(t, g.county, number, "330106")
	}
	agree(t, numbers, g.county, g.new, g.top)
	if path := g.top.record(atHome).Path; !slices.Equal(path, []string{"330106", "330200", "330000"}) {
		t.Errorf("the escalated ticket has path %v", path)
	}
	if got := g.county.parent(t); got != "330200" {
		t.Errorf("the county's own parent is %q", got)
	}
	if fresh := g.county.open(t, "移交后"); !strings.HasPrefix(fresh, "330106-") || slices.Contains(numbers, fresh) {
		t.Errorf("the next ticket is %s", fresh)
	}
	g.unparked(t)
}

func (o *office) parent(t *testing.T) string {
	t.Helper()
	return read(o, func(r *store.Reader) (*deskpb.Site, error) { return r.Site() }).Parent
}

// The county's line is cut from before the move until after it; its escalation waited for the old city all the time.
func TestQueuedEscalationFollowsTheMove(t *testing.T) {
	g := newRegion(t)
	g.county.line.set(true)
	eventually(t, "the county sees its line down", func() bool { return g.county.state(g.old.id) == Down })
	queued := g.county.open(t, "等线路")
	g.county.must(t, queued, escalate())

	g.top.mustPlace(t, moving("330106", "330200"))
	eventually(t, "the move is finished without the county", func() bool {
		return g.top.placement("330106").GetPhase() == deskpb.Placement_PLACED && g.old.placement("330106").GetPhase() == deskpb.Placement_PLACED
	})
	if got := g.county.parent(t); got != "330100" {
		t.Fatalf("the county behind its cut line knows the parent %q already", got)
	}
	g.county.line.set(false)
	g.placed(t, g.new)
	held(t, g.new, queued, "330200")
	held(t, g.county, queued, "330200")
	agree(t, []string{queued}, g.county, g.new, g.top)
	if handed := g.county.record(queued).Ticket.CustodyTerm; handed != 2 {
		t.Errorf("the escalation is under custody term %d, want 2: one hand-over", handed)
	}
	g.unparked(t)
}

// What waits at the province to go back to the old city goes home through the new one.
func TestWhatWaitsAtTheProvinceGoesTheNewWay(t *testing.T) {
	g := newRegion(t)
	number := g.county.open(t, "退回")
	g.county.must(t, number, escalate())
	held(t, g.old, number, "330100")
	g.old.must(t, number, escalate())
	held(t, g.top, number, "330000")
	g.old.tiers.Stop()
	eventually(t, "the province sees the old city's line down", func() bool { return g.top.state(g.old.id) == Down })
	g.top.must(t, number, resolve())
	if to := g.top.record(number).Ticket.Handover.GetToSite(); to != "330100" {
		t.Fatalf("the resolved ticket waits for %q, want 330100", to)
	}
	// The old city is lost: nobody waits for it, and the county cannot hear of the move from it.
	now := moving("330106", "330200")
	now.Now = true
	g.top.mustPlace(t, now)
	g.placed(t, g.new)
	held(t, g.county, number, "330106")
	agree(t, []string{number}, g.county, g.new, g.top)
}

// A hand-over that was under way to the old city when the office moved is answered by it all the same.
func TestHandoverUnderWayIsAnsweredByTheParentThatWasLeft(t *testing.T) {
	top, old, fresh, low := newOffice(t, province, wall), newOffice(t, city, wall), newOffice(t, city2, wall), newOffice(t, county, wall)
	admit(t, top, old)
	admit(t, top, fresh)
	admit(t, old, low)
	carry(t, [2]*office{top, old}, [2]*office{top, fresh}, [2]*office{old, low})

	number := low.open(t, "上送中")
	low.must(t, number, escalate())
	depart(t, low, old) // and the line dies
	if got := low.record(number).Ticket.Handover.GetState(); got != deskpb.Handover_IN_TRANSIT {
		t.Fatalf("the hand-over is %s", got)
	}
	now := moving("330106", "330200")
	now.Now = true
	top.mustPlace(t, now)
	carry(t, [2]*office{top, old}, [2]*office{top, fresh})
	low.mustPlace(t, &deskpb.PlaceSite{Step: deskpb.PlaceSite_HEARD, Placement: top.placement("330106")})
	admit(t, fresh, low)
	unite(t, low, fresh, number) // what their comparison comes to
	carry(t, [2]*office{top, old}, [2]*office{top, fresh}, [2]*office{fresh, low})

	// The old city never saw the ticket; the province brought it all of it, and it passed it on.
	depart(t, old, top)
	carry(t, [2]*office{top, old}, [2]*office{top, fresh}, [2]*office{fresh, low})
	for _, o := range []*office{top, fresh, low, old} {
		ticket := o.record(number).GetTicket()
		if ticket.GetCustodianSite() != "330000" || ticket.GetHandover().GetState() != deskpb.Handover_NONE || ticket.GetLine() != deskpb.Ticket_SECOND {
			t.Errorf("%s shows the ticket with %s, %s, line %s; want with 330000 at the SECOND line",
				o.id, ticket.GetCustodianSite(), ticket.GetHandover(), ticket.GetLine())
		}
		for _, parked := range o.parked() {
			t.Errorf("%s parked an item of %s: %s", o.id, parked.Peer, parked.Reason)
		}
	}
}

// unite gives one office the events of a ticket that another has.
func unite(t *testing.T, from, to *office, number string) {
	t.Helper()
	there := read(from, func(r *store.Reader) (*deskpb.Site, error) { return r.Site() })
	here := read(to, func(r *store.Reader) (*deskpb.Site, error) { return r.Site() })
	c := &deskpb.Unite{Peer: there.Id, PeerIncarnation: there.Incarnation, Incarnation: here.Incarnation}
	for _, e := range from.journal(number) {
		c.Events = append(c.Events, e.Raw)
	}
	result, err := to.Propose(context.Background(), &deskpb.Command{Kind: &deskpb.Command_Unite{Unite: c}})
	if err != nil || result.Refusal != nil {
		t.Fatalf("unite %s at %s: %v %v", number, to.id, result.GetRefusal(), err)
	}
}

// A city that is restored from before an office left it learns how the hand-overs ended that it took part in: it does not take itself for
// the custodian of what it had handed on. Of the rest it is told nothing.
func TestRestoredCityLearnsWhatItHandedOnForAnOfficeThatLeft(t *testing.T) {
	g := newRegion(t)
	handed, stayed := g.county.open(t, "在市"), g.county.open(t, "在县")
	g.county.must(t, handed, escalate())
	held(t, g.old, handed, "330100")
	whole(t, g.all()...)
	backup := g.old.backup(t)
	g.old.must(t, handed, escalate())
	held(t, g.top, handed, "330000")
	g.top.mustPlace(t, moving("330106", "330200"))
	g.placed(t, g.new)
	g.county.must(t, stayed, note("旧市不再需要知道"))

	g.old.line.set(true)
	g.old.restore(t, backup)
	if err := g.old.tiers.Recover(t.Context(), "restored from a backup"); err != nil {
		t.Fatal(err)
	}
	g.old.line.set(false)
	whole(t, g.top, g.old)
	held(t, g.old, handed, "330000")
	agree(t, []string{handed}, g.all()...)
	agree(t, []string{stayed}, g.county, g.new, g.top)
	if known, all := len(g.old.journal(stayed)), len(g.top.journal(stayed)); known >= all {
		t.Errorf("the city that was left has %d events of %s, and %d were written", known, stayed, all)
	}
	g.unparked(t)
}

func TestOldCityNamesTheNewParent(t *testing.T) {
	g := newRegion(t)
	g.county.line.set(true)
	g.top.mustPlace(t, moving("330106", "330200"))
	eventually(t, "the old city has heard of it", func() bool { return g.old.placement("330106").GetPhase() == deskpb.Placement_PLACED })
	hello, err := g.county.tiers.describe(g.old.id, 1)
	if err != nil {
		t.Fatal(err)
	}
	refusal := g.old.tiers.whereabouts(hello)
	if !isMoved(refusal) || !strings.Contains(refusal.Error(), "330106 stands below 330200") {
		t.Errorf("the old city answers %v, want the new parent's name", refusal)
	}
	hello.PlacementVersion = g.old.placement("330106").Version + 1
	if got := g.old.tiers.whereabouts(hello); got != errUnheard {
		t.Errorf("a caller that knows more is answered %v", got)
	}
	// The old city's mirror stays, and nothing there may be changed.
	eventually(t, "the old city shows no link with the county", func() bool { return g.old.state(g.county.id) == "" })
}

func TestCountyMovesThereAndBack(t *testing.T) {
	g := newRegion(t)
	number := g.county.open(t, "往返")
	for round, parent := range []*node{g.new, g.old, g.top, g.new} {
		g.top.mustPlace(t, moving("330106", string(parent.id)))
		g.placed(t, parent)
		g.county.must(t, number, note(fmt.Sprint("第", round, "次移交")))
		agree(t, []string{number}, g.county, parent, g.top)
	}
	g.county.must(t, number, escalate())
	held(t, g.county, number, "330200")
	agree(t, []string{number}, g.county, g.new, g.top)
	g.unparked(t)
}

// An office stands below the province itself, and its line is down while the province works on one of its tickets. Placed
// below a city then, the office learns of that through the city.
func TestWhatTheProvinceWroteLastReachesTheOfficeThroughItsNewCity(t *testing.T) {
	g := newRegion(t)
	number := g.county.open(t, "直属")
	g.top.mustPlace(t, moving("330106", "330000"))
	g.placed(t, g.top)
	agree(t, []string{number}, g.county, g.top)
	g.county.line.set(true)
	eventually(t, "the province sees the county's line down", func() bool { return g.top.state(g.county.id) == Down })
	g.top.must(t, number, note("省里查看"))
	g.top.mustPlace(t, moving("330106", "330200"))
	g.county.line.set(false)
	g.placed(t, g.new)
	agree(t, []string{number}, g.top, g.new, g.county)
	g.unparked(t)
}

// TestMovesUnderWork moves the county to and fro while it escalates and its line is cut in the middle of everything. In the
// end every ticket is held by its present parent or by the province, and all sites of the path tell the same story.
func TestMovesUnderWork(t *testing.T) {
	g := newRegion(t)
	var numbers []string
	escalateSome := func() {
		for i := range 6 {
			number := g.county.open(t, fmt.Sprintf("工单 %d", i))
			g.county.must(t, number, escalate())
			numbers = append(numbers, number)
		}
	}
	parents := []*node{g.new, g.old, g.top, g.old, g.new}
	for round, parent := range parents {
		escalateSome()
		if round%2 == 0 {
			g.county.line.set(true)
		}
		g.top.mustPlace(t, moving("330106", string(parent.id)))
		escalateSome()
		g.county.line.set(true)
		escalateSome()
		g.county.line.set(false)
		g.placed(t, parent)
	}
	for _, number := range numbers {
		eventually(t, number+" is held by the new city or the province", func() bool {
			by := holder(g.county.office, number)
			return (by == "330200" || by == "330000") && g.county.record(number).Ticket.Handover.GetState() == deskpb.Handover_NONE
		})
	}
	agree(t, numbers, g.county, g.new, g.top)
	for _, n := range g.all() {
		for _, number := range numbers {
			record := n.record(number)
			ticket := record.GetTicket()
			// A city that the office has left shows the ticket as it was then, unless it has a part in a hand-over.
			party := n != g.old || record.GetFromSite() == "330100" || ticket.GetCustodianSite() == "330100"
			if party && ticket.GetHandover().GetState() == deskpb.Handover_IN_TRANSIT {
				t.Errorf("%s shows %s still in transit from %s to %s", n.id, number, record.FromSite, ticket.Handover.ToSite)
			}
			if record.GetSuperseded() > 0 || record.GetDetached() > 0 {
				t.Errorf("%s has %d superseded and %d detached events of %s", n.id, record.Superseded, record.Detached, number)
			}
		}
	}
	g.unparked(t)
}

func TestDocumentsFollowTheMove(t *testing.T) {
	g := newRegion(t)
	g.top.mustPublish(t, "省", "省通知")
	g.old.mustPublish(t, "市", "旧市通知")
	g.new.mustPublish(t, "市", "新市通知")
	eventually(t, "the county has its parents' documents", func() bool {
		return g.county.shows("330000", "省") == "省通知" && g.county.shows("330100", "市") == "旧市通知"
	})
	g.top.mustPlace(t, moving("330106", "330200"))
	g.placed(t, g.new)
	eventually(t, "the county has the new city's document", func() bool { return g.county.shows("330200", "市") == "新市通知" })
	if got := g.county.shows("330100", "市"); got != "" {
		t.Errorf("the county still shows %q of the city that it left", got)
	}
	eventually(t, "the new city sees the delivery", func() bool { return g.new.receipts("330200", "市") == "330106:has" })
	if got := g.old.receipts("330100", "市"); got != "" {
		t.Errorf("the old city still lists %q", got)
	}
}

func TestCityCloses(t *testing.T) {
	g := newRegion(t)
	own := g.old.open(t, "市级自有")
	solved := g.old.open(t, "市级已解决")
	g.old.must(t, solved, resolve())
	number := g.county.open(t, "县级")
	g.county.must(t, number, escalate())
	held(t, g.old, number, "330100")

	g.top.mustPlace(t, closing("330100"))
	g.placed(t, g.top)
	held(t, g.top, number, "330000")
	held(t, g.top, own, "330000")
	eventually(t, "the city is closed", func() bool { return g.top.placement("330100").GetPhase() == deskpb.Placement_CLOSED })
	eventually(t, "the city knows it", func() bool { return g.old.placement("330100").GetPhase() == deskpb.Placement_CLOSED })
	if _, refusal, err := g.old.do("", create("又一件")); err != nil || refusal.GetReason() != "SITE_CLOSED" {
		t.Errorf("a new ticket at the closed city: %v %v, want SITE_CLOSED", refusal, err)
	}
	if got := g.top.record(solved).Ticket.CustodianSite; got != "330100" {
		t.Errorf("the solved ticket of the closed city went to %s; it stays to be confirmed", got)
	}
	if refusal := g.top.place(t, moving("330106", "330100")); refusal.GetField() != "parent" {
		t.Errorf("moving the county back below the closed city: %v", refusal)
	}
	g.top.mustPlace(t, moving("330100", "330000"))
	eventually(t, "the city is open again", func() bool { return g.old.state(g.top.id) == Up && mayOpenAt(g.old.office) })
	g.old.open(t, "重新开放")
	g.unparked(t)
}

func mayOpenAt(o *office) bool {
	return read(o, func(r *store.Reader) (bool, error) { return mayOpen(r, o.id) == nil, nil })
}

func TestMovesAreWeighed(t *testing.T) {
	top, one, two, low := newOffice(t, province, wall), newOffice(t, city, wall), newOffice(t, city2, wall), newOffice(t, county, wall)
	admit(t, top, one)
	admit(t, top, two)
	admit(t, one, low)
	carry(t, [2]*office{top, one}, [2]*office{top, two}, [2]*office{one, low})
	for _, c := range []struct {
		name   string
		at     *office
		step   *deskpb.PlaceSite
		reason string
		field  string
	}{
		{"at a city", one, moving("330106", "330200"), "NOT_THE_PROVINCE", ""},
		{"a stranger", top, moving("339999", "330200"), "", "site"},
		{"the province itself", top, moving("330000", "330200"), "", "site"},
		{"to a stranger", top, moving("330106", "339999"), "", "parent"},
		{"to a county", top, moving("330100", "330106"), "", "parent"},
		{"below itself", top, moving("330106", "330106"), "", "parent"},
		{"a city below a city", top, moving("330100", "330200"), "", "parent"},
		{"where it is", top, moving("330106", "330100"), "ALREADY_THERE", ""},
		{"closing a county", top, closing("330106"), "", "site"},
		{"closing the province", top, closing("330000"), "", "site"},
		{"a step of no kind", top, &deskpb.PlaceSite{Placement: &deskpb.Placement{Site: "330106", Parent: "330200"}}, "", "step"},
	} {
		refusal := c.at.place(t, c.step)
		if refusal == nil || c.reason != "" && refusal.Reason != c.reason || refusal.Field != c.field {
			t.Errorf("%s: %v, want reason %q and field %q", c.name, refusal, c.reason, c.field)
		}
	}
	top.mustPlace(t, moving("330106", "330200"))
	if got := top.placement("330106"); got.Phase != deskpb.Placement_LEAVING || got.From != "330100" || got.Parent != "330200" {
		t.Errorf("the placement is %v", got)
	}
	if refusal := top.place(t, moving("330106", "330000")); refusal.GetReason() != "MOVE_UNDER_WAY" {
		t.Errorf("a second move beside the first: %v", refusal)
	}
	before := top.placement("330106").Version
	top.mustPlace(t, &deskpb.PlaceSite{Step: deskpb.PlaceSite_FINISH, Placement: &deskpb.Placement{Site: "330106", Version: before - 1}})
	if got := top.placement("330106"); got.Version != before {
		t.Errorf("a step of an older version made version %d of %d", got.Version, before)
	}
}

// A placement that a child knows and the sites above it do not was decided by a life of the province that is lost. The city
// passes it up, and the province decides anew where the office stands, later than what the child has seen.
func TestPlacementOfALostProvinceIsOverruled(t *testing.T) {
	g := newLineage(t)
	seen := &deskpb.Placement{Site: "330106", Parent: "330200", Phase: deskpb.Placement_PLACED, Version: uint64(wall())}
	err := g.low.log(func(b *store.Batch, _ desk.Stamp) error {
		return sendItem(b, []desk.SiteID{g.middle.id}, &deskpb.Item{Content: &deskpb.Item_Placement{Placement: seen}})
	})
	if err != nil {
		t.Fatal(err)
	}
	ship(t, g.low, g.middle)
	if p := g.middle.placement("330106"); p != nil {
		t.Errorf("the city believes the county that it is placed: %v", p)
	}
	ship(t, g.middle, g.top)
	ship(t, g.top, g.middle)
	for _, o := range []*office{g.top, g.middle} {
		p := o.placement("330106")
		if p.GetParent() != "330100" || p.GetPhase() != deskpb.Placement_PLACED || p.GetVersion() <= seen.Version {
			t.Errorf("%s has the placement %v, want one below 330100 that is later than %d", o.id, p, seen.Version)
		}
		if parked := o.parked(); len(parked) > 0 {
			t.Errorf("%s parked %v", o.id, parked)
		}
	}
}

// A placement reaches sites over the parent only, and in a form that a province can have written.
func TestForeignPlacementsAreParked(t *testing.T) {
	late := &deskpb.Placement{Site: "330108", Parent: "330200", Phase: deskpb.Placement_PLACED, Version: uint64(wall()) + 2*maxAhead}
	for _, c := range []struct {
		name   string
		p      *deskpb.Placement
		upward bool
		reason string
	}{
		{"from a child, of a time to come", late, true, "come from the province"},
		{"without a version", &deskpb.Placement{Site: "330108", Parent: "330200", Phase: deskpb.Placement_PLACED}, false, "no version"},
		{"of a phase to come", &deskpb.Placement{Site: "330108", Parent: "330200", Phase: 99, Version: 5}, false, "upgrade"},
		{"below itself", &deskpb.Placement{Site: "330108", Parent: "330108", Phase: deskpb.Placement_PLACED, Version: 5}, false, "cannot be one"},
		{"leaving nobody", &deskpb.Placement{Site: "330108", Parent: "330200", Phase: deskpb.Placement_LEAVING, Version: 5}, false, "cannot be one"},
	} {
		upper, lower := newOffice(t, city, wall), newOffice(t, county, wall)
		admit(t, upper, lower)
		carry(t, [2]*office{upper, lower})
		from, to := upper, lower
		if c.upward {
			from, to = lower, upper
		}
		err := from.log(func(b *store.Batch, _ desk.Stamp) error {
			return sendItem(b, []desk.SiteID{to.id}, &deskpb.Item{Content: &deskpb.Item_Placement{Placement: c.p}})
		})
		if err != nil {
			t.Fatal(err)
		}
		ship(t, from, to)
		parked := to.parked()
		if len(parked) != 1 || !strings.Contains(parked[0].Reason, c.reason) {
			t.Errorf("%s: parked %v, want one with %q", c.name, parked, c.reason)
		}
	}
}
