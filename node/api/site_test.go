package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// memorySite is a site of one node in memory: the real rules over the real store, with a mutex for a log.
type memorySite struct {
	mu       sync.Mutex // guards all below
	store    *store.Store
	clock    int64
	failWith error // what Propose answers instead of deciding
	reasons  []string
	removed  []string
	panics   bool
	hold     chan struct{} // when set, Propose waits until it is closed or the call ends

	audited   []*deskpb.AuditEntry // what Record and RecordNow were told
	auditing  error                // what RecordNow and Witnessed answer; nil: the entry is kept
	witnessed *Witness

	backedUp  chan struct{} // closed when the stream of the last backup was
	recovered []string      // for what reasons
}

func newMemorySite(t testing.TB) *memorySite {
	t.Helper()
	opened, err := store.Open(store.Options{Dir: "data", FS: vfs.NewMem(), Site: "330106", Node: "n1", CacheBytes: 1 << 20})
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	s := &memorySite{store: opened, clock: time.Date(2026, 11, 21, 1, 0, 0, 0, time.UTC).UnixMicro()}
	b := opened.NewBatch()
	county := &deskpb.Site{Id: "330106", Name: "西湖区", Tier: deskpb.Site_COUNTY, Parent: "330100", Incarnation: 7}
	for _, err := range []error{
		b.PutSite(county),
		b.PutSiteInfo(&deskpb.SiteInfo{Id: "330106", Name: "西湖区", Tier: deskpb.Site_COUNTY, Parent: "330100"}),
		b.PutSiteInfo(&deskpb.SiteInfo{Id: "330100", Name: "杭州市", Tier: deskpb.Site_CITY, Parent: "330000"}),
		b.PutSiteInfo(&deskpb.SiteInfo{Id: "330000", Name: "浙江省", Tier: deskpb.Site_PROVINCE}),
		b.Commit(1, 1),
	} {
		if err != nil {
			t.Fatalf("found the site: %v", err)
		}
	}
	return s
}

func (s *memorySite) Site() desk.SiteID { return "330106" }

func (s *memorySite) Propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error) {
	Attribute(ctx, "n1", c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if hold := s.hold; hold != nil {
		s.mu.Unlock()
		select {
		case <-hold:
		case <-ctx.Done():
		}
		s.mu.Lock()
	}
	if s.panics {
		panic("the log has a hole")
	}
	if s.failWith != nil {
		return nil, s.failWith
	}
	s.clock += 1000
	b := s.store.NewBatch()
	defer b.Discard()
	result, at := &deskpb.Result{}, desk.Stamp{Time: s.clock, UTCOffset: 8 * 3600}
	var err error
	switch kind := c.Kind.(type) {
	case *deskpb.Command_PutPublication:
		err = tiers.PutPublication(b, kind.PutPublication, at)
	case *deskpb.Command_PlaceSite:
		err = tiers.PlaceSite(b, kind.PlaceSite, at)
	case *deskpb.Command_PutRequester:
		err = putCustomer(b, kind.PutRequester, at)
	case *deskpb.Command_SetDuty:
		err = b.PutDuty(kind.SetDuty)
	case *deskpb.Command_MarkNotices:
		err = b.MarkNotices(desk.UserID(kind.MarkNotices.User), kind.MarkNotices.Through)
	case *deskpb.Command_PutCustomerCall:
		err = recordCall(b, kind.PutCustomerCall, at)
	default:
		var decision *desk.Decision
		if decision, err = tiers.Decide(b, c.GetTicket(), at); err == nil {
			result.Ticket = proto.CloneOf(decision.Record.Ticket)
		}
	}
	if err != nil {
		return nil, err
	}
	return result, b.Commit(s.store.Applied()+1, 1)
}

// dispatch has the site's courier put a queued hand-over on the line.
func (s *memorySite) dispatch(t *testing.T, number, to string) {
	t.Helper()
	_, err := s.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: &deskpb.TicketCommand{
		Actor: &deskpb.Actor{}, Number: number, Verb: &deskpb.TicketCommand_Dispatch{Dispatch: &deskpb.Dispatch{To: to}},
	}}})
	if err != nil {
		t.Fatalf("dispatch %s to %s: %v", number, to, err)
	}
}

func (s *memorySite) Read(_ context.Context, _ bool, read func(*store.Reader) error) error {
	return s.store.View(read)
}

func (s *memorySite) Overview(context.Context) (*apipb.GetSiteResponse, error) {
	return &apipb.GetSiteResponse{
		Site:   &apipb.Site{Id: "330106", Name: "西湖区", Tier: apipb.Site_COUNTY, Parent: "330100"},
		Nodes:  []*apipb.Node{{Id: "n1", Role: apipb.Node_LEADER, Alive: true}},
		Leader: "n1", Term: 3, AppliedIndex: 42,
		Links: []*apipb.LinkStatus{{Peer: "330100", Direction: apipb.LinkStatus_PARENT, State: apipb.LinkStatus_UP, Pending: 2}},
	}, nil
}

func (s *memorySite) Sites(context.Context) (*apipb.ListSitesResponse, error) {
	return &apipb.ListSitesResponse{Sites: []*apipb.KnownSite{{Id: "330106", Name: "西湖区", Tier: apipb.Site_COUNTY, Alive: true}}}, nil
}

func (s *memorySite) Diagnose(context.Context) (*apipb.DiagnoseSiteResponse, error) {
	return &apipb.DiagnoseSiteResponse{Checks: []*apipb.Check{
		{Node: "n1", Name: "disk", State: apipb.Check_WARNING, Message: "the disk has 300 MiB left", Remedy: "make room"},
	}}, nil
}

func (s *memorySite) TransferLeadership(context.Context, string) error { return nil }

func (s *memorySite) RemoveNode(_ context.Context, node string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removed = append(s.removed, node)
	return nil
}

func (s *memorySite) Ready(context.Context) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reasons
}

func (s *memorySite) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// testAPI is the API over a memorySite, called without a network.
type testAPI struct {
	t       testing.TB
	site    *memorySite
	people  *memoryPeople
	server  *Server
	handler http.Handler
	log     *bytes.Buffer
}

func newTestAPI(t testing.TB) *testAPI {
	t.Helper()
	a := &testAPI{t: t, site: newMemorySite(t), people: newMemoryPeople(), log: &bytes.Buffer{}}
	var err error
	a.server, err = New(Options{
		Backend: a.site, People: a.people, Logger: slog.New(slog.NewTextHandler(a.log, nil)),
		Metrics: prometheus.NewRegistry(), Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	a.handler = a.server.Handler()
	return a
}

// answer is what a call came to. JSON is its body, decoded as any client would.
type answer struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

// header is one header of a call.
type header struct{ name, value string }

// call makes a call as the administrator; headers may change that.
func (a *testAPI) call(method, target, body string, headers ...header) answer {
	a.t.Helper()
	request := httptest.NewRequest(method, target, strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer admin")
	for _, h := range headers {
		request.Header.Del(h.name)
		if h.value != "" {
			request.Header.Set(h.name, h.value)
		}
	}
	recorder := httptest.NewRecorder()
	a.handler.ServeHTTP(recorder, request)
	result := recorder.Result()
	text, err := io.ReadAll(result.Body)
	if err != nil {
		a.t.Fatalf("%s %s: read the answer: %v", method, target, err)
	}
	got := answer{status: result.StatusCode, header: result.Header, body: string(text)}
	if strings.HasPrefix(result.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(text, &got.json); err != nil {
			a.t.Fatalf("%s %s: the answer is not JSON: %v\n%s", method, target, err, text)
		}
	}
	return got
}

// must is a call that has to succeed.
func (a *testAPI) must(method, target, body string, headers ...header) answer {
	a.t.Helper()
	got := a.call(method, target, body, headers...)
	if got.status != http.StatusOK {
		a.t.Fatalf("%s %s: status %d, want 200\n%s", method, target, got.status, got.body)
	}
	return got
}

// create opens a ticket and returns its number.
func (a *testAPI) create(title string) string {
	a.t.Helper()
	return a.must("POST", "/api/v1/tickets", `{"ticket":{"title":"`+title+`"}}`).text("number")
}

// text returns a string field of the answer; dots lead into messages.
func (a answer) text(path string) string {
	value := any(a.json)
	for _, name := range strings.Split(path, ".") {
		message, ok := value.(map[string]any)
		if !ok {
			return ""
		}
		value = message[name]
	}
	text, _ := value.(string)
	return text
}

// detail returns a field of the error detail of the type; "" when there is none.
func (a answer) detail(kind, field string) string {
	details, _ := a.json["details"].([]any)
	for _, d := range details {
		detail, _ := d.(map[string]any)
		if detail["@type"] != "type.googleapis.com/google.rpc."+kind {
			continue
		}
		if violations, ok := detail["fieldViolations"].([]any); ok && len(violations) == 1 {
			detail, _ = violations[0].(map[string]any)
		}
		text, _ := detail[field].(string)
		return text
	}
	return ""
}

func (a answer) reason() string { return a.detail("ErrorInfo", "reason") }
func (a answer) field() string  { return a.detail("BadRequest", "field") }
