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
func at(hour, minute, second int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(2026, 11, 21, hour, minute, second, 0, china()))
}

func china() *time.Location { return time.FixedZone("CST", 8*3600) }

// fakeStanding says that the line of a county to its city is cut.
type fakeStanding struct{ site *apipb.GetSiteResponse }

func (s *fakeStanding) Site() *apipb.GetSiteResponse { return s.site }

func (*fakeStanding) Sites() *apipb.ListSitesResponse {
	return &apipb.ListSitesResponse{Sites: []*apipb.KnownSite{
		{Id: "330106", Name: "西湖区", Tier: apipb.Site_COUNTY, Parent: "330100"},
		{Id: "330100", Name: "杭州市", Tier: apipb.Site_CITY, Parent: "330000"},
	}}
}

func cutSite() *apipb.GetSiteResponse {
	return &apipb.GetSiteResponse{Leader: "n1", Links: []*apipb.LinkStatus{
		{Peer: "330100", Direction: apipb.LinkStatus_PARENT, State: apipb.LinkStatus_DOWN, Since: at(10, 32, 7), Queued: 3},
		{Peer: "330106001", Direction: apipb.LinkStatus_CHILD, State: apipb.LinkStatus_UP, Since: at(7, 0, 0)},
	}}
}

// fakeAPI answers who calls, and nothing else.
type fakeAPI struct{ name string }

func (a *fakeAPI) Invoke(_ context.Context, method string, _, reply any, _ ...grpc.CallOption) error {
	caller, asked := reply.(*apipb.Caller)
	if !asked {
		return status.Errorf(codes.Unimplemented, "method %s is not served", method)
	}
	proto.Merge(caller, &apipb.Caller{User: &apipb.User{Name: "li", DisplayName: a.name}})
	return nil
}

func (*fakeAPI) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unimplemented, "there are no streams")
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
	standing *fakeStanding
	people   *fakePeople
	provider *fakeProvider
	now      time.Time
	pages    *Pages
}

func newVisit(t *testing.T) *visit {
	t.Helper()
	v := &visit{
		t: t, standing: &fakeStanding{site: cutSite()}, people: &fakePeople{}, provider: &fakeProvider{}, now: at(10, 42, 0).AsTime(),
	}
	v.build()
	return v
}

// build makes the pages of what stands behind them.
func (v *visit) build() {
	v.t.Helper()
	o := Options{People: v.people, Options: page.Options{
		API: &fakeAPI{name: "李工"}, Files: http.NotFoundHandler(), Standing: v.standing, Logger: slog.New(slog.DiscardHandler),
		SiteID: "330106", SiteName: "西湖区", Tier: apipb.Site_COUNTY, Zone: china(), Now: func() time.Time { return v.now },
	}}
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

// banners returns what the page says above all else.
func (d *document) banners() []string {
	var found []string
	for _, banner := range d.all("p", "banner") {
		found = append(found, text(banner))
	}
	return found
}

// refresh is when the page loads another one, and which; empty for a page that stays.
func (d *document) refresh() string {
	for _, meta := range d.all("meta", "") {
		if attribute(meta, "http-equiv") == "refresh" {
			return attribute(meta, "content")
		}
	}
	return ""
}
