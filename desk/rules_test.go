package desk

import (
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestLimits(t *testing.T) {
	create := func(ticket *deskpb.Ticket) *deskpb.TicketCommand {
		if ticket.Title == "" {
			ticket.Title = "标题"
		}
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: ticket}}}
	}
	assign := func(a *deskpb.Assign) *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Assign{Assign: a}}
	}
	confirm := func(score int32) *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Confirm{Confirm: &deskpb.Confirm{
			Satisfaction: &deskpb.Satisfaction{Score: score}}}}
	}
	note := func(text string) *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Note{Note: &deskpb.Note{Text: text}}}
	}
	requested := func(r *deskpb.RequestKey) *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Request: r, Verb: note("x").Verb}
	}
	hash := make([]byte, bodyHashSize)
	for name, c := range map[string]struct {
		command *deskpb.TicketCommand
		field   string // that is refused; empty when the command is well formed
	}{
		"the longest title":            {create(&deskpb.Ticket{Title: strings.Repeat("题", MaxTitle)}), ""},
		"a title too long":             {create(&deskpb.Ticket{Title: strings.Repeat("题", MaxTitle+1)}), "ticket.title"},
		"a title of two lines":         {create(&deskpb.Ticket{Title: "一\n二"}), "ticket.title"},
		"a title of spaces":            {create(&deskpb.Ticket{Title: "\u3000 "}), "ticket.title"},
		"a title that is not UTF-8":    {create(&deskpb.Ticket{Title: "\xff"}), "ticket.title"},
		"the longest description":      {create(&deskpb.Ticket{Description: strings.Repeat("x", MaxText)}), ""},
		"a description of lines":       {create(&deskpb.Ticket{Description: "一\n二\t三"}), ""},
		"a description too long":       {create(&deskpb.Ticket{Description: strings.Repeat("x", MaxText+1)}), "ticket.description"},
		"a category too long":          {create(&deskpb.Ticket{Category: strings.Repeat("x", MaxShort+1)}), "ticket.category"},
		"as many tags as allowed":      {create(&deskpb.Ticket{Tags: strings.Fields(strings.Repeat("x ", MaxTags))}), ""},
		"a tag too many":               {create(&deskpb.Ticket{Tags: strings.Fields(strings.Repeat("x ", MaxTags+1))}), "ticket.tags"},
		"a tag too long":               {create(&deskpb.Ticket{Tags: []string{"a", strings.Repeat("x", MaxTag+1)}}), "ticket.tags[1]"},
		"an empty tag":                 {create(&deskpb.Ticket{Tags: []string{""}}), "ticket.tags[0]"},
		"a requester's phone too long": {create(&deskpb.Ticket{Requester: &deskpb.Requester{Phone: strings.Repeat("1", MaxShort+1)}}), "ticket.requester.phone"},
		"an impact below the lowest":   {create(&deskpb.Ticket{Impact: 4}), "ticket.impact"},
		"a negative urgency":           {create(&deskpb.Ticket{Urgency: -1}), "ticket.urgency"},
		"a severity of 9":              {create(&deskpb.Ticket{Severity: 9}), "ticket.severity"},
		"an unknown channel":           {create(&deskpb.Ticket{Channel: 42}), "ticket.channel"},
		"an unknown kind":              {create(&deskpb.Ticket{Kind: -1}), "ticket.kind"},
		"no title at all":              {&deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Create{}}, "ticket.title"},
		"assigned to nobody":           {assign(&deskpb.Assign{Reason: "x"}), "assignee"},
		"an assignee too long":         {assign(&deskpb.Assign{Assignee: strings.Repeat("x", MaxUser+1)}), "assignee"},
		"a group too long":             {assign(&deskpb.Assign{Group: strings.Repeat("x", MaxShort+1)}), "group"},
		"a hold without a reason":      {&deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Hold{Hold: &deskpb.Hold{Comment: "x"}}}, "reason"},
		"an empty note":                {note(" \n"), "text"},
		"the longest note":             {note(strings.Repeat("x", MaxText)), ""},
		"a note too long":              {note(strings.Repeat("x", MaxText+1)), "text"},
		"an empty resolution":          {&deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resolve{Resolve: &deskpb.Resolve{}}}, "resolution"},
		"the best score":               {confirm(5), ""},
		"no score":                     {confirm(0), ""},
		"a score of 6":                 {confirm(6), "satisfaction.score"},
		"a negative score":             {confirm(-1), "satisfaction.score"},
		"a request id too long":        {requested(&deskpb.RequestKey{Id: strings.Repeat("x", MaxRequestID+1), Method: "note", BodyHash: hash}), "requestId"},
		"the longest request id":       {requested(&deskpb.RequestKey{Id: strings.Repeat("x", MaxRequestID), Method: "note", BodyHash: hash}), ""},
		"a request id without a hash":  {requested(&deskpb.RequestKey{Id: "x", Method: "note"}), "requestId"},
		"an actor too long":            {&deskpb.TicketCommand{Actor: agent(strings.Repeat("x", MaxUser+1)), Verb: note("x").Verb}, "actor.user"},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkForm(c.command)
			var refusal *Refusal
			switch {
			case c.field == "" && err != nil:
				t.Errorf("it is refused: %v", err)
			case c.field != "" && (!errors.As(err, &refusal) || refusal.Field != c.field || refusal.Code != InvalidArgument):
				t.Errorf("it comes to %v, want the field %s refused", err, c.field)
			}
		})
	}
	if err := checkForm(&deskpb.TicketCommand{}); reason(err) != "UNKNOWN_VERB" {
		t.Errorf("a command without a verb comes to %v", err)
	}
}

func TestCreateReadsWhatItsAuthorMaySay(t *testing.T) {
	asked := &deskpb.Ticket{
		Title: "标题", Description: "说明", Category: "数据问题", Application: "预算", ApplicationVersion: "3.1", ConfigurationItem: "CI-7",
		Tags: []string{"a"}, Requester: &deskpb.Requester{Name: "陈静"}, Channel: deskpb.Ticket_EMAIL, Kind: deskpb.Ticket_INCIDENT,
		Impact: 1, Urgency: 3, Major: true, Assignee: "wang", Group: "网络组", Collaborators: []string{"sun"},
		// What follows is the desk's to say and is not read.
		Number: "x", State: deskpb.Ticket_CLOSED, Priority: 5, HomeSite: "x", CustodianSite: "x", CustodyTerm: 9, Line: deskpb.Ticket_THIRD,
		Etag: "x", UrgeCount: 7, ReopenCount: 7, ReassignmentCount: 7, HoldReason: "x", Resolution: &deskpb.Resolution{Code: "x"},
		Satisfaction: &deskpb.Satisfaction{Score: 5}, Wishes: []*deskpb.Wish{{Id: "x"}}, Handover: &deskpb.Handover{State: deskpb.Handover_QUEUED},
		OpenTime: timestamp(1), RespondTime: timestamp(1), ResolveTime: timestamp(1), CloseTime: timestamp(1), UpdateTime: timestamp(1),
		Sla: []*deskpb.Sla{{}},
	}
	tree := newTree()
	d, err := tree.do(county, &deskpb.TicketCommand{Actor: agent("lin"), Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: asked}}})
	if err != nil {
		t.Fatal(err)
	}
	opened := morning + 1_000_000
	want := &deskpb.Ticket{
		Number: "330106-20261121-0001", Kind: deskpb.Ticket_INCIDENT, State: deskpb.Ticket_ASSIGNED,
		Title: "标题", Description: "说明", Category: "数据问题", Application: "预算", ApplicationVersion: "3.1", ConfigurationItem: "CI-7",
		Tags: []string{"a"}, Requester: &deskpb.Requester{Name: "陈静"}, Channel: deskpb.Ticket_EMAIL,
		Impact: 1, Urgency: 3, Priority: 3, Severity: 1, Major: true,
		HomeSite: "330106", CustodianSite: "330106", CustodyTerm: 1, Line: deskpb.Ticket_FIRST, Handover: &deskpb.Handover{},
		Assignee: "wang", Group: "网络组", Collaborators: []string{"sun"},
		OpenTime: timestamp(opened), UpdateTime: timestamp(opened), Etag: d.Record.GetTicket().GetEtag(),
	}
	got := proto.CloneOf(d.Record.GetTicket())
	got.Sla = nil // TestClocksOfANewTicket has them
	if !proto.Equal(got, want) {
		t.Errorf("the ticket is\n%v\nwant\n%v", got, want)
	}
}

func TestNumbersFollowTheLocalDay(t *testing.T) {
	o := newOffice(deskpb.Site_COUNTY, county)
	before := time.Date(2026, 11, 20, 15, 59, 59, 0, time.UTC).UnixMicro() // in Beijing one second before midnight
	for _, c := range []struct {
		time    int64
		letters string
		want    string
	}{
		{before, "", "330106-20261120-0001"},
		{before, "", "330106-20261120-0002"},
		{before + 1_000_000, "", "330106-20261121-0001"},
		{before + 1_000_000, "K7Q", "330106-20261121-0002-K7Q"},
	} {
		o.here.Letters = c.letters
		d, err := Decide(o.here, o, sampleCommand("create"), Stamp{Time: c.time, UTCOffset: beijing})
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Record.GetTicket().GetNumber(); got != c.want {
			t.Errorf("the ticket is %s, want %s", got, c.want)
		}
		if err := o.keep(d); err != nil {
			t.Fatal(err)
		}
	}
	west := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC).UnixMicro() // in New York it is the evening before
	o.here.Letters, o.last["20261121"] = "", 9999
	d, err := Decide(o.here, o, sampleCommand("create"), Stamp{Time: west, UTCOffset: -5 * 3600})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Record.GetTicket().GetNumber(); got != "330106-20261121-10000" {
		t.Errorf("west of Greenwich, after the ten thousandth ticket of the day, it is %s", got)
	}
	o.last["20261121"] = maxSequence
	if _, err := Decide(o.here, o, sampleCommand("create"), Stamp{Time: before + 1_000_000, UTCOffset: beijing}); reason(err) != "NO_NUMBER_LEFT" {
		t.Errorf("a ticket beyond the last number comes to %v", err)
	}
}

func TestParseNumberUndoesTicketNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := Number{
			Site:     SiteID(rapid.StringMatching(`[0-9A-Za-z]{1,32}`).Draw(t, "site")),
			Day:      time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "day"), 0).UTC().Format(dayLayout),
			Sequence: rapid.Uint32Range(1, maxSequence).Draw(t, "sequence"),
			Letters:  rapid.StringMatching(`([0-9A-Z]{3})?`).Draw(t, "letters"),
		}
		if back, err := ParseNumber(n.TicketNumber()); err != nil || back != n {
			t.Fatalf("%s becomes %+v, %v; want %+v", n.TicketNumber(), back, err, n)
		}
	})
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"330106-20261121-0042", "330106-20261121-0001-K7Q", "A-20261121-12345", "", "-20261121-0001",
		"330106-20261321-0001", "330106-20261121-0000", "330106-20261121-42", "330106-20261121-00042", "330106-20261121-0042-k7q",
		"330106-20261121-+042", "330106-20261121-0042-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := ParseNumber(TicketNumber(s)); err == nil && string(n.TicketNumber()) != s {
			t.Fatalf("%q is accepted as %s", s, n.TicketNumber())
		}
	})
}

func TestTimeNeverRunsBackwardsOnATicket(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.tree.office(city).behind = 60 * minute
	s.escalateToCity()
	latest := s.tree.office(city).records[s.number].GetLastTime()
	if got := s.do(city, sampleCommand("note")).Events[0].GetTime(); got < latest {
		t.Errorf("the note is of %s, before the latest event, %s", moment(got), moment(latest))
	}
	if got := s.do(city, sampleCommand("start")).Events[0].GetTime(); got <= s.tree.now-60*minute {
		t.Errorf("the change is of %s, not after the custodial event before it", moment(got))
	}
	var last int64
	for _, event := range s.tree.office(city).events[s.number] {
		if event.GetClass() == deskpb.Event_CUSTODIAL && event.GetTime() <= last {
			t.Errorf("%s is of %s, not after the custodial event before it", event.GetType(), moment(event.GetTime()))
		}
		last = max(last, event.GetTime())
	}
}

func TestReassignmentsAreCounted(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	for _, c := range []struct {
		assignee, group         string
		wantAssignee, wantGroup string
		wantCount               uint32
	}{
		{"", "网络组", "", "网络组", 0},
		{"wang", "", "wang", "网络组", 1},
		{"wang", "", "wang", "网络组", 1},
		{"", "网络组", "wang", "网络组", 1},
		{"", "应用组", "", "应用组", 2},
		{"sun", "应用组", "sun", "应用组", 3},
	} {
		d := s.do(county, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Assign{Assign: &deskpb.Assign{Assignee: c.assignee, Group: c.group}}})
		got := d.Record.GetTicket()
		if got.GetAssignee() != c.wantAssignee || got.GetGroup() != c.wantGroup || got.GetReassignmentCount() != c.wantCount {
			t.Errorf("assigning %q of %q gives %q of %q with count %d, want %q of %q with count %d", c.assignee, c.group,
				got.GetAssignee(), got.GetGroup(), got.GetReassignmentCount(), c.wantAssignee, c.wantGroup, c.wantCount)
		}
	}
}
