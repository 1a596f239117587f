package tiers

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// checkTicket checks a ticket that an entry may have changed. mu is held.
func (r *simRecorder) checkTicket(s *simSite, l *simLife, b *store.Batch, site *deskpb.Site, number string) error {
	record, err := b.Ticket(desk.TicketNumber(number))
	if err != nil {
		return err
	}
	journal, err := b.Events(desk.TicketNumber(number))
	if err != nil {
		return err
	}
	known := l.tickets[number]
	if known == nil {
		known = &simTicket{events: make(map[string][]byte)}
		l.tickets[number] = known
	}
	settled, err := simSettled(b, site, record)
	if err != nil {
		return err
	}
	fresh := r.checkJournal(s, l, known, site, number, journal)
	for _, e := range fresh {
		if e.Id.Site == string(s.id) && e.Id.Incarnation == site.Incarnation {
			r.checkDecision(s, l, site, settled, e)
			r.checkFreeze(s, journal, e)
			r.checkAccepted(known, e)
		}
	}
	if record == nil {
		return nil
	}
	if len(fresh) > 0 {
		r.checkFold(s, record, journal)
	}
	left, err := simLeft(b, record)
	if err != nil {
		return err
	}
	r.checkCustody(s, known, site, settled && !left, record)
	return nil
}

// checkJournal finds the events that are new at a life, and those that are gone.
func (r *simRecorder) checkJournal(s *simSite, l *simLife, known *simTicket, site *deskpb.Site, number string, journal []desk.Sealed) (fresh []desk.Sealed) {
	present := make(map[string]bool, len(journal))
	for _, e := range journal {
		name, hash := desk.EventName(e.Id), desk.Hash(e.Raw)
		present[name] = true
		if bytes.Equal(known.events[name], hash) {
			continue
		}
		if known.events[name] != nil {
			r.fail(5, "the bytes of event %s of ticket %s changed at %s", name, number, s.name)
		}
		known.events[name] = hash
		fresh = append(fresh, e)
		known.doubted = known.doubted || r.doubted[name]
		if first := r.events[name]; first == nil {
			r.events[name] = hash
		} else if !bytes.Equal(first, hash) && !r.doubled[e.Id.Incarnation] {
			r.fail(5, "event %s of ticket %s has other bytes at %s than where it was first stored", name, number, s.name)
		}
		if !r.homes[e.Path[0]][string(s.id)] {
			r.fail(14, "%s stores event %s of ticket %s, whose path %v excludes it", s.name, name, number, e.Path)
		}
	}
	for name := range known.events {
		if !present[name] {
			r.fail(8, "event %s of ticket %s is not in the journal of %s any more", name, number, s.name)
		}
	}
	return fresh
}

// checkDecision checks an event that the life has just decided.
func (r *simRecorder) checkDecision(s *simSite, l *simLife, site *deskpb.Site, settled bool, e desk.Sealed) {
	name := desk.EventName(e.Id)
	if site.Frozen != "" {
		r.fail(2, "%s decided %s %s of ticket %s although it is frozen", s.name, e.Type, name, e.Ticket)
	}
	if e.Class == deskpb.Event_CUSTODIAL && !settled && e.Type != deskpb.Event_OPENED {
		if e.Reclaim == 0 || e.Type == deskpb.Event_DISPATCHED {
			r.fail(13, "%s decided %s %s of ticket %s under reclaim %d, although the ticket is not settled there",
				s.name, e.Type, name, e.Ticket, e.Reclaim)
		}
	}
	if l.doubtful() && (e.Class == deskpb.Event_CUSTODIAL || e.Type == deskpb.Event_RELEASED) {
		r.doubted[name] = true
		l.tickets[e.Ticket].doubted = true
	}
	if e.Request != nil {
		r.checkRequest(s, l, e)
	}
}

// checkAccepted holds when no other site has accepted the ticket under the same term. A life that does not know what it
// forgot may hand a ticket on, or release it, a second time; whatever stands on that is left out.
func (r *simRecorder) checkAccepted(known *simTicket, e desk.Sealed) {
	if e.Type != deskpb.Event_ACCEPTED {
		return
	}
	key := fmt.Sprintf("%s under term %d", e.Ticket, e.CustodyTerm)
	before, repeated := r.accepted[key]
	r.accepted[key] = simAcceptance{by: e.Id.Site, doubted: before.doubted || known.doubted}
	if repeated && before.by != e.Id.Site && !before.doubted && !known.doubted {
		r.fail(1, "%s was accepted by %s and by %s", key, before.by, e.Id.Site)
	}
}

// checkFreeze holds when the event does not decide anything on a ticket that was sent and not answered.
func (r *simRecorder) checkFreeze(s *simSite, journal []desk.Sealed, e desk.Sealed) {
	switch e.Type {
	case deskpb.Event_ACCEPTED, deskpb.Event_REFUSED, deskpb.Event_RECLAIMED:
		return
	}
	for _, before := range journal {
		if before.Type == deskpb.Event_DISPATCHED && bytes.Equal(desk.Hash(before.Raw), e.Previous) {
			r.fail(2, "%s decided %s of ticket %s while it was in transit to %s", s.name, e.Type, e.Ticket, before.To)
		}
	}
}

// checkRequest holds when the request has had no other effect that the life knows of.
func (r *simRecorder) checkRequest(s *simSite, l *simLife, e desk.Sealed) {
	name := desk.EventName(e.Id)
	key := strings.Join([]string{string(s.id), e.Actor, e.Request.Method, e.Request.Id}, " ")
	before, repeated := r.requests[key]
	r.requests[key] = simEffect{life: s, event: name, hash: desk.Hash(e.Raw)}
	if !repeated || before.event == name {
		return
	}
	knows := before.life == s
	for _, t := range l.tickets {
		knows = knows || bytes.Equal(t.events[before.event], before.hash)
	}
	if knows {
		r.fail(16, "request %q at %s led to event %s and to event %s", key, s.name, before.event, name)
	}
}

// checkFold holds when the record is the fold of the journal and nothing else.
func (r *simRecorder) checkFold(s *simSite, record *deskpb.Record, journal []desk.Sealed) {
	folded, err := desk.Union(journal)
	if err != nil {
		r.fail(7, "the journal of ticket %s at %s cannot be folded: %v", record.Ticket.Number, s.name, err)
		return
	}
	if !proto.Equal(folded, record) {
		r.fail(7, "ticket %s at %s is not the fold of its journal of %d events\nrecord: %v\nfold:   %v\n%s",
			record.Ticket.Number, s.name, len(journal), record, folded, simJournal(journal))
	}
}

// checkCustody follows who may decide on a ticket; standing tells whether the ticket is settled and the site is on its path.
func (r *simRecorder) checkCustody(s *simSite, known *simTicket, site *deskpb.Site, standing bool, record *deskpb.Record) {
	t := record.Ticket
	if site.Recovering == 0 && (t.CustodyTerm < known.term || t.CustodyTerm == known.term && record.Reclaim < known.reclaim) {
		r.fail(3, "the custody of ticket %s fell from (%d, %d) to (%d, %d) at %s",
			t.Number, known.term, known.reclaim, t.CustodyTerm, record.Reclaim, s.name)
	}
	known.term, known.reclaim = t.CustodyTerm, record.Reclaim
	known.decidesFreely = t.CustodianSite == string(s.id) && t.Handover.GetState() != deskpb.Handover_IN_TRANSIT &&
		record.Reclaim == 0 && standing && site.Frozen == "" && record.Detached == 0 && !known.doubted
	l := r.lives[s]
	if !known.decidesFreely || l.doubtful() {
		return
	}
	for other, life := range r.lives {
		if other == s || life.gone || life.doubtful() || other.id == s.id && (r.fencedAnywhere(s, l) || r.fencedAnywhere(other, life)) {
			continue
		}
		if there := life.tickets[t.Number]; there != nil && there.decidesFreely {
			r.fail(2, "%s and %s both decide on ticket %s, which is at term %d and at term %d there",
				s.name, other.name, t.Number, t.CustodyTerm, there.term)
		}
	}
}

// doubtful tells whether a life may take a ticket for its own that it has lost: it is an old state of a site that does not
// know that yet, or was compared with one that may be such a state.
func (l *simLife) doubtful() bool {
	for peer, incarnation := range l.misled {
		if link := l.links[peer]; link != nil && link.PeerIncarnation == incarnation {
			return true
		}
	}
	return l.forked
}

// fencedAnywhere tells whether a neighbour has accepted another life of the site in place of this one, which may not have
// heard of it yet: what it decides reaches that neighbour no more.
func (r *simRecorder) fencedAnywhere(s *simSite, l *simLife) bool {
	for _, neighbour := range r.lives {
		if neighbour.fenced[string(s.id)][l.incarnation] {
			return true
		}
	}
	return false
}

// simLeft tells whether the ticket's office has moved away from a site, which only hands on what it holds of it.
func simLeft(b *store.Batch, record *deskpb.Record) (bool, error) {
	t, err := newTree(b.Reader)
	if err != nil {
		return false, err
	}
	where, _, err := t.locate(desk.SiteID(record.Ticket.HomeSite))
	return where == elsewhere, err
}

// simSettled tells whether a ticket may be decided at a site, read from what the site stores.
func simSettled(b *store.Batch, site *deskpb.Site, record *deskpb.Record) (bool, error) {
	if site.Recovering == 0 || record == nil {
		return true, nil
	}
	number, err := desk.ParseNumber(desk.TicketNumber(record.Ticket.Number))
	if err != nil {
		return false, err
	}
	if number.Site == desk.SiteID(site.Id) && number.Letters == site.Letters {
		return true, nil
	}
	t, err := newTree(b.Reader)
	if err != nil {
		return false, err
	}
	peers, err := t.onward(record.Path)
	if err != nil {
		return false, err
	}
	for _, peer := range peers {
		link, err := b.Link(peer)
		if err != nil {
			return false, err
		}
		if link.PeerIncarnation == 0 || link.Unsettled {
			return false, nil
		}
	}
	return true, nil
}

// answered notes what a client was told: the events of its request are stored for good, a number is its ticket's alone.
func (r *simRecorder) answered(s *simSite, incarnation uint64, decision *desk.Decision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.life(s)
	for _, other := range decision.Beside {
		for _, e := range other.Events {
			l.acked[desk.EventName(e.Id)] = e.Ticket
		}
	}
	for _, e := range decision.Events {
		l.acked[desk.EventName(e.Id)] = e.Ticket
		if e.Type != deskpb.Event_OPENED {
			continue
		}
		by := fmt.Sprintf("incarnation %016x", incarnation)
		if before := r.numbers[e.Ticket]; before != "" && !(before == by && r.doubled[incarnation]) {
			r.fail(10, "the number %s was given out by %s and by %s", e.Ticket, before, by)
		}
		r.numbers[e.Ticket] = by
	}
}

// simTouched lists the tickets that a command speaks of.
func simTouched(c *deskpb.Command) []string {
	switch kind := c.Kind.(type) {
	case *deskpb.Command_Receive:
		return simItemTickets(kind.Receive.Items)
	case *deskpb.Command_Unite:
		return simEventTickets(kind.Unite.Events)
	case *deskpb.Command_Revisit:
		return slices.Clone(kind.Revisit.Tickets)
	}
	return nil
}

// simDecided lists the tickets that a decision is about, nil for none.
func simDecided(d *desk.Decision) (numbers []string) {
	if d == nil {
		return nil
	}
	numbers = append(numbers, d.Record.Ticket.Number)
	for _, other := range d.Beside {
		numbers = append(numbers, simDecided(other)...)
	}
	return numbers
}

// simWithLinked lists tickets and those that they are linked with, on which a site may have decided too, each once.
func simWithLinked(b *store.Batch, numbers []string) ([]string, error) {
	for _, number := range numbers[:len(numbers):len(numbers)] {
		record, err := b.Ticket(desk.TicketNumber(number))
		if err != nil {
			return nil, err
		}
		for _, link := range record.GetTicket().GetLinks() {
			numbers = append(numbers, link.Number)
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), nil
}

// simItemTickets lists the tickets of the events among encoded items.
func simItemTickets(items [][]byte) (numbers []string) {
	for _, raw := range items {
		var item deskpb.Item
		if err := proto.Unmarshal(raw, &item); err == nil && item.GetEvent() != nil {
			numbers = append(numbers, simEventTickets([][]byte{item.GetEvent()})...)
		}
	}
	return numbers
}

func simEventTickets(events [][]byte) (numbers []string) {
	for _, raw := range events {
		if e, err := desk.Open(raw); err == nil {
			numbers = append(numbers, e.Ticket)
		}
	}
	return numbers
}

// simJournal prints a journal, one event a line.
func simJournal(journal []desk.Sealed) string {
	var out strings.Builder
	for _, e := range journal {
		fmt.Fprintf(&out, "  %d %s %s (%d,%d) index %d after %.6x is %.6x\n", e.Time, desk.EventName(e.Id), e.Type,
			e.CustodyTerm, e.Reclaim, e.Index, e.Previous, desk.Hash(e.Raw))
	}
	return out.String()
}
