package manage

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// staffed is a county with people, tickets and a log besides: it keeps what the log and the tickets were asked for.
type staffed struct {
	county
	people  []*apipb.User
	tickets int
	asked   []string // filters
}

func (o *staffed) Invoke(ctx context.Context, method string, asked, answer any, options ...grpc.CallOption) error {
	switch r := asked.(type) {
	case *apipb.ListUsersRequest:
		found := &apipb.ListUsersResponse{}
		for _, person := range o.people {
			if strings.Contains(person.GetName()+person.GetDisplayName(), r.GetSearch()) {
				found.Users = append(found.Users, person)
			}
		}
		reply(answer, found)
	case *apipb.GetUserRequest:
		i := slices.IndexFunc(o.people, func(u *apipb.User) bool { return u.GetName() == r.GetName() })
		reply(answer, o.people[i])
	case *apipb.ListSessionsRequest, *apipb.ListAccessTokensRequest:
	case *apipb.ListAuditRequest:
		o.asked = append(o.asked, r.GetFilter())
	case *apipb.ListTicketsRequest:
		o.asked = append(o.asked, r.GetFilter())
		reply(answer, &apipb.ListTicketsResponse{Tickets: make([]*deskpb.Ticket, o.tickets)})
	default:
		return o.county.Invoke(ctx, method, asked, answer, options...)
	}
	return nil
}

func (o *staffed) pages(t *testing.T) func(method, path string, form url.Values) (int, string) {
	t.Helper()
	return pagesOf(t, o)
}

func newStaffed() *staffed {
	return &staffed{people: []*apipb.User{
		{Name: "li", DisplayName: "李明"}, {Name: "wang", DisplayName: "王芳"}, {Name: "wang2", DisplayName: "王芳菲", Disabled: true},
		{Name: "chen1", DisplayName: "陈洁"}, {Name: "chen2", DisplayName: "陈洁"}, {Name: "zhao1", DisplayName: "赵一"}, {Name: "zhao2", DisplayName: "赵二"},
	}}
}

// The log is searched for a person by what people know: the user, the name, or a part of it. Who has the name now is looked for by the user,
// so that entries of other names are found too; who is gone is looked for by the name that the log keeps.
func TestTheLogIsAskedForPeopleByName(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"li": `actor = "li"`, "LI": `actor = "li"`, "李明": `actor = "li"`, "李": `actor = "li"`, "王芳": `actor = "wang"`, "王芳菲": `actor = "wang2"`,
		"陈洁": `actorName = "陈洁"`, "孙走": `actorName = "孙走"`, "gone": `actor = "gone"`, "": "",
	} {
		o := newStaffed()
		code, page := o.pages(t)(http.MethodGet, "/admin/audit?actor="+url.QueryEscape(typed), nil)
		if code != http.StatusOK || !slices.Equal(o.asked, []string{want}) {
			t.Errorf("for %q the log is asked %q, want %q: %d", typed, o.asked, want, code)
		}
		if strings.Contains(page, "以下是李明（li）的记录") != (typed == "李") {
			t.Errorf("for %q the page says who is meant, or does not: %s", typed, page)
		}
	}
	o := newStaffed()
	code, page := o.pages(t)(http.MethodGet, "/admin/audit?actor="+url.QueryEscape("赵"), nil)
	if code != http.StatusBadRequest || len(o.asked) != 0 || !strings.Contains(page, "有几个人的姓名符合：赵一、赵二") || !strings.Contains(page, `value="赵"`) {
		t.Errorf("a part of two names is answered with %d, and the log is asked %q: %s", code, o.asked, page)
	}
	if !strings.Contains(page, `<option value="李明">`) {
		t.Errorf("the search suggests nobody: %s", page)
	}
}

// Before an account ends the page says what the person leaves behind, and leads there.
func TestWhatSomebodyLeavesBehindIsSaidBefore(t *testing.T) {
	t.Parallel()
	o := newStaffed()
	o.own = "groups: [{name: net, title: 网络组, members: [li, wang], manager: li}]\n" +
		"rosters: [{name: night, title: 夜班, calendar: office, shifts: [{from: 20:00, to: 08:00, people: [li]}]}]\n"
	o.tickets = 3
	visit := o.pages(t)
	for _, path := range []string{"/admin/people/li/disable", "/admin/people/li/delete"} {
		code, page := visit(http.MethodGet, path, nil)
		for _, want := range []string{"名下有 3 张未办结工单", "处理组的成员：网络组。", "处理组的负责人：网络组。", "值班表仍排有此人：夜班。", `href="/desk?filter=assignee`, `href="/admin/groups/net"`, `href="/admin/rosters/night"`} {
			if code != http.StatusOK || strings.Count(page, want) != 1 {
				t.Errorf("%s does not say %q once: %d %s", path, want, code, page)
			}
		}
	}
	const filter = `assignee = "li" AND custodianSite = "330106" AND state != RESOLVED AND state != CLOSED AND state != CANCELED`
	if !slices.Equal(o.asked, []string{filter, filter}) {
		t.Errorf("the tickets were asked %q", o.asked)
	}
	o.tickets = 0
	if _, page := visit(http.MethodGet, "/admin/people/wang/disable", nil); !strings.Contains(page, "名下没有未办结的工单") || strings.Contains(page, "夜班") {
		t.Errorf("of somebody without tickets the page says %s", page)
	}
}

// A group that the policy puts somebody into is shown as such beside those of the account, and is not for the account's form to take away.
func TestGroupsByThePolicyAreShownWithTheAccount(t *testing.T) {
	t.Parallel()
	o := newStaffed()
	o.own = "groups: [{name: net, title: 网络组, members: [li]}, {name: host, title: 主机组}]\n"
	o.people[0].Groups = []string{"host"}
	_, page := o.pages(t)(http.MethodGet, "/admin/people/li", nil)
	for _, want := range []string{
		`name="groups" value="net" checked disabled><span class="form-check-label">网络组 <span class="hint">制度规定</span>`,
		`name="groups" value="host" checked><span class="form-check-label">主机组</span>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of the person is without %s: %s", want, page)
		}
	}
}

// The page of a calendar says who enters holidays: whoever keeps it, or the visitor, and how.
func TestACalendarSaysWhoEntersHolidays(t *testing.T) {
	t.Parallel()
	o := newStaffed()
	o.own = "calendars: [{name: shop, title: 窗口时间, time_zone: Asia/Shanghai, weekdays: [{day: sat, segments: ['09:00-12:00']}]}]\n"
	visit := o.pages(t)
	if _, page := visit(http.MethodGet, "/admin/policy/calendars/office", nil); !strings.Contains(page, "此日历由省级统一维护") || strings.Contains(page, "/admin/policy/edit") {
		t.Errorf("the page of a calendar of the province says %s", page)
	}
	_, page := visit(http.MethodGet, "/admin/policy/calendars/shop", nil)
	for _, want := range []string{"/admin/policy/edit", "- name: shop", "working: true"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of an own calendar is without %q: %s", want, page)
		}
	}
}
