package tiers

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// unrest says what still moves, waits or recovers anywhere, and which ticket that concerns, if any; empty when the tree is at rest.
func (w *simWorld) unrest() (what, ticket string) {
	for _, s := range w.living("") {
		if copies := w.living(s.id); len(copies) > 1 {
			return fmt.Sprintf("%d copies of %s live", len(copies), s.id), ""
		}
		err := s.view(func(r *store.Reader) (err error) {
			what, ticket, err = simUnrest(r)
			return err
		})
		if err != nil {
			return err.Error(), ""
		}
		if what != "" {
			return s.name + ": " + what, ticket
		}
	}
	for _, s := range w.living("") {
		if parent := s.self().GetParent(); parent != "" {
			if what := simApart(s, w.living(desk.SiteID(parent))[0]); what != "" {
				return what, ""
			}
		}
	}
	return "", ""
}

// simApart says how the two ends of a link contradict each other, empty when they have met and have the same.
func simApart(child, parent *simSite) string {
	up := simRead(child, func(r *store.Reader) (*deskpb.Link, error) { return r.Link(parent.id) })
	down := simRead(parent, func(r *store.Reader) (*deskpb.Link, error) { return r.Link(child.id) })
	met := up.PeerIncarnation == parent.self().Incarnation && down.PeerIncarnation == child.self().Incarnation
	same := up.SentSequence == down.ReceivedSequence && bytes.Equal(up.SentHash, down.ReceivedHash) &&
		down.SentSequence == up.ReceivedSequence && bytes.Equal(down.SentHash, up.ReceivedHash)
	if met && same {
		return ""
	}
	return fmt.Sprintf("%s has sent %d items to %s and received %d; %s has received %d and sent %d; they have met as they live: %v",
		child.name, up.SentSequence, parent.name, up.ReceivedSequence, parent.name, down.ReceivedSequence, down.SentSequence, met)
}

// simUnrest says what is not at rest at one site.
func simUnrest(r *store.Reader) (what, ticket string, err error) {
	site, err := r.Site()
	if err != nil {
		return "", "", err
	}
	links, err := r.Links()
	if err != nil {
		return "", "", err
	}
	t, err := newTree(r)
	if err != nil {
		return "", "", err
	}
	if site.Frozen != "" || site.Recovering != 0 {
		awaited, err := t.awaited()
		return fmt.Sprintf("recovering since %d, frozen %q, below %s, children %v, links %v", site.Recovering, site.Frozen, t.parent(), awaited, links), "", err
	}
	if parent := t.parent(); parent != "" {
		link, err := r.Link(parent)
		if err != nil || link.PeerIncarnation == 0 {
			return fmt.Sprintf("it never met its parent %s", parent), "", err
		}
	}
	for _, link := range links {
		where, child, err := t.locate(desk.SiteID(link.Peer))
		if err != nil {
			return "", "", err
		}
		if string(t.parent()) != link.Peer && (where != below || string(child) != link.Peer) {
			continue // It moved away; the row keeps its fences.
		}
		if link.SentSequence != link.AckedSequence || link.PeerIncarnation == 0 || link.Unsettled || link.Revisit {
			return fmt.Sprintf("the link with %s: sent %d, acknowledged %d, peer %016x, unsettled %v, revisit %v", link.Peer,
				link.SentSequence, link.AckedSequence, link.PeerIncarnation, link.Unsettled, link.Revisit), "", nil
		}
	}
	placements, err := r.Placements()
	if err != nil {
		return "", "", err
	}
	for _, p := range placements {
		if p.Phase == deskpb.Placement_LEAVING || p.Phase == deskpb.Placement_CLOSING {
			left, err := remaining(r, p, math.MaxInt)
			return fmt.Sprintf("%s is %s, %d tickets have to be handed over, placements %v", p.Site, p.Phase, left, placements), "", err
		}
	}
	page, err := r.Tickets(store.Query{Index: store.ByNumber, Limit: math.MaxInt32})
	if err != nil {
		return "", "", err
	}
	for _, record := range page.Records {
		where, _, err := t.locate(desk.SiteID(record.Ticket.HomeSite))
		if err != nil {
			return "", "", err
		}
		if where != self && where != below {
			continue // Its office moved away, and what is here stays as it was then.
		}
		if state := record.Ticket.Handover.GetState(); state != deskpb.Handover_NONE || record.Detached > 0 {
			return fmt.Sprintf("ticket %s is %s towards %s, with %d detached events", record.Ticket.Number, state,
				record.Ticket.Handover.GetToSite(), record.Detached), record.Ticket.Number, nil
		}
	}
	return "", "", nil
}

// standings prints where every living site stands, as it sees the tree itself, and what is not at rest there, one a line.
func (w *simWorld) standings() string {
	var out strings.Builder
	for _, s := range w.living("") {
		what := ""
		if err := s.view(func(r *store.Reader) (err error) {
			what, _, err = simUnrest(r)
			return err
		}); err != nil {
			what = err.Error()
		}
		site, placements := s.self(), simRead(s, (*store.Reader).Placements)
		fmt.Fprintf(&out, "%s: incarnation %016x below %q, knows the placements %v, unrest: %q\n",
			s.name, site.GetIncarnation(), site.GetParent(), placements, what)
	}
	return out.String()
}

// alarms prints what the nodes raise an alarm about, one a line.
func (w *simWorld) alarms() string {
	var out strings.Builder
	for _, s := range w.living("") {
		for _, n := range s.nodes {
			if links := n.tiers.Load(); links != nil && len(links.Alarms()) > 0 {
				fmt.Fprintf(&out, "%s: %s\n", n.address(), strings.Join(links.Alarms(), "; "))
			}
		}
	}
	return out.String()
}

// tell prints a ticket as every living site has it.
func (w *simWorld) tell(number string) string {
	var out strings.Builder
	for _, s := range w.living("") {
		record := simRead(s, func(r *store.Reader) (*deskpb.Record, error) { return r.Ticket(desk.TicketNumber(number)) })
		journal := simRead(s, func(r *store.Reader) ([]desk.Sealed, error) { return r.Events(desk.TicketNumber(number)) })
		if len(journal) > 0 {
			fmt.Fprintf(&out, "at %s: %v\n%s", s.name, record, simJournal(journal))
		}
	}
	return out.String()
}

// way lists the sites from a home to the province.
func (w *simWorld) way(home desk.SiteID) []*simSite {
	var way []*simSite
	for at := home; at != ""; {
		s := w.living(at)[0]
		way = append(way, s)
		at = desk.SiteID(s.self().GetParent())
	}
	return way
}

// checkRest checks what must hold when nothing moves any more.
func (w *simWorld) checkRest() {
	homes := make(map[string]desk.SiteID)
	for _, s := range w.living("") {
		for _, number := range simNumbers(s) {
			parsed, err := desk.ParseNumber(desk.TicketNumber(number))
			if err != nil {
				w.recorder.violate(0, "%v", err)
				return
			}
			homes[number] = parsed.Site
		}
		w.checkAnswers(s)
		w.checkTimers(s)
	}
	w.checkTree()
	for _, number := range slices.Sorted(maps.Keys(homes)) {
		w.checkAgreement(number, w.way(homes[number]))
	}
}

// checkAnswers holds when everything that a life told a client is in its journal.
func (w *simWorld) checkAnswers(s *simSite) {
	r := w.recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.life(s)
	for name, number := range l.acked {
		if known := l.tickets[number]; known == nil || known.events[name] == nil {
			r.fail(8, "%s answered a request with event %s of ticket %s, which it does not hold", s.name, name, number)
		}
	}
	for key, effect := range r.requests {
		if effect.life != s {
			continue
		}
		count := 0
		for _, known := range l.tickets {
			if known.events[effect.event] != nil {
				count++
			}
		}
		if count > 1 {
			r.fail(16, "request %q led to event %s on %d tickets", key, effect.event, count)
		}
	}
}

// checkAgreement holds a ticket against itself at every site on its way.
func (w *simWorld) checkAgreement(number string, way []*simSite) {
	var first *deskpb.Record
	var journal []desk.Sealed
	for i, s := range way {
		record := simRead(s, func(r *store.Reader) (*deskpb.Record, error) { return r.Ticket(desk.TicketNumber(number)) })
		events := simRead(s, func(r *store.Reader) ([]desk.Sealed, error) { return r.Events(desk.TicketNumber(number)) })
		if i == 0 {
			first, journal = record, events
		}
		equal := slices.EqualFunc(journal, events, func(a, b desk.Sealed) bool { return bytes.Equal(a.Raw, b.Raw) })
		if !equal || !proto.Equal(first, record) || record == nil {
			w.recorder.violate(6, "ticket %s differs at %s and at %s\n%s", number, way[0].name, s.name, w.tell(number))
			return
		}
	}
	folded, err := desk.Union(journal)
	if err != nil || !proto.Equal(folded, first) {
		w.recorder.violate(7, "ticket %s is not the fold of its journal: %v\n%s", number, err, simJournal(journal))
		return
	}
	if problem := simCustody(simChain(first, journal)); problem != "" {
		w.recorder.violate(9, "ticket %s: %s\n%s", number, problem, simJournal(journal))
	}
}

// simChain is the chain of custodial events that made the record, oldest first.
func simChain(record *deskpb.Record, journal []desk.Sealed) []desk.Sealed {
	var chain []desk.Sealed
	head := record.Head
	for len(head) > 0 {
		i := slices.IndexFunc(journal, func(e desk.Sealed) bool {
			return e.Class == deskpb.Event_CUSTODIAL && bytes.Equal(desk.Hash(e.Raw), head)
		})
		if i < 0 {
			break
		}
		chain = append(chain, journal[i])
		head = journal[i].Previous
	}
	slices.Reverse(chain)
	return chain
}

// simCustody checks a chain of custodial events: each wish to hand over ends once, or is
// superseded by one that goes elsewhere, each dispatch is answered once, custody
// never falls. It says what is wrong, empty for nothing.
func simCustody(chain []desk.Sealed) string {
	queued, transit, term, to := false, false, uint32(0), ""
	for i, e := range chain {
		if e.Index != uint32(i+1) || e.CustodyTerm < term {
			return fmt.Sprintf("event %d of the chain has index %d and custody term %d after %d", i+1, e.Index, e.CustodyTerm, term)
		}
		term = e.CustodyTerm
		answer := e.Type == deskpb.Event_ACCEPTED || e.Type == deskpb.Event_REFUSED || e.Type == deskpb.Event_RECLAIMED
		if transit && !answer || !transit && answer && e.Type != deskpb.Event_RECLAIMED {
			return fmt.Sprintf("%s at %d while in transit: %v", e.Type, e.Index, transit)
		}
		transit = e.Type == deskpb.Event_DISPATCHED
		switch e.Type {
		case deskpb.Event_ESCALATION_QUEUED, deskpb.Event_RETURN_QUEUED:
			if queued && e.To == to {
				return fmt.Sprintf("%s at %d while the same wish waits", e.Type, e.Index)
			}
			queued, to = true, e.To
		case deskpb.Event_RELOCATION_QUEUED:
			queued, to = true, e.To
		case deskpb.Event_DISPATCHED, deskpb.Event_WITHDRAWN:
			if !queued {
				return fmt.Sprintf("%s at %d without a wish", e.Type, e.Index)
			}
			queued = false
		case deskpb.Event_RESOLVED, deskpb.Event_CANCELED, deskpb.Event_REOPENED, deskpb.Event_CONFIRMED,
			deskpb.Event_CLOSED, deskpb.Event_MERGED, deskpb.Event_RECLAIMED:
			queued = false
		}
	}
	if queued || transit {
		return fmt.Sprintf("a hand-over never ended: queued %v, in transit %v", queued, transit)
	}
	return ""
}

// simState digests everything that a site stores about itself, its tickets and its links.
func simState(st *store.Store) (digest [sha256.Size]byte, err error) {
	h := sha256.New()
	add := func(m proto.Message) {
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			panic(err) // what was decoded can be encoded
		}
		fmt.Fprintf(h, "%d:%s", len(raw), raw)
	}
	err = st.View(func(r *store.Reader) error {
		site, err := r.Site()
		if err != nil {
			return err
		}
		add(site)
		infos, err := r.Directory()
		for _, info := range infos {
			add(info)
		}
		if err != nil {
			return err
		}
		links, err := r.Links()
		if err != nil {
			return err
		}
		for _, link := range links {
			add(link)
			items, err := r.Outbox(desk.SiteID(link.Peer), 0, math.MaxInt32, math.MaxInt32)
			if err != nil {
				return err
			}
			for _, item := range items {
				fmt.Fprintf(h, "%d:%x:%s", item.Sequence, item.Hash, item.Item)
			}
		}
		parked, _, err := r.Parked(nil, math.MaxInt32)
		for _, p := range parked {
			add(p)
		}
		if err != nil {
			return err
		}
		for _, user := range simPeople {
			notices, err := r.Notices(desk.UserID(user.Name))
			if err != nil {
				return err
			}
			for _, notice := range notices {
				add(notice)
			}
		}
		err = r.EachTimer(func(timer store.Timer) bool {
			fmt.Fprintf(h, "%d:%s", timer.Time, timer.Number)
			return true
		})
		if err != nil {
			return err
		}
		page, err := r.Tickets(store.Query{Index: store.ByUpdate, Limit: math.MaxInt32})
		if err != nil {
			return err
		}
		for _, record := range page.Records {
			add(record)
			journal, err := r.Events(desk.TicketNumber(record.Ticket.Number))
			if err != nil {
				return err
			}
			for _, e := range journal {
				fmt.Fprintf(h, "%d:%s", len(e.Raw), e.Raw)
			}
		}
		return nil
	})
	h.Sum(digest[:0])
	return digest, err
}
