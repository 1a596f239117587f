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
			{Publisher: "330100", Version: 7, Source: c.above, Locked: above.GetLocked(), Names: map[string]string{"zhou": "周芳"}},
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
	case *apipb.ListQueuesRequest:
		if !r.GetAllGroups() {
			return status.Error(codes.InvalidArgument, "the queues of some groups are left out")
		}
		reply(answer, &apipb.ListQueuesResponse{Queues: []*apipb.Queue{
			{Kind: apipb.Queue_OPEN, Id: "open", Count: 9}, {Kind: apipb.Queue_GROUP, Id: "group:值班 1", Group: "值班 1", Count: 3},
			{Kind: apipb.Queue_GROUP, Id: "group:idle", Group: "idle"},
		}})
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
	return pagesOf(t, c)
}

// site is what pages of an office ask.
type site interface {
	grpc.ClientConnInterface
	page.People
	page.Standing
}

// pagesOf serves the pages of an office to somebody signed in.
func pagesOf(t *testing.T, c site) func(method, path string, form url.Values) (int, string) {
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
		if code != http.StatusOK || !strings.Contains(page, "330100 已锁定“处理组”") || strings.Contains(page, `name="zh"`) || strings.Contains(page, "/admin/new/group") {
			t.Errorf("%s: %d %s", path, code, page)
		}
	}
	for _, path := range []string{"/admin/new/group", "/admin/groups/second", "/admin/groups/second/remove"} {
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

// A group and a roster may be called like any page of theirs: each has one of its own, beside the form for a new one.
func TestAnEntryMayBeCalledNew(t *testing.T) {
	t.Parallel()
	c := &county{own: "groups: [{name: new, title: 新人组, members: [li]}]\nrosters: [{name: new, title: 新人班, calendar: office, shifts: [{from: 08:00, to: 18:00, people: [li]}]}]\n", version: 1}
	visit := c.pages(t)
	for path, want := range map[string]string{
		"/admin/groups/new": "新人组", "/admin/rosters/new": "新人班", "/admin/groups/new/remove": "移除“新人组”", "/admin/rosters/new/remove": "移除“新人班”",
		"/admin/new/group": "新建处理组", "/admin/new/roster": "新建值班表",
	} {
		if code, page := visit(http.MethodGet, path, nil); code != http.StatusOK || !strings.Contains(page, "<title>"+want) {
			t.Errorf("%s is not %s: %d %s", path, want, code, page)
		}
	}
	form := url.Values{"zh": {"新手组"}, "do": {"apply"}, "over": {"1"}, "members": {"li"}, "method": {"MANUAL"}}
	if code, page := visit(http.MethodPost, "/admin/groups/new", form); code != http.StatusSeeOther || !strings.Contains(c.own, "新手组") {
		t.Errorf("the group called new is not changed by its form: %d %s", code, page)
	}
}

// The list of groups counts what is open with each as the desk's queues count it, and leads there; of a group whose tickets the visitor
// does not see it says nothing.
func TestTheListOfGroupsCountsWhatIsOpen(t *testing.T) {
	t.Parallel()
	c := &county{own: "groups: [{name: 值班 1, title: 值班组}, {name: idle, title: 闲组}, {name: hidden, title: 别组}]\n", version: 1}
	visit := c.pages(t)
	_, list := visit(http.MethodGet, "/admin/groups", nil)
	for _, want := range []string{
		`<td class="num" data-label="本站点未办结"><a href="/desk?queue=group%3A%E5%80%BC%E7%8F%AD&#43;1">3</a></td>`,
		`<td class="num" data-label="本站点未办结">0</td>`, `<td class="num" data-label="本站点未办结"></td>`,
	} {
		if strings.Count(list, want) != 1 {
			t.Errorf("the list of groups is without %s: %s", want, list)
		}
	}
	for path, want := range map[string]string{
		"/admin/groups/%E5%80%BC%E7%8F%AD%201/remove": "此组现有 3 张未办结工单", "/admin/groups/idle/remove": "此组现在没有未办结的工单", "/admin/groups/hidden/remove": "未办结工单仍留在原处",
	} {
		if code, page := visit(http.MethodGet, path, nil); code != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("%s does not say %s: %d %s", path, want, code, page)
		}
	}
}

// Whom a layer of a site above names is called as that site says, and it is said whose people they are; a form about the group keeps them.
func TestPeopleOfASiteAboveHaveNames(t *testing.T) {
	t.Parallel()
	const above = "groups: [{name: second, title: 二线, members: [zhou, wu], manager: zhou}]\n"
	c := &county{above: above, own: "# 本站\n", version: 1}
	visit := c.pages(t)
	if _, list := visit(http.MethodGet, "/admin/groups", nil); !strings.Contains(list, "周芳、wu") || strings.Count(list, "330100的用户") != 1 {
		t.Errorf("the list of groups does not say who is in them: %s", list)
	}
	_, group := visit(http.MethodGet, "/admin/groups/second", nil)
	if !strings.Contains(group, `name="manager" class="form-control" value="周芳"`) || strings.Count(group, "330100的用户") != 2 || strings.Contains(group, `<option value="周芳">`) {
		t.Errorf("the page of the group does not say who is in it: %s", group)
	}
	form := url.Values{"zh": {"二线"}, "do": {"apply"}, "over": {"1"}, "members": {"zhou"}, "manager": {"周芳"}, "add": {"李明"}, "method": {"MANUAL"}}
	if code, page := visit(http.MethodPost, "/admin/groups/second", form); code != http.StatusSeeOther {
		t.Fatalf("the form is not taken: %d %s", code, page)
	}
	own, _ := policyfile.Read([]byte(c.own))
	if made := policy.Group(own, "second"); strings.Join(made.GetMembers(), " ") != "zhou li" || made.GetManager() != "zhou" {
		t.Errorf("the form made the group %v", made)
	}
}
