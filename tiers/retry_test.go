package tiers

import (
	"context"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// branch is a site that the directory of the tests places below one county or another.
const branch = "330199"

// placeBranch has an office's directory say below which site the branch stands.
func placeBranch(t *testing.T, o *office, parent string) {
	t.Helper()
	err := o.log(func(b *store.Batch, _ desk.Stamp) error {
		return b.PutSiteInfo(&deskpb.SiteInfo{Id: branch, Tier: deskpb.Site_COUNTY, Parent: parent})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// misplaced is a city that set aside a remark of the branch on a county's ticket, since it came from the wrong side.
func misplaced(t *testing.T) (child, parent *office, number string) {
	t.Helper()
	child, parent = pair(t)
	admit(t, parent, newOffice(t, county2, wall))
	placeBranch(t, parent, county2.Id)
	number = child.tickets()[0]
	forge(t, child, &deskpb.Event{Ticket: number, Id: &deskpb.EventID{Site: branch, Sequence: 1},
		Class: deskpb.Event_REMARK, Type: deskpb.Event_NOTED, CustodyTerm: 1, Body: &deskpb.Body{Text: "网点已断电"}})
	ship(t, child, parent)
	if parked := parent.parked(); len(parked) != 1 {
		t.Fatalf("parked %v; want the remark of the branch", parked)
	}
	return child, parent, number
}

// retry has a site try everything that is parked there again.
func (o *office) retry(t *testing.T) {
	t.Helper()
	c := &deskpb.RetryParked{}
	for _, p := range o.parked() {
		c.Items = append(c.Items, &deskpb.ParkedKey{Peer: p.Peer, Time: p.Time, Sequence: p.Sequence})
	}
	o.retryThese(t, c)
}

func (o *office) retryThese(t *testing.T, c *deskpb.RetryParked) {
	t.Helper()
	result, err := o.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_RetryParked{RetryParked: c}})
	if err != nil || result.Refusal != nil {
		t.Fatalf("try parked items again: %v %v", result.GetRefusal(), err)
	}
}

func TestParkedItemLeavesTheListOnceItFits(t *testing.T) {
	child, parent, number := misplaced(t)
	before, events := parent.parked()[0], len(parent.journal(number))
	parent.retry(t)
	if parked := parent.parked(); len(parked) != 1 || !proto.Equal(parked[0], before) {
		t.Fatalf("tried again for no reason, the list is %v, want it to be as before: %v", parked, before)
	}
	placeBranch(t, parent, county.Id)
	upward := parent.link("330000").SentSequence
	again := &deskpb.RetryParked{Items: []*deskpb.ParkedKey{{Peer: before.Peer, Time: before.Time, Sequence: before.Sequence}}}
	for range 2 {
		parent.retryThese(t, again)
		if parked, link := parent.parked(), parent.link(child.id); len(parked) != 0 || link.Parked != 0 {
			t.Fatalf("still parked: %v, and the link counts %d", parked, link.Parked)
		}
		if got := len(parent.journal(number)); got != events+1 {
			t.Errorf("the ticket has %d events, want one more than %d", got, events)
		}
		if got := parent.link("330000").SentSequence; got != upward+1 {
			t.Errorf("%d items go on to the province, want 1", got-upward)
		}
	}
}

// What only a later version understands was relayed when it came; trying it again sends nothing a second time.
func TestRetryRelaysNothingTwice(t *testing.T) {
	child, parent := pair(t)
	ship(t, child, parent)
	record := child.record(child.tickets()[0])
	forge(t, child, &deskpb.Event{
		Ticket: record.Ticket.Number, Id: &deskpb.EventID{Site: "330106", Sequence: 77}, Class: deskpb.Event_CUSTODIAL,
		Type: deskpb.Event_Type(1000), CustodyTerm: 1, Index: record.Length + 1, Previous: record.Head, Schema: desk.Schema + 1,
	})
	ship(t, child, parent)
	before, upward := parent.parked(), parent.link("330000").SentSequence
	parent.retry(t)
	if after := parent.parked(); len(before) != 1 || len(after) != 1 || !proto.Equal(before[0], after[0]) {
		t.Errorf("parked %v before and %v after, want the one item at its place", before, after)
	}
	if got := parent.link("330000").SentSequence; got != upward {
		t.Errorf("%d items went on to the province again", got-upward)
	}
}

func TestRetryIsBounded(t *testing.T) {
	_, parent := pair(t)
	result, err := parent.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_RetryParked{
		RetryParked: &deskpb.RetryParked{Items: make([]*deskpb.ParkedKey, MaxRetry+1)},
	}})
	if err != nil || result.GetRefusal().GetReason() != "TOO_MANY_ITEMS" {
		t.Errorf("%d items in one command: %v %v, want TOO_MANY_ITEMS", MaxRetry+1, result.GetRefusal(), err)
	}
}

// The leader tries again by itself when the directory has changed, and leaves the log alone while it has not.
func TestLeaderTriesAgainWhenTheDirectoryChanges(t *testing.T) {
	_, parent, _ := misplaced(t)
	applied := func() uint64 {
		parent.mu.Lock()
		defer parent.mu.Unlock()
		return parent.index
	}
	before := applied()
	n := newNode(t, city, parent)
	eventually(t, "the new leader has tried once", func() bool { return applied() > before })
	tried := applied()
	deadline := time.Now().Add(10 * n.tiers.pace.recheck)
	eventually(t, "there was time to look again", func() bool { return time.Now().After(deadline) })
	if got := applied(); got != tried {
		t.Errorf("%d entries were logged although nothing has changed", got-tried)
	}
	placeBranch(t, parent, county.Id)
	eventually(t, "the parked item has found its place", func() bool { return len(parent.parked()) == 0 })
}

// A long list is tried in rounds, each item once.
func TestRetryGoesThroughALongList(t *testing.T) {
	child, parent := pair(t)
	const items = 2*MaxRetry + 5
	for i := range items {
		send(t, child, []byte{0xff, byte(i)})
	}
	ship(t, child, parent)
	n := &Tiers{o: Options{Site: parent, SiteID: parent.id}, pace: quick()}
	n.o.complete()
	before := parent.index
	var round retryRound
	if err := n.retryRound(context.Background(), &round); err != nil {
		t.Fatal(err)
	}
	if got := parent.index - before; got != 3 || round.cursor != nil {
		t.Errorf("%d items took %d commands and left the cursor at %x, want 3 and the end", items, got, round.cursor)
	}
	if got := len(parent.parked()); got != items {
		t.Errorf("%d items are parked afterwards, want %d", got, items)
	}
}
