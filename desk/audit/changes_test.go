package audit

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestChangesAreToldBeforeAndAfter(t *testing.T) {
	const secret = "argon2id of a password"
	user := &deskpb.User{Name: "li", Role: deskpb.User_AGENT, PasswordHash: secret, Groups: []string{"net"}, Version: 3}
	promoted := proto.CloneOf(user)
	promoted.Role, promoted.PasswordHash, promoted.Version, promoted.Disabled = deskpb.User_LEADER, "another", 4, true
	promoted.Groups, promoted.TotpSecret, promoted.LockedUntil = []string{"net", "db"}, []byte("seed"), 1_000_000
	policy := &deskpb.Policy{Groups: []*deskpb.Team{{Name: "net", Members: []string{"li"}}, {Name: "db"}}}
	changed := &deskpb.Policy{
		Groups:  []*deskpb.Team{{Name: "db", Members: []string{"wang"}}, {Name: "net", Members: []string{"li"}}},
		Privacy: &deskpb.Privacy{MaskAboveHome: true},
	}
	for name, c := range map[string]struct {
		before, after proto.Message
		want          string
	}{
		"nothing": {user, proto.CloneOf(user), ""},
		"an account": {user, promoted, `role "AGENT"→"LEADER"; password_hash "set"→"changed"; groups "net"→"net, db"; disabled ""→"true"; ` +
			`totp_secret ""→"changed"; locked_until ""→"1970-01-01T00:00:01Z"`},
		"a new account":  {nil, &deskpb.User{Name: "li", Role: deskpb.User_AUDITOR}, `name ""→"li"; role ""→"AUDITOR"`},
		"no account now": {&deskpb.User{Name: "li"}, (*deskpb.User)(nil), `name "li"→""`},
		"a policy":       {policy, changed, `groups[db].members ""→"wang"; privacy.mask_above_home ""→"true"`},
		"a group that is gone": {policy, &deskpb.Policy{Groups: policy.Groups[:1]},
			`groups[db].name "db"→""`},
		"a requester": {&deskpb.Customer{Id: "c", Phones: []string{"13800005678"}, Class: "normal"}, &deskpb.Customer{Id: "c", Phones: []string{"13900001234"}, Class: "vip"},
			`phones "set"→"changed"; class "normal"→"vip"`},
		"a life": {&deskpb.Site{Incarnation: 1, Clock: 5}, &deskpb.Site{Incarnation: 2, Clock: 6, Restored: true},
			`incarnation "0000000000000001"→"0000000000000002"; restored ""→"true"`},
	} {
		t.Run(name, func(t *testing.T) {
			var told []string
			for _, change := range Changes(c.before, c.after) {
				told = append(told, fmt.Sprintf("%s %q→%q", change.Field, change.Before, change.After))
			}
			got := strings.Join(told, "; ")
			if got != c.want {
				t.Errorf("the changes are %s, want %s", got, c.want)
			}
			if strings.Contains(got, secret) || strings.Contains(got, "seed") || strings.Contains(got, "138") {
				t.Errorf("the changes show what nobody may read: %s", got)
			}
		})
	}
}

// TestNoByteFieldIsShown goes through everything that entries are made of: no bytes, which may be keys, are ever shown.
func TestNoByteFieldIsShown(t *testing.T) {
	full := []proto.Message{
		&deskpb.User{PasswordHash: "x1", TotpSecret: []byte("x1")}, &deskpb.Session{TokenHash: []byte("x1")},
		&deskpb.Site{SurveyKey: []byte("x1")}, &deskpb.Publication{Body: []byte("x1")}, &deskpb.Customer{Etag: []byte("x1"), Note: "x1", Email: "x1"},
	}
	for _, m := range full {
		for _, change := range Changes(nil, m) {
			if strings.Contains(change.After+change.Before, "x1") || strings.Contains(change.After+change.Before, "7831") {
				t.Errorf("%s is shown as %q → %q", change.Field, change.Before, change.After)
			}
		}
	}
}
