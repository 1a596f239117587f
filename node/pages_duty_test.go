package node

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// dutyRow is the row of one person on the page of duty.
var dutyRow = regexp.MustCompile(`name="user" value="([^"]+)"`)

// peopleOn are the accounts in the rows of the page of duty, in order.
func peopleOn(page string) (users []string) {
	for _, found := range dutyRow.FindAllStringSubmatch(page, -1) {
		users = append(users, found[1])
	}
	return users
}

// crowd makes accounts of members of a group, m000 to as many as asked.
func crowd(t *testing.T, n *Node, count int, group string) {
	t.Helper()
	for i := range count {
		user := &deskpb.User{
			Name: fmt.Sprintf("m%03d", i), DisplayName: fmt.Sprintf("成员%03d", i), Role: deskpb.User_AGENT, Groups: []string{group}, PasswordHash: "none",
		}
		result, err := n.backend.site.Propose(t.Context(), &deskpb.Command{Kind: &deskpb.Command_PutUser{PutUser: &deskpb.PutUser{CreateOnly: true, User: user}}})
		if err != nil || result.GetRefusal() != nil {
			t.Fatalf("make the account %s: %v, %v", user.Name, err, result.GetRefusal())
		}
	}
}

// A large group is no wall of rows: the page of all groups shows the first ones and how many more there are, a page of its own has all of
// them page by page, and a search finds one by name or account. Whoever sets duty comes back to where that was done.
func TestALargeGroupIsReadable(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	admin := following(signedIn(t, n, "admin", password))
	if _, page := admin.send("/admin/policy/apply?lang=zh", url.Values{"source": {"groups:\n  - {name: net, title: 网络组, method: manual}\n"}}); !strings.Contains(page, "制度已生效") {
		t.Fatalf("making a group: %s", page)
	}
	crowd(t, n, 120, "net")
	if _, page := admin.send("/admin/duty", url.Values{"user": {"m117"}, "on": {"no"}, "hours": {"4"}}); !strings.Contains(page, "119 / 120 人在班") {
		t.Fatalf("after one was set off duty the page is %s", page)
	}

	_, all := admin.get("/admin/duty?lang=zh")
	if rows := peopleOn(all); len(rows) != 8 || rows[0] != "m000" || !strings.Contains(all, "另有 112 人，查看全部") || !strings.Contains(all, `href="/admin/duty?group=net"`) {
		t.Errorf("the page of all groups has the rows %q", rows)
	}
	var members []string
	for address, pages := "/admin/duty?group=net", 0; address != "" && pages < 4; pages++ {
		status, page := admin.get(address)
		rows := peopleOn(page)
		if status != http.StatusOK || len(rows) > 50 {
			t.Fatalf("%s: %d with %d rows", address, status, len(rows))
		}
		members, address = append(members, rows...), nextPage(page)
	}
	if len(members) != 120 || members[0] != "m000" || members[119] != "m117" {
		t.Errorf("page by page the group has %d members, the last ones are %q; want 120 with who is off duty at the end", len(members), members[max(len(members)-2, 0):])
	}
	for query, want := range map[string]string{"成员042": "m042", "M043": "m043"} {
		if _, page := admin.get("/admin/duty?q=" + url.QueryEscape(query)); strings.Join(peopleOn(page), " ") != want {
			t.Errorf("a search for %q finds %q, want %s", query, peopleOn(page), want)
		}
	}
	if _, page := admin.get("/admin/duty?q=nobody"); !strings.Contains(page, "没有姓名或账号含“nobody”的成员") {
		t.Errorf("a search for nobody says %s", page)
	}
	_, page := admin.send("/admin/duty?group=net&q=042", url.Values{"user": {"m042"}, "on": {"no"}})
	if rows := peopleOn(page); len(rows) != 1 || rows[0] != "m042" || !strings.Contains(page, "值班已设置") || !strings.Contains(page, "118 / 120 人在班") {
		t.Errorf("after duty was set in a search the page has the rows %q: %s", rows, page)
	}
	if status, _ := admin.get("/admin/duty?group=none"); status != http.StatusNotFound {
		t.Errorf("a group that is not there: %d, want 404", status)
	}
}

// nextLink is the link to the next page of a list.
var nextLink = regexp.MustCompile(`class="btn" href="([^"]*after=[0-9]+[^"]*)"`)

func nextPage(page string) string {
	found := nextLink.FindStringSubmatch(page)
	if found == nil {
		return ""
	}
	return strings.ReplaceAll(found[1], "&amp;", "&")
}
