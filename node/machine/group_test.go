package machine

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// requested gives a ticket command a request id.
func requested(id, body string, c *deskpb.Command) *deskpb.Command {
	hash := sha256.Sum256([]byte(body))
	c.GetTicket().Request = &deskpb.RequestKey{Id: id, Method: "create", BodyHash: hash[:16]}
	return c
}

// outcomes renders results, in their order: the ticket's number or the reason of the refusal.
func outcomes(results []*deskpb.Result) []string {
	var said []string
	for _, r := range results {
		said = append(said, r.GetTicket().GetNumber()+r.GetRefusal().GetReason())
	}
	return said
}

// One entry holds commands of many callers. Each sees what those before it did, a refused one leaves nothing, and each
// caller gets the result in its own place.
func TestCommandsOfAGroupFollowEachOther(t *testing.T) {
	l := founded(t)
	const first, second, third = "330106-20261122-0001", "330106-20261122-0002", "330106-20261122-0003"
	escalate := func(number string) *deskpb.Command {
		return ticketCommand(&deskpb.TicketCommand{Number: number, Verb: &deskpb.TicketCommand_Escalate{Escalate: &deskpb.Escalate{}}})
	}
	results := l.apply(t, noon,
		createCommand("一"),
		createCommand(""),
		requested("r1", "二", createCommand("二")),
		requested("r1", "二", createCommand("二")),
		requested("r1", "三", createCommand("三")),
		requested("r2", "", createCommand("")),
		requested("r2", "三", createCommand("三")),
		noteCommand("330106-20261122-0004", "早了"),
		escalate(second),
		escalate(second),
		noteCommand(second, "备注"),
	)
	want := []string{first, "INVALID_FIELD", second, second, "REQUEST_ID_REUSED", "INVALID_FIELD", third, "TICKET_NOT_FOUND",
		second, "ALREADY_QUEUED", second}
	if got := outcomes(results); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("the group comes to\n%q, want\n%q", got, want)
	}
	l.view(t, func(r *store.Reader) error {
		site, err := r.Site()
		events, eventsErr := r.Events(second)
		if len(events) != 3 {
			t.Fatalf("the journal of %s has %d events, want 3", second, len(events))
		}
		if opened, last := events[0].Id.Sequence, site.GetEventSequence(); last-opened != 3 {
			t.Errorf("behind event %d, which opened %s, the group wrote up to event %d; want another ticket, an escalation and a note",
				opened, second, last)
		}
		for i, e := range events {
			if e.Id.Site != string(county) || i > 0 && e.Time < events[i-1].Time {
				t.Errorf("event %d of %s is of %s at %d", i, second, e.Id.Site, e.Time)
			}
		}
		if eventsErr != nil {
			return eventsErr
		}
		return err
	})
}

// streamOf is what the city sends: the answer to a dispatched ticket and a later change of it.
func streamOf(t *testing.T, record *deskpb.Record) *deskpb.Command {
	t.Helper()
	sequence := uint64(0)
	receive := &deskpb.Receive{Peer: "330100", PeerIncarnation: 3, Incarnation: 7, First: 1}
	add := func(e *deskpb.Event) {
		sequence++
		e.Ticket, e.Class, e.Visibility = record.Ticket.Number, deskpb.Event_CUSTODIAL, deskpb.Event_EVERYONE
		e.Id = &deskpb.EventID{Site: "330100", Incarnation: 3, Sequence: sequence}
		e.CustodyTerm, e.Index, e.Previous = record.Ticket.CustodyTerm, record.Length+1, record.Head
		e.Path, e.Schema, e.Time = record.Path, desk.Schema, record.HeadTime+1
		sealed, err := desk.Seal(e)
		if err != nil {
			t.Fatal(err)
		}
		if record, err = desk.Fold(record, sealed); err != nil {
			t.Fatal(err)
		}
		item, err := proto.Marshal(&deskpb.Item{Content: &deskpb.Item_Event{Event: sealed.Raw}})
		if err != nil {
			t.Fatal(err)
		}
		hash := sha256.Sum256(append(receive.Hash, item...))
		receive.Items, receive.Hash = append(receive.Items, item), hash[:16]
	}
	add(&deskpb.Event{Type: deskpb.Event_ACCEPTED, From: string(county), To: "330100", Body: &deskpb.Body{Line: deskpb.Ticket_SECOND}})
	add(&deskpb.Event{Type: deskpb.Event_STARTED, Actor: "wang", Body: &deskpb.Body{Assignee: "wang"}})
	return &deskpb.Command{Kind: &deskpb.Command_Receive{Receive: receive}}
}

// What comes over a link and what people do here may meet on one ticket in one entry.
func TestAStreamAndVerbsOnOneTicketInAGroup(t *testing.T) {
	a, b := founded(t), founded(t)
	var results [2]string
	for i, l := range []*log{a, b} {
		number := l.apply(t, noon, createCommand("x"), &deskpb.Command{Kind: &deskpb.Command_AdmitPeer{
			AdmitPeer: &deskpb.AdmitPeer{Peer: "330100", Incarnation: 3}}})[0].Ticket.Number
		verb := func(actor *deskpb.Actor, c *deskpb.TicketCommand) *deskpb.Command {
			c.Number, c.Actor = number, actor
			return ticketCommand(c)
		}
		wang := &deskpb.Actor{User: "wang", Role: deskpb.User_AGENT}
		cancel := func() *deskpb.Command {
			return verb(wang, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Cancel{Cancel: &deskpb.Cancel{}}})
		}
		for _, c := range []*deskpb.Command{
			verb(wang, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Escalate{Escalate: &deskpb.Escalate{}}}),
			verb(&deskpb.Actor{}, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Dispatch{Dispatch: &deskpb.Dispatch{To: "330100"}}}),
		} {
			if why := l.one(t, noon, c); why != "" {
				t.Fatalf("arrange: %s", why)
			}
		}
		var sent *deskpb.Record
		l.view(t, func(r *store.Reader) (err error) {
			sent, err = r.Ticket(desk.TicketNumber(number))
			return err
		})
		stream := streamOf(t, sent)
		start := func() *deskpb.Command {
			return verb(wang, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Start{Start: &deskpb.Start{}}})
		}
		said := outcomes(l.apply(t, noon, start(), noteCommand(number, "路上"), stream, start(), cancel(), cancel(), stream))
		want := []string{"IN_TRANSIT", number, "", "NOT_CUSTODIAN", number, number, ""}
		if fmt.Sprint(said) != fmt.Sprint(want) {
			t.Errorf("the group comes to %q, want %q", said, want)
		}
		l.view(t, func(r *store.Reader) error {
			record, err := r.Ticket(desk.TicketNumber(number))
			if got := record.Ticket; got.State != deskpb.Ticket_IN_PROGRESS || got.CustodianSite != "330100" || len(got.Wishes) != 1 {
				t.Errorf("the ticket is %s at %s with %d wishes, want it in progress at the city with one", got.State, got.CustodianSite, len(got.Wishes))
			}
			link, linkErr := r.Link("330100")
			if link.ReceivedSequence != 2 || link.Parked != 0 {
				t.Errorf("the link has received %d items and parked %d, want 2 and 0", link.ReceivedSequence, link.Parked)
			}
			if linkErr != nil {
				return linkErr
			}
			return err
		})
		results[i] = l.digest(t)
	}
	if results[0] != results[1] {
		t.Errorf("two replicas differ:\n%s\n%s", results[0], results[1])
	}
}
