package tiers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// maxMessage bounds one frame in bytes, either way.
const maxMessage = 1 << 20

// dialParent keeps the link with the parent while this node leads its site, until Stop.
func (t *Tiers) dialParent() {
	ctx, cancel := t.life(context.Background())
	defer cancel(nil)
	for ctx.Err() == nil {
		leading, term, changed := t.o.Site.Leading()
		if leading {
			t.lead(ctx, term, changed)
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// errFollowing ends the stream of a node that leads its site no more.
var errFollowing = errors.New("another node of this site leads now")

// lead dials the parent again and again until the leadership changes.
func (t *Tiers) lead(ctx context.Context, term uint64, changed <-chan struct{}) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t.running.Go(func() {
		select {
		case <-changed:
			cancel(errFollowing)
		case <-ctx.Done():
		}
	})
	parent := t.parent()
	t.board.show(parent, Down, "not connected yet")
	defer func() { t.board.forget(parent) }()
	wait, broke := t.pace.redial, ""
	var charge charge
	for {
		address, err := t.callParent(ctx, term, broke)
		if ctx.Err() != nil {
			return
		}
		if next := t.parent(); next != parent {
			t.board.turn(parent, next)
			parent = next
		}
		t.board.show(parent, Down, err.Error())
		switch {
		case charge.hear(err, time.Now()):
			// What is said may pass, or must be acted on soon.
			wait = t.pace.redials
			if err := t.answerCharge(ctx, &charge); err != nil {
				t.o.Logger.Error("the parent's charge is not answered yet", "reason", charge.sentence, "error", err)
			}
		case accuses(err):
			wait = t.pace.certain
		case isRefusal(err):
			wait = t.pace.refused
		case address != "":
			wait, broke = t.pace.redial, address
		}
		if !t.rest(ctx, wait/2+rand.N(wait/2)) {
			return
		}
		wait = min(2*wait, t.pace.redials)
	}
}

// rest waits before the next attempt, or until a node of the parent has come to life; false when the context ended first.
func (t *Tiers) rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-t.o.ParentSeen():
	case <-time.After(d):
	}
	return true
}

// callParent tries the parent's addresses until one answers, and carries the link until it ends. The address at which
// the last stream broke comes last: what hangs there would only be waited for. met is the address where a stream came
// about, empty when none did.
func (t *Tiers) callParent(ctx context.Context, term uint64, broke string) (met string, err error) {
	err = fmt.Errorf("no address known for %s", t.parent())
	addresses := slices.Clone(t.o.ParentAddresses())
	if i := slices.Index(addresses, broke); i >= 0 {
		addresses = append(slices.Delete(addresses, i, i+1), broke)
	}
	for _, address := range addresses {
		carried := false
		if carried, err = t.call(ctx, address, term); carried {
			return address, err
		}
		if t.follow(ctx, err) || isRefusal(err) || ctx.Err() != nil {
			break
		}
	}
	return "", err
}

// call opens a stream to one address.
func (t *Tiers) call(ctx context.Context, address string, term uint64) (met bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var failure dialFailure
	parent := t.parent()
	conn, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(t.o.Credentials(parent)),
		// A window of its own size keeps gRPC from measuring the line with a ping after every frame.
		grpc.WithInitialWindowSize(maxMessage),
		grpc.WithInitialConnWindowSize(maxMessage),
		grpc.WithContextDialer(failure.watch(t.reachOut)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
	)
	if err != nil {
		return false, fmt.Errorf("call %s at %s: %w", parent, address, err)
	}
	defer conn.Close()

	tooLate := fmt.Errorf("%s did not answer at %s within %s", parent, address, t.pace.connect)
	late := time.AfterFunc(t.pace.connect, func() { cancel(tooLate) })
	defer late.Stop()
	s, err := linkpb.NewLinkClient(conn).Connect(ctx)
	if err != nil {
		return false, failure.explain(ctx, err)
	}
	w := openWire(ctx, cancel, &t.running, s)
	ours, theirs, err := t.introduce(ctx, w, s, term)
	if err != nil {
		return false, t.reject(ctx, w, parent, failure.explain(ctx, err))
	}
	if !late.Stop() {
		cancel(tooLate) // on a busy machine the timer has fired and its own call is still to come
		return false, context.Cause(ctx)
	}
	carried := newSession(t, w, theirs)
	carried.begin(ours, theirs)
	return true, t.carry(ctx, carried)
}

// reachOut opens a connection, or fails soon: a call that was lost on a broken line does not see that it healed.
func (t *Tiers) reachOut(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.pace.reach)
	defer cancel()
	return t.o.Dial(ctx, address)
}

// introduce says Hello to the parent and checks its answer. When the parent lives another life than the one that this
// site knew, the marks in the Hello mean nothing, and the parent is called again.
func (t *Tiers) introduce(ctx context.Context, w wire, s stream, term uint64) (ours, theirs *linkpb.Hello, err error) {
	if ours, err = t.sayHello(ctx, w, term, nil); err != nil {
		return nil, nil, err
	}
	theirs, challenge, err := w.answer(ctx)
	if challenge != nil {
		if ours, err = t.sayHello(ctx, w, term, challenge); err == nil {
			theirs, err = w.hello(ctx)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	if err := cmp.Or(t.speaksFor(s.Context(), theirs.Site), t.checkParent(theirs)); err != nil {
		return nil, nil, err
	}
	if theirs.PlacementVersion != ours.PlacementVersion {
		return nil, nil, errPlaced
	}
	v, err := t.meet(ctx, theirs)
	if err == nil && (v.again || ours.PeerIncarnation != 0 && ours.PeerIncarnation != theirs.Incarnation) {
		err = errAgain
	}
	return ours, theirs, err
}

// dialFailure keeps the last error of the dialer, which says more than the status that gRPC makes of it.
type dialFailure struct {
	mu  sync.Mutex // guards err
	err error
}

type dialer func(ctx context.Context, address string) (net.Conn, error)

func (f *dialFailure) watch(dial dialer) dialer {
	return func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := dial(ctx, address)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.err = err
		return conn, err
	}
}

// explain returns the plainest reason why a call failed.
func (f *dialFailure) explain(ctx context.Context, err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case isRefusal(err) || isMoved(err):
		return err
	case f.err != nil:
		return f.err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return streamError(err)
}
