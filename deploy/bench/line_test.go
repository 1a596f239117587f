package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// echoLine is a line to a server that sends back every byte, and a way to talk through it.
func echoLine(t *testing.T) *line {
	t.Helper()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := newLine([]string{server.Addr().String()}, []net.Listener{listener}, dialHere)
	t.Cleanup(l.close)
	return l
}

func (l *line) talker(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// ask sends a line of text; the answer is "" when none came in time, and the error tells that the connection ended.
func ask(t *testing.T, conn net.Conn, text string, patience time.Duration) (string, error) {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return answer, err
}

const (
	soon  = 30 * time.Second
	never = 50 * time.Millisecond // for an answer that must not come
	flood = 32 << 20              // bytes, more than a system keeps of a connection that nobody reads
)

func TestALineCountsBothDirections(t *testing.T) {
	l := echoLine(t)
	if answer, err := ask(t, l.talker(t), "hello\n", soon); err != nil || answer != "hello\n" {
		t.Fatalf("through the line came %q, %v; want an echo", answer, err)
	}
	if l.up.Load() != 6 || l.down.Load() != 6 || l.bytes() != 12 {
		t.Errorf("counted %d bytes up, %d down; want 6 each", l.up.Load(), l.down.Load())
	}
}

func TestASilentLineLosesBytesAndTheirConnectionForGood(t *testing.T) {
	l := echoLine(t)
	conn := l.talker(t)
	if _, err := ask(t, conn, "before\n", soon); err != nil {
		t.Fatal(err)
	}
	counted := l.bytes()
	l.set(silent)
	if err := conn.SetDeadline(time.Now().Add(soon)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(make([]byte, flood)); err != nil { // whoever gets it all out knows that the line has read some of it
		t.Fatal(err)
	}
	if answer, err := ask(t, conn, "lost\n", never); err != nil || answer != "" {
		t.Errorf("a silent line brought %q, %v; want nothing, and nobody told", answer, err)
	}
	l.set(whole)
	if answer, err := ask(t, conn, "after\n", never); err != nil || answer != "" {
		t.Errorf("the connection that lost bytes brought %q, %v; it must stay silent", answer, err)
	}
	if l.bytes() != counted {
		t.Errorf("%d lost bytes were counted", l.bytes()-counted)
	}
	if answer, err := ask(t, l.talker(t), "new\n", soon); err != nil || answer != "new\n" {
		t.Errorf("a new connection over the mended line brought %q, %v; want an echo", answer, err)
	}
}

func TestAClosedLineEndsConnectionsAtOnce(t *testing.T) {
	l := echoLine(t)
	conn := l.talker(t)
	if _, err := ask(t, conn, "before\n", soon); err != nil {
		t.Fatal(err)
	}
	l.set(closed)
	if answer, err := ask(t, conn, "lost\n", soon); err == nil {
		t.Errorf("a connection lives on a closed line: %q", answer)
	}
	if answer, err := ask(t, l.talker(t), "lost\n", soon); err == nil {
		t.Errorf("a new connection lives on a closed line: %q", answer)
	}
	l.set(whole)
	if answer, err := ask(t, l.talker(t), "new\n", soon); err != nil || answer != "new\n" {
		t.Errorf("over the mended line came %q, %v; want an echo", answer, err)
	}
}

func TestASlowLineIsLateBothWays(t *testing.T) {
	const delay = 40 * time.Millisecond
	l := echoLine(t)
	l.slow(delay)
	began := time.Now()
	if answer, err := ask(t, l.talker(t), "late\n", soon); err != nil || answer != "late\n" {
		t.Fatalf("through the slow line came %q, %v; want an echo", answer, err)
	}
	if took := time.Since(began); took < 2*delay {
		t.Errorf("the echo took %s, want at least %s", took, 2*delay)
	}
}

// A node on a line has no other way to its parent, whatever addresses it is told.
func TestANodeOnALineHasNoWayAroundIt(t *testing.T) {
	l := echoLine(t)
	by := make(ways)
	if err := by.Set(l.ways().String()); err != nil {
		t.Fatal(err)
	}
	conn, err := by.dial(t.Context(), l.targets[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := ask(t, conn, "hello\n", soon); err != nil || l.bytes() == 0 {
		t.Errorf("asked the parent, %v; the line counted %d bytes, want some", err, l.bytes())
	}
	if conn, err := by.dial(t.Context(), "127.0.0.1:1"); err == nil {
		_ = conn.Close()
		t.Error("there is a way to an address that no line leads to")
	}
	if err := by.Set("127.0.0.1:1"); err == nil {
		t.Error("a way without a line was read")
	}
}
