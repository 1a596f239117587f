package demo

import (
	"context"
	"errors"
	"net"
	"sync"
)

// errCut is what dialling says while the line is cut.
var errCut = errors.New("the line is cut")

// line is the wire of one site to its parent. Cutting it breaks every connection on it and refuses new ones.
type line struct {
	mu    sync.Mutex // guards cut and conns
	cut   bool
	conns map[*wire]struct{}
}

func newLine() *line { return &line{conns: make(map[*wire]struct{})} }

// Dial opens a connection over the line.
func (l *line) Dial(ctx context.Context, address string) (net.Conn, error) {
	if l.isCut() {
		return nil, errCut
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return nil, errors.Join(errCut, conn.Close())
	}
	w := &wire{Conn: conn, line: l}
	l.conns[w] = struct{}{}
	return w, nil
}

func (l *line) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

// Cut breaks the line; Heal mends it.
func (l *line) Cut() {
	l.mu.Lock()
	l.cut = true
	conns := l.conns
	l.conns = make(map[*wire]struct{})
	l.mu.Unlock()
	for w := range conns {
		w.Conn.Close() // broken on purpose; an error changes nothing
	}
}

func (l *line) Heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = false
}

// wire is one connection on a line.
type wire struct {
	net.Conn
	line *line
}

func (w *wire) Close() error {
	w.line.mu.Lock()
	delete(w.line.conns, w)
	w.line.mu.Unlock()
	return w.Conn.Close()
}
