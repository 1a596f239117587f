package manage

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
	"github.com/tierdesk/tierdesk/policyfile"
)

// county is an office below another one, with an administrator at its pages. It serves policies and duty, and nothing else.
type county struct {
	nobody
	above, own string // the layers as texts
	version    uint64
}

func (c *county) Authenticate(context.Context, string, string) (*deskpb.Actor, error) {
	return &deskpb.Actor{User: "admin", Role: deskpb.User_ADMINISTRATOR, Scope: deskpb.User_SUBTREE}, nil
}

func (c *county) Invoke(ctx context.Context, method string, asked, answer any, _ ...grpc.CallOption) error {
	above, _ := policyfile.Read([]byte(c.above))
	under := []*deskpb.Policy{policy.Default(), above}
	own, _ := policyfile.Read([]byte(c.own))
	holds := policy.Merge(append(under, own)...)
	switch r := asked.(type) {
	case *apipb.GetPolicyRequest:
		reply(answer, &apipb.SitePolicy{Policy: holds, Own: c.own, Layers: []*apipb.PolicyLayer{
			{Publisher: "330106", Version: c.version, Source: c.own, Actor: "li"},
			{Publisher: "330100", Version: 7, Source: c.above, Locked: above.GetLocked()},
		}})
	case *apipb.CheckPolicyRequest:
		found := &apipb.CheckPolicyResponse{}
		layer, problems := policyfile.Check([]byte(r.GetSource()), under)
		for _, problem := range problems {
			found.Problems = append(found.Problems, &apipb.PolicyProblem{Line: int32(problem.Line), Path: problem.Path, Text: problem.Text})
		}
		found.Diff, _ = policyfile.Diff(holds, policy.Merge(append(under, layer)...), "now", "applied")
		reply(answer, found)
	case *apipb.ApplyPolicyRequest:
		if r.Over == nil || r.GetOver() != c.version {
			return status.Error(codes.Aborted, "changed meanwhile")
		}
		c.own, c.version = r.GetSource(), c.version+1
	case *apipb.ListDutyRequest:
		reply(answer, &apipb.ListDutyResponse{Colleagues: []*apipb.Colleague{{User: "li", DisplayName: "李明"}, {User: "wang", DisplayName: "王芳"}}})
	default:
		return status.Error(codes.Unimplemented, method)
	}
	return nil
}

func reply(into any, answer proto.Message) {
	if message, ok := into.(proto.Message); ok {
		proto.Merge(message, answer)
	}
}

// pages serves the pages of an office to somebody signed in.
func (c *county) pages(t *testing.T) func(method, path string, form url.Values) (int, string) {
	t.Helper()
	k, err := page.New(page.Options{
		API: c, Files: http.NotFoundHandler(), People: c, Standing: c, Logger: slog.New(slog.DiscardHandler),
		SiteID: "330106", SiteName: "西湖区", Tier: apipb.Site_COUNTY, Zone: china(),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	if err := k.Add(mux, Room()); err != nil {
		t.Fatal(err)
	}
	return func(method, path string, form url.Values) (int, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(&http.Cookie{Name: "tierdesk_330106", Value: "a session"})
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
}

const cityText = "groups:\n  - {name: second, title: 二线, members: [zhou]}\nrosters:\n  - {name: night, title: 夜班, calendar: office, shifts: [{from: 20:00, to: 08:00, people: [zhou]}]}\n"

func TestWhatASiteAboveHasLockedHasNoForm(t *testing.T) {
	t.Parallel()
	c := &county{above: cityText + "locked: [groups]\n", own: "# 本站\n"}
	visit := c.pages(t)
	for _, path := range []string{"/admin/groups", "/admin/groups/second"} {
		code, page := visit(http.MethodGet, path, nil)
		if code != http.StatusOK || !strings.Contains(page, "330100 已锁定“处理组”") || strings.Contains(page, `name="zh"`) || strings.Contains(page, "/admin/groups/new") {
			t.Errorf("%s: %d %s", path, code, page)
		}
	}
	for _, path := range []string{"/admin/groups/new", "/admin/groups/second", "/admin/groups/second/remove"} {
		code, page := visit(http.MethodPost, path, url.Values{"zh": {"二线"}, "do": {"apply"}, "over": {"0"}})
		if code != http.StatusConflict || !strings.Contains(page, "这一部分已由上级锁定") || c.own != "# 本站\n" {
			t.Errorf("%s: %d, and the text is %q: %s", path, code, c.own, page)
		}
	}
	if _, page := visit(http.MethodGet, "/admin/rosters/night", nil); !strings.Contains(page, `name="zh"`) {
		t.Errorf("a section that is not locked has no form: %s", page)
	}
}

// A group of the site above is changed here, given back, taken away and brought back; the remarks of the text stay all the while.
func TestAnEntryOfASiteAboveIsChangedAndGivenBack(t *testing.T) {
	t.Parallel()
	c := &county{above: cityText, own: "# 本站\nurging: {cool_down: 5m}\n"}
	visit := c.pages(t)
	step := func(path string, form url.Values, says, text string) {
		t.Helper()
		asked := path
		if way := form.Get("way"); way != "" {
			asked += "?way=" + way
		}
		method := http.MethodPost
		if strings.HasSuffix(path, "/remove") {
			method = http.MethodGet
		}
		code, page := visit(method, asked, form)
		if code != http.StatusOK || !strings.Contains(page, says) {
			t.Fatalf("%s: %d lacks %q: %s", path, code, says, page)
		}
		form.Set("do", "apply")
		_, over, _ := strings.Cut(page, `name="over" value="`)
		form.Set("over", over[:strings.Index(over, `"`)])
		if code, page := visit(http.MethodPost, path, form); code != http.StatusSeeOther {
			t.Fatalf("applying %s: %d %s", path, code, page)
		}
		if c.own != text {
			t.Fatalf("after %s the text is\n%s\nwant\n%s", path, c.own, text)
		}
	}
	const head = "# 本站\nurging: {cool_down: 5m}\n"
	const changed = head + "\ngroups:\n  - {name: second, title: 二线, members: [zhou, li]}\n"
	const away = head + "\ngroups:\n  - {name: second, removed: true}\n"
	step("/admin/groups/second", url.Values{"zh": {"二线"}, "members": {"zhou"}, "add": {"李明"}}, "这一项由“330100”规定", changed)
	step("/admin/groups/second/remove", url.Values{}, "上级的规定重新适用", head+"\n")
	step("/admin/groups/second/remove", url.Values{}, "该组的 1 名成员不再属于此组", away)
	if _, page := visit(http.MethodGet, "/admin/groups", nil); !strings.Contains(page, "上级规定、本站点不用的") || strings.Contains(page, `href="/admin/groups/second"`) {
		t.Errorf("what was taken away is not told: %s", page)
	}
	step("/admin/groups/second/remove", url.Values{}, "上级的规定重新适用", head+"\n")
	step("/admin/groups/second", url.Values{"zh": {"二线"}, "members": {"zhou"}, "add": {"李明"}}, "加入：李明", changed)
	step("/admin/groups/second/remove", url.Values{"way": {"away"}}, "本站点不再使用", away)
}

func TestTimesOfDayAreReadAsPeopleTypeThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int32{"8:30": 510, "08：30": 510, "0830": 510, "830": 510, "8": 480, "24:00": 1440, "2400": 1440, " 0 : 00 ": 0} {
		if got, ok := minuteTyped(text); !ok || got != want {
			t.Errorf("%q is read as %d, %t; want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "25:00", "24:01", "8:3", "8:60", "-1:00", "half past", "12:00:00", "99999"} {
		if got, ok := minuteTyped(text); ok {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}
