package node

import (
	"context"
	"errors"
	"net"
	"sync"
)

// storyLine is the wire of a site to its parent. While it is cut, nothing answers. A nil line is the province's.
type storyLine struct {
	mu     sync.Mutex    // guards what follows
	mended chan struct{} // closed while the line carries
	conns  []net.Conn
}

func newStoryLine() *storyLine {
	l := &storyLine{mended: make(chan struct{})}
	l.mend()
	return l
}

func (l *storyLine) dial(ctx context.Context, address string) (net.Conn, error) {
	l.mu.Lock()
	mended := l.mended
	l.mu.Unlock()
	select {
	case <-mended:
	case <-ctx.Done():
		return nil, errors.New("the line is cut")
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mended != mended {
		return nil, errors.Join(errors.New("the line was cut"), conn.Close())
	}
	l.conns = append(l.conns, conn)
	return conn, nil
}

func (l *storyLine) mend() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.mended:
	default:
		close(l.mended)
	}
}

func (l *storyLine) cut() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.mended:
	default:
		return // it is cut
	}
	l.mended = make(chan struct{})
	for _, conn := range l.conns {
		conn.Close() // broken on purpose; an error changes nothing
	}
	l.conns = nil
}
