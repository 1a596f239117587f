package tiers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// errSuperseded ends a stream that a newer one of the same child replaces.
var errSuperseded = errors.New("a newer stream of the same site took over")

// Connect answers a child. It returns when the stream has ended; the status tells the child why.
func (t *Tiers) Connect(s linkpb.Link_ConnectServer) error {
	if !t.enter() {
		return status.Error(codes.Unavailable, errStopping.Error())
	}
	defer t.running.Done()
	ctx, cancel := t.life(s.Context())
	defer cancel(nil)
	err := t.answer(ctx, openWire(ctx, cancel, &t.running, s))
	code := codes.Unavailable
	if isRefusal(err) {
		code = codes.FailedPrecondition
	}
	return status.Error(code, err.Error())
}

// enter counts a stream in; false when the node stops.
func (t *Tiers) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return false
	}
	t.running.Add(1)
	return true
}

// answer shakes hands with a child and carries the link until it ends. The error is why it ended.
func (t *Tiers) answer(ctx context.Context, w wire) error {
	theirs, err := t.awaitHello(ctx, w)
	if err != nil {
		return err
	}
	if err := t.speaksFor(ctx, theirs.Site); err != nil {
		return t.reject(ctx, w, "", err) // nobody tells, or hears of, another one's place
	}
	if err := t.whereabouts(theirs); err != nil {
		return t.redirect(ctx, w, theirs, err)
	}
	if err := t.checkChild(theirs); err != nil {
		return t.reject(ctx, w, "", err)
	}
	peer := desk.SiteID(theirs.Site)
	// Marks may lag behind a living stream. What fits in no case must not end it: it is not the same site's.
	if _, err := t.examine(ctx, theirs); err != nil && !errors.Is(err, errOvertaken) {
		return t.turnAway(ctx, w, peer, err)
	}
	if t.lives(peer) {
		if theirs, err = t.challenge(ctx, w, theirs); err != nil {
			return t.turnAway(ctx, w, peer, err)
		}
	}
	s := newSession(t, w, theirs)
	ctx, release, err := t.supersede(ctx, s)
	if err != nil {
		return err
	}
	defer release()
	if err := t.welcome(ctx, s, theirs); err != nil {
		return t.reject(ctx, w, peer, err)
	}
	return t.carry(ctx, s)
}

// welcome answers the Hello of a child whose history fits. A child that knows this site in a life before learns of the
// present one by the answer and calls again: the marks that it told mean nothing.
func (t *Tiers) welcome(ctx context.Context, s *session, theirs *linkpb.Hello) error {
	_, term, _ := t.o.Site.Leading()
	v, err := t.meet(ctx, theirs)
	if err != nil {
		return err
	}
	ours, err := t.describe(s.peer, term)
	if err != nil {
		return err
	}
	if !s.wire.send(ctx, &linkpb.Frame{Content: &linkpb.Frame_Hello{Hello: ours}}) {
		return context.Cause(ctx)
	}
	if v.again {
		return s.wire.parting(ctx)
	}
	s.begin(ours, theirs)
	return nil
}

// parting waits until the caller has read the last word and hangs up, and returns why the stream ends: the caller may
// have the last word.
func (w wire) parting(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	for {
		select {
		case frame := <-w.in:
			if refusal := frame.GetRefusal(); refusal != nil {
				return &refusedError{reason: refusal.Reason, message: refusal.Message}
			}
		case <-ctx.Done():
			return errAgain
		}
	}
}

// awaitHello waits for the first frame, not for ever.
func (t *Tiers) awaitHello(ctx context.Context, w wire) (*linkpb.Hello, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.pace.connect,
		fmt.Errorf("no Hello came within %s", t.pace.connect))
	defer cancel()
	return w.hello(ctx)
}

// supersede makes s the stream of its child. An older one is ended and waited for; an older Raft term is turned away.
func (t *Tiers) supersede(ctx context.Context, s *session) (context.Context, func(), error) {
	ctx, s.cancel = context.WithCancelCause(ctx)
	t.mu.Lock()
	old := t.sessions[s.peer]
	if old != nil && old.term > s.term {
		t.mu.Unlock()
		s.cancel(nil)
		return nil, nil, fmt.Errorf("a stream of %s with the newer Raft term %d is open", s.peer, old.term)
	}
	t.sessions[s.peer] = s
	t.mu.Unlock()
	if old != nil {
		old.cancel(errSuperseded)
		<-old.done
	}
	release := func() {
		s.cancel(nil)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.sessions[s.peer] == s {
			delete(t.sessions, s.peer)
		}
		close(s.done)
	}
	return ctx, release, nil
}

// turnAway ends a call in a child's name that cannot be the child's stream. Another stream of the child that lives goes
// on, and the link stays as it is.
func (t *Tiers) turnAway(ctx context.Context, w wire, peer desk.SiteID, err error) error {
	if t.lives(peer) {
		err = asDouble(peer, err)
	}
	t.mu.Lock()
	here := t.sessions[peer] != nil
	t.mu.Unlock()
	if !here {
		return t.reject(ctx, w, peer, err)
	}
	var own *desk.Refusal
	if errors.As(err, &own) {
		t.board.alarm(peer, err.Error())
		w.refuse(ctx, own)
	}
	return err
}

// reject ends a stream that did not come about. A refusal is told to the other end and, where the peer is known to be
// a neighbour, raised as an alarm.
func (t *Tiers) reject(ctx context.Context, w wire, peer desk.SiteID, err error) error {
	if peer == "" && isRefusal(err) {
		t.o.Refused(ctx, err.Error())
	}
	var own *desk.Refusal
	if errors.As(err, &own) {
		w.refuse(ctx, own)
	}
	if peer == "" {
		return err
	}
	if isRefusal(err) {
		sentence := err.Error()
		var theirs *refusedError
		if errors.As(err, &theirs) {
			sentence = fmt.Sprintf("%s refuses %s: %s", peer, t.o.SiteID, theirs.message)
		}
		t.board.alarm(peer, sentence)
		t.hearAccuser(ctx, peer, err)
	}
	t.board.show(peer, Down, err.Error())
	return err
}

// carry runs a session and shows how it went.
func (t *Tiers) carry(ctx context.Context, s *session) error {
	t.board.show(s.peer, CatchingUp, "")
	t.reach.connected(s.peer, time.Now())
	err := s.run(ctx)
	t.reach.disconnected(s.peer, time.Now())
	return t.reject(ctx, s.wire, s.peer, err)
}
