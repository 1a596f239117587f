package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

const (
	// mostWaiting is how many different entries wait or are gathered at once; what comes beyond is only counted.
	mostWaiting = 1024
	// gatherFor is how long equal entries are counted as one, from the first on.
	gatherFor = 10 * time.Second
	// flushPause lies between two looks at what waits.
	flushPause = time.Second
	// flushPatience bounds one command of the log, lastPatience the one before the recorder ends.
	flushPatience = 5 * time.Second
	lastPatience  = 500 * time.Millisecond
	// mostAtOnce is how many entries one command carries.
	mostAtOnce = 256
)

// Options make a Recorder. All fields are required but Now and Logger.
type Options struct {
	// Propose has the site's log decide a command; its error may leave the outcome open.
	Propose func(ctx context.Context, c *deskpb.Command) error
	// Node is the id of this node, which took the calls.
	Node   string
	Now    func() time.Time // monotonic enough to measure gatherFor; nil: the machine's clock
	Logger *slog.Logger     // nil: nothing is logged
}

// Recorder takes entries for the audit log. Its methods are safe for concurrent use; Run is called once.
//
// An entry of Record is in the log at least once a moment later, as long as the site has a leader: when the outcome of a command is
// unknown, its entries are proposed again. Those that a node has gathered and not proposed are lost with its process.
type Recorder struct {
	o Options

	mu      sync.Mutex         // guards the fields below
	waiting []*gathered        // in the order in which they came
	byKind  map[kind]*gathered // the same
	dropped uint32             // entries that found no room since the last that was told
}

// gathered is an entry and how many equal ones came that the log does not have yet.
type gathered struct {
	kind  kind
	entry *deskpb.AuditEntry
	count uint32
	first bool // none of them was proposed yet: the first one does not wait for others
	until time.Time
}

// New makes a recorder that proposes nothing before Run.
func New(o Options) (*Recorder, error) {
	switch {
	case o.Propose == nil:
		return nil, errors.New("audit recorder: Options.Propose is nil")
	case o.Node == "":
		return nil, errors.New("audit recorder: Options.Node is empty")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Logger = o.Logger.With("component", "audit")
	return &Recorder{o: o, byKind: map[kind]*gathered{}}, nil
}

// Record takes an entry and never waits: it is proposed soon, and equal ones within ten seconds of the first become one with a
// count. Sequence, time and hash are the log's to set. The entry stays the caller's.
func (r *Recorder) Record(e *deskpb.AuditEntry) {
	own := r.owned(e)
	own.Count = max(1, own.Count)
	kind := kindOf(own)
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.byKind[kind]; known != nil {
		known.count += own.Count
		return
	}
	if len(r.waiting) >= mostWaiting {
		r.dropped += own.Count
		return
	}
	g := &gathered{kind: kind, entry: own, count: own.Count, first: true, until: r.o.Now().Add(gatherFor)}
	r.waiting, r.byKind[kind] = append(r.waiting, g), g
}

// RecordNow returns when the entry is in the log. After an error it is not there for certain, and what it would tell of must not be
// done.
func (r *Recorder) RecordNow(ctx context.Context, e *deskpb.AuditEntry) error {
	if err := r.propose(ctx, []*deskpb.AuditEntry{r.owned(e)}); err != nil {
		return fmt.Errorf("write %s into the audit log: %w", e.GetAction(), err)
	}
	return nil
}

// owned is the entry as this node proposes it.
func (r *Recorder) owned(e *deskpb.AuditEntry) *deskpb.AuditEntry {
	own := audit.Fit(e)
	own.Node = r.o.Node
	return own
}

// Run proposes what was recorded until the context ends, and then once more.
func (r *Recorder) Run(ctx context.Context) {
	tick := time.NewTicker(flushPause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.flush(ctx, flushPatience, r.o.Now())
		case <-ctx.Done():
			r.flush(context.WithoutCancel(ctx), lastPatience, r.o.Now().Add(gatherFor))
			return
		}
	}
}

// flush proposes what is due at a time, and what was dropped. What has no outcome waits for the next time.
func (r *Recorder) flush(ctx context.Context, patience time.Duration, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	due, dropped := r.due(now)
	for len(due) > 0 {
		some := due[:min(len(due), mostAtOnce)]
		due = due[len(some):]
		entries := make([]*deskpb.AuditEntry, len(some))
		for i, d := range some {
			entries[i] = proto.CloneOf(d.from.entry)
			entries[i].Count = d.count
		}
		if err := r.propose(ctx, entries); err != nil {
			r.o.Logger.Debug("entries wait for the audit log", "entries", len(entries), "error", err)
			return
		}
		r.told(some)
	}
	r.forget(now)
	if dropped == 0 {
		return
	}
	lost := &deskpb.AuditEntry{
		Action: audit.Dropped, Object: r.o.Node, Node: r.o.Node, Outcome: deskpb.AuditEntry_DONE, Count: dropped,
		Reason: fmt.Sprintf("more than %d different entries waited at node %s", mostWaiting, r.o.Node),
	}
	if err := r.propose(ctx, []*deskpb.AuditEntry{lost}); err != nil {
		return
	}
	r.mu.Lock()
	r.dropped -= dropped
	r.mu.Unlock()
	r.o.Logger.Warn("entries of the audit log found no room and are lost; it says how many", "entries", dropped)
}

// portion is how many of a gathered entry one command tells.
type portion struct {
	from  *gathered
	count uint32
}

// due lists what is to be proposed at a time: entries of which none was proposed, and those that were gathered long enough.
func (r *Recorder) due(now time.Time) (due []portion, dropped uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range r.waiting {
		if g.count > 0 && (g.first || !now.Before(g.until)) {
			due = append(due, portion{g, g.count})
		}
	}
	return due, r.dropped
}

// told takes away what the log has now.
func (r *Recorder) told(some []portion) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range some {
		p.from.count -= p.count
		p.from.first = false
	}
}

// forget ends the gathering of entries whose time is over and that the log has.
func (r *Recorder) forget(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := r.waiting[:0]
	for _, g := range r.waiting {
		if g.count == 0 && !now.Before(g.until) {
			delete(r.byKind, g.kind)
			continue
		}
		kept = append(kept, g)
	}
	clear(r.waiting[len(kept):])
	r.waiting = kept
}

func (r *Recorder) propose(ctx context.Context, entries []*deskpb.AuditEntry) error {
	return r.o.Propose(ctx, &deskpb.Command{
		Kind: &deskpb.Command_AddAudit{AddAudit: &deskpb.AddAudit{Entries: entries}}, Node: r.o.Node,
	})
}

// kind is what makes entries equal.
type kind struct {
	action, object, actor, address, session, reason string
	outcome                                         deskpb.AuditEntry_Outcome
}

func kindOf(e *deskpb.AuditEntry) kind {
	return kind{e.Action, e.Object, e.Actor, e.Address, e.Session, e.Reason, e.Outcome}
}
