package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tierdesk/tierdesk/testbed"
)

// line carries the connections of a child to the nodes of its parent. It counts their bytes, makes them late, and can be
// cut in two ways. It ends with close.
type line struct {
	targets   []string     // where the parent's nodes listen
	addresses []string     // where the line takes connections to each of them
	up, down  atomic.Int64 // bytes that came from the child, and from the parent, while the line was whole

	dial      dialer
	listeners []net.Listener
	wait      sync.WaitGroup // everything that the line began

	mu    sync.Mutex // guards all below
	state lineState
	delay time.Duration // of each byte, one way
	ended bool
	conns map[net.Conn]struct{}
}

// dialer opens a TCP connection.
type dialer func(ctx context.Context, address string) (net.Conn, error)

// lineState is how a line is.
type lineState string

const (
	whole lineState = "whole"
	// silent: every byte is lost, and nobody is told: a wire is cut somewhere on the way. A connection that lost bytes
	// stays silent for ever, so that mending the line does not help anybody to notice.
	silent lineState = "silent"
	closed lineState = "closed" // every connection is ended at once: the network of one end is off
)

// dialHere opens a connection from where this program runs.
func dialHere(ctx context.Context, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

// newLine lays a line to the nodes of a parent. Each listener stands for the node at the target with the same index.
func newLine(targets []string, listeners []net.Listener, dial dialer) *line {
	l := &line{targets: targets, dial: dial, listeners: listeners, state: whole, conns: make(map[net.Conn]struct{})}
	for i, listener := range listeners {
		l.addresses = append(l.addresses, listener.Addr().String())
		l.wait.Go(func() { l.accept(listener, targets[i]) })
	}
	return l
}

// line lays a line to the nodes of a parent, with loopback addresses for the child.
func (w *workshop) line(targets []string) (*line, error) {
	var listeners []net.Listener
	for range targets {
		free, err := testbed.Addresses(1)
		if err != nil {
			return nil, err
		}
		listener, err := net.Listen("tcp", free[0])
		if err != nil {
			return nil, fmt.Errorf("lay a line: %w", err)
		}
		listeners = append(listeners, listener)
	}
	l := newLine(targets, listeners, dialHere)
	w.lines = append(w.lines, l)
	return l, nil
}

// set cuts or mends the line.
func (l *line) set(state lineState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if state == closed {
		l.breakAll()
	}
	l.state = state
}

// slow delays every byte from now on, one way.
func (l *line) slow(delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delay = delay
}

// bytes that got through since the line was laid, both ways together.
func (l *line) bytes() int64 { return l.up.Load() + l.down.Load() }

// close tears the line down and waits until nothing of it is left.
func (l *line) close() {
	l.mu.Lock()
	l.ended = true
	for _, listener := range l.listeners {
		_ = listener.Close() // nothing else is done with it
	}
	l.breakAll()
	l.mu.Unlock()
	l.wait.Wait()
}

// breakAll needs mu held.
func (l *line) breakAll() {
	for conn := range l.conns {
		_ = conn.Close() // the other side may have been quicker
	}
}

func (l *line) accept(listener net.Listener, target string) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		if !l.whileOpen(func() { l.wait.Go(func() { l.connect(near, target) }) }) {
			_ = near.Close()
		}
	}
}

// whileOpen does something unless the line has ended or is closed.
func (l *line) whileOpen(do func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || l.state == closed {
		return false
	}
	do()
	return true
}

// connect joins a connection of the child with one to the parent's node.
func (l *line) connect(near net.Conn, target string) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	far, err := l.dial(ctx, target)
	if err != nil {
		_ = near.Close() // the child learns that nobody is there
		return
	}
	if !l.whileOpen(func() {
		l.conns[near], l.conns[far] = struct{}{}, struct{}{}
		l.wait.Go(func() { l.forward(far, near, &l.up) })
		l.wait.Go(func() { l.forward(near, far, &l.down) })
	}) {
		_, _ = near.Close(), far.Close()
	}
}

// parcel is what one read brought, and when it may be delivered.
type parcel struct {
	bytes []byte
	due   time.Time
}

// forward carries one direction until either end closes, and then ends both. Parcels wait in a queue of bounded length,
// so that a delay costs no throughput until it is full.
func (l *line) forward(to, from net.Conn, count *atomic.Int64) {
	const waiting, most = 256, 32 << 10
	queue := make(chan parcel, waiting)
	l.wait.Go(func() {
		defer l.drop(to, from)
		for p := range queue {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.bytes); err != nil {
				l.drop(to, from) // the reader ends too
				for range queue {
				}
				return
			}
		}
	})
	defer close(queue)
	for lost := false; ; {
		buffer := make([]byte, most)
		n, err := from.Read(buffer)
		state, delay := l.now()
		lost = lost || n > 0 && state != whole
		if n > 0 && !lost {
			count.Add(int64(n))
			queue <- parcel{buffer[:n], time.Now().Add(delay)}
		}
		if err != nil {
			return
		}
	}
}

func (l *line) now() (lineState, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state, l.delay
}

func (l *line) drop(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range conns {
		_ = conn.Close() // once more does no harm
		delete(l.conns, conn)
	}
}
