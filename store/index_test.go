package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// drawTicket draws a ticket from so few values that they meet often, with awkward ones among them.
func drawTicket(t *rapid.T) *deskpb.Record {
	word := rapid.SampledFrom([]string{"", "a", "a\x00", "a\x00\x01", "财政", "财"})
	site := rapid.SampledFrom([]string{testSite, "330100", "330000"})
	moment := rapid.SampledFrom([]int64{-1, 0, 1, 1_000_000, 1_764_000_000_000_000})
	running := rapid.SampledFrom([]deskpb.Sla_State{deskpb.Sla_RUNNING, deskpb.Sla_RUNNING, deskpb.Sla_PAUSED, deskpb.Sla_BREACHED})
	record := ticket(fmt.Sprintf("330106-20261121-%04d", rapid.IntRange(1, 12).Draw(t, "number")), func(k *deskpb.Ticket) {
		k.State = deskpb.Ticket_State(rapid.IntRange(1, 7).Draw(t, "state"))
		k.Major = rapid.Bool().Draw(t, "major")
		k.OpenTime = at(moment.Draw(t, "opened"))
		k.Priority = rapid.Int32Range(1, 2).Draw(t, "priority")
		k.Assignee, k.Group = word.Draw(t, "assignee"), word.Draw(t, "group")
		k.Category, k.Application = word.Draw(t, "category"), word.Draw(t, "application")
		k.Requester = &deskpb.Requester{Name: word.Draw(t, "requester"), User: word.Draw(t, "user"), Id: word.Draw(t, "record")}
		k.CustodianSite = site.Draw(t, "custodian")
		k.UpdateTime = at(moment.Draw(t, "updated"))
		for range rapid.IntRange(0, 3).Draw(t, "clocks") {
			clock := &deskpb.Sla{State: running.Draw(t, "clock"), DueTime: at(moment.Draw(t, "due"))}
			if clock.State == deskpb.Sla_RUNNING || clock.State == deskpb.Sla_BREACHED && rapid.Bool().Draw(t, "runs on") {
				clock.Since, clock.NextMarkTime = at(moment.Draw(t, "since")), at(moment.Draw(t, "next mark"))
			}
			k.Sla = append(k.Sla, clock)
		}
		k.Handover = &deskpb.Handover{
			State:  deskpb.Handover_State(rapid.IntRange(0, 2).Draw(t, "hand-over")),
			ToSite: site.Draw(t, "to"), Since: at(moment.Draw(t, "since")),
		}
	})
	record.FromSite = site.Draw(t, "from")
	return record
}

// model is a site's tickets without indexes.
type model map[string]*deskpb.Record

func (m model) sorted(order func(a, b *deskpb.Ticket) int, keep func(*deskpb.Record) bool) []string {
	var kept []*deskpb.Record
	for _, record := range m {
		if keep(record) {
			kept = append(kept, record)
		}
	}
	slices.SortFunc(kept, func(a, b *deskpb.Record) int {
		return cmp.Or(order(a.Ticket, b.Ticket), strings.Compare(a.Ticket.Number, b.Ticket.Number))
	})
	numbers := []string{}
	for _, record := range kept {
		numbers = append(numbers, record.Ticket.Number)
	}
	return numbers
}

func (m model) list(index Index, value string) []string {
	order := func(a, b *deskpb.Ticket) int { return a.UpdateTime.AsTime().Compare(b.UpdateTime.AsTime()) }
	switch index {
	case ByNumber:
		order = func(a, b *deskpb.Ticket) int { return 0 }
	case ByState:
		order = func(a, b *deskpb.Ticket) int { return cmp.Or(cmp.Compare(a.Priority, b.Priority), compareDue(a, b)) }
	}
	return m.sorted(order, func(record *deskpb.Record) bool {
		return listed(index, record.Ticket) == value && (index < ByCustomer || value != "")
	})
}

// listed is the value under which a ticket must appear, said a second time.
func listed(index Index, t *deskpb.Ticket) string {
	requester := t.Requester.User
	if requester == "" {
		requester = t.Requester.Name
	}
	return map[Index]string{
		ByState: deskpb.Ticket_State_name[int32(t.State)], ByAssignee: t.Assignee, ByGroup: t.Group, ByRequester: requester,
		ByCustodian: t.CustodianSite, ByCategory: t.Category, ByApplication: t.Application,
		ByCustomer: t.Requester.Id, ByUnit: t.Requester.Unit,
	}[index]
}

func compareDue(a, b *deskpb.Ticket) int {
	first := func(t *deskpb.Ticket) (micros int64, runs bool) {
		for _, clock := range t.Sla {
			if m := clock.DueTime.AsTime().UnixMicro(); clock.Since != nil && (!runs || m < micros) {
				micros, runs = m, true
			}
		}
		return micros, runs
	}
	dueA, runsA := first(a)
	dueB, runsB := first(b)
	switch {
	case runsA && runsB:
		return cmp.Compare(dueA, dueB)
	case runsA:
		return -1
	case runsB:
		return 1
	}
	return 0
}

func (m model) handovers(state deskpb.Handover_State, to string) []string {
	return m.sorted(func(a, b *deskpb.Ticket) int { return a.Handover.Since.AsTime().Compare(b.Handover.Since.AsTime()) },
		func(record *deskpb.Record) bool {
			h := record.Ticket.Handover
			holder := record.Ticket.CustodianSite
			if state == deskpb.Handover_IN_TRANSIT {
				holder = record.FromSite
			}
			return h.State == state && h.ToSite == to && holder == testSite
		})
}

func TestIndexesListWhatTheTicketsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := mustOpen(t, options(vfs.NewMem()))
		defer mustClose(t, s)
		tickets := model{}
		for range rapid.IntRange(1, 8).Draw(t, "entries") {
			putSome(t, s, tickets)
		}
		view(t, s, func(r *Reader) error {
			limit := rapid.IntRange(1, 5).Draw(t, "limit")
			for index := ByNumber; index <= ByUnit; index++ {
				for _, value := range values(tickets, index) {
					want := tickets.list(index, value)
					checkPages(t, r, Query{Index: index, Value: value, Limit: limit}, want, tickets)
					slices.Reverse(want)
					checkPages(t, r, Query{Index: index, Value: value, Limit: limit, Descending: true}, want, tickets)
				}
			}
			checkHandovers(t, r, tickets)
			checkMajors(t, r, tickets)
			checkTimers(t, r, tickets)
			return nil
		})
	})
}

// putSome puts tickets in one batch, which is thrown away now and then.
func putSome(t *rapid.T, s *Store, tickets model) {
	b := s.NewBatch()
	defer b.Discard()
	drawn := rapid.SliceOfN(rapid.Custom(drawTicket), 1, 6).Draw(t, "tickets")
	for _, record := range drawn {
		if err := b.PutTicket(record); err != nil {
			t.Fatalf("put: %v", err)
		}
	}
	if rapid.IntRange(0, 4).Draw(t, "discard") == 0 {
		return
	}
	if err := b.Commit(s.Applied()+1, 1); err != nil {
		t.Fatalf("commit: %v", err)
	}
	for _, record := range drawn {
		tickets[record.Ticket.Number] = record
	}
}

func values(tickets model, index Index) []string {
	found := []string{"nobody"}
	for _, record := range tickets {
		found = append(found, listed(index, record.Ticket))
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// checkPages reads an index page by page, and again from the cursor behind each record.
func checkPages(t *rapid.T, r *Reader, q Query, want []string, tickets model) {
	if q.Index == ByNumber || q.Index == ByUpdate {
		if q.Value != "" {
			return
		}
	}
	read := func(q Query) Page {
		page, err := r.Tickets(q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if len(page.Records) > q.Limit || len(page.Cursors) != len(page.Records) {
			t.Fatalf("%+v: %d records and %d cursors", q, len(page.Records), len(page.Cursors))
		}
		return page
	}
	got := []string{}
	for more := true; more; more = q.After != nil {
		page := read(q)
		for i, record := range page.Records {
			got = append(got, record.Ticket.Number)
			if !proto.Equal(record, tickets[record.Ticket.Number]) {
				t.Fatalf("%+v: listed %v, stored %v", q, record, tickets[record.Ticket.Number])
			}
			behind := q
			behind.After = page.Cursors[i]
			if next := read(behind); len(next.Records) > 0 && next.Records[0].Ticket.Number != want[len(got)] {
				t.Fatalf("%+v: behind the cursor of %s comes %s, want %s", q, record.Ticket.Number, next.Records[0].Ticket.Number, want[len(got)])
			}
		}
		q.After = page.Next
	}
	if !slices.Equal(got, want) {
		t.Fatalf("index %d, value %q, descending %t, pages of %d:\n got %v\nwant %v", q.Index, q.Value, q.Descending, q.Limit, got, want)
	}
}

func checkHandovers(t *rapid.T, r *Reader, tickets model) {
	for _, state := range []deskpb.Handover_State{deskpb.Handover_QUEUED, deskpb.Handover_IN_TRANSIT} {
		for _, to := range []string{testSite, "330100", "330000"} {
			want := tickets.handovers(state, to)
			for _, limit := range []int{100, 2, 0} {
				got, err := r.Handovers(state, desk.SiteID(to), limit)
				if err != nil {
					t.Fatalf("hand-overs: %v", err)
				}
				if part := want[:min(limit, len(want))]; fmt.Sprint(got) != fmt.Sprint(part) {
					t.Fatalf("hand-overs %s to %s, at most %d: %v, want %v", state, to, limit, got, part)
				}
			}
		}
	}
}

func checkMajors(t *rapid.T, r *Reader, tickets model) {
	want := tickets.sorted(
		func(a, b *deskpb.Ticket) int { return a.GetOpenTime().AsTime().Compare(b.GetOpenTime().AsTime()) },
		func(record *deskpb.Record) bool {
			return record.Ticket.Major && record.Ticket.State <= deskpb.Ticket_ON_HOLD
		})
	for _, limit := range []int{100, 1} {
		found, err := r.Majors(limit)
		if err != nil {
			t.Fatalf("major incidents: %v", err)
		}
		got := []string{}
		for _, record := range found {
			got = append(got, record.Ticket.Number)
		}
		if part := want[:min(limit, len(want))]; !slices.Equal(got, part) {
			t.Fatalf("major incidents, at most %d: %v, want %v", limit, got, part)
		}
	}
}

// checkTimers holds when the tickets are listed by what is due on them next, those held here alone.
func checkTimers(t *rapid.T, r *Reader, tickets model) {
	next := func(record *deskpb.Record) int64 { return desk.NextTime(record, testSite) }
	want := tickets.sorted(
		func(a, b *deskpb.Ticket) int { return cmp.Compare(next(tickets[a.Number]), next(tickets[b.Number])) },
		func(record *deskpb.Record) bool { return next(record) != 0 })
	for _, limit := range []int{100, 1} {
		got := []string{}
		err := r.EachTimer(func(timer Timer) bool {
			if timer.Time != next(tickets[string(timer.Number)]) {
				t.Fatalf("the timer of %s is for %d, want %d", timer.Number, timer.Time, next(tickets[string(timer.Number)]))
			}
			got = append(got, string(timer.Number))
			return len(got) < limit
		})
		if err != nil {
			t.Fatalf("timers: %v", err)
		}
		if part := want[:min(limit, len(want))]; !slices.Equal(got, part) {
			t.Fatalf("timers, at most %d: %v, want %v", limit, got, part)
		}
	}
}

func TestAPageNeedsALimitAndAKnownIndex(t *testing.T) {
	s := openTest(t)
	view(t, s, func(r *Reader) error {
		for _, test := range []struct {
			q    Query
			want string
		}{
			{Query{Index: ByUpdate}, "page limit 0: it must be at least 1"},
			{Query{Index: ByUnit + 1, Limit: 1}, "ticket index 11: it must be one of 0 to 10"},
		} {
			if _, err := r.Tickets(test.q); err == nil || err.Error() != test.want {
				t.Errorf("%+v: error %v, want %s", test.q, err, test.want)
			}
		}
		return nil
	})
}

func TestACursorOfAnotherListStaysInsideTheList(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		for _, number := range []string{"330106-20261121-0001", "330106-20261121-0002"} {
			if err := b.PutTicket(ticket(number, func(k *deskpb.Ticket) { k.Assignee = "li" })); err != nil {
				return err
			}
		}
		return b.PutTicket(ticket("330106-20261121-0003", func(k *deskpb.Ticket) { k.Assignee = "wang" }))
	})
	view(t, s, func(r *Reader) error {
		for _, cursor := range [][]byte{{}, {0}, {0xff, 0xff}, []byte("330106-20261121-0003")} {
			for _, descending := range []bool{false, true} {
				page, err := r.Tickets(Query{Index: ByAssignee, Value: "li", After: cursor, Limit: 10, Descending: descending})
				if err != nil {
					return err
				}
				for _, record := range page.Records {
					if record.Ticket.Assignee != "li" {
						t.Errorf("behind cursor %x the list of li has a ticket of %s", cursor, record.Ticket.Assignee)
					}
				}
			}
		}
		return nil
	})
}
