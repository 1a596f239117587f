package desk

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// whoHears returns who of an office hears of the events that a decision wrote.
func whoHears(t *testing.T, o *office, d *Decision) (people []string) {
	t.Helper()
	for _, event := range d.Events {
		people = append(people, hears(t, o, TicketNumber(d.Record.GetTicket().GetNumber()), event)...)
	}
	return people
}

func TestWhoHearsOfWhat(t *testing.T) {
	reply := func(fromRequester bool) *deskpb.TicketCommand {
		return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Reply{Reply: &deskpb.Reply{Text: "好了吗", FromRequester: fromRequester}}}
	}
	transfer := &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Transfer{Transfer: &deskpb.Transfer{Group: "桌面组", Reason: "不属网络"}}}
	for _, c := range []struct {
		name    string
		arrange []string // verbs of lin, who gets the ticket by the rules
		actor   string
		command *deskpb.TicketCommand
		want    []string
	}{
		{"who gets a new ticket", nil, "qian", createCommand("网络中断"), []string{"wang"}},
		{"the group of a transfer, and not the one before", nil, "lin", transfer, []string{"qian", "zhao"}},
		{"who gets what somebody declined", nil, "lin", sampleCommand("decline"), []string{"wang"}},
		{"nobody hears of what he did himself", nil, "wang", sampleCommand("assign"), nil},
		{"a colleague's note", nil, "wang", sampleCommand("note"), []string{"lin"}},
		{"the requester's reply", nil, "wang", reply(true), []string{"lin"}},
		{"one's own reply", nil, "lin", reply(false), nil},
		{"an urge", nil, "wang", sampleCommand("urge"), []string{"lin"}},
		{"that a ticket was claimed", nil, "lin", sampleCommand("claim"), nil},
		{"that it was solved", nil, "lin", sampleCommand("resolve"), nil},
		{"that it came back", []string{"resolve"}, "wang", sampleCommand("reopen"), []string{"lin"}},
		{"that it was escalated: the old people do not", nil, "wang", sampleCommand("escalate"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := teamOffice()
			o := tr.office(county)
			o.policy.Groups = append(o.policy.Groups, &deskpb.Team{Name: "桌面组", Members: []string{"qian", "zhao", "lin", "gone"}})
			o.strangers = map[UserID]bool{"gone": true}
			number := TicketNumber(must(t, tr, county, createCommand("网络中断")).GetNumber())
			for _, verb := range c.arrange {
				must(t, tr, county, by(agent("lin"), number, sampleCommand(verb)))
			}
			if c.command.GetCreate() != nil {
				number = ""
			}
			d, err := tr.do(county, by(agent(c.actor), number, c.command))
			if err != nil {
				t.Fatal(err)
			}
			if got := whoHears(t, o, d); !slices.Equal(got, c.want) {
				t.Errorf("%q hear of it, want %q", got, c.want)
			}
		})
	}
}

// Only the site that works on a ticket tells its people of it; the others hear what is for them.
func TestSitesTellTheirOwnPeople(t *testing.T) {
	tr := teamOffice()
	tr.office(city).policy = tr.office(county).policy // the same names at both
	tr.office(city).managers = []UserID{"zheng"}
	command := createCommand("网络中断")
	command.GetCreate().Ticket.Major = true
	d, err := tr.do(county, command)
	if err != nil {
		t.Fatal(err)
	}
	number := TicketNumber(d.Record.GetTicket().GetNumber())
	if got := whoHears(t, tr.office(county), d); !slices.Equal(got, []string{"lin"}) {
		t.Errorf("at home %q hear of the new ticket, want who has it", got)
	}
	must(t, tr, county, by(agent("qian"), number, sampleCommand("note")))
	if err := tr.drain(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, event := range tr.office(city).journal(number) {
		got = append(got, hears(t, tr.office(city), number, event)...)
	}
	if !slices.Equal(got, []string{"zheng"}) {
		t.Errorf("at the city %q hear of it, want its manager, of the major incident alone", got)
	}
}

func TestEqualNewsHaveOneKey(t *testing.T) {
	sequence := uint64(0)
	clock := func(mark int32, due int64) Sealed {
		sequence++
		return Sealed{Event: &deskpb.Event{
			Ticket: "T", Type: deskpb.Event_CLOCK_PASSED, Id: &deskpb.EventID{Site: "A", Incarnation: 1, Sequence: sequence},
			Body: &deskpb.Body{Clocks: []*deskpb.Sla{{Metric: deskpb.Sla_RESOLUTION, Tier: "CITY", Mark: mark, DueTime: timestamp(due)}}},
		}}
	}
	if first, again := clock(50, morning), clock(50, morning); noticeKey(first) != noticeKey(again) {
		t.Error("one mark of one clock has two keys")
	}
	if noticeKey(clock(50, morning)) == noticeKey(clock(75, morning)) || noticeKey(clock(50, morning)) == noticeKey(clock(50, morning+1)) {
		t.Error("another mark, or another due time, has the same key")
	}
	if got := noticeText(clock(50, morning)); got != "RESOLUTION CITY 50 %" {
		t.Errorf("a passed mark is told as %q", got)
	}
}

func TestALongTextIsCut(t *testing.T) {
	event := Sealed{Event: &deskpb.Event{Type: deskpb.Event_NOTED, Body: &deskpb.Body{Text: strings.Repeat("说", 300) + "\n明"}}}
	if got := noticeText(event); utf8.RuneCountInString(got) != maxNoticeText || !strings.HasSuffix(got, "…") {
		t.Errorf("a note of 300 characters is told as %d: %s", utf8.RuneCountInString(got), got)
	}
}
