package store

import (
	"slices"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// A batch tells each ticket and each person once, however often and by whatever way they were written, and nothing of what it only read.
func TestChangesNameWhatABatchWrote(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error { return b.PutTicket(record("330106-20261122-0001", "以前")) })
	b := s.NewBatch()
	defer b.Discard()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.Ticket("330106-20261122-0001")
	must(err)
	must(b.PutTicket(record("330106-20261122-0002", "一")))
	_, err = b.Tickets(Query{Index: ByNumber, Limit: 1}) // which writes the rows that drafts hold back
	must(err)
	must(b.PutTicket(record("330106-20261122-0002", "二")))
	must(b.PutTicket(record("330106-20261122-0003", "三")))
	must(b.AddNotice(&deskpb.Notice{User: "li", Key: "1"}))
	must(b.AddNotice(&deskpb.Notice{User: "li", Key: "2"}))
	event := desk.Sealed{Event: &deskpb.Event{Ticket: "330106-20261122-0002", Id: &deskpb.EventID{Site: "330106", Sequence: 1}}, Raw: []byte("as written")}
	must(b.AddEvent(event))

	got := b.Changes()
	slices.Sort(got.Tickets)
	if want := []desk.TicketNumber{"330106-20261122-0002", "330106-20261122-0003"}; !slices.Equal(got.Tickets, want) {
		t.Errorf("the batch has written %v, want %v", got.Tickets, want)
	}
	if !slices.Equal(got.Notified, []desk.UserID{"li"}) {
		t.Errorf("the notices of %v were written, want those of li", got.Notified)
	}
	if len(got.Events) != 1 || string(got.Events[0]) != "as written" {
		t.Errorf("the events are %q, want the one as it was written", got.Events)
	}
	if got.Policy || got.People || got.Everything {
		t.Errorf("the batch says that it has written more: %+v", got)
	}
	must(b.PutBasePolicy(&deskpb.Policy{}))
	must(b.PutUser(&deskpb.User{Name: "li"}))
	if got := b.Changes(); !got.Policy || !got.People {
		t.Errorf("the batch does not say that the policy and an account were written: %+v", got)
	}
}

func record(number, title string) *deskpb.Record {
	return &deskpb.Record{Ticket: &deskpb.Ticket{Number: number, Title: title}}
}
