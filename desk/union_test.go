package desk

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// branches is a ticket whose history has a fork: the county went on from before the escalation, the city from after it.
type branches struct {
	common, county, city, remarks []Sealed
}

// newBranches has the county carry out the verbs after it forgot that it had sent the ticket.
func newBranches(t testing.TB, atCounty ...string) (*stage, branches) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.do(county, sampleCommand("note"))
	restored := s.tree.office(county).copied()
	common := s.tree.office(county).journal(s.number)
	s.escalateToCity()
	s.do(city, sampleCommand("start"))
	s.drain()
	after := s.tree.office(county).journal(s.number)
	restored.here.Incarnation, restored.here.Sequence = 0xbad, 0
	s.tree.offices[0] = restored
	for _, verb := range atCounty {
		command := by(agent("lin"), s.number, sampleCommand(verb))
		restored.here.Recovering, restored.unsettled = verb == "reclaim", true
		switch verb {
		case "reclaim":
			command.Actor = manager("sun")
		case "dispatch":
			command = dispatchTo(s.number, string(city))
		}
		s.do(county, command)
	}
	b := branches{common: common, city: after[len(common):]}
	for _, event := range s.tree.office(county).journal(s.number)[len(common):] {
		if event.GetClass() == deskpb.Event_REMARK {
			b.remarks = append(b.remarks, event)
		} else {
			b.county = append(b.county, event)
		}
	}
	return s, b
}

// copied is a backup of the office.
func (o *office) copied() *office {
	c := *o
	c.records, c.marks, c.last, c.stored = maps.Clone(o.records), maps.Clone(o.marks), maps.Clone(o.last), maps.Clone(o.stored)
	c.events = map[TicketNumber][]Sealed{}
	for _, number := range o.numbers() {
		c.events[number] = slices.Clone(o.events[number])
	}
	return &c
}

func TestWhichBranchWins(t *testing.T) {
	for name, c := range map[string]struct {
		atCounty []string
		winner   SiteID
	}{
		"the later term, however long the other branch is": {[]string{"start", "hold", "resume", "hold", "resume", "hold", "resume"}, city},
		"the later term over an override":                  {[]string{"reclaim", "start"}, city},
		"the longer of two branches of one term":           {[]string{"start", "hold", "resume", "escalate", "dispatch"}, county},
		"an override of the same term":                     {[]string{"escalate", "dispatch", "reclaim"}, county},
	} {
		t.Run(name, func(t *testing.T) {
			_, b := newBranches(t, c.atCounty...)
			winner, loser := b.city, b.county
			if c.winner == county {
				winner, loser = b.county, b.city
			}
			alone := mustUnite(t, slices.Concat(b.common, winner))
			both := mustUnite(t, slices.Concat(loser, b.common, winner))
			if !bytes.Equal(alone.GetHead(), both.GetHead()) {
				t.Fatalf("of two branches the ticket is %v, want %v", both.GetTicket(), alone.GetTicket())
			}
			if got := int(both.GetSuperseded()); got != len(loser) || both.GetDetached() != 0 {
				t.Errorf("%d events are superseded and %d detached, want %d and none", got, both.GetDetached(), len(loser))
			}
			if got, want := both.GetEvents(), len(b.common)+len(winner)+len(loser); int(got) != want {
				t.Errorf("the record is made of %d events, want %d", got, want)
			}
		})
	}
}

func TestWhatStandsOnAMissingEventIsDetachedUntilItComes(t *testing.T) {
	s, b := newBranches(t)
	all := slices.Concat(b.common, b.city)
	record := mustUnite(t, b.common)
	queued, rest := b.city[0], b.city[1:]
	for i, event := range rest {
		if Follows(record, event) {
			t.Fatalf("%s follows a record without the event before it", event.GetType())
		}
		record = mustUnite(t, slices.Concat(b.common, rest[:i+1]))
		if int(record.GetDetached()) != i+1 || record.GetTicket().GetCustodyTerm() != 1 {
			t.Fatalf("without the event before it, %s leaves %d events detached under term %d",
				event.GetType(), record.GetDetached(), record.GetTicket().GetCustodyTerm())
		}
	}
	if Follows(record, queued) {
		t.Errorf("%s is folded alone though others stand on it", queued.GetType())
	}
	if got, want := mustUnite(t, slices.Concat(rest, []Sealed{queued}, b.common)), mustUnite(t, all); !proto.Equal(got, want) {
		t.Errorf("with the missing event the record is\n%v\nwant\n%v", got, want)
	}
	if mustUnite(t, b.city) != nil {
		t.Errorf("ticket %s has a record though nothing opens it", s.number)
	}
}

// What is missing will never come, and need not: the ticket has gone past what stands on it.
func TestADetachedEventThatCannotWinIsSuperseded(t *testing.T) {
	_, b := newBranches(t, "start", "hold")
	loose := b.county[1:]
	before := mustUnite(t, slices.Concat(b.common, loose))
	if before.GetDetached() != 1 || before.GetSuperseded() != 0 {
		t.Errorf("above the head it is detached %d times and superseded %d times, want it detached", before.GetDetached(), before.GetSuperseded())
	}
	after := mustUnite(t, slices.Concat(b.common, loose, b.city))
	if after.GetDetached() != 0 || int(after.GetSuperseded()) != len(loose) {
		t.Errorf("below the head %d events are detached and %d superseded, want %d superseded", after.GetDetached(), after.GetSuperseded(), len(loose))
	}
	whole := mustUnite(t, slices.Concat(b.common, b.county, b.city))
	if !bytes.Equal(whole.GetHead(), after.GetHead()) || int(whole.GetSuperseded()) != len(b.county) {
		t.Errorf("with what was missing the head is %x and %d events are superseded, want %x and %d",
			whole.GetHead(), whole.GetSuperseded(), after.GetHead(), len(b.county))
	}
}

func TestAnEventWithoutAuthorityIsSupersededWithAllThatStandsOnIt(t *testing.T) {
	_, b := newBranches(t)
	all := slices.Concat(b.common, b.city)
	record := mustUnite(t, all)
	stolen := proto.CloneOf(b.city[len(b.city)-1].Event)
	stolen.Id = &deskpb.EventID{Site: string(county), Incarnation: 7, Sequence: 1}
	stolen.Index, stolen.Previous = record.GetLength()+1, record.GetHead()
	first := mustSeal(t, stolen)
	stolen = proto.CloneOf(stolen)
	stolen.Id.Site, stolen.Id.Sequence = string(city), 99
	stolen.Index, stolen.Previous = stolen.GetIndex()+1, Hash(first.Raw)
	second := mustSeal(t, stolen)
	if _, err := Fold(record, first); !errors.Is(err, ErrUnfit) || Authority(record, first) == "" {
		t.Errorf("an event of a site that does not hold the ticket comes to %v", err)
	}
	got := mustUnite(t, append(all, second, first))
	if !bytes.Equal(got.GetHead(), record.GetHead()) || got.GetSuperseded() != 2 || got.GetDetached() != 0 {
		t.Errorf("the ticket is %v with %d events superseded and %d detached, want it unchanged, two and none",
			got.GetTicket(), got.GetSuperseded(), got.GetDetached())
	}
}

func mustSeal(t testing.TB, event *deskpb.Event) Sealed {
	t.Helper()
	sealed, err := Seal(event)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestUnionRefusesWhatCannotBeOneTicket(t *testing.T) {
	opened := mustSeal(t, sampleEvent(deskpb.Event_OPENED))
	later, other := sampleEvent(deskpb.Event_NOTED), sampleEvent(deskpb.Event_NOTED)
	later.Schema++
	other.Ticket = "330106-20261121-0043"
	for name, c := range map[string]struct {
		event *deskpb.Event
		want  error
	}{
		"an event of a later schema":   {later, ErrUnknown},
		"an event of another ticket":   {other, ErrUnfit},
		"nothing beside what opens it": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			events := []Sealed{opened}
			if c.event != nil {
				events = append(events, mustSeal(t, c.event))
			}
			if _, err := Union(events); !errors.Is(err, c.want) {
				t.Errorf("the union comes to %v, want %v", err, c.want)
			}
		})
	}
	if record, err := Union(nil); record != nil || err != nil {
		t.Errorf("no events come to %v, %v", record, err)
	}
}

func TestTheJournalMarksWhatIsSuperseded(t *testing.T) {
	_, b := newBranches(t, "start", "reply")
	events := slices.Concat(b.common, b.county, b.remarks, b.city[1:])
	entries, err := Journal(events)
	if err != nil {
		t.Fatal(err)
	}
	for i, entry := range entries {
		lost := slices.ContainsFunc(b.city, func(e Sealed) bool { return proto.Equal(e.GetId(), entry.Event.GetId()) })
		if entry.Superseded != lost {
			t.Errorf("entry %d, %s, is superseded: %v, want %v", i, entry.Event.GetType(), entry.Superseded, lost)
		}
		started := entry.Event.GetType() == deskpb.Event_STARTED && !lost
		if changed := len(entry.Changes) > 0; changed != (started || entry.Event.GetType() == deskpb.Event_OPENED) {
			t.Errorf("entry %d, %s, shows the changes %v", i, entry.Event.GetType(), entry.Changes)
		}
	}
	if entries, err := Journal(nil); err != nil || len(entries) != 0 {
		t.Errorf("an empty journal comes to %v, %v", entries, err)
	}
}

func TestSumsAreEqualExactlyForEqualSets(t *testing.T) {
	_, b := newBranches(t, "start", "reply", "hold")
	opened, rest := b.common[:1], slices.Concat(b.common[1:], b.county, b.remarks, b.city)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) ([]Sealed, []bool) {
			events, in := slices.Clone(opened), make([]bool, len(rest))
			for i, event := range rest {
				if in[i] = rapid.Bool().Draw(t, label); in[i] {
					events = append(events, event)
				}
			}
			return rapid.Permutation(events).Draw(t, label+" order"), in
		}
		first, inFirst := draw("first")
		second, inSecond := draw("second")
		a, b := mustUnite(t, first), mustUnite(t, second)
		same := a.GetEvents() == b.GetEvents() && bytes.Equal(a.GetSum(), b.GetSum())
		if same != slices.Equal(inFirst, inSecond) {
			t.Fatalf("the sets %v and %v are told to be equal: %v", inFirst, inSecond, same)
		}
	})
}

// TestTheSumCarries adds beyond a byte and beyond the end.
func TestTheSumCarries(t *testing.T) {
	full := bytes.Repeat([]byte{0xff}, hashSize)
	one := append([]byte{1}, make([]byte, hashSize-1)...)
	sum := slices.Clone(full)
	if addHash(sum, one); !bytes.Equal(sum, make([]byte, hashSize)) {
		t.Errorf("all bits and one make %x, want nothing", sum)
	}
	sum = append([]byte{0xff}, make([]byte, hashSize-1)...)
	if addHash(sum, one); sum[0] != 0 || sum[1] != 1 {
		t.Errorf("255 and one make %x, want 256", sum)
	}
}

// TestAForkedHistoryEndsEqual lets a site come back from an older backup and everybody work on without any line, and
// then brings all events to all sites in any order: every site has the same tickets, and they can be worked on.
func TestAForkedHistoryEndsEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		steps := []func(*rapid.T){w.command, w.deliver, w.command, w.dispatch}
		work := func(label string) {
			for range rapid.IntRange(5, 60).Draw(t, label) {
				rapid.SampledFrom(steps).Draw(t, "step")(t)
			}
		}
		work("before the backup")
		i := rapid.IntRange(0, 2).Draw(t, "restored")
		backup := w.tree.offices[i].copied()
		work("after the backup")
		backup.here.Incarnation, backup.here.Sequence, backup.here.Letters = 0xbad, 0, "K7Q"
		w.tree.offices[i] = backup
		steps = []func(*rapid.T){w.command, w.command, w.dispatch, w.seize}
		work("after the restore")
		w.tree.lines = make([][]Sealed, lineCount)
		w.unite(t)
		if err := w.tree.drain(); err != nil {
			t.Fatal(err)
		}
		for _, number := range w.known() {
			if err := w.tree.agree(number); err != nil {
				t.Fatal(err)
			}
			w.atRest(t, number)
		}
	})
}

// seize has an incident manager take a ticket anywhere.
func (w *world) seize(t *rapid.T) {
	site := rapid.SampledFrom([]SiteID{county, city, province}).Draw(t, "site")
	number := rapid.SampledFrom(w.numbers).Draw(t, "number")
	command := by(manager("sun"), number, sampleCommand("reclaim"))
	if _, err := w.tree.do(site, command); err != nil && reason(err) != "ALREADY_HELD" && reason(err) != "TICKET_NOT_FOUND" {
		t.Fatal(err)
	}
}

// known lists the tickets that any site has; one that was opened after a backup may be forgotten.
func (w *world) known() []TicketNumber {
	return slices.DeleteFunc(slices.Clone(w.numbers), func(number TicketNumber) bool {
		return !slices.ContainsFunc(w.tree.offices, func(o *office) bool { return o.records[number] != nil })
	})
}

// unite brings every event to every site of its path, checks that all have the same record with one holder at most, and
// has the rules look at it again.
func (w *world) unite(t *rapid.T) {
	for _, number := range w.known() {
		var all []Sealed
		seen := map[string]bool{}
		for _, o := range w.tree.offices {
			for _, event := range o.events[number] {
				if name := EventName(event.GetId()); !seen[name] {
					seen[name] = true
					all = append(all, event)
				}
			}
		}
		for _, o := range w.tree.offices {
			if !slices.Contains(all[0].GetPath(), string(o.here.Site)) {
				continue
			}
			for _, event := range rapid.Permutation(all).Draw(t, "order") {
				if o.stored[EventName(event.GetId())] {
					continue
				}
				if err := o.receive(event); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.tree.agree(number); err != nil {
			t.Fatal(err)
		}
	}
	for _, number := range w.known() {
		for _, o := range w.tree.offices {
			if err := w.tree.react(o, number); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// FuzzUnion spoils a forked history: whatever the events say, the union is a chain in which each event folds onto those
// before it, and their order counts for nothing.
func FuzzUnion(f *testing.F) {
	f.Add([]byte{})
	for field := range byte(spoilers) {
		f.Add([]byte{3, field, 1, 6, field, 0, 9, field, 200})
	}
	f.Fuzz(func(t *testing.T, spoils []byte) {
		_, b := newBranches(t, "start", "reply", "escalate", "dispatch", "reclaim")
		events := spoil(t, slices.Concat(b.common, b.county, b.remarks, b.city), spoils)
		record := mustUnite(t, events)
		slices.Reverse(events)
		if again := mustUnite(t, events); !proto.Equal(record, again) {
			t.Fatalf("backwards the union is\n%v\nnot\n%v", again, record)
		}
		holdsTogether(t, record, events)
	})
}

// holdsTogether checks the record against the journal: what is not superseded there folds to the record's head.
func holdsTogether(t *testing.T, record *deskpb.Record, events []Sealed) {
	t.Helper()
	entries, err := Journal(events)
	if err != nil {
		t.Fatal(err)
	}
	var chain []Sealed
	lost := uint32(0)
	for _, entry := range entries {
		switch {
		case entry.Superseded:
			lost++
		case entry.Event.GetClass() == deskpb.Event_CUSTODIAL:
			chain = append(chain, entry.Event)
		}
	}
	slices.SortFunc(chain, func(a, b Sealed) int { return int(a.GetIndex()) - int(b.GetIndex()) })
	var folded *deskpb.Record
	for _, event := range chain {
		folded = mustFold(t, folded, event)
	}
	if !bytes.Equal(folded.GetHead(), record.GetHead()) {
		t.Fatalf("the journal ends at %x, the record at %x", folded.GetHead(), record.GetHead())
	}
	if record == nil {
		return
	}
	if lost != record.GetSuperseded()+record.GetDetached() {
		t.Fatalf("%d events are superseded in the journal, %d are superseded and %d detached in the record",
			lost, record.GetSuperseded(), record.GetDetached())
	}
	if int(record.GetEvents()) != len(events) {
		t.Fatalf("the record counts %d of %d events", record.GetEvents(), len(events))
	}
}

const spoilers = 9

// spoil changes events as the bytes say, three for each change: which event, what, and how. What no site would take in
// any more, and what is there twice, is left out.
func spoil(t *testing.T, events []Sealed, spoils []byte) []Sealed {
	t.Helper()
	for ; len(spoils) >= 3; spoils = spoils[3:] {
		i := int(spoils[0]) % len(events)
		e, how := proto.CloneOf(events[i].Event), uint32(spoils[2])
		other := events[int(how)%len(events)]
		switch spoils[1] % spoilers {
		case 0:
			e.Type = deskpb.Event_Type(how)
		case 1:
			e.CustodyTerm = how
		case 2:
			e.Reclaim = how
		case 3:
			e.Index = how
		case 4:
			e.Previous = Hash(other.Raw)
		case 5:
			e.Id.Site = []string{string(county), string(city), string(province)}[how%3]
		case 6:
			e.To = other.GetId().GetSite()
		case 7:
			e.Body = proto.CloneOf(other.GetBody())
		case 8:
			e.Time += int64(how)
		}
		if changed, err := Seal(e); err == nil && foldable(changed) == nil {
			events = append(events, changed)
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(events), func(e Sealed) bool {
		twice := seen[fmt.Sprintf("%x", Hash(e.Raw))]
		seen[fmt.Sprintf("%x", Hash(e.Raw))] = true
		return twice
	})
}
