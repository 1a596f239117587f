package api

import (
	"fmt"
	"maps"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

func TestPeopleAreFoundByWhatIsKnownOfThem(t *testing.T) {
	t.Parallel()
	groups := []*deskpb.Team{
		{Name: "network", Title: &deskpb.Words{Zh: "网络运维组", En: "Network team"}, Members: []string{"li"}},
		{Name: "database", Title: &deskpb.Words{Zh: "数据库组"}},
	}
	li := &deskpb.User{
		Name: "li", DisplayName: "李工", Role: deskpb.User_AGENT, Unit: "西湖区财政局", Phone: "0571-8888 0102", Email: "li@example.org", Groups: []string{"database"},
		PasswordHash: "hashed", TotpSecret: []byte("seed"),
	}
	for word, want := range map[string]bool{
		"li": true, "李": true, "财政": true, "8888 0102": true, "88880102": true, "(0571)8888": true, "+8657188880102": true, "example": true, "网络": true, "team": true, "数据库": true,
		"databas": true, "wang": false, "0579": false, "-": true, "()": false, "hashed": false, "seed": false,
	} {
		if got := newSoughtWord(word, groups).fits(li); got != want {
			t.Errorf("%q finds 李工: %v, want %v", word, got, want)
		}
	}
	li.Name = "someone"
	if newSoughtWord("网络", groups).fits(li) {
		t.Error("somebody is found by a group of which another is a member")
	}
}

func TestASearchForPeopleGoesOnFromPageToPage(t *testing.T) {
	a := newTestAPI(t)
	a.site.staff(t)
	for i := range 5 {
		name := fmt.Sprintf("wang%d", i)
		a.people.users[name] = &apipb.User{Name: name, DisplayName: "王", Unit: fmt.Sprintf("第%d科", i), Role: apipb.User_AGENT}
	}
	a.people.users["wang3"].Role = apipb.User_LEADER
	names := func(query string) (found []string, next string) {
		t.Helper()
		got := a.must("GET", "/api/v1/users?"+query, "")
		users, _ := got.json["users"].([]any)
		for _, user := range users {
			found = append(found, user.(map[string]any)["name"].(string))
		}
		return found, got.text("nextPageToken")
	}
	for query, want := range map[string]string{
		"search=WANG&role=AGENT": "[wang0 wang1 wang2 wang4]", "search=%E7%8E%8B+%E7%AC%AC2": "[wang2]", "role=LEADER": "[wang3]",
		"search=%E7%BD%91%E7%BB%9C": "[admin li]", "search=nobody": "[]", "search=+": "[admin li wang0 wang1 wang2 wang3 wang4]",
	} {
		if found, next := names(query); fmt.Sprint(found) != want || next != "" {
			t.Errorf("%s finds %v and goes on at %q, want %s", query, found, next, want)
		}
	}
	first, token := names("search=wang&pageSize=3")
	second, end := names("search=wang&pageSize=3&pageToken=" + token)
	if fmt.Sprint(first, second) != "[wang0 wang1 wang2] [wang3 wang4]" || end != "" {
		t.Errorf("the pages are %v and %v, behind which it goes on at %q", first, second, end)
	}
	for _, query := range []string{"search=wan&pageToken=" + token, "role=77", fmt.Sprintf("search=%0101d", 0)} {
		if got := a.call("GET", "/api/v1/users?"+query, ""); got.status != 400 {
			t.Errorf("%.40s: %d %s, want 400", query, got.status, got.body)
		}
	}
}

// TestAPersonIsPlacedAsTheDutyListSays compares what is said of each person, alone on a page, with what is said of all groups.
func TestAPersonIsPlacedAsTheDutyListSays(t *testing.T) {
	a := newTestAPI(t)
	accounts := []*deskpb.User{
		{Name: "li", Role: deskpb.User_AGENT, Groups: []string{"database"}}, {Name: "wang", Role: deskpb.User_AGENT},
		{Name: "gone", Role: deskpb.User_AGENT, Groups: []string{"database"}, Disabled: true},
		{Name: "leader", Role: deskpb.User_LEADER, Groups: []string{"database"}}, {Name: "off", Role: deskpb.User_DISPATCHER, Groups: []string{"database"}},
	}
	a.site.write(t, func(b *store.Batch) error {
		for _, account := range accounts {
			if err := b.PutUser(account); err != nil {
				return err
			}
			a.people.users[account.Name] = &apipb.User{Name: account.Name, Role: apipb.User_Role(account.Role), Groups: account.Groups}
		}
		if err := b.PutDuty(&deskpb.SetDuty{User: "off"}); err != nil {
			return err
		}
		return b.PutBasePolicy(&deskpb.Policy{Groups: []*deskpb.Team{{Name: "network", Members: []string{"wang", "gone", "li"}}, {Name: "database"}}})
	})
	for name, want := range map[string]string{
		"li": "[database network] true", "wang": "[network] true", "gone": "[database] false", "leader": "[database] false", "off": "[database] false",
	} {
		user := a.must("GET", "/api/v1/users/"+name, "").json
		if got := fmt.Sprint(user["memberOf"], " ", user["onDuty"]); got != want {
			t.Errorf("%s is shown with %s, want %s", name, got, want)
		}
	}
	on := map[string]bool{}
	for _, group := range a.must("GET", "/api/v1/duty", "").json["groups"].([]any) {
		for _, member := range group.(map[string]any)["members"].([]any) {
			m := member.(map[string]any)
			on[m["user"].(string)] = m["on"] == true
		}
	}
	if want := map[string]bool{"li": true, "wang": true, "off": false}; !maps.Equal(on, want) {
		t.Errorf("the duty list says %v, want %v", on, want)
	}
}
