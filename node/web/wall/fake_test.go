package wall

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// at is a moment of the day on which the pages are looked at, in China's time.
func at(hour, minute int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2026, 11, 21, hour, minute, 0, 0, china()))
}

func china() *time.Location { return time.FixedZone("CST", 8*3600) }

// office is a site with the pages that stand in it. It plays everything behind the pages.
type office struct {
	t       *testing.T
	role    deskpb.User_Role
	site    *apipb.GetSiteResponse
	sites   []*apipb.KnownSite
	figures []*apipb.OfficeFigures
	overdue map[string][]*deskpb.Ticket // by site
	changed []*deskpb.Ticket            // the last ones first
	steps   map[string][]*apipb.JournalEntry
	err     error // what the services of queues come to, when set
	asked   []*apipb.ListQueueTicketsRequest
	handler http.Handler
}

func (o *office) Site() *apipb.GetSiteResponse { return o.site }

func (o *office) Sites() *apipb.ListSitesResponse { return &apipb.ListSitesResponse{Sites: o.sites} }

func (o *office) Authenticate(_ context.Context, token, _ string) (*deskpb.Actor, error) {
	if token != "token-of-zhao" {
		return nil, desk.Refuse(desk.Unauthenticated, "UNKNOWN_TOKEN", "unknown token")
	}
	return &deskpb.Actor{User: "zhao", Role: o.role}, nil
}

func (o *office) Invoke(_ context.Context, method string, request, reply any, _ ...grpc.CallOption) error {
	var answer proto.Message
	switch asked := request.(type) {
	case *apipb.GetCallerRequest:
		answer = &apipb.Caller{User: &apipb.User{Name: "zhao", DisplayName: "赵恒"}}
	case *apipb.ListDutyRequest:
		answer = &apipb.ListDutyResponse{Groups: []*apipb.DutyGroup{
			{Name: "second", Title: &deskpb.Words{Zh: "二线组"}, Members: []*apipb.DutyMember{{User: "li", DisplayName: "李强"}}},
		}}
	case *apipb.GetFiguresRequest:
		answer = &apipb.GetFiguresResponse{Offices: o.figures, Today: "20261121"}
	case *apipb.ListQueueTicketsRequest:
		o.asked = append(o.asked, asked)
		answer = &apipb.ListTicketsResponse{Tickets: o.overdue[asked.GetSite()], NextPageToken: "more"}
	case *apipb.ListTicketsRequest:
		answer = o.list(asked)
	case *apipb.ListJournalRequest:
		answer = &apipb.ListJournalResponse{Entries: o.steps[asked.GetNumber()]}
	default:
		return status.Errorf(codes.Unimplemented, "method %s is not served", method)
	}
	switch request.(type) {
	case *apipb.GetFiguresRequest, *apipb.ListQueueTicketsRequest, *apipb.ListTicketsRequest:
		if o.err != nil {
			return o.err
		}
	}
	proto.Merge(reply.(proto.Message), answer)
	return nil
}

// list lists the tickets that changed last. The token of a page is where it begins.
func (o *office) list(asked *apipb.ListTicketsRequest) *apipb.ListTicketsResponse {
	begin, err := strconv.Atoi(cmp.Or(asked.GetPageToken(), "0"))
	if err != nil {
		o.t.Errorf("a page begins at %q", asked.GetPageToken())
	}
	end := min(len(o.changed), begin+int(asked.GetPageSize()))
	answer := &apipb.ListTicketsResponse{Tickets: o.changed[begin:end]}
	if end < len(o.changed) {
		answer.NextPageToken = strconv.Itoa(end)
	}
	return answer
}

func (*office) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unimplemented, "there are no streams")
}

// province is Zhejiang with two cities and three counties. The line to one city is cut, and one county is not seen.
func province(t *testing.T) *office {
	t.Helper()
	o := &office{
		t: t, role: deskpb.User_LEADER,
		site: &apipb.GetSiteResponse{Leader: "n1", Links: []*apipb.LinkStatus{
			{Peer: "330100", Direction: apipb.LinkStatus_CHILD, State: apipb.LinkStatus_UP, Since: at(7, 0)},
			{Peer: "330200", Direction: apipb.LinkStatus_CHILD, State: apipb.LinkStatus_DOWN, Since: at(9, 32), Queued: 3},
		}},
		sites: []*apipb.KnownSite{
			{Id: "330000", Name: "浙江省", Tier: apipb.Site_PROVINCE, Alive: true},
			{Id: "330200", Name: "宁波市", Tier: apipb.Site_CITY, Parent: "330000"},
			{Id: "330100", Name: "杭州市", Tier: apipb.Site_CITY, Parent: "330000", Alive: true},
			{Id: "330106", Name: "西湖区", Tier: apipb.Site_COUNTY, Parent: "330100", Alive: true},
			{Id: "330108", Name: "滨江区", Tier: apipb.Site_COUNTY, Parent: "330100", NotSeenSince: at(8, 15)},
			{Id: "330203", Name: "海曙区", Tier: apipb.Site_COUNTY, Parent: "330200", Alive: true},
		},
		figures: []*apipb.OfficeFigures{
			{Site: "330000", Open: 2, Days: []*apipb.DayFigures{{Day: "20261120"}, {Day: "20261121", Opened: 1}}},
			{Site: "330100", Open: 4, Overdue: 1, DueSoon: 2, OldestNumber: "330106-20261120-0003", OldestOpenTime: at(3, 40),
				Days: []*apipb.DayFigures{{Day: "20261120", Opened: 3, Solved: 2, SolvedLate: 1}, {Day: "20261121"}}},
			{Site: "330106", Open: 9, Overdue: 3, InTransit: 1, OldestNumber: "330106-20261121-0001", OldestOpenTime: at(8, 0),
				Days: []*apipb.DayFigures{{Day: "20261120", Opened: 5, Solved: 4, SolvedFirstLine: 3}, {Day: "20261121", Opened: 7, Solved: 2, SolvedFirstLine: 2, Rated: 2, ScoreSum: 9}}},
			{Site: "330203"},
		},
		overdue: map[string][]*deskpb.Ticket{
			"330106": {{Number: "330106-20261121-0002", Title: "缴款码无法生成", CustodianSite: "330106", Assignee: "li", Group: "second",
				Sla: []*deskpb.Sla{
					{State: deskpb.Sla_RUNNING, DueTime: at(9, 0)},
					{State: deskpb.Sla_BREACHED, DueTime: at(10, 0)},
					{State: deskpb.Sla_BREACHED, DueTime: at(8, 30), EndTime: at(8, 40)},
				}}},
			"330100": {{Number: "330106-20261120-0003", Title: "回单查询很慢", CustodianSite: "330100", Sla: []*deskpb.Sla{
				{State: deskpb.Sla_BREACHED, DueTime: at(9, 30)},
			}}},
		},
	}
	o.open("330000", "浙江省", apipb.Site_PROVINCE)
	return o
}

// open makes the pages of a site.
func (o *office) open(id, name string, tier apipb.Site_Tier) {
	o.t.Helper()
	kit, err := page.New(page.Options{
		API: o, Files: http.NotFoundHandler(), People: o, Standing: o, Logger: slog.New(slog.DiscardHandler), SiteID: id, SiteName: name, Tier: tier,
		Zone: china(), Now: func() time.Time { return at(10, 42).AsTime() },
	})
	if err != nil {
		o.t.Fatal(err)
	}
	mux := http.NewServeMux()
	kit.AddStatic(mux)
	if err := kit.Add(mux, Room()); err != nil {
		o.t.Fatal(err)
	}
	o.handler = mux
}

// get asks for a page and returns its text.
func (o *office) get(path string, headers ...string) (status int, text string) {
	o.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for _, id := range []string{"330000", "330106"} {
		r.AddCookie(&http.Cookie{Name: "tierdesk_" + id, Value: "token-of-zhao"})
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	o.handler.ServeHTTP(recorder, r)
	body, err := io.ReadAll(recorder.Result().Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return recorder.Code, string(body)
}
