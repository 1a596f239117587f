package store

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// drawWork draws a ticket that stands in many lists.
func drawWork(t *rapid.T) *deskpb.Record {
	record := drawTicket(t)
	k := record.Ticket
	site := rapid.SampledFrom([]string{testSite, "330100", "330000", "330199"})
	if k.State == deskpb.Ticket_ON_HOLD {
		k.HoldReason = rapid.SampledFrom([]string{"", "waiting-requester", "waiting-parts"}).Draw(t, "hold reason")
	}
	record.Path = rapid.SampledFrom([][]string{
		{testSite, "330100", "330000"}, {"330100", "330000"}, {"330198", testSite, "330000"}, nil,
	}).Draw(t, "path")
	for _, clock := range k.Sla {
		clock.Metric = rapid.SampledFrom([]deskpb.Sla_Metric{deskpb.Sla_RESPONSE, deskpb.Sla_RESOLUTION}).Draw(t, "metric")
		clock.Mark = rapid.SampledFrom([]int32{0, 50, 75, 90, 100}).Draw(t, "mark")
		clock.Site = rapid.SampledFrom([]string{"", testSite, "330100"}).Draw(t, "clock of")
		if rapid.Bool().Draw(t, "ended") {
			clock.EndTime = at(5)
		}
	}
	k.HomeSite = site.Draw(t, "home")
	if rapid.Bool().Draw(t, "solved") {
		k.ResolveTime = at(rapid.Int64Range(-3, 3).Draw(t, "quarter of the solution") * Quarter)
	}
	if score := rapid.Int32Range(0, 5).Draw(t, "score"); score > 0 {
		k.Satisfaction = &deskpb.Satisfaction{Score: score}
	}
	record.HighestLine = deskpb.Ticket_Line(rapid.IntRange(0, 2).Draw(t, "highest line"))
	return record
}

// standsIn tells under which value a ticket must be in a list, said a second time.
func standsIn(list Work, record *deskpb.Record) (value string, in bool) {
	k := record.Ticket
	open := k.State == deskpb.Ticket_NEW || k.State == deskpb.Ticket_ASSIGNED || k.State == deskpb.Ticket_IN_PROGRESS || k.State == deskpb.Ticket_ON_HOLD
	away := k.Handover.State == deskpb.Handover_IN_TRANSIT
	held := open && !away
	here := held && k.CustodianSite == testSite
	soon, over := false, false
	for _, clock := range k.Sla {
		if clock.EndTime == nil && (clock.Site == "" || clock.Site == k.CustodianSite) {
			over = over || clock.Mark == 100
			soon = soon || clock.Mark >= 75 && clock.Since != nil
		}
	}
	switch list {
	case WorkOf:
		return k.Assignee, here && k.Assignee != ""
	case WorkOfGroup:
		return k.Group, here && k.Group != ""
	case WorkOfNobody:
		return "", here && k.Assignee == ""
	case WorkDueSoon:
		return k.CustodianSite, held && soon && !over
	case WorkOverdue:
		return k.CustodianSite, held && over
	case WorkAbove:
		reached, passed := false, false
		for _, site := range record.Path {
			reached = reached || passed && site == k.CustodianSite
			passed = passed || site == testSite
		}
		return "", open && reached && record.FromSite != testSite
	case WorkOnHold:
		return k.HoldReason, here && k.State == deskpb.Ticket_ON_HOLD
	case WorkLeaving:
		if away {
			return record.FromSite, open
		}
		return k.CustodianSite, open && k.Handover.State == deskpb.Handover_QUEUED
	default:
		return k.CustodianSite, held
	}
}

// work lists the tickets that must be in the parts of a list.
func (m model) work(list Work, values []string) []string {
	order := compareDue
	if list == WorkOpen {
		order = func(a, b *deskpb.Ticket) int {
			return cmp.Compare(a.OpenTime.AsTime().UnixMicro(), b.OpenTime.AsTime().UnixMicro())
		}
	}
	return m.sorted(order, func(record *deskpb.Record) bool {
		value, in := standsIn(list, record)
		return in && slices.Contains(values, value)
	})
}

// parts are the values of a list, and one that it has not got.
func (m model) parts(list Work) []string {
	values := []string{"nobody"}
	for _, record := range m {
		if value, in := standsIn(list, record); in && !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	slices.Sort(values)
	return values
}

// checkWork holds every list, and every count, against the tickets themselves.
func checkWork(t *rapid.T, r *Reader, tickets model) {
	limit := rapid.IntRange(1, 5).Draw(t, "limit")
	for list := range numberOfWorks {
		values := tickets.parts(list)
		for _, value := range values {
			want := tickets.work(list, []string{value})
			checkWorkPages(t, r, WorkQuery{List: list, Values: []string{value}, Limit: limit}, want)
			if n, err := r.WorkCount(list, value); err != nil || n != len(want) {
				t.Fatalf("list %d counts %d tickets under %q, %v; there are %d", list, n, value, err, len(want))
			}
		}
		checkWorkPages(t, r, WorkQuery{List: list, Values: values, Limit: limit}, tickets.work(list, values))
	}
}

func checkWorkPages(t *rapid.T, r *Reader, q WorkQuery, want []string) {
	got := []string{}
	for more := true; more; more = q.After != nil {
		rows, err := r.Work(q)
		if err != nil || len(rows.Numbers) > q.Limit || len(rows.Cursors) != len(rows.Numbers) {
			t.Fatalf("%+v: %d tickets and %d cursors, %v", q, len(rows.Numbers), len(rows.Cursors), err)
		}
		page, err := r.Records(rows)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		for i, record := range page.Records {
			got = append(got, record.Ticket.Number)
			behind := q
			behind.After, behind.Limit = rows.Cursors[i], 1
			next, err := r.Work(behind)
			if err != nil || len(next.Numbers) > 0 && string(next.Numbers[0]) != want[len(got)] {
				t.Fatalf("%+v: behind %s come %v, %v; want %v", q, record.Ticket.Number, next.Numbers, err, want[len(got):])
			}
		}
		q.After = rows.Next
	}
	if !slices.Equal(got, want) {
		t.Fatalf("list %d under %q in pages of %d:\n got %v\nwant %v", q.List, q.Values, q.Limit, got, want)
	}
}

// checkFigures holds the figures of every home against the tickets themselves.
func checkFigures(t *rapid.T, r *Reader, tickets model) {
	want := map[string]Figures{}
	note := func(home string, when int64, f Figures) {
		begun := when / Quarter
		if when%Quarter < 0 {
			begun--
		}
		key := fmt.Sprint(home, " ", begun*Quarter)
		sum := want[key]
		sum.Add(f)
		want[key] = sum
	}
	for _, record := range tickets {
		k := record.Ticket
		note(k.HomeSite, k.OpenTime.AsTime().UnixMicro(), Figures{Opened: 1})
		if k.ResolveTime == nil || k.State != deskpb.Ticket_RESOLVED && k.State != deskpb.Ticket_CLOSED {
			continue
		}
		solved := Figures{Solved: 1, ScoreSum: int64(k.Satisfaction.GetScore())}
		if solved.ScoreSum > 0 {
			solved.Rated = 1
		}
		if record.HighestLine == deskpb.Ticket_FIRST {
			solved.SolvedFirstLine = 1
		}
		if slices.ContainsFunc(k.Sla, func(c *deskpb.Sla) bool {
			return c.Metric == deskpb.Sla_RESOLUTION && c.State == deskpb.Sla_BREACHED
		}) {
			solved.SolvedLate = 1
		}
		note(k.HomeSite, k.ResolveTime.AsTime().UnixMicro(), solved)
	}
	got := map[string]Figures{}
	for _, home := range []string{testSite, "330100", "330000", "330199"} {
		err := r.EachFigures(desk.SiteID(home), -1<<60, 1<<60, func(quarter int64, f Figures) {
			got[fmt.Sprint(home, " ", quarter)] = f
		})
		if err != nil {
			t.Fatalf("figures of %s: %v", home, err)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("figures\n got %v\nwant %v", got, want)
	}
}

// Whatever happens to tickets, in whatever entries, the lists, their counts and the figures are those of the tickets as they
// are; within a batch too.
func TestTheListsOfOpenTicketsAndTheirCountsFollowTheTickets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := mustOpen(t, options(vfs.NewMem()))
		defer mustClose(t, s)
		tickets := model{}
		batch := s.NewBatch()
		defer func() { batch.Discard() }()
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				for range 3 {
					record := rapid.Custom(drawWork).Draw(t, "ticket")
					if err := batch.PutTicket(record); err != nil {
						t.Fatalf("put: %v", err)
					}
					tickets[record.Ticket.Number] = record
				}
			},
			"look": func(t *rapid.T) {
				checkWork(t, batch.Reader, tickets)
				checkFigures(t, batch.Reader, tickets)
			},
			"commit": func(t *rapid.T) { batch = commitAndGoOn(t, s, batch) },
		})
		batch = commitAndGoOn(t, s, batch)
		view(t, s, func(r *Reader) error {
			checkWork(t, r, tickets)
			checkFigures(t, r, tickets)
			return nil
		})
	})
}

// withoutWork opens a database, which is closed, and makes it one that a program without lists of open tickets wrote.
func withoutWork(t tb, fs vfs.FS) {
	t.Helper()
	s := mustOpen(t, options(fs))
	defer mustClose(t, s)
	if err := forgetWork(s.db); err != nil {
		t.Fatalf("forget the lists: %v", err)
	}
	if err := s.db.Delete(metaKey(metaWork), pebble.Sync); err != nil {
		t.Fatalf("forget up to where they were kept: %v", err)
	}
}

// What is built for a database that has no lists, byte for byte, is what its entries would have written.
func TestListsThatAreBuiltAreThoseThatWereKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fs := vfs.NewMem()
		s := mustOpen(t, options(fs))
		tickets := model{}
		for range rapid.IntRange(1, 6).Draw(t, "entries") {
			commit(t, s, func(b *Batch) error {
				for _, record := range rapid.SliceOfN(rapid.Custom(drawWork), 1, 6).Draw(t, "tickets") {
					tickets[record.Ticket.Number] = record
					if err := b.PutTicket(record); err != nil {
						return err
					}
				}
				return b.PutCustomer(drawCustomer(t))
			})
		}
		kept := dump(t, s)
		mustClose(t, s)
		withoutWork(t, fs)
		s = mustOpen(t, options(fs))
		defer mustClose(t, s)
		if built := dump(t, s); built != kept {
			t.Fatalf("built:\n%s\nkept:\n%s", built, kept)
		}
	})
}

// More tickets than one piece of the building takes, an entry of a program without lists between two others, and a backup of
// such a program.
func TestListsAreBuiltWhereverAnOlderProgramWrote(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, options(fs))
	const many = 2*buildChunk + 1
	commit(t, s, func(b *Batch) error {
		for n := range many {
			err := b.AddTicket(ticket(fmt.Sprintf("330106-20261121-%04d", n+1), func(k *deskpb.Ticket) { k.OpenTime = at(int64(n)) }))
			if err != nil {
				return err
			}
		}
		return b.PutSite(&deskpb.Site{Id: testSite, Name: "西湖区", Clock: 1_000_000})
	})
	count := func(s *Store) (count int) {
		view(t, s, func(r *Reader) (err error) {
			count, err = r.WorkCount(WorkOpen, testSite)
			return err
		})
		return count
	}
	// The older program applies an entry: it closes a ticket, and knows neither the lists nor up to where they are kept.
	closed := ticket("330106-20261121-0001", func(k *deskpb.Ticket) { k.State = deskpb.Ticket_CLOSED })
	value, err := encode(nil, closed)
	if err != nil {
		t.Fatal(err)
	}
	older := s.db.NewBatch()
	for key, value := range map[string][]byte{
		string(ticketKey("330106-20261121-0001")): value,
		string(metaKey(metaApplied)):              standing{index: s.Applied() + 1, term: 1}.encode(),
	} {
		if err := older.Set([]byte(key), value, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := older.Commit(pebble.Sync); err != nil {
		t.Fatal(err)
	}
	s.applied.Add(1)
	if n := count(s); n != many {
		t.Fatalf("before the database is opened again %d tickets are counted, want %d", n, many)
	}
	snapshot, backup := checkpointBytes(t, s), backupBytes(t, s)
	mustClose(t, s)
	s = mustOpen(t, options(fs))
	defer mustClose(t, s)
	if n := count(s); n != many-1 {
		t.Errorf("opened again, the database counts %d open tickets, want %d", n, many-1)
	}
	other := openTest(t)
	if err := other.Restore(bytes.NewReader(snapshot)); err != nil {
		t.Fatal(err)
	}
	if n := count(other); n != many-1 {
		t.Errorf("a node that takes the older program's snapshot counts %d open tickets, want %d", n, many-1)
	}
	restored, err := BeginRestore(options(vfs.NewMem()), bytes.NewReader(backup))
	if err != nil {
		t.Fatal(err)
	}
	if n := count(restored.store); n != many-1 {
		t.Errorf("the older program's backup has %d open tickets counted, want %d", n, many-1)
	}
	if err := restored.Abandon(); err != nil {
		t.Error(err)
	}
}
