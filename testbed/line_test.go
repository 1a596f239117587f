package testbed

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

const patience = 30 * time.Second // for what must come; a test that passes waits for milliseconds

// TestALineForwardsSwallowsAndForwardsAgain talks to an echo through a line that is cut and healed.
func TestALineForwardsSwallowsAndForwardsAgain(t *testing.T) {
	line := NewLine(t, echo(t))
	before := dial(t, line.Addr)
	if got := say(t, before, "one\n", patience); got != "one\n" {
		t.Fatalf("through the line came %q, want an echo", got)
	}
	line.Cut()
	if got := say(t, before, "two\n", 50*time.Millisecond); got != "" {
		t.Errorf("a cut line brought %q", got)
	}
	during := dial(t, line.Addr)
	if got := say(t, during, "three\n", 50*time.Millisecond); got != "" {
		t.Errorf("a cut line brought %q on a new connection", got)
	}
	line.Heal()
	if _, err := before.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !isReset(err) {
		t.Errorf("a connection that lost bytes lives on after healing: %v", err)
	}
	if got := say(t, dial(t, line.Addr), "four\n", patience); got != "four\n" {
		t.Errorf("through the healed line came %q, want an echo", got)
	}
}

// echo listens and sends back what comes.
func echo(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// say sends a line and returns the answer, "" when none came in time.
func say(t *testing.T, conn net.Conn, words string, wait time.Duration) string {
	t.Helper()
	if _, err := io.WriteString(conn, words); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	defer conn.SetReadDeadline(time.Time{})
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return answer
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}
