package tiers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// stream is either end of Link.Connect.
type stream interface {
	Context() context.Context
	Send(*linkpb.Frame) error
	Recv() (*linkpb.Frame, error)
}

// farewell is how long a refusal may take to reach the other end.
const farewell = time.Second

// wire carries the frames of one stream. One goroutine reads and one writes; both end when the gRPC stream ends, which
// at the accepting end is only after Connect has returned. From the Hello of an end that unpacks, frames to it are packed.
type wire struct {
	in      chan *linkpb.Frame
	out     chan *linkpb.Frame
	traffic *traffic
}

// traffic counts what one stream has carried, in bytes of frames as they were on the line.
type traffic struct{ sent, received atomic.Int64 }

// openWire starts the goroutines in running. What ends the stream cancels ctx with the reason.
func openWire(ctx context.Context, cancel context.CancelCauseFunc, running *sync.WaitGroup, s stream) wire {
	w := wire{in: make(chan *linkpb.Frame), out: make(chan *linkpb.Frame), traffic: &traffic{}}
	packs := &atomic.Bool{} // the other end unpacks
	running.Go(func() {
		if err := w.read(ctx, s, packs); err != nil {
			cancel(err)
		}
	})
	running.Go(func() {
		if err := w.write(ctx, s, packs); err != nil {
			cancel(err)
		}
	})
	return w
}

// read delivers frames until the stream ends, and returns why it did; nil when the context ended first.
func (w wire) read(ctx context.Context, s stream, packs *atomic.Bool) error {
	var u *unpacker // from the first packed frame on
	defer func() {
		if u != nil {
			u.close()
		}
	}()
	for {
		frame, err := s.Recv()
		if err != nil {
			return streamError(err)
		}
		w.traffic.received.Add(int64(proto.Size(frame)))
		if packed := frame.GetPacked(); packed != nil {
			if u == nil {
				if u, err = newUnpacker(); err != nil {
					return err
				}
			}
			if frame, err = u.unpack(packed); err != nil {
				return err
			}
		}
		if hello := frame.GetHello(); hello != nil {
			packs.Store(slices.Contains(hello.Packings, packing))
		}
		select {
		case w.in <- frame:
		case <-ctx.Done():
			return nil
		}
	}
}

// write sends frames until the context or the stream ends. Why the stream ended is known to read: Send says no more
// than EOF.
func (w wire) write(ctx context.Context, s stream, packs *atomic.Bool) error {
	var p *packer // from the first frame on that may be packed
	defer func() {
		if p != nil {
			p.close()
		}
	}()
	for {
		select {
		case frame := <-w.out:
			if packs.Load() {
				var err error
				if p == nil {
					if p, err = newPacker(); err != nil {
						return err
					}
				}
				if frame, err = p.pack(frame); err != nil {
					return err
				}
			}
			w.traffic.sent.Add(int64(proto.Size(frame)))
			if err := s.Send(frame); err != nil {
				return nil
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// errHungUp ends a stream that the other end closed without a word.
var errHungUp = errors.New("the other end hung up")

// streamError says why a stream ended, in the words of the other end where there are any.
func streamError(err error) error {
	if errors.Is(err, io.EOF) || status.Code(err) == codes.Canceled {
		return errHungUp
	}
	return errors.New(status.Convert(err).Message())
}

// send hands a frame to the writer; false when the context ended first.
func (w wire) send(ctx context.Context, frame *linkpb.Frame) bool {
	select {
	case w.out <- frame:
		return true
	case <-ctx.Done():
		return false
	}
}

var errNoHello = errors.New("the other end did not say Hello first")

// hello waits for the other end's Hello, the first frame of a stream.
func (w wire) hello(ctx context.Context) (*linkpb.Hello, error) {
	hello, _, err := w.answer(ctx)
	if err == nil && hello == nil {
		err = errNoHello
	}
	return hello, err
}

// answer waits for the parent's first word to a Hello: its own, or a challenge.
func (w wire) answer(ctx context.Context) (*linkpb.Hello, *linkpb.Challenge, error) {
	select {
	case frame := <-w.in:
		switch c := frame.Content.(type) {
		case *linkpb.Frame_Hello:
			return c.Hello, nil, nil
		case *linkpb.Frame_Challenge:
			return nil, c.Challenge, nil
		case *linkpb.Frame_Refusal:
			if c.Refusal.Placement != nil {
				return nil, nil, &movedError{
					placement: c.Refusal.Placement, site: desk.SiteID(c.Refusal.Site), incarnation: c.Refusal.Incarnation,
				}
			}
			return nil, nil, &refusedError{reason: c.Refusal.Reason, message: c.Refusal.Message}
		}
		return nil, nil, errNoHello
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
}

// refuse tells the other end why the stream must not go on and waits until it hangs up, for a moment.
func (w wire) refuse(ctx context.Context, r *desk.Refusal) {
	w.last(ctx, &linkpb.Refusal{Reason: r.Reason, Message: r.Message})
}

// last says why the stream must not go on.
func (w wire) last(ctx context.Context, r *linkpb.Refusal) {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	if w.send(ctx, &linkpb.Frame{Content: &linkpb.Frame_Refusal{Refusal: r}}) {
		w.linger(ctx)
	}
}

// linger waits until the other end hangs up, for a moment, so that it reads what was sent last.
func (w wire) linger(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	for {
		select {
		case <-w.in:
		case <-ctx.Done():
			return
		}
	}
}

// refusedError is a refusal that came from the other end.
type refusedError struct{ reason, message string }

func (e *refusedError) Error() string { return fmt.Sprintf("refused by the other end: %s", e.message) }

// isRefusal tells a link that does not fit from one that is merely broken.
func isRefusal(err error) bool {
	var own *desk.Refusal
	var theirs *refusedError
	return errors.As(err, &own) || errors.As(err, &theirs)
}
