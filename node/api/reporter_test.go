package api

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// TestARequesterWhoGivesNoNameIsCalledAsTheAccountSays opens tickets by a requester whose account has all there is to have.
func TestARequesterWhoGivesNoNameIsCalledAsTheAccountSays(t *testing.T) {
	a := newCastAPI(t, everyRole())
	a.site.mu.Lock()
	b := a.site.store.NewBatch()
	for _, name := range []string{"requester", "agent"} {
		user, err := b.User(desk.UserID(name))
		if err != nil {
			t.Fatal(err)
		}
		user = proto.CloneOf(user)
		user.DisplayName, user.Unit, user.Phone, user.Email = "刘洋", "预算科", "0571-1", "liu@example.cn"
		if err := b.PutUser(user); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Commit(a.site.store.Applied()+1, 1); err != nil {
		t.Fatal(err)
	}
	b.Discard()
	a.site.mu.Unlock()
	for _, c := range []struct {
		name, who, said string
		want            *deskpb.Requester
	}{
		{"nothing said", "requester", ``,
			&deskpb.Requester{User: "requester", Name: "刘洋", Unit: "预算科", Phone: "0571-1", Email: "liu@example.cn"}},
		{"another number", "requester", `,"requester":{"phone":"0571-2"}`,
			&deskpb.Requester{User: "requester", Name: "刘洋", Unit: "预算科", Phone: "0571-2", Email: "liu@example.cn"}},
		{"for somebody else", "requester", `,"requester":{"name":"李四"}`, &deskpb.Requester{User: "requester", Name: "李四"}},
		{"an agent's", "agent", ``, nil},
	} {
		number := a.must("POST", "/api/v1/tickets", `{"ticket":{"title":"x"`+c.said+`},"requestId":"r-`+c.name+`"}`, as(c.who)).text("number")
		if got := a.stored(number).GetTicket().GetRequester(); !proto.Equal(got, c.want) {
			t.Errorf("%s: the ticket is of %v, want %v", c.name, got, c.want)
		}
	}
}
