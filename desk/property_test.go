package desk

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// allVerbs starts with the verbs that move tickets: rapid draws early elements more often.
var allVerbs = []string{
	"escalate", "return", "withdraw", "resolve", "reopen", "start", "hold", "resume", "confirm", "assign", "assign group",
	"close", "urge", "note", "reply", "dispatch", "cancel", "create", "claim", "decline", "transfer",
}

// rareVerbs are for tickets that the usual order of things has left behind.
var rareVerbs = []string{"reclaim", "relocate"}

// TestAnyHistoryEndsEqual lets people at three sites do whatever they like while lines are slow, and then lets the lines
// run dry: every site of a path must have come to the same ticket and the same journal.
func TestAnyHistoryEndsEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		steps := []func(*rapid.T){w.command, w.deliver, w.command, w.dispatch, w.wait, w.tick, w.rename}
		for range rapid.IntRange(50, 500).Draw(t, "length") {
			rapid.SampledFrom(steps).Draw(t, "step")(t)
			w.invariants(t)
		}
		w.settle(t)
	})
}

// world is a tree together with what was true of it before.
type world struct {
	tree    *tree
	custody map[string]uint32 // highest custody term seen by site and ticket
	numbers []TicketNumber
}

// newWorld is a tree whose clocks differ by up to an hour, with a ticket of the county and one of the city.
func newWorld(t *rapid.T) *world {
	w := &world{tree: newTree(), custody: map[string]uint32{}}
	for _, o := range w.tree.offices {
		o.behind = rapid.Int64Range(0, 60).Draw(t, "minutes behind") * minute
		o.called["lin"], o.called["sun"] = "林晓 of "+string(o.here.Site), "孙丽 of "+string(o.here.Site)
		o.policy.Groups = []*deskpb.Team{networkTeam()}
		o.policy.Dispatch = []*deskpb.DispatchRule{{Name: "second", Group: "网络组", Match: &deskpb.Match{Lines: []deskpb.Ticket_Line{deskpb.Ticket_SECOND}}}}
	}
	for _, site := range []SiteID{county, city} {
		d, err := w.tree.do(site, sampleCommand("create"))
		if err != nil {
			t.Fatal(err)
		}
		w.numbers = append(w.numbers, TicketNumber(d.Record.GetTicket().GetNumber()))
	}
	return w
}

func (w *world) wait(t *rapid.T) {
	w.tree.now += rapid.Int64Range(0, 600).Draw(t, "minutes") * minute
}

// rename has somebody be called otherwise, or as the account, from now on.
func (w *world) rename(t *rapid.T) {
	o := rapid.SampledFrom(w.tree.offices).Draw(t, "office")
	user := rapid.SampledFrom([]UserID{"lin", "wang", "sun"}).Draw(t, "user")
	o.called[user] = rapid.SampledFrom([]string{"", string(user), "林晓", "王磊"}).Draw(t, "name")
}

// tick has every office do what is due on its tickets, after which nothing is.
func (w *world) tick(t *rapid.T) {
	for _, o := range w.tree.offices {
		for _, number := range o.numbers() {
			if next := NextTime(o.records[number], o.here.Site); next == 0 || next > w.tree.now-o.behind {
				continue
			}
			if _, err := w.tree.do(o.here.Site, tickCommand(number)); err != nil {
				t.Fatalf("the tick of %s at %s: %v", number, o.here.Site, err)
			}
			at := w.tree.now - o.behind
			if next := NextTime(o.records[number], o.here.Site); next != 0 && next <= at {
				t.Fatalf("after a tick of %s at %s something is due at %s", number, moment(at), moment(next))
			}
		}
	}
}

// command tries a verb on a ticket, mostly at the site that holds it.
func (w *world) command(t *rapid.T) {
	number := rapid.SampledFrom(w.numbers).Draw(t, "number")
	site := rapid.SampledFrom([]SiteID{county, city, province}).Draw(t, "site")
	if rapid.IntRange(0, 3).Draw(t, "elsewhere") < 3 {
		for _, o := range w.tree.offices {
			if holds(o.here, o.records[number]) {
				site = o.here.Site
			}
		}
	}
	o := w.tree.office(site)
	command := w.draw(t, o, number)
	held, before := o.records[number], proto.CloneOf(o.records[number])
	sequence := o.here.Sequence
	decision, err := w.tree.do(site, command)
	if !proto.Equal(held, before) {
		t.Fatalf("%s at %s changed the record that it was only shown", verbName(command), site)
	}
	if err != nil {
		if refusal := new(Refusal); !errors.As(err, &refusal) {
			t.Fatalf("%s at %s is neither decided nor refused: %v", verbName(command), site, err)
		}
		if o.here.Sequence != sequence || !proto.Equal(o.records[number], before) {
			t.Fatalf("the refused %s at %s changed something", verbName(command), site)
		}
		return
	}
	if decided := TicketNumber(decision.Record.GetTicket().GetNumber()); !slices.Contains(w.numbers, decided) {
		w.numbers = append(w.numbers, decided)
	}
}

// draw makes up a command that may or may not fit.
func (w *world) draw(t *rapid.T, o *office, number TicketNumber) *deskpb.TicketCommand {
	verb := rapid.SampledFrom(slices.Concat(allVerbs, afterVerbs, togetherVerbs)).Draw(t, "verb")
	command := drawTogether(t, verb, w.numbers)
	if command == nil {
		command = drawAfter(t, verb)
	}
	if command == nil {
		command = sampleCommand(verb)
	}
	if command.GetCreate() == nil {
		command.Number = string(number)
	}
	ticket := o.records[number].GetTicket()
	if verb == "dispatch" {
		return dispatchTo(number, ticket.GetHandover().GetToSite())
	}
	command.Actor = rapid.SampledFrom([]*deskpb.Actor{agent("lin"), agent("wang"), manager("sun")}).Draw(t, "actor")
	command.Etag = rapid.SampledFrom([]string{"", ticket.GetEtag(), "", "", ticket.GetEtag(), "0000000000000000"}).Draw(t, "etag")
	if id := rapid.SampledFrom([]string{"", "", "r1", "", "r2", "", "r3", "r4"}).Draw(t, "request"); id != "" {
		command = identified(id, command)
	}
	return command
}

func (w *world) deliver(t *rapid.T) {
	line := rapid.IntRange(0, lineCount-1).Draw(t, "line")
	if len(w.tree.lines[line]) == 0 {
		return
	}
	again := rapid.Bool().Draw(t, "twice")
	event := w.tree.lines[line][0]
	if err := w.tree.deliver(line); err != nil {
		t.Fatal(err)
	}
	if again {
		w.tree.lines[line] = append([]Sealed{event}, w.tree.lines[line]...)
		if err := w.tree.deliver(line); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) dispatch(t *rapid.T) {
	site := rapid.SampledFrom([]SiteID{county, city, province}).Draw(t, "site")
	if err := w.tree.dispatch(site); err != nil {
		t.Fatal(err)
	}
}

// invariants hold at any moment.
func (w *world) invariants(t *rapid.T) {
	for _, number := range w.numbers {
		holders := 0
		for _, o := range w.tree.offices {
			r := o.records[number]
			if r == nil {
				continue
			}
			key := string(o.here.Site) + "/" + string(number)
			if term := r.GetTicket().GetCustodyTerm(); term < w.custody[key] {
				t.Fatalf("custody of %s fell from %d to %d at %s", number, w.custody[key], term, o.here.Site)
			}
			w.custody[key] = r.GetTicket().GetCustodyTerm()
			if holds(o.here, r) {
				holders++
			}
			if (r.GetTicket().GetHoldReason() != "") != (r.GetTicket().GetState() == deskpb.Ticket_ON_HOLD) {
				t.Fatalf("%s is %s with hold reason %q at %s", number, r.GetTicket().GetState(), r.GetTicket().GetHoldReason(), o.here.Site)
			}
		}
		if holders > 1 {
			t.Fatalf("%d sites hold ticket %s", holders, number)
		}
	}
}

// settle drains the tree and compares its sites.
func (w *world) settle(t *rapid.T) {
	if err := w.tree.drain(); err != nil {
		t.Fatal(err)
	}
	w.invariants(t)
	for _, number := range w.numbers {
		if err := w.tree.agree(number); err != nil {
			t.Fatal(err)
		}
		w.atRest(t, number)
		w.refold(t, number)
		w.reunite(t, number)
	}
	w.effects(t)
}

// atRest holds when one site has the ticket, and nothing waits.
func (w *world) atRest(t *rapid.T, number TicketNumber) {
	holders := 0
	for _, o := range w.tree.offices {
		if holds(o.here, o.records[number]) {
			holders++
		}
	}
	home, err := ParseNumber(number)
	if err != nil {
		t.Fatal(err)
	}
	r := w.tree.office(home.Site).records[number]
	if holders != 1 || r.GetTicket().GetHandover().GetState() != deskpb.Handover_NONE {
		t.Fatalf("%s is held by %d sites, hand-over %s, though nothing is left to do", number, holders, r.GetTicket().GetHandover().GetState())
	}
	if r.GetTicket().GetState() == deskpb.Ticket_RESOLVED && r.GetTicket().GetCustodianSite() != r.GetTicket().GetHomeSite() {
		t.Fatalf("%s is resolved and stays at %s instead of going home", number, r.GetTicket().GetCustodianSite())
	}
	for _, wish := range r.GetTicket().GetWishes() {
		if wish.GetState() == deskpb.Wish_PENDING {
			t.Fatalf("the wish %s on %s has no answer", wish.GetId(), number)
		}
	}
}

// refold holds when remarks may be folded anywhere between the custodial events.
func (w *world) refold(t *rapid.T, number TicketNumber) {
	home, err := ParseNumber(number)
	if err != nil {
		t.Fatal(err)
	}
	o := w.tree.office(home.Site)
	var custodial, remarks []Sealed
	for _, event := range o.journal(number) {
		if event.GetClass() == deskpb.Event_CUSTODIAL {
			custodial = append(custodial, event)
		} else {
			remarks = append(remarks, event)
		}
	}
	remarks = rapid.Permutation(remarks).Draw(t, "order of remarks")
	var record *deskpb.Record
	for i, event := range custodial {
		record = mustFold(t, record, event)
		for len(remarks) > 0 && (i == len(custodial)-1 || rapid.Bool().Draw(t, "remark here")) {
			record = mustFold(t, record, remarks[0])
			remarks = remarks[1:]
		}
	}
	if !proto.Equal(record, o.records[number]) {
		t.Fatalf("another order of remarks gives another record:\n%v\n%v", record, o.records[number])
	}
}

// reunite holds when the order of all events counts for nothing, and every custodial event counts for something.
func (w *world) reunite(t *rapid.T, number TicketNumber) {
	home, err := ParseNumber(number)
	if err != nil {
		t.Fatal(err)
	}
	o := w.tree.office(home.Site)
	record := mustUnite(t, rapid.Permutation(o.events[number]).Draw(t, "order of events"))
	if !proto.Equal(record, o.records[number]) {
		t.Fatalf("another order of events gives another record:\n%v\n%v", record, o.records[number])
	}
	if record.GetSuperseded()+record.GetDetached() != 0 {
		t.Fatalf("%s has %d superseded and %d detached events in a history without a fork",
			number, record.GetSuperseded(), record.GetDetached())
	}
}

// effects holds when no request id had two of them.
func (w *world) effects(t *rapid.T) {
	seen := map[string]string{}
	for _, o := range w.tree.offices {
		for _, number := range o.numbers() {
			for _, event := range o.events[number] {
				request := event.GetRequest()
				if request == nil {
					continue
				}
				key := fmt.Sprintf("%s/%s/%s/%s", event.GetId().GetSite(), event.GetActor(), request.GetMethod(), request.GetId())
				if first, twice := seen[key]; twice && first != EventName(event.GetId()) {
					t.Fatalf("request %s had two effects, %s and %s", key, first, EventName(event.GetId()))
				}
				seen[key] = EventName(event.GetId())
			}
		}
	}
}

// mustFold folds and makes sure that the argument stays as it was.
func mustFold(t rapid.TB, record *deskpb.Record, event Sealed) *deskpb.Record {
	t.Helper()
	before := marshal(t, record)
	next, err := Fold(record, event)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, marshal(t, record)) {
		t.Fatalf("folding %s changed the record that it was given", event.GetType())
	}
	return next
}

func mustUnite(t rapid.TB, events []Sealed) *deskpb.Record {
	t.Helper()
	record, err := Union(events)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func marshal(t rapid.TB, m proto.Message) []byte {
	t.Helper()
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
