package desk

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// checklistPolicy is a policy with a checklist by category and another one by template.
func checklistPolicy() *deskpb.Policy {
	return &deskpb.Policy{
		Categories: []*deskpb.Category{{Name: "网络", Checklist: "断网"}, {Name: "打印"}},
		Templates:  []*deskpb.Template{{Name: "巡检", Checklist: "机房", Ticket: &deskpb.Ticket{}}, {Name: "空白", Ticket: &deskpb.Ticket{}}},
		Checklists: []*deskpb.Checklist{
			{Name: "断网", Items: []*deskpb.ChecklistEntry{{Text: "看光衰", Required: true}, {Text: "换模块"}}},
			{Name: "机房", Items: []*deskpb.ChecklistEntry{{Text: "温度"}}},
		},
	}
}

func TestTheTemplatesChecklistComesBeforeTheCategorys(t *testing.T) {
	for name, c := range map[string]struct {
		ticket *deskpb.Ticket
		want   string // the first item
	}{
		"neither":                            {&deskpb.Ticket{}, ""},
		"a category":                         {&deskpb.Ticket{Category: "网络"}, "看光衰"},
		"a sub-category":                     {&deskpb.Ticket{Category: "网络/专线"}, "看光衰"},
		"a category without one":             {&deskpb.Ticket{Category: "打印"}, ""},
		"a template":                         {&deskpb.Ticket{Template: "巡检"}, "温度"},
		"both":                               {&deskpb.Ticket{Template: "巡检", Category: "网络"}, "温度"},
		"a template without, but a category": {&deskpb.Ticket{Template: "空白", Category: "网络"}, "看光衰"},
	} {
		var first string
		if items := checklistFor(checklistPolicy(), c.ticket); len(items) > 0 {
			first = items[0].GetText()
		}
		if first != c.want {
			t.Errorf("with %s the first item is %q, want %q", name, first, c.want)
		}
	}
}

// checking is a city's ticket with the checklist of its category.
func checking(t *testing.T) (*tree, TicketNumber) {
	t.Helper()
	tr := newTree()
	tr.office(city).policy = checklistPolicy()
	d, err := tr.do(city, by(agent("lin"), "", &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Create{
		Create: &deskpb.Create{Ticket: &deskpb.Ticket{Title: "断网", Category: "网络"}},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	return tr, TicketNumber(d.Record.GetTicket().GetNumber())
}

func check(item uint32, done bool, result string) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_CheckItem{CheckItem: &deskpb.CheckItem{Item: item, Done: done, Result: result}}}
}

func solve() *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resolve{Resolve: &deskpb.Resolve{Resolution: &deskpb.Resolution{Text: "换模块"}}}}
}

func TestATickSaysWhatWasFoundByWhomAndWhen(t *testing.T) {
	tr, number := checking(t)
	for _, c := range []struct {
		command *deskpb.TicketCommand
		want    *deskpb.ChecklistItem
	}{
		{check(0, true, "-21 dBm"), &deskpb.ChecklistItem{Text: "看光衰", Required: true, Done: true, Result: "-21 dBm", Actor: "sun"}},
		{check(0, false, "看错了"), &deskpb.ChecklistItem{Text: "看光衰", Required: true, Result: "看错了", Actor: "sun"}},
	} {
		d, err := tr.do(city, by(agent("sun"), number, c.command))
		if err != nil {
			t.Fatal(err)
		}
		c.want.Time = timestamp(tr.now)
		if got := d.Record.GetTicket().GetChecklist()[0]; !proto.Equal(got, c.want) {
			t.Errorf("the item is %v, want %v", got, c.want)
		}
		if other := d.Record.GetTicket().GetChecklist()[1]; other.GetTime() != nil {
			t.Errorf("the other item changed too: %v", other)
		}
	}
}

func TestWhatKeepsAnItemFromBeingChecked(t *testing.T) {
	tr, number := checking(t)
	bare, err := tr.do(city, by(agent("lin"), "", bareCreate()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.do(city, by(agent("sun"), number, check(2, true, ""))); reason(err) != "INVALID_FIELD" {
		t.Errorf("an item behind the last comes to %v", err)
	}
	if _, err := tr.do(city, by(agent("sun"), TicketNumber(bare.Record.GetTicket().GetNumber()), check(0, true, ""))); reason(err) != "NO_CHECKLIST" {
		t.Errorf("a ticket without a checklist comes to %v", err)
	}
	if _, err := tr.do(city, by(agent("sun"), number, solve())); reason(err) != "OPEN_CHECKLIST" {
		t.Errorf("resolving with a required item open comes to %v", err)
	}
	if _, err := tr.do(city, by(agent("sun"), number, check(0, true, ""))); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.do(city, by(agent("sun"), number, solve())); err != nil {
		t.Errorf("resolving with an item open that is not required comes to %v", err)
	}
	if _, err := tr.do(city, by(agent("sun"), number, check(1, true, ""))); reason(err) != "WRONG_STATE" {
		t.Errorf("checking on a resolved ticket comes to %v", err)
	}
}

func bareCreate() *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: &deskpb.Ticket{Title: "换墨盒"}}}}
}

func TestACheckOfAnItemThatIsNotThereChangesNothing(t *testing.T) {
	record := &deskpb.Record{Ticket: &deskpb.Ticket{Checklist: []*deskpb.ChecklistItem{{Text: "温度"}}}}
	before := proto.CloneOf(record)
	foldChecked(record, &deskpb.Event{Body: &deskpb.Body{Check: &deskpb.Check{Item: 4_000_000_000, Done: true}}})
	if !proto.Equal(record, before) {
		t.Errorf("the record became %v", record)
	}
}
