package tiers

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// lineage is a province, a city and a county that have met and have one ticket, which the county opened and started.
type lineage struct {
	top, middle, low *office
	number           string
}

func newLineage(t *testing.T) lineage {
	t.Helper()
	g := lineage{top: newOffice(t, province, wall), middle: newOffice(t, city, wall), low: newOffice(t, county, wall)}
	admit(t, g.middle, g.top)
	admit(t, g.low, g.middle)
	g.number = g.low.open(t, "打印机故障")
	g.low.must(t, g.number, begin())
	g.carry(t)
	return g
}

func (g lineage) carry(t *testing.T) {
	t.Helper()
	carry(t, [2]*office{g.middle, g.top}, [2]*office{g.low, g.middle})
}

func begin() *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Start{Start: &deskpb.Start{}}}
}

// reincarnate begins a new life of the office.
func (o *office) reincarnate(t *testing.T) {
	t.Helper()
	incarnation, letters := NewIncarnation()
	result, err := o.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_Reincarnate{Reincarnate: &deskpb.Reincarnate{
		Before: o.site().Incarnation, Incarnation: incarnation, Letters: letters, Reason: "restored",
	}}})
	if err != nil || result.Refusal != nil {
		t.Fatalf("begin a new life of %s: %v %v", o.id, result.GetRefusal(), err)
	}
}

// give unites events at one office as a gift of another.
func give(t *testing.T, from, to *office, events ...[]byte) {
	t.Helper()
	if refusal := to.unites(t, &deskpb.Unite{
		Peer: string(from.id), PeerIncarnation: from.site().Incarnation, Incarnation: to.site().Incarnation, Events: events,
	}); refusal != nil {
		t.Fatalf("unite what %s gave at %s: %s", from.id, to.id, refusal.Message)
	}
}

func (o *office) unites(t *testing.T, c *deskpb.Unite) *deskpb.Refusal {
	t.Helper()
	result, err := o.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_Unite{Unite: c}})
	if err != nil {
		t.Fatalf("unite at %s: %v", o.id, err)
	}
	return result.Refusal
}

// remark is an event that any site of the path may write.
func remark(t *testing.T, number, author string, incarnation, sequence uint64) []byte {
	t.Helper()
	return sealRaw(t, &deskpb.Event{
		Ticket: number, Id: &deskpb.EventID{Site: author, Incarnation: incarnation, Sequence: sequence}, Class: deskpb.Event_REMARK,
		Type: deskpb.Event_NOTED, CustodyTerm: 1, Time: wall(), Body: &deskpb.Body{Text: "别处写的"},
	})
}

// opening is the event that opens a ticket at a site of its own.
func opening(t *testing.T, home *deskpb.Site) []byte {
	t.Helper()
	elsewhere := newOffice(t, home, wall)
	return elsewhere.journal(elsewhere.open(t, "别处的工单"))[0].Raw
}

func sealRaw(t *testing.T, e *deskpb.Event) []byte {
	t.Helper()
	e.Visibility, e.Schema = deskpb.Event_AGENTS, max(e.Schema, 1)
	if e.Path == nil {
		e.Path = []string{"330106", "330100", "330000"}
	}
	sealed, err := desk.Seal(e)
	if err != nil {
		t.Fatalf("seal an event: %v", err)
	}
	return sealed.Raw
}

func (o *office) stores(raw []byte) bool {
	e, err := desk.Open(raw)
	if err != nil {
		return false
	}
	return string(read(o, func(r *store.Reader) ([]byte, error) { return r.EventByID(e.Id) })) == string(raw)
}

// A gift is admitted by where its ticket's home lies, whoever wrote it; only what this site would have written in its
// present life cannot be news to it.
func TestUniteAdmitsByTheTicketsHome(t *testing.T) {
	for _, tt := range []struct {
		name   string
		peer   func(g lineage) *office
		make   func(t *testing.T, g lineage) []byte
		reason string // why it is parked, empty when it is stored
	}{
		{"a child's own event", func(g lineage) *office { return g.low }, func(t *testing.T, g lineage) []byte {
			return remark(t, g.number, "330106", 77, 1)
		}, ""},
		{"an event of the province by the child", func(g lineage) *office { return g.low }, func(t *testing.T, g lineage) []byte {
			return remark(t, g.number, "330000", 77, 1)
		}, ""},
		{"an event of the child by the province", func(g lineage) *office { return g.top }, func(t *testing.T, g lineage) []byte {
			return remark(t, g.number, "330106", 77, 1)
		}, ""},
		{"an event of a life of this site before", func(g lineage) *office { return g.top }, func(t *testing.T, g lineage) []byte {
			return remark(t, g.number, "330100", 77, 1)
		}, ""},
		{"an event of this site's present life", func(g lineage) *office { return g.top }, func(t *testing.T, g lineage) []byte {
			return remark(t, g.number, "330100", city.Incarnation, 500)
		}, "this site's present life"},
		{"a ticket of another office by the child", func(g lineage) *office { return g.low }, func(t *testing.T, _ lineage) []byte {
			return opening(t, county2)
		}, "whose home is not in its part of the tree"},
		{"a ticket of another city by the province", func(g lineage) *office { return g.top }, func(t *testing.T, _ lineage) []byte {
			return opening(t, city2)
		}, "does not come from this side of the tree"},
		{"an event of a later schema", func(g lineage) *office { return g.low }, func(t *testing.T, g lineage) []byte {
			return sealRaw(t, &deskpb.Event{
				Ticket: g.number, Id: &deskpb.EventID{Site: "330106", Incarnation: 77, Sequence: 1}, Class: deskpb.Event_REMARK,
				Type: deskpb.Event_NOTED, CustodyTerm: 1, Time: wall(), Schema: desk.Schema + 1,
			})
		}, "waits for an upgrade"},
		{"what cannot be read", func(g lineage) *office { return g.low }, func(*testing.T, lineage) []byte { return []byte{0xff} }, "event"},
		{"another event under a known id", func(g lineage) *office { return g.low }, func(t *testing.T, g lineage) []byte {
			known := g.middle.journal(g.number)[1]
			return remark(t, g.number, known.Id.Site, known.Id.Incarnation, known.Id.Sequence)
		}, "another event has the id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newLineage(t)
			if err := g.middle.log(func(b *store.Batch, _ desk.Stamp) error {
				if err := b.PutSiteInfo(entry(city2)); err != nil {
					return err
				}
				return b.PutSiteInfo(entry(county2))
			}); err != nil {
				t.Fatal(err)
			}
			peer, raw := tt.peer(g), tt.make(t, g)
			before := g.middle.record(g.number)
			for range 2 {
				give(t, peer, g.middle, raw) // a comparison that begins anew brings it again
			}
			parked := g.middle.parked()
			if tt.reason == "" {
				if !g.middle.stores(raw) || len(parked) != 0 {
					t.Errorf("the event is stored: %t, parked: %q; want it stored", g.middle.stores(raw), reasons(parked))
				}
				return
			}
			if len(parked) != 1 || parked[0].Peer != string(peer.id) || !strings.Contains(parked[0].Reason, tt.reason) {
				t.Fatalf("parked because %q; want one item of %s with a reason that says %q", reasons(parked), peer.id, tt.reason)
			}
			if got := g.middle.link(peer.id).Parked; got != 1 {
				t.Errorf("the link counts %d parked items, want 1", got)
			}
			if after := g.middle.record(g.number); !proto.Equal(before, after) || g.middle.stores(raw) {
				t.Errorf("the parked event changed the ticket from\n%v\nto\n%v", before, after)
			}
		})
	}
}

// Nothing of a gift is stored when one of both ends lives another life than the command says.
func TestUniteIsOfTheLivesOfBothEnds(t *testing.T) {
	g := newLineage(t)
	raw := remark(t, g.number, "330106", 77, 1)
	for _, tt := range []struct {
		name   string
		spoil  func(c *deskpb.Unite)
		reason string
	}{
		{"a stranger", func(c *deskpb.Unite) { c.Peer = "330199" }, "PEER_UNKNOWN"},
		{"another life of the neighbour", func(c *deskpb.Unite) { c.PeerIncarnation++ }, "PEER_CHANGED"},
		{"another life of this site", func(c *deskpb.Unite) { c.Incarnation++ }, "SITE_CHANGED"},
	} {
		c := &deskpb.Unite{Peer: "330106", PeerIncarnation: county.Incarnation, Incarnation: city.Incarnation, Events: [][]byte{raw}}
		tt.spoil(c)
		if refusal := g.middle.unites(t, c); refusal.GetReason() != tt.reason {
			t.Errorf("%s: the refusal is %v, want %s", tt.name, refusal, tt.reason)
		}
	}
	if g.middle.stores(raw) {
		t.Error("a command that was refused left the event behind")
	}
}

// What is new here goes on to the other neighbours on the path, once, and not back; so does an event that only a later
// version understands.
func TestUniteRelaysWhatIsNew(t *testing.T) {
	for _, schema := range []uint32{desk.Schema, desk.Schema + 1} {
		g := newLineage(t)
		raw := sealRaw(t, &deskpb.Event{
			Ticket: g.number, Id: &deskpb.EventID{Site: "330106", Incarnation: 77, Sequence: 1}, Class: deskpb.Event_REMARK,
			Type: deskpb.Event_NOTED, CustodyTerm: 1, Time: wall(), Schema: schema, Body: &deskpb.Body{Text: "断线期间"},
		})
		up, down := g.middle.link("330000").SentSequence, g.middle.link("330106").SentSequence
		for range 2 {
			give(t, g.low, g.middle, raw)
		}
		if got := g.middle.link("330000").SentSequence; got != up+1 {
			t.Errorf("schema %d: %d items went up, want 1", schema, got-up)
		}
		if got := g.middle.link("330106").SentSequence; got != down {
			t.Errorf("schema %d: %d items went back down, want none", schema, got-down)
		}
	}
}

// Custodial events that come without what they stand on wait; the ticket is what all come to as soon as they are whole,
// in whatever order they come.
func TestUniteHoldsWhatIsNotWhole(t *testing.T) {
	g := newLineage(t)
	fresh := newOffice(t, city, wall)
	admit(t, fresh, g.low)
	g.low.must(t, g.number, resolve())
	g.low.must(t, g.number, note("已回访"))
	want, events := g.low.record(g.number), g.low.journal(g.number)
	for i, e := range slices.Backward(events) {
		give(t, g.low, fresh, e.Raw)
		switch record := fresh.record(g.number); {
		case i > 0 && record != nil:
			t.Fatalf("without the event that opens it the ticket has the record %v", record)
		case i > 0:
			unopened := read(fresh, func(r *store.Reader) (bool, error) { return r.Unopened(desk.TicketNumber(g.number)) })
			if !unopened {
				t.Errorf("with the %d last events the ticket is not noted as unopened", len(events)-i)
			}
		case !proto.Equal(record, want):
			t.Errorf("the ticket came to\n%v\nwant\n%v", record, want)
		}
	}
	gap := newOffice(t, city, wall)
	admit(t, gap, g.low)
	give(t, g.low, gap, events[0].Raw, events[2].Raw)
	if record := gap.record(g.number); record.GetDetached() != 1 {
		t.Errorf("with a gap the ticket has %d detached events, want 1", record.GetDetached())
	}
	give(t, g.low, gap, events[1].Raw, events[3].Raw)
	if record := gap.record(g.number); !proto.Equal(record, want) {
		t.Errorf("with the gap filled the ticket came to\n%v\nwant\n%v", record, want)
	}
}

// Two histories of one ticket come to the same at both ends: the greater custody decides, the other work is kept as such.
func TestUniteKeepsTheLoserAsWorkThatDoesNotCount(t *testing.T) {
	g := newLineage(t)
	known := len(g.low.journal(g.number))
	backup := g.low.backup(t)
	g.low.must(t, g.number, escalate())
	depart(t, g.low, g.middle)
	g.carry(t)
	g.low.restore(t, backup)
	g.low.reincarnate(t)
	g.low.must(t, g.number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reclaim{Reclaim: &deskpb.Reclaim{Reason: "先行处理"}}})
	g.low.must(t, g.number, resolve())
	admit(t, g.low, g.middle)
	ours, theirs := g.low.journal(g.number)[known:], g.middle.journal(g.number)[known:]
	for _, e := range ours {
		give(t, g.low, g.middle, e.Raw)
	}
	for _, e := range slices.Backward(theirs) {
		give(t, g.middle, g.low, e.Raw)
	}
	here, there := g.low.record(g.number), g.middle.record(g.number)
	if !proto.Equal(here, there) {
		t.Errorf("the county has\n%v\nthe city\n%v", here, there)
	}
	if here.Ticket.CustodianSite != "330100" || int(here.Superseded) != len(ours) {
		t.Errorf("the ticket is with %s and has %d superseded events, want it with 330100 and %d",
			here.Ticket.CustodianSite, here.Superseded, len(ours))
	}
}

// A machine that was rolled back went on beside its own history, and both continue the same event. Whoever hears of both
// comes to the same ticket, with all work in its journal.
func TestUniteMendsAHistoryThatWasRolledBack(t *testing.T) {
	g := newLineage(t)
	g.low.must(t, g.number, escalate())
	depart(t, g.low, g.middle)
	g.carry(t)
	backup, known := g.middle.backup(t), len(g.middle.journal(g.number))
	g.middle.must(t, g.number, begin())
	g.middle.must(t, g.number, resolve())
	lost := g.middle.journal(g.number)[known:]
	g.carry(t)
	g.middle.restore(t, backup)
	g.middle.must(t, g.number, note("回滚后写的"))
	g.middle.must(t, g.number, begin())
	beside := g.middle.journal(g.number)[known:]
	g.middle.reincarnate(t)
	admit(t, g.middle, g.top)
	for _, e := range lost {
		give(t, g.top, g.middle, e.Raw)
	}
	for _, e := range beside {
		give(t, g.middle, g.top, e.Raw)
	}
	here, there := g.middle.record(g.number), g.top.record(g.number)
	if !proto.Equal(here, there) || here.Superseded == 0 || here.Detached != 0 {
		t.Errorf("the city has\n%v\nthe province\n%v\nwant them equal with some work that does not count", here, there)
	}
	for _, o := range []*office{g.middle, g.top} {
		if got := len(o.journal(g.number)); got != known+len(lost)+len(beside) {
			t.Errorf("%s has %d events, want all %d", o.id, got, known+len(lost)+len(beside))
		}
		if got := reasons(o.parked()); len(got) != 0 {
			t.Errorf("%s parked something because %q", o.id, got)
		}
	}
}

// At a site that does not recover, or about events of somebody else, nobody's word takes an event out of the journal.
func TestUniteKeepsWhatItHasOtherwise(t *testing.T) {
	for _, tt := range []struct {
		name       string
		recovering bool
		author     string
	}{
		{"an event of another site, while this one recovers", true, "330106"},
		{"an event of a life before, when this site has recovered", false, "330100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newLineage(t)
			g.low.must(t, g.number, escalate())
			depart(t, g.low, g.middle)
			g.carry(t)
			g.middle.reincarnate(t)
			admit(t, g.middle, g.top)
			admit(t, g.middle, g.low)
			if !tt.recovering {
				g.middle.settle(t, g.top, g.low)
			}
			if got := g.middle.site().Recovering != 0; got != tt.recovering {
				t.Fatalf("the city recovers: %t, want %t", got, tt.recovering)
			}
			events := g.middle.journal(g.number)
			own := events[slices.IndexFunc(events, func(e desk.Sealed) bool { return e.Id.Site == tt.author })]
			changed := sealRaw(t, &deskpb.Event{
				Ticket: g.number, Id: own.Id, Class: deskpb.Event_REMARK, Type: deskpb.Event_NOTED, CustodyTerm: 1, Time: own.Time,
				Body: &deskpb.Body{Text: "另一内容"},
			})
			give(t, g.top, g.middle, changed)
			if !g.middle.stores(own.Raw) || g.middle.stores(changed) {
				t.Errorf("event %s gave way to another one", desk.EventName(own.Id))
			}
			if got := reasons(g.middle.parked()); len(got) != 1 || !strings.Contains(got[0], "another event has the id") {
				t.Errorf("parked because %q, want the other event", got)
			}
		})
	}
}

// settle ends the office's comparisons with its neighbours.
func (o *office) settle(t *testing.T, peers ...*office) {
	t.Helper()
	for _, peer := range peers {
		result, err := o.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_Settle{Settle: &deskpb.Settle{
			Peer: string(peer.id), PeerIncarnation: peer.site().Incarnation, Incarnation: o.site().Incarnation,
		}}})
		if err != nil || result.Refusal != nil {
			t.Fatalf("settle the link of %s with %s: %v %v", o.id, peer.id, result.GetRefusal(), err)
		}
	}
}

// reasons are why items were parked.
func reasons(parked []*deskpb.Parked) (all []string) {
	for _, p := range parked {
		all = append(all, p.Reason)
	}
	return all
}

// A request that the site answered in the life before is not answered anew when somebody repeats it.
func TestUniteRebuildsTheMarksOfRequests(t *testing.T) {
	g := newLineage(t)
	backup := g.low.backup(t)
	ask := func() (number string) {
		c := create("重复提交的工单")
		c.Request = &deskpb.RequestKey{Method: "CreateTicket", Id: "req-1", BodyHash: []byte("0123456789abcdef")}
		return g.low.must(t, "", c).Number
	}
	first := ask()
	g.carry(t)
	g.low.restore(t, backup)
	g.low.reincarnate(t)
	admit(t, g.low, g.middle)
	unite(t, g.middle, g.low, first)
	if again := ask(); again != first {
		t.Errorf("the request opened %s, and %s when it was repeated after the recovery", first, again)
	}
}

// A new life begins its streams with what a neighbour has to know, numbered from 1, and with nothing of the life before.
func TestNewLifeBeginsItsStreamsAnew(t *testing.T) {
	g := newLineage(t)
	for range 5 {
		g.middle.open(t, "还未送出")
	}
	g.middle.reincarnate(t)
	for _, peer := range []*office{g.top, g.low} {
		link := g.middle.link(peer.id)
		items := read(g.middle, func(r *store.Reader) ([]store.OutboxItem, error) { return r.Outbox(peer.id, 0, 1000, 1<<20) })
		if len(items) == 0 || uint64(len(items)) != link.SentSequence || items[0].Sequence != 1 {
			t.Fatalf("the outbox towards %s has %d items, and %d were sent", peer.id, len(items), link.SentSequence)
		}
		if link.ReceivedSequence != 0 || link.AckedSequence != 0 || !link.Unsettled {
			t.Errorf("the link with %s begins as %v", peer.id, link)
		}
		for _, each := range items {
			var item deskpb.Item
			if err := proto.Unmarshal(each.Item, &item); err != nil {
				t.Fatal(err)
			}
			if item.GetEvent() != nil {
				t.Errorf("item %d towards %s is an event of the life before", each.Sequence, peer.id)
			}
		}
	}
}
