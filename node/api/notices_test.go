package api

import (
	"fmt"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// staff gives the site people and a group.
func (s *memorySite) staff(t *testing.T) {
	t.Helper()
	s.write(t, func(b *store.Batch) error {
		for _, user := range []*deskpb.User{{Name: "li", DisplayName: "李工", Role: deskpb.User_AGENT}, {Name: "admin", Role: deskpb.User_ADMINISTRATOR}} {
			if err := b.PutUser(user); err != nil {
				return err
			}
		}
		return b.PutBasePolicy(&deskpb.Policy{Groups: []*deskpb.Team{{Name: "网络组", Title: &deskpb.Words{Zh: "网络运维组"}, Members: []string{"li", "admin", "gone"}}}})
	})
}

// write commits rows as an entry of the log would.
func (s *memorySite) write(t *testing.T, rows func(*store.Batch) error) {
	t.Helper()
	b := s.store.NewBatch()
	defer b.Discard()
	if err := rows(b); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(s.store.Applied()+1, 1); err != nil {
		t.Fatal(err)
	}
}

func TestNotices(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	a.site.staff(t)
	agent := header{"Authorization", "Bearer li"}
	first, second, third := a.create("一"), a.create("二"), a.create("三")
	for _, number := range []string{first, second, third} {
		a.must("POST", "/api/v1/tickets/"+number+":assign", `{"assignee":"li"}`)
	}
	shown := func(got answer) (tickets []string) {
		for _, n := range got.json["notices"].([]any) {
			tickets = append(tickets, n.(map[string]any)["ticket"].(string))
		}
		return tickets
	}
	page := a.must("GET", "/api/v1/notices?pageSize=2", "", agent)
	if got := shown(page); len(got) != 2 || got[0] != third || got[1] != second || page.json["unread"] != 3.0 {
		t.Fatalf("the first page is %s, want the two latest of three", page.body)
	}
	notice := page.json["notices"].([]any)[0].(map[string]any)
	if notice["kind"] != "ASSIGNED" || notice["title"] != "三" || notice["read"] != false {
		t.Errorf("the latest notice is %v", notice)
	}
	rest := a.must("GET", "/api/v1/notices?pageSize=2&pageToken="+page.text("nextPageToken"), "", agent)
	if got := shown(rest); len(got) != 1 || got[0] != first || rest.text("nextPageToken") != "" {
		t.Errorf("the second page is %s, want the oldest", rest.body)
	}
	a.must("POST", "/api/v1/notices:markRead", `{"through":"`+page.json["notices"].([]any)[1].(map[string]any)["time"].(string)+`"}`, agent)
	if got := a.must("GET", "/api/v1/notices?unread=true", "", agent); len(shown(got)) != 1 || shown(got)[0] != third || got.json["unread"] != 1.0 {
		t.Errorf("not read is %s, want the latest", got.body)
	}
	a.must("POST", "/api/v1/notices:markRead", `{}`, agent)
	if got := a.must("GET", "/api/v1/notices?unread=true", "", agent); len(shown(got)) != 0 {
		t.Errorf("after all were read %s is not", got.body)
	}
	if got := a.must("GET", "/api/v1/notices", ""); len(shown(got)) != 0 {
		t.Errorf("who gave the tickets was told %s", got.body)
	}
	if got := a.call("GET", "/api/v1/notices?pageToken="+page.text("nextPageToken"), ""); got.status != 400 {
		t.Errorf("somebody else's page token: %d %s", got.status, got.body)
	}
}

// Anybody can make a token of the right form: the position in it is looked at before it is used.
func TestANoticeTokenOfAnotherLengthIsRefused(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	a.site.staff(t)
	token := pageScope{"notices", "li", "false"}.seal([]byte{1})
	if got := a.call("GET", "/api/v1/notices?pageToken="+token, "", header{"Authorization", "Bearer li"}); got.status != 400 {
		t.Errorf("a token with a position of one byte is answered %d %s, want 400", got.status, got.body)
	}
}

func TestDuty(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t)
	a.site.staff(t)
	agent := header{"Authorization", "Bearer li"}
	members := func(query string) map[string]map[string]any {
		found := map[string]map[string]any{}
		for _, group := range a.must("GET", "/api/v1/duty"+query, "", agent).json["groups"].([]any) {
			for _, member := range group.(map[string]any)["members"].([]any) {
				found[member.(map[string]any)["user"].(string)] = member.(map[string]any)
			}
		}
		return found
	}
	if got := members(""); len(got) != 2 || got["li"]["on"] != true || got["li"]["byHand"] != false {
		t.Errorf("without a roster the duty is %v, want both people of the site on it", got)
	}
	if got := members("")["li"]["displayName"]; got != "李工" {
		t.Errorf("li is called %v", got)
	}
	if got := a.must("GET", "/api/v1/duty?group=网络组", "", agent).json["groups"].([]any)[0].(map[string]any)["title"]; fmt.Sprint(got) != "map[en: zh:网络运维组]" {
		t.Errorf("the group is called %v", got)
	}
	a.must("POST", "/api/v1/duty", `{"on":false,"until":"2999-01-01T00:00:00Z"}`, agent)
	if got := members("?group=网络组")["li"]; got["on"] != false || got["byHand"] != true || got["until"] != "2999-01-01T00:00:00Z" {
		t.Errorf("li has signed off; the duty is %v", got)
	}
	if got := members("?time=2999-01-01T00:00:00Z")["li"]; got["on"] != true {
		t.Errorf("when that ends the duty is %v", got)
	}
	if got := a.call("POST", "/api/v1/duty", `{"user":"admin","on":false}`, agent); got.status != 403 {
		t.Errorf("an agent signs somebody else off: %d %s", got.status, got.body)
	}
	a.must("POST", "/api/v1/duty", `{"user":"li","on":true}`)
	if got := members("")["li"]; got["on"] != true || got["byHand"] != true {
		t.Errorf("the administrator has signed li on; the duty is %v", got)
	}
	if got := a.call("GET", "/api/v1/duty?group=x", ""); got.status != 404 || got.reason() != "GROUP_NOT_FOUND" {
		t.Errorf("an unknown group: %d %s", got.status, got.body)
	}
}
