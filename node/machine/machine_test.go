package machine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const county = desk.SiteID("330106")

// noon is a time of the test's clock, in microseconds since 1970.
const noon = int64(1_795_320_000_000_000)

// T is what these tests need of *testing.T and *rapid.T.
type T interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Cleanup(func())
}

// log drives one machine as the site's log would.
type log struct {
	*Machine
	index uint64
}

func newLog(t T) *log {
	t.Helper()
	return openLog(t, store.Options{Dir: "data", FS: vfs.NewMem(), Site: string(county), Node: "n1"})
}

func openLog(t T, o store.Options) *log {
	t.Helper()
	s, err := store.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	m, err := New(Options{Site: county, Store: s, Clock: time.Now, Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	return &log{Machine: m}
}

// founded is a log whose site is founded, with the administrator admin.
func founded(t T) *log {
	t.Helper()
	l := newLog(t)
	if r := l.apply(t, noon, foundCommand())[0].Refusal; r != nil {
		t.Fatalf("found: refused: %v", r)
	}
	return l
}

// apply applies one entry of commands.
func (l *log) apply(t T, at int64, commands ...*deskpb.Command) []*deskpb.Result {
	t.Helper()
	var raw [][]byte
	for _, c := range commands {
		encoded, err := proto.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		raw = append(raw, encoded)
	}
	var results []*deskpb.Result
	for _, encoded := range l.applyRaw(t, at, raw...) {
		result := &deskpb.Result{}
		if err := proto.Unmarshal(encoded, result); err != nil {
			t.Fatal(err)
		}
		results = append(results, result)
	}
	return results
}

func (l *log) applyRaw(t T, at int64, commands ...[]byte) [][]byte {
	t.Helper()
	entry, err := proto.Marshal(&deskpb.Group{Time: at, UtcOffset: 8 * 3600, Commands: commands})
	if err != nil {
		t.Fatal(err)
	}
	l.index++
	results, err := l.Apply(l.index, 1, entry)
	if err != nil {
		t.Fatalf("apply entry %d: %v", l.index, err)
	}
	if results.Len() != len(commands) {
		t.Fatalf("entry %d of %d commands has %d results", l.index, len(commands), results.Len())
	}
	told := make([][]byte, len(commands))
	for i := range told {
		if told[i], err = results.Encode(i); err != nil {
			t.Fatal(err)
		}
	}
	return told
}

// one applies an entry of one command and returns its refusal's reason, "" when it was accepted.
func (l *log) one(t T, at int64, c *deskpb.Command) string {
	t.Helper()
	return l.apply(t, at, c)[0].GetRefusal().GetReason()
}

func (l *log) view(t T, read func(*store.Reader) error) {
	t.Helper()
	if err := l.options.Store.View(read); err != nil {
		t.Fatal(err)
	}
}

// digest is all that the state says, for comparing; the clock apart, which every entry advances.
func (l *log) digest(t T) string {
	t.Helper()
	var b strings.Builder
	l.view(t, func(r *store.Reader) error {
		site, err := r.Site()
		if site != nil {
			site.Clock = 0
		}
		directory, err2 := r.Directory()
		users, err3 := r.Users("", 1000)
		links, err4 := r.Links()
		tickets, err5 := r.Tickets(store.Query{Index: store.ByNumber, Limit: 1000})
		fmt.Fprintln(&b, site, directory, users, links, tickets.Records)
		err6 := l.writeRows(&b, r, links, tickets.Records)
		return errors.Join(err, err2, err3, err4, err5, err6)
	})
	// The text form of a message has a space or two between fields, at random for each program.
	return strings.Join(strings.Fields(b.String()), " ")
}

func (l *log) writeRows(b *strings.Builder, r *store.Reader, links []*deskpb.Link, records []*deskpb.Record) error {
	for _, link := range links {
		items, err := r.Outbox(desk.SiteID(link.Peer), link.AckedSequence, 1000, 1<<20)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "%x\n", items)
	}
	for _, record := range records {
		events, err := r.Events(desk.TicketNumber(record.Ticket.Number))
		if err != nil {
			return err
		}
		for _, e := range events {
			fmt.Fprintf(b, "%x\n", e.Raw)
		}
	}
	return nil
}

func foundCommand() *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_Found{Found: &deskpb.Found{
		Site:  &deskpb.Site{Id: string(county), Name: "西湖区", Tier: deskpb.Site_COUNTY, Parent: "330100", Incarnation: 7},
		Admin: &deskpb.User{Name: "admin", Role: deskpb.User_ADMINISTRATOR, PasswordHash: "$"},
	}}}
}

func ticketCommand(c *deskpb.TicketCommand) *deskpb.Command {
	if c.Actor == nil {
		c.Actor = &deskpb.Actor{User: "wang", Role: deskpb.User_AGENT}
	}
	return &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: c}}
}

func createCommand(title string) *deskpb.Command {
	return ticketCommand(&deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Create{
		Create: &deskpb.Create{Ticket: &deskpb.Ticket{Title: title}}}})
}

func noteCommand(number, text string) *deskpb.Command {
	return ticketCommand(&deskpb.TicketCommand{Number: number, Verb: &deskpb.TicketCommand_Note{Note: &deskpb.Note{Text: text}}})
}

func TestNothingBeforeTheFounding(t *testing.T) {
	l := newLog(t)
	if got := l.one(t, noon, createCommand("x")); got != "NOT_FOUNDED" {
		t.Errorf("create before the founding: reason %q, want NOT_FOUNDED", got)
	}
	if got := l.one(t, noon, putUser("wang", deskpb.User_AGENT, "$1", true)); got != "NOT_FOUNDED" {
		t.Errorf("put user before the founding: reason %q, want NOT_FOUNDED", got)
	}
}

func TestFounding(t *testing.T) {
	l := newLog(t)
	for name, change := range map[string]func(*deskpb.Found){
		"another site":      func(f *deskpb.Found) { f.Site.Id = "330107" },
		"no site":           func(f *deskpb.Found) { f.Site = nil },
		"no tier":           func(f *deskpb.Found) { f.Site.Tier = 0 },
		"no incarnation":    func(f *deskpb.Found) { f.Site.Incarnation = 0 },
		"nameless admin":    func(f *deskpb.Found) { f.Admin.Name = "" },
		"admin with no key": func(f *deskpb.Found) { f.Admin.PasswordHash = "" },
	} {
		c := foundCommand()
		change(c.GetFound())
		if got := l.one(t, noon, c); got != "INVALID_FIELD" {
			t.Errorf("found with %s: reason %q, want INVALID_FIELD", name, got)
		}
	}
	results := l.apply(t, noon, foundCommand(), foundCommand(), createCommand("第一张"))
	if results[0].Refusal != nil || results[1].GetRefusal().GetReason() != "ALREADY_FOUNDED" || results[2].Refusal != nil {
		t.Fatalf("found, found, create: %v; want accepted, ALREADY_FOUNDED, accepted", results)
	}
	if got, want := results[2].Ticket.Number, "330106-20261122-0001"; got != want {
		t.Errorf("number %s, want %s", got, want)
	}
	l.view(t, func(r *store.Reader) error {
		own, err := r.SiteInfo(county)
		if own.GetParent() != "330100" || own.GetIncarnation() != 7 {
			t.Errorf("directory entry %v, want the founded site", own)
		}
		return err
	})
}

func TestStampsNeverRunBackwards(t *testing.T) {
	l := founded(t)
	times := []int64{noon + 10, noon + 5, -1, noon + 11, noon + 11, noon + 1000}
	want := []int64{noon + 10, noon + 11, noon + 12, noon + 13, noon + 14, noon + 1000}
	for i, at := range times {
		ticket := l.apply(t, at, createCommand("x"))[0].Ticket
		if got := ticket.OpenTime.AsTime().UnixMicro(); got != want[i] {
			t.Errorf("entry %d stamped %d: the ticket was opened at noon%+d, want noon%+d", i, at, got-noon, want[i]-noon)
		}
	}
}

func TestStampTakesTheClockAndTheZone(t *testing.T) {
	l := newLog(t)
	l.options.Clock = func() time.Time { return time.UnixMicro(noon) }
	l.options.Location = time.FixedZone("", 8*3600)
	entry, err := l.Stamp([][]byte{{1}, {2}})
	if err != nil {
		t.Fatal(err)
	}
	group := &deskpb.Group{}
	if err := proto.Unmarshal(entry, group); err != nil {
		t.Fatal(err)
	}
	if group.Time != noon || group.UtcOffset != 8*3600 || len(group.Commands) != 2 {
		t.Errorf("group %v, want noon, +8 hours, 2 commands", group)
	}
}

func TestMalformedBytes(t *testing.T) {
	l := founded(t)
	before := l.digest(t)
	unknown, err := proto.Marshal(&deskpb.Command{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"MALFORMED_COMMAND", "UNKNOWN_COMMAND", "UNKNOWN_COMMAND"} {
		result := &deskpb.Result{}
		raw := [][]byte{[]byte("\xff\xff\xff"), unknown, nil}[i]
		if err := proto.Unmarshal(l.applyRaw(t, noon, raw)[0], result); err != nil {
			t.Fatal(err)
		}
		if got := result.GetRefusal().GetReason(); got != want {
			t.Errorf("command %x: reason %q, want %s", raw, got, want)
		}
	}
	if after := l.digest(t); after != before {
		t.Errorf("malformed commands changed the state\n%s\n%s", before, after)
	}
	if _, err := l.Apply(l.index+1, 1, []byte("\xff\xff\xff")); err == nil || !strings.Contains(err.Error(), fmt.Sprint(l.index+1)) {
		t.Errorf("malformed entry: error %v, want one that names entry %d", err, l.index+1)
	}
	if got := l.Applied(); got != l.index {
		t.Errorf("applied %d after a fault at %d", got, l.index+1)
	}
}

func TestRefusalsChangeNothing(t *testing.T) {
	l := founded(t)
	number := l.apply(t, noon, createCommand("x"))[0].Ticket.Number
	before := l.digest(t)
	for name, test := range map[string]struct {
		command *deskpb.Command
		want    string
	}{
		"no title":                {createCommand(""), "INVALID_FIELD"},
		"unknown ticket":          {noteCommand("330106-20261122-0099", "x"), "TICKET_NOT_FOUND"},
		"no verb":                 {ticketCommand(&deskpb.TicketCommand{Number: number}), ""},
		"verb in the wrong state": {ticketCommand(&deskpb.TicketCommand{Number: number, Verb: &deskpb.TicketCommand_Resume{Resume: &deskpb.Resume{}}}), ""},
		"known user":              {putUser("admin", deskpb.User_ADMINISTRATOR, "$", true), "USER_EXISTS"},
		"unknown user":            {putUser("wang", deskpb.User_AGENT, "$", false), "USER_NOT_FOUND"},
		"last administrator":      {removeUser("admin"), "LAST_ADMINISTRATOR"},
		"demoted administrator":   {putUser("admin", deskpb.User_AGENT, "$", false), "LAST_ADMINISTRATOR"},
		"session of nobody":       {openSession("nobody", 1, noon*2), "USER_NOT_FOUND"},
		"session in the past":     {openSession("admin", 1, noon-1), "INVALID_FIELD"},
		"session without a hash":  {&deskpb.Command{Kind: &deskpb.Command_OpenSession{OpenSession: &deskpb.OpenSession{}}}, "INVALID_FIELD"},
		"nameless node":           {registerNode(&deskpb.NodeInfo{Id: "n1"}), "INVALID_FIELD"},
		"endless node":            {registerNode(&deskpb.NodeInfo{Id: "n1", ServerId: strings.Repeat("x", 300)}), "INVALID_FIELD"},
		"items of a stranger":     {&deskpb.Command{Kind: &deskpb.Command_Receive{Receive: &deskpb.Receive{Peer: "330100", PeerIncarnation: 1, First: 1}}}, ""},
	} {
		refusal := l.apply(t, noon, test.command)[0].Refusal
		switch {
		case refusal == nil:
			t.Errorf("%s: accepted", name)
		case test.want != "" && refusal.Reason != test.want:
			t.Errorf("%s: reason %s (%s), want %s", name, refusal.Reason, refusal.Message, test.want)
		}
		if after := l.digest(t); after != before {
			t.Fatalf("%s: the refusal changed the state from\n%s\nto\n%s", name, before, after)
		}
	}
}

// TestEntriesDetermine applies the same random entries to two machines, grouped alike: results and states are equal.
func TestEntriesDetermine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := founded(t), founded(t)
		for range rapid.IntRange(1, 20).Draw(t, "entries") {
			at := noon + rapid.Int64Range(-1000, 1_000_000).Draw(t, "time")
			commands := rapid.SliceOfN(rapid.Custom(drawCommand), 0, 4).Draw(t, "commands")
			if first, second := a.applyRaw(t, at, commands...), b.applyRaw(t, at, commands...); !slices.EqualFunc(first, second, bytes.Equal) {
				t.Fatalf("results differ: %x and %x", first, second)
			}
		}
		if first, second := a.digest(t), b.digest(t); first != second {
			t.Fatalf("states differ:\n%s\n%s", first, second)
		}
	})
}

// drawCommand draws an encoded command of any kind that people cause, well formed or not.
func drawCommand(t *rapid.T) []byte {
	number := rapid.SampledFrom([]string{"330106-20261122-0001", "330106-20261122-0002", "nowhere"})
	user := rapid.SampledFrom([]string{"admin", "wang", "li"})
	role := deskpb.User_Role(rapid.IntRange(0, 3).Draw(t, "role"))
	var c *deskpb.Command
	switch rapid.IntRange(0, 8).Draw(t, "kind") {
	case 0, 1:
		c = createCommand(rapid.StringN(0, 10, -1).Draw(t, "title"))
	case 2:
		c = noteCommand(number.Draw(t, "number"), "x")
	case 3:
		c = ticketCommand(&deskpb.TicketCommand{Number: number.Draw(t, "number"), Verb: &deskpb.TicketCommand_Escalate{
			Escalate: &deskpb.Escalate{Reason: "本地无法解决"}}})
	case 4:
		c = putUser(user.Draw(t, "user"), role, rapid.StringN(0, 2, -1).Draw(t, "hash"), rapid.Bool().Draw(t, "create"))
	case 5:
		c = removeUser(user.Draw(t, "user"))
	case 6:
		c = openSession(user.Draw(t, "user"), rapid.Byte().Draw(t, "token"), noon+rapid.Int64Range(0, 2_000_000).Draw(t, "expires"))
	case 7:
		id := rapid.SampledFrom([]string{"n1-aa", "n2-bb"}).Draw(t, "server")
		c = registerNode(&deskpb.NodeInfo{Id: id[:2], ServerId: id, Grpc: rapid.SampledFrom([]string{"a:1", "b:2"}).Draw(t, "grpc")})
	default:
		return rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "bytes")
	}
	raw, err := proto.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// FuzzCommand shows that no bytes in a command are a fault: whatever a caller sends, the node goes on.
func FuzzCommand(f *testing.F) {
	for _, c := range []*deskpb.Command{
		foundCommand(), createCommand("x"), noteCommand("330106-20261122-0001", "x"), putUser("wang", deskpb.User_AGENT, "$", true),
		removeUser("admin"), openSession("admin", 1, noon*2), registerNode(&deskpb.NodeInfo{Id: "n1", ServerId: "n1-aa"}),
		{Kind: &deskpb.Command_AdmitPeer{AdmitPeer: &deskpb.AdmitPeer{Peer: "330100", Incarnation: 3}}},
		{Kind: &deskpb.Command_Receive{Receive: &deskpb.Receive{Peer: "330100", PeerIncarnation: 3, First: 1, Items: [][]byte{{1}}, Hash: make([]byte, 16)}}},
		{Kind: &deskpb.Command_Acknowledge{Acknowledge: &deskpb.Acknowledge{Peer: "330100", Sequence: 1}}},
		{Kind: &deskpb.Command_RemoveNode{RemoveNode: &deskpb.RemoveNode{}}},
		{Kind: &deskpb.Command_CloseSession{CloseSession: &deskpb.CloseSession{TokenHash: []byte{1}}}},
	} {
		raw, err := proto.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := founded(t)
		l.apply(t, noon, createCommand("x"), &deskpb.Command{Kind: &deskpb.Command_AdmitPeer{
			AdmitPeer: &deskpb.AdmitPeer{Peer: "330100", Incarnation: 3}}})
		l.applyRaw(t, noon, raw)
		l.applyRaw(t, noon, raw, raw)
	})
}

func TestChangedWakesWhomItConcerns(t *testing.T) {
	l := founded(t)
	parent, stranger := l.Changed("330100"), l.Changed("330200")
	if l.Changed("330100") != parent {
		t.Error("a second call before a change got another channel")
	}
	closed := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	l.apply(t, noon, createCommand(""))
	if closed(parent) {
		t.Error("a refused command woke the link to the parent")
	}
	number := l.apply(t, noon, createCommand("x"))[0].Ticket.Number
	if !closed(parent) {
		t.Error("a new ticket did not wake the link to the parent")
	}
	if closed(stranger) {
		t.Error("a ticket woke a site that is not on its path")
	}
	parent = l.Changed("330100")
	escalate := ticketCommand(&deskpb.TicketCommand{Number: number, Verb: &deskpb.TicketCommand_Escalate{Escalate: &deskpb.Escalate{Reason: "x"}}})
	if r := l.apply(t, noon, escalate)[0].Refusal; r != nil {
		t.Fatalf("escalate: %v", r)
	}
	if !closed(parent) {
		t.Error("a queued hand-over did not wake the link to the parent")
	}
	parent = l.Changed("330100")
	l.one(t, noon, registerNode(&deskpb.NodeInfo{Id: "n1", ServerId: "n1-aa"}))
	if !closed(parent) {
		t.Error("a publication did not wake the link to the parent")
	}
}

func TestCheckpointRestores(t *testing.T) {
	a, b := founded(t), newLog(t)
	a.apply(t, noon, createCommand("x"))
	r, _, index, _, _, err := a.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	changed := b.Changed("330100")
	if err := b.Restore(r); err != nil {
		t.Fatal(err)
	}
	if b.Applied() != index {
		t.Errorf("after the restore %d is applied, want %d", b.Applied(), index)
	}
	<-changed
	if a.digest(t) != b.digest(t) {
		t.Error("the restored state differs")
	}
}
