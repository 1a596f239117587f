package desk

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// TestGoldenBytes holds the encoding of every event type still: sites of different versions compare hashes of it.
func TestGoldenBytes(t *testing.T) {
	for value := range int32(64) {
		name, known := deskpb.Event_Type_name[value]
		if !known || value == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			event := sampleEvent(deskpb.Event_Type(value))
			sealed, err := Seal(event)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", "events", strings.ToLower(name)+".golden")
			if *update {
				writeGolden(t, path, sealed.Raw)
			}
			want := readGolden(t, path)
			if !bytes.Equal(sealed.Raw, want) {
				t.Errorf("%s is written as\n%x, not as before:\n%x", name, sealed.Raw, want)
			}
			read, err := Open(want)
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(read.Event, event) {
				t.Errorf("the bytes of before are read as %v, not %v", read.Event, event)
			}
		})
	}
}

// update rewrites the golden bytes: go test ./desk -run Golden -update.
var update = flag.Bool("update", false, "rewrite golden files")

func writeGolden(t *testing.T, path string, raw []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(hex.EncodeToString(raw)+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readGolden(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return raw
}

// sampleEvent is a well-formed event of the type with every field that the type uses.
func sampleEvent(kind deskpb.Event_Type) *deskpb.Event {
	e := &deskpb.Event{
		Ticket:      "330106-20261121-0042",
		Id:          &deskpb.EventID{Site: string(county), Incarnation: 0x0123456789abcdef, Sequence: 77},
		Class:       classOf(kind),
		Type:        kind,
		Visibility:  deskpb.Event_EVERYONE,
		CustodyTerm: 2,
		Reclaim:     1,
		Path:        []string{string(county), string(city), string(province)},
		Schema:      Schema,
		Time:        morning + int64(kind),
		Actor:       "lin",
		Request:     &deskpb.RequestKey{Id: "7f3a", Method: "verb", BodyHash: bytes.Repeat([]byte{7}, bodyHashSize)},
		Body:        sampleBody(kind),
	}
	if e.Class == deskpb.Event_CUSTODIAL {
		e.Index = uint32(kind)
		e.Previous = bytes.Repeat([]byte{9}, hashSize)
	}
	switch kind {
	case deskpb.Event_OPENED:
		e.Previous = nil
	case deskpb.Event_NOTED, deskpb.Event_ALERTED, deskpb.Event_LINKED:
		e.Visibility = deskpb.Event_AGENTS
	case deskpb.Event_RELEASED:
		e.Visibility, e.From, e.To = deskpb.Event_AGENTS, string(city), string(county)
	case deskpb.Event_ESCALATION_QUEUED, deskpb.Event_DISPATCHED, deskpb.Event_ACCEPTED, deskpb.Event_REFUSED,
		deskpb.Event_RELOCATION_QUEUED:
		e.From, e.To = string(county), string(city)
	case deskpb.Event_REMINDED:
		e.To = string(city)
	case deskpb.Event_RETURN_QUEUED:
		e.From, e.To = string(city), string(county)
	}
	return e
}

// sampleClock is a clock with every field that one that runs uses.
func sampleClock() *deskpb.Sla {
	return &deskpb.Sla{
		Metric: deskpb.Sla_RESOLUTION, Tier: deskpb.Site_COUNTY.String(), Site: string(county), Target: 7200, Calendar: "office",
		Rule: "resolution-county-priority-2", State: deskpb.Sla_RUNNING, Mark: 50, Counted: 1800,
		StartTime: timestamp(morning), Since: timestamp(morning + 60*minute), DueTime: timestamp(morning + 150*minute),
		NextMarkTime: timestamp(morning + 120*minute),
	}
}

// sampleTask is a task with every field that an open one uses.
func sampleTask() *deskpb.Task {
	return &deskpb.Task{
		Id: 2, Kind: deskpb.Task_COSIGN, Title: "会签方案", Mandatory: true, Ordered: true, Quorum: 1,
		Signers:  []*deskpb.Signer{{User: "wang", Answer: deskpb.Signer_AGREED, Comment: "同意", Time: timestamp(morning + minute)}, {User: "sun"}},
		OpenTime: timestamp(morning), Actor: "lin", Site: string(county), Step: "resolve",
	}
}

func sampleBody(kind deskpb.Event_Type) *deskpb.Body {
	b := &deskpb.Body{Text: "说明"}
	switch kind {
	case deskpb.Event_OPENED:
		b = &deskpb.Body{Opened: &deskpb.Opened{Ticket: &deskpb.Ticket{
			Number: "330106-20261121-0042", Kind: deskpb.Ticket_CALL, State: deskpb.Ticket_NEW, Title: "打印机不工作",
			Tags: []string{"打印"}, Requester: &deskpb.Requester{Name: "陈静", Phone: "0571-1234"}, Impact: 2, Urgency: 1,
			Priority: 2, Handover: &deskpb.Handover{}, Sla: []*deskpb.Sla{sampleClock()}, OpenTime: timestamp(morning),
		}}}
	case deskpb.Event_ASSIGNED:
		b.Assignee, b.Group = "wang", "网络组"
	case deskpb.Event_STARTED, deskpb.Event_RESUMED, deskpb.Event_CLAIMED:
		b.Assignee = "wang"
	case deskpb.Event_DECLINED:
		b.Group = "网络组"
	case deskpb.Event_REMINDED:
		b.Told, b.Level, b.RemindTime = []string{"wang", "zhao"}, 2, morning+minute
	case deskpb.Event_HELD:
		b.HoldReason = "等待用户"
	case deskpb.Event_RETURN_QUEUED, deskpb.Event_DISPATCHED:
		b.Line, b.Homeward = deskpb.Ticket_FIRST, true
	case deskpb.Event_ESCALATION_QUEUED, deskpb.Event_ESCALATED, deskpb.Event_RETURNED, deskpb.Event_ACCEPTED, deskpb.Event_REFUSED,
		deskpb.Event_RECLAIMED:
		b.Line = deskpb.Ticket_SECOND
	case deskpb.Event_RELOCATION_QUEUED:
		b.Line, b.Relocation = deskpb.Ticket_SECOND, true
	case deskpb.Event_RESOLVED:
		b.Resolution, b.AutoClose = &deskpb.Resolution{Code: "PATCH", Text: "补丁", RootCause: "程序BUG"}, morning+4320*minute
	case deskpb.Event_CONFIRMED:
		b.Satisfaction, b.CallBackDue = &deskpb.Satisfaction{Score: 5, Comment: "满意"}, morning+60*minute
	case deskpb.Event_CLOSED:
		b.CallBackDue = morning + 60*minute
	case deskpb.Event_CALLED_BACK:
		b = &deskpb.Body{
			CallBack: &deskpb.CallBack{
				Outcome: deskpb.CallBack_NOT_REACHED, Comment: "无人接听", Attempts: 1, DueTime: timestamp(morning + 24*60*minute),
			},
			Satisfaction: &deskpb.Satisfaction{Score: 3},
		}
	case deskpb.Event_RATED:
		b = &deskpb.Body{Satisfaction: &deskpb.Satisfaction{Score: 1, Comment: "太慢"}, FromRequester: true, CallBackDue: morning + 60*minute}
	case deskpb.Event_WISH_SETTLED:
		b.WishId, b.Granted = "330106-0123456789abcdef-76", true
	case deskpb.Event_CLOCK_PASSED, deskpb.Event_ARRIVED, deskpb.Event_RESPONDED:
		b.Clocks = []*deskpb.Sla{sampleClock()}
	case deskpb.Event_CLASSIFIED:
		b.Classification = &deskpb.Classification{
			Fields: []string{"category", "impact", "fields", "priority"},
			Ticket: &deskpb.Ticket{Category: "数据问题", Impact: 1, Priority: 2, Fields: map[string]string{"单据号": "A-17", "期间": "2026-11"}},
		}
	case deskpb.Event_RELEASED:
		b = &deskpb.Body{Release: 1}
	case deskpb.Event_CHECKED:
		b = &deskpb.Body{Check: &deskpb.Check{Item: 2, Done: true, Result: "22℃"}}
	case deskpb.Event_TASK_ADDED:
		b.Task = sampleTask()
	case deskpb.Event_TASK_CHANGED:
		b.Task = sampleTask()
		b.Task.State, b.Task.Result, b.Task.EndTime = deskpb.Task_DONE, "同意", timestamp(morning+60*minute)
	case deskpb.Event_MERGED:
		b.MergedInto = "330106-20261121-0007"
	case deskpb.Event_LINKED:
		b = &deskpb.Body{Link: &deskpb.TicketLink{Kind: deskpb.TicketLink_CHILD_OF, Number: "330000-20261121-0007"}, Removed: true}
	case deskpb.Event_ATTACHED:
		b = &deskpb.Body{Attachment: &deskpb.Attachment{Name: "报错.png", Size: 7, MediaType: "image/png", Sha256: strings.Repeat("ab", FileHash)}}
	case deskpb.Event_WISHED:
		b.Wish, b.Satisfaction = deskpb.Wish_CONFIRM, &deskpb.Satisfaction{Score: 4}
	}
	return b
}

func TestOpenRefusesAnEnvelopeThatDoesNotHold(t *testing.T) {
	for name, c := range map[string]struct {
		kind  deskpb.Event_Type
		spoil func(*deskpb.Event)
		want  string
	}{
		"no ticket":              {deskpb.Event_STARTED, func(e *deskpb.Event) { e.Ticket = "" }, "ticket number"},
		"no id":                  {deskpb.Event_STARTED, func(e *deskpb.Event) { e.Id = nil }, "cannot name a site"},
		"no incarnation":         {deskpb.Event_STARTED, func(e *deskpb.Event) { e.Id.Incarnation = 0 }, "incarnation"},
		"no sequence":            {deskpb.Event_STARTED, func(e *deskpb.Event) { e.Id.Sequence = 0 }, "sequence"},
		"no class":               {deskpb.Event_STARTED, func(e *deskpb.Event) { e.Class = 0 }, "class CUSTODIAL"},
		"a custodial remark":     {deskpb.Event_STARTED, func(e *deskpb.Event) { e.Class = deskpb.Event_REMARK }, "class CUSTODIAL"},
		"unknown type and class": {deskpb.Event_STARTED, func(e *deskpb.Event) { e.Type, e.Class = 99, 99 }, "class 99"},
		"no visibility":          {deskpb.Event_NOTED, func(e *deskpb.Event) { e.Visibility = 0 }, "who may see"},
		"no custody":             {deskpb.Event_NOTED, func(e *deskpb.Event) { e.CustodyTerm = 0 }, "custody term"},
		"no schema":              {deskpb.Event_NOTED, func(e *deskpb.Event) { e.Schema = 0 }, "schema"},
		"no time":                {deskpb.Event_NOTED, func(e *deskpb.Event) { e.Time = 0 }, "1970 to 9999"},
		"time without end":       {deskpb.Event_NOTED, func(e *deskpb.Event) { e.Time = maxTime + 1 }, "1970 to 9999"},
		"no path":                {deskpb.Event_NOTED, func(e *deskpb.Event) { e.Path = nil }, "home site"},
		"path from elsewhere":    {deskpb.Event_NOTED, func(e *deskpb.Event) { e.Path = e.Path[1:] }, "home site"},
		"path in a circle":       {deskpb.Event_NOTED, func(e *deskpb.Event) { e.Path = append(e.Path, e.Path[0]) }, "was there before"},
		"custodial without index": {deskpb.Event_STARTED,
			func(e *deskpb.Event) { e.Index = 0 }, "index"},
		"first but not opened":    {deskpb.Event_STARTED, func(e *deskpb.Event) { e.Index, e.Previous = 1, nil }, "OPENED"},
		"opened but not first":    {deskpb.Event_OPENED, func(e *deskpb.Event) { e.Index = 2 }, "OPENED"},
		"no previous":             {deskpb.Event_STARTED, func(e *deskpb.Event) { e.Previous = nil }, "hash of 0 bytes"},
		"short previous":          {deskpb.Event_STARTED, func(e *deskpb.Event) { e.Previous = e.Previous[1:] }, "hash of 15 bytes"},
		"previous of the first":   {deskpb.Event_OPENED, func(e *deskpb.Event) { e.Previous = bytes.Repeat([]byte{1}, 16) }, "hash of 16 bytes"},
		"remark with an index":    {deskpb.Event_NOTED, func(e *deskpb.Event) { e.Index = 3 }, "no place"},
		"remark with previous":    {deskpb.Event_NOTED, func(e *deskpb.Event) { e.Previous = []byte{1} }, "no place"},
		"opened without a ticket": {deskpb.Event_OPENED, func(e *deskpb.Event) { e.Body = nil }, "opens ticket"},
		"opened by another site":  {deskpb.Event_OPENED, func(e *deskpb.Event) { e.Id.Site = string(city) }, "opens ticket"},
	} {
		t.Run(name, func(t *testing.T) {
			event := sampleEvent(c.kind)
			c.spoil(event)
			raw := marshal(t, event)
			if _, err := Open(raw); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open says %v, want a sentence with %q", err, c.want)
			}
			if _, err := Seal(event); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Seal says %v, want a sentence with %q", err, c.want)
			}
		})
	}
}

func TestOpenRefusesBytesThatAreNoEvent(t *testing.T) {
	notUTF8 := marshal(t, &deskpb.EventID{Site: "A"}) // field 1 of an event is its ticket, a string
	notUTF8[len(notUTF8)-1] = 0xff
	for _, raw := range [][]byte{{0xff}, notUTF8} {
		if _, err := Open(raw); err == nil || !strings.Contains(err.Error(), "not a protobuf event") {
			t.Errorf("Open(%x) says %v", raw, err)
		}
	}
}

func TestOpenKeepsWhatALaterVersionAdds(t *testing.T) {
	event := sampleEvent(deskpb.Event_NOTED)
	event.Type, event.Schema = 99, Schema+1
	raw := append(marshal(t, event), 0xa2, 0x06, 1, 'x') // field 100, unknown
	sealed, err := Open(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sealed.Raw, raw) {
		t.Errorf("the bytes became %x", sealed.Raw)
	}
}

func FuzzOpen(f *testing.F) {
	for value := range deskpb.Event_Type_name {
		f.Add(marshal(f, sampleEvent(deskpb.Event_Type(value))))
	}
	f.Add([]byte{})
	f.Add([]byte{0x0a, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		opened, err := Open(raw)
		if err != nil {
			return
		}
		again, err := Seal(opened.Event)
		if err != nil {
			t.Fatalf("an event that opens does not seal: %v", err)
		}
		reopened, err := Open(again.Raw)
		if err != nil {
			t.Fatalf("a sealed event does not open: %v", err)
		}
		if !proto.Equal(reopened.Event, opened.Event) {
			t.Fatalf("sealing changed the event:\n%v\n%v", opened.Event, reopened.Event)
		}
		foldAnywhere(t, opened)
	})
}

// foldAnywhere folds the event onto nothing and, made to fit, onto a ticket: whatever it says, that must not panic.
func foldAnywhere(t *testing.T, event Sealed) {
	t.Helper()
	tree := newTree()
	d, err := tree.do(county, sampleCommand("create"))
	if err != nil {
		t.Fatal(err)
	}
	if record, err := Fold(nil, event); err == nil && record.GetTicket().GetEtag() == "" {
		t.Fatal("the folded ticket has no etag")
	}
	fit := proto.CloneOf(event.Event)
	fit.Ticket = d.Record.GetTicket().GetNumber()
	fit.CustodyTerm = max(1, fit.CustodyTerm)
	if fit.Class == deskpb.Event_CUSTODIAL && fit.Type != deskpb.Event_OPENED {
		fit.Index, fit.Previous = d.Record.GetLength()+1, d.Record.GetHead()
	}
	record, err := Fold(d.Record, Sealed{Event: fit, Raw: event.Raw})
	if err == nil && record.GetLastTime() < d.Record.GetLastTime() {
		t.Fatal("time ran backwards")
	}
}

func ExampleEventName() {
	fmt.Println(EventName(&deskpb.EventID{Site: "330106", Incarnation: 0xc0ffee, Sequence: 17}))
	// Output: 330106-0000000000c0ffee-17
}
