package tiers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// The tree of the tests: a province, a city, two counties.
var (
	province = &deskpb.Site{Id: "330000", Name: "浙江省", Tier: deskpb.Site_PROVINCE, Incarnation: 0xA}
	city     = &deskpb.Site{Id: "330100", Name: "杭州市", Tier: deskpb.Site_CITY, Parent: "330000", Incarnation: 0xB}
	county   = &deskpb.Site{Id: "330106", Name: "西湖区", Tier: deskpb.Site_COUNTY, Parent: "330100", Incarnation: 0xC}
	county2  = &deskpb.Site{Id: "330108", Name: "滨江区", Tier: deskpb.Site_COUNTY, Parent: "330100", Incarnation: 0xD}
)

// office is one site with a mutex for a log: the real rules on a real store in memory.
type office struct {
	id    desk.SiteID
	store *store.Store
	now   func() int64 // microseconds since 1970
	// foresees sees each command before it is logged, if there is one.
	foresees atomic.Pointer[func(*deskpb.Command)]

	mu      sync.Mutex // the log; guards everything below
	index   uint64
	clock   int64
	lost    bool // the site has no majority
	leading bool
	term    uint64
	changed map[desk.SiteID]chan struct{}
	turned  chan struct{} // closed when the leadership changes
}

// newOffice founds a site.
func newOffice(t interface {
	Fatalf(string, ...any)
	Cleanup(func())
}, site *deskpb.Site, now func() int64) *office {
	o := newGround(t, site, now)
	err := o.log(func(b *store.Batch, at desk.Stamp) error {
		if err := b.PutSite(proto.CloneOf(site)); err != nil {
			return err
		}
		return Publish(b, entry(site), at)
	})
	if err != nil {
		t.Fatalf("found %s: %v", site.Id, err)
	}
	return o
}

// newGround is a site that is not founded yet.
func newGround(t interface {
	Fatalf(string, ...any)
	Cleanup(func())
}, site *deskpb.Site, now func() int64) *office {
	st, err := store.Open(store.Options{Dir: "data", FS: vfs.NewMem(), Site: site.Id, Node: "n1", CacheBytes: 1 << 20})
	if err != nil {
		t.Fatalf("open the store of %s: %v", site.Id, err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Fatalf("close the store of %s: %v", site.Id, err)
		}
	})
	return &office{
		id: desk.SiteID(site.Id), store: st, now: now, leading: true, term: 1,
		changed: make(map[desk.SiteID]chan struct{}), turned: make(chan struct{}),
	}
}

func entry(site *deskpb.Site, nodes ...string) *deskpb.SiteInfo {
	info := &deskpb.SiteInfo{Id: site.Id, Name: site.Name, Tier: site.Tier, Parent: site.Parent, Incarnation: site.Incarnation}
	for _, node := range nodes {
		info.Nodes = append(info.Nodes, &deskpb.NodeInfo{Id: node})
	}
	return info
}

// log applies one entry. A refusal leaves nothing behind.
func (o *office) log(apply func(b *store.Batch, at desk.Stamp) error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.interest()
	b := o.store.NewBatch()
	defer b.Discard()
	o.clock = max(o.now(), o.clock+1)
	if err := apply(b, desk.Stamp{Time: o.clock, UTCOffset: 8 * 3600}); err != nil {
		return err
	}
	o.index++
	if err := b.Commit(o.index, 1); err != nil {
		return err
	}
	after := o.interest()
	for peer, ch := range o.changed {
		if !slices.Equal(before[peer], after[peer]) {
			close(ch)
			delete(o.changed, peer)
		}
	}
	return nil
}

// interest is what links with each peer wait for: the outbox and the queued hand-overs.
func (o *office) interest() map[desk.SiteID][]string {
	out := make(map[desk.SiteID][]string)
	_ = o.store.View(func(r *store.Reader) error {
		for peer := range o.changed {
			link, err := r.Link(peer)
			if err != nil {
				return err
			}
			out[peer] = []string{fmt.Sprint(link.SentSequence)}
			queued, err := r.Handovers(deskpb.Handover_QUEUED, peer, 100)
			if err != nil {
				return err
			}
			for _, number := range queued {
				out[peer] = append(out[peer], string(number))
			}
		}
		return nil
	})
	return out
}

var errNoMajority = errors.New("no majority")

func (o *office) Propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error) {
	if err := o.Barrier(ctx); err != nil {
		return nil, err
	}
	if foresee := o.foresees.Load(); foresee != nil {
		(*foresee)(c)
	}
	var record *deskpb.Record
	err := o.log(func(b *store.Batch, at desk.Stamp) (err error) {
		record, err = o.apply(b, c, at)
		return err
	})
	var refusal *desk.Refusal
	if errors.As(err, &refusal) {
		return &deskpb.Result{Refusal: &deskpb.Refusal{
			Code: int32(refusal.Code), Message: refusal.Message, Field: refusal.Field, Reason: refusal.Reason,
		}}, nil
	}
	if err != nil {
		return nil, err
	}
	return &deskpb.Result{Ticket: record.GetTicket()}, nil
}

// apply is what a node's state machine does with a command; nil for one that is not about one ticket.
func (o *office) apply(b *store.Batch, c *deskpb.Command, at desk.Stamp) (*deskpb.Record, error) {
	if checkpoint := c.GetPutCheckpoint(); checkpoint != nil {
		return nil, keepCheckpoint(b, checkpoint, at)
	}
	decision, err := simDecide(b, c, at)
	if decision == nil || err != nil {
		return nil, err
	}
	return decision.Record, nil
}

// keepCheckpoint keeps a checkpoint that does not contradict those before it.
func keepCheckpoint(b *store.Batch, c *deskpb.PutCheckpoint, at desk.Stamp) error {
	kept, err := b.Checkpoints(desk.SiteID(c.Checkpoint.Site), 100)
	if err != nil {
		return err
	}
	for _, k := range kept {
		if k.Checkpoint.Sequence == c.Checkpoint.Sequence && !bytes.Equal(k.Checkpoint.Hash, c.Checkpoint.Hash) {
			return desk.Refuse(desk.FailedPrecondition, "CONTRADICTS", "the audit log of %s was rewritten", c.Checkpoint.Site)
		}
	}
	return b.AddCheckpoint(c, at.Time)
}

func (o *office) Barrier(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lost {
		return errNoMajority
	}
	return ctx.Err()
}

func (o *office) View(read func(*store.Reader) error) error { return o.store.View(read) }

func (o *office) Changed(peer desk.SiteID) <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed[peer] == nil {
		o.changed[peer] = make(chan struct{})
	}
	return o.changed[peer]
}

func (o *office) Leading() (bool, uint64, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.leading, o.term, o.turned
}

// lead makes the office's node leader or follower.
func (o *office) lead(leading bool, term uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.leading, o.term = leading, term
	close(o.turned)
	o.turned = make(chan struct{})
}

// loseMajority makes every command and barrier fail, or work again.
func (o *office) loseMajority(lost bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost = lost
}

// do has a person do something to a ticket; the refusal is returned.
func (o *office) do(number string, verb *deskpb.TicketCommand) (*deskpb.Ticket, *deskpb.Refusal, error) {
	verb.Actor = &deskpb.Actor{User: "li", Role: deskpb.User_ADMINISTRATOR}
	verb.Number = number
	result, err := o.Propose(context.Background(), &deskpb.Command{Kind: &deskpb.Command_Ticket{Ticket: verb}})
	return result.GetTicket(), result.GetRefusal(), err
}

// must is do for what has to succeed.
func (o *office) must(t *testing.T, number string, verb *deskpb.TicketCommand) *deskpb.Ticket {
	t.Helper()
	ticket, refusal, err := o.do(number, verb)
	if err != nil || refusal != nil {
		t.Fatalf("%T at %s on %q: %v %v", verb.Verb, o.id, number, refusal, err)
	}
	return ticket
}

// open creates a ticket.
func (o *office) open(t *testing.T, title string) string {
	t.Helper()
	return o.must(t, "", create(title)).Number
}

func create(title string) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{
		Ticket: &deskpb.Ticket{Title: title, Requester: &deskpb.Requester{Name: "王芳"}},
	}}}
}

func escalate() *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Escalate{Escalate: &deskpb.Escalate{Reason: "县级无法处理"}}}
}

func note(text string) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Note{Note: &deskpb.Note{Text: text}}}
}

func resolve() *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Resolve{Resolve: &deskpb.Resolve{
		Resolution: &deskpb.Resolution{Code: "FIXED", Text: "已重启服务"},
	}}}
}

// read reads from the office's state.
func read[T any](o *office, from func(*store.Reader) (T, error)) T {
	var out T
	err := o.View(func(r *store.Reader) (err error) {
		out, err = from(r)
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("read from %s: %v", o.id, err))
	}
	return out
}

func (o *office) site() *deskpb.Site {
	return read(o, func(r *store.Reader) (*deskpb.Site, error) { return r.Site() })
}

func (o *office) link(peer desk.SiteID) *deskpb.Link {
	return read(o, func(r *store.Reader) (*deskpb.Link, error) { return r.Link(peer) })
}

func (o *office) record(number string) *deskpb.Record {
	return read(o, func(r *store.Reader) (*deskpb.Record, error) { return r.Ticket(desk.TicketNumber(number)) })
}

func (o *office) parked() []*deskpb.Parked {
	return read(o, func(r *store.Reader) ([]*deskpb.Parked, error) {
		parked, _, err := r.Parked(nil, 1000)
		return parked, err
	})
}

// journal is every event of a ticket in journal order.
func (o *office) journal(number string) []desk.Sealed {
	return read(o, func(r *store.Reader) ([]desk.Sealed, error) { return r.Events(desk.TicketNumber(number)) })
}

// tickets lists the numbers of all tickets.
func (o *office) tickets() []string {
	page := read(o, func(r *store.Reader) (store.Page, error) {
		return r.Tickets(store.Query{Index: store.ByNumber, Limit: 100000})
	})
	var out []string
	for _, record := range page.Records {
		out = append(out, record.Ticket.Number)
	}
	return out
}

// admit has both ends of a link accept each other.
func admit(t interface{ Fatalf(string, ...any) }, x, y *office) {
	for _, pair := range [][2]*office{{x, y}, {y, x}} {
		there := read(pair[1], func(r *store.Reader) (*deskpb.Site, error) { return r.Site() })
		result, err := pair[0].Propose(context.Background(), &deskpb.Command{Kind: &deskpb.Command_AdmitPeer{
			AdmitPeer: &deskpb.AdmitPeer{Peer: there.Id, Incarnation: there.Incarnation, Letters: there.Letters},
		}})
		if err != nil || result.Refusal != nil {
			t.Fatalf("admit %s at %s: %v %v", there.Id, pair[0].id, result.GetRefusal(), err)
		}
	}
}

// batch reads what one office would send another behind a sequence.
func batch(from, to *office, after uint64, limit int) *deskpb.Receive {
	page := read(from, func(r *store.Reader) ([]store.OutboxItem, error) { return r.Outbox(to.id, after, limit, 1<<20) })
	if len(page) == 0 {
		return nil
	}
	c := &deskpb.Receive{
		Peer: string(from.id), PeerIncarnation: from.site().Incarnation, Incarnation: to.site().Incarnation,
		First: page[0].Sequence, Hash: page[len(page)-1].Hash,
	}
	for _, item := range page {
		c.Items = append(c.Items, item.Item)
	}
	return c
}

func (o *office) receive(c *deskpb.Receive) (*deskpb.Refusal, error) {
	result, err := o.Propose(context.Background(), &deskpb.Command{Kind: &deskpb.Command_Receive{Receive: c}})
	return result.GetRefusal(), err
}

func (o *office) ack(peer desk.SiteID, sequence uint64) (*deskpb.Refusal, error) {
	result, err := o.Propose(context.Background(), &deskpb.Command{Kind: &deskpb.Command_Acknowledge{
		Acknowledge: &deskpb.Acknowledge{
			Peer: string(peer), PeerIncarnation: o.link(peer).PeerIncarnation, Incarnation: o.site().Incarnation,
			Sequence: sequence, Time: o.now(),
		},
	}})
	return result.GetRefusal(), err
}

// ship carries everything that waits in one direction, with the acknowledgement, and tells whether there was anything.
func ship(t interface{ Fatalf(string, ...any) }, from, to *office) bool {
	mark := to.link(from.id).ReceivedSequence
	c := batch(from, to, mark, 1000)
	if c != nil {
		if refusal, err := to.receive(c); refusal != nil || err != nil {
			t.Fatalf("%s receives from %s: %v %v", to.id, from.id, refusal, err)
		}
	}
	mark = to.link(from.id).ReceivedSequence
	if from.link(to.id).AckedSequence < mark {
		if refusal, err := from.ack(to.id, mark); refusal != nil || err != nil {
			t.Fatalf("%s acknowledges to %s: %v %v", to.id, from.id, refusal, err)
		}
	}
	return c != nil
}

// depart dispatches everything that is queued from one office to another, and tells whether there was anything.
func depart(t interface{ Fatalf(string, ...any) }, from, to *office) bool {
	queued := read(from, func(r *store.Reader) ([]desk.TicketNumber, error) {
		return r.Handovers(deskpb.Handover_QUEUED, to.id, 1000)
	})
	for _, number := range queued {
		result, err := from.Propose(context.Background(), &deskpb.Command{Kind: &deskpb.Command_Ticket{
			Ticket: &deskpb.TicketCommand{Number: string(number),
				Verb: &deskpb.TicketCommand_Dispatch{Dispatch: &deskpb.Dispatch{To: string(to.id)}}},
		}})
		if err != nil || result.Refusal != nil {
			t.Fatalf("dispatch %s from %s to %s: %v %v", number, from.id, to.id, result.GetRefusal(), err)
		}
	}
	return len(queued) > 0
}

// wall is the real clock.
func wall() int64 { return time.Now().UnixMicro() }
