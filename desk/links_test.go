package desk

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestLinksStandOnBothTickets(t *testing.T) {
	d := newDesktop(t)
	a, b := d.open(county, "主机房断电"), d.open(county, "报表打不开")
	d.do(county, a, "lin", linkTo(deskpb.TicketLink_CAUSE_OF, string(b), false))
	d.do(county, a, "lin", linkTo(deskpb.TicketLink_RELATED, string(b), false))
	d.do(county, a, "lin", linkTo(deskpb.TicketLink_RELATED, string(b), false)) // saying it again changes nothing
	if got, want := d.links(county, a), fmt.Sprintf("[RELATED %s CAUSE_OF %[1]s]", b); got != want {
		t.Errorf("the cause has the links %s, want %s", got, want)
	}
	if got, want := d.links(county, b), fmt.Sprintf("[RELATED %s CAUSED_BY %[1]s]", a); got != want {
		t.Errorf("the effect has the links %s, want %s", got, want)
	}
	d.do(county, b, "lin", linkTo(deskpb.TicketLink_CAUSED_BY, string(a), true))
	if got, want := d.links(county, a), fmt.Sprintf("[RELATED %s]", b); got != want {
		t.Errorf("after the other side took it back the cause has the links %s, want %s", got, want)
	}
}

func TestLinksThatCannotBe(t *testing.T) {
	d := newDesktop(t)
	parent, child, other := d.open(county, "主"), d.open(county, "子"), d.open(county, "另一个")
	childOf := func(number TicketNumber) *deskpb.TicketCommand {
		return linkTo(deskpb.TicketLink_CHILD_OF, string(number), false)
	}
	d.do(county, child, "lin", childOf(parent))
	for name, c := range map[string]struct {
		number  TicketNumber
		command *deskpb.TicketCommand
		want    string
	}{
		"with itself":              {other, linkTo(deskpb.TicketLink_RELATED, string(other), false), "INVALID_FIELD"},
		"with an unknown ticket":   {other, linkTo(deskpb.TicketLink_RELATED, "330106-20200101-0001", false), "TICKET_NOT_FOUND"},
		"with nothing":             {other, linkTo(deskpb.TicketLink_RELATED, " ", false), "INVALID_FIELD"},
		"a duplicate by hand":      {other, linkTo(deskpb.TicketLink_DUPLICATE_OF, string(child), false), "INVALID_FIELD"},
		"a second parent":          {child, childOf(other), "ALREADY_A_CHILD"},
		"a grandchild":             {other, childOf(child), "ALREADY_A_CHILD"},
		"a child that has one":     {parent, childOf(other), "HAS_CHILDREN"},
		"the same from the parent": {other, linkTo(deskpb.TicketLink_PARENT_OF, string(parent), false), "HAS_CHILDREN"},
		"merging a parent away":    {parent, mergeInto(other), "HAS_CHILDREN"},
		"merging into itself":      {other, mergeInto(other), "INVALID_FIELD"},
		"merging into nothing":     {other, mergeInto("330106-20200101-0001"), "TICKET_NOT_FOUND"},
	} {
		t.Run(name, func(t *testing.T) {
			desktop{t, d.tree}.refused(county, c.number, "lin", c.command, c.want)
		})
	}
}

func TestAMergedTicketSpeaksThroughTheOther(t *testing.T) {
	d := newDesktop(t)
	first, second, third := d.open(county, "网络中断"), d.open(county, "上不了网"), d.open(county, "断网")
	merged := d.do(county, second, "lin", mergeInto(first))
	if merged.GetState() != deskpb.Ticket_CLOSED || merged.GetMergedInto() != string(first) || merged.GetResolution().GetCode() != duplicate {
		t.Fatalf("the merged ticket is %s, merged into %q, with code %q", merged.GetState(), merged.GetMergedInto(), merged.GetResolution().GetCode())
	}
	d.do(county, first, "lin", mergeInto(third))
	d.refused(county, third, "lin", mergeInto(second), "INVALID_FIELD")

	urged := d.do(county, second, "lin", sampleCommand("urge"))
	if urged.GetNumber() != string(third) || urged.GetUrgeCount() != 1 {
		t.Errorf("the urge went to %s, which counts %d, want it on %s", urged.GetNumber(), urged.GetUrgeCount(), third)
	}
	d.refused(county, second, "lin", sampleCommand("reopen"), "NOT_REOPENED")
	d.refused(county, second, "lin", splitFrom(second), "INVALID_FIELD")
	if got, want := d.links(county, first), fmt.Sprintf("[DUPLICATE_OF %s DUPLICATED_BY %s]", third, second); got != want {
		t.Errorf("the ticket in the middle has the links %s, want %s", got, want)
	}
	d.drain()
	for _, number := range []TicketNumber{first, second, third} {
		if err := d.tree.agree(number); err != nil {
			t.Error(err)
		}
	}
}

// A file for a merged ticket goes to the one that is worked on. How that one ended is not for the requester of the other to say.
func TestAMergedTicketIsNeitherRatedNorCalledBack(t *testing.T) {
	d := newDesktop(t)
	d.tree.office(county).hasFile(&deskpb.Blob{Size: 7, Complete: 7})
	first, second := d.open(county, "网络中断"), d.open(county, "上不了网")
	d.do(county, second, "lin", mergeInto(first))
	if got := d.do(county, second, "lin", attachCommand("a.txt")); got.GetNumber() != string(first) || len(got.GetAttachments()) != 1 {
		t.Errorf("the file went to %s, which has %d, want it on %s", got.GetNumber(), len(got.GetAttachments()), first)
	}
	d.do(county, first, "lin", resolveCommand("换了交换机"))
	for _, verb := range []string{"rate", "callBack"} {
		d.refused(county, second, "lin", sampleCommand(verb), "MERGED")
		d.do(county, first, "lin", sampleCommand(verb))
	}
}

func TestARequestFromBeforeAMergeStaysWhereItWas(t *testing.T) {
	d := newDesktop(t)
	first, second, third := d.open(county, "网络中断"), d.open(county, "上不了网"), d.open(county, "断网")
	note := identified("r1", by(agent("lin"), second, sampleCommand("note")))
	d.do(county, second, "lin", proto.CloneOf(note))
	d.do(county, second, "lin", mergeInto(first))
	if again := d.do(county, second, "lin", proto.CloneOf(note)); again.GetNumber() != string(second) {
		t.Errorf("the repeated note is answered with %s, want %s", again.GetNumber(), second)
	}
	turned := identified("r2", by(agent("lin"), second, sampleCommand("note")))
	d.do(county, second, "lin", proto.CloneOf(turned))
	d.do(county, first, "lin", mergeInto(third))
	if again := d.do(county, second, "lin", proto.CloneOf(turned)); again.GetNumber() != string(first) {
		t.Errorf("the repeated note is answered with %s, want %s, where it went before that was merged too", again.GetNumber(), first)
	}
}

// What begins at the city with a county's ticket has the city as its home: a namesake of its requester there is somebody else, and what is
// masked on the one is not bare on the other.
func TestANewTicketFromAnotherSitesOne(t *testing.T) {
	for _, masks := range []bool{false, true} {
		t.Run(fmt.Sprintf("masked above home %v", masks), func(t *testing.T) {
			d := newDesktop(t)
			d.tree.office(city).policy = &deskpb.Policy{Privacy: &deskpb.Privacy{MaskAboveHome: masks}}
			create := createCommand("打印机和网络都坏了")
			create.GetCreate().GetTicket().Requester = &deskpb.Requester{
				Name: "陈静", Unit: "立案庭", Phone: "0571-85000012", Email: "chen@example.cn", User: "chen", Id: "abc", Class: "vip",
			}
			origin := TicketNumber(d.do(county, "", "lin", create).GetNumber())
			d.do(county, origin, "lin", escalateCommand("一线无法解决"))
			d.drain()
			want := &deskpb.Requester{Name: "陈静", Unit: "立案庭", Phone: "0571-85000012", Email: "chen@example.cn"}
			if masks {
				want.Phone, want.Email = "", ""
			}
			if got := d.do(city, "", "wang", splitFrom(origin)); !proto.Equal(got.GetRequester(), want) {
				t.Errorf("the requester of the part is %v, want %v", got.GetRequester(), want)
			}
		})
	}
}

func TestASplitTicketTakesTheWordsThatItsAuthorLeftOut(t *testing.T) {
	d := newDesktop(t)
	create := createCommand("打印机和网络都坏了")
	source := create.GetCreate().GetTicket()
	source.Category, source.Application, source.Requester = "硬件", "综合平台", &deskpb.Requester{Name: "陈静"}
	origin := TicketNumber(d.do(county, "", "lin", create).GetNumber())
	split := splitFrom(origin)
	split.GetCreate().Ticket = &deskpb.Ticket{Title: "打印机坏了"}
	part := d.do(county, "", "lin", split)
	if part.GetTitle() != "打印机坏了" || part.GetCategory() != "硬件" || part.GetRequester().GetName() != "陈静" || part.GetApplication() != "综合平台" {
		t.Errorf("the part is %v", part)
	}
	if got, want := d.links(county, TicketNumber(part.GetNumber())), fmt.Sprintf("[SPLIT_FROM %s]", origin); got != want {
		t.Errorf("the part has the links %s, want %s", got, want)
	}
	if got, want := d.links(county, origin), fmt.Sprintf("[SPLIT_INTO %s]", part.GetNumber()); got != want {
		t.Errorf("the origin has the links %s, want %s", got, want)
	}
	stale := splitFrom(origin)
	stale.Etag = "0000000000000000"
	d.refused(county, "", "lin", stale, "STALE_ETAG")
	d.refused(county, "", "lin", splitFrom("330106-20200101-0001"), "TICKET_NOT_FOUND")
}

// TestReopeningAfterTheWindow closes a ticket, and lets a week and a minute pass.
func TestReopeningAfterTheWindow(t *testing.T) {
	d := newDesktop(t)
	number := d.open(county, "报表打不开")
	d.do(county, number, "lin", resolveCommand("重启"))
	d.do(county, number, "lin", sampleCommand("close"))
	d.drain()
	window := d.tree.office(county).policy.GetClosing().GetReopenWithin()
	d.tree.now = micros(d.at(county, number).GetCloseTime()) + window*1_000_000 - 10*minute
	if again := d.do(county, number, "lin", sampleCommand("reopen")); again.GetNumber() != string(number) {
		t.Fatalf("within the window another ticket %s is opened", again.GetNumber())
	}
	d.do(county, number, "lin", resolveCommand("重启"))
	d.do(county, number, "lin", sampleCommand("close"))
	d.drain()
	d.tree.now += window*1_000_000 + minute

	reopen := identified("r1", by(agent("lin"), number, sampleCommand("reopen")))
	next := d.do(county, number, "lin", proto.CloneOf(reopen))
	if next.GetNumber() == string(number) || next.GetTitle() != "报表打不开" || next.GetDescription() != "又出现了" {
		t.Fatalf("after the window the answer is %v", next)
	}
	if again := d.do(county, number, "lin", proto.CloneOf(reopen)); again.GetNumber() != next.GetNumber() {
		t.Errorf("the repeated request is answered with %s, want %s", again.GetNumber(), next.GetNumber())
	}
	if got, want := d.links(county, number), fmt.Sprintf("[FOLLOWED_BY %s]", next.GetNumber()); got != want {
		t.Errorf("the closed ticket has the links %s, want %s", got, want)
	}
	d.refused(county, number, "wang", sampleCommand("reopen"), "FOLLOWED_ALREADY")

	d.do(city, number, "wang", sampleCommand("reopen"))
	d.drain()
	wish := d.at(city, number).GetWishes()[0]
	if wish.GetState() != deskpb.Wish_DECLINED || wish.GetAnswer() == "" {
		t.Errorf("the city's wish to reopen after the window is %s: %q", wish.GetState(), wish.GetAnswer())
	}
}

// TestWordsOnALinkCommute folds links said and taken back, by several sites at times that meet, in any order.
func TestWordsOnALinkCommute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := newTree()
		opened, err := tree.do(county, createCommand("甲"))
		if err != nil {
			t.Fatal(err)
		}
		var words []Sealed
		for i := range rapid.IntRange(1, 8).Draw(t, "words") {
			event := sampleEvent(deskpb.Event_LINKED)
			event.Ticket, event.Id.Sequence = opened.Record.GetTicket().GetNumber(), uint64(1000+i)
			event.Id.Site = string(rapid.SampledFrom([]SiteID{county, city}).Draw(t, "site"))
			event.Time = morning + rapid.Int64Range(0, 2).Draw(t, "time")
			event.Body = &deskpb.Body{Removed: rapid.Bool().Draw(t, "removed"), Link: &deskpb.TicketLink{
				Kind:   deskpb.TicketLink_Kind(rapid.IntRange(1, 3).Draw(t, "kind")),
				Number: rapid.SampledFrom([]string{"330106-20261121-0007", "330106-20261121-0008"}).Draw(t, "other"),
			}}
			sealed, err := Seal(event)
			if err != nil {
				t.Fatal(err)
			}
			words = append(words, sealed)
		}
		all := func(order []Sealed) *deskpb.Record {
			record := opened.Record
			for _, word := range order {
				record = mustFold(t, record, word)
			}
			return record
		}
		one, other := all(words), all(rapid.Permutation(words).Draw(t, "order"))
		if !proto.Equal(one, other) {
			t.Fatalf("another order gives other links:\n%v\n%v", one.GetTicket().GetLinks(), other.GetTicket().GetLinks())
		}
		if !slices.IsSortedFunc(one.GetTicket().GetLinks(), compareLinks) {
			t.Fatalf("the links are out of order: %v", one.GetTicket().GetLinks())
		}
	})
}

// TestTheLaterWordWins links and unlinks in one log entry, whose commands all have one time, and at a site whose clock is behind.
func TestTheLaterWordWins(t *testing.T) {
	d := newDesktop(t)
	a, b := d.open(county, "甲"), d.open(county, "乙")
	d.drain()
	d.tree.office(city).behind = 60 * minute
	for i, site := range []SiteID{county, city, county, city} {
		d.tree.now -= 1_000_000 // the next stamp is the last one again
		d.do(site, a, "lin", linkTo(deskpb.TicketLink_RELATED, string(b), i%2 == 1))
		d.drain()
		for _, at := range []SiteID{county, city, province} {
			if linked := d.links(at, a) != "[]"; linked != (i%2 == 0) || (d.links(at, b) != "[]") != linked {
				t.Fatalf("after word %d the links at %s are %s and %s", i, at, d.links(at, a), d.links(at, b))
			}
		}
	}
}
