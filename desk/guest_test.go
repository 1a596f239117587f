package desk

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// guestReports opens a ticket as a guest, who also asks for what only the desk says.
func guestReports(tree *tree, said *deskpb.Requester) (*Decision, error) {
	return tree.do(county, &deskpb.TicketCommand{Actor: Guest("", "10.1.2.3"), Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{
		Ticket: &deskpb.Ticket{Title: "打印机不工作", Description: "卡纸", Application: "办公", Assignee: "lin", Major: true, Requester: said},
	}}})
}

func TestAGuestReportsWithNameAndTelephone(t *testing.T) {
	for name, c := range map[string]struct {
		said *deskpb.Requester
		want string
	}{
		"name and number":        {&deskpb.Requester{Name: "陈静", Unit: "财政局", Phone: "138 0000 0000"}, ""},
		"no name":                {&deskpb.Requester{Phone: "13800000000"}, "INVALID_FIELD"},
		"no number":              {&deskpb.Requester{Name: "陈静"}, "INVALID_FIELD"},
		"an extension":           {&deskpb.Requester{Name: "陈静", Phone: "8002"}, "INVALID_FIELD"},
		"nothing":                {nil, "INVALID_FIELD"},
		"the name of an account": {&deskpb.Requester{Name: "陈静", Phone: "13800000000", User: "chen"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := guestReports(newTree(), c.said)
			if reason(err) != c.want {
				t.Fatalf("it comes to %v, want %q", err, c.want)
			}
			if err != nil {
				return
			}
			got, opened := d.Record.GetTicket(), d.Events[0]
			if got.GetChannel() != deskpb.Ticket_PORTAL || got.GetMajor() || got.GetRequester().GetUser() != "" || got.GetAssignee() == "lin" {
				t.Errorf("what is not a guest's to say was read: %v", got)
			}
			if opened.GetActor() != "" || opened.GetRole() != deskpb.User_REQUESTER || opened.GetAddress() != "10.1.2.3" {
				t.Errorf("the journal says %q, %s from %q; want nobody's name, REQUESTER and the address", opened.GetActor(), opened.GetRole(), opened.GetAddress())
			}
		})
	}
}

func TestNoGuestReportsWhereThePolicyHasNone(t *testing.T) {
	tree := newTree()
	closed := policy.Default()
	closed.Portal = &deskpb.Portal{}
	tree.office(county).policy = closed
	if _, err := guestReports(tree, &deskpb.Requester{Name: "陈静", Phone: "13800000000"}); reason(err) != "NO_GUESTS" {
		t.Errorf("it comes to %v, want NO_GUESTS", err)
	}
}

// What is kept of somebody with a telephone number is not told to whoever types that number.
func TestAGuestIsNotShownTheRecordOfANumber(t *testing.T) {
	tree := newTree()
	tree.office(county).customers = map[string]*deskpb.Customer{"C-1": {
		Id: "C-1", Name: "杜平", Phones: []string{"13900000000"}, Email: "secret@example.cn", Class: ClassVIP,
	}}
	d, err := guestReports(tree, &deskpb.Requester{Name: "杜平", Phone: "139 0000 0000"})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Record.GetTicket().GetRequester(); got.GetEmail() != "" || got.GetClass() != "" || got.GetId() != "" {
		t.Errorf("the ticket says %v", got)
	}
}

func TestWhatAGuestDoesOnTheOwnTicket(t *testing.T) {
	for verb, want := range map[string]string{
		"reply": "", "urge": "", "cancel": "", "confirm": "WRONG_STATE", "reopen": "WRONG_STATE", "rate": "WRONG_STATE",
		"note": "PERMISSION_DENIED", "assign": "PERMISSION_DENIED", "start": "PERMISSION_DENIED", "escalate": "PERMISSION_DENIED",
		"resolve": "PERMISSION_DENIED", "close": "PERMISSION_DENIED", "reclaim": "PERMISSION_DENIED", "callBack": "PERMISSION_DENIED",
	} {
		t.Run(verb, func(t *testing.T) {
			tree := newTree()
			d, err := guestReports(tree, &deskpb.Requester{Name: "陈静", Phone: "13800000000"})
			if err != nil {
				t.Fatal(err)
			}
			own := TicketNumber(d.Record.GetTicket().GetNumber())
			others := TicketNumber(reports(t, tree, chen(), &deskpb.Ticket{Title: "别人的"}).GetNumber())
			guest := Guest(own, "10.1.2.3")
			d, err = tree.do(county, by(guest, own, sampleCommand(verb)))
			if reason(err) != want {
				t.Errorf("on the own ticket it comes to %v, want %q", err, want)
			}
			if verb == "reply" && (err != nil || !d.Events[0].GetBody().GetFromRequester()) {
				t.Error("the reply is not the requester's own words")
			}
			if want != "PERMISSION_DENIED" {
				want = "TICKET_NOT_FOUND"
			}
			if _, err := tree.do(county, by(guest, others, sampleCommand(verb))); reason(err) != want {
				t.Errorf("on another one's ticket it comes to %v, want %q", err, want)
			}
			if _, err := tree.do(county, by(Guest("", ""), own, sampleCommand(verb))); reason(err) != want {
				t.Errorf("without a link it comes to %v, want %q", err, want)
			}
		})
	}
}

func TestAGuestSeesOneTicketAtItsHome(t *testing.T) {
	record := &deskpb.Record{Ticket: &deskpb.Ticket{Number: "330106-20261121-0001", HomeSite: "330106", CustodianSite: "330100"}}
	for name, c := range map[string]struct {
		actor *deskpb.Actor
		site  SiteID
		want  bool
	}{
		"with the link, at home":   {Guest("330106-20261121-0001", ""), "330106", true},
		"with the link, elsewhere": {Guest("330106-20261121-0001", ""), "330100", false},
		"with another link":        {Guest("330106-20261121-0002", ""), "330106", false},
		"without a link":           {Guest("", ""), "330106", false},
	} {
		if got := Sees(c.actor, c.site, policy.Default(), record); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if Sees(Guest("", ""), "330106", policy.Default(), &deskpb.Record{Ticket: &deskpb.Ticket{HomeSite: "330106"}}) {
		t.Error("a guest without a link sees a ticket without a number")
	}
}

func TestWhatIsOfferedToAGuestIsDone(t *testing.T) {
	for _, state := range anyState.states() {
		t.Run(state.String(), func(t *testing.T) {
			s := &stage{t: t, tree: newTree(), state: state}
			d, err := guestReports(s.tree, &deskpb.Requester{Name: "陈静", Phone: "13800000000"})
			if err != nil {
				t.Fatal(err)
			}
			s.number = TicketNumber(d.Record.GetTicket().GetNumber())
			s.advance(county)
			guest, o := Guest(s.number, ""), s.tree.office(county)
			verbs, _ := VerbsFor(o.here, o.policy, guest, o.records[s.number])
			for _, verb := range []Verb{TicketReply, TicketUrge, TicketConfirm, TicketReopen, TicketCancel, TicketRate} {
				command := by(guest, s.number, proto.CloneOf(sampleCommand(verb.name())))
				_, err := Decide(o.here, o, command, s.tree.stamp(o))
				if offered := slices.Contains(verbs, verb); offered != (err == nil) {
					t.Errorf("%s is offered: %v, and comes to %v", verb, offered, err)
				}
			}
		})
	}
}

func TestAGuestTokenOpensUntilItsTimeIsOver(t *testing.T) {
	const number = TicketNumber("330106-20261121-0042")
	token := GuestToken(surveyKey, number, morning)
	if got, until, err := OpenGuest(surveyKey, token, morning); got != number || until != morning || err != nil {
		t.Errorf("it opens as %q until %d, %v", got, until, err)
	}
	if _, _, err := OpenGuest(surveyKey, token, morning+1); reason(err) != "LINK_OVER" {
		t.Errorf("a microsecond late it comes to %v", err)
	}
	if _, _, err := OpenGuest(surveyKey, SurveyToken(surveyKey, number, morning), morning); reason(err) != "UNKNOWN_LINK" {
		t.Errorf("a survey's token comes to %v", err)
	}
	if _, _, err := OpenSurvey(surveyKey, token, morning); reason(err) != "UNKNOWN_SURVEY" {
		t.Errorf("as a survey's token it comes to %v", err)
	}
	if _, _, err := OpenGuest(nil, GuestToken(nil, number, morning), morning); reason(err) != "UNKNOWN_LINK" {
		t.Errorf("made without a key it comes to %v", err)
	}
}

func TestPhoneFits(t *testing.T) {
	ticket := func(phone string) *deskpb.Ticket { return &deskpb.Ticket{Requester: &deskpb.Requester{Phone: phone}} }
	for name, c := range map[string]struct {
		ticket *deskpb.Ticket
		said   string
		want   bool
	}{
		"as it is written":       {ticket("13800000000"), "13800000000", true},
		"in another spelling":    {ticket("+86 138-0000-0000"), "138 0000 0000", true},
		"another number":         {ticket("13800000000"), "13800000001", false},
		"its beginning":          {ticket("13800000000"), "1380000", false},
		"an extension":           {ticket("8002"), "8002", false},
		"none on either side":    {ticket(""), "", false},
		"no ticket":              {nil, "", false},
		"no ticket and a number": {nil, "13800000000", false},
	} {
		if got := PhoneFits(c.ticket, c.said); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func FuzzOpenGuest(f *testing.F) {
	f.Add(GuestToken(surveyKey, "330106-20261121-0042", morning))
	f.Add(SurveyToken(surveyKey, "330106-20261121-0042", morning))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		number, expires, err := OpenGuest(surveyKey, token, 0)
		if err == nil && GuestToken(surveyKey, number, expires) != token {
			t.Errorf("%q opens as %q until %d, whose token is another one", token, number, expires)
		}
	})
}
