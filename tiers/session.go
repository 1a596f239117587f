package tiers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// signal wakes one goroutine; raising it twice before it is seen is the same as once.
type signal chan struct{}

func (s signal) raise() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// session is one end of a live stream after both said Hello. Each of its workers is one goroutine.
type session struct {
	t           *Tiers
	wire        wire
	peer        desk.SiteID
	incarnation uint64 // the peer's
	own         uint64 // this site's incarnation
	term        uint64 // Raft term of the dialler

	began  time.Time
	heard  atomic.Int64 // when the last frame came, nanoseconds since began
	vouch  atomic.Int64 // when the peer last showed that it commits, nanoseconds since began; 0 never
	closed atomic.Bool  // the peer takes no hand-overs now
	up     atomic.Bool  // the link is UP

	taken     atomic.Uint32                   // Link.taken here, as far as this stream accounts for it
	given     atomic.Uint32                   // Link.taken at the peer's end, likewise
	dials     bool                            // this end is the child
	joined    atomic.Int64                    // how often an office was placed below the peer before the Hello; -1 before that
	written   uint64                          // what the peer had written for this site at its Hello
	comparing atomic.Bool                     // both ends look for what the other does not have
	compared  atomic.Bool                     // the comparison has come to its end
	unsettled atomic.Bool                     // the log has not noted that yet
	mail      chan *linkpb.Frame              // questions for the parent, answers for the child
	theirs    atomic.Pointer[linkpb.Standing] // what the peer last said of its recovery
	news      signal                          // for conclude: theirs or compared changed

	start    uint64        // the peer's mark at the Hello: sending begins behind it
	sent     atomic.Uint64 // last sequence put on the wire
	acked    atomic.Uint64 // last sequence that the peer acknowledged
	wants    *wants
	pulse    *pulse
	progress signal // for the sender: acked grew, or the peer vouched
	settled  signal // for the acknowledger: acked grew
	incoming chan *linkpb.Items
	backlog  atomic.Int64 // bytes in incoming
	arrived  signal       // for the courier: something was received

	cancel context.CancelCauseFunc // of an accepted stream: ends it
	done   chan struct{}           // of an accepted stream: closed when it has ended
}

// newSession is ready to run once ours is known.
func newSession(t *Tiers, w wire, theirs *linkpb.Hello) *session {
	s := &session{
		t:           t,
		wire:        w,
		peer:        desk.SiteID(theirs.Site),
		incarnation: theirs.Incarnation,
		term:        theirs.RaftTerm,
		began:       time.Now(),
		start:       theirs.ReceivedSequence,
		wants:       newWants(),
		pulse:       &pulse{traffic: w.traffic},
		progress:    make(signal, 1),
		settled:     make(signal, 1),
		arrived:     make(signal, 1),
		incoming:    make(chan *linkpb.Items, t.pace.window),
		mail:        make(chan *linkpb.Frame, maxAsked),
		news:        make(signal, 1),
		done:        make(chan struct{}),
	}
	s.joined.Store(-1)
	s.sent.Store(s.start)
	s.acked.Store(s.start)
	s.settled.raise()
	return s
}

// begin notes the lives in which the two ends have met; what follows belongs to these.
func (s *session) begin(ours, theirs *linkpb.Hello) {
	s.own, s.dials, s.written = ours.Incarnation, s.peer == desk.SiteID(ours.Parent), theirs.SentSequence
	s.joined.Store(int64(ours.Joined))
	s.taken.Store(ours.Taken)
	s.given.Store(theirs.Taken)
	compares := mustCompare(ours, theirs)
	s.comparing.Store(compares)
	s.unsettled.Store(compares)
}

// account is what a site tells, or knows, of its comparisons over a link.
type account interface {
	GetUnsettled() bool
	GetTaken() uint32
	GetGiven() uint32
}

// mustCompare tells whether two ends of a link have to be compared: one of them was never compared to the end since the streams
// began, or has taken more by comparisons than the other one accounts for. That came from a copy of the other one, which lacks it.
func mustCompare(x, y account) bool {
	return x.GetUnsettled() || y.GetUnsettled() || x.GetTaken() != y.GetGiven() || y.GetTaken() != x.GetGiven()
}

// errGivenMore ends a stream beside which another one brought something by a comparison. A new Hello begins with a comparison.
var errGivenMore = errors.New("another stream of the same site was compared meanwhile; dial again")

// link reads this site's end of the link. A stream ends when one of both ends has begun a new life: its marks mean
// something else from then on. It also ends when another stream was compared beside it, of which it knows nothing.
func (s *session) link(r *store.Reader) (*deskpb.Link, error) {
	site, err := r.Site()
	if err != nil {
		return nil, err
	}
	link, err := r.Link(s.peer)
	if err != nil {
		return nil, err
	}
	if site.GetIncarnation() != s.own || link.PeerIncarnation != s.incarnation {
		return nil, errAgain
	}
	if link.Taken > s.taken.Load() {
		return nil, errGivenMore
	}
	return link, nil
}

// isBehind tells whether an office was placed below the peer since the stream began, which has nothing compared for it.
func (s *session) isBehind(link *deskpb.Link) bool {
	joined := s.joined.Load()
	return joined >= 0 && uint32(joined) != link.Joined
}

// outcome returns the refusal of a command of a stream, or of the meeting before it, as an error.
func outcome(result *deskpb.Result) error {
	switch result.GetRefusal().GetReason() {
	case "PEER_CHANGED", "SITE_CHANGED":
		return errAgain
	case compareAgain:
		return errCompareAnew
	case placedAnew:
		return errPlaced
	case overtaken:
		return errOvertaken
	}
	return refusalOf(result)
}

// run carries the link until the stream ends, and returns why it did. No worker lives on.
func (s *session) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.heard.Store(int64(time.Since(s.began)))
	defer s.t.proof.need()()
	defer s.t.board.watch(s.peer, s.pulse)()
	defer s.t.lines.join(s)()
	compare := s.answerQuestions
	if s.dials {
		compare = s.compareWithParent
	}
	var workers sync.WaitGroup
	for _, work := range []func(context.Context) error{
		s.route, s.sendItems, s.applyItems, s.acknowledge, s.beat, s.carryHandovers, compare, s.conclude, s.answerWants,
	} {
		workers.Go(func() {
			if err := work(ctx); err != nil {
				cancel(err)
			}
		})
	}
	workers.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return errHungUp // gRPC ends the context of an accepted stream without a reason
}

// age is how long ago a mark of the session's clock was set.
func (s *session) age(mark *atomic.Int64) time.Duration {
	return time.Since(s.began) - time.Duration(mark.Load())
}

// route hands every frame to the worker that waits for it. It never waits itself, so that no frame hides a heartbeat.
func (s *session) route(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case frame := <-s.wire.in:
			s.heard.Store(int64(time.Since(s.began)))
			if err := s.take(frame); err != nil {
				return err
			}
		}
	}
}

func (s *session) take(frame *linkpb.Frame) error {
	switch content := frame.Content.(type) {
	case *linkpb.Frame_Items:
		return s.queue(content.Items)
	case *linkpb.Frame_Ack:
		return s.noteAck(content.Ack.Sequence)
	case *linkpb.Frame_Heartbeat:
		return s.noteHeartbeat(content.Heartbeat)
	case *linkpb.Frame_Compare, *linkpb.Frame_Differences, *linkpb.Frame_Holdings, *linkpb.Frame_Gift:
		return s.deliver(frame)
	case *linkpb.Frame_Standing:
		s.noteStanding(content.Standing)
	case *linkpb.Frame_Want:
		return s.noteWant(content.Want)
	case *linkpb.Frame_Piece:
		s.wants.end(content.Piece.Id, content.Piece)
	case *linkpb.Frame_Refusal:
		return &refusedError{reason: content.Refusal.Reason, message: content.Refusal.Message}
	}
	return nil
}

// deliver hands a frame to the comparison. A peer that keeps to maxAsked never fills its mail.
func (s *session) deliver(frame *linkpb.Frame) error {
	select {
	case s.mail <- frame:
		return nil
	default:
		return fmt.Errorf("%s sent more than %d frames of a comparison without waiting for an answer", s.peer, maxAsked)
	}
}

func (s *session) noteAck(sequence uint64) error {
	if sent := s.sent.Load(); sequence > sent {
		return fmt.Errorf("%s acknowledged item %d, but only %d were sent", s.peer, sequence, sent)
	}
	s.vouch.Store(int64(time.Since(s.began)))
	if sequence > s.acked.Load() {
		s.acked.Store(sequence)
		s.pulse.note(time.Now(), sequence)
		s.settled.raise()
	}
	s.progress.raise()
	return nil
}

func (s *session) noteHeartbeat(h *linkpb.Heartbeat) error {
	s.closed.Store(h.Full || h.Recovering)
	if h.Committed {
		s.vouch.Store(int64(time.Since(s.began)))
		if s.dials && h.Time != 0 {
			s.t.above.set(time.UnixMicro(h.Time))
		}
	}
	s.progress.raise()
	if len(h.Reach) == 0 {
		return nil
	}
	return s.t.o.Site.View(func(r *store.Reader) error { return s.hear(r, h.Reach) })
}

// hear believes a neighbour about sites that the directory does not place on another side of the tree.
func (s *session) hear(r *store.Reader, reach []*linkpb.Reach) error {
	t, err := newTree(r)
	if err != nil {
		return err
	}
	for _, about := range reach {
		where, child, err := t.locate(desk.SiteID(about.Site))
		if err != nil {
			return err
		}
		if where == unknown || where == below && child == s.peer || where == elsewhere && s.peer == t.parent() {
			s.t.reach.hear(s.peer, about)
		}
	}
	return nil
}

// beat sends a heartbeat at once and then regularly, and gives the stream up when the peer has fallen silent, or when
// the node behind it has not reached its leader for long: another one may.
func (s *session) beat(ctx context.Context) error {
	ticks := time.NewTicker(s.t.pace.beat)
	defer ticks.Stop()
	told, calm := uint64(0), false
	for {
		switch {
		case s.age(&s.heard) > s.t.pace.silence:
			return fmt.Errorf("nothing was heard from %s for %s", s.peer, s.t.pace.silence)
		case s.age(&s.vouch) > s.t.pace.doubt:
			return fmt.Errorf("%s has not shown a majority for %s", s.peer, s.t.pace.doubt)
		case !calm && time.Since(s.began) > s.t.pace.silence:
			s.t.board.calm(s.peer, s.began)
			calm = true
		}
		closed, err := s.turnsAway()
		if err != nil {
			return err
		}
		news, version := s.t.reach.news(s.peer, told)
		frame := &linkpb.Frame{Content: &linkpb.Frame_Heartbeat{Heartbeat: &linkpb.Heartbeat{
			Committed:  s.t.proof.age() < s.t.pace.beat,
			Recovering: closed,
			Reach:      news,
			Time:       s.told(),
		}}}
		select {
		case s.wire.out <- frame:
			told = version
			select {
			case <-ticks.C:
			case <-ctx.Done():
				return nil
			}
		case <-ticks.C: // The writer is stuck; what the frame said is old by now.
		case <-ctx.Done():
			return nil
		}
	}
}

// told is this site's time for a child, which holds its clock against it; a parent has no use for it.
func (s *session) told() int64 {
	if s.dials {
		return 0
	}
	return s.t.o.Now().UnixMicro()
}

// insist proposes a command until it has an outcome. Repeating is harmless: the log skips what it has. When there is none
// for long, the error ends the stream, so that people see the reason and the next Hello tells the mark that was reached.
// A nil result without an error means that the context ended first.
func (s *session) insist(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error) {
	began := time.Now()
	for {
		result, err := s.propose(ctx, c)
		if err == nil {
			return result, nil
		}
		if time.Since(began) > s.t.pace.insist {
			return nil, fmt.Errorf("the log of %s has not taken a command for %s: %w", s.t.o.SiteID, s.t.pace.insist, err)
		}
		s.t.o.Logger.Debug("command had no outcome", "peer", string(s.peer), "error", err)
		if !pause(ctx, s.t.pace.retry) {
			return nil, nil
		}
	}
}

func (s *session) propose(ctx context.Context, c *deskpb.Command) (*deskpb.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, s.t.pace.propose)
	defer cancel()
	return s.t.o.Site.Propose(ctx, c)
}
