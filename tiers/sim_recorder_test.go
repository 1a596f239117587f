package tiers

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// simViolation is an invariant that did not hold; 0 stands for a fault, which no history may cause.
type simViolation struct {
	invariant int
	what      string
}

func (v *simViolation) String() string {
	if v.invariant == 0 {
		return "fault: " + v.what
	}
	return fmt.Sprintf("invariant %d: %s", v.invariant, v.what)
}

// simRecorder sees every entry of every log before the batch is committed, and every answer that a client got. It keeps
// its own books, so that it does not believe what it checks.
type simRecorder struct {
	broken chan struct{} // closed at the first violation

	mu       sync.Mutex // guards everything below; taken after the mutex of a site
	first    *simViolation
	trace    []string                   // the last steps, oldest first
	lives    map[*simSite]*simLife      // what each life of a site is known to hold
	events   map[string][]byte          // hash of the bytes of every event that was ever decided, by name
	accepted map[string]simAcceptance   // by ticket and term
	doubted  map[string]bool            // events that a life decided which may have forgotten others, by name
	numbers  map[string]string          // incarnation that gave a number out, as it was answered to a client
	requests map[string]simEffect       // the event that a request led to
	doubled  map[uint64]bool            // incarnations that lived a second time
	homes    map[string]map[string]bool // sites that were ever on the way from a home to the province
}

// simAcceptance is who accepted a ticket under a term last.
type simAcceptance struct {
	by      string
	doubted bool // one of those who accepted it stood on a doubted event
}

// simEffect is what a request led to, and in which life of the site.
type simEffect struct {
	life  *simSite
	event string
	hash  []byte
}

// simLife is what the recorder knows of one life of a site.
type simLife struct {
	incarnation uint64
	forked      bool // the incarnation lives a second time and the life has not learnt that
	gone        bool // stopped for good
	tickets     map[string]*simTicket
	links       map[string]*deskpb.Link
	misled      map[string]uint64          // a neighbour's incarnation with which the life was compared while it lived twice, by peer
	fenced      map[string]map[uint64]bool // by peer
	acked       map[string]string          // ticket by event that a client was told of
}

// simTicket is a ticket as one life of a site holds it.
type simTicket struct {
	events        map[string][]byte // hash by name
	term, reclaim uint32
	doubted       bool // one of the events is
	decidesFreely bool // custodian, not in transit, settled, without an override or a doubted event
}

func newSimRecorder() *simRecorder {
	return &simRecorder{
		broken: make(chan struct{}), lives: make(map[*simSite]*simLife), events: make(map[string][]byte),
		accepted: make(map[string]simAcceptance), doubted: make(map[string]bool), numbers: make(map[string]string), requests: make(map[string]simEffect),
		doubled: make(map[uint64]bool), homes: make(map[string]map[string]bool),
	}
}

// simTraceLength is how many steps a failure shows.
const simTraceLength = 120

// note adds a step to the trace.
func (r *simRecorder) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.noteLocked(format, args...)
}

func (r *simRecorder) noteLocked(format string, args ...any) {
	if len(r.trace) == simTraceLength {
		r.trace = r.trace[1:]
	}
	r.trace = append(r.trace, time.Now().UTC().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// violate records that an invariant does not hold.
func (r *simRecorder) violate(invariant int, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail(invariant, format, args...)
}

// fail is violate with mu held.
func (r *simRecorder) fail(invariant int, format string, args ...any) {
	if r.first != nil {
		return
	}
	r.first = &simViolation{invariant: invariant, what: fmt.Sprintf(format, args...)}
	r.noteLocked("VIOLATED %s", r.first)
	close(r.broken)
}

// life returns what is known of a life; mu is held.
func (r *simRecorder) life(s *simSite) *simLife {
	if r.lives[s] == nil {
		r.lives[s] = &simLife{
			tickets: make(map[string]*simTicket), links: make(map[string]*deskpb.Link), misled: make(map[string]uint64),
			fenced: make(map[string]map[uint64]bool), acked: make(map[string]string),
		}
	}
	return r.lives[s]
}

// fork notes that a life and another one share an incarnation from now on.
func (r *simRecorder) fork(s *simSite, incarnation uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.life(s).forked = true
	r.doubled[incarnation] = true
}

// gone notes that a life was stopped for good.
func (r *simRecorder) gone(s *simSite) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.life(s).gone = true
}

// adopt takes what a life that began from a backup holds for known.
func (r *simRecorder) adopt(s *simSite) error {
	return s.view(func(reader *store.Reader) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		l := r.life(s)
		site, err := reader.Site()
		if err != nil {
			return err
		}
		l.incarnation = site.GetIncarnation()
		links, err := reader.Links()
		if err != nil {
			return err
		}
		for _, link := range links {
			l.links[link.Peer] = link
		}
		page, err := reader.Tickets(store.Query{Index: store.ByNumber, Limit: math.MaxInt32})
		if err != nil {
			return err
		}
		for _, record := range page.Records {
			known := &simTicket{events: make(map[string][]byte)}
			l.tickets[record.Ticket.Number] = known
			journal, err := reader.Events(desk.TicketNumber(record.Ticket.Number))
			if err != nil {
				return err
			}
			for _, e := range journal {
				name := desk.EventName(e.Id)
				known.events[name] = desk.Hash(e.Raw)
				known.doubted = known.doubted || r.doubted[name]
			}
		}
		return nil
	})
}

// simWatch is what the recorder read before an entry was applied.
type simWatch struct {
	link   *deskpb.Link
	site   *deskpb.Site
	parked []string // tickets of parked items that are tried again
}

// before reads what an entry may change.
func (r *simRecorder) before(b *store.Batch, c *deskpb.Command) (w simWatch, err error) {
	if w.site, err = b.Site(); err != nil || w.site == nil {
		return w, err
	}
	w.site = proto.CloneOf(w.site)
	if peer := simPeer(c); peer != "" {
		link, err := b.Link(peer)
		if err != nil {
			return w, err
		}
		w.link = proto.CloneOf(link)
	}
	if c.GetRetryParked() != nil {
		parked, _, err := b.Parked(nil, math.MaxInt32)
		if err != nil {
			return w, err
		}
		for _, p := range parked {
			w.parked = append(w.parked, simItemTickets([][]byte{p.Item})...)
		}
	}
	return w, nil
}

// after checks what an entry changed.
func (r *simRecorder) after(s *simSite, b *store.Batch, e simEntry, w simWatch, d *desk.Decision) error {
	c := e.command
	site, err := b.Site()
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.life(s)
	r.settleIdentity(s, l, w.site, site)
	if w.link != nil {
		link, err := b.Link(desk.SiteID(w.link.Peer))
		if err != nil {
			return err
		}
		r.checkLink(s, l, c, w.link, link)
	}
	if err := r.noteLinks(s, l, b, site); err != nil {
		return err
	}
	touched, err := simWithLinked(b, slices.Concat(simTouched(c), w.parked, simDecided(d)))
	if err != nil {
		return err
	}
	for _, number := range touched {
		if err := r.checkTicket(s, l, b, site, number); err != nil {
			return err
		}
	}
	if c.GetTicket().GetTick() != nil {
		r.checkTick(s, e.at, d)
	}
	if e.index%simPolicyEvery == 0 {
		return r.checkPolicy(s, b)
	}
	return nil
}

// simPolicyEvery is after how many entries the policy of a site is checked.
const simPolicyEvery = 32

// settleIdentity follows a life into its next incarnation.
func (r *simRecorder) settleIdentity(s *simSite, l *simLife, before, after *deskpb.Site) {
	if after.GetFrozen() != before.GetFrozen() {
		r.noteLocked("%s is frozen: %q", s.name, after.GetFrozen())
		for _, t := range l.tickets {
			t.decidesFreely = false
		}
	}
	if (after.GetRecovering() != 0) != (before.GetRecovering() != 0) {
		r.noteLocked("%s recovers: %v", s.name, after.GetRecovering() != 0)
	}
	if l.incarnation == after.GetIncarnation() {
		return
	}
	if l.incarnation != 0 {
		r.noteLocked("%s is now incarnation %016x with letters %s", s.name, after.Incarnation, after.Letters)
	}
	l.incarnation, l.forked = after.GetIncarnation(), false
	for _, t := range l.tickets {
		t.term, t.reclaim, t.decidesFreely = 0, 0, false
	}
}

// checkLink holds the marks of a link after an entry about it against those before. A link that the entry ended, because a
// site was placed elsewhere, has none.
func (r *simRecorder) checkLink(s *simSite, l *simLife, c *deskpb.Command, before, after *deskpb.Link) {
	if before.PeerIncarnation != 0 && after.PeerIncarnation == 0 {
		return
	}
	fenced := l.fenced[before.Peer]
	if fenced == nil {
		fenced = make(map[uint64]bool)
		l.fenced[before.Peer] = fenced
	}
	if old := before.PeerIncarnation; old != 0 && old != after.PeerIncarnation {
		r.noteLocked("%s fences %016x of %s", s.name, old, before.Peer)
		fenced[old] = true
	}
	if fenced[after.PeerIncarnation] {
		r.fail(11, "%s accepts incarnation %016x of %s again, which it fenced", s.name, after.PeerIncarnation, after.Peer)
	}
	if receive := c.GetReceive(); receive != nil {
		last := receive.First + uint64(len(receive.Items)) - 1
		if last > before.ReceivedSequence && fenced[receive.PeerIncarnation] {
			r.fail(11, "%s applied items %d to %d of incarnation %016x of %s, which is fenced",
				s.name, receive.First, last, receive.PeerIncarnation, before.Peer)
		}
		if after.ReceivedSequence != max(last, before.ReceivedSequence) || receive.First > before.ReceivedSequence+1 {
			r.fail(12, "%s received items %d to %d of %s, its mark went from %d to %d",
				s.name, receive.First, last, before.Peer, before.ReceivedSequence, after.ReceivedSequence)
		}
	}
	if c.GetSettle() != nil && r.doubled[after.PeerIncarnation] {
		l.misled[after.Peer] = after.PeerIncarnation
	}
	if unite := c.GetUnite(); unite != nil && fenced[unite.PeerIncarnation] {
		r.fail(11, "%s united events of incarnation %016x of %s, which is fenced", s.name, unite.PeerIncarnation, before.Peer)
	}
}

// noteLinks holds every end of a link against the other end, as far as both speak of the same streams, and now and then
// against its outbox.
func (r *simRecorder) noteLinks(s *simSite, l *simLife, b *store.Batch, site *deskpb.Site) error {
	links, err := b.Links()
	if err != nil {
		return err
	}
	for _, link := range links {
		old := l.links[link.Peer]
		if proto.Equal(old, link) {
			continue
		}
		l.links[link.Peer] = link
		if err := r.checkNeighbour(s, b, site, old, link); err != nil {
			return err
		}
		if link.AckedSequence > link.SentSequence {
			r.fail(12, "%s has sent %d items to %s, which acknowledged %d", s.name, link.SentSequence, link.Peer, link.AckedSequence)
		}
		if link.SentSequence%16 == 0 {
			if err := r.checkOutbox(s, b, link); err != nil {
				return err
			}
		}
		for other, theirs := range r.lives {
			if string(other.id) == link.Peer && !theirs.gone && !theirs.forked && !l.forked {
				r.checkEnds(s, l, link, other, theirs)
			}
		}
	}
	clear(l.links)
	for _, link := range links {
		l.links[link.Peer] = link
	}
	return nil
}

// checkNeighbour holds when a site that was accepted is the parent, or a child that the province has not placed elsewhere.
func (r *simRecorder) checkNeighbour(s *simSite, b *store.Batch, site *deskpb.Site, before, link *deskpb.Link) error {
	if accepted := link.PeerIncarnation; before.GetPeerIncarnation() == 0 && accepted != 0 {
		r.noteLocked("%s accepts %016x of %s", s.name, accepted, link.Peer)
	} else if before.GetPeerIncarnation() != 0 && accepted == 0 {
		r.noteLocked("%s parts from %s", s.name, link.Peer)
	}
	if link.PeerIncarnation == 0 || link.Peer == site.GetParent() {
		return nil
	}
	placement, err := b.Placement(desk.SiteID(link.Peer))
	if err != nil {
		return err
	}
	if placement != nil && standsBelow(placement) != s.id || simTiers[desk.SiteID(link.Peer)] > simTiers[s.id] {
		r.fail(18, "%s has accepted %s, which is neither its parent nor its child: %v, placed %v", s.name, link.Peer, link, placement)
	}
	return nil
}

// checkEnds holds the two ends of a link against each other: acked ≤ received ≤ sent.
func (r *simRecorder) checkEnds(s *simSite, l *simLife, here *deskpb.Link, other *simSite, theirs *simLife) {
	there := theirs.links[string(s.id)]
	if there == nil || here.PeerIncarnation != theirs.incarnation || there.PeerIncarnation != l.incarnation {
		return
	}
	if here.ReceivedSequence > there.SentSequence || here.AckedSequence > there.ReceivedSequence {
		r.fail(12, "%s has received %d items and seen %d acknowledged; %s has sent %d and received %d", s.name,
			here.ReceivedSequence, here.AckedSequence, other.name, there.SentSequence, there.ReceivedSequence)
	}
	if there.ReceivedSequence > here.SentSequence || there.AckedSequence > here.ReceivedSequence {
		r.fail(12, "%s has sent %d items and received %d; %s has received %d and seen %d acknowledged", s.name,
			here.SentSequence, here.ReceivedSequence, other.name, there.ReceivedSequence, there.AckedSequence)
	}
}

// checkOutbox holds when the outbox has all between the acknowledged item and the last one, with the hashes that prove it.
func (r *simRecorder) checkOutbox(s *simSite, b *store.Batch, link *deskpb.Link) error {
	items, err := b.Outbox(desk.SiteID(link.Peer), 0, math.MaxInt32, math.MaxInt32)
	if err != nil {
		return err
	}
	if uint64(len(items)) != link.SentSequence-link.AckedSequence {
		r.fail(12, "the outbox of %s towards %s holds %d items, not those from %d to %d",
			s.name, link.Peer, len(items), link.AckedSequence+1, link.SentSequence)
		return nil
	}
	hash := link.AckedHash
	for i, item := range items {
		hash = chain(hash, item.Item)
		if item.Sequence != link.AckedSequence+uint64(i)+1 || !bytes.Equal(hash, item.Hash) {
			r.fail(12, "item %d in the outbox of %s towards %s does not continue what stands before it", item.Sequence, s.name, link.Peer)
			return nil
		}
	}
	if !bytes.Equal(hash, link.SentHash) {
		r.fail(12, "the outbox of %s towards %s does not end with what was sent", s.name, link.Peer)
	}
	return nil
}
