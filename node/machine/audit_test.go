package machine

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// by has a person ask for a command.
func by(user string, c *deskpb.Command) *deskpb.Command {
	c.Actor = &deskpb.Actor{User: user, Role: deskpb.User_ADMINISTRATOR, Address: "10.0.0.7"}
	c.Node = "n1"
	return c
}

// audited returns the site's audit log, which must be whole.
func (l *log) audited(t T) (entries []*deskpb.AuditEntry) {
	t.Helper()
	walk := &audit.Walk{}
	l.view(t, func(r *store.Reader) error {
		last, hash, err := r.AuditStanding()
		if err != nil {
			return err
		}
		rows, err := r.AuditEntries(0, 1000)
		for _, row := range rows {
			walk.Next(row.Sequence, row.Raw)
			e, err := audit.Decode(row.Raw)
			if err != nil {
				return err
			}
			entries = append(entries, e)
		}
		walk.End(last, hash)
		return err
	})
	if problems := walk.Report().Problems; len(problems) > 0 {
		t.Fatalf("the audit log is not whole: %q", problems)
	}
	return entries
}

// lately tells the entries behind the first n, one a line.
func (l *log) lately(t T, n int) string {
	t.Helper()
	var told []string
	for _, e := range l.audited(t)[n:] {
		var changes []string
		for _, c := range e.Changes {
			changes = append(changes, fmt.Sprintf("%s:%s>%s", c.Field, c.Before, c.After))
		}
		told = append(told, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", e.Actor, e.Action, e.Object, strings.Join(changes, " "))))
	}
	return strings.Join(told, "\n")
}

func publish(kind, name string, body proto.Message, removed bool) *deskpb.Command {
	raw, err := proto.Marshal(body)
	if err != nil {
		panic(err)
	}
	p := &deskpb.Publication{Kind: kind, Name: name, Body: raw, MediaType: "text/plain", Actor: "admin", Removed: removed}
	if kind == tiers.PolicyKind {
		p.MediaType = tiers.PolicyMediaType
	}
	if removed {
		p.Body, p.MediaType = nil, ""
	}
	return &deskpb.Command{Kind: &deskpb.Command_PutPublication{PutPublication: &deskpb.PutPublication{Publication: p}}}
}

func TestTheFoundingIsTheFirstEntry(t *testing.T) {
	l := founded(t)
	entries := l.audited(t)
	if len(entries) != 1 || entries[0].Action != audit.Found || entries[0].Actor != "" || entries[0].Incarnation == 0 {
		t.Fatalf("the audit log of a founded site is %v", entries)
	}
	if e := entries[0]; e.Changes[0].Field != "administrator" || e.Changes[0].After != "admin" {
		t.Errorf("the founding tells %v, want the administrator first", e.Changes)
	}
}

// TestWhatPeopleChangeIsTold applies each kind of command that the audit log tells of.
func TestWhatPeopleChangeIsTold(t *testing.T) {
	policy := &deskpb.PolicyDocument{Policy: &deskpb.Policy{Groups: []*deskpb.Team{{Name: "net", Members: []string{"li"}}}}, Source: "groups:\n"}
	customer := &deskpb.Customer{Id: "c1", Name: "王芳", Kind: deskpb.Customer_PERSON, Phones: []string{"13800005678"}}
	for name, c := range map[string]struct {
		before  []*deskpb.Command
		command *deskpb.Command
		want    string
	}{
		"a new account":     {nil, putUser("li", deskpb.User_AGENT, "$secret", true), "admin user.create li name:>li role:>AGENT password_hash:>changed create_time:>*"},
		"a changed account": {[]*deskpb.Command{putUser("li", deskpb.User_AGENT, "$1", true)}, putUser("li", deskpb.User_LEADER, "$2", false), "admin user.update li role:AGENT>LEADER password_hash:set>changed"},
		"an account that is gone": {[]*deskpb.Command{putUser("li", deskpb.User_AGENT, "$1", true)}, removeUser("li"),
			"admin user.delete li name:li> role:AGENT> password_hash:set> create_time:*"},
		"a sign-in":       {nil, openSession("admin", 1, noon+1e9), "admin session.create admin expire_time:>*"},
		"an access token": {nil, accessToken("admin", 1), "admin token.create admin expire_time:>* title:>backup limits:>read"},
		"a sign-out":      {[]*deskpb.Command{openSession("admin", 1, noon+1e9)}, closeSession(1), "admin session.end admin"},
		"sessions that are ended at once": {[]*deskpb.Command{openSession("admin", 1, noon+1e9), openSession("admin", 2, noon+1e9), openSession("admin", 3, noon+1e9)},
			closeSessions(&deskpb.CloseSessions{User: "admin", Except: hashOf(2)}), "admin session.revoke admin ended:>2"},
		"an access token that is ended": {[]*deskpb.Command{accessToken("admin", 1)}, closeSessions(&deskpb.CloseSessions{User: "admin", Id: "t1"}),
			"admin token.revoke admin id:t1> title:backup>"},
		"a policy": {nil, publish(tiers.PolicyKind, tiers.PolicyName, policy, false),
			"admin policy.apply policy/" + tiers.PolicyName + " groups[net].name:>net groups[net].members:>li"},
		"a notice that is taken back": {[]*deskpb.Command{publish("notice", "n", &deskpb.Words{Zh: "停电"}, false)}, publish("notice", "n", &deskpb.Words{}, true),
			"admin publication.remove notice/n*removed:>true*"},
		"a requester": {nil, &deskpb.Command{Kind: &deskpb.Command_PutRequester{PutRequester: &deskpb.PutRequester{Customer: customer, CreateOnly: true}}},
			"admin requester.create c1 id:>c1 name:>王芳 phones:>changed*"},
		"duty": {nil, &deskpb.Command{Kind: &deskpb.Command_SetDuty{SetDuty: &deskpb.SetDuty{User: "admin", On: true}}},
			"admin duty.set admin user:>admin on:>true"},
		"a frozen site": {nil, &deskpb.Command{Kind: &deskpb.Command_Freeze{Freeze: &deskpb.Freeze{Incarnation: founding, Reason: "a copy lives"}}},
			"admin site.freeze 330106 frozen:>a copy lives"},
		"another life": {nil, reincarnate(founding, 9), "admin site.recover 330106 incarnation:*>0000000000000009 letters:>K7Q*"},
	} {
		t.Run(name, func(t *testing.T) {
			l := founded(t)
			l.must(t, noon, c.before...)
			n := len(l.audited(t))
			l.must(t, noon+5, by("admin", c.command))
			if got := l.lately(t, n); !like(got, c.want) {
				t.Errorf("the audit log tells\n%s\nwant\n%s", got, c.want)
			}
			e := l.audited(t)[n]
			if e.Address != "10.0.0.7" || e.Node != "n1" || e.Role != deskpb.User_ADMINISTRATOR || e.Outcome != deskpb.AuditEntry_DONE {
				t.Errorf("the entry does not say who, where and how: %v", e)
			}
		})
	}
}

// like compares a text with a pattern in which * stands for anything.
func like(text, pattern string) bool {
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	for _, part := range parts {
		at := strings.Index(text, part)
		if at < 0 {
			return false
		}
		text = text[at+len(part):]
	}
	return text == "" || strings.HasSuffix(pattern, "*")
}

// founding is the incarnation that foundCommand gives the site.
var founding = foundCommand().GetFound().GetSite().GetIncarnation()

func closeSession(token byte) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_CloseSession{CloseSession: &deskpb.CloseSession{TokenHash: hashOf(token)}}}
}

func closeSessions(c *deskpb.CloseSessions) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_CloseSessions{CloseSessions: c}}
}

// accessToken is a program's token with the id t1.
func accessToken(user string, token byte) *deskpb.Command {
	c := openSession(user, token, noon+1e9)
	s := c.GetOpenSession().GetSession()
	s.Kind, s.Id, s.Title, s.Limits = deskpb.Session_ACCESS_TOKEN, "t1", "backup", []string{"read"}
	return c
}

// What did not happen, happened already, or the site does by itself, leaves no entry; neither do tickets, which have journals.
func TestNothingIsToldOfWhatChangesNothing(t *testing.T) {
	l := founded(t)
	l.must(t, noon, by("admin", openSession("admin", 1, noon+1e9)))
	n := len(l.audited(t))
	refused := l.apply(t, noon+1, by("admin", removeUser("admin")), by("admin", removeUser("nobody")))
	for i, result := range refused {
		if result.Refusal == nil {
			t.Fatalf("command %d was accepted", i)
		}
	}
	l.must(t, noon+2,
		by("admin", openSession("admin", 1, noon+1e9)),                 // repeated: the outcome was unknown
		by("admin", closeSession(2)),                                   // there is no such session
		registerNode(&deskpb.NodeInfo{Id: "n1", ServerId: "n1-1"}),     // the site itself
		publish("notice", "n", &deskpb.Words{Zh: "停电"}, false),         // likewise
		putUser("admin", deskpb.User_ADMINISTRATOR, "$another", false), // likewise
		fullTicket("r1"), // a ticket
		by("admin", &deskpb.Command{Kind: &deskpb.Command_AddAudit{AddAudit: &deskpb.AddAudit{}}}), // nothing was told
	)
	if got := l.lately(t, n); got != "" {
		t.Errorf("the audit log tells\n%s\nwant nothing", got)
	}
}

func TestAnAccountThatTheSiteMakesIsTold(t *testing.T) {
	l := founded(t)
	l.must(t, noon, putUser("root", deskpb.User_ADMINISTRATOR, "$", true))
	if got := l.lately(t, 1); !like(got, "user.create root name:>root role:>ADMINISTRATOR*") {
		t.Errorf("the audit log tells %q", got)
	}
}

// TestManyChangesOfOneEntryAreJoined decides several commands over one batch.
func TestManyChangesOfOneEntryAreJoined(t *testing.T) {
	l := founded(t)
	l.must(t, noon, by("admin", putUser("li", deskpb.User_AGENT, "$", true)), by("admin", putUser("li", deskpb.User_LEADER, "$", false)),
		by("admin", removeUser("li")))
	want := []string{audit.Found, audit.CreateUser, audit.UpdateUser, audit.DeleteUser}
	var got []string
	for _, e := range l.audited(t) {
		got = append(got, e.Action)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the entries are %v, want %v", got, want)
	}
}

func TestToldEntriesAreAppended(t *testing.T) {
	l := founded(t)
	add := func(entries ...*deskpb.AuditEntry) *deskpb.Command {
		return &deskpb.Command{Kind: &deskpb.Command_AddAudit{AddAudit: &deskpb.AddAudit{Entries: entries}}, Node: "n2"}
	}
	forged := &deskpb.AuditEntry{Sequence: 77, Time: 1, Previous: []byte("x"), Incarnation: 5, Action: audit.SignIn, Object: strings.Repeat("x", 5000),
		Outcome: deskpb.AuditEntry_REFUSED, Count: 3, Actor: "nobody"}
	l.must(t, noon+9, add(forged, forged))
	entries := l.audited(t)
	if len(entries) != 3 || entries[2].Sequence != 3 || entries[2].Time < noon || entries[2].Incarnation != founding || len(entries[2].Object) > 600 || entries[2].Count != 3 {
		t.Errorf("what was told is in the log as %v", entries)
	}
	for name, c := range map[string]*deskpb.Command{
		"without an action":  add(&deskpb.AuditEntry{Outcome: deskpb.AuditEntry_DONE}),
		"without an outcome": add(forged, &deskpb.AuditEntry{Action: audit.SignIn}),
		"too many":           add(slices.Repeat([]*deskpb.AuditEntry{forged}, maxAudit+1)...),
	} {
		if l.one(t, noon+10, c) == "" || len(l.audited(t)) != 3 {
			t.Errorf("%s: accepted, or not without effect", name)
		}
	}
}

func putCheckpoint(c *deskpb.AuditCheckpoint, witnessed bool) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_PutCheckpoint{PutCheckpoint: &deskpb.PutCheckpoint{Checkpoint: c, Witnessed: witnessed}}}
}

// TestACheckpointOfTheSiteNamesItsEntry keeps one, notes that the parent has it, and refuses one that names another entry.
func TestACheckpointOfTheSiteNamesItsEntry(t *testing.T) {
	l := founded(t)
	var c *deskpb.AuditCheckpoint
	l.view(t, func(r *store.Reader) error {
		sequence, hash, err := r.AuditStanding()
		c = &deskpb.AuditCheckpoint{Site: string(county), Incarnation: founding, Node: "n1", Time: noon, Sequence: sequence, Hash: hash}
		return err
	})
	if got := l.one(t, noon, putCheckpoint(c, true)); got != "CHECKPOINT_UNKNOWN" {
		t.Errorf("the parent has a checkpoint that the site has not: %q", got)
	}
	wrong := proto.CloneOf(c)
	wrong.Hash = make([]byte, audit.HashSize)
	if got := l.one(t, noon, putCheckpoint(wrong, false)); got != "CHECKPOINT_WRONG" {
		t.Errorf("a checkpoint of another entry: %q", got)
	}
	l.must(t, noon, putCheckpoint(c, false), putCheckpoint(c, false))
	unwitnessed := func() (n int) {
		l.view(t, func(r *store.Reader) error {
			open, err := r.Unwitnessed(county)
			n = len(open)
			return err
		})
		return n
	}
	if n := unwitnessed(); n != 1 {
		t.Errorf("%d checkpoints wait for the parent, want 1", n)
	}
	l.must(t, noon, putCheckpoint(c, true), putCheckpoint(c, true))
	if n := unwitnessed(); n != 0 {
		t.Errorf("%d checkpoints wait for the parent after it has them", n)
	}
}

// TestAParentKeepsWhatASiteBelowSigned hands up checkpoints as an honest site does, and as one whose log was rewritten.
func TestAParentKeepsWhatASiteBelowSigned(t *testing.T) {
	below := func(life, sequence uint64, at int64, hash byte) *deskpb.Command {
		return putCheckpoint(&deskpb.AuditCheckpoint{
			Site: "330199", Incarnation: life, Node: "n1", Time: at, Sequence: sequence, Hash: hashOf(hash),
		}, false)
	}
	for name, c := range map[string]struct {
		then *deskpb.Command
		want string
	}{
		"the next one":                      {below(7, 30, 5000, 3), ""},
		"one that is there":                 {below(7, 20, 2000, 2), ""},
		"a late one":                        {below(7, 15, 1500, 9), ""},
		"the next one of another life":      {below(8, 5, 5000, 9), ""},
		"another entry under the number":    {below(7, 20, 2000, 9), "CHECKPOINT_CONTRADICTS"},
		"another entry under an old number": {below(7, 10, 1000, 9), "CHECKPOINT_CONTRADICTS"},
		"a log that was cut back":           {below(7, 15, 3000, 9), "CHECKPOINT_CONTRADICTS"},
	} {
		t.Run(name, func(t *testing.T) {
			l := founded(t)
			l.must(t, noon, below(7, 10, 1000, 1), below(7, 20, 2000, 2))
			n := len(l.audited(t))
			for range 3 { // a site tries again
				if got := l.one(t, noon+1, c.then); got != c.want {
					t.Fatalf("the parent answers %q, want %q", got, c.want)
				}
			}
			told := l.audited(t)[n:]
			denied := 0
			l.view(t, func(r *store.Reader) error {
				denials, err := r.AuditDenials()
				denied = len(denials)
				return err
			})
			if wrong := c.want != ""; wrong != (denied == 1) || wrong != (len(told) == 1 && told[0].Action == audit.Contradicted) || !wrong && len(told) > 0 {
				t.Errorf("%d denials are remembered and the audit log tells %v", denied, told)
			}
		})
	}
}

func TestAParentKeepsSoManyCheckpoints(t *testing.T) {
	l := founded(t)
	const more = store.MostCheckpoints + 50
	for i := range uint64(more) {
		c := &deskpb.AuditCheckpoint{Site: "330199", Incarnation: 7, Node: "n1", Time: int64(i), Sequence: i + 1, Hash: hashOf(1)}
		l.must(t, noon, putCheckpoint(c, false))
	}
	l.view(t, func(r *store.Reader) error {
		kept, err := r.Checkpoints("330199", more)
		if len(kept) != store.MostCheckpoints || kept[0].GetCheckpoint().GetSequence() != more {
			t.Errorf("%d checkpoints are kept, the last one of entry %d", len(kept), kept[0].GetCheckpoint().GetSequence())
		}
		return err
	})
}

// Whoever has rewritten a log can sign whatever would push out what was signed before: it pushes out itself.
func TestAFloodOfCheckpointsPushesOutNoneOfBefore(t *testing.T) {
	l := founded(t)
	const honest, hour = 10, int64(3_600_000_000)
	hand := func(now int64, sequence uint64) {
		c := &deskpb.AuditCheckpoint{Site: "330199", Incarnation: 7, Node: "n1", Time: now, Sequence: sequence, Hash: hashOf(1)}
		l.must(t, now, putCheckpoint(c, false))
	}
	for i := range uint64(honest) {
		hand(noon+int64(i)*hour, i+1)
	}
	for i := range uint64(store.MostCheckpoints + 50) {
		hand(noon+honest*hour+int64(i)*1_000_000, honest+i+1)
	}
	l.view(t, func(r *store.Reader) error {
		kept, err := r.Checkpoints("330199", 2*store.MostCheckpoints)
		var before []uint64
		for _, c := range kept {
			if sequence := c.GetCheckpoint().GetSequence(); sequence <= honest {
				before = append(before, sequence)
			}
		}
		if len(kept) != store.MostCheckpoints || len(before) != honest {
			t.Errorf("%d checkpoints are kept, and of those before the flood %v", len(kept), before)
		}
		return err
	})
}

// TestARestoredLogGoesOn has the audit log of a restored site go on from what the backup had, with an entry that says so.
func TestARestoredLogGoesOn(t *testing.T) {
	l := restoredLog(t)
	n := len(l.audited(t))
	if n == 0 {
		t.Fatal("the backup has no audit log")
	}
	l.must(t, noon+1, reincarnate(founding, 9), putUser("li", deskpb.User_AGENT, "$", true), by("admin", removeUser("li")))
	entries := l.audited(t)[n:]
	if len(entries) != 3 || entries[0].Action != audit.Recover || entries[0].Incarnation != 9 || entries[0].Reason != "restored" || entries[2].Incarnation != 9 {
		t.Errorf("after a restore the audit log goes on with %v", entries)
	}
}
