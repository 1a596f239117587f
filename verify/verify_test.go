package verify

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// office is one site's API in memory.
type office struct {
	apipb.TicketsClient
	apipb.SitesClient
	tickets  []*deskpb.Ticket
	journals map[string][]*apipb.JournalEntry
	links    []*apipb.LinkStatus
	applied  uint64
	grows    int    // how many looks see the log grow
	passing  bool   // links are as they are for one look only
	listed   func() // not nil: called when tickets are listed
}

func (o *office) ListTickets(_ context.Context, r *apipb.ListTicketsRequest, _ ...grpc.CallOption) (*apipb.ListTicketsResponse, error) {
	if o.listed != nil {
		o.listed()
	}
	const size = 2 // small pages, so that paging is tested too
	var first int
	if r.PageToken != "" {
		if _, err := fmt.Sscan(r.PageToken, &first); err != nil {
			return nil, err
		}
	}
	last := min(first+size, len(o.tickets))
	page := &apipb.ListTicketsResponse{Tickets: o.tickets[first:last]}
	if last < len(o.tickets) {
		page.NextPageToken = fmt.Sprint(last)
	}
	return page, nil
}

func (o *office) ListJournal(_ context.Context, r *apipb.ListJournalRequest, _ ...grpc.CallOption) (*apipb.ListJournalResponse, error) {
	return &apipb.ListJournalResponse{Entries: o.journals[r.Number]}, nil
}

func (o *office) GetSite(context.Context, *apipb.GetSiteRequest, ...grpc.CallOption) (*apipb.GetSiteResponse, error) {
	if o.grows > 0 {
		o.grows--
		o.applied++
	}
	links := o.links
	if o.passing {
		o.links = nil
	}
	return &apipb.GetSiteResponse{AppliedIndex: o.applied, Links: links}, nil
}

// know gives the office a copy of a ticket with a journal of one entry.
func (o *office) know(ticket *deskpb.Ticket, text string) {
	o.tickets = append(o.tickets, proto.CloneOf(ticket))
	if o.journals == nil {
		o.journals = make(map[string][]*apipb.JournalEntry)
	}
	o.journals[ticket.Number] = []*apipb.JournalEntry{{Id: ticket.Number, Text: text}}
}

// offices are a county, its city and the province that agree on three tickets.
func offices() (county, city, province *office, sites []Site) {
	county, city, province = &office{}, &office{}, &office{}
	for i := range 3 {
		ticket := &deskpb.Ticket{Number: fmt.Sprintf("C-20261122-%04d", i+1), HomeSite: "C", CustodianSite: "B",
			Handover: &deskpb.Handover{}}
		for _, o := range []*office{county, city, province} {
			o.know(ticket, "opened")
		}
	}
	sites = []Site{
		{ID: "C", Parent: "B", Tickets: county, Sites: county},
		{ID: "B", Parent: "A", Tickets: city, Sites: city},
		{ID: "A", Tickets: province, Sites: province},
	}
	return county, city, province, sites
}

func TestCompareFindsWhatDiffers(t *testing.T) {
	stray := &deskpb.Ticket{Number: "B-20261122-0001", HomeSite: "B", CustodianSite: "B", Handover: &deskpb.Handover{}}
	for _, c := range []struct {
		name  string
		spoil func(county, city, province *office)
		want  string
	}{
		{"nothing", func(_, _, _ *office) {}, ""},
		{"a ticket is missing", func(_, _, a *office) { a.tickets = a.tickets[1:] }, "C-20261122-0001: not known at A"},
		{"a field differs", func(_, b, _ *office) { b.tickets[2].Etag = "x" }, "C-20261122-0003: the ticket at B differs"},
		{"a journal differs", func(_, _, a *office) { a.journals["C-20261122-0002"][0].Text = "?" }, "C-20261122-0002: the journal at A"},
		{"one site alone knows how people are called", func(c, _, _ *office) { c.journals["C-20261122-0002"][0].ActorName = "陈洁" }, ""},
		{"a hand-over is under way", func(c, b, a *office) {
			for _, o := range []*office{c, b, a} {
				o.tickets[0].Handover.State = deskpb.Handover_IN_TRANSIT
			}
		}, "still IN_TRANSIT"},
		{"a custodian is from elsewhere", func(c, b, a *office) {
			for _, o := range []*office{c, b, a} {
				o.tickets[0].CustodianSite = "Z"
			}
		}, "its custodian Z is not on its path"},
		{"a ticket is where it does not belong", func(c, b, a *office) {
			for _, o := range []*office{c, b, a} {
				o.know(stray, "opened")
			}
		}, "at C, which is not on its path"},
		{"a home does not know its ticket", func(_, _, a *office) { a.know(stray, "opened") }, "its home B does not know it"},
		{"an unknown home", func(c, _, _ *office) { c.tickets[0].HomeSite = "Q" }, "opened at the unknown site Q"},
		{"an outbox is not empty", func(c, _, _ *office) { c.links = []*apipb.LinkStatus{{Peer: "B", Pending: 3}} }, "3 items for B wait"},
		{"something was set aside", func(_, b, _ *office) { b.links = []*apipb.LinkStatus{{Peer: "C", Parked: 1}} }, "1 items from C were set aside"},
	} {
		county, city, province, sites := offices()
		c.spoil(county, city, province)
		report, err := Compare(t.Context(), sites)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		problems := strings.Join(report.Problems, "\n")
		if report.Agree() != (c.want == "") || !strings.Contains(problems, c.want) {
			t.Errorf("%s: problems %q, want %q", c.name, problems, c.want)
		}
		if c.want != "" && !strings.Contains(report.String(), "✗") {
			t.Errorf("%s: the table hides the problem:\n%s", c.name, report)
		}
	}
}

// A former parent shows the tickets of a site that was moved as they were then; that is no difference.
func TestAFormerParentIsNotCompared(t *testing.T) {
	county, city, province, sites := offices()
	for i := range county.tickets {
		for _, o := range []*office{county, province} {
			o.tickets[i] = proto.CloneOf(o.tickets[i])
			o.tickets[i].CustodianSite = "A"
		}
	}
	city.know(&deskpb.Ticket{Number: "B-20261122-0001", HomeSite: "B", CustodianSite: "B", Handover: &deskpb.Handover{}}, "opened")
	province.know(city.tickets[len(city.tickets)-1], "opened")
	sites[0].Parent = "A"
	for _, known := range []bool{false, true} {
		if known {
			sites[0].Former = []string{"B"}
		}
		report, err := Compare(t.Context(), sites)
		if err != nil {
			t.Fatal(err)
		}
		if report.Agree() != known {
			t.Errorf("with the former parent known: %t, the problems are %q", known, report.Problems)
		}
	}
}

func TestCompareCounts(t *testing.T) {
	_, _, _, sites := offices()
	report, err := Compare(t.Context(), sites)
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{{Site: "C", Tickets: 3, Entries: 3}, {Site: "B", Tickets: 3, Held: 3, Entries: 3}, {Site: "A", Tickets: 3, Entries: 3}}
	for i, row := range report.Rows {
		if row != want[i] {
			t.Errorf("row %d is %+v, want %+v", i, row, want[i])
		}
	}
	if report.Tickets != 3 {
		t.Errorf("%d tickets, want 3", report.Tickets)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	_, _, province, sites := offices()
	for i := range 100 {
		province.know(&deskpb.Ticket{Number: fmt.Sprint("X-", i), HomeSite: "C"}, "")
	}
	report, err := Compare(t.Context(), sites)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(report.Problems); n != maxProblems+1 || !strings.Contains(report.Problems[maxProblems], "80 more") {
		t.Errorf("%d problems, the last one %q", n, report.Problems[n-1])
	}
}

func TestSettleWaitsForRest(t *testing.T) {
	county, _, _, sites := offices()
	county.grows = 3
	if err := Settle(t.Context(), sites); err != nil {
		t.Fatal(err)
	}
	if county.grows != 0 {
		t.Error("Settle returned while a log was still growing")
	}
	for _, c := range []struct {
		link *apipb.LinkStatus
		want string
	}{
		{&apipb.LinkStatus{Peer: "B", State: apipb.LinkStatus_DOWN, Reason: "no route"}, "the link of C with B (no route)"},
		{&apipb.LinkStatus{Peer: "B", State: apipb.LinkStatus_UP, Pending: 2}, "2 items from C to B"},
		{&apipb.LinkStatus{Peer: "B", State: apipb.LinkStatus_UP, Queued: 4}, "4 hand-overs queued from C to B"},
	} {
		county.links = []*apipb.LinkStatus{c.link}
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := Settle(ctx, sites); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that waits for %q", err, c.want)
			}
		})
	}
}

// What a running tree does while it is compared is no difference; what differs although nothing was done is one.
func TestComparingAtRestBearsWithAMoment(t *testing.T) {
	for _, c := range []struct {
		name   string
		growth uint64
		agree  bool
	}{{"the log grew", 1, true}, {"nothing was done", 0, false}} {
		synctest.Test(t, func(t *testing.T) {
			county, _, _, sites := offices()
			reads := 0
			county.listed = func() {
				if reads++; reads == 1 {
					county.links = []*apipb.LinkStatus{{Peer: "B", State: apipb.LinkStatus_UP, Pending: 1}}
					county.passing = true
					county.applied += c.growth
				}
			}
			report, err := CompareAtRest(t.Context(), sites, time.Minute)
			if err != nil || report.Agree() != c.agree {
				t.Errorf("%s: problems %q, %v; want agreement: %t", c.name, report.Problems, err, c.agree)
			}
		})
	}
}
