package tiers

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// pair is a county and its city that have met, with three tickets on the way up.
func pair(t *testing.T) (child, parent *office) {
	t.Helper()
	parent, child = newOffice(t, city, wall), newOffice(t, county, wall)
	admit(t, child, parent)
	for range 3 {
		child.open(t, "无法登录")
	}
	return child, parent
}

func TestReceiveRefusesWhatDoesNotContinueTheStream(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spoil  func(c *deskpb.Receive)
		reason string
	}{
		{"a stranger", func(c *deskpb.Receive) { c.Peer = "330199" }, "PEER_UNKNOWN"},
		{"a fenced incarnation", func(c *deskpb.Receive) { c.PeerIncarnation++ }, "PEER_CHANGED"},
		{"no items", func(c *deskpb.Receive) { c.Items = nil }, "EMPTY_STREAM"},
		{"item zero", func(c *deskpb.Receive) { c.First = 0 }, "EMPTY_STREAM"},
		{"a gap", func(c *deskpb.Receive) { c.First++ }, "STREAM_GAP"},
		{"a wrong hash", func(c *deskpb.Receive) { c.Hash[0] ^= 1 }, "STREAM_MISMATCH"},
		{"no hash", func(c *deskpb.Receive) { c.Hash = nil }, "STREAM_MISMATCH"},
		{"another item", func(c *deskpb.Receive) { c.Items[2] = c.Items[0] }, "STREAM_MISMATCH"},
		{"an item left out", func(c *deskpb.Receive) { c.Items = c.Items[1:] }, "STREAM_MISMATCH"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			child, parent := pair(t)
			before := parent.link(child.id)
			c := batch(child, parent, 0, 100)
			tt.spoil(c)
			refusal, err := parent.receive(c)
			if err != nil || refusal.GetReason() != tt.reason {
				t.Fatalf("receive: refusal %v, error %v; want %s", refusal, err, tt.reason)
			}
			if after := parent.link(child.id); !proto.Equal(before, after) {
				t.Errorf("the refused batch changed the link from %v to %v", before, after)
			}
			if tickets := parent.tickets(); len(tickets) != 0 {
				t.Errorf("the refused batch left tickets %v", tickets)
			}
		})
	}
}

func TestReceiveAppliesEachItemOnce(t *testing.T) {
	child, parent := pair(t)
	all := batch(child, parent, 0, 100)
	for _, c := range []*deskpb.Receive{batch(child, parent, 0, 2), all, all} {
		if refusal, err := parent.receive(c); err != nil || refusal != nil {
			t.Fatalf("receive items %d and on: %v %v", c.First, refusal, err)
		}
	}
	if refusal, err := parent.receive(batch(child, parent, 0, 2)); err != nil || refusal.GetReason() != overtaken {
		t.Errorf("receive the first two again, late: refusal %v, error %v; want %s", refusal, err, overtaken)
	}
	if mark, want := parent.link(child.id).ReceivedSequence, uint64(len(all.Items)); mark != want {
		t.Errorf("the mark is %d, want %d", mark, want)
	}
	for _, number := range child.tickets() {
		if n := len(parent.journal(number)); n != 1 {
			t.Errorf("ticket %s has %d events at the parent, want 1", number, n)
		}
	}
}

// A batch that overlaps what is known must still fit where the two meet.
func TestReceiveChecksTheHashOfAnOverlap(t *testing.T) {
	child, parent := pair(t)
	if refusal, err := parent.receive(batch(child, parent, 0, 2)); err != nil || refusal != nil {
		t.Fatalf("receive the first two: %v %v", refusal, err)
	}
	c := batch(child, parent, 0, 100)
	c.Items[2] = c.Items[3]
	refusal, err := parent.receive(c)
	if err != nil || refusal.GetReason() != "STREAM_MISMATCH" {
		t.Errorf("receive an overlap with another item 3: refusal %v, error %v; want STREAM_MISMATCH", refusal, err)
	}
}

// Two copies of a child write items of the same numbers. However many the second one sends, it is not told that the parent has
// received them.
func TestReceiveTakesNoItemsOfACopyForThoseItHas(t *testing.T) {
	for _, tt := range []struct {
		wrote  int // by the second copy; the first one has written two
		reason string
	}{{1, overtaken}, {2, "STREAM_MISMATCH"}, {3, "STREAM_MISMATCH"}} {
		t.Run(fmt.Sprint(tt.wrote), func(t *testing.T) {
			first, parent := pair(t)
			ship(t, first, parent)
			second := newGround(t, county, wall)
			second.restore(t, first.backup(t))
			mark := first.link(parent.id).SentSequence
			for range 2 {
				first.open(t, "第一份副本的工单")
			}
			ship(t, first, parent)
			for range tt.wrote {
				second.open(t, "第二份副本的工单")
			}
			before := parent.link(first.id)
			refusal, err := parent.receive(batch(second, parent, mark, 100))
			if err != nil || refusal.GetReason() != tt.reason {
				t.Errorf("receive %d items of a copy: refusal %v, error %v; want %s", tt.wrote, refusal, err, tt.reason)
			}
			if after := parent.link(first.id); !proto.Equal(before, after) {
				t.Errorf("the refused items changed the link from %v to %v", before, after)
			}
		})
	}
}

func TestAcknowledge(t *testing.T) {
	child, parent := pair(t)
	sent := child.link(parent.id).SentSequence
	if refusal, err := child.ack(parent.id, sent+1); err != nil || refusal.GetReason() != "NEVER_SENT" {
		t.Errorf("acknowledge more than was sent: refusal %v, error %v; want NEVER_SENT", refusal, err)
	}
	for _, step := range []struct{ sequence, acked uint64 }{{2, 2}, {1, 2}, {2, 2}, {sent, sent}} {
		if refusal, err := child.ack(parent.id, step.sequence); err != nil || refusal != nil {
			t.Fatalf("acknowledge %d: %v %v", step.sequence, refusal, err)
		}
		link := child.link(parent.id)
		if link.AckedSequence != step.acked {
			t.Errorf("after acknowledging %d the link stands at %d, want %d", step.sequence, link.AckedSequence, step.acked)
		}
		if next := batch(child, parent, 0, 1); next != nil && next.First != step.acked+1 {
			t.Errorf("after acknowledging %d the outbox begins with %d", step.sequence, next.First)
		}
	}
	if link := child.link(parent.id); string(link.AckedHash) != string(link.SentHash) {
		t.Errorf("all is acknowledged, but the hashes are %x and %x", link.AckedHash, link.SentHash)
	}
}

func TestAdmitPeerFencesOtherIncarnations(t *testing.T) {
	o := newOffice(t, city, wall)
	for _, step := range []struct {
		peer        string
		incarnation uint64
		reason      string
	}{
		{"330106", 0, "INVALID_PEER"},
		{"", 7, "INVALID_PEER"},
		{"330100", 7, "INVALID_PEER"},
		{"330106", 7, ""},
		{"330106", 7, ""},
		{"330106", 8, "PEER_REFOUNDED"},
		{"330000", 9, ""},
	} {
		result, err := o.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_AdmitPeer{
			AdmitPeer: &deskpb.AdmitPeer{Peer: step.peer, Incarnation: step.incarnation},
		}})
		if err != nil || result.GetRefusal().GetReason() != step.reason {
			t.Errorf("admit %q as %d: refusal %v, error %v; want %q", step.peer, step.incarnation, result.GetRefusal(), err, step.reason)
		}
	}
	if got := o.link("330106").PeerIncarnation; got != 7 {
		t.Errorf("the accepted incarnation is %d, want 7", got)
	}
}

// forge signs an event with any author and appends it to the child's stream as the child might.
func forge(t *testing.T, child *office, e *deskpb.Event) {
	t.Helper()
	e.Id.Incarnation, e.Visibility, e.Time = max(e.Id.Incarnation, 99), deskpb.Event_AGENTS, cmp.Or(e.Time, wall())
	e.Schema = max(e.Schema, 1)
	if e.Path == nil {
		e.Path = []string{"330106", "330100"}
	}
	sealed, err := desk.Seal(e)
	if err != nil {
		t.Fatalf("forge an event: %v", err)
	}
	item, err := encodeItem(&deskpb.Item{Content: &deskpb.Item_Event{Event: sealed.Raw}})
	if err != nil {
		t.Fatal(err)
	}
	send(t, child, item)
}

// send appends any bytes to the child's stream to the city.
func send(t *testing.T, child *office, item []byte) {
	t.Helper()
	err := child.log(func(b *store.Batch, _ desk.Stamp) error { return sendWhole(b, []desk.SiteID{"330100"}, item) })
	if err != nil {
		t.Fatal(err)
	}
}

// TestParks gives the city items that fit the stream but not the rules: each is set aside with a reason, the mark goes
// on, the ticket stays as it was.
func TestParks(t *testing.T) {
	custodial := func(site string, kind deskpb.Event_Type, term uint32, record *deskpb.Record) *deskpb.Event {
		return &deskpb.Event{
			Ticket: record.Ticket.Number, Id: &deskpb.EventID{Site: site, Sequence: 1}, Class: deskpb.Event_CUSTODIAL, Type: kind,
			CustodyTerm: term, Index: record.Length + 1, Previous: record.Head,
		}
	}
	for _, tt := range []struct {
		name   string
		make   func(record *deskpb.Record) *deskpb.Event
		reason string
	}{
		{"a remark of a site that is elsewhere", func(r *deskpb.Record) *deskpb.Event {
			return &deskpb.Event{Ticket: r.Ticket.Number, Id: &deskpb.EventID{Site: "330000", Sequence: 1},
				Class: deskpb.Event_REMARK, Type: deskpb.Event_NOTED, CustodyTerm: 1}
		}, "not in its part of the tree"},
		{"an event of this very site", func(r *deskpb.Record) *deskpb.Event {
			return custodial("330100", deskpb.Event_STARTED, 1, r)
		}, "not in its part of the tree"},
		{"a decision under another term", func(r *deskpb.Record) *deskpb.Event {
			return custodial("330106", deskpb.Event_STARTED, 2, r)
		}, "is with 330106 under term 1"},
		{"an acceptance of what was not sent", func(r *deskpb.Record) *deskpb.Event {
			return custodial("330106", deskpb.Event_ACCEPTED, 1, r)
		}, "is with 330106 under term 1"},
		{"a dispatch at the known custody", func(r *deskpb.Record) *deskpb.Event {
			e := custodial("330106", deskpb.Event_DISPATCHED, 1, r)
			e.From, e.To = "330106", "330100"
			return e
		}, "under custody term 1"},
		{"a dispatch off the path", func(r *deskpb.Record) *deskpb.Event {
			e := custodial("330106", deskpb.Event_DISPATCHED, 2, r)
			e.From, e.To = "330106", "330999"
			return e
		}, "along the path"},
		{"a dispatch that leaves no time for an answer", func(r *deskpb.Record) *deskpb.Event {
			e := custodial("330106", deskpb.Event_DISPATCHED, 2, r)
			e.From, e.To = "330106", "330100"
			e.Time = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC).UnixMicro()
			return e
		}, "330100 cannot answer event"},
		{"an event of a later schema", func(r *deskpb.Record) *deskpb.Event {
			e := custodial("330106", deskpb.Event_Type(1000), 1, r)
			e.Schema = desk.Schema + 1
			return e
		}, "waits for an upgrade"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			child, parent := pair(t)
			ship(t, child, parent)
			number := child.tickets()[0]
			before := parent.record(number)
			forge(t, child, tt.make(before))
			ship(t, child, parent)
			parked := parent.parked()
			if len(parked) != 1 || !strings.Contains(parked[0].Reason, tt.reason) {
				t.Fatalf("parked %v; want one item with a reason that says %q", parked, tt.reason)
			}
			if link := parent.link(child.id); link.Parked != 1 || link.ReceivedSequence != parked[0].Sequence {
				t.Errorf("the link says %d parked at mark %d", link.Parked, link.ReceivedSequence)
			}
			if after := parent.record(number); !proto.Equal(before, after) {
				t.Errorf("the ticket changed from %v to %v", before, after)
			}
		})
	}
}

func TestParksWhatCannotBeRead(t *testing.T) {
	child, parent := pair(t)
	ship(t, child, parent)
	send(t, child, []byte{0xff})
	send(t, child, nil)
	event, err := encodeItem(&deskpb.Item{Content: &deskpb.Item_Event{Event: []byte{0xff}}})
	if err != nil {
		t.Fatal(err)
	}
	send(t, child, event)
	number := child.open(t, "之后的工单")
	ship(t, child, parent)
	if parked := parent.parked(); len(parked) != 3 {
		t.Errorf("parked %v; want the three items that cannot be read", parked)
	}
	if parent.record(number) == nil {
		t.Errorf("ticket %s behind the parked items did not arrive", number)
	}
}

func TestRelayGoesOnAndNeverBack(t *testing.T) {
	child, parent := pair(t)
	top := newOffice(t, province, wall)
	admit(t, parent, top)
	back, on := parent.link(child.id).SentSequence, parent.link(top.id).SentSequence
	ship(t, child, parent)
	if after := parent.link(child.id).SentSequence; after != back {
		t.Errorf("the city sent %d items back to the county that they came from", after-back)
	}
	items := parent.link(child.id).ReceivedSequence
	// The county's directory entry came twice: it was written when the county was founded, and told again at the meeting.
	if after := parent.link(top.id).SentSequence; after-on != items-1 {
		t.Errorf("of %d items the city sent %d on to the province, want all but a repeated one", items, after-on)
	}
}

// A county that has not heard of the province yet writes a path that ends at the city; what the province says on the
// ticket finds its way home by the directory.
func TestRemarkGoesHomeAlongAnIncompletePath(t *testing.T) {
	child, parent := pair(t)
	top := newOffice(t, province, wall)
	admit(t, parent, top)
	ship(t, child, parent)
	ship(t, parent, top)
	number := child.tickets()[0]
	if path := top.record(number).Path; len(path) != 2 {
		t.Fatalf("the path is %v, want it to end at the city", path)
	}
	top.must(t, number, note("省中心关注"))
	ship(t, top, parent)
	ship(t, parent, child)
	if n := len(child.journal(number)); n != 2 {
		t.Errorf("the county has %d events of ticket %s, want 2; parked at the city: %v", n, number, parent.parked())
	}
}

func TestEventThatIsKnownAlreadyIsSkipped(t *testing.T) {
	child, parent := pair(t)
	again := batch(child, parent, 2, 1).Items[0]
	send(t, child, again)
	on := parent.link("330000").SentSequence
	ship(t, child, parent)
	if parked := parent.parked(); len(parked) != 0 {
		t.Errorf("the repeated event was set aside: %v", parked)
	}
	if after := parent.link("330000").SentSequence; after-on != 4 {
		t.Errorf("one directory entry and three tickets came, and %d items went on", after-on)
	}
}

// An event that only a newer version understands is still mirrored at the sites that do, further up.
func TestRelaysWhatIsAhead(t *testing.T) {
	child, parent := pair(t)
	top := newOffice(t, province, wall)
	admit(t, parent, top)
	ship(t, child, parent)
	ship(t, parent, top)
	record := child.record(child.tickets()[0])
	forge(t, child, &deskpb.Event{
		Ticket: record.Ticket.Number, Id: &deskpb.EventID{Site: "330106", Sequence: 77}, Class: deskpb.Event_CUSTODIAL,
		Type: deskpb.Event_Type(1000), CustodyTerm: 1, Index: record.Length + 1, Previous: record.Head, Schema: desk.Schema + 1,
	})
	ship(t, child, parent)
	ship(t, parent, top)
	here, there := parent.parked(), top.parked()
	if len(here) != 1 || len(there) != 1 || string(here[0].Item) != string(there[0].Item) {
		t.Errorf("parked at the city: %v, at the province: %v; want the same item at both", here, there)
	}
}

func TestDirectoryReachesEverySite(t *testing.T) {
	a, b, c, d := newOffice(t, province, wall), newOffice(t, city, wall), newOffice(t, county, wall), newOffice(t, county2, wall)
	lines := [][2]*office{{b, a}, {c, b}, {d, b}}
	for _, line := range lines {
		admit(t, line[0], line[1])
	}
	settle := func() {
		for moved := true; moved; {
			moved = false
			for _, line := range lines {
				moved = ship(t, line[0], line[1]) || moved
				moved = ship(t, line[1], line[0]) || moved
			}
		}
	}
	settle()
	publish := func(nodes ...string) {
		if err := d.log(func(b *store.Batch, at desk.Stamp) error { return Publish(b, entry(county2, nodes...), at) }); err != nil {
			t.Fatal(err)
		}
	}
	publish("n1", "n2")
	publish("n1", "n2")
	settle()
	for _, o := range []*office{a, b, c, d} {
		infos := read(o, func(r *store.Reader) ([]*deskpb.SiteInfo, error) { return r.Directory() })
		if len(infos) != 4 {
			t.Errorf("%s knows %d sites, want 4: %v", o.id, len(infos), infos)
		}
		info := read(o, func(r *store.Reader) (*deskpb.SiteInfo, error) { return r.SiteInfo("330108") })
		own := read(d, func(r *store.Reader) (*deskpb.SiteInfo, error) { return r.SiteInfo("330108") })
		if !proto.Equal(info, own) || len(info.GetNodes()) != 2 {
			t.Errorf("%s knows 330108 as %v; want it as %v, with two nodes", o.id, info, own)
		}
		if parked := o.parked(); len(parked) != 0 {
			t.Errorf("%s parked %v", o.id, parked)
		}
	}
}

func TestParksDirectoryEntriesOfOtherSides(t *testing.T) {
	for _, tt := range []struct {
		name string
		info *deskpb.SiteInfo
	}{
		{"this site itself", &deskpb.SiteInfo{Id: "330100", Parent: "330000", Version: 9}},
		{"the parent", &deskpb.SiteInfo{Id: "330000", Version: 9}},
		{"another child", &deskpb.SiteInfo{Id: "330108", Parent: "330100", Version: 9}},
		{"the child below somebody else", &deskpb.SiteInfo{Id: "330106", Parent: "330200", Version: 9}},
		{"a site below itself", &deskpb.SiteInfo{Id: "330106", Parent: "330106", Version: 9}},
		{"no site", &deskpb.SiteInfo{Id: "西湖", Parent: "330106", Version: 9}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			child, parent := pair(t)
			ship(t, child, parent)
			before := read(parent, func(r *store.Reader) ([]*deskpb.SiteInfo, error) { return r.Directory() })
			item, err := encodeItem(&deskpb.Item{Content: &deskpb.Item_Site{Site: tt.info}})
			if err != nil {
				t.Fatal(err)
			}
			send(t, child, item)
			ship(t, child, parent)
			if parked := parent.parked(); len(parked) != 1 {
				t.Errorf("parked %v, want the entry", parked)
			}
			after := read(parent, func(r *store.Reader) ([]*deskpb.SiteInfo, error) { return r.Directory() })
			if len(after) != len(before) {
				t.Errorf("the directory grew to %v", after)
			}
		})
	}
}

func TestHereNamesTheParentBeforeItIsKnown(t *testing.T) {
	o := newOffice(t, county, wall)
	here := read(o, Here)
	if here.Site != "330106" || here.Tier != deskpb.Site_COUNTY || here.Incarnation != 0xC {
		t.Errorf("here is %+v", here)
	}
	if len(here.Path) != 2 || here.Path[1] != "330100" {
		t.Errorf("the path is %v, want 330106 330100", here.Path)
	}
}
