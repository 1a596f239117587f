package tiers

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// tube is one end of a stream in memory.
type tube struct {
	ctx context.Context
	in  chan *linkpb.Frame
	out chan *linkpb.Frame
}

func (u *tube) Context() context.Context { return u.ctx }

func (u *tube) Send(f *linkpb.Frame) error {
	select {
	case u.out <- f:
		return nil
	case <-u.ctx.Done():
		return io.EOF
	}
}

func (u *tube) Recv() (*linkpb.Frame, error) {
	select {
	case f := <-u.in:
		return f, nil
	case <-u.ctx.Done():
		return nil, io.EOF
	}
}

// openTube opens a wire over a stream in memory, of which the test is the other end.
func openTube(t *testing.T) (w wire, s *tube, ctx context.Context) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	s = &tube{ctx: ctx, in: make(chan *linkpb.Frame, 8), out: make(chan *linkpb.Frame, 8)}
	var running sync.WaitGroup
	w = openWire(ctx, cancel, &running, s)
	t.Cleanup(func() {
		cancel(nil)
		running.Wait()
	})
	return w, s, ctx
}

func helloFrame(packings ...string) *linkpb.Frame {
	return &linkpb.Frame{Content: &linkpb.Frame_Hello{Hello: &linkpb.Hello{Site: "330100", Packings: packings}}}
}

// Frames are packed for an end that says that it unpacks them, and for no other.
func TestFramesArePackedForThoseWhoUnpack(t *testing.T) {
	for _, tt := range []struct {
		name     string
		packings []string
		packed   bool
	}{
		{"an end of before", nil, false},
		{"an end that packs otherwise", []string{"brotli"}, false},
		{"an end that unpacks zstd too", []string{"brotli", packing}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, other, ctx := openTube(t)
			large := itemsFrame(1, [][]byte{[]byte(strings.Repeat("工单", 100))}, nil)
			w.send(ctx, large)
			if first := <-other.out; first.GetPacked() != nil {
				t.Error("a frame was packed before the other end said Hello")
			}
			other.in <- helloFrame(tt.packings...)
			if _, err := w.hello(ctx); err != nil {
				t.Fatal(err)
			}
			w.send(ctx, large)
			if got := (<-other.out).GetPacked() != nil; got != tt.packed {
				t.Errorf("the frame was packed: %v, want %v", got, tt.packed)
			}
			if sent := w.traffic.sent.Load(); sent == 0 || w.traffic.received.Load() == 0 {
				t.Errorf("the traffic is %d bytes out and %d in", sent, w.traffic.received.Load())
			}
		})
	}
}

// A frame that cannot be unpacked ends the stream with a sentence.
func TestBadPackedFrameEndsTheWire(t *testing.T) {
	_, other, ctx := openTube(t)
	other.in <- &linkpb.Frame{Content: &linkpb.Frame_Packed{Packed: &linkpb.Packed{Frame: []byte("工单")}}}
	<-ctx.Done()
	if reason := context.Cause(ctx); !strings.Contains(reason.Error(), "unpack a frame") {
		t.Errorf("the wire ended with %q, want the reason", reason)
	}
}
