package gossip

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
)

// openSocket serves a socket with a pipe for each label.
func openSocket(t *testing.T, drop func(net.Addr) bool, labels ...string) *socket {
	t.Helper()
	s, err := listen("127.0.0.1:0", drop, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range labels {
		s.pipes[label] = newPipe(s, net.IPv4(127, 0, 0, 1), s.port())
	}
	s.serve()
	t.Cleanup(s.close)
	return s
}

func (s *socket) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port())) }

func open(net.Addr) bool { return false }

func labelled(t *testing.T, label, text string) []byte {
	t.Helper()
	packet, err := memberlist.AddLabelHeaderToPacket([]byte(text), label)
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

func receive(t *testing.T, p *pipe) string {
	t.Helper()
	select {
	case packet := <-p.PacketCh():
		return string(packet.Buf)
	case <-time.After(patience):
		t.Fatal("no packet arrived in time")
		return ""
	}
}

func TestPacketsReachThePoolOfTheirLabel(t *testing.T) {
	s, sender := openSocket(t, open, "330000", "330100"), openSocket(t, open)
	for _, packet := range [][]byte{
		labelled(t, "330200", "of a pool that is not here"),
		labelled(t, "", "without a label"),
		labelled(t, "330100", ""),
		{244, 200, '3'}, // a label that is longer than the packet
		labelled(t, "330100", "for the counties"),
		labelled(t, "330000", "for the cities"),
	} {
		if _, err := sender.send(packet, s.address()); err != nil {
			t.Fatal(err)
		}
	}
	if got := receive(t, s.pipes["330100"]); got != "for the counties" {
		t.Errorf("the pool of 330100 got %q", got)
	}
	if got := receive(t, s.pipes["330000"]); got != "for the cities" {
		t.Errorf("the pool of 330000 got %q", got)
	}
	for label, p := range s.pipes {
		if len(p.packets) != 0 {
			t.Errorf("the pool of %s got more: %q", label, (<-p.packets).Buf)
		}
	}
}

func TestStreamsReachThePoolOfTheirLabel(t *testing.T) {
	s, caller := openSocket(t, open, "330000", "330100"), openSocket(t, open)
	for _, test := range []struct {
		label string
		taken bool
	}{
		{"330100", true}, {"330000", true}, {"330200", false}, {"", false},
	} {
		conn, err := caller.dial(s.address(), patience)
		if err != nil {
			t.Fatal(err)
		}
		if err := memberlist.AddLabelHeaderToStream(conn, test.label); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if !test.taken {
			_ = conn.SetReadDeadline(time.Now().Add(patience))
			if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil || isTimeout(err) {
				t.Errorf("a stream labelled %q is not closed: %v", test.label, err)
			}
			_ = conn.Close()
			continue
		}
		select {
		case taken := <-s.pipes[test.label].StreamCh():
			got := make([]byte, len("hello"))
			if _, err := io.ReadFull(taken, got); err != nil || string(got) != "hello" {
				t.Errorf("the pool of %s read %q, %v", test.label, got, err)
			}
			_ = taken.Close()
		case <-time.After(patience):
			t.Errorf("no stream for the pool of %s in time", test.label)
		}
		_ = conn.Close()
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestACutLineLosesPacketsAndRefusesStreamsBothWays(t *testing.T) {
	a := openSocket(t, open, "x")
	cut := func(address net.Addr) bool { return address.String() == a.address() }
	b := openSocket(t, cut, "x")
	for _, line := range []struct{ from, to *socket }{{a, b}, {b, a}} {
		if _, err := line.from.send(labelled(t, "x", "lost"), line.to.address()); err != nil {
			t.Fatal(err)
		}
	}
	// Packets of one socket to another on the loopback keep their order: what a third one sends afterwards comes last.
	witness := openSocket(t, open)
	for _, s := range []*socket{a, b} {
		if _, err := witness.send(labelled(t, "x", "witness"), s.address()); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, s.pipes["x"]); got != "witness" {
			t.Errorf("over the cut line came %q", got)
		}
	}
	if _, err := b.dial(a.address(), patience); !errors.Is(err, errCut) {
		t.Errorf("dialling over the cut line: %v", err)
	}
}

func TestAnIncomingStreamFromADroppedAddressIsClosed(t *testing.T) {
	s, caller := openSocket(t, func(net.Addr) bool { return true }, "x"), openSocket(t, open)
	conn, err := caller.dial(s.address(), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := conn.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("the stream stays open: %v", err)
	}
}

func TestCloseEndsStreamsAndRefusesNewOnes(t *testing.T) {
	s, other := openSocket(t, open, "x"), openSocket(t, open, "x")
	conn, err := s.dial(other.address(), patience)
	if err != nil {
		t.Fatal(err)
	}
	s.close()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading after close: %v", err)
	}
	if _, err := s.dial(other.address(), patience); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dialling after close: %v", err)
	}
	if _, err := s.send([]byte("late"), other.address()); err != net.ErrClosed {
		t.Errorf("sending after close: %v", err)
	}
	if err := conn.Close(); err == nil {
		t.Error("the stream was still open")
	}
}
