package tiers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// simSite is one life of a site: a log, the state that it makes, and two nodes of which at most one leads. A site that
// is restored, copied or rebuilt is another simSite with the same id.
type simSite struct {
	w    *simWorld
	id   desk.SiteID
	name string // as it stands in the trace, and in the addresses of its nodes

	nodes []*simNode

	mu      sync.Mutex // the log; guards everything below
	rng     *rand.Rand
	fs      *vfs.MemFS
	store   *store.Store
	entries []simEntry // of the log, which is never cut; each is as good as synced
	index   uint64     // of the last entry
	clock   int64
	leader  int // 0 or 1; -1: nobody leads
	term    uint64
	changed map[desk.SiteID]chan struct{}
	turned  chan struct{} // closed when the leadership changes
	dead    bool
}

// simEntry is one entry of a site's log.
type simEntry struct {
	index   uint64
	command *deskpb.Command
	at      desk.Stamp
}

// newSimSite opens an empty store, or one that a backup fills.
func newSimSite(w *simWorld, id desk.SiteID, name string, backup *simBackup) (*simSite, error) {
	s := &simSite{
		w: w, id: id, name: name, rng: w.fork(), fs: vfs.NewCrashableMem(), leader: -1, term: 1,
		changed: make(map[desk.SiteID]chan struct{}), turned: make(chan struct{}),
	}
	var err error
	if s.store, err = s.openStore(); err != nil {
		return nil, err
	}
	if backup != nil {
		if err := s.store.Restore(bytes.NewReader(backup.state)); err != nil {
			return nil, err
		}
		s.index, s.clock, s.term = backup.index, backup.clock, backup.term
	}
	s.nodes = []*simNode{{site: s, number: 0}, {site: s, number: 1}}
	return s, nil
}

func (s *simSite) openStore() (*store.Store, error) {
	return store.Open(store.Options{Dir: "data", FS: s.fs, Site: string(s.id), Node: "n1", CacheBytes: 1 << 20})
}

// simBackup is a copy of a site's state.
type simBackup struct {
	state []byte
	index uint64
	clock int64
	term  uint64
	life  *simSite // that it was taken from
}

// backup copies the state.
func (s *simSite) backup() (*simBackup, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stream, _, _, _, _, err := s.store.Checkpoint()
	if err != nil {
		return nil, err
	}
	state, err := io.ReadAll(stream)
	if err := errors.Join(err, stream.Close()); err != nil {
		return nil, err
	}
	return &simBackup{state: state, index: s.index, clock: s.clock, term: s.term, life: s}, nil
}

// entry applies a command as the next entry of the log. A refusal is in the result; an error is a fault.
func (s *simSite) entry(command *deskpb.Command) (*deskpb.Result, *desk.Decision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = max(time.Now().UnixMicro(), s.clock+1)
	s.index++
	e := simEntry{index: s.index, command: proto.CloneOf(command), at: desk.Stamp{Time: s.clock, UTCOffset: 8 * 3600}}
	s.entries = append(s.entries, e)
	result, decision, err := s.apply(e, true)
	if err == nil && s.index%simMarkEvery == 0 {
		err = s.store.SetMark(s.index, s.term, nil)
	}
	return result, decision, err
}

// simMarkEvery is after how many entries a site makes its state durable; a crash replays what came later.
const simMarkEvery = 100

// apply decides an entry, live or again after a crash, and wakes those who wait for what it wrote. mu is held.
func (s *simSite) apply(e simEntry, live bool) (*deskpb.Result, *desk.Decision, error) {
	c := proto.CloneOf(e.command)
	b := s.store.NewBatch()
	defer b.Discard()
	before, err := s.links(b)
	if err != nil {
		return nil, nil, err
	}
	watched, err := s.w.recorder.before(b, c)
	if err != nil {
		return nil, nil, err
	}
	decision, err := simDecide(b, c, e.at)
	result := &deskpb.Result{}
	var refusal *desk.Refusal
	switch {
	case errors.As(err, &refusal):
		result.Refusal = &deskpb.Refusal{
			Code: int32(refusal.Code), Message: refusal.Message, Field: refusal.Field, Reason: refusal.Reason,
		}
		return result, nil, nil
	case err != nil:
		return nil, nil, fmt.Errorf("apply %s at %s: %w", simKind(c), s.name, err)
	}
	var record *deskpb.Record
	if decision != nil {
		record = decision.Record
		result.Ticket = record.Ticket
	}
	after, err := s.links(b)
	if err != nil {
		return nil, nil, err
	}
	if live {
		if err := s.w.recorder.after(s, b, e, watched, decision); err != nil {
			return nil, nil, err
		}
	}
	if err := b.Commit(e.index, s.term); err != nil {
		return nil, nil, err
	}
	s.wake(before, after, record)
	return result, decision, nil
}

// links reads the ends of the links that somebody watches.
func (s *simSite) links(b *store.Batch) (map[desk.SiteID]*deskpb.Link, error) {
	found := make(map[desk.SiteID]*deskpb.Link)
	for peer := range s.changed {
		link, err := b.Link(peer)
		if err != nil {
			return nil, err
		}
		found[peer] = proto.CloneOf(link)
	}
	return found, nil
}

// wake tells those who watch a neighbour that something was written for it. mu is held.
func (s *simSite) wake(before, after map[desk.SiteID]*deskpb.Link, record *deskpb.Record) {
	for peer, ch := range s.changed {
		concerned := record.GetTicket().GetHandover().GetToSite() == string(peer)
		if concerned || !proto.Equal(before[peer], after[peer]) {
			close(ch)
			delete(s.changed, peer)
		}
	}
}

// elect makes a node lead, or none.
func (s *simSite) elect(leader int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leader = leader
	s.term++
	close(s.turned)
	s.turned = make(chan struct{})
}

// led tells whether a node leads.
func (s *simSite) led() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leader >= 0
}

// crash stops both nodes and opens the state again from what the disk kept, with the log applied behind it.
func (s *simSite) crash() error {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	before, err := simState(s.store)
	if err != nil {
		return err
	}
	disk := s.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(s.rng.Int32N(101)), RNG: s.rng})
	if err := s.store.Close(); err != nil {
		return err
	}
	s.fs = disk
	if s.store, err = s.openStore(); err != nil {
		return fmt.Errorf("open %s after a crash: %w", s.name, err)
	}
	for _, e := range s.entries {
		if e.index <= s.store.Applied() {
			continue
		}
		if _, _, err := s.apply(e, false); err != nil {
			return err
		}
	}
	after, err := simState(s.store)
	if err != nil {
		return err
	}
	if before != after {
		s.w.recorder.violate(7, "the state of %s after a crash is not what it was before", s.name)
	}
	return nil
}

// start starts every node, of which one leads.
func (s *simSite) start() error {
	for _, n := range s.nodes {
		if err := n.start(); err != nil {
			return err
		}
	}
	s.elect(0)
	return nil
}

// stop ends every node.
func (s *simSite) stop() {
	s.elect(-1)
	for _, n := range s.nodes {
		n.stop()
	}
}

// close ends the site for good.
func (s *simSite) close() error {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
	return s.store.Close()
}

// view reads the site's state.
func (s *simSite) view(read func(*store.Reader) error) error {
	s.mu.Lock()
	st := s.store
	s.mu.Unlock()
	return st.View(read)
}

// self is the site's own row.
func (s *simSite) self() *deskpb.Site { return simRead(s, (*store.Reader).Site) }

// simRead reads something that must be readable.
func simRead[T any](s *simSite, from func(*store.Reader) (T, error)) (out T) {
	err := s.view(func(r *store.Reader) (err error) {
		out, err = from(r)
		return err
	})
	if err != nil {
		s.w.recorder.violate(0, "read from %s: %v", s.name, err)
	}
	return out
}

// simNode is one node of a site; it is the Site for which its links speak.
type simNode struct {
	site     *simSite
	number   int
	tiers    atomic.Pointer[Tiers] // nil while the node is down
	server   *grpc.Server
	listener *simListener
	served   chan struct{}
}

func (n *simNode) address() string { return fmt.Sprintf("%s/%d", n.site.name, n.number) }

// start starts the node's links.
func (n *simNode) start() error {
	if n.tiers.Load() != nil {
		return nil
	}
	s, w := n.site, n.site.w
	links, err := start(Options{
		Site: n, SiteID: s.id, Name: string(s.id), Tier: simTiers[s.id], Parent: simParents[s.id], Node: fmt.Sprint(n.number),
		ParentAddresses: func() []string { return w.parentAddresses(s) },
		Dial:            func(ctx context.Context, address string) (net.Conn, error) { return w.dial(ctx, s, address) },
		Others:          n.others,
	}, simPace())
	if err != nil {
		return err
	}
	n.listener, n.server, n.served = newSimListener(n.address()), grpc.NewServer(), make(chan struct{})
	links.Register(n.server)
	n.tiers.Store(links)
	w.listen(n.listener, true)
	server, listener, served := n.server, n.listener, n.served
	go func() {
		defer close(served)
		_ = server.Serve(listener) // It ends when the node stops.
	}()
	return nil
}

// stop ends the node's links and everything that they do.
func (n *simNode) stop() {
	links := n.tiers.Swap(nil)
	if links == nil {
		return
	}
	n.site.w.listen(n.listener, false)
	n.listener.Close()
	n.listener.kill()
	links.Stop()
	n.server.Stop()
	<-n.served
}

// simPace is the pace of a real node with small windows, so that they fill.
func simPace() pace {
	p := defaultPace()
	p.items, p.window, p.lag = 8, 32, 20
	return p
}

// others is what the site's other node heard.
func (n *simNode) others(context.Context) []Reach {
	other := n.site.nodes[1-n.number].tiers.Load()
	if other == nil {
		return nil
	}
	return other.Reach()
}

var (
	errSimNoLeader = errors.New("nobody leads the site now")
	errSimNoAnswer = errors.New("the leader died before it answered")
)

// Propose takes a little time. Sometimes the leader is lost before it has logged the command, sometimes behind it.
func (n *simNode) Propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error) {
	result, _, err := n.site.propose(ctx, c)
	return result, err
}

func (s *simSite) propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, *desk.Decision, error) {
	if err := s.barrier(ctx); err != nil {
		return nil, nil, err
	}
	luck, trouble := s.draw(1000), int(s.w.trouble.Load())
	if luck < trouble {
		return nil, nil, errSimNoLeader
	}
	result, decision, err := s.entry(c)
	if err != nil {
		s.w.recorder.violate(0, "%v", err)
		return nil, nil, err
	}
	if luck < 2*trouble {
		return nil, nil, errSimNoAnswer
	}
	return result, decision, nil
}

func (s *simSite) draw(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.IntN(n)
}

func (s *simSite) barrier(ctx context.Context) error {
	if !pause(ctx, time.Duration(500+s.draw(2000))*time.Microsecond) {
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leader < 0 || s.dead {
		return errSimNoLeader
	}
	return nil
}

// Barrier proves that somebody leads.
func (n *simNode) Barrier(ctx context.Context) error { return n.site.barrier(ctx) }

// View reads the state, which the nodes of a site share.
func (n *simNode) View(read func(*store.Reader) error) error { return n.site.view(read) }

// Changed returns a channel that is closed when something was written for the peer.
func (n *simNode) Changed(peer desk.SiteID) <-chan struct{} {
	s := n.site
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed[peer] == nil {
		s.changed[peer] = make(chan struct{})
	}
	return s.changed[peer]
}

// Leading tells whether this node leads.
func (n *simNode) Leading() (bool, uint64, <-chan struct{}) {
	s := n.site
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leader == n.number, s.term, s.turned
}
