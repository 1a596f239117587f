package machine

import (
	"bytes"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

func putUser(name string, role deskpb.User_Role, hash string, create bool) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_PutUser{PutUser: &deskpb.PutUser{
		User: &deskpb.User{Name: name, Role: role, PasswordHash: hash}, CreateOnly: create,
	}}}
}

func removeUser(name string) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_RemoveUser{RemoveUser: &deskpb.RemoveUser{Name: name}}}
}

// openSession opens a session whose token hash is made of one byte.
func openSession(user string, token byte, expires int64) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_OpenSession{OpenSession: &deskpb.OpenSession{
		Session: &deskpb.Session{TokenHash: hashOf(token), User: user, ExpireTime: expires},
	}}}
}

func hashOf(token byte) []byte { return bytes.Repeat([]byte{token}, 32) }

func registerNode(node *deskpb.NodeInfo) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_RegisterNode{RegisterNode: &deskpb.RegisterNode{Node: node}}}
}

// must applies commands that have to be accepted.
func (l *log) must(t T, at int64, commands ...*deskpb.Command) {
	t.Helper()
	for i, result := range l.apply(t, at, commands...) {
		if result.Refusal != nil {
			t.Fatalf("command %d was refused: %s", i, result.Refusal.Message)
		}
	}
}

func (l *log) hasSession(t T, token byte) (there bool) {
	t.Helper()
	l.view(t, func(r *store.Reader) error {
		session, err := r.Session(hashOf(token))
		there = session != nil
		return err
	})
	return there
}

func TestAdministratorsTakeTurns(t *testing.T) {
	l := founded(t)
	l.must(t, noon, putUser("li", deskpb.User_ADMINISTRATOR, "$", true), removeUser("admin"))
	if got := l.one(t, noon, removeUser("li")); got != "LAST_ADMINISTRATOR" {
		t.Errorf("remove li, now the last administrator: reason %q", got)
	}
}

func TestLastAdministratorIsFoundAmongMany(t *testing.T) {
	l := founded(t)
	for i := range usersAtOnce + 50 {
		l.must(t, noon, putUser(string(rune('b'+i%20))+string(rune('a'+i/20)), deskpb.User_AGENT, "$", true))
	}
	if got := l.one(t, noon, removeUser("admin")); got != "LAST_ADMINISTRATOR" {
		t.Errorf("remove admin: reason %q", got)
	}
	l.must(t, noon, putUser("zz", deskpb.User_ADMINISTRATOR, "$", true), removeUser("admin"))
}

func TestSessionsEndWithPasswordAndUser(t *testing.T) {
	l := founded(t)
	l.must(t, noon, putUser("wang", deskpb.User_AGENT, "$1", true), openSession("wang", 1, noon*2), openSession("admin", 2, noon*2))
	l.must(t, noon, putUser("wang", deskpb.User_INCIDENT_MANAGER, "$1", false))
	if !l.hasSession(t, 1) {
		t.Error("another role ended the session")
	}
	l.must(t, noon, putUser("wang", deskpb.User_AGENT, "$2", false))
	if l.hasSession(t, 1) {
		t.Error("the session outlived the password")
	}
	l.must(t, noon, openSession("wang", 3, noon*2), removeUser("wang"))
	if l.hasSession(t, 3) {
		t.Error("the session outlived the user")
	}
	if !l.hasSession(t, 2) {
		t.Error("somebody else's session ended")
	}
	l.must(t, noon, &deskpb.Command{Kind: &deskpb.Command_CloseSession{CloseSession: &deskpb.CloseSession{TokenHash: hashOf(2)}}})
	if l.hasSession(t, 2) {
		t.Error("the session outlived its close")
	}
}

func TestNewSessionClearsEndedOnes(t *testing.T) {
	l := founded(t)
	l.must(t, noon, openSession("admin", 1, noon+100), openSession("admin", 2, noon*2))
	l.must(t, noon+1000, openSession("admin", 3, noon*2))
	if l.hasSession(t, 1) || !l.hasSession(t, 2) || !l.hasSession(t, 3) {
		t.Errorf("sessions 1, 2, 3 are there: %v, %v, %v; want only the ended one cleared",
			l.hasSession(t, 1), l.hasSession(t, 2), l.hasSession(t, 3))
	}
}

func TestCreateTimeIsTheLogs(t *testing.T) {
	l := founded(t)
	l.must(t, noon+7, putUser("wang", deskpb.User_AGENT, "$", true))
	l.must(t, noon+9, putUser("wang", deskpb.User_AGENT, "$2", false))
	l.view(t, func(r *store.Reader) error {
		user, err := r.User("wang")
		if got := user.GetCreateTime().AsTime().UnixMicro(); got != noon+7 {
			t.Errorf("created at noon%+d, want noon+7", got-noon)
		}
		return err
	})
}

func TestNodesInTheDirectory(t *testing.T) {
	l := founded(t)
	entry := func() (own *deskpb.SiteInfo) {
		l.view(t, func(r *store.Reader) (err error) {
			own, err = r.SiteInfo(county)
			return err
		})
		return own
	}
	first := &deskpb.NodeInfo{Id: "n1", ServerId: "n1-aa", Grpc: "127.0.0.1:1"}
	l.must(t, noon, registerNode(&deskpb.NodeInfo{Id: "n2", ServerId: "n2-bb"}), registerNode(first))
	version := entry().Version
	l.must(t, noon, registerNode(first))
	if got := entry(); got.Version != version || len(got.Nodes) != 2 || got.Nodes[0].ServerId != "n1-aa" {
		t.Errorf("entry %v after the same registration again, want version %d and n1 before n2", got, version)
	}
	l.must(t, noon, registerNode(&deskpb.NodeInfo{Id: "n1", ServerId: "n1-aa", Grpc: "127.0.0.1:2"}))
	if got := entry(); got.Version <= version || len(got.Nodes) != 2 || got.Nodes[0].Grpc != "127.0.0.1:2" {
		t.Errorf("entry %v, want the new address in a newer version", got)
	}
	remove := &deskpb.Command{Kind: &deskpb.Command_RemoveNode{RemoveNode: &deskpb.RemoveNode{ServerId: "n1-aa"}}}
	l.must(t, noon, remove, remove)
	if got := entry(); len(got.Nodes) != 1 || got.Nodes[0].ServerId != "n2-bb" {
		t.Errorf("entry %v, want n2 alone", got)
	}
	for i := range maxNodes - 1 {
		l.must(t, noon, registerNode(&deskpb.NodeInfo{Id: "x", ServerId: "x-" + string(rune('A'+i))}))
	}
	if got := l.one(t, noon, registerNode(&deskpb.NodeInfo{Id: "y", ServerId: "y"})); got != "TOO_MANY_NODES" {
		t.Errorf("node %d: reason %q, want TOO_MANY_NODES", maxNodes+1, got)
	}
	if desk.SiteID(entry().Id) != county {
		t.Errorf("entry is of %s", entry().Id)
	}
}

func setPreferences(user, queue string) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_SetPreferences{SetPreferences: &deskpb.SetPreferences{
		User: user, Preferences: &deskpb.Preferences{Queue: queue, Filters: []*deskpb.SavedFilter{{Name: "打印", Filter: `title : "打印"`}}},
	}}}
}

func TestPreferencesAreKeptBesideTheAccount(t *testing.T) {
	l := founded(t)
	l.must(t, noon, putUser("wang", deskpb.User_AGENT, "$1", true), openSession("wang", 1, noon*2))
	before := l.user(t, "wang")
	told := len(l.audited(t))
	l.must(t, noon, setPreferences("wang", "overdue"))
	if now := len(l.audited(t)); now != told {
		t.Errorf("the audit log tells of it: %s", l.lately(t, now-told))
	}
	stale := putUser("wang", deskpb.User_DISPATCHER, "$1", false)
	stale.GetPutUser().IfVersion = before.Version
	l.must(t, noon, stale) // what was read before the preferences changed is still written
	after := l.user(t, "wang")
	if after.Role != deskpb.User_DISPATCHER || after.Preferences.GetQueue() != "overdue" || after.Preferences.GetFilters()[0].GetName() != "打印" {
		t.Errorf("the account and its preferences are %v", after)
	}
	if !l.hasSession(t, 1) {
		t.Error("the preferences ended the session")
	}
	if got := l.one(t, noon, setPreferences("nobody", "mine")); got != "USER_NOT_FOUND" {
		t.Errorf("preferences of nobody: reason %q", got)
	}
}
