package load

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// fakeNode is a connection to a site in memory that is shared by its nodes. A node that is down answers UNAVAILABLE.
type fakeNode struct {
	site *fakeSite
	down bool
}

type fakeSite struct {
	mu      sync.Mutex        // guards all below
	numbers map[string]string // by request id
	creates int               // attempts
	last    *apipb.CreateTicketRequest
	reads   map[string]int // by number
	lists   []*apipb.ListTicketsRequest
	late    int // so many creates are done and answered too late
}

func (n *fakeNode) Invoke(_ context.Context, method string, in, out any, _ ...grpc.CallOption) error {
	if n.down {
		return status.Error(codes.Unavailable, "down")
	}
	n.site.mu.Lock()
	defer n.site.mu.Unlock()
	switch q := in.(type) {
	case *apipb.CreateTicketRequest:
		n.site.creates++
		n.site.last = proto.CloneOf(q)
		if n.site.numbers[q.RequestId] == "" {
			n.site.numbers[q.RequestId] = fmt.Sprintf("330106-20261121-%04d", len(n.site.numbers)+1)
		}
		if n.site.late > 0 {
			n.site.late--
			return status.Error(codes.DeadlineExceeded, "late")
		}
		out.(*deskpb.Ticket).Number = n.site.numbers[q.RequestId]
	case *apipb.GetTicketRequest:
		n.site.reads[q.Number]++
	case *apipb.ListTicketsRequest:
		n.site.lists = append(n.site.lists, proto.CloneOf(q))
		page := out.(*apipb.ListTicketsResponse)
		for i := range 3 {
			page.Tickets = append(page.Tickets, &deskpb.Ticket{Number: fmt.Sprintf("%s-%d", q.PageToken, i)})
		}
		if len(n.site.lists) < 3 {
			page.NextPageToken = fmt.Sprintf("page%d", len(n.site.lists))
		}
	default:
		return status.Error(codes.Unimplemented, method)
	}
	return nil
}

func (n *fakeNode) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unimplemented, "no streams here")
}

func newFakeSite() *fakeSite {
	return &fakeSite{numbers: make(map[string]string), reads: make(map[string]int)}
}

func newTestDesk(t *testing.T, o DeskOptions) *Desk {
	t.Helper()
	d, err := NewDesk(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func callOf(t *testing.T, d *Desk, kind Kind) Call {
	t.Helper()
	call, err := d.Call(kind)
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// A create whose answer was lost is repeated under its request id, so that it is done once.
func TestCreateIsRepeatedSafely(t *testing.T) {
	site := newFakeSite()
	site.late = 2
	d := newTestDesk(t, DeskOptions{Connections: []grpc.ClientConnInterface{&fakeNode{site: site, down: true}, &fakeNode{site: site}}})
	r, err := Run(t.Context(), Options{Clients: 1, Count: 40}, callOf(t, d, Create))
	if err != nil {
		t.Fatal(err)
	}
	row := r.Row(Create)
	if row.Calls != 40 || len(row.Errors) != 0 || len(site.numbers) != 40 || site.creates != 42 {
		t.Errorf("%d calls, errors %v, %d tickets of %d attempts; want 40 calls and tickets of 42 attempts", row.Calls, row.Errors,
			len(site.numbers), site.creates)
	}
	if row.Retries["DeadlineExceeded"] != 2 || row.Retries["Unavailable"] != 42 {
		t.Errorf("retries %v, want 2 late ones, and one each time that the turn came to the node that is down", row.Retries)
	}
}

func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestDesk(t, DeskOptions{Connections: []grpc.ClientConnInterface{&fakeNode{down: true}}, Patience: 50 * time.Millisecond})
		r, err := Run(t.Context(), Options{Clients: 1, Count: 1}, callOf(t, d, Create))
		if row := r.Row(Create); err != nil || row.Errors["Unavailable"] != 1 || row.Retries["Unavailable"] == 0 {
			t.Errorf("%+v, %v; want one call that failed after repetitions", row, err)
		}
	})
}

func TestReadsAskForTicketsThatAreKnown(t *testing.T) {
	site := newFakeSite()
	d := newTestDesk(t, DeskOptions{Connections: []grpc.ClientConnInterface{&fakeNode{site: site}}})
	if _, err := callOf(t, d, Read)(t.Context(), 0); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("read without a ticket: %v, want FAILED_PRECONDITION", err)
	}
	if known, err := d.Learn(t.Context()); err != nil || known != 9 {
		t.Fatalf("learned %d tickets, %v; want the 9 of three pages", known, err)
	}
	if _, err := Run(t.Context(), Options{Clients: 2, Count: 500}, callOf(t, d, Read)); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"", "page1", "page2"} {
		for i := range 3 {
			if n := fmt.Sprintf("%s-%d", token, i); site.reads[n] == 0 {
				t.Errorf("ticket %s was never read: %v", n, site.reads)
			}
		}
	}
}

func TestListsAskForBothQueues(t *testing.T) {
	site := newFakeSite()
	d := newTestDesk(t, DeskOptions{Connections: []grpc.ClientConnInterface{&fakeNode{site: site}}, PageSize: 50})
	if _, err := Run(t.Context(), Options{Clients: 1, Count: 200}, callOf(t, d, List)); err != nil {
		t.Fatal(err)
	}
	states, groups := 0, 0
	for _, q := range site.lists {
		switch {
		case q.PageSize != 50:
			t.Errorf("a page of %d, want 50", q.PageSize)
		case q.Filter == "state = NEW" && q.OrderBy == "priority":
			states++
		case strings.HasPrefix(q.Filter, `group = "`) && q.OrderBy == "":
			groups++
		default:
			t.Errorf("unexpected list %v", q)
		}
	}
	if states == 0 || groups == 0 {
		t.Errorf("%d lists by state, %d by group; want both", states, groups)
	}
}

func TestMixedDoesAllKinds(t *testing.T) {
	site := newFakeSite()
	d := newTestDesk(t, DeskOptions{Connections: []grpc.ClientConnInterface{&fakeNode{site: site}}})
	r, err := Run(t.Context(), Options{Clients: 2, Count: 2000}, callOf(t, d, Mixed))
	if err != nil {
		t.Fatal(err)
	}
	if c, l, rd := r.Row(Create).Calls, r.Row(List).Calls, r.Row(Read).Calls; c == 0 || l == 0 || rd <= c || c+l+rd != 2000 {
		t.Errorf("%d creates, %d lists, %d reads; want all kinds, mostly reads, 2000 together", c, l, rd)
	}
}

func TestTicketsAreFull(t *testing.T) {
	for _, bytes := range []int{1, 100, 1024, 65536} {
		d := newTestDesk(t, DeskOptions{Connections: []grpc.ClientConnInterface{&fakeNode{}}, TextBytes: bytes})
		assigned := 0
		for range 200 {
			q := d.Request()
			ticket := q.GetTicket()
			if text := ticket.GetDescription(); len(text) != bytes || !utf8.ValidString(text) {
				t.Fatalf("a description of %d bytes, valid %t; want %d", len(text), utf8.ValidString(text), bytes)
			}
			if ticket.GetTitle() == "" || ticket.GetApplication() == "" || ticket.GetCategory() == "" || q.GetRequestId() == "" ||
				ticket.GetRequester().GetName() == "" || ticket.GetImpact() < 1 || ticket.GetImpact() > 3 {
				t.Fatalf("not a full ticket: %v", q)
			}
			if ticket.GetGroup() != "" {
				assigned++
			}
		}
		if assigned == 0 || assigned == 200 {
			t.Errorf("%d of 200 tickets go to a group, want about half", assigned)
		}
	}
}

func TestDeskOptionsThatCannotBe(t *testing.T) {
	lines := []grpc.ClientConnInterface{&fakeNode{}}
	for name, o := range map[string]DeskOptions{
		"no connection":     {},
		"too much text":     {Connections: lines, TextBytes: 65537},
		"negative patience": {Connections: lines, Patience: -1},
	} {
		if _, err := NewDesk(o); err == nil {
			t.Errorf("%s: a desk was made", name)
		}
	}
	if _, err := newTestDesk(t, DeskOptions{Connections: lines}).Call("write"); err == nil {
		t.Error("a kind that is none got a call")
	}
}

// The sample stays bounded and takes later tickets in too.
func TestKnownIsASample(t *testing.T) {
	var k known
	const many = 4 * maxKnown
	for i := range many {
		k.add(fmt.Sprint(i))
	}
	late := 0
	for _, n := range k.numbers {
		if len(n) == len(fmt.Sprint(many)) {
			late++
		}
	}
	if k.count() != maxKnown || late < maxKnown/4 || late == maxKnown {
		t.Errorf("%d known, %d of them late; want %d, a fair part of them late", k.count(), late, maxKnown)
	}
}
