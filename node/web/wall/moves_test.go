package wall

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// journal is a ticket's journal of which every entry is told as "site TYPE", with the site to which it hands the ticket over behind it.
func journal(told ...string) (entries []*apipb.JournalEntry) {
	for i, text := range told {
		words := strings.Fields(text)
		entry := &apipb.JournalEntry{Id: fmt.Sprint(words[0], "-", i), Site: words[0], Type: words[1], Time: at(9, i)}
		if len(words) > 2 {
			entry.Changes = []*apipb.Change{{Field: "custodyTerm", After: "2"}, {Field: "custodianSite", Before: words[0], After: words[2]}}
		}
		entries = append(entries, entry)
	}
	return entries
}

func TestAJournalIsToldAsStepsInTheTree(t *testing.T) {
	for name, c := range map[string]struct{ journal, want []string }{
		"up and home": {
			[]string{"county OPENED county", "county ASSIGNED", "county ESCALATION_QUEUED", "county DISPATCHED city", "city ACCEPTED", "city STARTED",
				"city RESOLVED", "city RETURN_QUEUED", "city DISPATCHED county", "county ACCEPTED", "county CONFIRMED"},
			[]string{"OPENED county", "ESCALATED county → city", "ACCEPTED county → city", "RESOLVED city", "RETURNED city → county",
				"ACCEPTED city → county", "CLOSED county"},
		},
		"not taken": {
			[]string{"county ESCALATION_QUEUED", "county DISPATCHED city", "city REFUSED county"},
			[]string{"ESCALATED county → city", "REFUSED county → city"},
		},
		"within an office": {
			[]string{"county ESCALATED", "county NOTED", "county RETURNED", "county REOPENED", "county CLOSED", "county CANCELED"},
			[]string{"ESCALATED county", "RETURNED county", "REOPENED county", "CLOSED county", "CANCELED county"},
		},
		"of which the beginning is not known": {[]string{"city ACCEPTED"}, []string{"ACCEPTED city"}},
	} {
		var got []string
		for _, m := range movesOf(journal(c.journal...), func(site string) string { return site }) {
			got = append(got, m.Kind+" "+m.Where)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s is told as %q, want %q", name, got, c.want)
		}
	}
}

// happened is a province in which a ticket came from a county to its city, and fourteen were opened before.
func happened(t *testing.T) *office {
	o := province(t)
	o.steps = map[string][]*apipb.JournalEntry{"330106-20261121-0001": journal("330106 OPENED", "330106 DISPATCHED 330100", "330100 ACCEPTED")}
	o.changed = []*deskpb.Ticket{{Number: "330106-20261121-0001", Title: "缴款码无法生成", UpdateTime: at(9, 2)}}
	for i := range 14 {
		number := fmt.Sprintf("330203-20261121-%04d", i)
		o.changed = append(o.changed, &deskpb.Ticket{Number: number, UpdateTime: at(8, i)})
		o.steps[number] = []*apipb.JournalEntry{{Id: number, Site: "330203", Type: "OPENED", Time: at(8, i)}}
	}
	return o
}

func TestTheWallBeginsWithWhatHappenedLately(t *testing.T) {
	o := happened(t)
	text := o.see("/wall", `<time>09:02</time> 西湖区 → 杭州市 <b>已接收</b>`)
	_, ticker, _ := strings.Cut(text, `<ol id="wall-moves">`)
	ticker, _, _ = strings.Cut(ticker, "</ol>")
	ordered(t, ticker, "已接收", "升级", "<time>09:00</time> 西湖区 <b>新工单", "<time>08:13</time> 海曙区 <b>新工单", "<time>08:12</time>")
	if count := strings.Count(ticker, "<li"); count != mostMoves {
		t.Errorf("%d steps are told, want %d", count, mostMoves)
	}
	if strings.Contains(text, "缴款码") || strings.Contains(text, `"330106-20261121-0001"`) {
		t.Error("a wall that stands in a room says which ticket it was")
	}
	o.see("/wall/part", `<ol id="wall-moves"><li data-kind="ACCEPTED" data-key="330100-2">`)
}

// A night in which clocks remind of forty tickets hides no step of another one.
func TestRemindersHideNoStep(t *testing.T) {
	o := happened(t)
	var reminded []*deskpb.Ticket
	for i := range 40 {
		number := fmt.Sprintf("330202-20261121-%04d", i)
		reminded = append(reminded, &deskpb.Ticket{Number: number, UpdateTime: at(10, 40-i)})
		o.steps[number] = []*apipb.JournalEntry{
			{Id: number, Site: "330202", Type: "OPENED", Time: at(6, 0)}, {Id: number + "-late", Site: "330202", Type: "CLOCK_WARNED", Time: at(10, 40-i)},
		}
	}
	o.changed = append(reminded, o.changed...)
	text := o.see("/wall")
	_, ticker, _ := strings.Cut(text, `<ol id="wall-moves">`)
	ticker, _, _ = strings.Cut(ticker, "</ol>")
	ordered(t, ticker, "已接收", "升级", "<time>09:00</time> 西湖区 <b>新工单", "<time>08:13</time> 海曙区 <b>新工单")
	if strings.Contains(ticker, "06:00") {
		t.Error("a step of the early morning is told although there were twelve later ones")
	}
}

func TestWhatIsLongAgoDidNotJustHappen(t *testing.T) {
	o := happened(t)
	for _, entry := range o.steps["330106-20261121-0001"] {
		entry.Time.Seconds -= 26 * 3600
	}
	for _, ticket := range o.changed[1:] {
		ticket.UpdateTime.Seconds -= 26 * 3600
	}
	o.see("/wall", `<ol id="wall-moves"></ol>`, "近一天没有工单流转")
}

func TestTheWallKeepsWhatItToldWhileNobodyCanTell(t *testing.T) {
	o := happened(t)
	o.err = status.Error(codes.Unavailable, "not at the moment")
	if text := o.see("/wall/part"); strings.Contains(text, "wall-moves") {
		t.Error("the wall is told that nothing happened")
	}
}
