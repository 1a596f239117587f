package console

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func TestACallAsksForTheTicketThatWasTyped(t *testing.T) {
	form := callForm{url.Values{
		"title": {" 打印报错 "}, "description": {"一\n二\n"}, "application": {"国库"}, "category": {"操作事件"}, "impact": {"1"}, "urgency": {""},
		"channel": {"WALK_IN"}, "kind": {"INCIDENT"}, "visit": {"yes"}, "tags": {"打印， 凭证"}, "requester.name": {"刘洋"}, "requester.id": {"r1"},
		"fields.单据号": {"7"}, "fields.空": {" "}, "after": {"ticket"},
	}}
	want := &deskpb.Ticket{
		Title: "打印报错", Description: "一\n二", Application: "国库", Category: "操作事件", Impact: 1, Visit: true, Tags: []string{"打印", "凭证"},
		Channel: deskpb.Ticket_WALK_IN, Kind: deskpb.Ticket_INCIDENT, Fields: map[string]string{"单据号": "7"},
		Requester: &deskpb.Requester{Id: "r1", Name: "刘洋"},
	}
	if got := form.ticket(); !proto.Equal(got, want) {
		t.Errorf("the ticket is\n%v, want\n%v", got, want)
	}
	nothing := &deskpb.Ticket{Requester: &deskpb.Requester{}}
	if got := (callForm{url.Values{"impact": {"high"}, "channel": {"PIGEON"}}}).ticket(); !proto.Equal(got, nothing) {
		t.Errorf("of nothing that counts is made %v", got)
	}
}

func TestFieldsOfTheAPIAreFoundInTheForm(t *testing.T) {
	for field, want := range map[string]string{
		"ticket.title": "title", "ticket.requester.name": "requester.name", "requester.phones": "requester.phone", "ticket.fields.单据号": "fields.单据号", "": "",
	} {
		if got := fieldOf(field); got != want {
			t.Errorf("%q is %q in the form, want %q", field, got, want)
		}
	}
}

func TestARecordFillsTheFormIn(t *testing.T) {
	for name, c := range map[string]struct {
		typed  string
		record *apipb.Requester
		want   url.Values
	}{
		"a person": {"", &apipb.Requester{Id: "r1", Name: "刘洋", Unit: "预算科", Phones: []string{"0571-1", "0571-2"}, Email: "liu@example.cn"},
			url.Values{"requester.id": {"r1"}, "requester.name": {"刘洋"}, "requester.unit": {"预算科"}, "requester.phone": {"0571-1"}, "requester.email": {"liu@example.cn"}}},
		"a number that was typed stays": {"0571-2", &apipb.Requester{Id: "r1", Name: "刘洋", Phones: []string{"0571-1"}},
			url.Values{"requester.id": {"r1"}, "requester.name": {"刘洋"}, "requester.unit": {""}, "requester.phone": {"0571-2"}, "requester.email": {""}}},
		"a unit says nothing of the person": {"", &apipb.Requester{Id: "u1", Name: "预算科", Kind: deskpb.Customer_UNIT},
			url.Values{"requester.unit": {"预算科"}, "requester.phone": {""}, "requester.email": {""}}},
	} {
		t.Run(name, func(t *testing.T) {
			form := callForm{url.Values{}}
			form.Set("requester.phone", c.typed)
			form.fillIn(c.record)
			if got, want := form.Encode(), c.want.Encode(); got != want {
				t.Errorf("the form says\n%s, want\n%s", got, want)
			}
		})
	}
}

func TestAKnownRequesterIsNotWrittenDownAgain(t *testing.T) {
	record := &apipb.Requester{Name: "刘洋", Unit: "预算科", Phones: []string{"0571-8500", "139 0000"}}
	for name, c := range map[string]struct {
		said *deskpb.Requester
		want bool
	}{
		"name and number":              {&deskpb.Requester{Name: "刘洋", Phone: "05718500"}, true},
		"another spelling":             {&deskpb.Requester{Name: "刘洋", Phone: "(139) 0000"}, true},
		"another unit, the same phone": {&deskpb.Requester{Name: "刘洋", Phone: "0571-8500", Unit: "国库科"}, true},
		"another name":                 {&deskpb.Requester{Name: "刘阳", Phone: "0571-8500"}, false},
		"another number":               {&deskpb.Requester{Name: "刘洋", Phone: "0571-8501"}, false},
		"no number, the unit":          {&deskpb.Requester{Name: "刘洋", Unit: "预算科"}, true},
		"no number, another unit":      {&deskpb.Requester{Name: "刘洋", Unit: "国库科"}, false},
	} {
		if got := isOf(record, c.said); got != c.want {
			t.Errorf("%s: the record is that of the requester: %v, want %v", name, got, c.want)
		}
	}
}

func TestThePhoneThatWasTypedIsShown(t *testing.T) {
	phones := []string{"0571-8500", "139 0000"}
	for typed, want := range map[string]string{"": "0571-8500", "139": "139 0000", "刘": "0571-8500", "1390": "139 0000", "200": "0571-8500"} {
		if got := phoneLike(phones, typed); got != want {
			t.Errorf("by %q is shown %q, want %q", typed, got, want)
		}
	}
	if got := phoneLike(nil, "139"); got != "" {
		t.Errorf("of no number is shown %q", got)
	}
}

func TestWhatIsLookedForIsABeginningOfBoundedLength(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		got := shortened(text)
		if len(got) > callerSearch || !utf8.ValidString(got) || !strings.HasPrefix(text, got) {
			t.Fatalf("%q is shortened to %q", text, got)
		}
		if len(text) <= callerSearch && got != text {
			t.Fatalf("%q, which is short, becomes %q", text, got)
		}
	})
}
