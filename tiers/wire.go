package tiers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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
// at the accepting end is only after Connect has returned.
type wire struct {
	in  chan *linkpb.Frame
	out chan *linkpb.Frame
}

// openWire starts the goroutines in running. What ends the stream cancels ctx with the reason.
func openWire(ctx context.Context, cancel context.CancelCauseFunc, running *sync.WaitGroup, s stream) wire {
	w := wire{in: make(chan *linkpb.Frame), out: make(chan *linkpb.Frame)}
	running.Go(func() {
		for {
			frame, err := s.Recv()
			if err != nil {
				cancel(streamError(err))
				return
			}
			select {
			case w.in <- frame:
			case <-ctx.Done():
				return
			}
		}
	})
	running.Go(func() {
		for {
			select {
			case frame := <-w.out:
				if err := s.Send(frame); err != nil {
					// The reason comes from Recv; Send says no more than EOF.
					return
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return w
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

// hello waits for the other end's Hello, the first frame of a stream.
func (w wire) hello(ctx context.Context) (*linkpb.Hello, error) {
	select {
	case frame := <-w.in:
		if refusal := frame.GetRefusal(); refusal != nil {
			return nil, &refusedError{message: refusal.Message}
		}
		if hello := frame.GetHello(); hello != nil {
			return hello, nil
		}
		return nil, errors.New("the other end did not say Hello first")
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// refuse tells the other end why the stream must not go on and waits until it hangs up, for a moment.
func (w wire) refuse(ctx context.Context, r *desk.Refusal) {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	frame := &linkpb.Frame{Content: &linkpb.Frame_Refusal{Refusal: &linkpb.Refusal{Reason: r.Reason, Message: r.Message}}}
	if !w.send(ctx, frame) {
		return
	}
	for {
		select {
		case <-w.in:
		case <-ctx.Done():
			return
		}
	}
}

// refusedError is a refusal that came from the other end.
type refusedError struct{ message string }

func (e *refusedError) Error() string { return fmt.Sprintf("refused by the other end: %s", e.message) }

// isRefusal tells a link that does not fit from one that is merely broken.
func isRefusal(err error) bool {
	var own *desk.Refusal
	var theirs *refusedError
	return errors.As(err, &own) || errors.As(err, &theirs)
}
