package page

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// nobody is behind the pages of these tests.
type nobody struct{}

func (nobody) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	return status.Error(codes.Unimplemented, "nothing is served")
}

func (nobody) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unimplemented, "nothing is served")
}

func (nobody) Authenticate(context.Context, string, string) (*deskpb.Actor, error) {
	return &deskpb.Actor{User: "li", Role: deskpb.User_AGENT}, nil
}

func (nobody) Site() *apipb.GetSiteResponse    { return nil }
func (nobody) Sites() *apipb.ListSitesResponse { return nil }

func china() *time.Location { return time.FixedZone("CST", 8*3600) }

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, china()) }

func newKit(t *testing.T) *Kit {
	t.Helper()
	k, err := New(Options{
		API: nobody{}, Files: http.NotFoundHandler(), People: nobody{}, Standing: nobody{}, Logger: slog.New(slog.DiscardHandler),
		SiteID: "330106", SiteName: "西湖区", Tier: apipb.Site_COUNTY, Zone: china(), Now: noon,
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newVisit is a visit at noon in a language.
func newVisit(t *testing.T, lang string) *Visit {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/?lang="+lang, nil)
	return newKit(t).Visit(t.Context(), httptest.NewRecorder(), r)
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{API: nobody{}, Files: http.NotFoundHandler(), People: nobody{}, Standing: nobody{}}); err == nil ||
		!strings.Contains(err.Error(), "Logger") {
		t.Errorf("without a logger: %v, want an error that names it", err)
	}
}

// What is latest when a page begins is not what is latest when a long upload has ended.
func TestTheCallsOfAPageBelongTogetherUntilItIsRenewed(t *testing.T) {
	t.Parallel()
	type belongs struct{}
	k, groups := newKit(t), 0
	k.Together = func(ctx context.Context) context.Context {
		groups++
		return context.WithValue(ctx, belongs{}, groups)
	}
	v := k.Visit(t.Context(), httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/desk", nil))
	defer v.end()
	if first, second := v.Ctx().Value(belongs{}), v.Ctx().Value(belongs{}); first != 1 || second != 1 {
		t.Errorf("two calls of a page belong to groups %v and %v, want the first one", first, second)
	}
	v.renew()
	if got := v.Ctx().Value(belongs{}); got != 2 {
		t.Errorf("after an upload calls belong to group %v, want the second one", got)
	}
}

func TestLocalAddressesAreThoseOfThisSite(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/t/7?tab=files#x": "/t/7?tab=files#x", "/": "/", "": "/", "desk": "/", "//evil.example/": "/", "https://evil.example/": "/",
		`/\evil.example`: "/", "/a\x00b": "/", "javascript:alert(1)": "/", "/%2Fevil": "/%2Fevil",
	} {
		if got := Local(path); got != want {
			t.Errorf("Local(%q) = %q, want %q", path, got, want)
		}
	}
}

func FuzzLocalNeverLeavesTheSite(f *testing.F) {
	for _, seed := range []string{"/desk", "//x", "http://x", "/\\x", "/a?b=//c", "\t//x", "/\t/x"} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "desk.example"}
	f.Fuzz(func(t *testing.T, path string) {
		at, err := base.Parse(Local(path))
		if err != nil || at.Host != base.Host || at.Scheme != base.Scheme {
			t.Errorf("Local(%q) leads to %v, %v", path, at, err)
		}
	})
}

func TestZoneIsTheVisitorsOrTheSites(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Europe/Berlin": "Europe/Berlin", "Asia/Shanghai": "Asia/Shanghai", "": "CST", "Local": "CST", "Nowhere/At all": "CST",
		"../etc/passwd": "CST", strings.Repeat("A", 65): "CST",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", "tierdesk_zone="+name)
		if got := zoneOf(r, china()).String(); got != want {
			t.Errorf("with the cookie %q the zone is %s, want %s", name, got, want)
		}
	}
	if got := zoneOf(httptest.NewRequest(http.MethodGet, "/", nil), china()).String(); got != "CST" {
		t.Errorf("without a cookie the zone is %s, want the site's", got)
	}
}

func TestTimesAreToldAsPeopleSayThem(t *testing.T) {
	t.Parallel()
	zh, en := newVisit(t, "zh"), newVisit(t, "en")
	for d, want := range map[time.Duration][2]string{
		-time.Hour: {"0 分钟", "0 min"}, time.Second: {"1 分钟", "1 min"}, 42 * time.Minute: {"42 分钟", "42 min"},
		59*time.Minute + time.Second: {"1 小时", "1 h"}, 65 * time.Minute: {"1 小时 05 分", "1 h 05 min"},
		24 * time.Hour: {"1 天", "1 d"}, 76*time.Hour + 59*time.Minute: {"3 天 4 小时", "3 d 4 h"},
	} {
		if got := [2]string{zh.Span(d), en.Span(d)}; got != want {
			t.Errorf("Span(%v) = %q, want %q", d, got, want)
		}
	}
	for ago, want := range map[time.Duration][2]string{
		30 * time.Second: {"刚刚", "11:59"}, 5 * time.Minute: {"5 分钟前", "11:55"}, 13 * time.Hour: {"13 小时前", "11-21 23:00"},
		400 * 24 * time.Hour: {"400 天前", "2025-10-18 12:00"},
	} {
		got := zh.Moment(noon().Add(-ago))
		if got.Ago != want[0] || got.Clock != want[1] {
			t.Errorf("a moment %v ago is %q at %q, want %q", ago, got.Ago, got.Clock, want)
		}
	}
	if got := zh.Moment(noon()).Exact; got != "2026-11-22 12:00:00 CST (UTC+08:00)" {
		t.Errorf("the exact time is %q", got)
	}
	if (zh.Time(nil) != Moment{}) || (zh.Time(&timestamppb.Timestamp{}) != Moment{}) {
		t.Error("no time is shown as one")
	}
}

func TestDeadlinesCountDown(t *testing.T) {
	t.Parallel()
	v := newVisit(t, "zh")
	for left, want := range map[time.Duration]Deadline{
		42 * time.Minute:  {Text: "还剩 42 分钟"},
		0:                 {Text: "还剩 0 分钟"},
		-65 * time.Minute: {Text: "超时 1 小时 05 分", Late: true},
	} {
		got := v.Deadline(timestamppb.New(noon().Add(left)))
		if got.Text != want.Text || got.Late != want.Late || got.ISO == "" || got.Exact == "" {
			t.Errorf("with %v left: %+v, want %+v", left, got, want)
		}
	}
	if (v.Deadline(nil) != Deadline{}) {
		t.Error("no deadline is shown as one")
	}
}

// refused is a refusal as the API sends it.
func refused(t *testing.T, code codes.Code, reason, field, message string) error {
	t.Helper()
	st, err := status.New(code, message).WithDetails(&errdetails.ErrorInfo{Reason: reason},
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: field}}})
	if err != nil {
		t.Fatal(err)
	}
	return st.Err()
}

func TestProblemsSayWhatHappened(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		zh, en string
	}{
		"a field": {refused(t, codes.InvalidArgument, "INVALID", "title", "title is empty"), 400, "填写的内容不符合要求。 title is empty", "title is empty"},
		"a right": {refused(t, codes.PermissionDenied, "ROLE", "", "li may not"), 403, "您没有权限进行此操作；如确有需要，请联系管理员。", "li may not"},
		"nothing": {refused(t, codes.NotFound, "NO_TICKET", "", "no ticket 7"), 404, "没有找到，或者不在您的权限范围内。", "no ticket 7"},
		"a state": {refused(t, codes.FailedPrecondition, "STATE", "", "it is closed"), 409, "当前状态下不能这样做。 it is closed", "it is closed"},
		"a known refusal of a field": {desk.RefuseField("ticket.title", "%d characters are too many; the limit is %d", 250, 200), 400,
			"标题：共 250 个字符，超出上限；最多 200 个字符。", "ticket.title: 250 characters are too many; the limit is 200"},
		"a known refusal of a special field": {desk.RefuseField("ticket.fields.部门", "it is empty; give one"), 400,
			"部门：请填写此项。", "ticket.fields.部门: it is empty; give one"},
		"a known refusal that names its field elsewhere": {&desk.Refusal{Code: desk.InvalidArgument, Reason: "INVALID_FIELD", Field: "macro",
			Message: `macro "重启", step 2 (note): text: it is empty; give one`}, 400,
			"宏“重启”第 2 步（备注）：内容：请填写此项。", `macro "重启", step 2 (note): text: it is empty; give one`},
		"a known refusal of a right": {desk.Refuse(desk.PermissionDenied, "PERMISSION_DENIED", "user %q has no role at this site; ask an administrator for one", "li"), 403,
			"用户“li”在本站没有角色；请联系系统管理员。", `user "li" has no role at this site; ask an administrator for one`},
		"a time": {desk.Refuse(desk.FailedPrecondition, "LINK_WAS_GOOD", "this link was good until %s; ask the service desk for another one", "2026-11-19T02:00:00Z"), 409,
			"链接已于 11-19 10:00 过期；请向服务台索取新的链接。", "this link was good until 2026-11-19T02:00:00Z; ask the service desk for another one"},
		"a desk's refusal": {fmt.Errorf("read the form: %w", desk.Refuse(desk.ResourceExhausted, "RATE", "too many")), 429,
			"请求过于频繁，请稍后再试。", "too many"},
		"no leader": {status.Error(codes.Unavailable, "no leader"), 503, "本站点暂时不能完成，请稍后再试。", "no leader"},
		"out of time": {context.DeadlineExceeded, 504, "等待超时，结果未知；请先查看是否已生效，再决定是否重试。",
			"It took too long, and the outcome is unknown; look whether it took effect before you try again."},
		"a plain fault": {errors.New("disk at /secret"), 500, "系统出错，操作没有完成；日志中有原因，请联系管理员。",
			"Something broke, and nothing was done; the node's log has the cause. Tell an administrator."},
		"a fault of the API": {status.Error(codes.Internal, "disk at /secret"), 500, "系统出错，操作没有完成；日志中有原因，请联系管理员。",
			"Something broke, and nothing was done; the node's log has the cause. Tell an administrator."},
	} {
		for lang, want := range map[string]string{"zh": c.zh, "en": c.en} {
			if got := newVisit(t, lang).Problem(c.err); got.Status != c.status || got.Text != want {
				t.Errorf("%s, %s: %d %q, want %d %q", name, lang, got.Status, got.Text, c.status, want)
			}
		}
	}
	title := desk.RefuseField("ticket.title", "it is empty; give one")
	for lang, want := range map[string]string{"zh": "请填写此项。", "en": "it is empty; give one"} {
		if got := newVisit(t, lang).Problem(title).Beside(); got != want {
			t.Errorf("beside the title, %s: %q, want %q", lang, got, want)
		}
	}
	if got := newVisit(t, "en").Problem(refused(t, codes.InvalidArgument, "INVALID", "title", "x")); got.Field != "title" || got.Reason != "INVALID" {
		t.Errorf("the refusal of a field is %+v", got)
	}
}

// aRoom serves one page that does what a test wants.
func aRoom(serve func(*Visit) error) Room {
	return Room{
		Files: fstest.MapFS{
			"words.yaml":          {Data: []byte("room.title: {zh: 房间, en: Room}\ndone.room: {zh: 已办妥, en: Done}\n")},
			"templates/room.html": {Data: []byte(`{{template "head" .}}{{template "top" .}}<main id="main">{{icon "user"}}</main>{{template "foot" .}}`)},
		},
		Routes: []Route{{Pattern: "GET /room", Serve: serve}, {Pattern: "POST /room", Serve: serve}},
	}
}

// serveRoom answers a request with the page of a room, for somebody who is signed in.
func serveRoom(t *testing.T, r *http.Request, serve func(*Visit) error) *httptest.ResponseRecorder {
	t.Helper()
	k, mux := newKit(t), http.NewServeMux()
	if err := k.Add(mux, aRoom(serve)); err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "tierdesk_330106", Value: "token"})
	recorder := httptest.NewRecorder()
	mux.ServeHTTP(recorder, r)
	return recorder
}

func TestAnErrorIsAPageOrAPart(t *testing.T) {
	t.Parallel()
	fail := func(*Visit) error { return desk.Refuse(desk.NotFound, "NO_TICKET", "no ticket 7") }
	whole := serveRoom(t, httptest.NewRequest(http.MethodGet, "/room", nil), fail)
	if whole.Code != http.StatusNotFound || !strings.Contains(whole.Body.String(), "<html") || !strings.Contains(whole.Body.String(), "没有找到") {
		t.Errorf("the page of an error: %d %s", whole.Code, whole.Body)
	}
	r := httptest.NewRequest(http.MethodGet, "/room", nil)
	r.Header.Set("HX-Request", "true")
	part := serveRoom(t, r, fail)
	if part.Code != http.StatusNotFound || strings.Contains(part.Body.String(), "<html") || part.Header().Get("HX-Retarget") != "#messages" {
		t.Errorf("the part that tells an error: %d %v %s", part.Code, part.Header(), part.Body)
	}
}

// TestAPageThatCannotBeShownLooksAgain has a page fail while nobody may be there to load it again.
func TestAPageThatCannotBeShownLooksAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method string
		code   desk.Code
		again  bool
	}{
		"no leader":        {http.MethodGet, desk.Unavailable, true},
		"no such thing":    {http.MethodGet, desk.NotFound, false},
		"a form was typed": {http.MethodPost, desk.Unavailable, false},
	} {
		fail := func(*Visit) error { return desk.Refuse(c.code, "REASON", "it cannot be shown") }
		told := serveRoom(t, httptest.NewRequest(c.method, "/room", nil), fail).Body.String()
		if again := strings.Contains(told, `http-equiv="refresh"`); again != c.again {
			t.Errorf("%s: the page looks again by itself: %v, want %v", name, again, c.again)
		}
	}
}

func TestAPageSaysWhatWasDone(t *testing.T) {
	t.Parallel()
	show := func(v *Visit) error { return v.Render(http.StatusOK, "room.html", v.Frame(v.Word("room.title"))) }
	for target, want := range map[string]bool{"/room?done=room": true, "/room?done=nothing": false, "/room": false} {
		if got := strings.Contains(serveRoom(t, httptest.NewRequest(http.MethodGet, target, nil), show).Body.String(), "已办妥"); got != want {
			t.Errorf("%s says that it was done: %v, want %v", target, got, want)
		}
	}
}

func TestFormsAreBounded(t *testing.T) {
	t.Parallel()
	var got url.Values
	read := func(v *Visit) (err error) {
		got, err = v.Form()
		return err
	}
	post := func(body string) int {
		r := httptest.NewRequest(http.MethodPost, "/room", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return serveRoom(t, r, read).Code
	}
	if code := post("a=1%0D%0A2&b=%FF"); code != http.StatusOK || got.Get("a") != "1\n2" || got.Get("b") != "\uFFFD" {
		t.Errorf("a form: %d %q, want lines as \\n and text that is text", code, got)
	}
	if code := post("a=" + strings.Repeat("x", MaxForm)); code != http.StatusBadRequest {
		t.Errorf("a form of more than %d bytes: %d", MaxForm, code)
	}
	if code := post("a=%zz"); code != http.StatusBadRequest {
		t.Errorf("a form that cannot be read: %d", code)
	}
}
