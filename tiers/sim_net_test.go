package tiers

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// simLine is what all connections between a site and its parent run over.
type simLine struct {
	mu     sync.Mutex // guards everything below
	rng    *rand.Rand
	cut    bool
	silent bool          // a cut line answers nobody, instead of refusing at once
	delay  time.Duration // of every piece of data, on average
	conns  map[*simConn]bool
}

func newSimLine(rng *rand.Rand) *simLine {
	return &simLine{rng: rng, delay: 2 * time.Millisecond, conns: make(map[*simConn]bool)}
}

// sever cuts the line. Connections end at once, or hear nothing any more until the line is mended.
func (l *simLine) sever(silent bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut, l.silent = true, silent
	for c := range l.conns {
		if silent {
			c.hold(time.Now().Add(time.Hour))
		} else {
			c.reset()
		}
	}
}

// mend lets the line carry again, with what was held back on connections that still live.
func (l *simLine) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = false
	for c := range l.conns {
		c.hold(time.Now())
	}
}

// haunt holds back what the present connections carry while new ones flow: old batches come late, beside newer ones.
func (l *simLine) haunt(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.hold(time.Now().Add(d))
	}
}

// slow sets how long data is on its way.
func (l *simLine) slow(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delay = d
}

// after draws how long the next piece of data is on its way.
func (l *simLine) after() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.delay/2 + time.Duration(l.rng.Int64N(int64(l.delay)+1))
}

// connect opens a connection to a listener over the line.
func (l *simLine) connect(ctx context.Context, to *simListener) (net.Conn, error) {
	l.mu.Lock()
	if l.cut {
		silent := l.silent
		l.mu.Unlock()
		if silent {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return nil, errSimCut
	}
	up, down := newSimHalf(), newSimHalf()
	near, far := &simConn{line: l, in: down, out: up}, &simConn{line: l, in: up, out: down}
	l.conns[near], l.conns[far] = true, true
	l.mu.Unlock()
	select {
	case to.accepted <- far:
		return near, nil
	case <-to.closed:
	case <-ctx.Done():
	}
	near.reset()
	l.forget(near, far)
	return nil, errSimGone
}

func (l *simLine) forget(conns ...*simConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		delete(l.conns, c)
	}
}

var (
	errSimCut  = errors.New("the line is cut")
	errSimGone = errors.New("nobody listens there")
)

// simListener is where a node answers its children.
type simListener struct {
	address  simAddress
	accepted chan *simConn
	closing  sync.Once
	closed   chan struct{}

	mu    sync.Mutex // guards conns
	conns []*simConn
}

func newSimListener(address string) *simListener {
	return &simListener{address: simAddress(address), accepted: make(chan *simConn), closed: make(chan struct{})}
}

func (l *simListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.accepted:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.conns = append(l.conns, conn)
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *simListener) Close() error {
	l.closing.Do(func() { close(l.closed) })
	return nil
}

// kill ends every connection that was accepted, as the end of a process does.
func (l *simListener) kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.conns {
		conn.reset()
	}
}

func (l *simListener) Addr() net.Addr { return l.address }

type simAddress string

func (a simAddress) Network() string { return "sim" }
func (a simAddress) String() string  { return string(a) }

// simHalf is one direction of a connection: bytes in order, each piece with the time at which it arrives.
type simHalf struct {
	mu     sync.Mutex // guards everything below
	pieces []simPiece
	held   time.Time     // nothing arrives before
	ended  error         // what the reader gets when the pieces are read
	stir   chan struct{} // closed when something changed
}

type simPiece struct {
	arrives time.Time
	bytes   []byte
}

func newSimHalf() *simHalf { return &simHalf{stir: make(chan struct{})} }

// change does something to the half and wakes its reader.
func (h *simHalf) change(do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	do()
	close(h.stir)
	h.stir = make(chan struct{})
}

// take reads what has arrived. When that is nothing, it says how long to wait for the next piece, 0 for ever.
func (h *simHalf) take(p []byte) (n int, wait time.Duration, stir <-chan struct{}, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	switch {
	case errors.Is(h.ended, net.ErrClosed):
		return 0, 0, nil, h.ended
	case now.Before(h.held):
		return 0, h.held.Sub(now), h.stir, nil
	case len(h.pieces) == 0:
		return 0, 0, h.stir, h.ended
	case now.Before(h.pieces[0].arrives):
		return 0, h.pieces[0].arrives.Sub(now), h.stir, nil
	}
	for n < len(p) && len(h.pieces) > 0 && !now.Before(h.pieces[0].arrives) {
		copied := copy(p[n:], h.pieces[0].bytes)
		n += copied
		if h.pieces[0].bytes = h.pieces[0].bytes[copied:]; len(h.pieces[0].bytes) == 0 {
			h.pieces = h.pieces[1:]
		}
	}
	return n, 0, nil, nil
}

// simConn is one end of a connection.
type simConn struct {
	line    *simLine
	in, out *simHalf
}

func (c *simConn) Read(p []byte) (int, error) {
	for {
		n, wait, stir, err := c.in.take(p)
		if n > 0 || err != nil {
			return n, err
		}
		if wait == 0 {
			<-stir
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-stir:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (c *simConn) Write(p []byte) (int, error) {
	arrives := time.Now().Add(c.line.after())
	var err error
	c.out.change(func() {
		if err = c.out.ended; err != nil {
			return
		}
		if n := len(c.out.pieces); n > 0 && arrives.Before(c.out.pieces[n-1].arrives) {
			arrives = c.out.pieces[n-1].arrives
		}
		c.out.pieces = append(c.out.pieces, simPiece{arrives: arrives, bytes: append([]byte(nil), p...)})
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// hold keeps everything on its way, both directions, from arriving before a time.
func (c *simConn) hold(until time.Time) {
	for _, h := range []*simHalf{c.in, c.out} {
		h.change(func() { h.held = until })
	}
}

// reset ends both directions; what was on its way is lost.
func (c *simConn) reset() {
	for _, h := range []*simHalf{c.in, c.out} {
		h.change(func() { h.pieces, h.ended = nil, net.ErrClosed })
	}
}

// Close ends the connection; the other end still reads what is on its way.
func (c *simConn) Close() error {
	c.in.change(func() { c.in.pieces, c.in.ended = nil, net.ErrClosed })
	c.out.change(func() {
		if c.out.ended == nil {
			c.out.ended = io.EOF
		}
	})
	c.line.forget(c)
	return nil
}

func (c *simConn) LocalAddr() net.Addr              { return simAddress("near") }
func (c *simConn) RemoteAddr() net.Addr             { return simAddress("far") }
func (c *simConn) SetDeadline(time.Time) error      { return nil }
func (c *simConn) SetReadDeadline(time.Time) error  { return nil }
func (c *simConn) SetWriteDeadline(time.Time) error { return nil }
