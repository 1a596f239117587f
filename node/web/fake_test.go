package web

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// fakeDesk shows a county whose line to its city is cut. Each part can be made to break.
type fakeDesk struct {
	asker                             *deskpb.Actor // who asked for tickets last
	overviewErr, sitesErr, ticketsErr error
	overview                          *apipb.GetSiteResponse
}

func (d *fakeDesk) Overview(context.Context) (*apipb.GetSiteResponse, error) {
	return d.overview, d.overviewErr
}

func (d *fakeDesk) Sites(context.Context) (*apipb.ListSitesResponse, error) {
	return &apipb.ListSitesResponse{Sites: []*apipb.KnownSite{
		{Id: "330106", Name: "西湖区", Tier: apipb.Site_COUNTY, Parent: "330100", Alive: true, Nodes: []*apipb.Node{{Id: "n1"}, {Id: "n2"}, {Id: "n3"}}},
		{Id: "330100", Name: "杭州市", Tier: apipb.Site_CITY, Parent: "330000", NotSeenSince: at(10, 32, 7)},
		{Id: "330000", Name: "浙江省", Tier: apipb.Site_PROVINCE},
	}}, d.sitesErr
}

func (d *fakeDesk) LatestTickets(_ context.Context, asker *deskpb.Actor, limit int) ([]*deskpb.Ticket, error) {
	d.asker = asker
	if limit != latestTickets {
		return nil, errors.New("the page asks for another number of tickets")
	}
	return sampleTickets(), d.ticketsErr
}

// at is a moment of the day on which the pages are looked at, in China's time.
func at(hour, minute, second int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2026, 11, 21, hour, minute, second, 0, china()))
}

func china() *time.Location { return time.FixedZone("CST", 8*3600) }

func sampleTickets() []*deskpb.Ticket {
	return []*deskpb.Ticket{
		{Number: "330106-20261121-0042", Title: "庭审系统无法登录，提示“证书已过期”", State: deskpb.Ticket_IN_PROGRESS, Priority: 1, Line: deskpb.Ticket_FIRST,
			CustodianSite: "330106", UpdateTime: at(10, 41, 3),
			Handover: &deskpb.Handover{State: deskpb.Handover_QUEUED, ToSite: "330100", ToLine: deskpb.Ticket_SECOND}},
		{Number: "330106-20261121-0041", Title: "打印机卡纸 <b>三楼</b>", State: deskpb.Ticket_NEW, Priority: 4, Line: deskpb.Ticket_FIRST,
			CustodianSite: "330106", UpdateTime: at(10, 35, 0)},
		{Number: "330106-20261121-0039", Title: "档案检索响应缓慢", State: deskpb.Ticket_ASSIGNED, Priority: 2, Line: deskpb.Ticket_FIRST,
			CustodianSite: "330100", UpdateTime: at(10, 30, 12),
			Handover: &deskpb.Handover{State: deskpb.Handover_IN_TRANSIT, ToSite: "330100", ToLine: deskpb.Ticket_SECOND}},
		{Number: "330106-20261121-0030", Title: "视频会议无声音", State: deskpb.Ticket_RESOLVED, Priority: 3, Line: deskpb.Ticket_SECOND,
			CustodianSite: "330100", UpdateTime: at(9, 2, 44),
			Handover: &deskpb.Handover{State: deskpb.Handover_QUEUED, ToSite: "330106", ToLine: deskpb.Ticket_FIRST}},
		{Number: "330106-20261120-0017", Title: "申请开通 VPN 账号", State: deskpb.Ticket_ON_HOLD, Priority: 5, Line: deskpb.Ticket_FIRST,
			CustodianSite: "330106", UpdateTime: timestamppb.New(time.Date(2026, 11, 20, 17, 20, 0, 0, china()))},
		{Number: "330106-20251230-0003", Title: "更换显示器", State: deskpb.Ticket_CLOSED, Priority: 5, Line: deskpb.Ticket_FIRST,
			CustodianSite: "330106", UpdateTime: timestamppb.New(time.Date(2025, 12, 31, 8, 0, 0, 0, china()))},
	}
}

func sampleOverview() *apipb.GetSiteResponse {
	return &apipb.GetSiteResponse{
		Site: &apipb.Site{Id: "330106", Name: "西湖区", Tier: apipb.Site_COUNTY, Parent: "330100"},
		Nodes: []*apipb.Node{
			{Id: "n1", Role: apipb.Node_LEADER, Alive: true, Addresses: &apipb.Addresses{Http: "10.33.1.6:8080"}},
			{Id: "n2", Role: apipb.Node_FOLLOWER, Alive: true, Addresses: &apipb.Addresses{Http: "10.33.1.7:8080"}},
			{Id: "n3", Role: apipb.Node_FOLLOWER, Addresses: &apipb.Addresses{Http: "10.33.1.8:8080"}},
		},
		Leader: "n1",
		Links: []*apipb.LinkStatus{
			{Peer: "330100", Direction: apipb.LinkStatus_PARENT, State: apipb.LinkStatus_DOWN, Since: at(10, 32, 7), LastAckTime: at(10, 32, 5),
				Pending: 12, Queued: 3, Reason: "connection refused"},
			{Peer: "330106001", Direction: apipb.LinkStatus_CHILD, State: apipb.LinkStatus_UP, Since: at(7, 0, 0)},
		},
		Alarms: []string{"The clock of node n3 is 4 s behind; check its time service."},
	}
}

// fakePeople lets li in with the password "correct"; li's token is "token-of-li".
type fakePeople struct {
	err      error // what every call comes to, when set
	setErr   error // what setting a password comes to, when set
	role     deskpb.User_Role
	must     bool     // li has to set another password first
	limits   []string // of li's token; none for a session
	code     string   // of li's second factor; empty for none
	signedIn string
	ended    []string
	password string // that li has set
}

// requester is the role of those who see their own tickets alone.
const requester = deskpb.User_REQUESTER

func (p *fakePeople) Authenticate(_ context.Context, token, _ string) (*deskpb.Actor, error) {
	switch {
	case p.err != nil:
		return nil, p.err
	case token != "token-of-li":
		return nil, desk.Refuse(desk.Unauthenticated, "UNKNOWN_TOKEN", "unknown token")
	}
	return &deskpb.Actor{User: "li", Role: cmp.Or(p.role, deskpb.User_AGENT), MustChangePassword: p.must, Limits: p.limits}, nil
}

func (p *fakePeople) SignIn(_ context.Context, r *apipb.CreateSessionRequest, _, _ string) (*apipb.CreateSessionResponse, error) {
	switch {
	case p.err != nil:
		return nil, p.err
	case r.GetUser() != "li" || r.GetPassword() != "correct":
		return nil, desk.Refuse(desk.Unauthenticated, "WRONG_PASSWORD", "wrong")
	case p.code != "" && r.GetCode() == "":
		return nil, desk.Refuse(desk.Unauthenticated, "SECOND_FACTOR_REQUIRED", "code missing")
	case r.GetCode() != p.code:
		return nil, desk.Refuse(desk.Unauthenticated, "WRONG_CODE", "wrong code")
	}
	p.signedIn = r.GetUser()
	return &apipb.CreateSessionResponse{Token: "token-of-li", ExpireTime: at(22, 0, 0)}, nil
}

func (p *fakePeople) SignOut(_ context.Context, token, _ string) error {
	p.ended = append(p.ended, token)
	return p.err
}

func (p *fakePeople) SetPassword(_ context.Context, actor *deskpb.Actor, r *apipb.SetPasswordRequest) error {
	switch {
	case p.err != nil || p.setErr != nil:
		return errors.Join(p.err, p.setErr)
	case actor.GetUser() != "li" || r.GetName() != "li" || r.GetCurrentPassword() != "correct":
		return desk.Refuse(desk.Unauthenticated, "WRONG_PASSWORD", "wrong")
	}
	p.password = r.GetPassword()
	return nil
}

// visit is pages with what stands behind them.
type visit struct {
	t        *testing.T
	desk     *fakeDesk
	people   *fakePeople
	provider *fakeProvider
	now      time.Time
	pages    *Pages
}

func newVisit(t *testing.T) *visit {
	t.Helper()
	v := &visit{
		t: t, desk: &fakeDesk{overview: sampleOverview()}, people: &fakePeople{}, provider: &fakeProvider{}, now: at(10, 42, 0).AsTime(),
	}
	v.build()
	return v
}

// build makes the pages of what stands behind them.
func (v *visit) build() {
	v.t.Helper()
	o := Options{
		Desk: v.desk, People: v.people, Logger: slog.New(slog.DiscardHandler), SiteID: "330106", SiteName: "西湖区",
		Zone: china(), Now: func() time.Time { return v.now },
	}
	if v.provider != nil {
		o.Provider = v.provider
	}
	var err error
	if v.pages, err = New(o); err != nil {
		v.t.Fatal(err)
	}
}

// do sends a request; with a session when signed in.
func (v *visit) do(r *http.Request, signedIn bool) *http.Response {
	v.t.Helper()
	if signedIn {
		r.AddCookie(&http.Cookie{Name: "tierdesk_330106", Value: "token-of-li"})
	}
	recorder := httptest.NewRecorder()
	v.pages.ServeHTTP(recorder, r)
	return recorder.Result()
}

// page gets a page as li and parses it.
func (v *visit) page(target string, headers ...string) *document {
	v.t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return v.parse(v.do(r, true), http.StatusOK)
}

func (v *visit) parse(response *http.Response, status int) *document {
	v.t.Helper()
	if response.StatusCode != status {
		v.t.Fatalf("status %d, want %d", response.StatusCode, status)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(string(text)))
	if err != nil {
		v.t.Fatal(err)
	}
	return &document{root: root, source: string(text)}
}

// post sends a form.
func (v *visit) post(target string, form url.Values, headers ...string) *http.Response {
	v.t.Helper()
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return v.do(r, true)
}

// document is a parsed page.
type document struct {
	root   *html.Node
	source string
}

// all returns the elements of a name, within those that have the class when one is given.
func (d *document) all(name, class string) []*html.Node { return elements(d.root, name, class) }

func elements(from *html.Node, name, class string) []*html.Node {
	var found []*html.Node
	for node := range from.Descendants() {
		if node.Type == html.ElementNode && node.Data == name && (class == "" || hasClass(node, class)) {
			found = append(found, node)
		}
	}
	return found
}

func hasClass(node *html.Node, class string) bool {
	for _, given := range strings.Fields(attribute(node, "class")) {
		if given == class {
			return true
		}
	}
	return false
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is what a person reads in an element.
func text(node *html.Node) string {
	var words strings.Builder
	for inner := range node.Descendants() {
		if inner.Type == html.TextNode {
			words.WriteString(inner.Data)
		}
	}
	return strings.Join(strings.Fields(words.String()), " ")
}

// rows returns the cells of the body of the table with the class.
func (d *document) rows(t *testing.T, class string) [][]string {
	t.Helper()
	tables := d.all("table", class)
	if len(tables) != 1 {
		t.Fatalf("the page has %d tables of class %s, want 1", len(tables), class)
	}
	var found [][]string
	for _, row := range elements(elements(tables[0], "tbody", "")[0], "tr", "") {
		var cells []string
		for _, cell := range elements(row, "td", "") {
			cells = append(cells, text(cell))
		}
		found = append(found, cells)
	}
	return found
}

// banners returns what the page says above all else.
func (d *document) banners() []string {
	var found []string
	for _, banner := range d.all("p", "banner") {
		found = append(found, text(banner))
	}
	return found
}
