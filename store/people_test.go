package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func session(token, user string, expires int64) *deskpb.Session {
	return &deskpb.Session{TokenHash: []byte(token), User: user, ExpireTime: expires}
}

// TestSessionsEndAsAsked also counts the rows: a session has three, and none is left behind.
func TestSessionsEndAsAsked(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(*Batch) error
		left string
	}{
		{"none", func(b *Batch) error { return nil }, "abcd"},
		{"by token", func(b *Batch) error { return b.DeleteSession([]byte("b")) }, "acd"},
		{"by unknown token", func(b *Batch) error { return b.DeleteSession([]byte("x")) }, "abcd"},
		{"by user", func(b *Batch) error { return b.DeleteSessionsOf("li") }, "cd"},
		{"by unknown user", func(b *Batch) error { return b.DeleteSessionsOf("l") }, "abcd"},
		{"by time", func(b *Batch) error { return b.ExpireSessions(30, 100) }, "cd"},
		{"by time, the first only", func(b *Batch) error { return b.ExpireSessions(100, 1) }, "acd"},
		{"by time, none allowed", func(b *Batch) error { return b.ExpireSessions(100, 0) }, "abcd"},
		{"by a later session of the same token", func(b *Batch) error {
			if err := b.PutSession(session("a", "wang", 90)); err != nil {
				return err
			}
			return b.DeleteSessionsOf("li")
		}, "acd"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := openTest(t)
			commit(t, s, func(b *Batch) error {
				for _, put := range []*deskpb.Session{
					session("a", "li", 20), session("b", "li", 10), session("c", "wang", 30), session("d", "wang\x00", 40),
				} {
					if err := b.PutSession(put); err != nil {
						return err
					}
				}
				return nil
			})
			commit(t, s, test.end)
			var left strings.Builder
			view(t, s, func(r *Reader) error {
				for _, token := range []string{"a", "b", "c", "d"} {
					found, err := r.Session([]byte(token))
					if err != nil {
						return err
					}
					left.Write(found.GetTokenHash())
				}
				return nil
			})
			if left.String() != test.left {
				t.Errorf("sessions left: %q, want %q", left.String(), test.left)
			}
			rows := 0
			for row := range strings.Lines(dump(t, s)) {
				if strings.HasPrefix(row, "31") || strings.HasPrefix(row, "32") || strings.HasPrefix(row, "33") {
					rows++
				}
			}
			if want := 3 * len(test.left); rows != want {
				t.Errorf("%d rows left for %d sessions, want %d", rows, len(test.left), want)
			}
		})
	}
}

// TestMembersOfAGroup also counts the rows: none is left behind.
func TestMembersOfAGroup(t *testing.T) {
	s := openTest(t)
	for _, step := range []struct {
		name string
		do   func(*Batch) error
		net  string // the members of the group net
		rows int
	}{
		{"three accounts", func(b *Batch) error {
			return errors.Join(
				b.PutUser(&deskpb.User{Name: "wang", Groups: []string{"net", "host"}}),
				b.PutUser(&deskpb.User{Name: "li", Groups: []string{"net"}}),
				b.PutUser(&deskpb.User{Name: "zhao", Groups: []string{"network"}}),
			)
		}, "[li wang]", 4},
		{"one leaves a group", func(b *Batch) error { return b.PutUser(&deskpb.User{Name: "wang", Groups: []string{"host"}}) }, "[li]", 3},
		{"one is written twice in a batch", func(b *Batch) error {
			return errors.Join(b.PutUser(&deskpb.User{Name: "wang", Groups: []string{"net"}}), b.PutUser(&deskpb.User{Name: "wang"}))
		}, "[li]", 2},
		{"one is deleted", func(b *Batch) error { return b.DeleteUser("li") }, "[]", 1},
		{"nobody is deleted", func(b *Batch) error { return b.DeleteUser("li") }, "[]", 1},
	} {
		commit(t, s, step.do)
		view(t, s, func(r *Reader) error {
			members, err := r.MembersOf("net", 10)
			if got := fmt.Sprint(members); got != step.net {
				t.Errorf("%s: the members are %s, want %s", step.name, got, step.net)
			}
			return err
		})
		rows := 0
		for row := range strings.Lines(dump(t, s)) {
			if strings.HasPrefix(row, "34") {
				rows++
			}
		}
		if rows != step.rows {
			t.Errorf("%s: %d rows of members, want %d", step.name, rows, step.rows)
		}
	}
	view(t, s, func(r *Reader) error {
		members, err := r.MembersOf("network", 0)
		if len(members) != 0 {
			t.Errorf("at most none are %v", members)
		}
		return err
	})
}

func TestSessionsOfAUser(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		return errors.Join(b.PutSession(session("a", "li", 20)), b.PutSession(session("b", "li", 10)), b.PutSession(session("c", "li\x00", 30)))
	})
	view(t, s, func(r *Reader) error {
		for user, want := range map[desk.UserID]int{"li": 2, "li\x00": 1, "l": 0} {
			sessions, err := r.SessionsOf(user)
			if len(sessions) != want || err != nil {
				t.Errorf("%q has the sessions %v, %v, want %d", user, sessions, err, want)
			}
		}
		return nil
	})
}

func TestUsersAreListedByName(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		for _, name := range []string{"wang", "li", "zhao", "admin"} {
			if err := b.PutUser(&deskpb.User{Name: name, Role: deskpb.User_AGENT}); err != nil {
				return err
			}
		}
		return b.DeleteUser("zhao")
	})
	view(t, s, func(r *Reader) error {
		for _, test := range []struct {
			after string
			limit int
			want  string
		}{{"", 10, "[admin li wang]"}, {"admin", 1, "[li]"}, {"b", 10, "[li wang]"}, {"wang", 10, "[]"}, {"", 0, "[]"}} {
			users, err := r.Users(desk.UserID(test.after), test.limit)
			if err != nil {
				return err
			}
			names := []string{}
			for _, u := range users {
				names = append(names, u.Name)
			}
			if got := fmt.Sprint(names); got != test.want {
				t.Errorf("at most %d users behind %q: %s, want %s", test.limit, test.after, got, test.want)
			}
		}
		if u, err := r.User("zhao"); u != nil || err != nil {
			t.Errorf("a deleted user is read as %v, %v", u, err)
		}
		return nil
	})
}

func TestWhatASiteKnowsOfItselfAndTheTree(t *testing.T) {
	s := openTest(t)
	view(t, s, func(r *Reader) error {
		site, err := r.Site()
		if site != nil {
			t.Errorf("a site that was not founded is %v", site)
		}
		return err
	})
	site := &deskpb.Site{Id: testSite, Name: "西湖区", Tier: deskpb.Site_COUNTY, Incarnation: 7}
	commit(t, s, func(b *Batch) error {
		for _, id := range []string{"330106", "330000", "330100"} {
			if err := b.PutSiteInfo(&deskpb.SiteInfo{Id: id, Version: 1}); err != nil {
				return err
			}
		}
		return b.PutSite(site)
	})
	view(t, s, func(r *Reader) error {
		if got, err := r.Site(); !proto.Equal(got, site) || err != nil {
			t.Errorf("site is %v, %v, want %v", got, err, site)
		}
		directory, err := r.Directory()
		ids := []string{}
		for _, info := range directory {
			ids = append(ids, info.Id)
		}
		if got := fmt.Sprint(ids); got != "[330000 330100 330106]" {
			t.Errorf("directory lists %s, want all sites by id", got)
		}
		if info, err := r.SiteInfo("330100"); info.GetVersion() != 1 || err != nil {
			t.Errorf("entry of 330100 is %v, %v", info, err)
		}
		if info, err := r.SiteInfo("33010"); info != nil || err != nil {
			t.Errorf("entry of an unknown site is %v, %v", info, err)
		}
		return err
	})
}

func TestARequestIsRememberedForItsPrincipalAndMethodOnly(t *testing.T) {
	s := openTest(t)
	mark := &deskpb.RequestMark{Ticket: "330106-20261121-0001", BodyHash: []byte("hash")}
	commit(t, s, func(b *Batch) error { return b.PutRequest("li", "Create", "r1", mark) })
	view(t, s, func(r *Reader) error {
		if got, err := r.Request("li", "Create", "r1"); !proto.Equal(got, mark) || err != nil {
			t.Errorf("request is remembered as %v, %v, want %v", got, err, mark)
		}
		for _, other := range [][3]string{{"wang", "Create", "r1"}, {"li", "Note", "r1"}, {"li", "Create", "r"}, {"li", "Creat", "er1"}} {
			if got, err := r.Request(desk.UserID(other[0]), other[1], other[2]); got != nil || err != nil {
				t.Errorf("request %v is remembered as %v, %v, want nothing", other, got, err)
			}
		}
		return nil
	})
}

// TestAQueryFindsUsersBehindAName finds those that fit, as many as were asked for, from where the page before ended.
func TestAQueryFindsUsersBehindAName(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		for _, u := range []*deskpb.User{
			{Name: "admin", Role: deskpb.User_ADMINISTRATOR}, {Name: "chen", Role: deskpb.User_AGENT}, {Name: "li", Role: deskpb.User_LEADER},
			{Name: "wang", Role: deskpb.User_AGENT}, {Name: "zhao", Role: deskpb.User_AGENT},
		} {
			if err := b.PutUser(u); err != nil {
				return err
			}
		}
		return nil
	})
	agents := func(u *deskpb.User) bool { return u.GetRole() == deskpb.User_AGENT }
	view(t, s, func(r *Reader) error {
		for _, test := range []struct {
			q    UserQuery
			want string
		}{
			{UserQuery{Limit: 3}, "[admin chen li]"}, {UserQuery{Limit: 9, Fits: agents}, "[chen wang zhao]"}, {UserQuery{Limit: 2, Fits: agents}, "[chen wang]"},
			{UserQuery{After: "chen", Limit: 2, Fits: agents}, "[wang zhao]"}, {UserQuery{After: "zhao", Limit: 2, Fits: agents}, "[]"},
			{UserQuery{Limit: 0, Fits: agents}, "[]"}, {UserQuery{Limit: 9, Fits: func(*deskpb.User) bool { return false }}, "[]"},
		} {
			users, err := r.FindUsers(test.q)
			if err != nil {
				return err
			}
			names := []string{}
			for _, u := range users {
				names = append(names, u.GetName())
			}
			if got := fmt.Sprint(names); got != test.want {
				t.Errorf("at most %d behind %q: %s, want %s", test.q.Limit, test.q.After, got, test.want)
			}
		}
		return nil
	})
}
