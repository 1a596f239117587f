package testbed

import (
	"net"
	"sync"
	"testing"
)

// Line forwards TCP connections to a node. While it is cut it swallows every byte, as a dead line does: nobody is told.
type Line struct {
	Addr     string // dial here
	target   string
	listener net.Listener

	mu    sync.Mutex // guards all below
	cut   bool
	ended bool
	conns map[net.Conn]struct{}
	wait  sync.WaitGroup
}

// NewLine lays a line to the target address; it is torn down when the test ends.
func NewLine(t testing.TB, target string) *Line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("lay a line to %s: %v", target, err)
	}
	l := &Line{Addr: listener.Addr().String(), target: target, listener: listener, conns: make(map[net.Conn]struct{})}
	l.wait.Go(l.accept)
	t.Cleanup(l.end)
	return l
}

// Cut makes the line swallow everything from now on.
func (l *Line) Cut() { l.set(true) }

// Heal mends the line. Connections that lost bytes while it was cut are broken now.
func (l *Line) Heal() { l.set(false) }

func (l *Line) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut && !cut {
		l.closeAll()
	}
	l.cut = cut
}

// closeAll needs mu held.
func (l *Line) closeAll() {
	for conn := range l.conns {
		_ = conn.Close() // the other side may have been quicker
	}
}

func (l *Line) end() {
	l.mu.Lock()
	l.ended = true
	_ = l.listener.Close()
	l.closeAll()
	l.mu.Unlock()
	l.wait.Wait()
}

func (l *Line) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", l.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		if !l.track(near, far) {
			return
		}
	}
}

// track starts the two directions of a connection; false when the line has ended.
func (l *Line) track(near, far net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		_, _ = near.Close(), far.Close()
		return false
	}
	l.conns[near], l.conns[far] = struct{}{}, struct{}{}
	l.wait.Go(func() { l.forward(far, near) })
	l.wait.Go(func() { l.forward(near, far) })
	return true
}

// forward copies until either side ends, and then ends both.
func (l *Line) forward(to, from net.Conn) {
	defer l.drop(to, from)
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !l.isCut() {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (l *Line) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

func (l *Line) drop(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range conns {
		_ = conn.Close()
		delete(l.conns, conn)
	}
}
