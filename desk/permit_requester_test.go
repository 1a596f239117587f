package desk

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// chen is a requester with an account at the county.
func chen() *deskpb.Actor { return &deskpb.Actor{User: "chen", Role: deskpb.User_REQUESTER} }

// reports opens a ticket of a requester.
func reports(t *testing.T, tree *tree, who *deskpb.Actor, asked *deskpb.Ticket) *deskpb.Ticket {
	t.Helper()
	d, err := tree.do(county, &deskpb.TicketCommand{Actor: who, Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{Ticket: asked}}})
	if err != nil {
		t.Fatalf("%s opens a ticket: %v", who.GetUser(), err)
	}
	return d.Record.GetTicket()
}

func TestARequesterOpensTicketsInTheOwnName(t *testing.T) {
	asked := &deskpb.Ticket{
		Title: "打印机不工作", Description: "卡纸", Category: "硬件", Application: "办公", Urgency: 1, Channel: deskpb.Ticket_PORTAL,
		Requester: &deskpb.Requester{Name: "陈静", Unit: "财政局", Phone: "13800000000", Email: "chen@example.cn", User: "du", Id: "C-1", Class: ClassVIP},
		// What follows is the desk's to say.
		Kind: deskpb.Ticket_INCIDENT, Impact: 1, Severity: 1, Major: true, Assignee: "lin", Group: "网络组", Collaborators: []string{"lin"},
		Coordinator: "lin", Visit: true, Tags: []string{"x"}, Template: "月度巡检", Checklist: []*deskpb.ChecklistItem{{Text: "x"}},
	}
	before := proto.CloneOf(asked)
	got := reports(t, newTree(), chen(), asked)
	want := &deskpb.Requester{Name: "陈静", Unit: "财政局", Phone: "13800000000", Email: "chen@example.cn", User: "chen"}
	if !proto.Equal(got.GetRequester(), want) {
		t.Errorf("the requester is %v, want %v", got.GetRequester(), want)
	}
	if got.GetTitle() != "打印机不工作" || got.GetDescription() != "卡纸" || got.GetCategory() != "硬件" || got.GetApplication() != "办公" || got.GetUrgency() != 1 {
		t.Errorf("the requester's words are not those that were given: %v", got)
	}
	if got.GetKind() != deskpb.Ticket_CALL || got.GetImpact() == 1 || got.GetMajor() || got.GetAssignee() != "" || got.GetGroup() != "" ||
		len(got.GetCollaborators()) != 0 || got.GetCoordinator() != "" || got.GetVisit() || len(got.GetTags()) != 0 || got.GetTemplate() != "" {
		t.Errorf("what is the desk's to say was read: %v", got)
	}
	if !proto.Equal(asked, before) {
		t.Error("the command was changed")
	}
	if plain := reports(t, newTree(), chen(), &deskpb.Ticket{Title: "x"}); plain.GetChannel() != deskpb.Ticket_PORTAL || plain.GetRequester().GetUser() != "chen" {
		t.Errorf("without a channel and a requester it comes from %v by %s", plain.GetRequester(), plain.GetChannel())
	}
}

func TestARequesterIsNotShownAnothersRecord(t *testing.T) {
	for name, c := range map[string]struct {
		account string
		want    string // the e-mail address on the ticket
	}{
		"another one's":            {"du", ""},
		"one without an account":   {"", ""},
		"the requester's own":      {"chen", "secret@example.cn"},
		"that of a unit's account": {"财政局", ""},
	} {
		t.Run(name, func(t *testing.T) {
			tree := newTree()
			tree.office(county).customers = map[string]*deskpb.Customer{"C-1": {
				Id: "C-1", Name: "杜平", Phones: []string{"13900000000"}, Email: "secret@example.cn", Class: ClassVIP, User: c.account,
			}}
			got := reports(t, tree, chen(), &deskpb.Ticket{Title: "x", Requester: &deskpb.Requester{Phone: "139 0000 0000", Id: "C-1"}}).GetRequester()
			if got.GetEmail() != c.want || c.want == "" && (got.GetName() != "" || got.GetClass() != "" || got.GetId() != "") {
				t.Errorf("by the telephone number of %q the ticket says %v", c.account, got)
			}
		})
	}
}

func TestWhatARequesterDoesOnTheOwnTicket(t *testing.T) {
	for verb, want := range map[string]string{
		"reply": "", "urge": "", "cancel": "", "confirm": "WRONG_STATE", "reopen": "WRONG_STATE", "rate": "WRONG_STATE",
		"note": "PERMISSION_DENIED", "assign": "PERMISSION_DENIED", "start": "PERMISSION_DENIED", "escalate": "PERMISSION_DENIED",
		"resolve": "PERMISSION_DENIED", "close": "PERMISSION_DENIED", "reclaim": "PERMISSION_DENIED", "callBack": "PERMISSION_DENIED",
	} {
		t.Run(verb, func(t *testing.T) {
			tree := newTree()
			own := TicketNumber(reports(t, tree, chen(), &deskpb.Ticket{Title: "自己的"}).GetNumber())
			others := TicketNumber(reports(t, tree, &deskpb.Actor{User: "du", Role: deskpb.User_REQUESTER}, &deskpb.Ticket{Title: "别人的"}).GetNumber())
			d, err := tree.do(county, by(chen(), own, sampleCommand(verb)))
			if reason(err) != want {
				t.Errorf("on the own ticket it comes to %v, want %q", err, want)
			}
			if verb == "reply" && !d.Events[0].GetBody().GetFromRequester() {
				t.Error("the reply is not the requester's own words")
			}
			if want != "PERMISSION_DENIED" {
				want = "TICKET_NOT_FOUND"
			}
			if _, err := tree.do(county, by(chen(), others, sampleCommand(verb))); reason(err) != want {
				t.Errorf("on another one's ticket it comes to %v, want %q", err, want)
			}
		})
	}
}

func TestARequestersRatingIsTheRequesters(t *testing.T) {
	tree := newTree()
	own := TicketNumber(reports(t, tree, chen(), &deskpb.Ticket{Title: "自己的"}).GetNumber())
	if _, err := tree.do(county, by(agent("lin"), own, resolveCommand("已修好"))); err != nil {
		t.Fatal(err)
	}
	d, err := tree.do(county, by(chen(), own, rateCommand(5)))
	if err != nil {
		t.Fatal(err)
	}
	if rated := d.Events[0]; !rated.GetBody().GetFromRequester() || rated.GetActor() != "chen" || rated.GetRole() != deskpb.User_REQUESTER {
		t.Errorf("the rating is %v", rated.Event)
	}
}

func TestARequestersNewTicketStandsAloneOrFollowsAnOwnOne(t *testing.T) {
	tree := newTree()
	own := TicketNumber(reports(t, tree, chen(), &deskpb.Ticket{Title: "自己的"}).GetNumber())
	for kind, want := range map[deskpb.TicketLink_Kind]string{
		deskpb.TicketLink_FOLLOWS: "", deskpb.TicketLink_CHILD_OF: "PERMISSION_DENIED", deskpb.TicketLink_CAUSED_BY: "PERMISSION_DENIED",
		deskpb.TicketLink_SPLIT_FROM: "PERMISSION_DENIED", deskpb.TicketLink_RELATED: "PERMISSION_DENIED",
	} {
		if _, err := tree.do(county, by(chen(), "", originated(kind, own))); reason(err) != want {
			t.Errorf("a new one that is %s the own one comes to %v, want %q", kind, err, want)
		}
	}
}

func TestWordsForAMergedTicketStayWhereTheirAuthorSeesThem(t *testing.T) {
	tree := newTree()
	own := TicketNumber(reports(t, tree, chen(), &deskpb.Ticket{Title: "自己的"}).GetNumber())
	others := TicketNumber(reports(t, tree, &deskpb.Actor{User: "du", Role: deskpb.User_REQUESTER}, &deskpb.Ticket{Title: "别人的"}).GetNumber())
	if _, err := tree.do(county, by(agent("lin"), own, mergeInto(others))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		actor *deskpb.Actor
		want  TicketNumber
	}{{chen(), own}, {agent("lin"), others}} {
		d, err := tree.do(county, by(c.actor, own, sampleCommand("reply")))
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Record.GetTicket().GetNumber(); got != string(c.want) {
			t.Errorf("the words of %s for %s, which was merged into %s, stand on %s, want %s", c.actor.GetUser(), own, others, got, c.want)
		}
	}
	if _, err := tree.do(county, by(narrow("wang"), own, sampleCommand("reply"))); reason(err) != "TICKET_NOT_FOUND" {
		t.Errorf("the words of somebody who sees neither come to %v", err)
	}
}

func TestARequesterReopensTheOwnTicketAfterItsWindow(t *testing.T) {
	tree := newTree()
	own := TicketNumber(reports(t, tree, chen(), &deskpb.Ticket{Title: "自己的"}).GetNumber())
	for _, command := range []*deskpb.TicketCommand{resolveCommand("已修好"), sampleCommand("confirm")} {
		if _, err := tree.do(county, by(agent("lin"), own, command)); err != nil {
			t.Fatal(err)
		}
	}
	tree.now += tree.office(county).policy.GetClosing().GetReopenWithin()*second + minute
	for _, stranger := range []*deskpb.Actor{{User: "du", Role: deskpb.User_REQUESTER}, narrow("wang")} {
		if _, err := tree.do(county, by(stranger, own, sampleCommand("reopen"))); reason(err) != "TICKET_NOT_FOUND" {
			t.Errorf("%s reopens it: %v", stranger.GetUser(), err)
		}
	}
	d, err := tree.do(county, by(chen(), own, sampleCommand("reopen")))
	if err != nil {
		t.Fatal(err)
	}
	next := d.Record.GetTicket()
	if next.GetNumber() == string(own) || next.GetRequester().GetUser() != "chen" || !Sees(chen(), county, tree.office(county).policy, d.Record) {
		t.Errorf("chen comes to the ticket %s of %v", next.GetNumber(), next.GetRequester())
	}
}
