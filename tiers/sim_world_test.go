package tiers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// simWorld is a province with three cities and six counties while a seed is played on it.
type simWorld struct {
	rng      *rand.Rand // the driver's alone
	weather  simWeather
	recorder *simRecorder
	trouble  atomic.Int32 // of a thousand commands, how many are lost before they are logged, and how many answers
	backups  []*simBackup
	retries  []*simRequest
	requests int
	lives    int // begun after the first ones
	moves    int // of counties

	mu        sync.Mutex // guards everything below
	sites     []*simSite // the living lives
	lines     map[desk.SiteID]*simLine
	listeners map[string]*simListener
}

// simTiers says which site of the tree is of which tier.
var simTiers = map[desk.SiteID]deskpb.Site_Tier{
	"330000": deskpb.Site_PROVINCE, "330100": deskpb.Site_CITY, "330200": deskpb.Site_CITY, "330300": deskpb.Site_CITY,
	"330101": deskpb.Site_COUNTY, "330102": deskpb.Site_COUNTY, "330201": deskpb.Site_COUNTY, "330202": deskpb.Site_COUNTY,
	"330301": deskpb.Site_COUNTY, "330302": deskpb.Site_COUNTY,
}

// simParents is the tree as it is founded.
var simParents = map[desk.SiteID]desk.SiteID{
	"330100": "330000", "330200": "330000", "330300": "330000", "330101": "330100", "330102": "330100",
	"330201": "330200", "330202": "330200", "330301": "330300", "330302": "330300",
}

// newSimWorld founds all sites and starts them.
func newSimWorld(seed uint64, weather simWeather) (*simWorld, error) {
	w := &simWorld{
		rng: rand.New(rand.NewPCG(seed, 0x7469657264)), weather: weather, recorder: newSimRecorder(),
		lines: make(map[desk.SiteID]*simLine), listeners: make(map[string]*simListener),
	}
	ids := slices.SortedFunc(mapKeys(simTiers), func(a, b desk.SiteID) int {
		return cmp.Or(-cmp.Compare(simTiers[a], simTiers[b]), cmp.Compare(a, b))
	})
	for _, id := range ids {
		for at := id; at != ""; at = simParents[at] {
			w.recorder.passes(id, at)
		}
		if simParents[id] != "" {
			line := newSimLine(w.fork())
			w.mu.Lock()
			w.lines[id] = line
			w.mu.Unlock()
		}
		if err := w.found(id, string(id), &deskpb.Site{Incarnation: w.rng.Uint64() | 1}); err != nil {
			return w, err
		}
	}
	return w, nil
}

func mapKeys[K comparable, V any](m map[K]V) func(yield func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// fork draws a source of chance of its own. Only the driver calls it.
func (w *simWorld) fork() *rand.Rand { return rand.New(rand.NewPCG(w.rng.Uint64(), w.rng.Uint64())) }

// passes notes that tickets of a home may be stored at a site.
func (r *simRecorder) passes(home, site desk.SiteID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.homes[string(home)] == nil {
		r.homes[string(home)] = make(map[string]bool)
	}
	r.homes[string(home)][string(site)] = true
}

// found begins a life of a site on an empty disk.
func (w *simWorld) found(id desk.SiteID, name string, as *deskpb.Site) error {
	s, err := newSimSite(w, id, name, nil)
	if err != nil {
		return err
	}
	site := proto.CloneOf(as)
	site.Id, site.Name, site.Tier, site.Parent = string(id), string(id), simTiers[id], string(simParents[id])
	result, _, err := s.entry(&deskpb.Command{Kind: &deskpb.Command_Found{Found: &deskpb.Found{Site: site}}})
	if err != nil || result.GetRefusal() != nil {
		return fmt.Errorf("found %s: %w %v", name, err, result.GetRefusal())
	}
	return w.raise(s)
}

// raise starts a life and adds it to the living.
func (w *simWorld) raise(s *simSite) error {
	w.mu.Lock()
	w.sites = append(w.sites, s)
	w.mu.Unlock()
	return s.start()
}

// bury ends a life for good.
func (w *simWorld) bury(s *simSite) error {
	w.mu.Lock()
	w.sites = slices.DeleteFunc(w.sites, func(other *simSite) bool { return other == s })
	w.mu.Unlock()
	w.recorder.gone(s)
	return s.close()
}

// close ends everything.
func (w *simWorld) close() error {
	var errs []error
	for _, s := range w.living("") {
		errs = append(errs, w.bury(s))
	}
	return errors.Join(errs...)
}

// living lists the living lives of a site, or of all sites when the id is empty.
func (w *simWorld) living(id desk.SiteID) []*simSite {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []*simSite
	for _, s := range w.sites {
		if id == "" || s.id == id {
			found = append(found, s)
		}
	}
	return found
}

// site draws a living life.
func (w *simWorld) site() *simSite {
	living := w.living("")
	return living[w.rng.IntN(len(living))]
}

// line draws a line.
func (w *simWorld) line() (desk.SiteID, *simLine) {
	ids := slices.Sorted(mapKeys(w.lines))
	id := ids[w.rng.IntN(len(ids))]
	return id, w.lines[id]
}

// parentAddresses lists where the parent of a site answers, in a random order.
func (w *simWorld) parentAddresses(s *simSite) []string {
	var addresses []string
	for _, parent := range w.living(desk.SiteID(s.self().GetParent())) {
		for _, n := range parent.nodes {
			addresses = append(addresses, n.address())
		}
	}
	if len(addresses) == 0 {
		return nil
	}
	i := s.draw(len(addresses))
	return slices.Concat(addresses[i:], addresses[:i])
}

// listen adds or removes a listener.
func (w *simWorld) listen(l *simListener, on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if on {
		w.listeners[l.address.String()] = l
	} else if w.listeners[l.address.String()] == l {
		delete(w.listeners, l.address.String())
	}
}

func (w *simWorld) dial(ctx context.Context, s *simSite, address string) (net.Conn, error) {
	w.mu.Lock()
	listener, line := w.listeners[address], w.lines[s.id]
	w.mu.Unlock()
	if listener == nil {
		return nil, errSimGone
	}
	return line.connect(ctx, listener)
}

// simDecide has the rules decide a command over a batch, as a node's state machine does.
func simDecide(b *store.Batch, c *deskpb.Command, at desk.Stamp) (*desk.Decision, error) {
	switch kind := c.Kind.(type) {
	case *deskpb.Command_Ticket:
		return Decide(b, kind.Ticket, at)
	case *deskpb.Command_Found:
		return nil, simFound(b, kind.Found, at)
	case *deskpb.Command_AdmitPeer:
		return nil, AdmitPeer(b, kind.AdmitPeer, at)
	case *deskpb.Command_Receive:
		return nil, Receive(b, kind.Receive, at)
	case *deskpb.Command_Acknowledge:
		return nil, Acknowledge(b, kind.Acknowledge, at)
	case *deskpb.Command_Reincarnate:
		return nil, Reincarnate(b, kind.Reincarnate, at)
	case *deskpb.Command_Freeze:
		return nil, Freeze(b, kind.Freeze)
	case *deskpb.Command_Unite:
		return nil, Unite(b, kind.Unite, at)
	case *deskpb.Command_Settle:
		return nil, Settle(b, kind.Settle)
	case *deskpb.Command_Revisit:
		return nil, Revisit(b, kind.Revisit, at)
	case *deskpb.Command_RetryParked:
		return nil, RetryParked(b, kind.RetryParked, at)
	case *deskpb.Command_PutPublication:
		return nil, PutPublication(b, kind.PutPublication, at)
	case *deskpb.Command_PlaceSite:
		return nil, PlaceSite(b, kind.PlaceSite, at)
	case *deskpb.Command_OpenRound:
		return OpenRound(b, kind.OpenRound, at)
	}
	return nil, fmt.Errorf("a site has no use for %T", c.Kind)
}

// simFound writes what a founding command writes.
func simFound(b *store.Batch, c *deskpb.Found, at desk.Stamp) error {
	site := proto.CloneOf(c.Site)
	if site.Recovering != 0 {
		site.Recovering = at.Time
	}
	if err := b.PutSite(site); err != nil {
		return err
	}
	if err := simFurnish(b, at); err != nil {
		return err
	}
	return Publish(b, &deskpb.SiteInfo{
		Id: site.Id, Name: site.Name, Tier: site.Tier, Parent: site.Parent, Incarnation: site.Incarnation, Letters: site.Letters,
	}, at)
}

// simPeer is the neighbour that a command is about, empty for none.
func simPeer(c *deskpb.Command) desk.SiteID {
	switch kind := c.Kind.(type) {
	case *deskpb.Command_AdmitPeer:
		return desk.SiteID(kind.AdmitPeer.Peer)
	case *deskpb.Command_Receive:
		return desk.SiteID(kind.Receive.Peer)
	case *deskpb.Command_Acknowledge:
		return desk.SiteID(kind.Acknowledge.Peer)
	case *deskpb.Command_Unite:
		return desk.SiteID(kind.Unite.Peer)
	case *deskpb.Command_Settle:
		return desk.SiteID(kind.Settle.Peer)
	}
	return ""
}

// simKind names a command: its verb, or its kind.
func simKind(c *deskpb.Command) string {
	name := fmt.Sprintf("%T", c.Kind)
	if ticket := c.GetTicket(); ticket != nil {
		name = fmt.Sprintf("%T", ticket.Verb)
	}
	_, name, _ = strings.Cut(name, "_")
	return name
}
