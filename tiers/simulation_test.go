package tiers

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// world is four offices whose lines lose, repeat and delay what they carry.
type world struct {
	t       *rapid.T
	clock   int64
	offices []*office
	lines   [][2]*office // child, parent
	cut     []bool       // by line
	late    []delivery   // batches that were sent before and may come again
}

type delivery struct {
	to *office
	c  *deskpb.Receive
}

func newWorld(t *rapid.T) *world {
	w := &world{t: t, clock: time.Date(2026, 11, 21, 1, 0, 0, 0, time.UTC).UnixMicro()}
	now := func() int64 { w.clock += 1000; return w.clock }
	for _, site := range []*deskpb.Site{province, city, county, county2} {
		w.offices = append(w.offices, newOffice(t, site, now))
	}
	a, b, c, d := w.offices[0], w.offices[1], w.offices[2], w.offices[3]
	w.lines = [][2]*office{{b, a}, {c, b}, {d, b}}
	w.cut = make([]bool, len(w.lines))
	for _, line := range w.lines {
		admit(t, line[0], line[1])
	}
	return w
}

// direction draws one end of a line to send and the other to receive; ok is false when the line is cut.
func (w *world) direction(t *rapid.T) (from, to *office, ok bool) {
	i := rapid.IntRange(0, len(w.lines)-1).Draw(t, "line")
	from, to = w.lines[i][0], w.lines[i][1]
	if rapid.Bool().Draw(t, "down") {
		from, to = to, from
	}
	return from, to, !w.cut[i]
}

func (w *world) flip(t *rapid.T) {
	i := rapid.IntRange(0, len(w.lines)-1).Draw(t, "line")
	w.cut[i] = !w.cut[i]
}

// transmit carries a random stretch of an outbox, perhaps with items that were received before.
func (w *world) transmit(t *rapid.T) {
	from, to, ok := w.direction(t)
	if !ok {
		return
	}
	mark, acked := to.link(from.id).ReceivedSequence, from.link(to.id).AckedSequence
	again := rapid.Uint64Range(0, mark-acked).Draw(t, "again")
	c := batch(from, to, mark-again, rapid.IntRange(1, 12).Draw(t, "items"))
	if c == nil {
		return
	}
	w.late = append(w.late, delivery{to: to, c: c})
	w.accept(to, c)
}

// repeat delivers an old batch once more, whatever the line does now.
func (w *world) repeat(t *rapid.T) {
	if len(w.late) == 0 {
		return
	}
	d := w.late[rapid.IntRange(0, len(w.late)-1).Draw(t, "late")]
	w.accept(d.to, d.c)
}

func (w *world) accept(to *office, c *deskpb.Receive) {
	before := to.link(desk.SiteID(c.Peer)).ReceivedSequence
	if refusal, err := to.receive(c); err != nil || refusal != nil {
		w.t.Fatalf("%s receives items %d to %d of %s: %v %v", to.id, c.First, c.First+uint64(len(c.Items))-1, c.Peer, refusal, err)
	}
	if after := to.link(desk.SiteID(c.Peer)).ReceivedSequence; after < before {
		w.t.Fatalf("the mark of %s at %s fell from %d to %d", c.Peer, to.id, before, after)
	}
}

func (w *world) acknowledge(t *rapid.T) {
	from, to, ok := w.direction(t)
	if !ok {
		return
	}
	sequence := rapid.Uint64Range(0, to.link(from.id).ReceivedSequence).Draw(t, "sequence")
	if refusal, err := from.ack(to.id, sequence); err != nil || refusal != nil {
		w.t.Fatalf("%s acknowledges item %d to %s: %v %v", to.id, sequence, from.id, refusal, err)
	}
}

func (w *world) courier(t *rapid.T) {
	if from, to, ok := w.direction(t); ok {
		depart(w.t, from, to)
	}
}

func (w *world) call(t *rapid.T) {
	o := w.office(t)
	if len(o.tickets()) >= 3 {
		return
	}
	if _, refusal, err := o.do("", create("打印机故障")); err != nil || refusal != nil {
		w.t.Fatalf("open a ticket at %s: %v %v", o.id, refusal, err)
	}
}

func (w *world) office(t *rapid.T) *office {
	return w.offices[rapid.IntRange(0, len(w.offices)-1).Draw(t, "office")]
}

// work does a random verb to a random ticket, half of the time where the ticket is held; the rules may refuse it.
func (w *world) work(t *rapid.T) {
	o := w.office(t)
	numbers := o.tickets()
	if len(numbers) == 0 {
		return
	}
	number := numbers[rapid.IntRange(0, len(numbers)-1).Draw(t, "ticket")]
	if rapid.Bool().Draw(t, "held") {
		held := o.record(number).Ticket.CustodianSite
		o = w.offices[slices.IndexFunc(w.offices, func(o *office) bool { return string(o.id) == held })]
		if o.record(number) == nil {
			return // It is on its way there.
		}
	}
	verbs := []*deskpb.TicketCommand{
		escalate(), escalate(), escalate(), note("现场查看"), resolve(), resolve(),
		{Verb: &deskpb.TicketCommand_Assign{Assign: &deskpb.Assign{Assignee: "zhao"}}},
		{Verb: &deskpb.TicketCommand_Start{Start: &deskpb.Start{}}},
		{Verb: &deskpb.TicketCommand_Hold{Hold: &deskpb.Hold{Reason: "WAITING_FOR_PART"}}},
		{Verb: &deskpb.TicketCommand_Resume{Resume: &deskpb.Resume{}}},
		{Verb: &deskpb.TicketCommand_Reply{Reply: &deskpb.Reply{Text: "已收到"}}},
		{Verb: &deskpb.TicketCommand_Urge{Urge: &deskpb.Urge{Reason: "着急"}}},
		{Verb: &deskpb.TicketCommand_Withdraw{Withdraw: &deskpb.Withdraw{Reason: "已解决"}}},
		{Verb: &deskpb.TicketCommand_Return{Return: &deskpb.Return{Reason: "请本地处理"}}},
		{Verb: &deskpb.TicketCommand_Return{Return: &deskpb.Return{Reason: "缺少材料"}}},
		{Verb: &deskpb.TicketCommand_Confirm{Confirm: &deskpb.Confirm{}}},
		{Verb: &deskpb.TicketCommand_Close{Close: &deskpb.Close{Comment: "超期"}}},
		{Verb: &deskpb.TicketCommand_Reopen{Reopen: &deskpb.Reopen{Reason: "又坏了"}}},
		{Verb: &deskpb.TicketCommand_Cancel{Cancel: &deskpb.Cancel{Reason: "误报"}}},
	}
	verb := verbs[rapid.IntRange(0, len(verbs)-1).Draw(t, "verb")]
	if _, _, err := o.do(number, verb); err != nil {
		w.t.Fatalf("%T at %s: %v", verb.Verb, o.id, err)
	}
}

// heal repairs every line and carries everything until nothing moves any more.
func (w *world) heal() {
	for range 1000 {
		moved := false
		for _, line := range w.lines {
			for _, pair := range [][2]*office{line, {line[1], line[0]}} {
				moved = ship(w.t, pair[0], pair[1]) || moved
				moved = depart(w.t, pair[0], pair[1]) || moved
			}
		}
		if !moved {
			return
		}
	}
	w.t.Fatalf("healed lines never came to rest")
}

func (w *world) check() {
	for _, line := range w.lines {
		for _, pair := range [][2]*office{line, {line[1], line[0]}} {
			w.checkDirection(pair[0], pair[1])
		}
	}
	for _, o := range w.offices {
		if parked := o.parked(); len(parked) != 0 {
			w.t.Fatalf("%s set %d items aside, the first of %s: %s", o.id, len(parked), parked[0].Peer, parked[0].Reason)
		}
		for _, number := range o.tickets() {
			w.checkTicket(o, number)
		}
	}
}

func (w *world) checkDirection(from, to *office) {
	sent, received := from.link(to.id), to.link(from.id)
	if sent.SentSequence != sent.AckedSequence || received.ReceivedSequence != sent.SentSequence {
		w.t.Fatalf("%s sent %d items to %s; %d were received, %d acknowledged",
			from.id, sent.SentSequence, to.id, received.ReceivedSequence, sent.AckedSequence)
	}
	if !bytes.Equal(sent.SentHash, received.ReceivedHash) || !bytes.Equal(sent.SentHash, sent.AckedHash) {
		w.t.Fatalf("the running hashes between %s and %s differ", from.id, to.id)
	}
	if c := batch(from, to, 0, 1); c != nil {
		w.t.Fatalf("the outbox of %s towards %s still holds item %d", from.id, to.id, c.First)
	}
}

// checkTicket holds an office's ticket against the home site's and the rules of custody.
func (w *world) checkTicket(o *office, number string) {
	record := o.record(number)
	var home *office
	for _, other := range w.offices {
		if knows := other.record(number) != nil; knows != slices.Contains(w.above(record.Path[0]), other.id) {
			w.t.Fatalf("ticket %s with path %v: %s knows it: %v", number, record.Path, other.id, knows)
		}
		if string(other.id) == record.Path[0] {
			home = other
		}
	}
	if there := home.record(number); !proto.Equal(there, record) {
		w.t.Fatalf("ticket %s differs\nat %s: %v\nat %s: %v", number, home.id, there, o.id, record)
	}
	journal, there := o.journal(number), home.journal(number)
	if !slices.EqualFunc(journal, there, func(x, y desk.Sealed) bool { return bytes.Equal(x.Raw, y.Raw) }) {
		w.t.Fatalf("the journal of ticket %s has %d events at %s and %d at %s, or they differ",
			number, len(journal), o.id, len(there), home.id)
	}
	if state := record.Ticket.Handover.GetState(); state != deskpb.Handover_NONE {
		w.t.Fatalf("ticket %s is %s at rest", number, state)
	}
	if problem := custody(journal); problem != "" {
		w.t.Fatalf("ticket %s: %s", number, problem)
	}
}

// above is the true path from a site to the province.
func (w *world) above(home string) []desk.SiteID {
	path := []desk.SiteID{desk.SiteID(home)}
	for _, line := range slices.Backward(w.lines) {
		if line[0].id == path[len(path)-1] {
			path = append(path, line[1].id)
		}
	}
	return path
}

// custody checks the custodial events of a journal: each wish to hand over ends once, each dispatch is answered once,
// the term never falls.
func custody(journal []desk.Sealed) (problem string) {
	journal = slices.DeleteFunc(slices.Clone(journal), func(e desk.Sealed) bool { return e.Class != deskpb.Event_CUSTODIAL })
	slices.SortFunc(journal, func(x, y desk.Sealed) int { return int(x.Index) - int(y.Index) })
	queued, transit, term := false, false, uint32(0)
	for i, e := range journal {
		if e.Index != uint32(i+1) || i > 0 && !bytes.Equal(e.Previous, desk.Hash(journal[i-1].Raw)) {
			return fmt.Sprintf("custodial event %d does not follow the one before", e.Index)
		}
		if e.CustodyTerm < term {
			return fmt.Sprintf("custody fell from %d to %d", term, e.CustodyTerm)
		}
		term = e.CustodyTerm
		answer := e.Type == deskpb.Event_ACCEPTED || e.Type == deskpb.Event_REFUSED
		if transit != answer {
			return fmt.Sprintf("%s at %d while in transit: %v", e.Type, e.Index, transit)
		}
		transit = e.Type == deskpb.Event_DISPATCHED
		switch e.Type {
		case deskpb.Event_ESCALATION_QUEUED, deskpb.Event_RETURN_QUEUED:
			if queued {
				return fmt.Sprintf("%s at %d while another wish waits", e.Type, e.Index)
			}
			queued = true
		case deskpb.Event_DISPATCHED, deskpb.Event_WITHDRAWN:
			if !queued {
				return fmt.Sprintf("%s at %d without a wish", e.Type, e.Index)
			}
			queued = false
		case deskpb.Event_RESOLVED, deskpb.Event_CANCELED, deskpb.Event_REOPENED, deskpb.Event_CONFIRMED, deskpb.Event_CLOSED:
			queued = false
		}
	}
	if queued || transit {
		return fmt.Sprintf("a hand-over never ended: queued %v, in transit %v", queued, transit)
	}
	return ""
}

// TestHealedLinesAgree has four offices work while their lines are cut, repeat and delay; once healed, every office on
// a ticket's path shows the same ticket and the same journal, and every hand-over has ended once.
func TestHealedLinesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		actions := []func(*rapid.T){
			w.call, w.work, w.work, w.work, w.work, w.work, w.courier, w.courier,
			w.transmit, w.transmit, w.transmit, w.acknowledge, w.repeat, w.flip,
		}
		for range rapid.IntRange(30, 250).Draw(t, "steps") {
			actions[rapid.IntRange(0, len(actions)-1).Draw(t, "action")](t)
		}
		w.heal()
		w.check()
	})
}
